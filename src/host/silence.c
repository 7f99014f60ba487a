/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What a client does that hears nothing: it looks after the domain. */
#include <config.h>

#include "host/client.h"

#include <errno.h>

#include "proto/limits.h"
#include "util/clock.h"

struct looking {
    struct client *client;
    struct error err;
};

static int look(void *context)
{
    struct looking *looking = context;
    struct client *client = looking->client;

    return target_refresh(client->setup.source, client->target,
                          &looking->err);
}

int client_look(struct client *client, struct error *err)
{
    struct looking looking = { .client = client, .err = ERROR_INIT };
    int r;

    if (!client->target->name)
        return 0;
    /* libvirt may hang, too. */
    r = interrupt_around(&client->interrupt, look, &looking);
    if (r == -ECANCELED)
        return error_set(err, r, "interrupted");
    /* What only libvirt's trouble is does not matter. */
    if (r != -ESHUTDOWN && r != -EHOSTUNREACH && r != -ESRCH)
        return 0;
    *err = looking.err;
    return r;
}

int silence_judge(void *context, struct error *err)
{
    struct silence *silence = context;
    struct client *client = silence->client;
    struct error why = ERROR_INIT;
    int64_t before = clock_ms();
    int r = client_look(client, &why);

    if (r == -EHOSTUNREACH) {
        if (!silence->told)
            out_message(client->setup.out, "%s; waiting for it to go on",
                        why.message);
        silence->told = true;
        if (client->setup.timeout != TIMEOUT_UNSET)
            return 0;
        silence->slept += SILENCE_MS + clock_ms() - before;
        return 1;
    }
    if (r < 0) {
        *err = why;
        return r;
    }
    return error_set(err, -ECONNRESET, "no sign of life from the guest for "
                     "%d s", SILENCE_MS / 1000);
}
