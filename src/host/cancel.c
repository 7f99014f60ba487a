/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/cancel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/clock.h"

/* A person waits for it: TERM, and KILL after two seconds in the guest. */
#define CANCEL_MS 3000

#define LAST_WORDS                                                           \
    PROGRAM ": not waited for; the agent ends it within 5 s\n"
#define LAST_DOUBT PROGRAM ": not waited for; " CANCEL_DOUBT "\n"

/* What the agent says became of a request. */
struct fate {
    const char *state;
    const char *signal; /* that ended a command; NULL: none */
    int64_t exit_code;  /* -1: no command has ended */
    int64_t duration_ms;
    int64_t code;       /* the business code of its answer */
};

static int fate_take(struct json_object *data, struct fate *fate)
{
    *fate = (struct fate) { .exit_code = -1 };
    if (param_string(data, "state", PARAM_REQUIRED, &fate->state, NULL)
        || param_string(data, "signal", PARAM_OPTIONAL, &fate->signal, NULL)
        || param_int(data, "exit_code", PARAM_OPTIONAL, 0, UINT8_MAX,
                     &fate->exit_code, NULL)
        || param_int(data, "duration_ms", PARAM_OPTIONAL, 0, INT64_MAX,
                     &fate->duration_ms, NULL)
        || param_int(data, "code", PARAM_OPTIONAL, 0, INT32_MAX, &fate->code,
                     NULL))
        return -EBADMSG;
    return 0;
}

/* Return: false when it says nothing that is certain. */
static bool fate_tell(const struct fate *fate,
                      const struct client_request *request, struct error *err)
{
    const char *undone = request->undone;

    if (strcmp(fate->state, "none") == 0)
        error_set(err, -ECANCELED, "interrupted: %s",
                  undone ? undone : "the request never arrived");
    else if (request->partial && undone)
        error_set(err, -ECANCELED, "interrupted: %s", undone);
    else if (strcmp(fate->state, "done") != 0)
        return false;
    else if (fate->signal)
        error_set(err, -ECANCELED,
                  "interrupted: the command was ended in the guest (%s) "
                  "after %.1f s",
                  fate->signal, (double) fate->duration_ms / 1000);
    else if (fate->exit_code >= 0)
        error_set(err, -ECANCELED,
                  "interrupted: the command had ended with exit code %" PRId64,
                  fate->exit_code);
    else if (fate->code == STATUS_SUCCESS)
        error_set(err, -ECANCELED,
                  "interrupted: the request had been carried out");
    else
        error_set(err, -ECANCELED,
                  "interrupted: the request had failed (%s)",
                  status_get((int) fate->code)->message);
    return true;
}

/* Asks over a connection of its own.  Return: true when err tells. */
static bool cancel_ask(struct client *client, const struct cancelled *what,
                       int64_t limit, struct error *err)
{
    char target[sizeof(API_PREFIX "/requests/") + RPC_ID_SIZE];
    struct client_request request = { .method = "DELETE",
                                      .target = target,
                                      .careless = true };
    struct answer answer;
    struct fate fate;
    bool told = false;

    snprintf(target, sizeof(target), API_PREFIX "/requests/%s",
             what->id);
    answer_init(&answer);
    if (client_connect(client, NULL) == 0) {
        request.read_ms = limit - clock_ms();
        request.age_ms = clock_ms() - what->since + 1;
        if (request.read_ms > 0
            && client_send_request(client, &request, &answer, NULL) == 0
            && answer.envelope.root && answer.envelope.code == STATUS_SUCCESS
            && fate_take(answer.envelope.data, &fate) == 0)
            told = fate_tell(&fate, what->request, err);
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
    if (request->partial && request->undone) {
        error_set(err, -ECANCELED, "interrupted: %s", request->undone);
        return;
    }
    error_set(err, -ECANCELED, "interrupted; %s",
              request->doubt ? request->doubt : CANCEL_DOUBT);
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
              what->request->undone ? ": " : "",
              what->request->undone ? what->request->undone : "");
    if (what->id) {
        /* The agent has to see us leave.  What comes in this time is the same
         * signal once more: timeout(1) sends it to us and to our group. */
        clock_sleep_ms(RECONNECT_GAP_MS);
        interrupt_take(&client->interrupt);
        interrupt_last_words(what->remembered ? LAST_WORDS : LAST_DOUBT);
        interrupt_end(&client->interrupt);
        if (!what->remembered || !cancel_run(client, what, limit, err))
            cancel_unknown(what->request, err);
        interrupt_last_words(NULL);
    }
    client_blame(client, err);
}
