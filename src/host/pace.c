/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/pace.h"

#define US_PER_S INT64_C(1000000)
#define SENT_MAX (INT64_C(1) << 42) /* times US_PER_S fits */

void pace_init(struct pace *pace, int64_t bytes_per_s)
{
    *pace = (struct pace) { .rate = bytes_per_s > 0 ? bytes_per_s : 0 };
}

int64_t pace_turn(const struct pace *pace, int64_t wanted)
{
    int64_t turn = pace->rate / (1000 / PACE_TURN_MS);

    if (turn < PACE_TURN_MIN)
        turn = PACE_TURN_MIN;
    return !pace->rate || wanted < turn ? wanted : turn;
}

/* How long the rate takes for so many bytes, rounded up. */
static int64_t pace_cost_us(const struct pace *pace, int64_t sent)
{
    if (sent > SENT_MAX)
        sent = SENT_MAX;
    return sent <= 0 ? 0 : (sent * US_PER_S - 1) / pace->rate + 1;
}

int64_t pace_wait_ms(struct pace *pace, int64_t now_ms, int64_t sent)
{
    int64_t now_us = now_ms * 1000;
    int64_t oldest = now_us - (pace->begun ? PACE_TURN_MS * 1000 : 0);

    if (!pace->rate)
        return 0;
    if (!pace->begun || pace->due_us < oldest)
        pace->due_us = oldest;
    pace->begun = true;
    pace->due_us += pace_cost_us(pace, sent);
    return pace->due_us > now_us ? (pace->due_us - now_us + 999) / 1000 : 0;
}
