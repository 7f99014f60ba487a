/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * file/upload, file/download and file/info: content as base64 in JSON, as the
 * specification has it (handle/content.c has the raw form).  The MD5 of a
 * large file is made in a worker, so that the loop goes on.
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/core/owner.h"
#include "guest/file/fileinfo.h"
#include "guest/file/transfer.h"
#include "guest/file/upload.h"
#include "guest/policy/path_policy.h"
#include "guest/proc/proc.h"
#include "guest/request/admission.h"
#include "guest/request/query.h"
#include "proto/param.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/fd.h"

/* Files up to this size are digested at once (2 ms); larger ones by a worker,
 * so that the loop goes on. */
#define DIGEST_INLINE_MAX (1024 * 1024)

/* --- upload -------------------------------------------------------------- */

struct put {
    struct request *request;
    struct upload *upload;
};

static void put_drop(void *work)
{
    struct put *put = work;

    upload_free(put->upload);
    free(put);
}

static void put_done(void *arg, int result, const struct error *err)
{
    struct put *put = arg;
    struct json_object *data;

    if (result) {
        request_error(put->request, result, err);
        return;
    }
    data = json_object_new_object();
    if (data) {
        json_add_bytes(data, "path", upload_path(put->upload),
                       strlen(upload_path(put->upload)));
        json_add_int(data, "size", upload_size(put->upload));
        json_add_string(data, "md5", upload_sum(put->upload));
    }
    request_ok(put->request, data);
}

static int put_options(struct json_object *params,
                       struct upload_options *options, struct error *err)
{
    int r = param_string(params, "mode", PARAM_OPTIONAL, &options->mode, err);

    if (r == 0)
        r = param_string(params, "owner", PARAM_OPTIONAL, &options->owner,
                         err);
    if (r == 0)
        r = param_string(params, "group", PARAM_OPTIONAL, &options->group,
                         err);
    if (r == 0)
        r = param_bool(params, "overwrite", PARAM_OPTIONAL,
                       &options->overwrite, err);
    return r;
}

static int put_content(struct put *put, const char *text, size_t n,
                       struct error *err)
{
    struct buf bytes;
    int r;

    buf_init(&bytes, n);
    r = base64_decode(&bytes, text, n);
    if (r == -EINVAL)
        r = param_wrong("content", "base64", NULL, err);
    else if (r == 0)
        r = upload_write(put->upload, buf_data(&bytes), bytes.len, err);
    buf_free(&bytes);
    return r;
}

static int put_start(struct put *put, struct error *err)
{
    struct context *context = put->request->context;
    struct json_object *params = put->request->params;
    struct upload_options options = { .overwrite = true,
                                      .digested = true,
                                      .digest = DIGEST_MD5 };
    const char *path = NULL;
    const char *text = NULL;
    size_t n = 0;
    int r = param_string(params, "path", PARAM_REQUIRED, &path, err);

    if (r == 0)
        r = param_bytes(params, "content", PARAM_REQUIRED, &text, &n, err);
    if (r == 0)
        r = put_options(params, &options, err);
    if (r == 0)
        r = upload_begin(context->paths, path, &options, &put->upload, err);
    if (r == 0)
        r = put_content(put, text, n, err);
    if (r == 0)
        r = upload_commit(put->upload, context->procs, put_done, put, err);
    return r;
}

void file_upload_run(struct request *request)
{
    struct put *put = request_work(request, sizeof(*put), put_drop);
    struct error err = ERROR_INIT;
    int r;

    if (!put)
        return;
    put->request = request;
    r = put_start(put, &err);
    if (r)
        request_error(request, r, &err);
}

/* --- download ------------------------------------------------------------ */

/* Reads n bytes at an offset; fewer when the file ends. */
static int read_piece(int fd, int64_t offset, size_t n, struct buf *piece,
                      struct error *err)
{
    uint8_t *where;
    int64_t got = buf_reserve(piece, n, &where);

    if (got == 0)
        got = fd_pread_full(fd, where, n, offset);
    if (got < 0)
        return error_errno(err, (int) got, "reading");
    buf_commit(piece, (size_t) got);
    return 0;
}

static struct json_object *piece_json(const char *path,
                                      const struct buf *piece, int64_t total)
{
    AUTO_JSON struct json_object *data = json_object_new_object();
    char md5[DIGEST_HEX_MAX];
    struct buf text;
    int r;

    if (!data)
        return NULL;
    buf_init(&text, DOWNLOAD_JSON_MAX * 2);
    r = base64_encode(&text, buf_data(piece), piece->len);
    if (r == 0)
        r = digest_bytes(DIGEST_MD5, buf_data(piece), piece->len, md5);
    if (r == 0)
        r = json_add_bytes(data, "path", path, strlen(path));
    if (r == 0)
        r = json_add(
            data, "content",
            json_object_new_string_len(
                text.len ? (char *) buf_data(&text) : "", (int) text.len));
    if (r == 0)
        r = json_add_int(data, "size", (int64_t) piece->len);
    if (r == 0)
        r = json_add_int(data, "total_size", total);
    if (r == 0)
        r = json_add_string(data, "md5", md5);
    buf_free(&text);
    return r < 0 ? NULL : steal_ptr(&data);
}

