/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * service: control one service of the guest, or ask about it.  The answer to a
 * question is also in the exit status, as that of systemctl(1): 0 yes, another
 * no, 4 nobody knows such a service.
 */
#include <config.h>

#include "host/cmd/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "proto/param.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* Exit statuses of the LSB's "status", which systemctl(1) has, too. */
#define NOT_ACTIVE 3
#define NOT_KNOWN 4

/* What the agent's words are to systemctl(1). */
struct verdict {
    const char *agents; /* NULL: any other */
    const char *word;   /* NULL: the same */
    int status;
};

static const struct verdict activity[] = {
    { "running", "active", EXIT_STATUS_OK },
    { "stopped", "inactive", NOT_ACTIVE },
    { "failed", "failed", NOT_ACTIVE },
    { "starting", "activating", NOT_ACTIVE },
    { "stopping", "deactivating", NOT_ACTIVE },
    { NULL, "unknown", NOT_KNOWN },
};

static const struct verdict boot[] = {
    { "enabled", NULL, EXIT_STATUS_OK },
    { "enabled-runtime", NULL, EXIT_STATUS_OK },
    { "static", NULL, EXIT_STATUS_OK },
    { "alias", NULL, EXIT_STATUS_OK },
    { "indirect", NULL, EXIT_STATUS_OK },
    { "generated", NULL, EXIT_STATUS_OK },
    { "unknown", NULL, NOT_KNOWN },
    { NULL, NULL, EXIT_STATUS_FAILED },
};

static const struct action {
    const char *name;
    const struct verdict *verdicts; /* it only asks; NULL: it does something */
    const char *member;             /* of the answer that they judge */
    const char *none;               /* word for a service that is not there */
    bool terse;                     /* the word is all that is printed */
    bool later;                     /* not known to the first agents */
} actions[] = {
    { .name = "start" },
    { .name = "stop" },
    { .name = "restart" },
    { .name = "reload", .later = true },
    { .name = "status", .verdicts = activity, .member = "status" },
    { .name = "is-active",
      .verdicts = activity,
      .member = "status",
      .none = "unknown",
      .terse = true,
      .later = true },
    { .name = "is-enabled",
      .verdicts = boot,
      .member = "enabled_state",
      .none = "not-found",
      .terse = true,
      .later = true },
    { .name = "enable" },
    { .name = "disable" },
};

static const struct action *action_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

int cmd_service_prepare(struct command_call *call, struct error *err)
{
    const char *names[ARRAY_SIZE(actions)];
    const char *action = call->args[1];
    const char *nearest;

    if (action_find(action))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        names[i] = actions[i].name;
    nearest = text_nearest(action, names, ARRAY_SIZE(names));
    error_set(err, -EINVAL, "service: no action '%s'", action);
    error_hint(err, "%s", nearest ? nearest : "service NAME status");
    return -EINVAL;
}

/* Return: as client_send_request(). */
static int ask(struct command_call *call, const struct action *action,
               struct answer *answer, struct error *err)
{
    AUTO_JSON struct json_object *body = json_object_new_object();
    char beyond[64];
    struct client_request request = {
        .method = "POST",
        .target = API_PREFIX "/service/control",
        .content_type = "application/json",
        .read_ms = TIMEOUT_UNSET,
        .if_unknown = "outcome unknown: the action may have been carried out",
    };

    snprintf(beyond, sizeof(beyond), "service/control: %s", call->args[1]);
    if (action && action->later)
        request.beyond = beyond;
    if (body && json_add_string(body, "name", call->args[0]) == 0
        && json_add_string(body, "action", call->args[1]) == 0)
        request.body = json_object_to_json_string_length(
            body, JSON_C_TO_STRING_PLAIN, &request.body_len);
    return request.body
               ? client_send_request(call->client, &request, answer, err)
               : error_errno(err, -ENOMEM, "service");
}

/* An action was refused: is it because the agent is older?  Return: 0; the
 * code of the refusal with words for it. */
