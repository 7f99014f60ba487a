/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* upload and download. */
#include <config.h>

#include "host/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/copy.h"
#include "host/transfer.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"

static int done_json(const struct transfer_result *result)
{
    AUTO_JSON struct json_object *root = NULL;
    AUTO_JSON struct json_object *data = json_object_new_object();
    struct buf text;
    int r = -1;

    buf_init(&text, 64 * 1024);
    if (data && json_add_string(data, "path", result->path) == 0
        && json_add_int(data, "size", result->size) == 0
        && json_add_string(data, "md5", *result->md5 ? result->md5 : NULL)
               == 0
        && envelope_write(&text, STATUS_SUCCESS, "success", data,
                          clock_wall())
               == 0
        && json_parse((char *) buf_data(&text), text.len, &root, NULL) == 0)
        r = out_json(root);
    buf_free(&text);
    return r;
}

static int done(const struct command_call *call, const char *what,
                const struct transfer_result *result)
{
    int r = 0;

    /* The file itself went to standard output. */
    if (strcmp(result->path, "-") == 0)
        return EXIT_STATUS_OK;
    if (call->out.json)
        r = done_json(result);
    else if (!call->out.quiet)
        r = out_line("%s successful: %s (%" PRId64 " bytes)", what,
                     result->path, result->size);
    return r < 0 ? command_output_status(r) : EXIT_STATUS_OK;
}

int cmd_upload(struct command_call *call)
{
    struct copy_options options = { .mode = call->values.mode,
                                    .owner = call->values.owner,
                                    .group = call->values.group,
                                    .checksum = call->values.checksum,
                                    .resume = call->values.resume,
                                    .limit_rate = call->values.limit_rate,
                                    .no_clobber = call->values.no_clobber };
    struct error err = ERROR_INIT;
    struct transfer_result result = { 0 };
    struct copy copy;
    int r = copy_begin(&copy, call->client, &options, NULL, &err);

    if (r == 0)
        r = upload_from(&copy, call->args[0], call->args[1], &result, &err);

    r = r ? command_fail(call, &err) : done(call, "Upload", &result);
    transfer_result_free(&result);
    return r;
}

/* Where one of several puts its file: FOLDER/DOMAIN.NAME. */
static char *own_place(const struct command_call *call)
{
    const char *domain = call->client->target->name;
    AUTO_FREE char *base = transfer_basename(call->args[0]);
    AUTO_FREE char *name = NULL;

    /* A name that is a path would lead out of the folder. */
    if (!base || strchr(domain, '/')
        || asprintf(&name, "%s.%s", domain, base) < 0)
        return NULL;
    return transfer_join(call->args[1], name);
}

int cmd_download(struct command_call *call)
{
    bool own = call->several && strcmp(call->args[1], "-") != 0;
    AUTO_FREE char *place = own ? own_place(call) : strdup(call->args[1]);
    struct copy_options options = { .checksum = call->values.checksum,
                                    .resume = call->values.resume,
                                    .limit_rate = call->values.limit_rate,
                                    .no_clobber = call->values.no_clobber };
    struct error err = ERROR_INIT;
    struct transfer_result result = { 0 };
    struct copy copy;
    int r = copy_begin(&copy, call->client, &options, NULL, &err);

    if (r == 0 && place)
        r = download_to(&copy, call->args[0], place, &result, &err);
    else if (r == 0)
        r = error_set(&err, -EINVAL, "'%s' gives no name for a file here",
                      call->args[0]);
    r = r ? command_fail(call, &err) : done(call, "Download", &result);
    transfer_result_free(&result);
    return r;
}
