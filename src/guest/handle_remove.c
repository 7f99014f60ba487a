/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* file/remove. */
#include <config.h>

#include "guest/handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/agent.h"
#include "guest/query.h"
#include "guest/remove.h"
#include "guest/worker.h"
#include "util/fd.h"

/* Bytes on the disk up to which a file is removed at once; it takes some
 * milliseconds to give those of a larger one back. */
#define REMOVE_INLINE_MAX (16 * 1024 * 1024)

struct removing {
    struct request *request;
    struct worker *worker;
    char *path;
    bool recursive;
    bool missing_ok;
    struct path_target place;
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
    fd_close(&removing->place.dir);
    free(removing->path);
    free(removing);
}

static void removing_done(struct removing *removing, int64_t removed)
{
    struct json_object *data = json_object_new_object();

    if (data) {
        json_add_bytes(data, "path", removing->path, strlen(removing->path));
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
    const struct path_target *place = &removing->place;
    struct remove_report *result = report;

    if (S_ISDIR(place->st.st_mode)) {
        remove_tree(place->dir, place->name, place->real, result);
        return;
    }
    if (unlinkat(place->dir, place->name, 0) == 0) {
        result->removed = 1;
    } else {
        struct error err = ERROR_INIT;

        result->code = error_errno(&err, -errno, "'%s'", place->real);
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

/* Return: 0 when it may be removed. */
static int removing_judge(const struct removing *removing, struct error *err)
{
    const struct path_target *place = &removing->place;
    int r = path_policy_check_tree(&removing->request->agent->paths,
                                   place->real, err);

    if (r == 0 && S_ISDIR(place->st.st_mode) && !removing->recursive)
        r = error_errno(err, -EISDIR, "'%s'", place->real);
    return r;
}

static int removing_start(struct removing *removing, struct error *err)
{
    const struct stat *st = &removing->place.st;
    struct remove_report report = { 0 };
    int r;

    if (!S_ISDIR(st->st_mode)
        && st->st_blocks <= REMOVE_INLINE_MAX / 512) {
        removing_main(removing, &report);
        removing_report(removing, &report);
        return 0;
    }
    r = worker_start(&removing->request->agent->procs, removing_main,
                     removing_ended, removing, &removing->worker);
    return r < 0 ? error_errno(err, r, "worker") : 0;
}

static void removing_run(struct removing *removing)
{
    struct request *request = removing->request;
    struct path_target *place = &removing->place;
    struct error err = ERROR_INIT;
    int r = path_place(&request->agent->paths, removing->path, place, &err);

    if (r == 0 && !place->exists)
        r = error_errno(&err, -ENOENT, "'%s'", place->real);
    if ((r == -ENOENT || r == -ENOTDIR) && removing->missing_ok) {
        removing_done(removing, 0);
        return;
    }
    if (r == 0)
        r = removing_judge(removing, &err);
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
    removing->place.dir = -1;
    if (query(request, "path", true, &removing->path) == 0
        && query_bool(request, "recursive", &removing->recursive) == 0
        && query_bool(request, "missing_ok", &removing->missing_ok) == 0)
        removing_run(removing);
}