static int is_unable(struct command_call *call, int code, struct error *err)
{
    static const struct client_request request = {
        .method = "GET",
        .target = API_PREFIX "/capabilities",
        .read_ms = TIMEOUT_UNSET,
    };
    struct answer answer;
    char words[64];
    int r;

    answer_init(&answer);
    r = client_send_request(call->client, &request, &answer, NULL);
    if (r == 0 && answer.envelope.code == STATUS_SUCCESS
        && !answer_is_able(&answer, ABILITY_UNITS)) {
        snprintf(words, sizeof(words), "service/control: %s", call->args[1]);
        r = answer_unable(call->client, code, ABILITY_UNITS, words, err);
    } else {
        r = 0;
    }
    answer_free(&answer);
    return r;
}

/* Prints what a question's answer is in a word. */
static int tell(const struct command_call *call, const char *word)
{
    int r;

    client_disconnect(call->client); /* the reader of our output may be slow */
    r = out_line("%s", word);
    return r < 0 ? command_output_status(r) : EXIT_STATUS_OK;
}

/* Is the answer one to what was asked for? */
static int check_answer(const struct command_call *call,
                        struct json_object *data, struct error *err)
{
    const char *name = call->args[0];
    const char *action = call->args[1];

    if (param_string(data, "name", PARAM_OPTIONAL, &name, err)
        || param_string(data, "action", PARAM_OPTIONAL, &action, err))
        return answer_unreadable(err);
    if (strcmp(name, call->args[0]) == 0 && strcmp(action, call->args[1]) == 0)
        return 0;
    return error_set(err, -EBADMSG,
                     ANSWER_DISAGREES "it is about '%.100s %.100s', where "
                                      "'%.100s %s' was asked",
                     name, action, call->args[0], call->args[1]);
}

/* Judges the answer to a question, and prints it.  Return: the exit status. */
static int judge(const struct command_call *call, const struct action *action,
                 const struct answer *answer, struct error *err)
{
    const struct verdict *verdict = action->verdicts;
    const char *said = "unknown";
    int r;

    if (param_string(answer->envelope.data, action->member, PARAM_OPTIONAL,
                     &said, err)) {
        answer_unreadable(err);
        return command_fail(call, err);
    }
    while (verdict->agents && strcmp(verdict->agents, said) != 0)
        verdict++;
    r = action->terse && !call->out.json
            ? tell(call, verdict->word ? verdict->word : said)
            : command_report(call, 0, answer, err);
    return r ? r : verdict->status;
}

/* There is no such service.  Return: the exit status. */
static int judge_none(const struct command_call *call,
                      const struct action *action, const struct answer *answer,
                      const struct error *err)
{
    int r = action->terse && !call->out.json
                ? tell(call, action->none)
                : command_report(call, 0, answer, err);

    return r == EXIT_STATUS_OK || r == EXIT_STATUS_FAILED ? NOT_KNOWN : r;
}

static int report(struct command_call *call, const struct action *action,
                  int r, const struct answer *answer, struct error *err)
{
    int code = r == 0 ? answer->envelope.code : 0;

    if (r == 0 && code == STATUS_SUCCESS)
        r = check_answer(call, answer->envelope.data, err);
    if (r == 0 && code == STATUS_INVALID_PARAMS && action->later
        && is_unable(call, code, err))
        r = command_fail(call, err);
    else if (r == 0 && code == STATUS_SUCCESS && action->verdicts)
        return judge(call, action, answer, err);
    else if (code == STATUS_SERVICE_NOT_FOUND && action->verdicts)
        return judge_none(call, action, answer, err);
    else
        r = command_report(call, r, answer, err);
    /* 1 would be taken for an answer. */
    return action->verdicts ? command_not_run(r) : r;
}

int cmd_service(struct command_call *call)
{
    const struct action *action = action_find(call->args[1]);
    struct error err = ERROR_INIT;
    struct answer answer;
    int r;

    answer_init(&answer);
    r = ask(call, action, &answer, &err);
    r = report(call, action, r, &answer, &err);
    answer_free(&answer);
    return r;
}
