/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * cat, rm and mkdir: each operand in turn.  After an error the next one
 * follows, unless the error would meet it as well.
 */
#include <config.h>

#include "host/cmd/command.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "host/copy/copy.h"
#include "host/copy/download.h"
#include "host/remote/remote.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* What a command does with one operand.  Return: 0, or the error's code. */
typedef int one_function(struct command_call *call, const char *path,
                         struct error *err);

/* What would meet the next operand as well. */
static bool is_over(const struct command_call *call, const struct error *err)
{
    return call->client->interrupted || err->code == -EPIPE
           || err->code == STATUS_OUTCOME_UNKNOWN;
}

/* Does it with all of them.  Return: the exit status of the first error. */
static int each(struct command_call *call, one_function *one)
{
    int status = EXIT_STATUS_OK;

    for (int i = 0; i < call->n_args; i++) {
        struct error err = ERROR_INIT;
        int own;

        if (one(call, call->args[i], &err) == 0)
            continue;
        own = command_fail(call, &err);
        if (status == EXIT_STATUS_OK)
            status = own;
        if (is_over(call, &err))
            break;
    }
    return status;
}

static int cat(struct command_call *call, const char *path, struct error *err)
{
    const struct copy_options options = { .mode = NULL };
    struct copy_result result = { 0 };
    struct copy copy;
    int r = copy_begin(&copy, call->client, &options, NULL, err);

    if (r == 0)
        r = download_to(&copy, path, "-", &result, err);
    copy_result_free(&result);
    return r;
}

int cmd_cat(struct command_call *call)
{
    command_content(call);
    return each(call, cat);
}

/* One line of JSON for what was done, for those who want it. */
static int tell(const struct command_call *call, const char *path,
                const char *what, int64_t n, struct error *err)
{
    AUTO_JSON struct json_object *data = NULL;
    int r;

    if (!call->out.json)
        return 0;
    data = json_object_new_object();
    if (!data || json_add_bytes(data, "path", path, strlen(path)) < 0
        || json_add_int(data, what, n) < 0)
        return error_errno(err, -ENOMEM, "answer");
    r = command_json(call, STATUS_SUCCESS, data);
    return r < 0 ? error_errno(err, r, "standard output") : 0;
}

static int rm(struct command_call *call, const char *path, struct error *err)
{
    const struct remote remote = { call->client, NULL };
    const struct remote_wish wish = { .recursive = call->values.recursive,
                                      .missing_ok = call->values.force };
    int64_t removed = 0;
    int r = remote_remove(&remote, path, &wish, &removed, err);

    if (r)
        return r;
    out_note(&call->out, "'%s': %" PRId64 " removed", path, removed);
    return tell(call, path, "removed", removed, err);
}

int cmd_rm(struct command_call *call)
{
    return each(call, rm);
}

static int mkdir_(struct command_call *call, const char *path,
                  struct error *err)
{
    const struct remote remote = { call->client, NULL };
    const struct remote_wish wish = { .mode = call->values.mode,
                                      .parents = call->values.parents,
                                      .exist_ok = call->values.parents };
    bool created = false;
    int r = remote_mkdir(&remote, path, &wish, &created, err);

    return r ? r : tell(call, path, "created", created, err);
}

int cmd_mkdir(struct command_call *call)
{
    return each(call, mkdir_);
}
