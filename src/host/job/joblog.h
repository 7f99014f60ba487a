/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What one answer brings of a job's output: its status, and bytes of both
 * streams behind one another, in the order in which the agent read them.
 */
#ifndef VSRPC_HOST_JOB_JOBLOG_H
#define VSRPC_HOST_JOB_JOBLOG_H

#include "host/job/job.h"
#include "host/link/rpc.h"

/* Nothing in it is owned: it lives as long as the reply. */
struct joblog {
    struct job_status status;
    int64_t at;           /* offset of the byte that comes next */
    const uint8_t *next;  /* that byte */
    const char *segments; /* what is left of them: "1:120,2:30" */
};

/*
 * Reads an answer to GET output, or to one like it, that asked for output from
 * an offset on.  It is checked as a whole.
 *
 * Return: 0; -EPROTO with a message when it makes no sense.
 */
int joblog_read(const struct rpc_reply *reply, int64_t asked,
                struct joblog *log, struct error *err);

/*
 * Takes the next bytes: *n of stream 1 or 2.
 *
 * Return: the stream; 0 when there are no more.
 */
int joblog_next(struct joblog *log, const uint8_t **bytes, size_t *n);

#endif
