/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Tables: of each class with its keys and what it may ask for again, and of
 * errnos and codes with their classes.  Waits are ms.  An agent's Retry-After is
 * taken up to a bound, because the guest is not trusted.
 */
#include <config.h>

#include "host/client/retry.h"

#include <errno.h>
#include <stddef.h>

#include "proto/status.h"
#include "util/cleanup.h"

/* No wait is longer where an agent names none. */
#define BUSY_STEP_MAX_MS 5000

/* No wait is longer, whatever interval and factor are configured. */
#define WAIT_MAX_MS (60 * 1000)

#define AT(member) offsetof(struct config, member)

/* Keys of the configuration are offsets; 0, which is none of them, is what
 * nobody may configure and stands in fixed. */
static const struct retry_row {
    bool may_ask;
    size_t retries, wait, factor;
    struct retry_rule fixed;
} rows[RETRY_CLASSES] = {
    [RETRY_NETWORK] = { true,
                        AT(max_retries),
                        AT(retry_interval),
                        AT(backoff_factor),
                        { 0 } },
    /* As long as the time for the answer is not over: the agent gave no sign
     * of life in it. */
    [RETRY_TIMEOUT] = { true,
                        AT(timeout_retries),
                        AT(timeout_interval),
                        0,
                        { .factor = 1 } },
    /* It may have come half-way. */
    [RETRY_INTERNAL] = { false,
                         AT(internal_retries),
                         AT(internal_interval),
                         0,
                         { .factor = 1 } },
    /* As often as RETRY_BUSY_MS allows, after what the agent says, or else so:
     * up to BUSY_STEP_MAX_MS. */
    [RETRY_BUSY] = { true, 0, 0, 0, { .wait_ms = 100, .factor = 2 } },
    /* Others came in between; more of them than this is a quarrel. */
    [RETRY_SESSION] = { true, 0, 0, 0, { 3, 0, 1 } },
};

static int64_t configured(const struct config *config, size_t at,
                          int64_t fixed)
{
    return at ? *(const int64_t *) ((const char *) config + at) : fixed;
}

void retry_policy_init(struct retry_policy *policy,
                       const struct config *config)
{
    for (size_t i = 0; i < RETRY_CLASSES; i++) {
        const struct retry_row *row = &rows[i];

        policy->rules[i] = (struct retry_rule) {
            .retries = configured(config, row->retries, row->fixed.retries),
            .wait_ms = configured(config, row->wait, row->fixed.wait_ms),
            .factor = configured(config, row->factor, row->fixed.factor),
        };
    }
}

static const struct {
    int code;
    enum retry_class class;
    enum retry_stage since;
} errnos[] = {
    { -ECONNRESET, RETRY_NETWORK, RETRY_UNCONNECTED },
    { -EPIPE, RETRY_NETWORK, RETRY_UNCONNECTED },
    { -ENOTCONN, RETRY_NETWORK, RETRY_UNCONNECTED },
    /* the stream is out of step */
    { -EBADMSG, RETRY_NETWORK, RETRY_UNCONNECTED },
    /* A wrong path, or a domain that restarts. */
    { -ECONNREFUSED, RETRY_NETWORK, RETRY_CONNECTED },
    { -ENOENT, RETRY_NETWORK, RETRY_CONNECTED },
    /* Who cannot connect at all has waited for connect_timeout already. */
    { -ETIMEDOUT, RETRY_TIMEOUT, RETRY_CONNECTED },
    /* It may still be booting, or its port be plugged in again; or somebody
     * came in between. */
    { -EHOSTDOWN, RETRY_NETWORK, RETRY_UNDERWAY },
    { -ENXIO, RETRY_NETWORK, RETRY_UNDERWAY },
    { -EBUSY, RETRY_NETWORK, RETRY_UNDERWAY },
};

enum retry_class retry_class_of_errno(int code, enum retry_stage stage)
{
    for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
        if (errnos[i].code == code)
            return stage >= errnos[i].since ? errnos[i].class : RETRY_NEVER;
    return RETRY_NEVER;
}

bool retry_may_ask(enum retry_class class)
{
    return rows[class].may_ask;
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

bool retry_is_left(const struct retry_policy *policy,
                   const struct retry_count *count, enum retry_class class)
{
    return count->done[class] < policy->rules[class].retries;
}

int64_t retry_wait(const struct retry_rule *rule, int64_t n)
{
    int64_t wait = rule->wait_ms;

    for (int64_t i = 0; i < n && wait < WAIT_MAX_MS; i++)
        wait *= rule->factor;
    return wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS;
}

/* The wait where an agent names none; the last one is what is left. */
static int64_t busy_step(const struct retry_policy *policy,
                         struct retry_count *count)
{
    int64_t left = RETRY_BUSY_MS - count->busy_ms;
    int64_t wait = retry_wait(&policy->rules[RETRY_BUSY],
                              count->done[RETRY_BUSY]++);

    if (wait > BUSY_STEP_MAX_MS)
        wait = BUSY_STEP_MAX_MS;
    if (wait > left)
        wait = left;
    return wait > 0 ? wait : -1;
}

static int64_t retry_busy(const struct retry_policy *policy,
                          struct retry_count *count, int64_t busy_s)
{
    int64_t wait;

    /* The number is the guest's word; out of range it is not a wait. */
    if (busy_s > RETRY_BUSY_MS / 1000)
        return -1;
    wait = busy_s > 0 ? busy_s * 1000 : busy_step(policy, count);
    if (wait < 0 || count->busy_ms + wait > RETRY_BUSY_MS)
        return -1;
    count->busy_ms += wait;
    return wait;
}

int64_t retry_next(const struct retry_policy *policy,
                   struct retry_count *count, enum retry_class class,
                   int64_t busy_s)
{
    if (class == RETRY_BUSY)
        return retry_busy(policy, count, busy_s);
    if (!retry_is_left(policy, count, class))
        return -1;
    return retry_wait(&policy->rules[class], count->done[class]++);
}
