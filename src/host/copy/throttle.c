/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The throttle: keeps the time (in microseconds) at which all that was sent
 * would be due at the rate, and waits for it.  Time that was not used is
 * carried over for one turn at most.
 */
#include <config.h>

#include "host/copy/throttle.h"

#define US_PER_S INT64_C(1000000)
#define SENT_MAX (INT64_C(1) << 42) /* times US_PER_S fits */

void throttle_init(struct throttle *throttle, int64_t bytes_per_s)
{
    *throttle = (struct throttle) { .rate = bytes_per_s > 0 ? bytes_per_s
                                                            : 0 };
}

int64_t throttle_turn(const struct throttle *throttle, int64_t wanted)
{
    int64_t turn = throttle->rate / (1000 / THROTTLE_TURN_MS);

    if (turn < THROTTLE_TURN_MIN)
        turn = THROTTLE_TURN_MIN;
    return !throttle->rate || wanted < turn ? wanted : turn;
}

/* How long the rate takes for so many bytes, rounded up. */
static int64_t throttle_cost_us(const struct throttle *throttle, int64_t sent)
{
    if (sent > SENT_MAX)
        sent = SENT_MAX;
    return sent <= 0 ? 0 : (sent * US_PER_S - 1) / throttle->rate + 1;
}

int64_t throttle_wait_ms(struct throttle *throttle, int64_t now_ms,
                         int64_t sent)
{
    int64_t now_us = now_ms * 1000;
    int64_t oldest = now_us - (throttle->begun ? THROTTLE_TURN_MS * 1000 : 0);

    if (!throttle->rate)
        return 0;
    if (!throttle->begun || throttle->due_us < oldest)
        throttle->due_us = oldest;
    throttle->begun = true;
    throttle->due_us += throttle_cost_us(throttle, sent);
    return throttle->due_us > now_us ? (throttle->due_us - now_us + 999) / 1000
                                     : 0;
}
