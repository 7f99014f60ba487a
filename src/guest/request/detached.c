/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The list of detached requests, each with the timer of its grace; past a
 * limit the oldest is ended.  One that was answered is freed from the loop,
 * because its handler still uses it.
 */
#include <config.h>

#include "guest/request/detached.h"

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/request/request.h"
#include "util/log.h"

/* Those that were asked to end and have not yet (a command may ignore TERM for
 * two seconds) come on top, up to as many again. */
#define DETACHED_ALL_MAX (2 * DETACHED_MAX)

static void detached_drop(struct request *request)
{
    struct request **at = &request->context->detached->first;

    while (*at != request)
        at = &(*at)->next_detached;
    *at = request->next_detached;
    loop_timer_stop(request->context->loop, &request->grace);
    request_free(request);
}

static void drop_later(void *arg)
{
    detached_drop(arg);
}

static void grace_over(void *arg)
{
    detached_end(arg);
}

static void timer_start(struct request *request, void (*expired)(void *arg),
                        int64_t ms)
{
    request->grace.expired = expired;
    request->grace.arg = request;
    loop_timer_start(request->context->loop, &request->grace, ms);
}

/* Its answer is in the replay cache.  Freed from the loop, because whoever
 * answered is still at work on it. */
static void detached_answered(void *arg)
{
    timer_start(arg, drop_later, 0);
}

static bool lives(const struct request *request)
{
    return !request->answered && !request->ending;
}

/* Makes room: asks the oldest to end, and does not wait for those who take
 * their time over it. */
static void detached_limit(struct detached_requests *detached)
{
    struct request *oldest = NULL;
    size_t living = 0;
    size_t all = 0;

    for (struct request *at = detached->first; at; at = at->next_detached) {
        all++;
        if (!lives(at))
            continue;
        living++;
        oldest = oldest ? oldest : at;
    }
    if (all > DETACHED_ALL_MAX)
        detached_drop(detached->first);
    else if (living > DETACHED_MAX)
        detached_end(oldest);
}

/* Takes over a request that has an entry in the replay cache.  When there are
 * too many detached the oldest is ended for it. */
static void detached_add(struct context *context, struct request *request)
{
    struct request **at = &context->detached->first;

    while (*at)
        at = &(*at)->next_detached;
    *at = request;
    request->detached = true;
    request->ready = detached_answered;
    request->ready_arg = request;
    request_give_slot(request);
    log_info(context->log, "id=%s goes on without its client", request->id);
    timer_start(request, grace_over, context->grace_ms);
    detached_limit(context->detached);
}

/* What only waits has nothing to go on with: its answer is remembered. */
static void request_urge(struct request *request)
{
    request->ready = NULL;
    request->urge(request->work);
    request_free(request);
}

void detached_take(struct request *request)
{
    if (request->urge)
        request_urge(request);
    else if (request->entry)
        detached_add(request->context, request);
    else
        request_free(request);
}

void detached_end(struct request *request)
{
    if (!lives(request))
        return;
    log_info(request->context->log, "id=%s is ended, its client is gone",
             request->id);
    if (!request->end) {
        detached_drop(request);
        return;
    }
    request->ending = true;
    loop_timer_stop(request->context->loop, &request->grace);
    request->end(request->work);
}

void detached_hold(struct request *request)
{
    if (lives(request))
        loop_timer_stop(request->context->loop, &request->grace);
}

void detached_release(struct request *request)
{
    if (lives(request))
        timer_start(request, grace_over, request->context->grace_ms);
}

void detached_free(struct detached_requests *detached)
{
    while (detached->first)
        detached_drop(detached->first);
}
