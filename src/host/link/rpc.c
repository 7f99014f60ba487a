/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One request and its answer over a connection: the head, signed when there is
 * a key, the body from memory or in pieces, and the answer with the request's
 * id.  Deadlines move on with the bytes that get through.
 */
#include <config.h>

#include "host/link/rpc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auth.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/num.h"

/* One read: the kernel hands over at most what a socket buffer holds. */
#define STEP (256 * 1024)

/* Slowest stream that is not called stalled: every 64 KiB buy one second
 * more.  A guest that trickles cannot hold us for ever. */
#define STRETCH_BYTES_PER_MS 64

#define ID_BYTES 16 /* of a request id: as many as a UUID has */

void rpc_init(struct rpc *rpc)
{
    *rpc = (struct rpc) { .wake_fd = -1 };
    msg_init(&rpc->msg, HTTP_RESPONSE);
}

void rpc_close(struct rpc *rpc)
{
    if (rpc->transport)
        rpc->transport->ops->close(rpc->transport);
    rpc->transport = NULL;
    rpc->step_at = rpc->step_len = 0;
    msg_reset(&rpc->msg);
}

void rpc_free(struct rpc *rpc)
{
    rpc_close(rpc);
    msg_free(&rpc->msg);
    free(rpc->step);
    free(rpc->give_step);
    rpc->step = rpc->give_step = NULL;
}

void rpc_reply_init(struct rpc_reply *reply)
{
    *reply = (struct rpc_reply) { .retry_after = -1 };
    buf_init(&reply->body, RESPONSE_MAX);
}

void rpc_reply_free(struct rpc_reply *reply)
{
    free(reply->head);
    reply->head = NULL;
    buf_free(&reply->body);
}

/* A deadline that moves with the bytes that got through. */
static int64_t stretched(int64_t start, size_t bytes)
{
    if (start == DEADLINE_NEVER)
        return start;
    return start + (int64_t) (bytes / STRETCH_BYTES_PER_MS);
}

static int64_t limit_in(int64_t ms)
{
    return ms > 0 ? deadline_in(ms) : DEADLINE_NEVER;
}

/* Words for what the transport gave back. */
static int rpc_lost(int64_t code, const char *doing, struct error *err)
{
    if (code == 0 || code == -ECONNRESET || code == -EPIPE)
        return error_set(err, -ECONNRESET, "connection lost while %s", doing);
    if (code == -ETIMEDOUT)
        return error_set(err, -ETIMEDOUT, "timed out while %s", doing);
    if (code == -ECANCELED)
        return error_set(err, -ECANCELED, "interrupted");
    return error_errno(err, (int) code, "%s", doing);
}

/* How long one direction of a call may take, and what happens meanwhile. */
struct watch {
    const struct rpc_request *request;
    int64_t limit;
    int64_t ms;   /* for all of it when nothing gets through; 0: no limit */
    int64_t last; /* when something did */
    size_t seen;  /* bytes that got through, and count */
    bool idle;    /* none do: they are no part of the answer */
    bool told;    /* silent() has set the error */
    struct error *err;
};

static struct watch watch_begin(const struct rpc_request *request, int64_t ms,
                                struct error *err)
{
    return (struct watch) { .request = request,
                            .limit = limit_in(ms),
                            .ms = ms,
                            .last = clock_ms(),
                            .err = err };
}

/* Bytes buy time, but none in which there are no more of them: what a socket
 * takes says nothing about its reader. */
static int64_t watch_end(const struct watch *watch)
{
    int64_t end = stretched(watch->limit, watch->seen);

    return watch->ms > 0 ? deadline_min(end, watch->last + watch->ms) : end;
}

static int64_t watch_deadline(const struct watch *watch)
{
    int64_t silence = watch->request->silence_ms;

    return deadline_min(watch_end(watch), limit_in(silence));
}

