/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the host writes: the handshake's first words, and a request's head. */
#include <config.h>

#include "host/link/rpc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/link/handshake.h"
#include "proto/auth.h"
#include "proto/limits.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "rpc-sent";

/* A transport that keeps what is written and has nothing to read. */
struct tape {
    struct transport base;
    struct buf bytes;
};

static int64_t tape_read(struct transport *transport, void *bytes, size_t n,
                         int64_t deadline)
{
    (void) transport;
    (void) bytes;
    (void) n;
    (void) deadline;
    return 0;
}

static int64_t tape_write(struct transport *transport, const void *bytes,
                          size_t n, int64_t deadline)
{
    struct tape *tape = (struct tape *) transport;

    (void) deadline;
    n = n < 10 ? n : 10;
    return buf_append(&tape->bytes, bytes, n) < 0 ? -ENOMEM : (int64_t) n;
}

static void tape_close(struct transport *transport)
{
    (void) transport;
}

static const struct transport_ops tape_ops = { tape_read, tape_write,
                                               tape_close };

static const char *field(const struct http_head *head, const char *name)
{
    const char *value = http_field_get(head, name);

    ck_assert_msg(value != NULL, "no %s", name);
    return value;
}

/* The agent's own parser reads it, and the signature is right. */
START_TEST(signed_request)
{
    static const char secret[] = "0123456789abcdef";
    struct tape tape = { .base.ops = &tape_ops };
    const struct rpc_request request = {
        .method = "PUT",
        .target = "/api/v1/x?a=b",
        .content_type = "application/octet-stream",
        .body = "a\xFFz",
        .body_len = 3,
        .range_field = "Content-Range",
        .range = "bytes 0-2/3",
        .read_ms = 1000,
        .write_ms = 1000,
    };
    struct rpc rpc;
    struct buf key;
    struct rpc_reply reply;
    struct msg msg;
    char digest[DIGEST_HEX_MAX];
    char token[DIGEST_HEX_MAX];
    struct auth_parts parts = { .method = "PUT",
                                .target = request.target,
                                .body_sha256 = digest,
                                .boot_id = "the-boot",
                                .session = "the-session" };
    size_t used;
    bool sent;

    buf_init(&tape.bytes, 65536);
    buf_init(&key, 100);
    buf_puts(&key, secret);
    rpc_init(&rpc);
    rpc.transport = &tape.base;
    rpc.key = &key;
    rpc.peer.clock_ahead = -5000;
    snprintf(rpc.peer.boot_id, sizeof(rpc.peer.boot_id), "the-boot");
    snprintf(rpc.peer.session, sizeof(rpc.peer.session), "the-session");
    rpc_reply_init(&reply);
    ck_assert_int_eq(rpc_call(&rpc, &request, &reply, &sent, NULL),
                     -ECONNRESET);
    msg_init(&msg, HTTP_REQUEST);
    ck_assert_int_eq(
        msg_feed(&msg, buf_data(&tape.bytes), tape.bytes.len, &used),
        MSG_HEAD);
    ck_assert_str_eq(msg.head.target, request.target);
    ck_assert_int_eq(msg.head.content_length, 3);
    ck_assert_mem_eq(buf_data(&tape.bytes) + used, "a\xFFz", 3);
    ck_assert_uint_eq(tape.bytes.len, used + 3);
    ck_assert_str_eq(field(&msg.head, "Content-Range"), "bytes 0-2/3");
    ck_assert_uint_eq(strlen(field(&msg.head, "X-Request-ID")), 32);
    ck_assert_int_eq(digest_bytes(DIGEST_SHA256, "a\xFFz", 3, digest), 0);
    ck_assert_str_eq(field(&msg.head, "X-Content-SHA256"), digest);
    ck_assert_str_eq(field(&msg.head, "X-Session"), "the-session");
    parts.timestamp = field(&msg.head, "X-Timestamp");
    parts.nonce = field(&msg.head, "X-Nonce");
    ck_assert(llabs(atoll(parts.timestamp) - (clock_wall() - 5000)) <= 2);
    ck_assert_int_eq(auth_token(secret, 16, &parts, token), 0);
    ck_assert_str_eq(field(&msg.head, "X-Auth-Token"), token);
    msg_free(&msg);
    rpc_reply_free(&reply);
    rpc_free(&rpc);
    buf_free(&key);
    buf_free(&tape.bytes);
}
END_TEST

