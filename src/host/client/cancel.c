/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Sends DELETE requests/ID over a new connection with short times, and keeps
 * the lock meanwhile.  It waits a moment before that, so that the agent sees
 * the old connection end.  A second signal ends the process at once.
 *
 * attempts.c calls this, and this sends a request by attempts.c, once: one
 * that is no_cancel.
 */
#include <config.h>

#include "host/client/cancel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/client/connect.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/clock.h"

/* A person waits for it: TERM, and KILL after two seconds in the guest. */
#define CANCEL_MS 3000

#define LAST_WORDS PROGRAM ": not waited for; the agent ends it within 5 s\n"
#define LAST_UNKNOWN PROGRAM ": not waited for; " CANCEL_UNKNOWN "\n"

/* What the agent says became of a request. */
struct request_outcome {
    const char *state;
    const char *signal; /* that ended a command; NULL: none */
    int64_t exit_code;  /* -1: no command has ended */
    int64_t duration_ms;
    int64_t code; /* the business code of its answer */
};

static int outcome_take(struct json_object *data,
                        struct request_outcome *outcome)
{
    *outcome = (struct request_outcome) { .exit_code = -1 };
    if (param_string(data, "state", PARAM_REQUIRED, &outcome->state, NULL)
        || param_string(data, "signal", PARAM_OPTIONAL, &outcome->signal, NULL)
        || param_int(data, "exit_code", PARAM_OPTIONAL, 0, UINT8_MAX,
                     &outcome->exit_code, NULL)
        || param_int(data, "duration_ms", PARAM_OPTIONAL, 0, INT64_MAX,
                     &outcome->duration_ms, NULL)
        || param_int(data, "code", PARAM_OPTIONAL, 0, INT32_MAX,
                     &outcome->code, NULL))
        return -EBADMSG;
    return 0;
}

/* Return: false when it says nothing that is certain. */
static bool outcome_tell(const struct request_outcome *outcome,
                         const struct client_request *request,
                         struct error *err)
{
    const char *if_not_done = request->if_not_done;

    if (strcmp(outcome->state, "none") == 0)
        error_set(err, -ECANCELED, "interrupted: %s",
                  if_not_done ? if_not_done : "the request never arrived");
    else if (request->partial && if_not_done)
        error_set(err, -ECANCELED, "interrupted: %s", if_not_done);
    else if (strcmp(outcome->state, "done") != 0)
        return false;
    else if (outcome->signal)
        error_set(err, -ECANCELED,
                  "interrupted: the command was ended in the guest (%s) "
                  "after %.1f s",
                  outcome->signal, (double) outcome->duration_ms / 1000);
    else if (outcome->exit_code >= 0)
        error_set(err, -ECANCELED,
                  "interrupted: the command had ended with exit code %" PRId64,
                  outcome->exit_code);
    else if (outcome->code == STATUS_SUCCESS)
        error_set(err, -ECANCELED,
                  "interrupted: the request had been carried out");
    else
        error_set(err, -ECANCELED, "interrupted: the request had failed (%s)",
                  status_get((int) outcome->code)->message);
    return true;
}

/* Asks over a connection of its own.  Return: true when err tells. */
static bool cancel_ask(struct client *client, const struct cancelled *what,
                       int64_t limit, struct error *err)
{
    char target[sizeof(API_PREFIX "/requests/") + RPC_ID_SIZE];
    struct client_request request = { .method = "DELETE",
                                      .target = target,
                                      .no_cancel = true };
    struct answer answer;
    struct request_outcome outcome;
    bool told = false;

    snprintf(target, sizeof(target), API_PREFIX "/requests/%s", what->id);
    answer_init(&answer);
    if (client_connect(client, NULL) == 0) {
        request.read_ms = limit - clock_ms();
        request.age_ms = clock_ms() - what->since + 1;
        if (request.read_ms > 0
            && client_send_request(client, &request, &answer, NULL) == 0
            && answer.envelope.root && answer.envelope.code == STATUS_SUCCESS
            && outcome_take(answer.envelope.data, &outcome) == 0)
            told = outcome_tell(&outcome, what->request, err);
    }
    answer_free(&answer);
    return told;
}

/* The same target with short times; the lock stays ours. */
static bool cancel_run(struct client *client, const struct cancelled *what,
                       int64_t limit, struct error *err)
{
    struct config config = *client->setup.config;
    struct client_setup setup = client->setup;
    struct client again;
    bool told;

    config.connect_timeout = limit - clock_ms();
    config.max_retries = 0;
    config.timeout_retries = 0;
    config.internal_retries = 0;
    setup.config = &config;
    setup.timeout = config.connect_timeout;
    client_init(&again, &setup, client->target);
    again.lock = client->lock;
    client->lock = (struct lock) LOCK_INIT;
    told = cancel_ask(&again, what, limit, err);
    client_free(&again);
    return told;
}

static void cancel_unknown(const struct client_request *request,
                           struct error *err)
{
    if (request->partial && request->if_not_done) {
        error_set(err, -ECANCELED, "interrupted: %s", request->if_not_done);
        return;
    }
    error_set(err, -ECANCELED, "interrupted; %s",
              request->if_unknown ? request->if_unknown : CANCEL_UNKNOWN);
    err->code = STATUS_OUTCOME_UNKNOWN;
}

void cancel(struct client *client, const struct cancelled *what,
            struct error *err)
{
    int64_t limit = deadline_in(CANCEL_MS);

    client->interrupted = interrupt_take(&client->interrupt);
    rpc_set_wake(&client->rpc, -1);
    client_hang_up(client);
    error_set(err, -ECANCELED, "interrupted%s%s",
              what->request->if_not_done ? ": " : "",
              what->request->if_not_done ? what->request->if_not_done : "");
    if (what->id) {
        /* The agent has to see us leave.  What comes in this time is the same
         * signal once more: timeout(1) sends it to us and to our group. */
        clock_sleep_ms(RECONNECT_GAP_MS);
        interrupt_take(&client->interrupt);
        interrupt_last_words(what->remembered ? LAST_WORDS : LAST_UNKNOWN);
        interrupt_end(&client->interrupt);
        if (!what->remembered || !cancel_run(client, what, limit, err))
            cancel_unknown(what->request, err);
        interrupt_last_words(NULL);
    }
    client_blame(client, err);
}
