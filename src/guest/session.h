/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The session: requests in, answers out, on one byte stream that neither end
 * can close (DESIGN 3.4).  No descriptor in here: the port feeds it and
 * fetches from it.
 *
 * The rules it keeps:
 * - A client sends nothing before it has the whole answer.  Bytes that come
 *   while a request is worked on or answered prove that another client is
 *   there: the old answer is dropped, and the bytes begin a new request.
 * - An early error drains exactly the announced body.
 * - When it is unknown where the next request begins, everything is thrown
 *   away until the client leaves, or until the reset marker and a sync
 *   (quarantine).  Silence never ends it: file content would become commands.
 * - In a body that is not raw bytes the marker cannot be content.  The body is
 *   wrong then, and drained; a sync behind the marker begins anew.
 * - A half-received request and a stalled answer have a deadline.
 */
#ifndef VSRPC_GUEST_SESSION_H
#define VSRPC_GUEST_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/loop.h"
#include "guest/request.h"
#include "proto/msg.h"

struct agent;

enum session_state {
    SESSION_RECEIVE,    /* between requests, or in one that arrives */
    SESSION_WORK,       /* the request is whole, the answer is not there */
    SESSION_SEND,       /* the answer is on its way */
    SESSION_QUARANTINE, /* hunting for the reset marker and a sync */
};

/* Looks for a new client among the bytes of an old one. */
struct probe {
    struct msg msg; /* what stands behind the marker */
    bool marked;    /* a marker was seen, and nothing wrong behind it */
};

struct session {
    struct agent *agent;
    enum session_state state;
    struct msg in;
    struct probe probe;
    struct request *request;
    struct buf out;
    struct loop_timer deadline;
    char token[33]; /* of the last sync */
};

void session_init(struct session *session, struct agent *agent);
void session_free(struct session *session);

/* Somebody is on the other side; fresh: since now, so that the first byte is
 * the first of a request. */
void session_connected(struct session *session, bool fresh);

/* The other side has left: everything of it ends. */
void session_hangup(struct session *session);

/* Takes bytes, all of them. */
void session_input(struct session *session, const uint8_t *bytes, size_t n);

/*
 * What is to be sent.
 *
 * Return: how many bytes, at *bytes (unless NULL), valid until the next call
 * into the session.
 */
size_t session_output(struct session *session, const uint8_t **bytes);

/* n bytes have been sent. */
void session_sent(struct session *session, size_t n);

#endif