/* A deadline has passed.  Return: 0 to go on, or what to give up with. */
static int watch_expired(struct watch *watch, int64_t since)
{
    int r;

    if (deadline_left(watch_end(watch)) == 0)
        return -ETIMEDOUT;
    r = watch->request->silent(watch->request->context, watch->err);
    watch->told = r < 0;
    if (r == 1 && watch->limit != DEADLINE_NEVER) {
        watch->limit += clock_ms() - since;
        watch->last += clock_ms() - since;
    }
    return r < 0 ? r : 0;
}

/* What a read or write came to.  Return: 0 to try again; as the transport. */
static int64_t watch_judge(struct watch *watch, int64_t done, int64_t since)
{
    if (done > 0) {
        watch->seen += watch->idle ? 0 : (size_t) done;
        watch->last = clock_ms();
    }
    if (done == 0)
        return -ECONNRESET;
    return done == -ETIMEDOUT ? watch_expired(watch, since) : done;
}

/* Words for what the transport gave back, unless there are some. */
static int watch_lost(const struct watch *watch, int64_t code,
                      const char *doing)
{
    return watch->told ? (int) code : rpc_lost(code, doing, watch->err);
}

static bool rpc_gives(const struct rpc_request *request)
{
    return request->stream && request->stream->give;
}

static int rpc_send(struct rpc *rpc, const void *bytes, size_t n,
                    struct watch *watch)
{
    const uint8_t *p = bytes;
    size_t done = 0;

    while (done < n) {
        int64_t since = clock_ms();
        int64_t wrote = rpc->transport->ops->write(
            rpc->transport, p + done, n - done, watch_deadline(watch));

        wrote = watch_judge(watch, wrote, since);
        if (wrote < 0)
            return watch_lost(watch, wrote, "sending the request");
        done += (size_t) wrote;
    }
    return 0;
}

/* Gets the next piece of a body that is not in memory. */
static int64_t rpc_give(const struct rpc *rpc,
                        const struct rpc_request *request, size_t at,
                        struct error *err)
{
    size_t left = request->body_len - at;
    size_t n = left < STEP ? left : STEP;
    int r = request->stream->give(request->stream->context, (int64_t) at,
                                  rpc->give_step, n, err);

    return r < 0 ? r : (int64_t) n;
}

static int rpc_send_stream(struct rpc *rpc, const struct rpc_request *request,
                           struct watch *watch)
{
    for (size_t at = 0; at < request->body_len;) {
        int64_t n = rpc_give(rpc, request, at, watch->err);
        int r = n < 0 ? (int) n
                      : rpc_send(rpc, rpc->give_step, (size_t) n, watch);

        if (r < 0)
            return r;
        at += (size_t) n;
    }
    return 0;
}

/* The digest that a signature is made of. */
static int rpc_body_sha256(const struct rpc *rpc,
                           const struct rpc_request *request,
                           char sha256[DIGEST_HEX_MAX], struct error *err)
{
    CLEANUP(digest_cleanup) struct digest *digest = NULL;

    if (!rpc_gives(request))
        return digest_bytes(DIGEST_SHA256, request->body, request->body_len,
                            sha256);
    digest = digest_new(DIGEST_SHA256);
    if (!digest)
        return -ENOMEM;
    for (size_t at = 0; at < request->body_len;) {
        int64_t n = rpc_give(rpc, request, at, err);

        if (n < 0)
            return (int) n;
        digest_update(digest, rpc->give_step, (size_t) n);
        at += (size_t) n;
    }
    digest_hex(digest, sha256);
    return 0;
}

/* The signature's fields, when there is a key. */
static int rpc_sign(const struct rpc *rpc, const struct rpc_request *request,
                    const char *timestamp, struct buf *head, struct error *err)
{
    char nonce[2 * ID_BYTES + 1];
    char sha256[DIGEST_HEX_MAX];
    char token[DIGEST_HEX_MAX];
    struct auth_parts parts = { .method = request->method,
                                .target = request->target,
                                .timestamp = timestamp,
                                .nonce = nonce,
                                .body_sha256 = sha256,
                                .boot_id = rpc->peer.boot_id,
                                .session = rpc->peer.session };
    int r = crypto_random_hex(nonce, ID_BYTES);

    if (r == 0)
        r = rpc_body_sha256(rpc, request, sha256, err);
    if (r == 0)
        r = auth_token(buf_data(rpc->key), rpc->key->len, &parts, token);
    if (r == 0)
        r = http_write_field(head, "X-Nonce", "%s", nonce);
    if (r == 0 && request->content_type)
        r = http_write_field(head, "X-Content-SHA256", "%s", sha256);
    if (r == 0)
        r = http_write_field(head, "X-Auth-Token", "%s", token);
    return r;
}

