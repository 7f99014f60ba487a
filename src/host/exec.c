/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* exec_command() of the client API: a command as JSON. */
#include <config.h>

#include "host/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/route.h"
#include "util/cleanup.h"

/* Beyond the command's own timeout, for the agent to kill it (TERM, then
 * KILL) and to send what it has printed. */
#define EXEC_MARGIN_MS (10 * 1000)

static int exec_argv(struct json_object *body, char *const *argv)
{
    struct json_object *list = json_object_new_array();

    if (json_add(body, "argv", list) < 0)
        return -ENOMEM;
    for (; *argv; argv++) {
        struct json_object *word = json_object_new_string(*argv);

        if (!word || json_object_array_add(list, word) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int exec_env(struct json_object *body, const struct strlist *env)
{
    struct json_object *object = json_object_new_object();

    if (json_add(body, "env", object) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < env->n; i++) {
        const char *equals = strchr(env->items[i], '=');
        AUTO_FREE char *name
            = strndup(env->items[i], (size_t) (equals - env->items[i]));

        if (!name || json_add_string(object, name, equals + 1) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int exec_body(const struct exec_request *exec,
                     struct json_object *body)
{
    int r = exec->command ? json_add_string(body, "command", exec->command)
                          : exec_argv(body, exec->argv);

    if (r == 0 && exec->working_dir)
        r = json_add_string(body, "working_dir", exec->working_dir);
    if (r == 0 && exec->env && exec->env->n)
        r = exec_env(body, exec->env);
    if (r == 0 && exec->timeout % 1000 == 0)
        r = json_add_int(body, "timeout", exec->timeout / 1000);
    else if (r == 0)
        r = json_add(body, "timeout",
                     json_object_new_double((double) exec->timeout / 1000));
    return r;
}

int client_exec_command(struct client *client,
                        const struct exec_request *exec,
                        struct answer *answer, struct error *err)
{
    AUTO_JSON struct json_object *body = json_object_new_object();
    struct client_request request = {
        .method = "POST",
        .target = API_PREFIX "/shell/exec",
        .content_type = "application/json",
        .read_ms = exec->timeout ? exec->timeout + EXEC_MARGIN_MS : 0,
        .doubt = "outcome unknown: the command may have run",
    };

    if (!body || exec_body(exec, body) < 0)
        return error_errno(err, -ENOMEM, "exec");
    request.body = json_object_to_json_string_length(
        body, JSON_C_TO_STRING_PLAIN, &request.body_len);
    if (!request.body)
        return error_errno(err, -ENOMEM, "exec");
    return client_send_request(client, &request, answer, err);
}
