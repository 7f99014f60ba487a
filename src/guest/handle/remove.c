/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * file/remove: a file, or a tree with "recursive".  Trees and large files are
 * removed in a worker, because giving their blocks back takes time; it is
 * killed when the client leaves.
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/core/context.h"
#include "guest/file/remove.h"
#include "guest/file/transfer.h"
#include "guest/policy/path_policy.h"
#include "guest/proc/proc.h"
#include "guest/proc/worker.h"
#include "guest/request/query.h"
#include "proto/status.h"
#include "util/fd.h"

/* Bytes on the disk up to which a file is removed at once; it takes some
 * milliseconds to give those of a larger one back. */
#define REMOVE_INLINE_MAX (16 * 1024 * 1024)

struct remove_query {
    char *path;
    char *user;
    char *transfer; /* for the rate limit alone */
    bool recursive;
    bool missing_ok;
};

#define ROW(...) QUERY_ROW(struct remove_query, __VA_ARGS__)

static const struct query_row rows[] = {
    ROW(path, QUERY_TEXT, .required = true),
    QUERY_ROW_USER(struct remove_query),
    ROW(transfer, QUERY_TRANSFER),
    ROW(recursive, QUERY_BOOL),
    ROW(missing_ok, QUERY_BOOL),
};

const struct query_form file_remove_query = QUERY_FORM(
    rows, struct remove_query, NULL);

struct removing {
    struct request *request;
    struct worker *worker;
    const struct remove_query *query;
    struct path_target target;
};

_Static_assert(sizeof(struct remove_report) <= WORKER_REPORT_MAX,
               "how it went fits the report");

/* A client that has gone ends the worker between two entries: what is removed
 * by then stays removed, as with rm(1) and an interrupt. */
static void removing_drop(void *work)
{
    struct removing *removing = work;

    if (removing->worker)
        worker_cancel(removing->worker);
    fd_close(&removing->target.dir);
    free(removing);
}

static void removing_done(struct removing *removing, int64_t removed)
{
    struct json_object *data = json_object_new_object();
    const char *path = removing->query->path;

    if (data) {
        json_add_bytes(data, "path", path, strlen(path));
        json_add_int(data, "removed", removed);
    }
    request_ok(removing->request, data);
}

/* How many were removed is told with an error, too. */
static void removing_report(struct removing *removing,
                            const struct remove_report *report)
{
    struct error err = ERROR_INIT;
    struct json_object *extra;

    if (report->code == 0) {
        removing_done(removing, report->removed);
        return;
    }
    error_set(&err, report->code, "%s", report->message);
    extra = json_object_new_object();
    if (extra)
        json_add_int(extra, "removed", report->removed);
    request_error_with(removing->request, report->code, extra, &err);
}

/* In a worker. */
static void removing_main(void *arg, void *report)
{
    const struct removing *removing = arg;
    const struct path_target *target = &removing->target;
    struct remove_report *result = report;

    if (S_ISDIR(target->st.st_mode)) {
        remove_tree(target->dir, target->name, target->real, result);
        return;
    }
    if (unlinkat(target->dir, target->name, 0) == 0) {
        result->removed = 1;
    } else {
        struct error err = ERROR_INIT;

        result->code = error_errno(&err, -errno, "'%s'", target->real);
        snprintf(result->message, sizeof(result->message), "%s", err.message);
    }
}

static void removing_ended(void *arg, const void *report)
{
    static const struct remove_report none = {
        .code = -EIO,
        .message = "the worker died",
    };
    struct removing *removing = arg;

    removing->worker = NULL;
    removing_report(removing, report ? report : &none);
}

/* What ends with a slash means a folder, and not a link to one either: rm(1)
 * empties the folder that the link leads to, and then fails. */
static bool says_folder(const char *path)
{
    size_t n = strlen(path);

    return n > 0 && path[n - 1] == '/';
}

/* Return: 0 when it may be removed. */
static int removing_judge(const struct removing *removing, struct error *err)
{
    const struct path_target *target = &removing->target;
    int r = path_policy_check_tree(removing->request->context->paths,
                                   target->real, err);

    if (r)
        return r;
    if (S_ISLNK(target->st.st_mode) && says_folder(removing->query->path))
        return error_set(err, STATUS_FILE_OPERATION_FAILED,
                         "'%s' is a symbolic link: removed without the slash",
                         target->real);
    if (!S_ISDIR(target->st.st_mode) && says_folder(removing->query->path))
        return error_errno(err, -ENOTDIR, "'%s'", removing->query->path);
    if (S_ISDIR(target->st.st_mode) && !removing->query->recursive)
        return error_errno(err, -EISDIR, "'%s'", target->real);
    return 0;
}

static int removing_start(struct removing *removing, struct error *err)
{
    const struct stat *st = &removing->target.st;
    struct remove_report report = { 0 };
    int r;

    if (!S_ISDIR(st->st_mode) && st->st_blocks <= REMOVE_INLINE_MAX / 512) {
        removing_main(removing, &report);
        removing_report(removing, &report);
        return 0;
    }
    r = worker_start(removing->request->context->procs, removing_main,
                     removing_ended, removing, &removing->worker);
    return r < 0 ? error_errno(err, r, "worker") : 0;
}

static void removing_run(struct removing *removing)
{
    struct request *request = removing->request;
    struct path_target *target = &removing->target;
    struct error err = ERROR_INIT;
    int r = path_place(request->context->paths, removing->query->path, target,
                       &err);

    if (r == 0 && !target->exists)
        r = error_errno(&err, -ENOENT, "'%s'", target->real);
    if (r == 0)
        r = removing_judge(removing, &err);
    if ((r == -ENOENT || r == -ENOTDIR) && removing->query->missing_ok) {
        removing_done(removing, 0);
        return;
    }
    if (r == 0)
        r = removing_start(removing, &err);
    if (r)
        request_error(request, r, &err);
}

void file_remove_run(struct request *request)
{
    struct removing *removing = request_work(request, sizeof(*removing),
                                             removing_drop);

    if (!removing)
        return;
    removing->request = request;
    removing->query = request->query;
    removing->target.dir = -1;
    removing_run(removing);
}