/* What an agent that remembers wants to know. */
static int rpc_write_session(const struct handshake_peer *peer,
                             const struct rpc_request *request,
                             struct buf *head)
{
    int r = 0;

    if (*peer->session)
        r = http_write_field(head, "X-Session", "%s", peer->session);
    if (r == 0 && peer->heartbeat)
        r = http_write_field(head, "X-Heartbeat", "%d", HEARTBEAT_S);
    if (r == 0 && request->age_ms > 0)
        r = http_write_field(head, "X-Request-Age", "%" PRId64,
                             request->age_ms);
    return r;
}

static int rpc_write_head(const struct rpc *rpc,
                          const struct rpc_request *request, struct buf *head,
                          struct error *err)
{
    char timestamp[24];
    int r = http_write_request(head, request->method, request->target);

    snprintf(timestamp, sizeof(timestamp), "%" PRId64,
             clock_wall() + rpc->peer.clock_ahead);
    if (r == 0)
        r = http_write_field(head, "X-Request-ID", "%s", request->id);
    if (r == 0)
        r = http_write_field(head, "X-Timestamp", "%s", timestamp);
    if (r == 0)
        r = rpc_write_session(&rpc->peer, request, head);
    if (r == 0 && request->content_type)
        r = http_write_field(head, "Content-Type", "%s",
                             request->content_type);
    if (r == 0 && request->content_type)
        r = http_write_field(head, "Content-Length", "%zu", request->body_len);
    if (r == 0 && request->range_field)
        r = http_write_field(head, request->range_field, "%s", request->range);
    if (r == 0 && request->condition_field)
        r = http_write_field(head, request->condition_field, "%s",
                             request->condition);
    if (r == 0 && rpc->key)
        r = rpc_sign(rpc, request, timestamp, head, err);
    if (r == 0)
        r = http_write_end(head);
    return r;
}

static int rpc_send_request(struct rpc *rpc, const struct rpc_request *request,
                            struct error *err)
{
    struct watch watch = watch_begin(request, request->write_ms, err);
    size_t rest = request->body_len;
    struct error own = ERROR_INIT;
    struct buf head;
    int r;

    buf_init(&head, HTTP_HEAD_MAX);
    r = rpc_write_head(rpc, request, &head, &own);
    if (r < 0 && own.message[0])
        *err = own;
    else if (r == -EMSGSIZE)
        error_set(err, r, "request head too large (a very long path?)");
    else if (r < 0)
        error_errno(err, r, "request");
    /* A small body travels with its head: the guest wakes up once. */
    if (r == 0 && !rpc_gives(request)
        && request->body_len <= buf_room(&head)) {
        r = buf_append(&head, request->body, request->body_len);
        rest = 0;
    }
    if (r == 0)
        r = rpc_send(rpc, buf_data(&head), head.len, &watch);
    buf_free(&head);
    if (r == 0 && rpc_gives(request))
        return rpc_send_stream(rpc, request, &watch);
    if (r == 0 && rest)
        r = rpc_send(rpc, request->body, rest, &watch);
    return r;
}

static void word_copy(char word[RPC_WORD_MAX], const char *text)
{
    snprintf(word, RPC_WORD_MAX, "%s", text ? text : "");
}

