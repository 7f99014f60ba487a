/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * custom/NAME: programs that the administrator put into a folder.  The body
 * is their standard input, the environment is as CGI has it (RFC 3875), and
 * what they print must be JSON: it becomes "data".
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/core/settings.h"
#include "guest/job/child_report.h"
#include "guest/proc/child.h"
#include "guest/proc/environment.h"
#include "guest/proc/proc.h"
#include "util/cleanup.h"
#include "util/text.h"

struct custom {
    struct request *request;
    struct child *child;
    struct strlist env;
    char name[CUSTOM_NAME_MAX + 1];
    char *program;
};

static void custom_drop(void *work)
{
    struct custom *custom = work;

    if (custom->child)
        child_cancel(custom->child);
    strlist_free(&custom->env);
    free(custom->program);
    free(custom);
}

static void custom_end(void *work)
{
    const struct custom *custom = work;

    if (custom->child)
        child_end(custom->child);
}

static void custom_done(void *arg, struct child *child)
{
    struct custom *custom = arg;
    struct request *request = custom->request;
    const struct buf *out = &child->output[0];
    struct json_object *data = NULL;
    struct error err = ERROR_INIT;
    int r;

    custom->child = NULL;
    if (child->start_errno)
        request_fail(request, STATUS_CMD_EXEC_FAILED, NULL, "%s: %s",
                     custom->program, strerror(child->start_errno));
    else if (child->timed_out)
        request_fail(request, STATUS_CMD_TIMEOUT, NULL,
                     "handler '%s' did not end in time", custom->name);
    else if (child_exit_code(child))
        request_fail(request, STATUS_CMD_EXEC_FAILED, child_report(child),
                     "handler '%s' failed", custom->name);
    else if ((r = json_parse((const char *) buf_data(out), out->len, &data,
                             &err)))
        request_fail(request, STATUS_INTERNAL_ERROR, NULL,
                     "handler '%s' %s: %s", custom->name,
                     r == -E2BIG ? "printed too much" : "did not print JSON",
                     err.message);
    else
        request_ok(request, data ? data : json_object_new_object());
}

static int custom_name(struct custom *custom, struct error *err)
{
    const char *rest = custom->request->rest;
    size_t n = strcspn(rest, "?");
    size_t valid = strspn(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789_.-");

    if (n == 0 || n > CUSTOM_NAME_MAX || valid < n || rest[0] == '.')
        return error_set(err, STATUS_ENDPOINT_NOT_FOUND, "no such handler");
    snprintf(custom->name, sizeof(custom->name), "%.*s", (int) n, rest);
    return 0;
}

/* Only what root put there and nobody else can change. */
static int custom_find(struct custom *custom, struct error *err)
{
    const char *dir = custom->request->context->settings->custom_dir;
    struct stat st;

    if (asprintf(&custom->program, "%s/%s", dir, custom->name) < 0) {
        custom->program = NULL;
        return -ENOMEM;
    }
    if (stat(custom->program, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(err, STATUS_ENDPOINT_NOT_FOUND,
                         "no handler '%s' in server.custom_dir", custom->name);
    if ((st.st_mode & 022) || (st.st_uid != 0 && st.st_uid != geteuid()))
        return error_set(err, STATUS_PERMISSION_DENIED,
                         "handler '%s' can be changed by others than its "
                         "owner",
                         custom->name);
    return 0;
}

/* The variables of a request, besides those of every command. */
static int custom_env(struct custom *custom)
{
    const struct request *request = custom->request;
    const char *query = strchr(request->head->target, '?');
    char length[24];
    const char *const pairs[][2] = {
        { "REQUEST_METHOD", request->head->method },
        { "REQUEST_URI", request->head->target },
        { "QUERY_STRING", query ? query + 1 : "" },
        { "CONTENT_LENGTH", length },
        { "HTTP_X_REQUEST_ID", request->id },
    };
    int r = environment_copy(&custom->env, request->context->environment);

    snprintf(length, sizeof(length), "%zu", request->body.len);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(pairs); i++)
        r = environment_add(&custom->env, pairs[i][0], pairs[i][1]);
    return r;
}

static int custom_start(struct custom *custom, struct error *err)
{
    struct request *request = custom->request;
    struct context *context = request->context;
    char *argv[2] = { NULL, NULL };
    struct child_spec spec = {
        .argv = argv,
        .input = &request->body,
        .timeout_ms = context->settings->request_timeout,
        .output_max = (size_t) context->settings->max_request_size,
    };
    int r = custom_name(custom, err);

    if (r == 0)
        r = custom_find(custom, err);
    if (r == 0)
        r = custom_env(custom);
    if (r)
        return r;
    argv[0] = custom->program;
    spec.program = custom->program;
    spec.envp = custom->env.items;
    r = child_start(context->loop, context->procs, &spec, custom_done, custom,
                    &custom->child);
    return r < 0 ? error_errno(err, r, "%s", custom->program) : 0;
}

void custom_run(struct request *request)
{
    struct custom *custom;
    struct error err = ERROR_INIT;
    int r;

    if (!request_take_slot(request))
        return;
    custom = request_work(request, sizeof(*custom), custom_drop);
    if (!custom)
        return;
    custom->request = request;
    request->end = custom_end;
    r = custom_start(custom, &err);
    if (r)
        request_error(request, r, &err);
}
