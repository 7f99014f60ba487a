/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Tables of errnos and codes by class, and of retries and waits (ms) for each
 * class.  An agent's Retry-After is taken up to a bound, because the guest is
 * not trusted.
 */
#include <config.h>

#include "host/client/retry.h"

#include <errno.h>
#include <stdbool.h>

#include "proto/status.h"
#include "util/cleanup.h"

/* All waiting for one request because its agent is busy: twice the longest
 * window of the agent's rate limit. */
#define BUSY_TOTAL_MS (120 * 1000)

/* The wait where an agent names none. */
#define BUSY_STEP_MS 100

/* No wait is longer, whatever interval and factor are configured. */
#define WAIT_MAX_MS (60 * 1000)

void retry_policy_init(struct retry_policy *policy, int64_t max_retries,
                       int64_t interval_ms, int64_t backoff_factor)
{
    *policy =
        (struct
         retry_policy) { .rules = {
                             [RETRY_NETWORK] = { max_retries, interval_ms,
                                                 backoff_factor },
                             [RETRY_TIMEOUT] = { 2, 5000, 1 },
                             [RETRY_INTERNAL] = { 1, 10000, 1 },
                             /* Others came in between; more of them than this
                              * is a quarrel. */
                             [RETRY_SESSION] = { 3, 0, 1 },
                         } };
}

static const struct {
    int code;
    enum retry_class class;
} errnos[] = {
    { -ECONNRESET, RETRY_NETWORK },
    { -EPIPE, RETRY_NETWORK },
    { -ENOTCONN, RETRY_NETWORK },
    { -ECONNREFUSED, RETRY_NETWORK },
    { -ENOENT, RETRY_NETWORK },
    { -EBADMSG, RETRY_NETWORK }, /* the stream is out of step */
    { -ETIMEDOUT, RETRY_TIMEOUT },
};

enum retry_class retry_class_of_errno(int code)
{
    for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
        if (errnos[i].code == code)
            return errnos[i].class;
    return RETRY_NEVER;
}

static const struct {
    int code;
    enum retry_class class;
} statuses[] = {
    { STATUS_INTERNAL_ERROR, RETRY_INTERNAL },
    { STATUS_SERVICE_UNAVAILABLE, RETRY_BUSY },
    { STATUS_SESSION_EXPIRED, RETRY_SESSION },
};

enum retry_class retry_class_of_status(int code)
{
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
        if (statuses[i].code == code)
            return statuses[i].class;
    return RETRY_NEVER;
}

static int64_t retry_busy(struct retry_count *count, int64_t busy_s)
{
    int64_t wait = BUSY_STEP_MS;

    /* The header is the guest's word; out of range it is not a wait. */
    if (busy_s > BUSY_TOTAL_MS / 1000)
        return -1;
    if (busy_s > 0)
        wait = busy_s * 1000;
    if (count->busy_ms + wait > BUSY_TOTAL_MS)
        return -1;
    count->busy_ms += wait;
    return wait;
}

int64_t retry_next(const struct retry_policy *policy,
                   struct retry_count *count, enum retry_class class,
                   int64_t busy_s)
{
    const struct retry_rule *rule = &policy->rules[class];
    int64_t wait = rule->wait_ms;

    if (class == RETRY_BUSY)
        return retry_busy(count, busy_s);
    if (count->done[class] >= rule->retries)
        return -1;
    for (int64_t i = 0; i < count->done[class] && wait < WAIT_MAX_MS; i++)
        wait *= rule->factor;
    count->done[class]++;
    return wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS;
}