static int rpc_take_head(const struct http_head *head, struct rpc_reply *reply)
{
    const char *retry_after = http_field_get(head, "Retry-After");
    const char *type = http_field_get(head, "Content-Type");

    free(reply->head);
    reply->head = http_head_copy(head);
    if (!reply->head)
        return -ENOMEM;
    reply->http = head->status;
    reply->retry_after = -1;
    if (retry_after
        && num_parse(retry_after, 0, INT32_MAX, &reply->retry_after)
               == -ERANGE)
        reply->retry_after = INT32_MAX;
    reply->replayed = http_field_get(head, "X-Replayed") != NULL;
    word_copy(reply->content_range, http_field_get(head, "Content-Range"));
    word_copy(reply->etag, http_field_get(head, "ETag"));
    reply->json = type && strncmp(type, "application/json", 16) == 0;
    buf_clear(&reply->body);
    reply->taken = 0;
    return 0;
}

/* The state of reading one answer. */
struct receipt {
    const char *id;
    struct rpc_reply *reply;
    struct watch *watch;
    bool complete;
    struct error *err;
};

/* Is there somebody who takes the body as it comes?  Not an error's. */
static bool receipt_takes(const struct receipt *receipt)
{
    const struct rpc_request *request = receipt->watch->request;

    return request->stream && request->stream->take && !receipt->reply->json;
}

static int on_head(struct rpc *rpc, struct receipt *receipt)
{
    const struct http_head *head = &rpc->msg.head;
    const char *id = http_field_get(head, "X-Request-ID");

    /* Whatever else comes is dropped. */
    receipt->reply->begun = id && strcmp(id, receipt->id) == 0
                            && head->status >= 200;
    if (!receipt->reply->begun)
        return 0;
    if (rpc_take_head(head, receipt->reply) < 0)
        return error_errno(receipt->err, -ENOMEM, "answer");
    if (strcmp(receipt->watch->request->method, "HEAD") == 0) {
        msg_no_body(&rpc->msg);
        return 0;
    }
    if (head->content_length > RESPONSE_MAX && !receipt_takes(receipt))
        return error_set(receipt->err, -EMSGSIZE,
                         "answer of %" PRId64 " bytes is too large",
                         head->content_length);
    if (receipt->watch->limit == DEADLINE_NEVER) {
        receipt->watch->ms = receipt->watch->request->rest_ms;
        receipt->watch->limit = limit_in(receipt->watch->ms);
    }
    receipt->watch->idle = false;
    return 0;
}

static int body_take(struct rpc *rpc, struct receipt *receipt)
{
    const struct rpc_body *stream = receipt->watch->request->stream;
    int r = stream->take(stream->context, receipt->reply, rpc->msg.piece,
                         rpc->msg.piece_len, receipt->err);

    receipt->reply->taken += (int64_t) rpc->msg.piece_len;
    return r;
}

static int on_body(struct rpc *rpc, struct receipt *receipt)
{
    int r = 0;

    if (!receipt->reply->begun)
        return 0;
    if (receipt_takes(receipt))
        return body_take(rpc, receipt);
    r = buf_append(&receipt->reply->body, rpc->msg.piece, rpc->msg.piece_len);
    if (r == -EMSGSIZE)
        return error_set(receipt->err, r, "answer is too large");
    return r < 0 ? error_errno(receipt->err, r, "answer") : 0;
}

static int on_end(struct rpc *rpc, struct receipt *receipt)
{
    msg_reset(&rpc->msg);
    receipt->complete = receipt->reply->begun;
    return 0;
}

/* The body was broken off: it is the guest's trouble, and not the line's. */
static int on_broken(const struct rpc *rpc, const struct receipt *receipt)
{
    error_set(receipt->err, -EIO, "the agent cannot read on: %s",
              rpc->msg.fault.detail);
    error_status(receipt->err, STATUS_FILE_OPERATION_FAILED);
    return -EIO;
}

static int on_garbage(struct rpc *rpc, struct receipt *receipt)
{
    if (rpc->msg.broken && receipt->reply->begun)
        return on_broken(rpc, receipt);
    return error_set(receipt->err, -EBADMSG, "answer is not HTTP: %s",
                     rpc->msg.fault.detail ? rpc->msg.fault.detail
                                           : "stray byte");
}

/* Between two messages it is the guest's word that it knows of none. */
static int on_reset(struct rpc *rpc, struct receipt *receipt)
{
    (void) rpc;
    return error_set(receipt->err, -ECONNRESET,
                     "another agent has the channel in the guest now");
}

