/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * All jobs, and how long each is kept.
 *
 * A job is attached to the session that used it last.  When that is over the
 * job has the agent's grace for its client to come back, and is ended then, or
 * forgotten.  Who says that it will be back (away) is waited for much longer
 * while somebody else has the channel, because it cannot come back then.  A
 * detached job belongs to nobody, and its result is kept for jobs.keep.
 */
#ifndef VSRPC_GUEST_JOB_JOBS_H
#define VSRPC_GUEST_JOB_JOBS_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/job/job.h"
#include "guest/job/outlog.h"

struct jobs {
    struct context *context;
    struct job *first; /* the oldest */
    size_t n;
    struct outpool pool;
    bool connected; /* somebody is on the other side */
};

void jobs_init(struct jobs *jobs, struct context *context);

/* The agent ends. */
void jobs_free(struct jobs *jobs);

/* Makes room for one more, at the cost of a result that was delivered, or whose
 * client stays away.  One that its client may still come for does not go.
 * Return: is there room? */
bool jobs_room(struct jobs *jobs, bool detached);

/* A random id that no job has.  Return: 0 or negative errno. */
int jobs_new_id(const struct jobs *jobs, char id[JOB_ID_LEN + 1]);

/* A job was started. */
void jobs_add(struct jobs *jobs, struct job *job);

/* Return: the job with an id of n bytes, or that was started by a request;
 * NULL when there is none. */
struct job *jobs_find(const struct jobs *jobs, const char *id, size_t n);
struct job *jobs_find_request(const struct jobs *jobs, const char *request_id);

/* Takes a job out of the table and frees it. */
void jobs_forget(struct jobs *jobs, struct job *job);

/* Ends a job and forgets it then.  It is there still on return. */
void jobs_drop(struct jobs *jobs, struct job *job);

/* The session that runs uses a job; away: it leaves now and will be back. */
void jobs_use(struct jobs *jobs, struct job *job, bool away);

/* Output was taken: whoever was held back may go on. */
void jobs_resume(struct jobs *jobs);

/* Somebody is on the other side now; the session is over; nobody is. */
void jobs_connected(struct jobs *jobs);
void jobs_leave(struct jobs *jobs);
void jobs_hangup(struct jobs *jobs);

#endif
