/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What the administrator adds: programs of a folder, custom/NAME, and those of
 * server.handlers, at any path.  The body is their standard input, the
 * environment is as CGI has it (RFC 3875), and what they print must be JSON: it
 * becomes "data".
 *
 * Of a program in the folder and a handler at a path above it the longer path is
 * the program's; a handler with just its path is what somebody wrote down.
 */
#include <config.h>

#include "guest/handle/custom.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/core/context.h"
#include "guest/core/endpoint.h"
#include "guest/core/loop.h"
#include "guest/handle/handlers.h"
#include "guest/job/child_report.h"
#include "guest/policy/way.h"
#include "guest/proc/child.h"
#include "guest/proc/environment.h"
#include "guest/proc/proc.h"
#include "guest/proc/runnable.h"
#include "guest/proc/user.h"
#include "proto/jsonraw.h"
#include "proto/jsonscan.h"
#include "proto/limits.h"
#include "util/cleanup.h"
#include "util/quote.h"
#include "util/text.h"

struct custom {
    struct request *request;
    const struct endpoint *endpoint; /* NULL: a program of the folder */
    struct child *child;
    struct strlist argv; /* begins with the program */
    struct strlist env;
    struct user user;                   /* of an endpoint that has one */
    char name[ENDPOINT_PATH_MAX + 1];   /* in words */
    char script[ENDPOINT_PATH_MAX + 1]; /* the path of it, of the target */
    char *rest;                         /* … and what follows, decoded */
};

static void custom_drop(void *work)
{
    struct custom *custom = work;

    if (custom->child)
        child_cancel(custom->child);
    strlist_free(&custom->argv);
    strlist_free(&custom->env);
    user_free(&custom->user);
    free(custom->rest);
    free(custom);
}

static void custom_end(void *work)
{
    const struct custom *custom = work;

    if (custom->child)
        child_end(custom->child);
}

/* An answer has RESPONSE_MAX at most, and of what it reports twice as much may
 * become. */
static size_t output_max(const struct request *request)
{
    int64_t max = request->context->settings->max_request_size;

    return max < RESPONSE_MAX / 2 ? (size_t) max : RESPONSE_MAX / 2;
}

/* Goes into the answer as it was printed: json-c would change large numbers. */
static void custom_answer(struct custom *custom, struct child *child)
{
    struct request *request = custom->request;
    struct buf *out = &child->output[0];
    struct error err = ERROR_INIT;
    int r = json_scan_data((const char *) buf_data(out), out->len, &err);

    if (r == 0) {
        jsonraw_squeeze(out);
        request_ok(request, jsonraw_value(out));
        return;
    }
    /* 5001 would be the agent's own mistake, and be asked for again. */
    request_fail(request, STATUS_CMD_EXEC_FAILED, child_report(child),
                 "handler '%s' %s: %s", custom->name,
                 r == -E2BIG ? "printed too much" : "did not print JSON",
                 err.message);
}

/* Which setting gave it its time. */
static const char *timeout_key(const struct custom *custom)
{
    return custom->endpoint ? "server.handlers.timeout"
                            : "server.request_timeout";
}

static void custom_late(const struct custom *custom)
{
    struct json_object *extra = json_object_new_object();

    if (extra)
        json_add_string(extra, "setting", timeout_key(custom));
    request_fail(custom->request, STATUS_CMD_TIMEOUT, extra,
                 "handler '%s' did not end in time", custom->name);
}

static void custom_done(void *arg, struct child *child)
{
    struct custom *custom = arg;
    struct request *request = custom->request;

    custom->child = NULL;
    if (child->start_errno)
        request_fail(request, STATUS_CMD_EXEC_FAILED, NULL, "%s: %s: %s",
                     custom->argv.items[0], child->start_step,
                     strerror(child->start_errno));
    else if (child->overflown)
        request_fail(request, STATUS_CMD_EXEC_FAILED, NULL,
                     "handler '%s' printed more than %zu bytes "
                     "(server.max_request_size)",
                     custom->name, output_max(request));
    else if (child->timed_out)
        custom_late(custom);
    else if (child_exit_code(child))
        request_fail(request, STATUS_CMD_EXEC_FAILED, child_report(child),
                     "handler '%s' failed", custom->name);
    else if (child->truncated)
        request_error(request, -ENOMEM, &(struct error) ERROR_INIT);
    else
        custom_answer(custom, child);
}

