/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A whole agent in memory: bytes go straight into its session and come
 * straight out of it, so that a test says where each of them ends.
 */
#ifndef VSRPC_TESTS_RIG_H
#define VSRPC_TESTS_RIG_H

#include <json-c/json.h>

#include "guest/agent.h"
#include "util/buf.h"

struct rig {
    struct agent agent;
    char *dir;      /* the allowed folder, really there */
    int peer;       /* keeps the agent's own port open; nothing goes here */
    struct buf got; /* what the agent has sent so far */
};

/* One answer out of what was sent. */
struct rig_answer {
    int http;
    int code;      /* of the envelope; -1: there is none */
    char id[80];   /* X-Request-ID */
    bool replayed; /* X-Replayed: 1 */
    char *body;    /* to be freed */
    size_t body_len;
    struct json_object *data; /* to be put; NULL: none */
    struct http_head *head;   /* to be freed */
};

/* Starts an agent with every command allowed and no rate limit; change
 * may set more (NULL: nothing). */
void rig_start(struct rig *rig, void (*change)(struct settings *settings));
void rig_stop(struct rig *rig);

/* The client sends. */
void rig_feed(struct rig *rig, const void *bytes, size_t n);
void rig_puts(struct rig *rig, const char *text);

/* Turns the loop until the session has answered; fails the test when it
 * does not. */
void rig_wait(struct rig *rig);

/* Takes what the agent has to send, also when that is nothing. */
void rig_collect(struct rig *rig);

/* Takes the next answer out of what was sent (after rig_wait() or
 * rig_collect()); fails the test when there is none or it is broken. */
void rig_answer(struct rig *rig, struct rig_answer *answer);
void rig_answer_free(struct rig_answer *answer);

/* rig_wait(), and the answer has this HTTP status and business code (-1:
 * none) and nothing is behind it. */
void rig_expect(struct rig *rig, int http, int code);

/* The agent comes to a client that was there before, and says just that. */
void rig_come(struct rig *rig);

/* Nothing was sent, and the session does not think of an answer either. */
void rig_expect_silence(struct rig *rig);

/* A request as text, to be freed: "POST TARGET", with a JSON body unless that
 * is NULL.  Without an id: it ends with its client. */
char *rig_request(const char *line, const char *body);

/* The same with fields, each with its CRLF. */
char *rig_request_with(const char *line, const char *fields, const char *body);

#endif