static void download_answer(struct request *request, const char *path,
                            int64_t offset, int64_t length)
{
    struct path_found found;
    struct error err = ERROR_INIT;
    AUTO_CLOSE int fd = -1;
    struct buf piece;
    int r = path_open(request->context->paths, path, &found, &fd, &err);

    buf_init(&piece, DOWNLOAD_JSON_MAX);
    if (r == 0)
        r = read_piece(fd, offset, (size_t) length, &piece, &err);
    if (r)
        request_error(request, r, &err);
    else
        request_ok(request, piece_json(path, &piece, found.st.st_size));
    buf_free(&piece);
}

void file_download_run(struct request *request)
{
    struct error err = ERROR_INIT;
    const char *path = NULL;
    int64_t offset = 0;
    int64_t length = DOWNLOAD_JSON_MAX;
    int r = param_string(request->params, "path", PARAM_REQUIRED, &path, &err);

    if (r == 0)
        r = param_int(request->params, "offset", PARAM_OPTIONAL, 0, INT64_MAX,
                      &offset, &err);
    if (r == 0)
        r = param_int(request->params, "length", PARAM_OPTIONAL, 0, INT64_MAX,
                      &length, &err);
    if (r) {
        request_error(request, r, &err);
        return;
    }
    if (!admission_read(request, path, offset))
        return;
    if (length > DOWNLOAD_JSON_MAX)
        length = DOWNLOAD_JSON_MAX;
    download_answer(request, path, offset, length);
}

/* --- info ---------------------------------------------------------------- */

struct info {
    struct request *request;
    struct json_object *data;
    struct worker *worker;
    int fd;
    int64_t size;
};

struct info_report {
    int64_t digested;
    char md5[DIGEST_HEX_MAX];
};

static void info_drop(void *work)
{
    struct info *info = work;

    if (info->worker)
        worker_cancel(info->worker);
    fd_close(&info->fd);
    json_object_put(info->data);
    free(info);
}

static void add_owner(struct json_object *data, const struct stat *st)
{
    struct owner_cache names = { 0 };

    json_add_string(data, "owner", owner_name(&names.users, st->st_uid));
    json_add_string(data, "group", owner_group(&names.groups, st->st_gid));
}

static struct json_object *info_json(const char *path,
                                     const struct path_found *found)
{
    struct json_object *data = json_object_new_object();
    const struct stat *st = &found->st;
    char mode[8];

    if (!data)
        return NULL;
    json_add_bytes(data, "path", path, strlen(path));
    json_add_bool(data, "exists", opath_is_open(&found->file));
    if (!opath_is_open(&found->file))
        return data;
    snprintf(mode, sizeof(mode), "%04o", (unsigned int) st->st_mode & 07777);
    json_add_string(data, "type", file_type_name(st->st_mode));
    json_add_int(data, "size", st->st_size);
    json_add_string(data, "mode", mode);
    add_owner(data, st);
    json_add_int(data, "mtime", st->st_mtime);
    json_add_string(data, "md5", NULL);
    return data;
}

/* In a worker. */
static void info_digest(void *arg, void *report)
{
    const struct info *info = arg;
    struct info_report *result = report;

    result->digested = digest_file(DIGEST_MD5, info->fd, info->size,
                                   result->md5);
}

/* md5 stays null when the file could not be read to its end. */
static void info_answer(struct info *info, const struct info_report *report)
{
    if (report && report->digested == info->size)
        json_add_string(info->data, "md5", report->md5);
    request_ok(info->request, json_object_get(info->data));
}

static void info_digested(void *arg, const void *report)
{
    struct info *info = arg;

    info->worker = NULL;
    info_answer(info, report);
}

/* Opens the file for its digest, when there is one to make and it may be
 * read.  Return: a descriptor or -1. */
static int info_open(const struct context *context,
                     const struct path_found *found)
{
    int fd;

    if (!opath_is_open(&found->file) || !S_ISREG(found->st.st_mode)
        || path_policy_check_file(context->paths, found->real, &found->st,
                                  PATH_READ, NULL))
        return -1;
    fd = opath_reopen(&found->file);
    return fd < 0 ? -1 : fd;
}

static void info_start(struct info *info)
{
    struct context *context = info->request->context;
    struct info_report report = { 0 };

    if (info->fd < 0) {
        info_answer(info, NULL);
    } else if (info->size <= DIGEST_INLINE_MAX
               || worker_start(context->procs, info_digest, info_digested,
                               info, &info->worker)
                      < 0) {
        info_digest(info, &report);
        info_answer(info, &report);
    }
}

struct info_query {
    char *path;
    char *user;
};

static const struct query_row info_rows[] = {
    QUERY_ROW(struct info_query, path, QUERY_TEXT, .required = true),
    QUERY_ROW_USER(struct info_query),
};

const struct query_form file_info_query = QUERY_FORM(info_rows,
                                                     struct info_query, NULL);

void file_info_run(struct request *request)
{
    const struct info_query *q = request->query;
    struct info *info = request_work(request, sizeof(*info), info_drop);
    struct path_found found;
    struct error err = ERROR_INIT;
    int r;

    if (!info)
        return;
    info->request = request;
    info->fd = -1;
    r = path_find(request->context->paths, q->path, PATH_LOOK, &found, &err);
    if (r) {
        request_error(request, r, &err);
        return;
    }
    info->data = info_json(q->path, &found);
    info->fd = info_open(request->context, &found);
    info->size = opath_is_open(&found.file) ? found.st.st_size : 0;
    opath_close(&found.file);
    info_start(info);
}
