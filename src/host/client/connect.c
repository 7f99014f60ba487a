/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Key, lock, transport and handshake, in this order; and when nobody answers,
 * the reason, from libvirt's state of the port and the kernel's list of the
 * socket's clients.  When the socket has gone the domain's XML is read again,
 * once.
 */
#include <config.h>

#include "host/client/connect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/client/keyfile.h"
#include "host/link/dial.h"
#include "host/link/handshake.h"
#include "host/link/holder.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* Whoever let another in waits so long (ms) for its turn: longer than most
 * commands take, and not for ever. */
#define GIVEN_WAY_MS (10 * 60 * 1000)

/* Connecting is part of what a user allows a time for. */
static int64_t client_connect_ms(const struct client *client)
{
    int64_t configured = client->setup.config->connect_timeout;
    int64_t timeout = client->setup.timeout;

    return timeout > 0 && timeout < configured ? timeout : configured;
}

/* Nobody answered because another client has the channel?  Over the stream it
 * is libvirtd that is connected, for whoever it is. */
static bool client_is_taken(const struct client *client, struct error *err)
{
    const struct target *target = client->target;
    struct holder holder;
    char words[HOLDER_WORDS_MAX];

    if (!target->socket || target->remote
        || holder_find(target->socket, -1, &holder) != HOLDER_OTHER)
        return false;
    error_set(err, -EBUSY, "channel '%s' is busy: %s is connected to it",
              target->channel ? target->channel : target->socket,
              holder_words(&holder, words));
    if (holder_is_libvirt(&holder))
        error_hint(err, "end its client (virsh console, --transport stream); "
                        "if there is none, one was killed: restart it");
    else
        holder_advise(&holder, target->socket, err);
    return true;
}

/* Does the kernel say that there is no other client? */
static bool client_is_alone(const struct target *target)
{
    struct holder holder;

    return target->socket && !target->remote
           && holder_find(target->socket, -1, &holder) == HOLDER_NOBODY;
}

/* Of an agent that does not run, one that hangs and another client, names
 * those that are left. */
static int client_silent(const struct client *client, struct error *err)
{
    const struct target *target = client->target;
    bool open = target->state == CHANNEL_CONNECTED;
    bool alone = client_is_alone(target);
    const char *hangs = open ? "the agent hangs"
                             : "the agent does not run or hangs";

    if (open && alone)
        hangs = "the agent hangs, or the guest does";
    error_set(err, -EHOSTDOWN, "no answer on channel '%s' within %g s: %s%s",
              target->channel ? target->channel : target->socket,
              (double) client_connect_ms(client) / 1000, hangs,
              alone ? "" : ", or another client holds the channel");
    error_hint(err, "in the guest: systemctl restart virtio-rpc");
    if (!alone && target->socket && !target->remote)
        error_hint(err,
                   "in the guest: systemctl restart virtio-rpc; here: sudo ss "
                   "-xp (a client is the peer of the row with '%s')",
                   target->socket);
    return -EHOSTDOWN;
}

/* Nobody answered: who is connected, and what libvirt says about the port,
 * tell the causes apart. */
static int client_no_answer(const struct client *client, struct error *err)
{
    const struct target *target = client->target;

    if (client_is_taken(client, err))
        return -EBUSY;
    if (target->state == CHANNEL_DISCONNECTED) {
        error_set(err, -EHOSTDOWN,
                  "the agent does not run in the guest (nobody has the port "
                  "'%s' open)",
                  target->channel);
        error_hint(err, "in the guest: systemctl start virtio-rpc");
        error_status(err, STATUS_AGENT_NOT_RUNNING);
        return -EHOSTDOWN;
    }
    return client_silent(client, err);
}

struct dialing {
    struct client *client;
    int attempts;
};

/* Who made room for another waits longer than who comes anew. */
static int64_t client_lock_wait(const struct client *client)
{
    int64_t timeout = client->setup.timeout;

    if (!client->gave_way)
        return client->setup.lock_wait;
    return timeout > 0 ? timeout : GIVEN_WAY_MS;
}

/* Who has named a folder wants to know that it does nothing. */
static void client_lockless(struct client *client, const struct error *why)
{
    const struct client_setup *setup = &client->setup;

    if (!setup->config->lock_dir || setup->lockless_known)
        out_note(setup->out, "%s; going on without", why->message);
    else if (!client->lockless_told)
        out_message(setup->out, "%s; going on without", why->message);
    client->lockless_told = true;
}

static int client_lock(struct client *client, struct error *err)
{
    struct lock_terms terms = { .dir = client->setup.config->lock_dir,
                                .wait_ms = client_lock_wait(client),
                                .wake_fd = client->rpc.wake_fd,
                                .out = client->setup.out };
    const struct target *target = client->target;
    AUTO_FREE char *name = NULL;
    struct error why = ERROR_INIT;
    int r;

    /* Whichever road is taken: it is the same channel. */
    if (asprintf(
            &name, "%s%s%s", target->socket ? target->socket : target->uuid,
            target->socket ? "" : " ", target->socket ? "" : target->channel)
        < 0)
        return error_errno(err, -ENOMEM, "lock");
    r = lock_take(&client->lock, name, &terms, &why);
    if (r > 0)
        client_lockless(client, &why);
    if (r < 0)
        *err = why;
    return r < 0 ? r : 0;
}

