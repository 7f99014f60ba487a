/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The JSON answers to uploads, which file/content and file/transfers share: a
 * part has come, the file is stored, or the content is not the one announced.
 */
#include <config.h>

#include "guest/handle/stored.h"

#include <stdio.h>
#include <string.h>

static struct json_object *stored_json(const struct upload *upload,
                                       bool complete)
{
    struct json_object *data = json_object_new_object();

    if (!data)
        return NULL;
    json_add_bytes(data, "path", upload_path(upload),
                   strlen(upload_path(upload)));
    json_add_bool(data, "complete", complete);
    return data;
}

/* The specification's md5 is always there, perhaps as null. */
static void add_sum(struct json_object *data, struct upload *upload)
{
    const char *sum = upload_sum(upload);

    json_add_string(data, "md5", NULL);
    if (*sum)
        json_add_string(data, upload_digest_name(upload), sum);
}

static void differs(struct request *request, const char *name, const char *sum)
{
    struct json_object *extra = json_object_new_object();

    if (extra)
        json_add_string(extra, name, sum);
    request_fail(request, STATUS_FILE_OPERATION_FAILED, extra,
                 "the content is not the one announced (%s %s)",
                 strcmp(name, "md5") == 0 ? "MD5" : "SHA-256", sum);
}

void stored_answer(struct request *request, struct upload *upload, int result,
                   const struct error *err)
{
    struct json_object *data;

    if (result == STATUS_FILE_OPERATION_FAILED && upload_differs(upload)) {
        differs(request, upload_digest_name(upload), upload_sum(upload));
        return;
    }
    if (result) {
        request_error(request, result, err);
        return;
    }
    data = stored_json(upload, true);
    if (data) {
        json_add_int(data, "size", upload_size(upload));
        add_sum(data, upload);
    }
    request_ok(request, data);
}

void stored_answer_part(struct request *request,
                        const struct transfer *transfer)
{
    struct json_object *data = stored_json(transfer->upload, false);

    if (data) {
        json_add_int(data, "received", upload_size(transfer->upload));
        if (transfer->total >= 0)
            json_add_int(data, "size", transfer->total);
        json_add_bool(data, "placing", transfer->state == TRANSFER_COMMITTING);
    }
    request_ok(request, data);
}

int stored_other_user(struct error *err)
{
    return error_set(err, STATUS_INVALID_PARAMS,
                     "the transfer began with the rights of another user");
}

void stored_refuse(struct request *request, struct upload **upload)
{
    const char *name = upload_digest_name(*upload);
    char sum[DIGEST_HEX_MAX];

    snprintf(sum, sizeof(sum), "%s", upload_sum(*upload));
    upload_discard(*upload); /* nothing is left when the answer is read */
    *upload = NULL;
    differs(request, name, sum);
}
