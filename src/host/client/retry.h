/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * When a request is made again, how often, and after which wait: the retry
 * strategy of the specification as two tables, of classes with their keys in
 * the configuration, and of errors with their classes.  virtio-rpc-host(5)
 * shows the same.
 */
#ifndef VSRPC_HOST_CLIENT_RETRY_H
#define VSRPC_HOST_CLIENT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "host/core/config.h"

/* All waiting for one request because its agent is busy (ms): twice the longest
 * window of the agent's rate limit. */
#define RETRY_BUSY_MS (120 * 1000)

enum retry_class {
    RETRY_NEVER,    /* parameters, permission, and whatever is permanent */
    RETRY_NETWORK,  /* the connection was lost */
    RETRY_TIMEOUT,  /* no answer in time */
    RETRY_INTERNAL, /* the agent reported 5001 */
    RETRY_BUSY,     /* the agent reported 5002: it did not run the request */
    RETRY_SESSION,  /* the agent reported 4003: likewise, and sync first */
    RETRY_CLASSES,
};

/* How far a request has come; each stage includes those before it. */
enum retry_stage {
    RETRY_UNCONNECTED, /* no agent has answered a handshake yet */
    RETRY_CONNECTED,
    RETRY_UNDERWAY, /* it was sent, or goes on with what runs in the guest */
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

/* Fills in the rules from the configuration's section "retry". */
void retry_policy_init(struct retry_policy *policy,
                       const struct config *config);

/* The class of a failure of the transport (negative errno) at a stage: who
 * cannot even connect is told so at once, and not after all retries. */
enum retry_class retry_class_of_errno(int code, enum retry_stage stage);

/* The class of an answer's business code. */
enum retry_class retry_class_of_status(int code);

/* May what was perhaps carried out be asked for again, by its id, after an
 * error of this class?  It is never carried out again. */
bool retry_may_ask(enum retry_class class);

/* Is there a retry left of those that have a number? */
bool retry_is_left(const struct retry_policy *policy,
                   const struct retry_count *count, enum retry_class class);

/* The wait (ms) before a rule's retry number n, from 0 on. */
int64_t retry_wait(const struct retry_rule *rule, int64_t n);

/*
 * Asks for one more attempt and counts it.  busy_s is what the agent asked
 * for (seconds; 0 or less: nothing), for RETRY_BUSY.
 *
 * Return: the milliseconds to wait before it, or -1 for no more attempts.
 */
int64_t retry_next(const struct retry_policy *policy,
                   struct retry_count *count, enum retry_class class,
                   int64_t busy_s);

#endif