static int on_more(struct rpc *rpc, struct receipt *receipt)
{
    (void) rpc;
    (void) receipt;
    return 0;
}

/* Looks at what was read, up to the end of the answer that is waited for. */
static int rpc_digest(struct rpc *rpc, struct receipt *receipt)
{
    static int (*const handlers[])(struct rpc *, struct receipt *) = {
        [MSG_NEED_MORE] = on_more, [MSG_HEAD] = on_head,
        [MSG_BODY] = on_body,      [MSG_END] = on_end,
        [MSG_RESET] = on_reset,    [MSG_FAULT] = on_garbage,
    };
    enum msg_event event;

    do {
        size_t used;
        int r;

        event = msg_feed(&rpc->msg, rpc->step + rpc->step_at,
                         rpc->step_len - rpc->step_at, &used);
        rpc->step_at += used;
        r = handlers[event](rpc, receipt);
        if (r < 0)
            return r;
    } while (!receipt->complete && event != MSG_NEED_MORE);
    return 0;
}

/* Somebody wants our attention. */
static int rpc_woken(const struct rpc_request *request, struct error *err)
{
    if (!request->woken)
        return rpc_lost(-ECANCELED, "", err);
    return request->woken(request->context, err);
}

static int rpc_read(struct rpc *rpc, struct watch *watch)
{
    int64_t since = clock_ms();
    int64_t got = rpc->transport->ops->read(rpc->transport, rpc->step, STEP,
                                            watch_deadline(watch));

    if (got == -ECANCELED)
        return rpc_woken(watch->request, watch->err);
    got = watch_judge(watch, got, since);
    if (got < 0)
        return watch_lost(watch, got, "waiting for the answer");
    rpc->step_at = 0;
    rpc->step_len = (size_t) got;
    return 0;
}

int rpc_take(struct rpc *rpc, const struct rpc_request *request,
             struct rpc_reply *reply, struct error *err)
{
    struct watch watch = watch_begin(request, request->read_ms, err);
    struct receipt receipt = {
        .id = request->id, .reply = reply, .watch = &watch, .err = err
    };
    int r = 0;

    watch.idle = true; /* signs of life buy no time */
    /* What came behind the last answer comes first. */
    while (r == 0 && !receipt.complete) {
        r = rpc->step_at < rpc->step_len ? 0 : rpc_read(rpc, &watch);
        if (r == 0)
            r = rpc_digest(rpc, &receipt);
        /* A flood of them never lets a read wait. */
        if (r == 0 && watch.idle && deadline_left(watch_end(&watch)) == 0)
            r = rpc_lost(-ETIMEDOUT, "waiting for the answer", err);
    }
    return r;
}

int rpc_new_id(char id[RPC_ID_SIZE])
{
    return crypto_random_hex(id, ID_BYTES);
}

void rpc_set_wake(struct rpc *rpc, int wake_fd)
{
    rpc->wake_fd = wake_fd;
    if (rpc->transport)
        rpc->transport->wake_fd = wake_fd;
}

int rpc_post(struct rpc *rpc, const struct rpc_request *request, bool *sent,
             struct error *err)
{
    int r;

    *sent = false;
    if (!rpc->step)
        rpc->step = malloc(STEP);
    if (!rpc->give_step && rpc_gives(request))
        rpc->give_step = malloc(STEP);
    if (!rpc->step || (!rpc->give_step && rpc_gives(request)))
        return error_errno(err, -ENOMEM, "buffers");
    r = rpc_send_request(rpc, request, err);
    *sent = r == 0;
    return r;
}

int rpc_call(struct rpc *rpc, const struct rpc_request *request,
             struct rpc_reply *reply, bool *sent, struct error *err)
{
    struct rpc_request own = *request;
    char id[RPC_ID_SIZE];
    int r;

    *sent = false;
    if (!own.id) {
        r = rpc_new_id(id);
        if (r < 0)
            return error_errno(err, r, "random numbers");
        own.id = id;
    }
    r = rpc_post(rpc, &own, sent, err);
    return r < 0 ? r : rpc_take(rpc, &own, reply, err);
}