/* A head of a request that is sent to such a peer at such an age. */
static void head_for(const struct handshake_peer *peer, int64_t age_ms,
                     struct buf *bytes, struct msg *msg)
{
    struct tape tape = { .base.ops = &tape_ops };
    const struct rpc_request request = { .method = "POST",
                                         .target = "/x",
                                         .id = "an-id",
                                         .age_ms = age_ms,
                                         .read_ms = 1000 };
    struct rpc_reply reply;
    struct rpc rpc;
    size_t used;
    bool sent;

    buf_init(&tape.bytes, 65536);
    rpc_init(&rpc);
    rpc_reply_init(&reply);
    rpc.transport = &tape.base;
    rpc.peer = *peer;
    ck_assert_int_eq(rpc_call(&rpc, &request, &reply, &sent, NULL),
                     -ECONNRESET);
    ck_assert(sent);
    msg_init(msg, HTTP_REQUEST);
    ck_assert_int_eq(
        msg_feed(msg, buf_data(&tape.bytes), tape.bytes.len, &used), MSG_HEAD);
    *bytes = tape.bytes;
    rpc_reply_free(&reply);
    rpc_free(&rpc);
}

START_TEST(session_fields)
{
    static const struct handshake_peer old = { .boot_id = "b" };
    static const struct handshake_peer peer = { .session = "token",
                                                .instance = "i",
                                                .heartbeat = true };
    struct buf bytes;
    struct msg msg;

    head_for(&old, 0, &bytes, &msg);
    ck_assert_ptr_null(http_field_get(&msg.head, "X-Session"));
    ck_assert_ptr_null(http_field_get(&msg.head, "X-Heartbeat"));
    ck_assert_ptr_null(http_field_get(&msg.head, "X-Request-Age"));
    ck_assert_str_eq(field(&msg.head, "X-Request-ID"), "an-id");
    msg_free(&msg);
    buf_free(&bytes);
    head_for(&peer, 7, &bytes, &msg);
    ck_assert_str_eq(field(&msg.head, "X-Session"), "token");
    ck_assert_str_eq(field(&msg.head, "X-Heartbeat"), "2");
    ck_assert_str_eq(field(&msg.head, "X-Request-Age"), "7");
    msg_free(&msg);
    buf_free(&bytes);
}
END_TEST

/* Gives one transport, and no second one. */
static int dial_once(void *context, int64_t deadline,
                     struct transport **transport, struct error *err)
{
    struct transport **only = context;

    (void) deadline;
    if (!*only)
        return error_set(err, -ENXIO, "no second try");
    *transport = steal_ptr(only);
    return 0;
}

/* Opens over it.  Return: as rpc_open(). */
static int open_over(struct rpc *rpc, struct transport *transport)
{
    const struct rpc_dialer dialer = { .dial = dial_once,
                                       .context = &transport };

    return rpc_open(rpc, &dialer, 20000, NULL);
}

/* The marker comes first, and the id is another one each time. */
START_TEST(first_words)
{
    char ids[2][80];

    for (int i = 0; i < 2; i++) {
        struct tape tape = { .base.ops = &tape_ops };
        const uint8_t *first;
        struct rpc rpc;
        struct msg msg;
        size_t used;

        buf_init(&tape.bytes, 65536);
        rpc_init(&rpc);
        ck_assert_int_eq(open_over(&rpc, &tape.base), -ECONNRESET);
        rpc_free(&rpc);
        first = buf_data(&tape.bytes);
        ck_assert_msg(first && *first == RESET_BYTE, "no marker");
        buf_consume(&tape.bytes, 1);
        msg_init(&msg, HTTP_REQUEST);
        ck_assert_int_eq(
            msg_feed(&msg, buf_data(&tape.bytes), tape.bytes.len, &used),
            MSG_HEAD);
        ck_assert_uint_eq(used, tape.bytes.len);
        snprintf(ids[i], sizeof(ids[i]), "%s",
                 field(&msg.head, "X-Request-ID"));
        ck_assert_uint_eq(strlen(ids[i]), 32);
        ck_assert_str_eq(msg.head.target + strlen("/api/v1/sync?id="), ids[i]);
        msg_free(&msg);
        buf_free(&tape.bytes);
    }
    ck_assert_str_ne(ids[0], ids[1]);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, signed_request);
    tcase_add_test(tcase, session_fields);
    tcase_add_test(tcase, first_words);
}
