/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* file/content: the bytes of a file as they are. */
#include <config.h>

#include "guest/handlers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/agent.h"
#include "proto/range.h"
#include "util/cleanup.h"
#include "util/fd.h"

/* A query member.  Return: 0 (value may stay NULL when it is optional);
 * otherwise it has been answered. */
static int query(struct request *request, const char *name, bool required,
                 char **value)
{
    int r = uri_query(request->head->target, name, value);

    if (r == 0 || (r == -ENOENT && !required))
        return 0;
    request_fail(request,
                 r == -ENOENT ? STATUS_MISSING_REQUIRED
                              : STATUS_INVALID_PARAMS,
                 NULL, "'%s' is %s in the query", name,
                 r == -ENOENT ? "missing" : "malformed");
    return r;
}

/* --- GET ----------------------------------------------------------------- */

/* Changes whenever the content may have: what a validator is for (RFC 9110
 * section 8.8.3). */
static void make_etag(const struct stat *st, char etag[80])
{
    snprintf(etag, 80, "\"%llx-%llx-%llx\"", (unsigned long long) st->st_dev,
             (unsigned long long) st->st_ino,
             (unsigned long long) st->st_ctim.tv_sec * 1000000000
                 + (unsigned long long) st->st_ctim.tv_nsec);
}

static void content_send(struct request *request, int fd,
                         const struct stat *st)
{
    const char *header = http_field_get(request->head, "Range");
    int64_t total = st->st_size;
    struct range range = { 0, total - 1 };
    char etag[80];
    int r = header ? range_parse(header, total, &range) : 0;

    if (r < 0) {
        struct http_fault fault = { 416, "the range is not in the file" };

        close(fd);
        request_fault(request, &fault);
        return;
    }
    make_etag(st, etag);
    request_stream(request, fd, range.first, range.last - range.first + 1,
                   total, header && r == 0, etag);
}

void content_get_run(struct request *request)
{
    AUTO_FREE char *path = NULL;
    struct error err = ERROR_INIT;
    struct path_found found;
    int fd = -1;
    int r;

    if (query(request, "path", true, &path) < 0)
        return;
    r = path_open(&request->agent->paths, path, &found, &fd, &err);
    if (r)
        request_error(request, r, &err);
    else
        content_send(request, fd, &found.st);
}

/* --- PUT ----------------------------------------------------------------- */

#define MD5_LEN 32 /* hex digits */

/* A body on its way into a file. */
struct put {
    struct request *request;
    struct upload *upload;
    struct transfer *transfer; /* while a part of it arrives, else NULL */
    char md5[MD5_LEN + 1];     /* that the file is to have; "": any */
    bool last;
    bool failed; /* it could not be written */
};

/* A part that is cut short has not come: the file is again what it was before,
 * and the part can be sent once more. */
static void part_drop(struct put *put)
{
    if (put->failed || upload_rewind(put->transfer->upload) < 0)
        transfer_end(put->transfer);
}

static void put_drop(void *work)
{
    struct put *put = work;

    upload_free(put->upload);
    if (put->transfer)
        part_drop(put);
    free(put);
}

struct put_query {
    char *path;
    char *mode;
    char *owner;
    char *group;
    char *overwrite;
    char *transfer;
    char *md5;
};

static void put_query_free(struct put_query *q)
{
    free(q->path);
    free(q->mode);
    free(q->owner);
    free(q->group);
    free(q->overwrite);
    free(q->transfer);
    free(q->md5);
}

static int put_query_take(struct request *request, struct put_query *q)
{
    if (query(request, "path", true, &q->path) < 0
        || query(request, "mode", false, &q->mode) < 0
        || query(request, "owner", false, &q->owner) < 0
        || query(request, "group", false, &q->group) < 0
        || query(request, "overwrite", false, &q->overwrite) < 0
        || query(request, "transfer", false, &q->transfer) < 0
        || query(request, "md5", false, &q->md5) < 0)
        return -EINVAL;
    return 0;
}

static int put_upload(struct put *put, const struct put_query *q,
                      struct error *err)
{
    const struct upload_options options = {
        .mode = q->mode,
        .owner = q->owner,
        .group = q->group,
        .overwrite = !q->overwrite || strcmp(q->overwrite, "false") != 0,
    };

    return upload_begin(&put->request->agent->paths, q->path, &options,
                        &put->upload, err);
}

/* Finds or begins the transfer that this part belongs to, and holds the part
 * against what came before. */
static int put_part(struct put *put, const struct put_query *q,
                    struct error *err)
{
    const struct http_head *head = put->request->head;
    struct transfers *transfers = &put->request->agent->transfers;
    const char *header = http_field_get(head, "Content-Range");
    struct transfer *transfer = transfer_find(transfers, q->transfer);
    struct range range;
    int64_t total;
    int r;

