/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The session: drives the machine of proto/server.h, which has the rules, with
 * what that has not: the request, the output, the timers and the log.  No
 * descriptor in here: the port feeds it and fetches from it.
 */
#ifndef VSRPC_GUEST_PORT_SESSION_H
#define VSRPC_GUEST_PORT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/core/loop.h"
#include "guest/request/request.h"
#include "proto/server.h"

struct context;

struct session {
    struct context *context;
    struct server server;
    struct request *request; /* NULL: none */
    struct buf out;          /* what is to be sent, but for large bodies */
    size_t passed;           /* of it, from before this request */
    struct loop_timer deadline;
    struct loop_timer heartbeat; /* only while a request that asked for it is
                                  * worked on */
};

void session_init(struct session *session, struct context *context);
void session_free(struct session *session);

/* Somebody is on the other side; fresh: since now, so that the first byte is
 * the first of a request. */
void session_connected(struct session *session, bool fresh);

/* The other side has left: the session ends, and what it has not handed on. */
void session_hangup(struct session *session);

/*
 * Begins a session for whoever syncs, with a new random token.
 *
 * Return: the token, valid until the session ends; NULL without randomness.
 */
const char *session_handshake(struct session *session);

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
