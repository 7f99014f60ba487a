/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Exactly once: a request that comes again under its X-Request-ID is answered
 * from the replay cache, or waits for the first to end, and never runs twice.
 *
 * A request is remembered from the moment before it runs.  Whatever it is
 * answered from there on is kept, errors too: it may have begun.  What was
 * refused before (route, size, signature, rate limit, session) and what had to
 * wait for a slot did nothing, is not remembered, and may come again.
 */
#ifndef VSRPC_GUEST_REQUEST_REPLAY_H
#define VSRPC_GUEST_REQUEST_REPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/request/replay_cache.h"
#include "guest/request/request.h"

/* Is it a request to be remembered: with an id, and one that changes
 * something? */
bool replay_applies(const struct request *request);

/*
 * Looks a request up when its head has come; recalled is set when it will not
 * run for all that is known then.
 *
 * Return: true when it goes on, false when it has been answered.
 */
bool replay_look(struct request *request);

/*
 * The whole request is there and may run: notes that it does.
 *
 * Return: true when it has to be run; false when it has been answered from the
 * cache, or will be.
 */
bool replay_begin(struct request *request);

/*
 * How a wait ended: entry says what is known, and is valid during the call.
 * outcome is the fresh answer, or NULL when there is none.
 */
typedef void replay_over(struct request *request,
                         const struct replay_entry *entry,
                         const struct outcome *outcome);

/*
 * Waits until the request behind a running entry has ended, or patience_ms (0:
 * for ever) are over.
 *
 * Return: true when over will be called; false when the request has been
 * answered.
 */
bool replay_wait(struct request *request, struct replay_entry *entry,
                 int64_t patience_ms, replay_over *over);

#endif
