/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Makes the requests of an upload and reads the answers: a refusal may mean
 * that the parts are lost, or that the content was damaged on its way.  What
 * was stored is compared with what was sent.
 */
#include <config.h>

#include "host/copy/upload_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/remote/filetarget.h"
#include "proto/digestfield.h"
#include "proto/param.h"
#include "proto/status.h"

/* Everything that the file is to be. */
int upload_put_target(const struct upload *upload, struct buf *target)
{
    const struct copy *copy = upload->copy;
    const struct copy_options *options = copy->options;
    const char *digest = copy->digested ? digest_word(copy->kind) : "none";
    const char *mode = options->mode ? options->mode : upload->mode;
    char mtime[48] = "";
    int r = filetarget_begin(target, "content", upload->remote, copy->id,
                             upload->err);

    if (r < 0)
        return r;
    if (options->preserve && !upload->stream)
        snprintf(mtime, sizeof(mtime), "%" PRId64 ".%09ld",
                 (int64_t) upload->st.st_mtim.tv_sec,
                 upload->st.st_mtim.tv_nsec);
    r = filetarget_add(target, "mode", *mode ? mode : NULL);
    /* It is that of a new file, unless it was asked for. */
    if (r == 0)
        r = filetarget_add_flag(target, "keep",
                                *upload->mode && !options->mode
                                    && !options->preserve);
    if (r == 0)
        r = filetarget_add(target, "owner", options->owner);
    if (r == 0)
        r = filetarget_add(target, "group", options->group);
    if (r == 0)
        r = filetarget_add(target, "mtime", *mtime ? mtime : NULL);
    if (r == 0)
        r = filetarget_add(target, "overwrite",
                           options->no_clobber ? "false" : NULL);
    if (r == 0)
        r = filetarget_add(target, "sync", copy->tree ? "false" : NULL);
    if (r == 0 && (int64_t) upload->st.st_blocks * 512 < upload->size)
        r = filetarget_add(target, "sparse", "true");
    if (r == 0)
        r = filetarget_add(target, "resume",
                           !upload->part     ? NULL
                           : options->resume ? "true"
                                             : "auto");
    if (r == 0)
        r = filetarget_add(target, "digest", digest);
    return r < 0 ? error_errno(upload->err, r, "path '%.100s'", upload->remote)
                 : 0;
}

void upload_put_condition(const struct upload *upload,
                          struct client_request *request)
{
    const struct copy_options *options = upload->copy->options;

    if (!options->if_match && !options->create)
        return;
    request->condition_field = options->create ? "If-None-Match" : "If-Match";
    request->condition = options->create ? "*" : options->if_match;
}

/* What the agent's refusal means for the whole. */
static void refused(struct upload *upload, int code,
                    const struct answer *answer)
{
    struct json_object *data = answer->envelope.data;
    struct client *client = upload->copy->client;

    upload->lost = code == STATUS_INVALID_PARAMS && upload->at > 0;
    upload->damaged = code == STATUS_FILE_OPERATION_FAILED
                      && (json_object_object_get_ex(data, "md5", NULL)
                          || json_object_object_get_ex(data, "sha256", NULL));
    if (!upload->damaged)
        return;
    error_set(upload->err, code, "the copy was damaged on its way: %s",
              envelope_detail(&answer->envelope));
    if (client->target->name)
        client_blame(client, upload->err);
}

int upload_send(struct upload *upload, const struct client_request *request,
                struct answer *answer)
{
    int r = client_send_request(upload->copy->client, request, answer,
                                upload->err);

    if (r == 0)
        r = answer_error(upload->copy->client, answer, upload->err);
    refused(upload, r, answer);
    return r;
}

/* Where the file is now, as the agent says; one that is no text as it was
 * asked for. */
static const char *stored_path(const struct upload *upload,
                               struct json_object *data)
{
    const char *path = upload->remote;

    if (json_object_object_get_ex(data, "path_encoding", NULL)
        || param_string(data, "path", PARAM_OPTIONAL, &path, NULL))
        return upload->remote;
    return path;
}

/* What the agent stored has to be what was sent. */
int upload_check_stored(struct upload *upload, struct json_object *data,
                        struct copy_result *result)
{
    const char *name = digest_word(upload->copy->kind);
    const char *theirs = NULL;
    bool complete = true;
    int64_t size = -1;

    if (param_string(data, name,
                     *upload->sum ? PARAM_REQUIRED : PARAM_OPTIONAL, &theirs,
                     upload->err)
        || param_bool(data, "complete", PARAM_OPTIONAL, &complete, upload->err)
        || param_int(data, "size", PARAM_REQUIRED, 0, INT64_MAX, &size,
                     upload->err)) {
        return answer_unreadable(upload->err);
    }
    if (!complete)
        return error_set(upload->err, -EBADMSG,
                         ANSWER_DISAGREES "the file is stored, and is not "
                                          "complete");
    if (size != upload->size
        || (*upload->sum && theirs && strcmp(theirs, upload->sum) != 0))
        return error_set(upload->err, -EIO,
                         "the copy in the guest differs (%" PRId64
                         " bytes, %s %s; sent %" PRId64 " bytes, %s %s)",
                         size, name, theirs ? theirs : "-", upload->size, name,
                         upload->sum);
    copy_result_fill(upload->copy, stored_path(upload, data), size,
                     upload->sum, result);
    return result->path ? 0 : error_errno(upload->err, -ENOMEM, "upload");
}
