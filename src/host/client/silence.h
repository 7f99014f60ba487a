/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What is done while nothing is heard from an agent: its domain is looked
 * after. */
#ifndef VSRPC_HOST_CLIENT_SILENCE_H
#define VSRPC_HOST_CLIENT_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/client/client.h"

/* What a client does when it hears nothing; make it with SILENCE_INIT. */
struct silence {
    struct client *client;
    bool told;     /* that the domain is paused */
    int64_t slept; /* ms, for which nobody named a time */
};

#define SILENCE_INIT(of) \
    {                    \
        .client = (of)   \
    }

/* Tells, once, that the domain is waited for, and why. */
void silence_tell(struct silence *silence, const struct error *why);

/*
 * Looks why nothing was heard for SILENCE_MS: rpc_request's silent(), with a
 * struct silence as its context.
 *
 * Return: 0 or 1 while the domain is paused; -ETIMEDOUT when it runs, or nobody knows;
 * as client_look().
 */
int silence_judge(void *silence, struct error *err);

#endif
