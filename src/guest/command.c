/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/agent.h"
#include "guest/command_policy.h"
#include "guest/environment.h"
#include "guest/words.h"
#include "util/cleanup.h"

#define TIMEOUT_MAX_MS (INT64_C(30) * 86400 * 1000)

/* "argv" is taken as it is; "command" is checked and split. */
static int read_words(struct command *command, struct json_object *params,
                      struct error *err)
{
    const char *text = NULL;
    int r = param_strings(params, "argv", PARAM_OPTIONAL, &command->argv, err);

    if (r || command->argv.n > 0)
        return r;
    r = param_string(params, "command", PARAM_REQUIRED, &text, err);
    if (r == 0)
        r = command_check_string(text, err);
    if (r == 0)
        r = words_split(text, &command->argv, err);
    return r;
}

static int read_folder(struct command *command, struct json_object *params,
                       struct error *err)
{
    int r = param_string(params, "working_dir", PARAM_OPTIONAL,
                         &command->working_dir, err);

    if (r == 0 && command->working_dir && command->working_dir[0] != '/')
        r = error_set(err, STATUS_INVALID_PARAMS,
                      "'working_dir' is not an absolute path");
    return r;
}

static int read_environment(struct command *command,
                            const struct agent *agent,
                            struct json_object *params, struct error *err)
{
    int r = environment_copy(&command->env, &agent->environment);

    command->home = environment_get(&agent->environment, "HOME");
    if (r == 0)
        r = param_env(params, "env", PARAM_OPTIONAL, &command->env, err);
    if (r == 0)
        r = environment_merge(&command->env);
    return r;
}

int command_read(struct command *command, const struct request *request,
                 struct error *err)
{
    const struct agent *agent = request->agent;
    struct json_object *params = request->params;
    int r = read_words(command, params, err);

    if (r == 0)
        r = param_seconds(params, "timeout", PARAM_OPTIONAL, 0,
                          TIMEOUT_MAX_MS, &command->timeout_ms, err);
    if (r == 0)
        r = read_folder(command, params, err);
    if (r == 0)
        r = read_environment(command, agent, params, err);
    if (r == 0)
        r = command_resolve(&agent->settings.allowed_commands,
                            command->argv.items[0],
                            environment_get(&command->env, "PATH"),
                            &command->program, err);
    return r;
}

struct child_spec command_spec(const struct command *command)
{
    return (struct child_spec) {
        .program = command->program,
        .argv = command->argv.items,
        .envp = command->env.items,
        .working_dir = command->working_dir,
        .home = command->home,
        .may_wait = command->working_dir != NULL,
        .timeout_ms = command->timeout_ms,
    };
}

void command_free(struct command *command)
{
    strlist_free(&command->argv);
    strlist_free(&command->env);
    free(command->program);
    command->program = NULL;
}

/* The exit code that a shell has for what it could not run. */
static struct json_object *shell_code(int code)
{
    struct json_object *extra = json_object_new_object();

    if (extra)
        json_add_int(extra, "exit_code",
                     code == STATUS_CMD_NOT_FOUND ? EXIT_STATUS_NOT_FOUND
                                                  : EXIT_STATUS_DENIED);
    return extra;
}

/* "command not found" is an answer with the shell's exit code. */
void command_refuse(struct request *request, int result,
                    const struct error *err)
{
    if (result == STATUS_CMD_NOT_FOUND)
        request_fail(request, result, shell_code(result), "%s", err->message);
    else
        request_error(request, result, err);
}

void command_not_started(struct request *request,
                         const struct command *command, const char *step,
                         int error)
{
    bool program = strcmp(step, "execve") == 0;
    bool folder = strcmp(step, "working_dir") == 0;
    int code = program && error == ENOENT ? STATUS_CMD_NOT_FOUND
                                          : STATUS_CMD_EXEC_FAILED;

    if (folder)
        request_fail(request, code, shell_code(code), "%s '%s': %s", step,
                     command->working_dir, strerror(error));
    else
        request_fail(request, code, shell_code(code), "%s: %s%s%s",
                     command->program, program ? "" : step,
                     program ? "" : ": ", strerror(error));
}
