/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A request that waits for something to happen to a job. */
#ifndef VSRPC_GUEST_JOB_JOB_WAIT_H
#define VSRPC_GUEST_JOB_JOB_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/core/loop.h"

struct job;
struct request;

/* The first member of the work of a request that waits (request_work()). */
struct job_wait {
    struct request *request;
    struct job *job;       /* NULL: it does not wait (any more) */
    struct job_wait *next; /* of the job */
    struct loop_timer timer;
    bool over;                            /* the time is */
    bool (*ready)(struct job_wait *wait); /* has it happened? */
    void (*answer)(struct job_wait *wait, struct job *job);
};

/*
 * Waits until ready() says so, which is asked whenever something happens and
 * when the time is over, or until the request is urged; then it is answered.
 * That may be at once.  Fill in request, ready and answer before.
 */
void job_wait(struct job_wait *wait, struct job *job, int64_t ms);

/* For ready(): it is not to last longer than this from now on. */
void job_wait_hurry(struct job_wait *wait, int64_t ms);

/* The request is given up; for its drop(). */
void job_wait_drop(struct job_wait *wait);

/* Something has happened. */
void job_waits_wake(struct job *job);

/* The job is about to be freed: all are answered. */
void job_waits_end(struct job *job);

#endif
