/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Time.  Everything that waits does so until a deadline: an absolute number
 * of milliseconds on the boot clock, which counts on while the machine sleeps
 * and which nobody can set.  The wall clock is for showing and for signatures.
 */
#ifndef VSRPC_UTIL_CLOCK_H
#define VSRPC_UTIL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define DEADLINE_NEVER INT64_MAX

/* Milliseconds since boot (CLOCK_BOOTTIME, clock_gettime(2)). */
int64_t clock_ms(void);

/* Microseconds since boot, for showing durations. */
int64_t clock_us(void);

/* The time since boot as it is. */
void clock_boot(struct timespec *now);

/* Does it count on while the machine sleeps?  Not before Linux 2.6.39. */
bool clock_counts_sleep(void);

/* Seconds since the epoch on the wall clock. */
int64_t clock_wall(void);

/* The deadline ms milliseconds from now; a negative ms means never. */
int64_t deadline_in(int64_t ms);

/* Milliseconds left until a deadline, 0 when it has passed, and -1 for
 * DEADLINE_NEVER: what poll(2) takes.  Rounded so that a poll() that returns
 * has really reached it. */
int deadline_left(int64_t deadline);

/* The earlier of two deadlines. */
int64_t deadline_min(int64_t a, int64_t b);

/* Sleeps; used by retries on the host only. */
void clock_sleep_ms(int64_t ms);

#endif
