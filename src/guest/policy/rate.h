/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The rate limit: how many operations may begin per second and per minute.
 * Exact sliding windows; the memory is the larger of the two limits.
 */
#ifndef VSRPC_GUEST_POLICY_RATE_H
#define VSRPC_GUEST_POLICY_RATE_H

#include <stddef.h>
#include <stdint.h>

struct rate {
    int64_t per_second; /* 0: no limit */
    int64_t per_minute; /* 0: no limit */
    int64_t *times;     /* ring of the last operations, ms */
    size_t size;
    size_t next; /* where the next one goes */
    size_t used;
};

/* Return: 0 or -ENOMEM. */
int rate_init(struct rate *rate, int64_t per_second, int64_t per_minute);

void rate_free(struct rate *rate);

/*
 * Counts an operation that begins now (ms on any steady clock).
 *
 * Return: 0 when it may; otherwise the milliseconds until it might, and it
 * was not counted.
 */
int64_t rate_take(struct rate *rate, int64_t now_ms);

#endif
