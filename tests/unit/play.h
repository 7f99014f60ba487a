/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A driver of few words for the agent's machine (proto/server.h).  It writes
 * down what the machine says, holds that against what it knows of the request,
 * and does what words in the request's target ask for:
 *
 *   early   it is answered at its head
 *   stay    it is not answered when it is whole, only when it is urged
 *   deaf    nor then
 *   unsent  its answer is not sent
 *   slow    nor is it when the next request has begun
 *
 * Any other is answered when it is whole, and the answer is sent.
 */
#ifndef VSRPC_TESTS_PLAY_H
#define VSRPC_TESTS_PLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/server.h"
#include "util/buf.h"

#define HOST " HTTP/1.1\r\nHost: v\r\n"
#define PING "GET /api/v1/ping" HOST "\r\n"
#define SYNC "GET /api/v1/sync?id=abc" HOST "\r\n"
#define MARK "\xFF"
#define EXPECT "Expect: 100-continue\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

#define POST(query, n) \
    "POST /api/v1/shell/exec" query HOST "Content-Length: " n "\r\n\r\n"
#define PUT(query, n) \
    "PUT /api/v1/file/content" query HOST "Content-Length: " n "\r\n\r\n"

struct play {
    struct server server;
    struct buf said;
    struct buf body;
    char target[HTTP_TARGET_MAX + 1];
    bool begun;    /* there is a request */
    bool answered; /* and it has its answer */
    int n_ends;
};

/* token: of the session that runs; NULL: none does. */
void play_init(struct play *play, const char *token);
void play_free(struct play *play);

/* Does what an event asks for. */
void play_event(struct play *play, enum server_event event);

/* Feeds bytes, at once or in pieces. */
void play_feed(struct play *play, const char *text, size_t n);
void play_steps(struct play *play, const char *text, size_t n, size_t step);

/* The deadline has passed, if there is one. */
void play_stall(struct play *play);

/* The whole output is sent. */
void play_send(struct play *play);

/* What has to hold whenever the machine wants more. */
void play_check_rest(const struct play *play);

/* The machine has said this since the last time. */
void play_expect(struct play *play, const char *words);

/* A new client, whose bytes follow the old one's: of both only the sync is
 * carried out.  Return: was it? */
bool play_sync_comes(struct play *play, size_t step);

/* A ping is carried out. */
void play_expect_ping(struct play *play);

/* What the machine says to some bytes, and its state then. */
struct play_rule {
    const char *name;
    const char *text;
    size_t n;
    const char *said;
    enum session_state state;
};

/* Checks it with the bytes whole, in pieces, and cut in two anywhere. */
void play_check(const struct play_rule *rule, const char *token);

#endif
