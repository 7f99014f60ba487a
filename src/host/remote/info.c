/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Its members are checked: the guest is not trusted. */
#include <config.h>

#include "host/remote/info.h"

#include <stdio.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/remote/filetarget.h"
#include "proto/limits.h"
#include "proto/param.h"

/* The guest's word about a file; a missing size is no file's. */
static int info_take(struct json_object *data, struct remote_info *info,
                     struct error *err)
{
    const char *type = "";
    const char *md5 = "";

    *info = (struct remote_info) { .exists = true };
    if (param_bool(data, "exists", PARAM_OPTIONAL, &info->exists, err)
        || param_int(data, "size", PARAM_OPTIONAL, 0, INT64_MAX, &info->size,
                     err)
        || param_string(data, "md5", PARAM_OPTIONAL, &md5, err)
        || (info->exists
            && param_string(data, "type", PARAM_REQUIRED, &type, err))) {
        return answer_unreadable(err);
    }
    snprintf(info->type, sizeof(info->type), "%s", type);
    snprintf(info->md5, sizeof(info->md5), "%s", md5);
    return 0;
}

int remote_info(struct client *client, const char *path,
                struct remote_info *info, struct error *err)
{
    struct client_request request = { .method = "GET",
                                      .read_ms = TIMEOUT_ALIVE };
    struct answer answer;
    struct buf target;
    int r;

    answer_init(&answer);
    buf_init(&target, HTTP_TARGET_MAX);
    r = filetarget_begin(&target, "info", path, NULL, err);
    if (r == 0) {
        request.target = buf_cstr(&target);
        r = client_send_request(client, &request, &answer, err);
    }
    if (r == 0)
        r = answer_error(client, &answer, err);
    if (r == 0)
        r = info_take(answer.envelope.data, info, err);
    buf_free(&target);
    answer_free(&answer);
    return r;
}
