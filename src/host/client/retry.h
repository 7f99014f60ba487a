/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * When a request is made again, and after which wait: the retry strategy of
 * the specification as a table, with its numbers from the configuration.
 * What may not be repeated at all is decided by the caller (client.c).
 */
#ifndef VSRPC_HOST_CLIENT_RETRY_H
#define VSRPC_HOST_CLIENT_RETRY_H

#include <stdint.h>

enum retry_class {
    RETRY_NEVER,    /* parameters, permission, and whatever is permanent */
    RETRY_NETWORK,  /* the connection was lost */
    RETRY_TIMEOUT,  /* no answer in time */
    RETRY_INTERNAL, /* the agent reported 5001 */
    RETRY_BUSY,     /* the agent reported 5002: it did not run the request */
    RETRY_SESSION,  /* the agent reported 4003: likewise, and sync first */
    RETRY_CLASSES,
};

struct retry_rule {
    int64_t retries;
    int64_t wait_ms; /* before the first retry */
    int64_t factor;  /* each further wait is this many times the last */
};

struct retry_policy {
    struct retry_rule rules[RETRY_CLASSES];
};

/* One request's account of its retries. */
struct retry_count {
    int64_t done[RETRY_CLASSES];
    int64_t busy_ms; /* waited for a busy agent so far */
};

/* Fills in the table; the arguments are the configuration's retry section and
 * rule network errors. */
void retry_policy_init(struct retry_policy *policy, int64_t max_retries,
                       int64_t interval_ms, int64_t backoff_factor);

/* The class of a failure of the transport (negative errno). */
enum retry_class retry_class_of_errno(int code);

/* The class of an answer's business code. */
enum retry_class retry_class_of_status(int code);

/*
 * Asks for one more attempt and counts it.  busy_s is what the agent asked
 * for with Retry-After (seconds), for RETRY_BUSY.
 *
 * Return: the milliseconds to wait before it, or -1 for no more attempts.
 */
int64_t retry_next(const struct retry_policy *policy,
                   struct retry_count *count, enum retry_class class,
                   int64_t busy_s);

#endif
