/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Not faster than so many bytes in a second: --limit-rate.  A copy asks how
 * much may go in one turn, sends that, tells so, and waits as long as it is
 * told.  Time that the channel itself took counts; what was not used of it is
 * made up for within one turn, and no further: a channel that was busy for a
 * minute is not flooded for the next one.
 */
#ifndef VSRPC_HOST_COPY_THROTTLE_H
#define VSRPC_HOST_COPY_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#define THROTTLE_TURN_MS 100
#define THROTTLE_TURN_MIN 4096 /* below, heads would be more than content */

struct throttle {
    int64_t rate;   /* bytes in a second; 0: no limit */
    int64_t due_us; /* when all that was sent will have had its time */
    bool begun;
};

/* Begins with a rate in bytes per second; 0 and less: no limit. */
void throttle_init(struct throttle *throttle, int64_t bytes_per_s);

/*
 * How much may go in one turn: about 100 ms worth, at least 4 KiB.
 *
 * Return: at most wanted; wanted without a limit.
 */
int64_t throttle_turn(const struct throttle *throttle, int64_t wanted);

/*
 * After a turn of so many bytes, at now_ms on the boot clock: how long to
 * wait before the next one.
 *
 * Return: milliseconds, 0 without a limit.
 */
int64_t throttle_wait_ms(struct throttle *throttle, int64_t now_ms,
                         int64_t sent);

#endif
