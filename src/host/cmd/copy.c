/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * upload and download of one file (copy_many.c has several, and folders).
 * From several domains each file gets the domain's name in front of its own.
 */
#include <config.h>

#include "host/cmd/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cmd/copy.h"
#include "host/copy/download.h"
#include "host/copy/path.h"
#include "host/copy/upload.h"
#include "host/local/tempfile.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"

static int done_json(const struct command_call *call,
                     const struct copy_result *result)
{
    AUTO_JSON struct json_object *data = json_object_new_object();

    if (!data
        || json_add_bytes(data, "path", result->path, strlen(result->path)) < 0
        || json_add_int(data, "size", result->size) < 0
        || json_add_string(data, "md5", *result->md5 ? result->md5 : NULL) < 0
        || (*result->sha256
            && json_add_string(data, "sha256", result->sha256) < 0))
        return -ENOMEM;
    return command_json(call, STATUS_SUCCESS, data);
}

static int done(const struct command_call *call, const char *what,
                const struct copy_result *result)
{
    int r = 0;

    /* The file itself went to standard output. */
    if (strcmp(result->path, "-") == 0)
        return EXIT_STATUS_OK;
    if (call->out.json)
        r = done_json(call, result);
    else if (!call->out.quiet)
        r = out_line("%s successful: %s (%" PRId64 " bytes)", what,
                     result->path, result->size);
    return r < 0 ? command_output_status(r) : EXIT_STATUS_OK;
}

static int check_kind(const struct command_call *call, struct error *err)
{
    static const char *const kinds[] = { "md5", "sha256", "none" };
    const char *kind = call->values.checksum;

    if (!kind)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kind, kinds[i]) == 0)
            return 0;
    return error_set(err, -EINVAL,
                     "%s: option '--checksum': '%s' is none of md5, sha256, "
                     "none",
                     call->command->name, kind);
}

int cmd_copy_prepare(struct command_call *call, struct error *err)
{
    return check_kind(call, err);
}

int cmd_upload_prepare(struct command_call *call, struct error *err)
{
    int inputs = 0;

    for (int i = 0; i < call->n_args - 1; i++)
        inputs += strcmp(call->args[i], "-") == 0;
    if (inputs > 0 && (call->values.recursive || call->n_args > 2))
        return error_set(err, -EINVAL,
                         "upload: standard input ('-') has no name: it goes "
                         "alone, to a file that is named");
    call->reads_input = inputs > 0;
    return check_kind(call, err);
}

struct copy_options cmd_copy_options(const struct command_call *call)
{
    const struct command_values *values = &call->values;

    return (struct copy_options) {
        .mode = values->mode,
        .owner = values->owner,
        .group = values->group,
        .checksum = values->checksum,
        .no_clobber = values->no_clobber,
        .resume = values->resume,
        .preserve = values->preserve,
        .limit_rate = values->limit_rate,
    };
}

struct progress *cmd_copy_progress(struct command_call *call)
{
    call->out.progress = progress_new(!call->out.quiet
                                          && !call->values.no_progress,
                                      STDERR_FILENO, clock_ms);
    return call->out.progress;
}

void cmd_copy_progress_end(struct command_call *call)
{
    progress_end(call->out.progress);
    progress_free(call->out.progress);
    call->out.progress = NULL;
}

/* What both directions do with one file. */
typedef int one_function(struct copy *copy, const char *from, const char *to,
                         struct copy_result *result, struct error *err);

static int copy_one(struct command_call *call, const char *to,
                    one_function *one, const char *what)
{
    const struct copy_options options = cmd_copy_options(call);
    struct progress *progress = cmd_copy_progress(call);
    struct copy_result result = { 0 };
    struct error err = ERROR_INIT;
    struct copy copy;
    int r = copy_begin(&copy, call->client, &options, progress, &err);

    if (r == 0)
        r = one(&copy, call->args[0], to, &result, &err);
    cmd_copy_progress_end(call);
    r = r ? command_fail(call, &err) : done(call, what, &result);
    copy_result_free(&result);
    return r;
}

int cmd_upload(struct command_call *call)
{
    if (call->values.recursive || call->n_args > 2)
        return cmd_upload_many(call);
    return copy_one(call, call->args[1], upload_from, "Upload");
}

/* Where one of several puts its file: FOLDER/DOMAIN.NAME. */
static char *own_target(const struct command_call *call)
{
    const char *domain = call->client->target->name;
    AUTO_FREE char *base = path_basename(call->args[0]);
    AUTO_FREE char *name = NULL;

    /* A name that is a path would lead out of the folder. */
    if (!base || strchr(domain, '/')
        || asprintf(&name, "%s.%s", domain, base) < 0)
        return NULL;
    return path_join(call->args[1], name);
}

static int download_one(struct command_call *call)
{
    bool own = call->multi && !tempfile_is_direct(call->args[1]);
    AUTO_FREE char *place = own ? own_target(call) : strdup(call->args[1]);
    struct error err = ERROR_INIT;

    if (place)
        return copy_one(call, place, download_to, "Download");
    error_set(&err, -EINVAL, "'%s' gives no name for a file here",
              call->args[0]);
    return command_fail(call, &err);
}

/* With -p what is known of the file has to be asked for first. */
int cmd_download(struct command_call *call)
{
    const char *target = call->args[call->n_args - 1];

    if (strcmp(target, "-") == 0
        || tempfile_descriptor(target) == STDOUT_FILENO)
        command_content(call);
    if (call->values.recursive || call->n_args > 2
        || (call->values.preserve && !tempfile_is_direct(target)))
        return cmd_download_many(call);
    return download_one(call);
}