/* --- which program -------------------------------------------------------- */

/* Appends the path of NAME in the folder.  Return: 0 or -ENOMEM. */
static int folder_program(struct custom *custom, const char *name)
{
    const char *dir = custom->request->context->settings->custom_dir;
    AUTO_FREE char *program = NULL;

    if (asprintf(&program, "%s/%s", dir, name) < 0) {
        program = NULL;
        return -ENOMEM;
    }
    return strlist_add(&custom->argv, program);
}

/* The folder's program, if the target is custom/NAME and there is one. */
static int folder_find(struct custom *custom, struct error *err)
{
    static const char ours[] = API_PREFIX "/custom/";
    const char *target = custom->request->head->target;
    const char *name = target + sizeof(ours) - 1;
    size_t n = strcspn(target, "?");
    struct stat st;
    int r;

    if (strncmp(target, ours, sizeof(ours) - 1) != 0)
        return error_set(err, STATUS_ENDPOINT_NOT_FOUND, "no such handler");
    snprintf(custom->script, sizeof(custom->script), "%.*s", (int) n, target);
    n -= sizeof(ours) - 1;
    if (n == 0 || n > CUSTOM_NAME_MAX || *name == '.'
        || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "abcdefghijklmnopqrstuvwxyz0123456789_.-")
               < n)
        return error_set(err, STATUS_ENDPOINT_NOT_FOUND, "no such handler");
    snprintf(custom->name, sizeof(custom->name), "%.*s", (int) n, name);
    r = folder_program(custom, custom->name);
    if (r < 0)
        return r;
    if (stat(custom->argv.items[0], &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(err, STATUS_ENDPOINT_NOT_FOUND,
                         "no handler '%s' in server.custom_dir", custom->name);
    return 0;
}

/* PATH_INFO is for scripts that make a file's name of it.  What a browser or
 * curl would have resolved before sending is refused, and so is a '/' that is
 * hidden in a segment. */
static int rest_take(struct custom *custom, const char *rest, size_t n,
                     struct error *err)
{
    int r = uri_decode(rest, n, &custom->rest);
    size_t slashes = 0;

    if (r < 0)
        return r == -EINVAL ? error_set(err, STATUS_INVALID_PARAMS,
                                        "the path is not percent-encoded")
                            : r;
    for (size_t i = 0; i < n; i++)
        slashes += rest[i] == '/';
    for (const char *at = custom->rest; *at; slashes--) {
        size_t length = strcspn(at + 1, "/");

        if (length > 0 && length <= 2 && strspn(at + 1, ".") >= length)
            return error_set(err, STATUS_INVALID_PARAMS,
                             "the path has a segment '.' or '..'");
        at += 1 + length;
    }
    return slashes == 0 ? 0
                        : error_set(err, STATUS_INVALID_PARAMS,
                                    "the path has a '/' that is encoded");
}

static int endpoint_take(struct custom *custom, struct error *err)
{
    const struct endpoint *endpoint = custom->endpoint;
    const char *target = custom->request->head->target;
    size_t own = strlen(endpoint->path);
    int r = 0;

    strlist_free(&custom->argv);
    error_clear(err);
    snprintf(custom->script, sizeof(custom->script), "%s", endpoint->path);
    snprintf(custom->name, sizeof(custom->name), "%s", endpoint->path);
    for (size_t i = 0; r == 0 && i < endpoint->command.n; i++)
        r = strlist_add(&custom->argv, endpoint->command.items[i]);
    if (r == 0)
        r = rest_take(custom, target + own, strcspn(target + own, "?"), err);
    return r;
}

/* Return: 0 or STATUS_PERMISSION_DENIED. */
static int place_check(const char *path, struct error *err)
{
    char folder[PATH_MAX];
    int r = way_check(path, folder);

    if (r == 0)
        return 0;
    if (r != -EPERM)
        return error_set(err, STATUS_PERMISSION_DENIED, "'%s': %s", path,
                         strerror(-r));
    error_set(err, STATUS_PERMISSION_DENIED,
              "others than root can replace what is in '%s'", folder);
    quote_hint(err, "chown root: %s && chmod go-w %s", folder, folder);
    return STATUS_PERMISSION_DENIED;
}

/* Only what its owner, root or us, can change.  Return: 0,
 * STATUS_CMD_NOT_FOUND or STATUS_PERMISSION_DENIED. */
static int program_check(const char *program, const char *name,
                         struct error *err)
{
    struct stat st;
    int r;

    if (stat(program, &st) < 0)
        return error_set(err, STATUS_CMD_NOT_FOUND, "handler '%s': '%s': %s",
                         name, program, strerror(errno));
    if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111)) {
        error_set(err, STATUS_PERMISSION_DENIED,
                  "handler '%s': '%s' is not executable", name, program);
        if (S_ISREG(st.st_mode))
            quote_hint(err, "chmod 755 %s", program);
        return STATUS_PERMISSION_DENIED;
    }
    if (!(st.st_mode & 022) && (st.st_uid == 0 || st.st_uid == geteuid())) {
        r = place_check(program, err);
        if (r)
            error_prefix(err, "handler '%s'", name);
        return r;
    }
    error_set(err, STATUS_PERMISSION_DENIED,
              "handler '%s' can be changed by others than its owner: '%s'",
              name, program);
    quote_hint(err, "chown root: %s && chmod go-w %s", program, program);
    return STATUS_PERMISSION_DENIED;
}

