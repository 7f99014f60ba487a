/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The agent's half of a session as a machine: bytes in, events out.  Two ends
 * share one byte stream that neither can close, and clients come and go in
 * the middle of anything; this is where it is decided which bytes are a
 * request, and whose.  It has no descriptor, clock, log or request: whoever
 * drives it has these, and tells it what happens besides bytes.
 *
 * The rules it keeps:
 * - A client sends nothing before it has the whole answer.  Bytes that come
 *   while a request is worked on or answered prove that another client is
 *   there: the old answer is dropped, and the bytes begin a new request.
 * - But one request may stand behind one that only waits (ROUTE_WAITS).  When
 *   its head names the session that runs, it ends the wait, and its answer
 *   follows that of the first; any other is another client's.  It may wait
 *   itself, and when the first answer is sent another may stand behind it.
 * - An early answer drains exactly the announced body.
 * - When it is unknown where the next request begins, everything is thrown
 *   away until the client leaves, or until the reset marker and a sync
 *   (quarantine).  Silence never ends it: file content would become commands.
 * - In a body that is not raw bytes the marker cannot be content.  The body is
 *   wrong then, and drained; a sync behind the marker begins anew.
 * - A sync found among other bytes was content, too, when bytes follow before
 *   it has its answer: quarantine.  And as it can always have been content,
 *   the session that it begins takes only requests that name it, until the
 *   other side is seen to leave: content cannot know a token made just now.
 * - A raw body that ends with the beginning of a sync was completed by the
 *   next client when that goes on; it is not carried out.  Not so where a
 *   request may stand behind it.
 * - A half-received request and a stalled answer have a deadline.
 * - A request that names another session than the one that runs is refused.
 */
#ifndef VSRPC_PROTO_SERVER_H
#define VSRPC_PROTO_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"
#include "proto/probe.h"
#include "proto/route.h"

#define SESSION_TOKEN_LEN 32 /* hex digits */

enum session_state {
    SESSION_RECEIVE,    /* between requests, or in one that arrives */
    SESSION_WORK,       /* the request is whole, the answer is not there */
    SESSION_SEND,       /* the answer is on its way */
    SESSION_QUARANTINE, /* hunting for the reset marker and a sync */
};

/* What the driver has to do.  "The request" is the one whose SERVER_HEAD came
 * last; "the output" is everything that has not been sent yet.  One event may
 * follow the other without bytes between them. */
enum server_event {
    SERVER_NEED_MORE, /* nothing: all bytes are taken */
    SERVER_HEAD,      /* begin a request from server_head(); it may be
                       * answered at once */
    SERVER_CONTINUE,  /* the client waits to be told: 100 Continue */
    SERVER_BODY,      /* take server_body(), or answer */
    SERVER_MARKED,    /* answer: the reset byte is in a body without place
                       * for it */
    SERVER_END,       /* the request is whole: carry it out */
    SERVER_DRAINED,   /* it was answered early, now its body is over: when no
                       * output is left, say so (server_sent_all()) */
    SERVER_FAULT,     /* answer with server->fault, request begun or not; it
                       * is over, the output is not */
    SERVER_LOST,      /* as SERVER_FAULT, but it has its answer */
    SERVER_URGE,      /* the request only waits, and another stands behind it:
                       * answer, or it is abandoned for that one */
    SERVER_PASS,      /* the request has its answer and is over, the output is
                       * not: the next begins; say when the output so far is
                       * sent (server_sent_before()) */
    SERVER_DROP,      /* the request, if there is one, and the output are void:
                       * they are the last client's */
    SERVER_ABANDON,   /* as SERVER_DROP, and the request was being carried
                       * out: as its client wanted it */
};

/* How far a request in SESSION_RECEIVE is. */
enum server_step {
    SERVER_STEP_HEAD,  /* its head is not complete */
    SERVER_STEP_FOUND, /* it is, and is not reported */
    SERVER_STEP_TOLD,  /* it was reported just now */
    SERVER_STEP_BODY,
};

struct server {
    enum session_state state;
    enum server_step step;
    bool answered; /* early: before the request was whole */
    bool raw;      /* its body is bytes, in which the marker is data */
    bool patient;  /* it only waits: another may stand behind it */
    bool crowded;  /* but not yet: the answer before is not sent either */
    bool adopted;  /* it is a sync that was found among other bytes */
    bool guarded;  /* such a sync began the session */
    struct msg in;
    struct msg next; /* behind it, up to its head */
    struct probe probe;
    struct http_fault fault;           /* at SERVER_FAULT */
    char token[SESSION_TOKEN_LEN + 1]; /* of the session; "": there is none */
};

void server_init(struct server *server);
void server_free(struct server *server);

/* --- what arrives -------------------------------------------------------- */

/*
 * Takes bytes; *used says how many.  Call it again with the rest until it
 * says SERVER_NEED_MORE, also when the rest is empty: some events need no
 * bytes.
 *
 * Return: the event.
 */
enum server_event server_feed(struct server *server, const uint8_t *bytes,
                              size_t n, size_t *used);

/* Somebody is on the other side; fresh: since now, so that the first byte is
 * the first of a request.  Return: SERVER_DROP or SERVER_ABANDON. */
enum server_event server_connected(struct server *server, bool fresh);

/* The other side has left, and with it the session.
 * Return: SERVER_DROP or SERVER_ABANDON. */
enum server_event server_hangup(struct server *server);

/* The deadline has passed without a byte taken or sent.  Call it again until
 * it says SERVER_NEED_MORE.
 * Return: the event; SERVER_NEED_MORE when no deadline runs. */
enum server_event server_stalled(struct server *server);

/* --- what the driver has done -------------------------------------------- */

/* The request has been answered; the answer is in the output. */
void server_answered(struct server *server);

/* No output is left.  Return: is the request over with that? */
bool server_sent_all(struct server *server);

/* What was in the output at SERVER_PASS is sent. */
void server_sent_before(struct server *server);

/* The request cannot be taken in (no memory), nor what belongs to it. */
void server_quarantine(struct server *server);

/* A sync begins a session: from now on token is right, which has at most
 * SESSION_TOKEN_LEN characters, and every other is not. */
void server_begin(struct server *server, const char *token);

/* --- questions ----------------------------------------------------------- */

/* The head of the request, valid until the next event but SERVER_CONTINUE and
 * SERVER_URGE. */
const struct http_head *server_head(const struct server *server);

/* At SERVER_BODY: the piece, *n bytes inside those that were fed. */
const uint8_t *server_body(const struct server *server, size_t *n);

/* Bytes of the body so far. */
int64_t server_body_seen(const struct server *server);

/* Does a deadline run?  It begins anew with every byte taken or sent. */
bool server_deadline(const struct server *server);

/* Is an answer owed, so that bytes are another client's, or a request's that
 * stands behind? */
bool server_owes(const struct server *server);

/*
 * May a request for route be carried out with this X-Session (NULL: it has
 * none, which is fine unless the session is guarded)?  Compares in a time that
 * does not depend on the token.
 */
bool server_session_fits(const struct server *server,
                         const struct route *route, const char *given);

/*
 * The seconds between signs of life that a request asks for.
 *
 * Return: 0 with *seconds (0: it asks for none), -EINVAL, or -ERANGE outside
 * 1..HEARTBEAT_MAX_S.
 */
int server_heartbeat(const struct http_head *head, int64_t *seconds);

#endif
