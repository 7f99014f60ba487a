/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The attempts of one request.  One that changes nothing is made again at
 * will; any other if it was not carried out, or else with its id and age to
 * the same replay cache (the agent's "instance"), which has the answer that
 * got lost.  Without that cache the outcome is unknown.
 */
#include <config.h>

#include "host/client/attempts.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "host/client/answer.h"
#include "host/client/as_user.h"
#include "host/client/busy.h"
#include "host/client/cancel.h"
#include "host/client/connect.h"
#include "host/client/silence.h"
#include "host/client/specified.h"
#include "proto/limits.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/clock.h"
#include "util/fd.h"

/* From one look at a sleeping domain to the next. */
#define SLEEP_LOOK_MS 1000

struct attempts {
    struct client *client;
    const struct client_request *request;
    char id[RPC_ID_SIZE];
    struct retry_count count;
    int64_t limit;               /* no attempt starts after it */
    int64_t answer_by;           /* of what may have been carried out */
    int64_t first;               /* when it was sent first */
    char instance[RPC_WORD_MAX]; /* who was sent it; "": has no memory */
    char boot_id[RPC_WORD_MAX];
    bool safe;       /* changes nothing */
    bool maybe_done; /* it may have been carried out */
    bool guards;     /* it holds the signals back, and not its caller */
    enum { CONNECTING, SENDING, WAITING } doing; /* in the last attempt */
    bool silent; /* no sign of life came for SILENCE_MS in it */
    const struct rpc_reply *reply; /* that it waits for */
    struct error
        got; /* by the last attempt that was connected; code 0: none */
    struct silence silence;
};

static int attempts_judge(const struct client_request *request,
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
                       &answer->envelope, err)
        < 0)
        return request->raw ? 0 : -EBADMSG;
    if (answer->envelope.code == STATUS_SUCCESS && answer->reply.http >= 300)
        return error_set(err, -EBADMSG,
                         "the agent's answer does not agree with itself: HTTP "
                         "%d, code 0",
                         answer->reply.http);
    answer->unknown = route_unknown(answer->envelope.code, request->method,
                                    request->target);
    return 0;
}

/* What the request allows for its answer. */
static int64_t attempts_answer_ms(const struct attempts *attempts)
{
    const struct client *client = attempts->client;
    int64_t read_ms = attempts->request->read_ms;

    if (read_ms == TIMEOUT_ALIVE && client->setup.timeout == TIMEOUT_UNSET
        && client->rpc.peer.heartbeat)
        return 0;
    return read_ms < 0 ? client_timeout(client) : read_ms;
}

static bool attempts_uncertain(const struct attempts *attempts)
{
    return attempts->maybe_done && !attempts->safe;
}

/* A domain that runs, and no sign of life from it, of which there are some
 * only while a request is worked on.  What the agent remembers is asked for
 * over another connection; whoever would be answered anew gains nothing by
 * that before the answer's time is over, and in the middle of an answer there
 * is no room for signs of life.  Return: as silent(). */
static int attempts_still(struct attempts *attempts, struct error *err)
{
    bool can_ask = attempts->request->underway
                   || (attempts_uncertain(attempts) && *attempts->instance);
    bool answers = attempts->doing == WAITING && attempts->reply->begun;

    attempts->silent = attempts->doing == WAITING && (can_ask || !answers);
    if (attempts->silent && (can_ask || attempts_answer_ms(attempts) == 0))
        return -ETIMEDOUT;
    error_clear(err);
    return 0;
}

/* Nobody named a time: that of a sleeping guest does not count. */
static int attempts_silent(void *context, struct error *err)
{
    struct attempts *attempts = context;
    int64_t before = attempts->silence.slept;
    int r = silence_judge(&attempts->silence, err);

    if (attempts->answer_by != DEADLINE_NEVER)
        attempts->answer_by += attempts->silence.slept - before;
    return r == -ETIMEDOUT ? attempts_still(attempts, err) : r;
}

static int attempts_woken(void *context, struct error *err)
{
    const struct client_request *request =
        ((struct attempts *) context)->request;

    return request->woken(request->context, err);
}

/* What is left until a deadline as a time to wait, where 0 is for ever. */
static int64_t left(int64_t deadline)
{
    int64_t ms = deadline - clock_ms();

    if (deadline == DEADLINE_NEVER)
        return 0;
    return ms > 0 ? ms : 1;
}

