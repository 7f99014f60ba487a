/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* shell/exec: one command, answered when it has ended. */
#include <config.h>

#include "guest/handlers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "guest/agent.h"
#include "guest/child.h"
#include "guest/child_report.h"
#include "guest/command_policy.h"
#include "guest/environment.h"
#include "guest/words.h"
#include "util/cleanup.h"
#include "util/crypto.h"

#define TIMEOUT_DEFAULT_MS 30000 /* as the specification's examples have it */
#define TIMEOUT_MAX_MS (INT64_C(30) * 86400 * 1000)

/* A command as the request describes it. */
struct exec {
    struct request *request;
    struct child *child;
    struct strlist argv;
    struct strlist env;
    struct buf input;
    char *program;
    const char *working_dir;
    int64_t timeout_ms;
};

static void exec_drop(void *work)
{
    struct exec *exec = work;

    if (exec->child)
        child_cancel(exec->child);
    strlist_free(&exec->argv);
    strlist_free(&exec->env);
    buf_free(&exec->input);
    free(exec->program);
    free(exec);
}

static void exec_end(void *work)
{
    const struct exec *exec = work;

    if (exec->child)
        child_end(exec->child);
}

/* "argv" is taken as it is; "command" is checked and split. */
static int exec_words(struct exec *exec, struct json_object *params,
                      struct error *err)
{
    const char *command = NULL;
    int r = param_strings(params, "argv", PARAM_OPTIONAL, &exec->argv, err);

    if (r || exec->argv.n > 0)
        return r;
    r = param_string(params, "command", PARAM_REQUIRED, &command, err);
    if (r == 0)
        r = command_check_string(command, err);
    if (r == 0)
        r = words_split(command, &exec->argv, err);
    return r;
}

static int exec_input(struct exec *exec, struct json_object *params,
                      struct error *err)
{
    const char *encoding = NULL;
    const char *text = NULL;
    size_t n = 0;
    int r = param_string(params, "stdin_encoding", PARAM_OPTIONAL, &encoding,
                         err);

    if (r == 0)
        r = param_bytes(params, "stdin", PARAM_OPTIONAL, &text, &n, err);
    if (r || !text)
        return r;
    buf_init(&exec->input,
             (size_t) exec->request->agent->settings.max_request_size);
    if (!encoding)
        return buf_append(&exec->input, text, n);
    if (strcmp(encoding, "base64") != 0
        || base64_decode(&exec->input, text, n) < 0)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'stdin' is not in the encoding that "
                         "'stdin_encoding' names (base64)");
    return 0;
}

static int exec_params(struct exec *exec, struct error *err)
{
    struct json_object *params = exec->request->params;
    int r = exec_words(exec, params, err);

    exec->timeout_ms = TIMEOUT_DEFAULT_MS;
    if (r == 0)
        r = param_seconds(params, "timeout", PARAM_OPTIONAL, 0,
                          TIMEOUT_MAX_MS, &exec->timeout_ms, err);
    if (r == 0)
        r = param_string(params, "working_dir", PARAM_OPTIONAL,
                         &exec->working_dir, err);
    if (r == 0 && exec->working_dir && exec->working_dir[0] != '/')
        r = error_set(err, STATUS_INVALID_PARAMS,
                      "'working_dir' is not an absolute path");
    if (r == 0)
        r = environment_copy(&exec->env,
                             &exec->request->agent->environment);
    if (r == 0)
        r = param_env(params, "env", PARAM_OPTIONAL, &exec->env, err);
    if (r == 0)
        r = environment_merge(&exec->env);
    if (r == 0)
        r = exec_input(exec, params, err);
    return r;
}

static void exec_failed_start(struct exec *exec, const struct child *child)
{
    struct json_object *extra = json_object_new_object();
    bool missing = child->start_errno == ENOENT
                   && strcmp(child->start_step, "execve") == 0;

    if (extra)
        json_add_int(extra, "exit_code",
                     missing ? EXIT_STATUS_NOT_FOUND : EXIT_STATUS_DENIED);
    if (strcmp(child->start_step, "execve") == 0)
        request_fail(exec->request,
                     missing ? STATUS_CMD_NOT_FOUND : STATUS_CMD_EXEC_FAILED,
                     extra, "%s: %s", exec->program,
                     strerror(child->start_errno));
    else
        request_fail(exec->request, STATUS_CMD_EXEC_FAILED, extra,
                     "%s '%s': %s", child->start_step, exec->working_dir,
                     strerror(child->start_errno));
}

static void exec_done(void *arg, struct child *child)
{
    struct exec *exec = arg;
    struct json_object *data;

    exec->child = NULL;
    if (child->start_errno) {
        exec_failed_start(exec, child);
        return;
    }
    data = child_report(child);
    if (!data)
        request_fail(exec->request, STATUS_INTERNAL_ERROR, NULL,
                     "out of memory");
    else if (child->timed_out)
        request_fail(exec->request, STATUS_CMD_TIMEOUT, data,
                     "%s: killed after %lld ms", exec->program,
                     (long long) exec->timeout_ms);
    else
        request_ok(exec->request, data);
}

/* "command not found" is an answer with the shell's exit code. */
static void exec_refuse(struct exec *exec, int result,
                        const struct error *err)
{
    struct json_object *extra;

    if (result != STATUS_CMD_NOT_FOUND) {
        request_error(exec->request, result, err);
        return;
    }
    extra = json_object_new_object();
    if (extra)
        json_add_int(extra, "exit_code", EXIT_STATUS_NOT_FOUND);
    request_fail(exec->request, result, extra, "%s", err->message);
}

static int exec_start(struct exec *exec, struct error *err)
{
    struct agent *agent = exec->request->agent;
    const struct child_spec spec = {
        .program = exec->program,
        .argv = exec->argv.items,
        .envp = exec->env.items,
        .working_dir = exec->working_dir,
        .home = environment_get(&agent->environment, "HOME"),
        .may_wait = exec->working_dir != NULL,
        .input = buf_data(&exec->input),
        .input_len = exec->input.len,
        .timeout_ms = exec->timeout_ms,
        .output_max = (size_t) agent->settings.max_output_size,
    };
    int r = child_start(&agent->loop, &agent->procs, &spec, exec_done, exec,
                        &exec->child);

    if (r < 0)
        return error_set(err, STATUS_CMD_EXEC_FAILED, "%s: %s", exec->program,
                         strerror(-r));
    return 0;
}

void exec_run(struct request *request)
{
    struct exec *exec = request_work(request, sizeof(*exec), exec_drop);
    struct error err = ERROR_INIT;
    int r;

    if (!exec)
        return;
    exec->request = request;
    request->end = exec_end;
    r = exec_params(exec, &err);
    if (r == 0)
        r = command_resolve(&request->agent->settings.allowed_commands,
                            exec->argv.items[0],
                            environment_get(&exec->env, "PATH"),
                            &exec->program, &err);
    if (r == 0 && !request_take_place(request))
        return;
    if (r == 0)
        r = exec_start(exec, &err);
    if (r)
        exec_refuse(exec, r, &err);
}
