/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The same work for many targets at once, each in a process of its own: one
 * that hangs or dies delays and harms nobody else.
 *
 * The workers die with their parent, however it dies.  A signal to leave is
 * passed on to them, who may have something to take back in their guests.
 */
#ifndef VSRPC_HOST_FLEET_FLEET_H
#define VSRPC_HOST_FLEET_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define FLEET_RECORDS 3 /* as if it were the next descriptor */

struct fleet {
    size_t n;         /* pieces of work, 0 … n - 1 */
    int64_t parallel; /* at most so many at once */
    int64_t limit_ms; /* for all of it; 0: none */
    int input;        /* each worker has all of it as its standard input, from
                       * where it is now; -1: they have none */
    bool records;     /* each worker has another descriptor, for what is not to
                       * be mixed with its output */
    void *context;    /* for the functions */
    /* In a worker, its standard output and error in pipes; records: that
     * descriptor, -1: there is none.
     * Return: its exit status. */
    int (*work)(void *context, size_t i, int records);
    /* In the parent: a worker has written to fd 1 or 2, or to its records
     * (FLEET_RECORDS).
     * Return: 0; negative errno ends everything. */
    int (*output)(void *context, size_t i, int fd, const uint8_t *bytes,
                  size_t n);
    /* In the parent: a worker has ended, after its last output.
     * Return: as output. */
    int (*done)(void *context, size_t i, int status);
    /* In the parent, before done: a worker that a signal ended, or that had
     * not begun when one came.  May be NULL.  Return: as output. */
    int (*killed)(void *context, size_t i);
};

/*
 * Does the work.
 *
 * Return: 0 when all workers have ended; the number of a signal that ended
 * them, and those that had not begun count as ended by it; -ETIMEDOUT when
 * limit_ms was over; other negative errno with a message (the input, too, may
 * not be readable), or that of output or done.  The rest has been killed in all
 * of these cases.
 */
int fleet_run(const struct fleet *fleet, struct error *err);

#endif
