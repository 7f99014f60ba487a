/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One request's way through its attempts.
 *
 * A request that changes nothing may be made again, whatever happened.  Any
 * other one only if it was not carried out: it did not arrive, or the agent
 * said so.  If it may have been, it is made again with the same id and its
 * age, but only to the same memory (the agent's "instance"), which then gives
 * the answer that got lost instead of doing it twice.  Where that memory has
 * gone, the outcome is unknown, and that is what we say.
 */
#include <config.h>

#include "host/client.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "host/cancel.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "util/clock.h"
#include "util/fd.h"

struct effort {
    struct client *client;
    const struct client_request *request;
    char id[RPC_ID_SIZE];
    struct retry_count count;
    int64_t limit;     /* no attempt starts after it */
    int64_t answer_by; /* of what may have been carried out */
    int64_t first;     /* when it was sent first */
    char instance[RPC_WORD_MAX]; /* who was sent it; "": has no memory */
    char boot_id[RPC_WORD_MAX];
    bool safe;         /* changes nothing */
    bool maybe;        /* it may have been carried out */
    bool guards;       /* it holds the signals back, and not its caller */
    struct silence silence;
};

static int effort_judge(const struct client_request *request,
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

/* Nobody named a time: that of a sleeping guest does not count. */
static int effort_silent(void *context, struct error *err)
{
    struct effort *effort = context;
    int64_t before = effort->silence.slept;
    int r = silence_judge(&effort->silence, err);

    if (effort->answer_by != DEADLINE_NEVER)
        effort->answer_by += effort->silence.slept - before;
    return r;
}

static int effort_woken(void *context, struct error *err)
{
    const struct client_request *request
        = ((struct effort *) context)->request;

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

/* What the request allows for its answer. */
static int64_t effort_answer_ms(const struct effort *effort)
{
    const struct client_request *request = effort->request;

    return request->read_ms == TIMEOUT_UNSET ? client_timeout(effort->client)
                                             : request->read_ms;
}

/* What is left of that in this attempt. */
static int64_t effort_read_ms(const struct effort *effort)
{
    if (effort->safe)
        return shorter(effort_answer_ms(effort), left(effort->limit));
    return effort->maybe ? left(effort->answer_by) : effort_answer_ms(effort);
}

static void effort_wire(struct effort *effort, struct rpc_request *wire)
{
    const struct client *client = effort->client;
    const struct client_request *request = effort->request;
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
        .read_ms = effort_read_ms(effort),
        .write_ms = shorter(client->setup.config->write_timeout, user),
        /* Only the start is worth waiting for without end. */
        .rest_ms = client->setup.config->read_timeout,
        .id = effort->id,
        .age_ms = effort->maybe ? clock_ms() - effort->first + 1
                                : request->age_ms,
        .silence_ms = client->rpc.peer.heartbeat ? SILENCE_MS : 0,
        .silent = effort_silent,
        .woken = request->woken ? effort_woken : NULL,
        .context = effort,
    };
}

/* Is this still the agent that may have carried it out? */
static int effort_recognise(const struct effort *effort, struct error *err)
{
    const struct hello_peer *peer = &effort->client->rpc.peer;

    if (!effort->maybe || effort->safe
        || strcmp(peer->instance, effort->instance) == 0)
        return 0;
    if (strcmp(peer->boot_id, effort->boot_id) != 0)
        return error_set(err, -ESTALE, "the guest rebooted");
    return error_set(err, -ESTALE, "the agent was restarted");
}

/* From here on signals are ours: somebody has to take the request back. */
static int effort_guard(struct effort *effort, struct error *err)
{
    struct client *client = effort->client;
    bool held = client->interrupt.fd >= 0;
    int r = 0;

    if (!held && (effort->safe || effort->request->careless))
        return 0;
    r = interrupt_begin(&client->interrupt);
    if (r < 0)
        return error_errno(err, r, "signals");
    effort->guards = effort->guards || !held;
    rpc_set_wake(&client->rpc, client->interrupt.fd);
    return 0;
}

static void effort_sent(struct effort *effort)
{
    const struct hello_peer *peer = &effort->client->rpc.peer;
    int64_t read_ms = effort_answer_ms(effort);

    if (effort->maybe)
        return;
    effort->maybe = true;
    effort->first = clock_ms();
    effort->answer_by = read_ms ? deadline_in(read_ms) : DEADLINE_NEVER;
    memcpy(effort->instance, peer->instance, sizeof(effort->instance));
    memcpy(effort->boot_id, peer->boot_id, sizeof(effort->boot_id));
}

/* The agent says that it did not do it. */
static bool effort_refused(int r, const struct answer *answer)
{
    int code = r == 0 && answer->envelope.root ? answer->envelope.code : 0;

    return code == STATUS_SERVICE_UNAVAILABLE
           || code == STATUS_SESSION_EXPIRED;
}

static int effort_call(struct effort *effort, struct answer *answer,
                       struct error *err)
{
    struct client *client = effort->client;
    bool before = effort->maybe;
    struct rpc_request wire;
    bool sent;
    int r;

    effort_wire(effort, &wire);
    effort_sent(effort);
    r = rpc_call(&client->rpc, &wire, &answer->reply, &sent, err);
    if (r == 0)
        r = effort_judge(effort->request, answer, err);
    else
        client_hang_up(client);
    if (!sent || effort_refused(r, answer))
        effort->maybe = before;
    return r;
}

static int effort_attempt(struct effort *effort, struct answer *answer,
                          struct error *err)
{
    int64_t start = clock_ms();
    int r = client_connect(effort->client, err);

    if (r == 0)
        r = effort_recognise(effort, err);
    if (r == 0)
        r = effort_guard(effort, err);
    if (r == 0)
        r = effort_call(effort, answer, err);
    answer->ms = clock_ms() - start;
    return r;
}

static enum retry_class effort_class(const struct effort *effort, int r,
                                     const struct answer *answer)
{
    bool doubtful = effort->maybe && !effort->safe;
    enum retry_class class;

    if (r < 0) {
        /* Who cannot connect at all has waited already, or never will. */
        if (!effort->client->was_connected
            || (doubtful && !*effort->instance))
            return RETRY_NEVER;
        /* It may still be booting, or asleep, or somebody came in between. */
        if ((effort->maybe || effort->request->underway)
            && (r == -EHOSTDOWN || r == -EHOSTUNREACH || r == -EBUSY))
            return RETRY_NETWORK;
        class = retry_class_of_errno(r);
        /* The time for the answer is over; a second one is not given. */
        return doubtful && class == RETRY_TIMEOUT ? RETRY_NEVER : class;
    }
    class = answer->envelope.root
                ? retry_class_of_status(answer->envelope.code)
                : RETRY_NEVER;
    /* An internal error may have come half-way. */
    return class == RETRY_INTERNAL && !effort->safe ? RETRY_NEVER : class;
}

/* Waits before another attempt.  Return: 0 or -ECANCELED. */
static int effort_wait(struct effort *effort, int64_t ms)
{
    struct client *client = effort->client;
    int r;

    /* Others may use the channel, unless somebody works for us there. */
    if (ms > RECONNECT_GAP_MS && !effort->maybe)
        client_disconnect(client);
    r = fd_wait_or(-1, 0, client->interrupt.fd, deadline_in(ms));
    return r == -ECANCELED ? r : 0;
}

/* Waits for another attempt.  Return: 1; 0 when there is none; -ECANCELED. */
static int effort_again(struct effort *effort, int r,
                        const struct answer *answer, const struct error *err)
{
    const struct client *client = effort->client;
    enum retry_class class = effort_class(effort, r, answer);
    int64_t wait = retry_next(&client->policy, &effort->count, class,
                              answer->reply.retry_after);
    int64_t limit = effort->limit;

    /* What is under way has the time of its answer: a command's own, and some
     * for the agent to end it. */
    if (effort->maybe && !effort->safe)
        limit = effort->answer_by;
    if (wait < 0 || (limit != DEADLINE_NEVER && clock_ms() + wait >= limit))
        return 0;
    out_note(client->setup.out, "%s; again in %g s",
             r < 0 ? err->message : envelope_detail(&answer->envelope),
             (double) wait / 1000);
    if (class == RETRY_SESSION)
        client_hang_up(effort->client);
    return effort_wait(effort, wait) < 0 ? -ECANCELED : 1;
}

/* The last words about a request that failed. */
static void effort_failed(const struct effort *effort, int r,
                          struct error *err)
{
    const struct client_request *request = effort->request;
    size_t used = strlen(err->message);

    if (effort->maybe && !effort->safe) {
        snprintf(err->message + used, sizeof(err->message) - used, "; %s",
                 request->doubt ? request->doubt : CANCEL_DOUBT);
        if (!request->partial)
            err->code = STATUS_OUTCOME_UNKNOWN;
    } else if (r == -ETIMEDOUT) {
        error_hint(err, "--timeout SECONDS for a longer wait");
    }
    client_blame(effort->client, err);
}

static void effort_log(const struct effort *effort, int r,
                       const struct answer *answer, const struct error *err)
{
    const struct client *client = effort->client;
    const struct client_request *request = effort->request;
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

static int effort_run(struct effort *effort, struct answer *answer,
                      struct error *err)
{
    for (;;) {
        int r;
        int again;

        error_clear(err);
        r = effort_attempt(effort, answer, err);
        again = r == -ECANCELED ? 0 : effort_again(effort, r, answer, err);
        if (again == 0)
            return r;
        answer_free(answer);
        if (again < 0)
            return again;
    }
}

static int effort_begin(struct effort *effort, struct client *client,
                        const struct client_request *request)
{
    int64_t timeout = client->setup.timeout;

    *effort = (struct effort) {
        .client = client,
        .request = request,
        .safe = request->again || strcmp(request->method, "GET") == 0,
        .silence = SILENCE_INIT(client),
        .limit = timeout > 0 ? deadline_in(timeout) : DEADLINE_NEVER,
        .answer_by = DEADLINE_NEVER,
    };
    return rpc_new_id(effort->id);
}

static int effort_end(struct effort *effort, int r,
                      const struct answer *answer, struct error *err)
{
    struct client *client = effort->client;

    struct cancelled what = { .request = effort->request,
                              .id = effort->maybe ? effort->id : NULL,
                              .since = effort->first,
                              .remembered = *effort->instance != '\0' };

    /* Who holds the signals himself takes back what he began. */
    if (r == -ECANCELED && (effort->guards || !effort->safe))
        cancel(client, &what, err);
    if (effort->guards) {
        rpc_set_wake(&client->rpc, -1);
        interrupt_end(&client->interrupt);
    }
    if (r < 0 && r != -ECANCELED)
        effort_failed(effort, r, err);
    effort_log(effort, r, answer, err);
    if (r < 0)
        client_disconnect(client);
    return r;
}

int client_send_request(struct client *client,
                        const struct client_request *request,
                        struct answer *answer, struct error *err)
{
    struct error own = ERROR_INIT;
    struct effort effort;
    int r = effort_begin(&effort, client, request);

    if (r < 0)
        return error_errno(err, r, "random numbers");
    r = effort_run(&effort, answer, &own);
    r = effort_end(&effort, r, answer, &own);
    if (r < 0 && err)
        *err = own;
    return r;
}