static void client_tell_road(const struct client *client,
                             const struct dialed *dialed)
{
    const struct target *target = client->target;

    if (dialed->stream)
        out_note(client->setup.out,
                 "domain '%s': channel '%s' through libvirt: %s", target->name,
                 target->channel, dialed->reason);
    else if (target->name)
        out_note(client->setup.out, "domain '%s': socket '%s'", target->name,
                 target->socket);
}

static int client_dial(void *context, int64_t deadline,
                       struct transport **transport, struct error *err)
{
    struct dialing *dialing = context;
    struct client *client = dialing->client;
    struct dialed dialed = { .stream = false };
    int r = 0;

    /* Nobody answered the first time: the domain may sleep, or have
     * restarted with another socket. */
    if (dialing->attempts > 0)
        r = client_look(client, err);
    if (r == 0)
        r = client_lock(client, err);
    if (r < 0)
        return r;
    r = dial_target(client->setup.source, client->target, deadline, transport,
                    &dialed, err);
    if (r == 0 && dialing->attempts++ == 0)
        client_tell_road(client, &dialed);
    return r;
}

static int client_open(struct client *client, struct error *err)
{
    struct dialing dialing = { .client = client };
    const struct retry_rule *rule = &client->policy.rules[RETRY_NETWORK];
    struct rpc_dialer dialer = {
        .dial = client_dial,
        .context = &dialing,
        .pace = { .wait_ms = rule->wait_ms,
                  .factor = rule->factor,
                  .most_ms = retry_wait(rule, rule->retries - 1) },
    };
    int r = client_lock(client, err); /* is no part of the time to connect */

    if (r < 0)
        return r;
    if (client->rpc.peer.plain)
        return rpc_dial(&client->rpc, &dialer, client_connect_ms(client), err);
    r = rpc_open(&client->rpc, &dialer, client_connect_ms(client), err);
    if (r == 0 && client->rpc.peer.plain)
        out_note(client->setup.out,
                 "the server in the guest knows only the specification (it "
                 "has no sync): one request a connection, no jobs");
    if (r == -EHOSTDOWN)
        return client_no_answer(client, err);
    if (r == -ECONNRESET)
        error_hint(err, "virsh list --all (the domain may stop, or restart)");
    /* libvirt waits for a place in the queue of a channel that is taken */
    return r == -ETIMEDOUT && client_is_taken(client, err) ? -EBUSY : r;
}

static bool is_stale(int code)
{
    return code == -ENOENT || code == -ECONNREFUSED;
}

/* A domain that restarted has a new socket: the XML is read again, once. */
static int client_reopen(struct client *client, struct error *err)
{
    AUTO_FREE char *old = client->target->socket
                              ? strdup(client->target->socket)
                              : NULL;
    struct error fresh = ERROR_INIT;

    if (!old
        || target_refresh(client->setup.source, client->target, &fresh) < 0) {
        if (fresh.code == -ESHUTDOWN || fresh.code == -EHOSTUNREACH
            || fresh.code == -ENXIO)
            *err = fresh;
        return err->code;
    }
    if (!client->target->socket || strcmp(old, client->target->socket) == 0)
        return err->code;
    error_clear(err);
    return client_open(client, err);
}

static int client_load_key(struct client *client, struct error *err)
{
    int r;

    if (client->key_loaded)
        return 0;
    r = keyfile_load(client->setup.config, client->target->name, &client->key,
                     err);
    if (r < 0)
        return r;
    client->key_loaded = true;
    client->rpc.key = r == 0 ? &client->key : NULL;
    return 0;
}

int client_connect(struct client *client, struct error *err)
{
    const struct handshake_peer *peer = &client->rpc.peer;
    struct error own = ERROR_INIT; /* client_reopen() reads it */
    int r;

    if (client->rpc.transport)
        return 0;
    r = client_load_key(client, &own);
    if (r == 0)
        r = client_open(client, &own);
    if (is_stale(r) && client->target->name)
        r = client_reopen(client, &own);
    if (r < 0) {
        client_blame(client, &own);
        if (err)
            *err = own;
        return r;
    }
    client->was_connected = true;
    if (peer->clock_ahead && client->rpc.key)
        out_note(client->setup.out,
                 "the guest's clock is %" PRId64 " s %s; signing by it",
                 peer->clock_ahead > 0 ? peer->clock_ahead
                                       : -peer->clock_ahead,
                 peer->clock_ahead > 0 ? "ahead" : "behind");
    return 0;
}
