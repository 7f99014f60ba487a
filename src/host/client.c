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
#include "util/clock.h"

void client_init(struct client *client, const struct client_setup *setup,
                 struct target *target)
{
    const struct config *config = setup->config;

    *client = (struct client) { .setup = *setup, .target = target };
    rpc_init(&client->rpc);
    retry_policy_init(&client->policy, config->max_retries,
                      config->retry_interval, config->backoff_factor);
    buf_init(&client->key, AUTH_KEY_MAX + 2);
}

void client_free(struct client *client)
{
    rpc_free(&client->rpc);
    buf_free(&client->key);
}

void client_disconnect(struct client *client)
{
    rpc_close(&client->rpc);
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

/* Puts the domain or socket in front, unless the words name it already. */
static void client_blame(const struct client *client, struct error *err)
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
    if (strcmp(holder.program, "libvirtd") == 0
        || strcmp(holder.program, "virtqemud") == 0)
        error_hint(err, "end its client (virsh console, --transport stream); "
                        "if there is none, one was killed: restart it");
    else if (holder.pid)
        error_hint(err, "end that program, or wait for it: ps -fp %ld",
                   (long) holder.pid);
    else
        error_hint(err, "sudo ss -xp (the client is the peer of the row with "
                        "'%s')",
                   target->socket);
    return true;
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
    error_set(err, -EHOSTDOWN,
              "no answer on channel '%s' within %g s: the agent does not run "
              "or hangs, or another client holds the channel",
              target->channel ? target->channel : target->socket,
              (double) client_connect_ms(client) / 1000);
    if (target->socket && !target->remote)
        error_hint(err, "ss -xp (a client is the peer of the row with '%s')",
                   target->socket);
    else
        error_hint(err, "in the guest: systemctl status virtio-rpc");
    return -EHOSTDOWN;
}

struct dialing {
    struct client *client;
    int attempts;
};

/* Nobody answered the first time: the domain may sleep, or have restarted
 * with another socket.  What only libvirt's trouble is does not matter. */