    if (!header || range_parse_content(header, &range, &total) < 0
        || head->content_length != range.last - range.first + 1)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "a part needs a Content-Range that fits its "
                         "Content-Length");
    if (q->md5 && range.last + 1 != total)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'md5' is that of the whole file and goes with its "
                         "last part");
    if (!transfer && range.first == 0) {
        r = put_upload(put, q, err);
        if (r)
            return r;
        transfer = transfer_add(transfers, q->transfer, total);
        transfer->upload = steal_ptr(&put->upload);
    }
    if (!transfer || transfer->total != total
        || upload_size(transfer->upload) != range.first)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "the part does not follow the one before");
    r = upload_mark(transfer->upload, err);
    if (r < 0)
        return r;
    put->transfer = transfer;
    put->last = range.last + 1 == total;
    return 0;
}

/* What the client says that the file will be. */
static int put_announced(struct put *put, const struct put_query *q,
                         struct error *err)
{
    if (!q->md5)
        return 0;
    if (strlen(q->md5) != MD5_LEN
        || strspn(q->md5, "0123456789abcdef") != MD5_LEN)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'md5' is not %d lower-case hex digits", MD5_LEN);
    memcpy(put->md5, q->md5, sizeof(put->md5));
    return 0;
}

static int put_begin(struct put *put, const struct put_query *q,
                     struct error *err)
{
    const struct http_head *head = put->request->head;

    if (!head->chunked && head->content_length < 0)
        return error_set(err, STATUS_MISSING_REQUIRED,
                         "Content-Length (or a chunked body) is missing");
    if (!q->transfer && http_field_get(head, "Content-Range"))
        return error_set(err, STATUS_INVALID_PARAMS,
                         "Content-Range needs 'transfer' in the query");
    if (!q->transfer)
        return put_upload(put, q, err);
    if (!*q->transfer || strlen(q->transfer) > TRANSFER_ID_MAX)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'transfer' has a wrong length");
    return put_part(put, q, err);
}

void content_put_open(struct request *request)
{
    struct put *put = request_work(request, sizeof(*put), put_drop);
    struct put_query q = { 0 };
    struct error err = ERROR_INIT;
    int r;

    if (!put)
        return;
    put->request = request;
    if (put_query_take(request, &q) == 0) {
        r = put_announced(put, &q, &err);
        if (r == 0)
            r = put_begin(put, &q, &err);
        if (r)
            request_error(request, r, &err);
    }
    put_query_free(&q);
}

static struct upload *put_file(const struct put *put)
{
    return put->transfer ? put->transfer->upload : put->upload;
}

void content_put_body(struct request *request, const uint8_t *bytes, size_t n)
{
    struct put *put = request->work;
    struct error err = ERROR_INIT;
    int r = upload_write(put_file(put), bytes, n, &err);

    put->failed = r < 0;
    if (r < 0)
        request_error(request, r, &err);
}

static struct json_object *put_json(const struct upload *upload, bool complete)
{
    struct json_object *data = json_object_new_object();

    if (!data)
        return NULL;
    json_add_string(data, "path", upload_path(upload));
    json_add_bool(data, "complete", complete);
    return data;
}

static void put_done(void *arg, int result, const char *md5,
                     const struct error *err)
{
    struct put *put = arg;
    struct json_object *data;

    if (result < 0) {
        request_error(put->request, result, err);
        return;
    }
    data = put_json(put_file(put), true);
    if (data) {
        json_add_int(data, "size", upload_size(put_file(put)));
        json_add_string(data, "md5", md5);
    }
    request_ok(put->request, data);
}

/* A part is in; the file waits for the next. */
static void part_done(struct put *put)
{
    struct json_object *data = put_json(put_file(put), false);

    if (data) {
        json_add_int(data, "received", upload_size(put_file(put)));
        json_add_int(data, "size", put->transfer->total);
    }
    put->transfer = NULL; /* it outlives this request */
    request_ok(put->request, data);
}

/*
 * The body of a client that was killed may have been completed by the bytes of
 * the next one.  Only its own word for what it was sending can tell.
 *
 * Return: false when it is not that; then it has been answered.
 */
static bool put_is_announced(struct put *put)
{
    char md5[DIGEST_HEX_MAX];
    struct json_object *extra;

    snprintf(md5, sizeof(md5), "%s", upload_md5(put->upload));
    if (!put->md5[0] || strcmp(md5, put->md5) == 0)
        return true;
    upload_free(put->upload); /* nothing is left when the answer is read */
    put->upload = NULL;
    extra = json_object_new_object();
    if (extra)
        json_add_string(extra, "md5", md5);
    request_fail(put->request, STATUS_FILE_OPERATION_FAILED, extra,
                 "the content is not the one announced (MD5 %s)", md5);
    return false;
}

void content_put_run(struct request *request)
{
    struct put *put = request->work;
    struct error err = ERROR_INIT;
    int r;

    if (put->transfer && !put->last) {
        part_done(put);
        return;
    }
    if (put->transfer) { /* the file is whole, the transfer is over */
        put->upload = steal_ptr(&put->transfer->upload);
        transfer_end(put->transfer);
        put->transfer = NULL;
    }
    if (!put_is_announced(put))
        return;
    r = upload_commit(put->upload, &request->agent->procs, put_done, put,
                      &err);
    if (r < 0)
        request_error(request, r, &err);
}
