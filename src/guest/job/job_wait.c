/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The list of requests that wait for a job, each with its timer.  A request
 * leaves the list before it is answered, because the answer may free it.
 */
#include <config.h>

#include "guest/job/job_wait.h"

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/job/job.h"
#include "util/clock.h"

void job_wait_drop(struct job_wait *wait)
{
    struct job_wait **at;

    if (!wait->job)
        return;
    loop_timer_stop(wait->request->context->loop, &wait->timer);
    for (at = &wait->job->waits; *at != wait; at = &(*at)->next)
        ;
    *at = wait->next;
    wait->job = NULL;
}

/* Nothing of the wait may be used afterwards. */
static void wait_answer(struct job_wait *wait)
{
    struct job *job = wait->job;

    job_wait_drop(wait);
    wait->answer(wait, job);
}

static void wait_over(void *arg)
{
    struct job_wait *wait = arg;

    wait->over = true;
    if (wait->ready(wait))
        wait_answer(wait);
}

static void wait_urge(void *work)
{
    struct job_wait *wait = work;

    if (wait->job)
        wait_answer(wait);
}

void job_wait(struct job_wait *wait, struct job *job, int64_t ms)
{
    wait->job = job;
    wait->next = job->waits;
    job->waits = wait;
    wait->over = ms == 0;
    wait->timer.expired = wait_over;
    wait->timer.arg = wait;
    if (wait->ready(wait)) {
        wait_answer(wait);
        return;
    }
    wait->request->urge = wait_urge;
    if (ms > 0 && !wait->timer.linked)
        loop_timer_start(wait->request->context->loop, &wait->timer, ms);
}

void job_wait_hurry(struct job_wait *wait, int64_t ms)
{
    struct loop_timer *timer = &wait->timer;

    if (!timer->linked || timer->due - clock_ms() > ms)
        loop_timer_start(wait->request->context->loop, timer, ms);
}

void job_waits_wake(struct job *job)
{
    struct job_wait *wait = job->waits;

    while (wait) {
        struct job_wait *next = wait->next;

        if (wait->ready(wait))
            wait_answer(wait);
        wait = next;
    }
}

void job_waits_end(struct job *job)
{
    while (job->waits)
        wait_answer(job->waits);
}
