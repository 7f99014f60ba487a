/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* shell/exec: one command, answered when it has ended. */
#include <config.h>

#include "guest/handle/handlers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/core/settings.h"
#include "guest/job/child_report.h"
#include "guest/job/command.h"
#include "guest/proc/child.h"
#include "guest/proc/proc.h"
#include "proto/param.h"
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
    const char *text = NULL;
    bool encoded;
    size_t n = 0;
    int r = param_encoded(params, "stdin", &encoded, err);

    if (r == 0)
        r = param_bytes(params, "stdin", PARAM_OPTIONAL, &text, &n, err);
    if (r || !text)
        return r;
    buf_init(&exec->input,
             (size_t) exec->request->context->settings->max_request_size);
    if (!encoded)
        return buf_append(&exec->input, text, n);
    r = base64_decode(&exec->input, text, n);
    return r == -EINVAL ? param_wrong("stdin", "base64", NULL, err) : r;
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
    if (data && exec->command.user_rule) {
        json_add_string(data, "user", exec->command.user.name);
        json_add_string(data, "user_rule", exec->command.user_rule);
    }
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
    struct context *context = exec->request->context;
    struct child_spec spec = command_spec(&exec->command, context);
    int r;

    spec.input = &exec->input;
    spec.output_max = (size_t) context->settings->max_output_size;
    r = child_start(context->loop, context->procs, &spec, exec_done, exec,
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
    if (r == 0 && !request_take_slot(request))
        return;
    if (r == 0)
        r = exec_start(exec, &err);
    if (r)
        command_refuse(request, r, &err);
}