/* Return: 0; what a request is to be refused with, where allow has what it
 * might have been. */
static int custom_find(struct custom *custom, char *allow, struct error *err)
{
    const struct request *request = custom->request;
    int match = endpoint_match(&request->context->settings->handlers,
                               request->head->method, request->head->target,
                               &custom->endpoint, allow);
    int r = STATUS_ENDPOINT_NOT_FOUND;

    if (!custom->endpoint
        || strcmp(custom->endpoint->path, API_PREFIX "/custom") == 0)
        r = folder_find(custom, err);
    if (r != STATUS_ENDPOINT_NOT_FOUND)
        custom->endpoint = NULL;
    else if (match != STATUS_ENDPOINT_NOT_FOUND)
        r = match == 0 ? endpoint_take(custom, err) : match;
    if (r == 0)
        r = program_check(custom->argv.items[0], custom->name, err);
    return r;
}

/* --- how it runs ---------------------------------------------------------- */

/* Who it runs as.  A user that is not there is no mistake of the request. */
static int custom_user(struct custom *custom, struct error *err)
{
    const char *name = custom->endpoint ? custom->endpoint->user : NULL;
    int r;

    if (!name)
        return environment_copy(&custom->env,
                                custom->request->context->environment);
    r = user_find(&custom->user, name, NULL, err);
    if (r > 0) {
        error_set(err, r, "no such user: '%s'", name);
        error_prefix(err, "handler '%s'", custom->name);
        return STATUS_CMD_EXEC_FAILED;
    }
    return r < 0 ? r : environment_user(&custom->env, &custom->user);
}

/* The variables of a request, besides those of every command.  There is no
 * network, so REMOTE_ADDR and SERVER_PORT are not there; nor are the two of a
 * body without one (RFC 3875 sections 4.1.2 and 4.1.3). */