static int client_look_again(struct client *client, struct error *err)
{
    struct error fresh = ERROR_INIT;
    int r = target_refresh(client->setup.source, client->target, &fresh);

    if (r != -ESHUTDOWN && r != -ESRCH)
        return 0;
    *err = fresh;
    return r;
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

    if (dialing->attempts > 0 && client->target->name)
        r = client_look_again(client, err);
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
    int r = rpc_open(&client->rpc, &dialer, client_connect_ms(client), err);

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
        if (fresh.code == -ESHUTDOWN)
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

/* One request's way through its attempts. */
struct effort {
    const struct client_request *request;
    struct retry_count count;
    int64_t limit;     /* no attempt starts after it */
    bool sent;         /* the agent may have seen the last attempt */
    bool repeatable;
};

static int client_judge(const struct client_request *request,
                        struct answer *answer, struct error *err)
{
    const struct buf *body = &answer->reply.body;

    /* Part of a file, which may itself look like an envelope. */
    if (request->raw && answer->reply.http == 206)
        return 0;
    if (!answer->reply.json) {
        if (request->raw && answer->reply.http < 300)
            return 0;
        return error_set(err, -EBADMSG,
                         "the agent's answer (HTTP %d) is not JSON",
                         answer->reply.http);
    }
    if (envelope_parse((const char *) buf_data(body), body->len,
                       &answer->envelope, err) == 0
        || request->raw)
        return 0;
    return -EBADMSG;
}

static int client_attempt(struct client *client, struct effort *effort,
                          struct answer *answer, struct error *err)
{
    const struct client_request *request = effort->request;
    struct rpc_request wire = {
        .method = request->method,
        .target = request->target,
        .content_type = request->content_type,
        .body = request->body,
        .body_len = request->body_len,
        .range_field = request->range_field,
        .range = request->range,
        .read_ms = request->read_ms == TIMEOUT_UNSET ? client_timeout(client)
                                                     : request->read_ms,
        .write_ms = client->setup.config->write_timeout,
    };
    int64_t start = clock_ms();
    int r;

    effort->sent = false;
    r = client_connect(client, err);
    if (r < 0)
        return r;
    r = rpc_call(&client->rpc, &wire, &answer->reply, &effort->sent, err);
    answer->ms = clock_ms() - start;
    if (r < 0) {
        client_disconnect(client);
        return r;
    }
    return client_judge(request, answer, err);
}

static enum retry_class client_class(const struct client *client,
                                     const struct effort *effort, int r,
                                     const struct answer *answer)
{
    enum retry_class class;

    if (r < 0) {
        /* Who cannot connect at all has waited already, or never will. */
        if (!client->was_connected || (effort->sent && !effort->repeatable))
            return RETRY_NEVER;
        return retry_class_of_errno(r);
    }
    class = answer->envelope.root
                ? retry_class_of_status(answer->envelope.code)
                : RETRY_NEVER;
    /* Busy means not run; an internal error may have come half-way. */
    return class == RETRY_BUSY || effort->repeatable ? class : RETRY_NEVER;
}

/* Waits for another attempt.  Return: false when there is none. */
static bool client_again(const struct client *client, struct effort *effort,
                         int r, const struct answer *answer,
                         const struct error *err)
{
    enum retry_class class = client_class(client, effort, r, answer);
    int64_t wait = retry_next(&client->policy, &effort->count, class,
                              answer->reply.retry_after);

    if (wait < 0
        || (effort->limit != DEADLINE_NEVER
            && clock_ms() + wait >= effort->limit))
        return false;
    out_note(client->setup.out, "%s; again in %g s",
             r < 0 ? err->message : envelope_detail(&answer->envelope),
             (double) wait / 1000);
    clock_sleep_ms(wait);
    return true;
}

/* The last words about a request that failed. */
static int client_failed(const struct client *client,
                         const struct effort *effort, int r,
                         struct error *err)
{
    if (effort->sent && !effort->repeatable) {
        size_t used = strlen(err->message);

        snprintf(err->message + used, sizeof(err->message) - used,
                 "; %s",
                 effort->request->doubt
                     ? effort->request->doubt
                     : "outcome unknown: the request may have been carried "
                       "out");
    } else if (r == -ETIMEDOUT) {
        error_hint(err, "--timeout SECONDS for a longer wait");
    }
    client_blame(client, err);
    return r;
}

static void client_log(const struct client *client,
                       const struct client_request *request, int r,
                       const struct answer *answer, const struct error *err)
{
    const char *name = client->target->name ? client->target->name
                                            : client->target->socket;
    struct log *log = client->setup.log;

    if (r < 0)
        log_error(log, "%s %s %s failed: %s", name, request->method,
                  request->target, err->message);
    else
        log_info(log, "%s %s %s %d %d %" PRId64 " ms", name, request->method,
                 request->target, answer->reply.http, answer->envelope.code,
                 answer->ms);
}

int client_send_request(struct client *client,
                        const struct client_request *request,
                        struct answer *answer, struct error *err)
{
    struct effort effort = {
        .request = request,
        .repeatable = strcmp(request->method, "GET") == 0,
        .limit = client->setup.timeout > 0
                     ? deadline_in(client->setup.timeout)
                     : DEADLINE_NEVER,
    };
    struct error own = ERROR_INIT;
    int r;

    for (;;) {
        error_clear(&own);
        r = client_attempt(client, &effort, answer, &own);
        if (!client_again(client, &effort, r, answer, &own))
            break;
        answer_free(answer);
    }
    if (r < 0)
        client_failed(client, &effort, r, &own);
    client_log(client, request, r, answer, &own);
    if (r < 0 && err)
        *err = own;
    return r;
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
      "security.auth_key_file or auth_key_dir in the host's configuration" },
    { STATUS_PERMISSION_DENIED,
      "in the guest: security.* in /etc/virtio-rpc/guest_config.yaml" },
    { STATUS_SERVICE_UNAVAILABLE, "again later" },
    { STATUS_CMD_TIMEOUT, "--timeout SECONDS for a longer run" },
    { STATUS_INTERNAL_ERROR, "in the guest: journalctl -u virtio-rpc" },
};

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
    if (client->target->name)
        client_blame(client, err);
    return code;
}
