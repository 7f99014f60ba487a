/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Sliding windows over a ring of start times (ms): with a limit of N, an
 * operation may begin when the N-th before it has left the window.
 */
#include <config.h>

#include "guest/policy/rate.h"

#include <errno.h>
#include <stdlib.h>

int rate_init(struct rate *rate, int64_t per_second, int64_t per_minute)
{
    int64_t size = per_second > per_minute ? per_second : per_minute;

    *rate = (struct rate) { .per_second = per_second,
                            .per_minute = per_minute,
                            .size = (size_t) size };
    if (!size)
        return 0;
    rate->times = calloc((size_t) size, sizeof(*rate->times));
    return rate->times ? 0 : -ENOMEM;
}

void rate_free(struct rate *rate)
{
    free(rate->times);
    *rate = (struct rate) { 0 };
}

/* How long until one of the last limit operations leaves the window. */
static int64_t window_wait(const struct rate *rate, int64_t limit,
                           int64_t window, int64_t now)
{
    int64_t wait;
    size_t at;

    if (limit == 0 || (int64_t) rate->used < limit)
        return 0;
    at = (rate->next + rate->size - (size_t) limit) % rate->size;
    wait = rate->times[at] + window - now;
    return wait > 0 ? wait : 0;
}

int64_t rate_take(struct rate *rate, int64_t now_ms)
{
    int64_t second = window_wait(rate, rate->per_second, 1000, now_ms);
    int64_t minute = window_wait(rate, rate->per_minute, 60000, now_ms);

    if (second || minute)
        return second > minute ? second : minute;
    if (rate->size) {
        rate->times[rate->next] = now_ms;
        rate->next = (rate->next + 1) % rate->size;
        if (rate->used < rate->size)
            rate->used++;
    }
    return 0;
}
