/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* shell/exec: one command, answered when it has ended. */
#include <config.h>

#include "guest/handlers.h"

#include <stdlib.h>
#include <string.h>

#include "guest/agent.h"
#include "guest/child.h"
#include "guest/child_report.h"
#include "guest/command.h"
#include "util/cleanup.h"
#include "util/crypto.h"

#define TIMEOUT_DEFAULT_MS 30000 /* as the specification's examples have it */

struct exec {
    struct request *request;
    struct child *child;
    struct command command;
    struct buf input;
};

static void exec_drop(void *work)
{
    struct exec *exec = work;

    if (exec->child)
        child_cancel(exec->child);
    command_free(&exec->command);
    buf_free(&exec->input);
    free(exec);
}

static void exec_end(void *work)
{
    const struct exec *exec = work;

    if (exec->child)
        child_end(exec->child);
}

static int exec_input(struct exec *exec, struct error *err)
{
    struct json_object *params = exec->request->params;
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

static void exec_done(void *arg, struct child *child)
{
    struct exec *exec = arg;
    struct json_object *data;

    exec->child = NULL;
    if (child->start_errno) {
        command_not_started(exec->request, &exec->command, child->start_step,
                            child->start_errno);
        return;
    }
    data = child_report(child);
    if (!data)
        request_fail(exec->request, STATUS_INTERNAL_ERROR, NULL,
                     "out of memory");
    else if (child->timed_out)
        request_fail(exec->request, STATUS_CMD_TIMEOUT, data,
                     "%s: killed after %lld ms", exec->command.program,
                     (long long) exec->command.timeout_ms);
    else
        request_ok(exec->request, data);
}

static int exec_start(struct exec *exec, struct error *err)
{
    struct agent *agent = exec->request->agent;
    struct child_spec spec = command_spec(&exec->command, agent);
    int r;

    spec.input = &exec->input;
    spec.output_max = (size_t) agent->settings.max_output_size;
    r = child_start(&agent->loop, &agent->procs, &spec, exec_done, exec,
                    &exec->child);
    if (r < 0)
        return error_set(err, STATUS_CMD_EXEC_FAILED, "%s: %s", spec.program,
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
    exec->command.timeout_ms = TIMEOUT_DEFAULT_MS;
    request->end = exec_end;
    r = command_read(&exec->command, request, &err);
    if (r == 0)
        r = exec_input(exec, &err);
    if (r == 0 && !request_take_place(request))
        return;
    if (r == 0)
        r = exec_start(exec, &err);
    if (r)
        command_refuse(request, r, &err);
}
