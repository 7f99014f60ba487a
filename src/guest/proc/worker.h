/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A fork of the agent that does one slow thing to files and reports it. */
#ifndef VSRPC_GUEST_PROC_WORKER_H
#define VSRPC_GUEST_PROC_WORKER_H

#include <stddef.h>

#include "guest/proc/proc.h"

/* What a worker may report; one pipe buffer, so writing never blocks. */
#define WORKER_REPORT_MAX 2048

/*
 * The work, run in the forked process: reads arg as it was at the fork,
 * writes its report (WORKER_REPORT_MAX bytes of room, zeroed).
 */
typedef void worker_main(void *arg, void *report);

/*
 * Called once in the agent when the worker has ended.  report is NULL when it
 * died without one.
 */
typedef void worker_done(void *arg, const void *report);

struct worker;

/*
 * Starts a worker.  arg must stay valid until done is called or the worker
 * is cancelled.
 *
 * Return: 0 with *worker valid until done was called, or negative errno.
 */
int worker_start(struct procs *procs, worker_main *main, worker_done *done,
                 void *arg, struct worker **worker);

/* Kills the worker; done will not be called. */
void worker_cancel(struct worker *worker);

/* Kills the worker; done will be called, without a report unless it has ended
 * already.  For who has something to put right behind it. */
void worker_kill(struct worker *worker);

#endif
