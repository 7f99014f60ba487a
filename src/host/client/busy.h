/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* An agent that is too busy for a request (5002: its rate limit, say): how
 * long it is waited for, and what the user hears of that. */
#ifndef VSRPC_HOST_CLIENT_BUSY_H
#define VSRPC_HOST_CLIENT_BUSY_H

#include <stdint.h>

#include "host/client/answer.h"
#include "host/client/client.h"

/* So long (ms) is waited without a word. */
#define BUSY_SILENT_MS 1000

/* The seconds, rounded up, that an answer asks for: in Retry-After, or else in
 * data.retry_after.  The guest is not trusted: what is no time is none, and
 * what is very long is INT32_MAX.  Return: them; -1: none. */
int64_t busy_seconds(const struct answer *answer);

/* Tells, once for a client, that its agent is waited for so long (ms). */
void busy_tell(struct client *client, const struct answer *answer, int64_t ms);

/* Adds to the error of an answer for which nobody waited why not, and what to
 * do; err may be NULL. */
void busy_explain(const struct client *client, const struct answer *answer,
                  struct error *err);

#endif