/* The shorter of two times, where 0 is for ever. */
static int64_t shorter(int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

/* What is left of that in this attempt. */
static int64_t attempts_read_ms(const struct attempts *attempts)
{
    if (attempts->safe)
        return shorter(attempts_answer_ms(attempts), left(attempts->limit));
    return attempts->maybe_done ? left(attempts->answer_by)
                                : attempts_answer_ms(attempts);
}

static void attempts_wire(struct attempts *attempts, struct rpc_request *wire)
{
    const struct client *client = attempts->client;
    const struct client_request *request = attempts->request;
    int64_t user = client->setup.timeout > 0 ? client->setup.timeout : 0;

    *wire = (struct rpc_request) {
        .method = request->method,
        .target = request->target,
        .content_type = request->content_type,
        .body = request->body,
        .body_len = request->body_len,
        .stream = request->stream,
        .range_field = request->range_field,
        .range = request->range,
        .condition_field = request->condition_field,
        .condition = request->condition,
        .read_ms = attempts_read_ms(attempts),
        .write_ms = shorter(client->setup.config->write_timeout, user),
        /* Only the start is worth waiting for without end. */
        .rest_ms = client->setup.config->read_timeout,
        .id = attempts->id,
        .age_ms = attempts->maybe_done ? clock_ms() - attempts->first + 1
                                       : request->age_ms,
        .silence_ms = client->rpc.peer.heartbeat ? SILENCE_MS : 0,
        .silent = attempts_silent,
        .woken = request->woken ? attempts_woken : NULL,
        .context = attempts,
    };
}

/* Is this still the agent that may have carried it out? */
static int attempts_recognise(const struct attempts *attempts,
                              struct error *err)
{
    const struct handshake_peer *peer = &attempts->client->rpc.peer;

    if (!attempts_uncertain(attempts)
        || strcmp(peer->instance, attempts->instance) == 0)
        return 0;
    if (strcmp(peer->boot_id, attempts->boot_id) != 0)
        return error_set(err, -ESTALE, "the guest rebooted");
    return error_set(err, -ESTALE, "the agent was restarted");
}

/* A server that knows only the specification is asked for nothing else: what
 * it makes of it nobody can say.  Routes that we do not know are its own. */
static int attempts_specified(const struct attempts *attempts,
                              struct error *err)
{
    const struct client_request *request = attempts->request;
    const char *more = request->raw ? NULL : strchr(request->target, '&');
    char allow[ROUTE_ALLOW_MAX];
    char words[ROUTE_WORDS_MAX] = "";
    const struct route *route;
    const char *rest;

    if (!attempts->client->rpc.peer.plain)
        return 0;
    if (request->beyond)
        snprintf(words, sizeof(words), "%s", request->beyond);
    else if (route_match(request->method, request->target, &route, &rest,
                         allow)
             != 0)
        return 0;
    else if (route->id != ROUTE_CUSTOM && !(route->flags & ROUTE_SPECIFIED))
        route_words(route, words);
    else if (more) /* none of its requests has two parameters */
        snprintf(words, sizeof(words), "%.*s", (int) strcspn(more + 1, "="),
                 more + 1);
    if (!*words)
        return 0;
    error_set(err, -EOPNOTSUPP,
              "the server in the guest knows only the specification: it has "
              "no '%s'",
              words);
    error_hint(err, "in the guest: vsrpc-agent instead of that server");
    return -EOPNOTSUPP;
}

/* From here on signals are ours: somebody has to take the request back. */
static int attempts_guard(struct attempts *attempts, struct error *err)
{
    struct client *client = attempts->client;
    bool held = client->interrupt.fd >= 0;
    int r = 0;

    if (!held && (attempts->safe || attempts->request->no_cancel))
        return 0;
    r = interrupt_begin(&client->interrupt);
    if (r < 0)
        return error_errno(err, r, "signals");
    attempts->guards = attempts->guards || !held;
    rpc_set_wake(&client->rpc, client->interrupt.fd);
    return 0;
}

static void attempts_sent(struct attempts *attempts)
{
    const struct handshake_peer *peer = &attempts->client->rpc.peer;
    int64_t read_ms = attempts_answer_ms(attempts);

    if (attempts->maybe_done)
        return;
    attempts->maybe_done = true;
    attempts->first = clock_ms();
    attempts->answer_by = read_ms ? deadline_in(read_ms) : DEADLINE_NEVER;
    memcpy(attempts->instance, peer->instance, sizeof(attempts->instance));
    memcpy(attempts->boot_id, peer->boot_id, sizeof(attempts->boot_id));
}

/* The agent says that it did not do it. */
static bool attempts_refused(int r, const struct answer *answer)
{
    int code = r == 0 && answer->envelope.root ? answer->envelope.code : 0;

    return code == STATUS_SERVICE_UNAVAILABLE
           || code == STATUS_SESSION_EXPIRED;
}

static int attempts_call(struct attempts *attempts, struct answer *answer,
                         struct error *err)
{
    struct client *client = attempts->client;
    bool before = attempts->maybe_done;
    struct rpc_request wire;
    bool sent;
    int r;

    attempts_wire(attempts, &wire);
    attempts_sent(attempts);
    attempts->doing = SENDING;
    attempts->reply = &answer->reply;
    r = rpc_post(&client->rpc, &wire, &sent, err);
    if (r == 0) {
        attempts->doing = WAITING;
        r = rpc_take(&client->rpc, &wire, &answer->reply, err);
    }
    if ((r < 0 && !attempts->silent) || client->rpc.peer.plain)
        client_hang_up(client);
    if (r == 0)
        r = attempts_judge(attempts->request, answer, err);
    if (!sent || attempts_refused(r, answer))
        attempts->maybe_done = before;
    return r;
}

static int attempts_attempt(struct attempts *attempts, struct answer *answer,
                            struct error *err)
{
    int64_t start = clock_ms();
    int r;

    attempts->doing = CONNECTING;
    attempts->silent = false;
    r = client_connect(attempts->client, err);
    if (r == 0)
        r = attempts_recognise(attempts, err);
    if (r == 0)
        r = attempts_specified(attempts, err);
    if (r == 0)
        r = attempts_guard(attempts, err);
    if (r == 0)
        r = attempts_call(attempts, answer, err);
    answer->ms = clock_ms() - start;
    return r;
}

static enum retry_stage attempts_stage(const struct attempts *attempts)
{
    if (attempts->maybe_done || attempts->request->underway)
        return RETRY_UNDERWAY;
    return attempts->client->was_connected ? RETRY_CONNECTED
                                           : RETRY_UNCONNECTED;
}

static enum retry_class attempts_class(const struct attempts *attempts, int r,
                                       const struct answer *answer)
{
    enum retry_class class = RETRY_NEVER;

    if (r < 0)
        class = retry_class_of_errno(r, attempts_stage(attempts));
    else if (answer->envelope.root)
        class = retry_class_of_status(answer->envelope.code);
    if (attempts_uncertain(attempts)
        && (!*attempts->instance || !retry_may_ask(class)))
        return RETRY_NEVER;
    return class;
}

/* Waits before another attempt.  Return: 0 or -ECANCELED. */
static int attempts_wait(struct attempts *attempts, int64_t ms)
{
    struct client *client = attempts->client;
    int r;

    /* Others may use the channel, unless somebody works for us there. */
    if (ms > RECONNECT_GAP_MS && !attempts->maybe_done)
        client_disconnect(client);
    r = fd_wait_or(-1, 0, client->interrupt.fd, deadline_in(ms));
    return r == -ECANCELED ? r : 0;
}

/* Likewise, of which the user hears when it takes long. */
static int attempts_wait_busy(struct attempts *attempts, int64_t ms,
                              const struct answer *answer)
{
    struct client *client = attempts->client;
    int64_t silent = BUSY_SILENT_MS - (attempts->count.busy_ms - ms);
    int r = 0;

    if (silent < 0)
        silent = 0;
    if (client->busy_told || ms <= silent)
        return attempts_wait(attempts, ms);
    if (silent)
        r = attempts_wait(attempts, silent);
    if (r < 0)
        return r;
    busy_tell(client, answer, ms - silent);
    return attempts_wait(attempts, ms - silent);
}

/* Notes why nobody waits for a busy agent. */
static void attempts_not_waited(const struct attempts *attempts, int64_t wait,
                                struct answer *answer)
{
    int64_t timeout = attempts->client->setup.timeout;
    int64_t busy = busy_seconds(answer);

    if (busy <= 0 || (wait >= 0 && timeout <= 0))
        return;
    answer->busy_s = busy;
    /* What has passed, the wait, and then as much as was to do without. */
    if (wait >= 0)
        answer->enough_s = (clock_ms() + wait + 2 * timeout - attempts->limit
                            + 999)
                           / 1000;
}

/* Has it begun, and does the domain sleep now?  Who cannot begin is told. */
static bool attempts_asleep(const struct attempts *attempts, int r)
{
    return r == -EHOSTUNREACH && attempts->client->was_connected
           && !(attempts_uncertain(attempts) && !*attempts->instance);
}

/* Waits for the domain to go on.  Return: as attempts_again(). */
static int attempts_sleep(struct attempts *attempts,
                          const struct answer *answer, const struct error *err)
{
    int64_t before = clock_ms();
    int r;

    silence_tell(&attempts->silence, err);
    if (deadline_left(attempts->limit) == 0
        || (attempts_uncertain(attempts)
            && deadline_left(attempts->answer_by) == 0))
        return 0;
    r = attempts_wait(attempts, SLEEP_LOOK_MS);
    /* As attempts_silent(): without a named time it does not count. */
    if (attempts->client->setup.timeout == TIMEOUT_UNSET
        && attempts->answer_by != DEADLINE_NEVER)
        attempts->answer_by += answer->ms + clock_ms() - before;
    return r < 0 ? r : 1;
}

/* Waits for another attempt.  Return: 1; 0 when there is none; -ECANCELED. */
static int attempts_again(struct attempts *attempts, int r,
                          struct answer *answer, const struct error *err)
{
    const struct client *client = attempts->client;
    enum retry_class class = attempts_class(attempts, r, answer);
    int64_t wait = retry_next(&client->policy, &attempts->count, class,
                              busy_seconds(answer));
    int64_t limit = attempts->limit;

    if (attempts_asleep(attempts, r))
        return attempts_sleep(attempts, answer, err);
    /* What is under way has the time of its answer: a command's own, and some
     * for the agent to end it. */
    if (attempts_uncertain(attempts))
        limit = attempts->answer_by;
    if (wait < 0 || (limit != DEADLINE_NEVER && clock_ms() + wait >= limit)) {
        if (class == RETRY_BUSY)
            attempts_not_waited(attempts, wait, answer);
        return 0;
    }
    out_note(client->setup.out, "%s; again in %g s",
             r < 0 ? err->message : envelope_detail(&answer->envelope),
             (double) wait / 1000);
    if (class == RETRY_SESSION)
        client_hang_up(attempts->client);
    r = class == RETRY_BUSY ? attempts_wait_busy(attempts, wait, answer)
                            : attempts_wait(attempts, wait);
    /* Not before: what runs in the guest ends when its client stays away. */
    if (attempts->silent)
        client_hang_up(attempts->client);
    return r < 0 ? -ECANCELED : 1;
}

/* What makes the time longer that was over; for an agent that gives no sign
 * of life it is not the time. */
static void attempts_hint(const struct attempts *attempts, struct error *err)
{
    const struct client_setup *setup = &attempts->client->setup;
    const struct config *config = setup->config;
    const struct {
        const char *key;
        int64_t ms;
    } times[] = {
        [CONNECTING] = { "connect_timeout", config->connect_timeout },
        [SENDING] = { "write_timeout", config->write_timeout },
        [WAITING] = { "read_timeout", config->read_timeout },
    };
    bool is_ours = attempts->doing == WAITING
                       ? attempts_answer_ms(attempts) != 0
                       : setup->timeout > 0
                             && setup->timeout <= times[attempts->doing].ms;

    if (attempts->silent)
        error_hint(err, "in the guest: systemctl restart virtio-rpc");
    else if (is_ours)
        error_hint(err, "--timeout SECONDS for a longer wait");
    else
        error_hint(err, "connection.%s in %s for a longer wait",
                   times[attempts->doing].key,
                   config->file ? config->file : CONFIG_FILE);
}

static void attempts_note(struct attempts *attempts, int r,
                          const struct error *err)
{
    if (r >= 0 || attempts->doing == CONNECTING)
        return;
    attempts->got = *err;
    if (r == -ETIMEDOUT)
        attempts_hint(attempts, &attempts->got);
}

/* Who lost a connection and gets no other is told both. */
static void attempts_both(const struct attempts *attempts, struct error *err)
{
    const struct error *got = &attempts->got;
    struct error later = *err;

    if (attempts->doing != CONNECTING || !got->code)
        return;
    error_set(err, later.code, "%.300s; then: %s", got->message,
              client_unblamed(attempts->client, later.message));
    err->status = later.status;
    if (*later.hint)
        error_hint(err, "%s%s%s", got->hint, *got->hint ? "; " : "",
                   later.hint);
}

/* The last words about a request that failed. */
static void attempts_failed(const struct attempts *attempts, int r,
                            struct error *err)
{
    const struct client_request *request = attempts->request;
    size_t used;

    attempts_both(attempts, err);
    used = strlen(err->message);
    if (attempts_uncertain(attempts)) {
        snprintf(err->message + used, sizeof(err->message) - used, "; %s",
                 request->if_unknown ? request->if_unknown : CANCEL_UNKNOWN);
        if (!request->partial)
            err->code = STATUS_OUTCOME_UNKNOWN;
    } else if (r == -ETIMEDOUT && !*err->hint) {
        attempts_hint(attempts, err);
    }
    client_blame(attempts->client, err);
}

static void attempts_log(const struct attempts *attempts, int r,
                         const struct answer *answer, const struct error *err)
{
    const struct client *client = attempts->client;
    const struct client_request *request = attempts->request;
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

static int attempts_run(struct attempts *attempts, struct answer *answer,
                        struct error *err)
{
    for (;;) {
        int r;
        int again;

        error_clear(err);
        r = attempts_attempt(attempts, answer, err);
        attempts_note(attempts, r, err);
        again = r == -ECANCELED ? 0 : attempts_again(attempts, r, answer, err);
        if (again == 0)
            return r;
        answer_free(answer);
        if (again < 0)
            return again;
    }
}

/* A GET of ours changes nothing; what one of a handler does, or of a route that
 * we do not know, nobody can say. */
static bool is_safe(const struct client_request *request)
{
    char allow[ROUTE_ALLOW_MAX];
    const struct route *route = NULL;
    const char *rest;

    if (request->again)
        return true;
    return (strcmp(request->method, "GET") == 0
            || strcmp(request->method, "HEAD") == 0)
           && route_match(request->method, request->target, &route, &rest,
                          allow)
                  == 0
           && route->id != ROUTE_CUSTOM;
}

static int attempts_begin(struct attempts *attempts, struct client *client,
                          const struct client_request *request)
{
    int64_t timeout = client->setup.timeout;

    *attempts = (struct attempts) {
        .client = client,
        .request = request,
        .safe = is_safe(request),
        .silence = SILENCE_INIT(client),
        .limit = timeout > 0 ? deadline_in(timeout) : DEADLINE_NEVER,
        .answer_by = DEADLINE_NEVER,
    };
    return rpc_new_id(attempts->id);
}

static int attempts_end(struct attempts *attempts, int r,
                        const struct answer *answer, struct error *err)
{
    struct client *client = attempts->client;

    struct cancelled what = { .request = attempts->request,
                              .id = attempts->maybe_done ? attempts->id : NULL,
                              .since = attempts->first,
                              .remembered = *attempts->instance != '\0' };

    /* Who holds the signals himself takes back what he began. */
    if (r == -ECANCELED && (attempts->guards || !attempts->safe))
        cancel(client, &what, err);
    if (attempts->guards) {
        rpc_set_wake(&client->rpc, -1);
        interrupt_end(&client->interrupt);
    }
    if (r < 0 && r != -ECANCELED)
        attempts_failed(attempts, r, err);
    attempts_log(attempts, r, answer, err);
    if (r < 0)
        client_disconnect(client);
    return r;
}

static int send_request(struct client *client,
                        const struct client_request *request,
                        struct answer *answer, struct error *err)
{
    struct error own = ERROR_INIT;
    struct attempts attempts;
    int r = attempts_begin(&attempts, client, request);

    if (r < 0)
        return error_errno(err, r, "random numbers");
    r = attempts_run(&attempts, answer, &own);
    /* Asked again it would say the same. */
    if (r == 0 && client->rpc.peer.plain && !request->raw)
        r = specified_check(request->method, request->target, answer, &own);
    r = attempts_end(&attempts, r, answer, &own);
    if (r < 0 && err)
        *err = own;
    return r;
}

int client_send_request(struct client *client,
                        const struct client_request *request,
                        struct answer *answer, struct error *err)
{
    struct client_request named = *request;
    struct buf target;
    int r;

    buf_init(&target, HTTP_TARGET_MAX);
    r = as_user_name(client, &named, &target, err);
    if (r == 0)
        r = send_request(client, &named, answer, err);
    buf_free(&target);
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