static int custom_env(struct custom *custom)
{
    const struct request *request = custom->request;
    const char *query = strchr(request->head->target, '?');
    const char *type = http_field_get(request->head, "Content-Type");
    size_t body = request->body.len;
    char length[24];
    const char *const pairs[][2] = {
        { "GATEWAY_INTERFACE", "CGI/1.1" },
        { "SERVER_PROTOCOL", "HTTP/1.1" },
        { "SERVER_SOFTWARE", PACKAGE_NAME "-agent/" PACKAGE_VERSION },
        { "SERVER_NAME", "virtio-rpc" },
        { "REQUEST_METHOD", request->head->method },
        { "REQUEST_URI", request->head->target },
        { "SCRIPT_NAME", custom->script },
        { "PATH_INFO", custom->rest ? custom->rest : "" },
        { "QUERY_STRING", query ? query + 1 : "" },
        { "CONTENT_TYPE", body ? type : NULL },
        { "CONTENT_LENGTH", body ? length : NULL },
        { "HTTP_X_REQUEST_ID", request->id },
    };
    int r = 0;

    snprintf(length, sizeof(length), "%zu", body);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(pairs); i++)
        if (pairs[i][1])
            r = environment_add(&custom->env, pairs[i][0], pairs[i][1]);
    return r;
}

static int custom_start(struct custom *custom, struct error *err)
{
    struct request *request = custom->request;
    struct context *context = request->context;
    struct child_spec spec = {
        .program = custom->argv.items[0],
        .argv = custom->argv.items,
        .input = &request->body,
        .timeout_ms = context->settings->request_timeout,
        .output_max = output_max(request),
        .output_whole = true,
    };
    int r = custom_user(custom, err);

    if (r == 0)
        r = custom_env(custom);
    if (r)
        return r;
    spec.envp = custom->env.items;
    if (custom->user.name)
        spec.user = &custom->user;
    if (custom->endpoint && custom->endpoint->timeout)
        spec.timeout_ms = custom->endpoint->timeout;
    r = child_start(context->loop, context->procs, &spec, custom_done, custom,
                    &custom->child);
    return r < 0 ? error_errno(err, r, "%s", spec.program) : 0;
}

void custom_run(struct request *request)
{
    struct custom *custom = request_work(request, sizeof(*custom),
                                         custom_drop);
    struct error err = ERROR_INIT;
    char allow[ROUTE_ALLOW_MAX];
    int r;

    if (!custom)
        return;
    custom->request = request;
    request->end = custom_end;
    r = custom_find(custom, allow, &err);
    if (r == STATUS_METHOD_NOT_ALLOWED) {
        request_not_allowed(request, allow);
        return;
    }
    if (r == 0 && !request_take_slot(request))
        return;
    if (r == 0)
        r = custom_start(custom, &err);
    if (r)
        request_error(request, r, &err);
}

/* --- before anybody asks -------------------------------------------------- */

/* What is not there yet is no mistake. */
static int folder_check(const char *dir, struct error *err)
{
    int r = access(dir, F_OK) < 0 ? 0 : place_check(dir, err);

    if (r)
        error_prefix(err, "server.custom_dir");
    return r;
}

/* A number that is nobody's would need a group, which a handler has no key
 * for. */
static int user_check(struct user *user, const char *name, struct error *err)
{
    int r = user_find(user, name, NULL, err);

    return r > 0 ? error_set(err, r, "no such user: '%s'", name) : r;
}

static int endpoint_check(const struct endpoint *endpoint, const char *file,
                          struct error *err)
{
    const char *program = endpoint->command.items[0];
    struct user user = { .name = NULL };
    int r = program_check(program, endpoint->path, err);
    bool there = r == 0;

    if (r == 0 && endpoint->user)
        r = user_check(&user, endpoint->user, err);
    if (r == 0)
        r = runnable(endpoint->user ? &user : NULL, program, err);
    user_free(&user);
    if (r && there)
        error_prefix(err, "handler '%s'", endpoint->path);
    if (r)
        error_prefix(err, "%s:%zu", file, endpoint->at.line);
    return r;
}

int custom_check(const struct settings *settings, const char *file,
                 void (*tell)(void *arg, const struct error *err), void *arg)
{
    const struct yaml_items *list = &settings->handlers;
    struct error err = ERROR_INIT;
    bool bad = folder_check(settings->custom_dir, &err);

    if (bad)
        tell(arg, &err);
    for (size_t i = 0; i < list->n; i++) {
        error_clear(&err);
        if (endpoint_check(endpoint_get(list, i), file, &err) == 0)
            continue;
        tell(arg, &err);
        bad = true;
    }
    return bad ? -EINVAL : 0;
}
