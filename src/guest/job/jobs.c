/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The jobs in a list by age, and a timer for each, which is set anew whenever
 * something changes how long the job is kept.
 */
#include <config.h>

#include "guest/job/jobs.h"

#include <string.h>

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/core/settings.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/crypto.h"

/* What was taken of a detached job is only kept while nobody needs the
 * room. */
static bool reclaim(void *arg)
{
    const struct jobs *jobs = arg;

    for (struct job *job = jobs->first; job; job = job->next)
        if (outlog_forget(&job->log))
            return true;
    return false;
}

void jobs_init(struct jobs *jobs, struct context *context)
{
    *jobs = (struct jobs) {
        .context = context,
        .pool = { .left = OUTPOOL_BLOCKS, .reclaim = reclaim, .arg = jobs },
    };
}

void jobs_free(struct jobs *jobs)
{
    while (jobs->first)
        jobs_forget(jobs, jobs->first);
}

/* --- the table ------------------------------------------------------------ */

struct job *jobs_find(const struct jobs *jobs, const char *id, size_t n)
{
    for (struct job *job = jobs->first; job; job = job->next)
        if (strlen(job->id) == n && memcmp(job->id, id, n) == 0)
            return job;
    return NULL;
}

struct job *jobs_find_request(const struct jobs *jobs, const char *request_id)
{
    for (struct job *job = jobs->first; job; job = job->next)
        if (job->request_id[0] && strcmp(job->request_id, request_id) == 0)
            return job;
    return NULL;
}

int jobs_new_id(const struct jobs *jobs, char id[JOB_ID_LEN + 1])
{
    int r;

    do {
        r = crypto_random_hex(id, JOB_ID_LEN / 2);
    } while (r == 0 && jobs_find(jobs, id, JOB_ID_LEN));
    return r;
}

void jobs_forget(struct jobs *jobs, struct job *job)
{
    struct job **at = &jobs->first;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    jobs->n--;
    job_free(job);
    jobs_resume(jobs);
}

/* --- room for one more ---------------------------------------------------- */

static bool is_delivered(const struct job *job)
{
    return job->delivered && !job->detached;
}

/* It was to be kept, and was read. */
static bool is_kept(const struct job *job)
{
    return job->delivered && job->detached;
}

static bool is_missed(const struct job *job)
{
    return job->left && clock_ms() - job->left_ms > JOB_MISSED_MS;
}

/* What may go, that of the first row first. */
static bool (*const may_go[])(const struct job *job) = { is_delivered, is_kept,
                                                         is_missed };

/* Of those the one that ended first. */
static struct job *first_ended(const struct jobs *jobs,
                               bool (*is_one)(const struct job *job))
{
    struct job *found = NULL;

    for (struct job *job = jobs->first; job; job = job->next)
        if (job->state == JOB_ENDED && is_one(job)
            && (!found || job->ended_ms < found->ended_ms))
            found = job;
    return found;
}

static size_t unread_detached(const struct jobs *jobs)
{
    size_t n = 0;

    for (const struct job *job = jobs->first; job; job = job->next)
        if (job->detached && !job->delivered)
            n++;
    return n;
}

bool jobs_room(struct jobs *jobs, bool detached)
{
    if (detached && unread_detached(jobs) >= JOBS_DETACHED_MAX)
        return false;
    for (size_t i = 0; jobs->n >= JOBS_MAX && i < ARRAY_SIZE(may_go); i++) {
        struct job *job = first_ended(jobs, may_go[i]);

        if (job)
            jobs_forget(jobs, job);
    }
    return jobs->n < JOBS_MAX;
}

/* --- those that wait for room in the pool --------------------------------- */

void jobs_resume(struct jobs *jobs)
{
    for (struct job *job = jobs->first; job; job = job->next)
        if (job->child)
            child_resume(job->child);
}

/* --- how long each is kept ------------------------------------------------ */

/* Return: milliseconds; -1: there is no end to it. */
static int64_t time_left(const struct jobs *jobs, const struct job *job)
{
    int64_t grace = jobs->context->grace_ms;
    int64_t away = job->left_ms + JOB_AWAY_MS - clock_ms();

    if (job->deleted)
        return 0;
    if (job->detached)
        return job->exited ? jobs->context->settings->jobs_keep : -1;
    if (!job->left)
        return -1;
    if (!job->away || (!jobs->connected && grace < away))
        return grace;
    return away > 0 ? away : 0;
}

static void job_expired(void *arg)
{
    struct job *job = arg;

    if (job->state == JOB_ENDED)
        jobs_forget(job->context->jobs, job);
    else
        job_end(job, job->deleted ? "deleted" : "its client is gone");
}

static void timer_set(struct jobs *jobs, struct job *job)
{
    int64_t ms = time_left(jobs, job);

    job->timer.expired = job_expired;
    job->timer.arg = job;
    if (ms < 0)
        loop_timer_stop(jobs->context->loop, &job->timer);
    else
        loop_timer_start(jobs->context->loop, &job->timer, ms);
}

/* Its output may not be read for ever. */
static void job_exited(struct job *job)
{
    if (job->detached)
        timer_set(job->context->jobs, job);
}

static void job_ended(struct job *job)
{
    struct jobs *jobs = job->context->jobs;
    bool never = job->start_errno && !job->told;

    if (job->deleted || never) {
        jobs_forget(jobs, job);
        return;
    }
    if (job->ended) /* its client may still want to know why */
        job->away = false;
    timer_set(jobs, job);
}

static const struct job_listener listener = {
    .exited = job_exited,
    .ended = job_ended,
};

void jobs_add(struct jobs *jobs, struct job *job)
{
    struct job **at = &jobs->first;

    while (*at)
        at = &(*at)->next;
    *at = job;
    job->listener = &listener;
    jobs->n++;
    timer_set(jobs, job);
}

void jobs_drop(struct jobs *jobs, struct job *job)
{
    job->deleted = true;
    timer_set(jobs, job);
}

void jobs_use(struct jobs *jobs, struct job *job, bool away)
{
    job->left = false;
    job->away = away;
    timer_set(jobs, job);
}

void jobs_leave(struct jobs *jobs)
{
    for (struct job *job = jobs->first; job; job = job->next) {
        if (job->left || job->detached)
            continue;
        job->left = true;
        job->left_ms = clock_ms();
        timer_set(jobs, job);
    }
}

/* The time of those that were left passes in another way now. */
static void away_changed(struct jobs *jobs, bool connected)
{
    jobs->connected = connected;
    for (struct job *job = jobs->first; job; job = job->next)
        if (job->left && job->away)
            timer_set(jobs, job);
}

void jobs_connected(struct jobs *jobs)
{
    away_changed(jobs, true);
}

void jobs_hangup(struct jobs *jobs)
{
    jobs_leave(jobs);
    away_changed(jobs, false);
}
