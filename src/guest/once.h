/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Exactly once: a request that comes again under its X-Request-ID is answered
 * from the memory, or waits for the first to end, and never runs twice.
 *
 * A request is remembered from the moment before it runs.  Whatever it is
 * answered from there on is kept, errors too: it may have begun.  What was
 * refused before (route, size, signature, rate limit, session) and what had to
 * wait for a place did nothing, is not remembered, and may come again.
 */
#ifndef VSRPC_GUEST_ONCE_H
#define VSRPC_GUEST_ONCE_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/memory.h"
#include "guest/request.h"

/* An answer as it is made. */
struct outcome {
    int http;
    int code;
    const char *text; /* the body, owned by root; NULL: no memory */
    size_t n; /* its bytes; above MEMORY_ANSWER_MAX not all are in text */
    struct json_object *root;
    struct json_object *data; /* part of root; may be NULL */
};

/* Is it a request to be remembered: with an id, and one that changes
 * something? */
bool once_applies(const struct request *request);

/*
 * Looks a request up when its head has come; recalled is set when it will not
 * run for all that is known then.
 *
 * Return: true when it goes on, false when it has been answered.
 */
bool once_look(struct request *request);

/*
 * The whole request is there and may run: notes that it does.
 *
 * Return: true when it has to be run; false when it has been answered from the
 * memory, or will be.
 */
bool once_begin(struct request *request);

/* Remembers the answer to a request that was noted; others are let by. */
void once_answered(struct request *request, const struct outcome *outcome);

/* A request that was noted is freed: without an answer nobody knows what
 * became of it. */
void once_dropped(struct request *request);

/*
 * How a wait ended: entry says what is known, and is valid during the call.
 * outcome is the fresh answer, or NULL when there is none.
 */
typedef void once_over(struct request *request,
                       const struct memory_entry *entry,
                       const struct outcome *outcome);

/*
 * Waits until the request behind a running entry has ended, or patience_ms (0:
 * for ever) are over.
 *
 * Return: true when over will be called; false when the request has been
 * answered.
 */
bool once_wait(struct request *request, struct memory_entry *entry,
               int64_t patience_ms, once_over *over);

#endif
