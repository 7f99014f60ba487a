/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/rpc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auth.h"
#include "proto/limits.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/num.h"

/* One read: the kernel hands over at most what a socket buffer holds. */
#define STEP (256 * 1024)

/* The same while looking for the answer to a sync, which is small. */
#define SYNC_STEP (16 * 1024)

/* Slowest stream that is not called stalled: every 64 KiB buy one second
 * more.  A guest that trickles cannot hold us for ever. */
#define PACE_BYTES_PER_MS 64

#define ID_BYTES 16 /* of a request id: as many as a UUID has */

void rpc_init(struct rpc *rpc)
{
    *rpc = (struct rpc) { 0 };
    msg_init(&rpc->msg, HTTP_RESPONSE);
}

void rpc_close(struct rpc *rpc)
{
    if (rpc->transport)
        rpc->transport->ops->close(rpc->transport);
    rpc->transport = NULL;
    msg_reset(&rpc->msg);
}

void rpc_free(struct rpc *rpc)
{
    rpc_close(rpc);
    msg_free(&rpc->msg);
    free(rpc->step);
    rpc->step = NULL;
}

void rpc_reply_init(struct rpc_reply *reply)
{
    *reply = (struct rpc_reply) { .retry_after = -1 };
    buf_init(&reply->body, RESPONSE_MAX);
}

void rpc_reply_free(struct rpc_reply *reply)
{
    buf_free(&reply->body);
}

/* A deadline that moves with the bytes that got through. */
static int64_t pace(int64_t start, size_t bytes)
{
    if (start == DEADLINE_NEVER)
        return start;
    return start + (int64_t) (bytes / PACE_BYTES_PER_MS);
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
    return error_errno(err, (int) code, "%s", doing);
}

static int rpc_send(struct rpc *rpc, const void *bytes, size_t n,
                    int64_t limit, bool *sent, struct error *err)
{
    const uint8_t *p = bytes;
    size_t done = 0;

    while (done < n) {
        int64_t wrote = rpc->transport->ops->write(
            rpc->transport, p + done, n - done, pace(limit, done));

        if (wrote <= 0)
            return rpc_lost(wrote, "sending the request", err);
        *sent = true;
        done += (size_t) wrote;
    }
    return 0;
}

