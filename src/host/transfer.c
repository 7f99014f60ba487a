/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/filetarget.h"
#include "proto/limits.h"
#include "util/cleanup.h"

char *transfer_basename(const char *path)
{
    size_t end = strlen(path);
    size_t start;

    while (end > 0 && path[end - 1] == '/')
        end--;
    start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (start == end || (end - start == 1 && path[start] == '.')
        || (end - start == 2 && strncmp(path + start, "..", 2) == 0))
        return NULL;
    return strndup(path + start, end - start);
}

char *transfer_join(const char *folder, const char *name)
{
    size_t n = strlen(folder);
    char *path = NULL;

    if (asprintf(&path, "%s%s%s", folder,
                 n && folder[n - 1] == '/' ? "" : "/", name)
        < 0)
        return NULL;
    return path;
}

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

int transfer_info(struct client *client, const char *path,
                  struct remote_info *info, struct error *err)
{
    struct client_request request = { .method = "GET",
                                      .read_ms = TIMEOUT_UNSET };
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
