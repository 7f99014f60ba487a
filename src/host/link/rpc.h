/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One connection to one agent: connect, agree where messages start (sync),
 * then requests and answers: one at a time, or one behind another that only
 * waits for something (see ROUTE_WAITS).
 *
 * Whatever fails here leaves the stream in an unknown place: after an error of
 * rpc_call(), rpc_post() or rpc_take() only rpc_close() is allowed.  The guest
 * is not trusted: sizes are bounded, answers with a foreign id are dropped,
 * and an answer that trickles runs into a deadline.
 */
#ifndef VSRPC_HOST_LINK_RPC_H
#define VSRPC_HOST_LINK_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/link/transport.h"
#include "proto/handshake.h"
#include "proto/msg.h"
#include "util/buf.h"
#include "util/error.h"

#define RPC_WORD_MAX HANDSHAKE_WORD_MAX /* of a header field that we keep */

struct rpc {
    struct transport *transport; /* NULL: not connected */
    struct msg msg;
    uint8_t *step;              /* where one read goes */
    uint8_t *give_step;         /* where a piece of a body is sent from */
    size_t step_at;             /* what was looked at of it */
    size_t step_len;            /* what came with it */
    struct handshake_peer peer; /* as of the last rpc_open() */
    const struct buf *key;      /* to sign with; NULL: do not; not owned */
    int wake_fd;                /* readable: leave; -1: none; not owned */
    int broken; /* attempts to sync since the last answer to one that ended in
                 * a break: the next rpc_open() counts them, too */
};

#define RPC_ID_SIZE 33 /* of a request's id as hex, with its NUL */

struct rpc_reply;

/* A body that is not in memory as a whole. */
struct rpc_body {
    /* Takes the next bytes of an answer that is no JSON, as they come;
     * reply->taken of it came before.  NULL: it is gathered in reply->body.
     * Return: 0; negative errno with a message to give up. */
    int (*take)(void *context, const struct rpc_reply *reply,
                const uint8_t *bytes, size_t n, struct error *err);
    /* Gives n bytes of the request's body, from an offset on; the same ones
     * whenever it is asked.  NULL: they are in memory.
     * Return: as take(). */
    int (*give)(void *context, int64_t at, uint8_t *bytes, size_t n,
                struct error *err);
    void *context;
};

struct rpc_request {
    const char *method;
    const char *target;       /* encoded path and query */
    const char *content_type; /* NULL: there is no body */
    const void *body;
    size_t body_len;
    const struct rpc_body *stream; /* instead; NULL: none */
    const char *range_field;       /* "Range" or "Content-Range", or NULL */
    const char *range;             /* its value */
    const char *condition_field;   /* "If-Match" or "If-None-Match", or NULL */
    const char *condition;
    int64_t read_ms;    /* until the answer starts; 0: no limit */
    int64_t write_ms;   /* likewise for taking the request */
    int64_t rest_ms;    /* for what follows an answer's head that might
                         * come as late as it likes; 0: no limit */
    const char *id;     /* to be answered with; NULL: a new one */
    int64_t age_ms;     /* since it was first sent; 0: it never was */
    int64_t silence_ms; /* without a byte until silent() is asked; 0:
                         * never */
    /* Asked what is to be done about a silence; the connection is not to be
     * touched.  Return: 0 to wait on; 1 likewise, and that time is not taken
     * from read_ms and write_ms; negative errno with a message to give up. */
    int (*silent)(void *context, struct error *err);
    /* Asked when wake_fd is readable while the answer is waited for; it sees
     * to it that it is not any more.  NULL: that is -ECANCELED.
     * Return: 0 to wait on; negative errno with a message to give up. */
    int (*woken)(void *context, struct error *err);
    void *context;
};

struct rpc_reply {
    bool begun;             /* its head has come */
    struct http_head *head; /* owned; once it has begun */
    int http;
    int64_t retry_after; /* seconds, at most INT32_MAX; -1: none given */
    char content_range[RPC_WORD_MAX];
    char etag[RPC_WORD_MAX];
    bool json;     /* by its Content-Type */
    bool replayed; /* the agent had answered it before */
    struct buf body;
    int64_t taken; /* bytes of it that went another way */
};

void rpc_init(struct rpc *rpc);

/*
 * Sends a request and reads its answer into reply, which the caller has set
 * up with rpc_reply_init() and frees.  *sent tells whether all of the request
 * may have reached the agent; a part of one is never carried out.
 *
 * Return: 0; -ECONNRESET or -EPIPE when the connection was lost, -ETIMEDOUT,
 * -EBADMSG when the stream is not HTTP, -EMSGSIZE past RESPONSE_MAX, -ENOMEM,
 * -ECANCELED by wake_fd, or what silent() gave.
 */
int rpc_call(struct rpc *rpc, const struct rpc_request *request,
             struct rpc_reply *reply, bool *sent, struct error *err);

/*
 * The two halves of rpc_call(), for who has something to do while the answer
 * is on its way.  The request has an id, and stays as it is until it has been
 * answered.  Behind a request on a ROUTE_WAITS route one more may be posted
 * before the answer has come, which ends the wait; answers are taken in the
 * order of their requests.
 *
 * Return: as rpc_call(). -ECANCELED of rpc_take() leaves all as it is: call it
 * again, with the same reply.
 */
int rpc_post(struct rpc *rpc, const struct rpc_request *request, bool *sent,
             struct error *err);
int rpc_take(struct rpc *rpc, const struct rpc_request *request,
             struct rpc_reply *reply, struct error *err);

/* Makes an id for a request.  Return: 0 or -EIO. */
int rpc_new_id(char id[RPC_ID_SIZE]);

/* Sets what wakes this rpc up from now on; -1: nothing. */
void rpc_set_wake(struct rpc *rpc, int wake_fd);

/* Ends the connection; rpc_open() may follow. */
void rpc_close(struct rpc *rpc);

/* Closes and frees. */
void rpc_free(struct rpc *rpc);

void rpc_reply_init(struct rpc_reply *reply);
void rpc_reply_free(struct rpc_reply *reply);

#endif
