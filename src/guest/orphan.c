/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/orphan.h"

#include "guest/agent.h"
#include "guest/request.h"

/* Those that were asked to end and have not yet (a command may ignore TERM for
 * two seconds) come on top, up to as many again. */
#define ORPHANS_ALL_MAX (2 * ORPHANS_MAX)

static void orphan_free(struct request *request)
{
    struct request **at = &request->agent->orphans.first;

    while (*at != request)
        at = &(*at)->next_orphan;
    *at = request->next_orphan;
    loop_timer_stop(&request->agent->loop, &request->grace);
    request_free(request);
}

static void bury(void *arg)
{
    orphan_free(arg);
}

static void grace_over(void *arg)
{
    orphan_end(arg);
}

static void timer_start(struct request *request, void (*expired)(void *arg),
                        int64_t ms)
{
    request->grace.expired = expired;
    request->grace.arg = request;
    loop_timer_start(&request->agent->loop, &request->grace, ms);
}

/* Its answer is in the memory.  Freed from the loop, because whoever answered
 * is still at work on it. */
static void orphan_answered(void *arg)
{
    timer_start(arg, bury, 0);
}

static bool lives(const struct request *request)
{
    return !request->answered && !request->ending;
}

/* Makes room: asks the oldest to end, and does not wait for those who take
 * their time over it. */
static void orphans_limit(struct orphans *orphans)
{
    struct request *oldest = NULL;
    size_t living = 0;
    size_t all = 0;

    for (struct request *at = orphans->first; at; at = at->next_orphan) {
        all++;
        if (!lives(at))
            continue;
        living++;
        oldest = oldest ? oldest : at;
    }
    if (all > ORPHANS_ALL_MAX)
        orphan_free(orphans->first);
    else if (living > ORPHANS_MAX)
        orphan_end(oldest);
}

void orphans_add(struct agent *agent, struct request *request)
{
    struct request **at = &agent->orphans.first;

    while (*at)
        at = &(*at)->next_orphan;
    *at = request;
    request->orphaned = true;
    request->ready = orphan_answered;
    request->ready_arg = request;
    request_give_place(request);
    log_info(&agent->log, "id=%s goes on without its client", request->id);
    timer_start(request, grace_over, agent->grace_ms);
    orphans_limit(&agent->orphans);
}

void orphan_end(struct request *request)
{
    if (!lives(request))
        return;
    log_info(&request->agent->log, "id=%s is ended, its client is gone",
             request->id);
    if (!request->end) {
        orphan_free(request);
        return;
    }
    request->ending = true;
    loop_timer_stop(&request->agent->loop, &request->grace);
    request->end(request->work);
}

void orphan_hold(struct request *request)
{
    if (lives(request))
        loop_timer_stop(&request->agent->loop, &request->grace);
}

void orphan_release(struct request *request)
{
    if (lives(request))
        timer_start(request, grace_over, request->agent->grace_ms);
}

void orphans_free(struct orphans *orphans)
{
    while (orphans->first)
        orphan_free(orphans->first);
}
