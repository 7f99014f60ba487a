/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Set-up, and what all requests need: the timeout, giving way to others, a
 * look at the domain.  During that look signals end the process, because
 * libvirt's calls cannot be woken up.
 */
#include <config.h>

#include "host/client/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/auth.h"
#include "util/cleanup.h"

void client_init(struct client *client, const struct client_setup *setup,
                 struct target *target)
{
    *client = (struct client) { .setup = *setup,
                                .target = target,
                                .lock = LOCK_INIT,
                                .interrupt = INTERRUPT_INIT };
    rpc_init(&client->rpc);
    retry_policy_init(&client->policy, setup->config);
    buf_init(&client->key, AUTH_KEY_MAX + 2);
}

void client_free(struct client *client)
{
    rpc_free(&client->rpc);
    lock_release(&client->lock);
    interrupt_end(&client->interrupt);
    buf_free(&client->key);
}

void client_hang_up(struct client *client)
{
    rpc_close(&client->rpc);
}

void client_disconnect(struct client *client)
{
    rpc_close(&client->rpc);
    lock_release(&client->lock);
}

void client_give_way(struct client *client)
{
    if (!lock_wanted(&client->lock))
        return;
    rpc_close(&client->rpc);
    lock_yield(&client->lock);
    client->gave_way = true;
}

int64_t client_timeout(const struct client *client)
{
    return client->setup.timeout == TIMEOUT_UNSET
               ? client->setup.config->read_timeout
               : client->setup.timeout;
}

static const char *layer_of(const struct client *client)
{
    return client->target->name ? "domain" : "socket";
}

static const char *name_of(const struct client *client)
{
    return client->target->name ? client->target->name
                                : client->target->socket;
}

/* Unless the words name it already. */
void client_blame(const struct client *client, struct error *err)
{
    const char *layer = layer_of(client);
    size_t length = strlen(layer);

    if (err
        && (strncmp(err->message, layer, length) != 0
            || strncmp(err->message + length, " '", 2) != 0))
        error_prefix(err, "%s '%s'", layer, name_of(client));
}

const char *client_unblamed(const struct client *client, const char *message)
{
    AUTO_FREE char *prefix = NULL;
    int n = asprintf(&prefix, "%s '%s': ", layer_of(client), name_of(client));

    return n > 0 && strncmp(message, prefix, (size_t) n) == 0 ? message + n
                                                              : message;
}

struct looking {
    struct client *client;
    struct error err;
};

static int look(void *context)
{
    struct looking *looking = context;
    struct client *client = looking->client;

    return target_refresh(client->setup.source, client->target, &looking->err);
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
    if (r != -ESHUTDOWN && r != -EHOSTUNREACH && r != -ESRCH && r != -ENXIO)
        return 0;
    *err = looking.err;
    return r;
}
