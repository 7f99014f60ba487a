/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * CLOCK_BOOTTIME, or CLOCK_MONOTONIC where the kernel has only that.  A
 * deadline that would overflow is one that never comes.
 */
#include <config.h>

#include "util/clock.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

/* Which came with Linux 2.6.39, and glibc 2.14. */
#ifndef CLOCK_BOOTTIME
#define CLOCK_BOOTTIME CLOCK_MONOTONIC
#endif

void clock_boot(struct timespec *now)
{
    if (clock_gettime(CLOCK_BOOTTIME, now) < 0)
        clock_gettime(CLOCK_MONOTONIC, now);
}

bool clock_counts_sleep(void)
{
    struct timespec now;

    return CLOCK_BOOTTIME != CLOCK_MONOTONIC
           && clock_gettime(CLOCK_BOOTTIME, &now) == 0;
}

int64_t clock_us(void)
{
    struct timespec now;

    clock_boot(&now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
    return clock_us() / 1000;
}

int64_t clock_wall(void)
{
    return (int64_t) time(NULL);
}

int64_t deadline_in(int64_t ms)
{
    int64_t at;

    if (ms < 0 || __builtin_add_overflow(clock_ms(), ms, &at))
        return DEADLINE_NEVER;
    return at;
}

int deadline_left(int64_t deadline)
{
    int64_t left;

    if (deadline == DEADLINE_NEVER)
        return -1;
    left = deadline - clock_ms();
    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int) left;
}

int64_t deadline_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void clock_sleep_ms(int64_t ms)
{
    struct timespec left = { .tv_sec = ms / 1000,
                             .tv_nsec = (ms % 1000) * 1000000 };

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}
