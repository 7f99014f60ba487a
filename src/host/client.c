/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/dial.h"
#include "host/holder.h"
#include "host/keyfile.h"
#include "proto/auth.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* Whoever let another in waits so long (ms) for its turn: longer than most
 * commands take, and not for ever. */
#define GIVEN_WAY_MS (10 * 60 * 1000)

void client_init(struct client *client, const struct client_setup *setup,
                 struct target *target)
{
    const struct config *config = setup->config;

    *client = (struct client) { .setup = *setup,
                                .target = target,
                                .lock = LOCK_INIT,
                                .interrupt = INTERRUPT_INIT };
    rpc_init(&client->rpc);
    retry_policy_init(&client->policy, config->max_retries,
                      config->retry_interval, config->backoff_factor);
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

void answer_init(struct answer *answer)
{
    *answer = (struct answer) { 0 };
    rpc_reply_init(&answer->reply);
}

void answer_free(struct answer *answer)
{
    envelope_free(&answer->envelope);
    rpc_reply_free(&answer->reply);
    answer_init(answer);
}

int answer_unreadable(struct error *err)
{
    error_prefix(err, "the agent's answer makes no sense");
    if (err)
        err->code = -EBADMSG;
    return -EBADMSG;
}

void transfer_result_free(struct transfer_result *result)
{
    free(result->path);
    *result = (struct transfer_result) { 0 };
}

int64_t client_timeout(const struct client *client)
{
    return client->setup.timeout == TIMEOUT_UNSET
               ? client->setup.config->read_timeout
               : client->setup.timeout;
}

/* Unless the words name it already. */
void client_blame(const struct client *client, struct error *err)
{
    const struct target *target = client->target;
    const char *layer = target->name ? "domain" : "socket";
    size_t length = strlen(layer);

    if (err
        && (strncmp(err->message, layer, length) != 0
            || strncmp(err->message + length, " '", 2) != 0))
        error_prefix(err, "%s '%s'", layer,
                     target->name ? target->name : target->socket);
}

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
    if (asprintf(&name, "%s%s%s", target->socket ? target->socket
                                                 : target->uuid,
                 target->socket ? "" : " ",
                 target->socket ? "" : target->channel)
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
                 "domain '%s': channel '%s' through libvirt: %s",
                 target->name, target->channel, dialed->reason);
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
    r = dial_target(client->setup.source, client->target, deadline,
                    transport, &dialed, err);
    if (r == 0 && dialing->attempts++ == 0)
        client_tell_road(client, &dialed);
    return r;
}

static int client_open(struct client *client, struct error *err)
{
    struct dialing dialing = { .client = client };
    struct rpc_dialer dialer = { client_dial, &dialing };
    int r = client_lock(client, err); /* is no part of the time to connect */

    if (r < 0)
        return r;
    r = rpc_open(&client->rpc, &dialer, client_connect_ms(client), err);
    if (r == -EHOSTDOWN)
        return client_no_answer(client, err);
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

    if (!old || target_refresh(client->setup.source, client->target, &fresh)
                    < 0) {
        if (fresh.code == -ESHUTDOWN || fresh.code == -EHOSTUNREACH)
            *err = fresh;
        return err->code;
    }
    if (!client->target->socket
        || strcmp(old, client->target->socket) == 0)
        return err->code;
    error_clear(err);
    return client_open(client, err);
}

static int client_load_key(struct client *client, struct error *err)
{
    int r;

    if (client->key_loaded)
        return 0;
    r = keyfile_load(client->setup.config, client->target->name,
                     &client->key, err);
    if (r < 0)
        return r;
    client->key_loaded = true;
    client->rpc.key = r == 0 ? &client->key : NULL;
    return 0;
}

int client_connect(struct client *client, struct error *err)
{
    const struct hello_peer *peer = &client->rpc.peer;
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

static int client_get(struct client *client, const char *target,
                      struct answer *answer, struct error *err)
{
    struct client_request request = { .method = "GET",
                                      .target = target,
                                      .read_ms = TIMEOUT_UNSET };

    return client_send_request(client, &request, answer, err);
}

int client_ping(struct client *client, struct answer *answer,
                struct error *err)
{
    return client_get(client, API_PREFIX "/ping", answer, err);
}

int client_get_system_info(struct client *client, struct answer *answer,
                           struct error *err)
{
    return client_get(client, API_PREFIX "/system/info", answer, err);
}

static const struct {
    int code;
    const char *hint;
} hints[] = {
    { STATUS_AUTH_FAILED,
      "the key here and the guest's security.auth_key_file must be the same: "
      "compare sha256sum of both" },
    { STATUS_PERMISSION_DENIED,
      "in the guest: security.* in /etc/virtio-rpc/guest_config.yaml" },
    { STATUS_SERVICE_UNAVAILABLE, "again later" },
    { STATUS_REQUEST_GONE, "look in the guest what became of it" },
    { STATUS_CMD_TIMEOUT, "--timeout SECONDS for a longer run" },
    { STATUS_INTERNAL_ERROR, "in the guest: journalctl -u virtio-rpc" },
};

/* What the agent misses in a request are fields; what the user misses is a
 * key. */
static void no_key(const struct client *client, struct error *err)
{
    const char *file = client->setup.config->file;
    const char *domain = client->target->name;

    error_set(err, STATUS_AUTH_FAILED,
              "the agent wants signed requests, and no key is configured "
              "here");
    error_hint(err,
               "in %s: security.auth_key_file, or security.auth_key_dir with "
               "%s.key in it",
               file ? file : CONFIG_FILE,
               domain && !strchr(domain, '/') ? domain : "default");
}

int answer_error(const struct client *client, const struct answer *answer,
                 struct error *err)
{
    const struct envelope *envelope = &answer->envelope;
    const char *detail;
    /* A negative code would pass for an errno of ours. */
    int code = envelope->code < 0 ? STATUS_INTERNAL_ERROR : envelope->code;

    if (!envelope->root || code == STATUS_SUCCESS)
        return 0;
    detail = envelope_detail(envelope);
    if (strcmp(detail, envelope->message) == 0)
        error_set(err, code, "%s", detail);
    else
        error_set(err, code, "%s: %s", envelope->message, detail);
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
        if (hints[i].code == code)
            error_hint(err, "%s", hints[i].hint);
    if (code == STATUS_AUTH_FAILED && !client->rpc.key)
        no_key(client, err);
    if (client->target->name)
        client_blame(client, err);
    return code;
}
