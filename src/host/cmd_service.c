/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* service: control one service of the guest. */
#include <config.h>

#include "host/command.h"

#include <errno.h>
#include <string.h>

#include "proto/route.h"
#include "util/cleanup.h"

static const char *const actions[] = {
    "start", "stop", "restart", "status", "enable", "disable",
};

int cmd_service_prepare(struct command_call *call, struct error *err)
{
    const char *action = call->args[1];
    const char *nearest;

    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (strcmp(actions[i], action) == 0)
            return 0;
    nearest = text_nearest(action, actions, ARRAY_SIZE(actions));
    error_set(err, -EINVAL, "service: no action '%s'", action);
    error_hint(err, "%s", nearest ? nearest : "service NAME status");
    return -EINVAL;
}

int cmd_service(struct command_call *call)
{
    AUTO_JSON struct json_object *body = json_object_new_object();
    struct client_request request = {
        .method = "POST",
        .target = API_PREFIX "/service/control",
        .content_type = "application/json",
        .read_ms = TIMEOUT_UNSET,
        .doubt = "outcome unknown: the action may have been carried out",
    };
    struct error err = ERROR_INIT;
    struct answer answer;
    int r = -ENOMEM;

    answer_init(&answer);
    if (body && json_add_string(body, "name", call->args[0]) == 0
        && json_add_string(body, "action", call->args[1]) == 0)
        request.body = json_object_to_json_string_length(
            body, JSON_C_TO_STRING_PLAIN, &request.body_len);
    if (request.body)
        r = client_send_request(call->client, &request, &answer, &err);
    else
        error_errno(&err, r, "service");
    r = command_report(call, r, &answer, &err);
    answer_free(&answer);
    return r;
}