/* The signature's fields, when there is a key. */
static int rpc_sign(const struct rpc *rpc, const struct rpc_request *request,
                    const char *timestamp, struct buf *head)
{
    char nonce[2 * ID_BYTES + 1];
    char sha256[DIGEST_HEX_MAX];
    char token[DIGEST_HEX_MAX];
    struct auth_parts parts = { .method = request->method,
                                .target = request->target,
                                .timestamp = timestamp,
                                .nonce = nonce,
                                .body_sha256 = sha256,
                                .boot_id = rpc->peer.boot_id };
    int r = crypto_random_hex(nonce, ID_BYTES);

    if (r == 0)
        r = digest_bytes(DIGEST_SHA256, request->body, request->body_len,
                         sha256);
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

static int rpc_write_head(const struct rpc *rpc,
                          const struct rpc_request *request, const char *id,
                          struct buf *head)
{
    char timestamp[24];
    int r = http_write_request(head, request->method, request->target);

    snprintf(timestamp, sizeof(timestamp), "%" PRId64,
             clock_wall() + rpc->peer.clock_ahead);
    if (r == 0)
        r = http_write_field(head, "X-Request-ID", "%s", id);
    if (r == 0)
        r = http_write_field(head, "X-Timestamp", "%s", timestamp);
    if (r == 0 && request->content_type)
        r = http_write_field(head, "Content-Type", "%s",
                             request->content_type);
    if (r == 0 && request->content_type)
        r = http_write_field(head, "Content-Length", "%zu",
                             request->body_len);
    if (r == 0 && request->range_field)
        r = http_write_field(head, request->range_field, "%s",
                             request->range);
    if (r == 0 && rpc->key)
        r = rpc_sign(rpc, request, timestamp, head);
    if (r == 0)
        r = http_write_end(head);
    return r;
}

static int rpc_send_request(struct rpc *rpc, const struct rpc_request *request,
                            const char *id, bool *sent, struct error *err)
{
    int64_t limit = limit_in(request->write_ms);
    size_t rest = request->body_len;
    struct buf head;
    int r;

    buf_init(&head, HTTP_HEAD_MAX);
    r = rpc_write_head(rpc, request, id, &head);
    if (r == -EMSGSIZE)
        error_set(err, r, "request head too large (a very long path?)");
    else if (r < 0)
        error_errno(err, r, "request");
    /* A small body travels with its head: the guest wakes up once. */
    if (r == 0 && request->body_len <= buf_room(&head)) {
        r = buf_append(&head, request->body, request->body_len);
        rest = 0;
    }
    if (r == 0)
        r = rpc_send(rpc, buf_data(&head), head.len, limit, sent, err);
    buf_free(&head);
    if (r == 0 && rest)
        r = rpc_send(rpc, request->body, rest, limit, sent, err);
    return r;
}

static void word_copy(char word[RPC_WORD_MAX], const char *text)
{
    snprintf(word, RPC_WORD_MAX, "%s", text ? text : "");
}

static void rpc_take_head(const struct http_head *head,
                          struct rpc_reply *reply)
{
    const char *retry_after = http_field_get(head, "Retry-After");
    const char *type = http_field_get(head, "Content-Type");

    reply->http = head->status;
    reply->retry_after = -1;
    if (retry_after)
        num_parse(retry_after, 0, INT32_MAX, &reply->retry_after);
    word_copy(reply->content_range, http_field_get(head, "Content-Range"));
    word_copy(reply->etag, http_field_get(head, "ETag"));
    reply->json = type && strncmp(type, "application/json", 16) == 0;
    buf_clear(&reply->body);
}

/* The state of reading one answer. */
struct receipt {
    const char *id;
    struct rpc_reply *reply;
    bool ours; /* the message being read; others are dropped */
    bool complete;
    struct error *err;
};

static int on_head(struct rpc *rpc, struct receipt *receipt)
{
    const struct http_head *head = &rpc->msg.head;
    const char *id = http_field_get(head, "X-Request-ID");

    receipt->ours = id && strcmp(id, receipt->id) == 0 && head->status >= 200;
    if (!receipt->ours)
        return 0;
    if (head->content_length > RESPONSE_MAX)
        return error_set(receipt->err, -EMSGSIZE,
                         "answer of %" PRId64 " bytes is too large",
                         head->content_length);
    rpc_take_head(head, receipt->reply);
    return 0;
}

static int on_body(struct rpc *rpc, struct receipt *receipt)
{
    int r = 0;

    if (receipt->ours)
        r = buf_append(&receipt->reply->body, rpc->msg.piece,
                       rpc->msg.piece_len);
    if (r == -EMSGSIZE)
        return error_set(receipt->err, r, "answer is too large");
    return r < 0 ? error_errno(receipt->err, r, "answer") : 0;
}

static int on_end(struct rpc *rpc, struct receipt *receipt)
{
    msg_reset(&rpc->msg);
    receipt->complete = receipt->ours;
    return 0;
}

static int on_garbage(struct rpc *rpc, struct receipt *receipt)
{
    return error_set(receipt->err, -EBADMSG, "answer is not HTTP: %s",
                     rpc->msg.fault.detail ? rpc->msg.fault.detail
                                           : "stray byte");
}

static int on_more(struct rpc *rpc, struct receipt *receipt)
{
    (void) rpc;
    (void) receipt;
    return 0;
}

static int rpc_digest(struct rpc *rpc, size_t n, struct receipt *receipt)
{
    static int (*const handlers[])(struct rpc *, struct receipt *) = {
        [MSG_NEED_MORE] = on_more,     [MSG_HEAD] = on_head,
        [MSG_BODY] = on_body,     [MSG_END] = on_end,
        [MSG_RESET] = on_garbage, [MSG_FAULT] = on_garbage,
    };
    size_t at = 0;
    enum msg_event event;

    do {
        size_t used;
        int r;

        event = msg_feed(&rpc->msg, rpc->step + at, n - at, &used);
        at += used;
        r = handlers[event](rpc, receipt);
        if (r < 0)
            return r;
    } while (!receipt->complete && event != MSG_NEED_MORE);
    return 0;
}

static int rpc_receive(struct rpc *rpc, const struct rpc_request *request,
                       struct receipt *receipt)
{
    int64_t limit = limit_in(request->read_ms);
    size_t seen = 0;

    while (!receipt->complete) {
        int64_t got = rpc->transport->ops->read(rpc->transport, rpc->step,
                                                STEP, pace(limit, seen));
        int r;

        if (got <= 0)
            return rpc_lost(got, "waiting for the answer", receipt->err);
        seen += (size_t) got;
        r = rpc_digest(rpc, (size_t) got, receipt);
        if (r < 0)
            return r;
    }
    return 0;
}

int rpc_call(struct rpc *rpc, const struct rpc_request *request,
             struct rpc_reply *reply, bool *sent, struct error *err)
{
    char id[2 * ID_BYTES + 1];
    struct receipt receipt = { .id = id, .reply = reply, .err = err };
    int r = crypto_random_hex(id, ID_BYTES);

    *sent = false;
    if (r < 0)
        return error_errno(err, r, "random numbers");
    if (!rpc->step)
        rpc->step = malloc(STEP);
    if (!rpc->step)
        return error_errno(err, -ENOMEM, "receive buffer");
    msg_reset(&rpc->msg);
    r = rpc_send_request(rpc, request, id, sent, err);
    return r < 0 ? r : rpc_receive(rpc, request, &receipt);
}

/* One run of the machine of proto/hello.h. */
struct opening {
    struct rpc *rpc;
    const struct rpc_dialer *dialer;
    struct error *err;
    struct hello hello;
};

/* What a transport gave back instead of bytes.  Return: 0 when another
 * connection may do better. */
static int opening_lost(struct opening *opening, int64_t code)
{
    if (code == -ECANCELED || code == -ENOMEM)
        return error_errno(opening->err, (int) code, "sync");
    hello_lost(&opening->hello, clock_ms());
    return 0;
}

static int opening_send(struct opening *opening, const struct buf *request)
{
    struct transport *transport = opening->rpc->transport;
    size_t done = 0;

    while (done < request->len) {
        int64_t wrote = transport->ops->write(
            transport, buf_data(request) + done, request->len - done,
            opening->hello.until);

        if (wrote <= 0)
            return opening_lost(opening, wrote);
        done += (size_t) wrote;
    }
    return 0;
}

static int opening_connect(struct opening *opening)
{
    const struct rpc_dialer *dialer = opening->dialer;
    struct hello *hello = &opening->hello;
    struct rpc *rpc = opening->rpc;
    char id[2 * ID_BYTES + 1];
    struct buf request;
    int r = crypto_random_hex(id, ID_BYTES);

    if (r < 0)
        return error_errno(opening->err, r, "random numbers");
    r = dialer->dial(dialer->context, hello->limit, &rpc->transport,
                     opening->err);
    if (r < 0)
        return r;
    buf_init(&request, HTTP_HEAD_MAX);
    r = hello_connected(hello, id, clock_ms(), clock_wall(), &request);
    r = r < 0 ? error_errno(opening->err, r, "sync")
              : opening_send(opening, &request);
    buf_free(&request);
    return r;
}

static int opening_listen(struct opening *opening)
{
    struct transport *transport = opening->rpc->transport;
    uint8_t step[SYNC_STEP];
    int64_t got = transport->ops->read(transport, step, sizeof(step),
                                       opening->hello.until);
    int r;

    if (got <= 0)
        return opening_lost(opening, got);
    r = hello_feed(&opening->hello, step, (size_t) got, clock_ms());
    return r < 0 ? error_errno(opening->err, r, "sync") : 0;
}

static int opening_wait(struct opening *opening)
{
    struct hello *hello = &opening->hello;

    rpc_close(opening->rpc);
    clock_sleep_ms(hello->until - clock_ms());
    hello_tick(hello, clock_ms());
    return 0;
}

int rpc_open(struct rpc *rpc, const struct rpc_dialer *dialer,
             int64_t connect_ms, struct error *err)
{
    static int (*const steps[])(struct opening *) = {
        [HELLO_CONNECT] = opening_connect,
        [HELLO_SYNC] = opening_listen,
        [HELLO_WAIT] = opening_wait,
    };
    struct opening opening = { .rpc = rpc, .dialer = dialer, .err = err };
    struct hello *hello = &opening.hello;
    int r = 0;

    hello_init(hello, deadline_in(connect_ms));
    while (r == 0 && hello->state != HELLO_READY
           && hello->state != HELLO_GIVE_UP)
        r = steps[hello->state](&opening);
    if (r == 0 && hello->state == HELLO_GIVE_UP)
        r = error_set(err, -EHOSTDOWN, "the agent does not answer");
    if (r < 0)
        rpc_close(rpc);
    else
        rpc->peer = hello->peer;
    hello_free(hello);
    return r;
}
