/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Asks libvirt about the domain when nothing was heard for SILENCE_MS.  A
 * paused domain is waited for, and that time does not count unless the user
 * named a timeout; with one that runs, it is a timeout.
 */
#include <config.h>

#include "host/client/silence.h"

#include <errno.h>

#include "proto/limits.h"
#include "util/clock.h"

void silence_tell(struct silence *silence, const struct error *why)
{
    if (!silence->told)
        out_message(silence->client->setup.out, "%s; waiting for it to go on",
                    why->message);
    silence->told = true;
}

int silence_judge(void *context, struct error *err)
{
    struct silence *silence = context;
    struct client *client = silence->client;
    struct error why = ERROR_INIT;
    int64_t before = clock_ms();
    int r = client_look(client, &why);

    if (r == -EHOSTUNREACH) {
        silence_tell(silence, &why);
        if (client->setup.timeout != TIMEOUT_UNSET)
            return 0;
        silence->slept += SILENCE_MS + clock_ms() - before;
        return 1;
    }
    if (r < 0) {
        *err = why;
        return r;
    }
    return error_set(err, -ETIMEDOUT,
                     "no sign of life from the guest for %d s",
                     SILENCE_MS / 1000);
}
