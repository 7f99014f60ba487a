/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * PUT file/content: a file as one body, or as parts of a transfer.  A part
 * that was cut short is taken back, so that it can be sent again.
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/file/transfer.h"
#include "guest/handle/stored.h"
#include "guest/policy/path_policy.h"
#include "guest/proc/proc.h"
#include "guest/request/query.h"
#include "proto/digestfield.h"
#include "proto/range.h"
#include "util/cleanup.h"

/* A body on its way into a file. */
struct put {
    struct request *request;
    struct upload *upload;
    struct transfer *transfer; /* while a part of it arrives, else NULL */
    bool last;
    bool failed; /* it could not be written */
    bool tidy;   /* … and then no part of it is to stay */
};

/* A part that is cut short has not come: the file is again what it was before,
 * and the part can be sent once more. */
static void part_drop(struct put *put)
{
    if (put->failed && put->tidy)
        upload_discard(steal_ptr(&put->transfer->upload));
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

/* What is to become of a part when the transfer is broken off; with "auto" a
 * disk that is full is not kept so. */
enum resume { RESUME_NO, RESUME_YES, RESUME_AUTO };

static const char *const resumes[] = { "false", "true", "auto", NULL };

/* Behind the kinds of digests. */
#define DIGEST_NONE 2

static const char *const digests[] = { "md5", "sha256", "none", NULL };

struct put_query {
    char *path;
    char *user;
    char *mode;
    char *owner;
    char *group;
    char *mtime;
    bool keep;
    bool overwrite;
    bool sync;
    bool sparse;
    int resume;
    char *transfer;
    int digest;
    char *md5;
    char *sha256;
};

static const struct put_query defaults = { .overwrite = true,
                                           .sync = true,
                                           .digest = DIGEST_MD5 };

#define ROW(...) QUERY_ROW(struct put_query, __VA_ARGS__)

static const struct query_row rows[] = {
    ROW(path, QUERY_TEXT, .required = true),
    QUERY_ROW_USER(struct put_query),
    ROW(mode, QUERY_MODE),
    ROW(owner, QUERY_TEXT),
    ROW(group, QUERY_TEXT),
    ROW(mtime, QUERY_TIME),
    ROW(keep, QUERY_BOOL),
    ROW(overwrite, QUERY_BOOL),
    ROW(sync, QUERY_BOOL),
    ROW(sparse, QUERY_BOOL),
    ROW(resume, QUERY_WORD, .words = resumes),
    ROW(transfer, QUERY_TRANSFER),
    ROW(digest, QUERY_WORD, .words = digests),
    ROW(md5, QUERY_HEX, .max = MD5_HEX),
    ROW(sha256, QUERY_HEX, .max = SHA256_HEX),
};

const struct query_form content_put_query = QUERY_FORM(rows, struct put_query,
                                                       &defaults);

/* Which digest: the one that is announced or asked for, else the MD5 of the
 * specification. */
static void put_digest(const struct put_query *q,
                       struct upload_options *options)
{
    int kind = q->sha256 ? DIGEST_SHA256 : q->md5 ? DIGEST_MD5 : q->digest;

    options->digested = kind != DIGEST_NONE;
    options->digest = options->digested ? (enum digest_kind) kind : DIGEST_MD5;
}

static bool keeps_part(const struct put_query *q)
{
    return q->resume != RESUME_NO;
}

static int put_upload(struct put *put, const struct put_query *q, int64_t from,
                      struct error *err)
{
    const struct http_head *head = put->request->head;
    struct upload_options options = {
        .mode = q->mode,
        .owner = q->owner,
        .group = q->group,
        .mtime = q->mtime,
        .if_match = http_field_get(head, "If-Match"),
        .if_none_match = http_field_get(head, "If-None-Match"),
        .keep = q->keep,
        .overwrite = q->overwrite,
        .durable_later = !q->sync,
        .sparse = q->sparse,
        .part = keeps_part(q),
        .from = from,
    };

    put_digest(q, &options);
    return upload_begin(put->request->context->paths, q->path, &options,
                        &put->upload, err);
}

/* Content-Range has to fit the body.  Return: 0, or STATUS_INVALID_PARAMS. */
static int put_range(const struct http_head *head, struct range *range,
                     int64_t *total, struct error *err)
{
    const char *header = http_field_get(head, "Content-Range");

    if (header && range_parse_content(header, range, total) == 0
        && head->content_length == range->last - range->first + 1)
        return 0;
    return error_set(err, STATUS_INVALID_PARAMS,
                     "a part needs a Content-Range that fits its "
                     "Content-Length");
}

/* A transfer begins with its first byte, or goes on with a part that was
 * kept. */
static int part_begin(struct put *put, const struct put_query *q,
                      int64_t first, int64_t total, struct transfer **transfer,
                      struct error *err)
{
    int r;

    if (*transfer || (first > 0 && !keeps_part(q)))
        return 0;
    r = put_upload(put, q, first, err);
    if (r)
        return r;
    *transfer = transfer_add(put->request->context->transfers, q->transfer,
                             total);
    (*transfer)->user = request_user(put->request);
    (*transfer)->upload = steal_ptr(&put->upload);
    return 0;
}

/* Finds or begins the transfer that this part belongs to, and holds the part
 * against what came before. */
static int put_part(struct put *put, const struct put_query *q,
                    struct error *err)
{
    struct transfers *transfers = put->request->context->transfers;
    struct transfer *transfer = transfer_find(transfers, q->transfer);
    struct range range;
    int64_t total;
    int r = put_range(put->request->head, &range, &total, err);

    if (r)
        return r;
    if ((q->md5 || q->sha256) && range.last + 1 != total)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'md5' is that of the whole file and goes with its "
                         "last part");
    if (transfer && transfer->state == TRANSFER_OVER) {
        transfer_end(transfer); /* the next file of the same copy */
        transfer = NULL;
    }
    if (transfer && keeps_part(q)
        && upload_size(transfer->upload) != range.first) {
        transfer_end(transfer); /* what it left is gone on with */
        transfer = NULL;
    }
    r = part_begin(put, q, range.first, total, &transfer, err);
    if (r)
        return r;
    if (transfer && transfer->user != request_user(put->request))
        return stored_other_user(err);
    if (!transfer || transfer->state != TRANSFER_PARTS
        || transfer->total != total
        || upload_size(transfer->upload) != range.first)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "the part does not follow the one before");
    r = upload_mark(transfer->upload, err);
    if (r < 0)
        return r;
    put->transfer = transfer;
    put->tidy = q->resume == RESUME_AUTO;
    put->last = range.last + 1 == total;
    return 0;
}

/* A range without a transfer: the first bytes stay as they are, and the file
 * ends with this body (curl -C N -T FILE). */
static int put_rest(struct put *put, const struct put_query *q,
                    struct error *err)
{
    struct range range;
    int64_t total;
    int r = put_range(put->request->head, &range, &total, err);

    if (r == 0 && total >= 0 && range.last + 1 != total)
        r = error_set(err, STATUS_INVALID_PARAMS,
                      "a range that does not end the file needs 'transfer' in "
                      "the query");
    return r ? r : put_upload(put, q, range.first, err);
}

static struct upload *put_file(const struct put *put)
{
    return put->transfer ? put->transfer->upload : put->upload;
}

/* What the client says that the file will be. */
static int put_expect(struct put *put, const struct put_query *q,
                      struct error *err)
{
    const char *hex = q->sha256 ? q->sha256 : q->md5;

    return hex ? upload_expect(put_file(put), hex, err) : 0;
}

static int put_begin(struct put *put, const struct put_query *q,
                     struct error *err)
{
    const struct http_head *head = put->request->head;
    bool ranged = http_field_get(head, "Content-Range");
    int r;

    if (!head->chunked && head->content_length < 0)
        return error_set(err, STATUS_MISSING_REQUIRED,
                         "Content-Length (or a chunked body) is missing");
    if (ranged)
        r = q->transfer ? put_part(put, q, err) : put_rest(put, q, err);
    else
        r = put_upload(put, q, 0, err);
    return r ? r : put_expect(put, q, err);
}

void content_put_open(struct request *request)
{
    struct put *put = request_work(request, sizeof(*put), put_drop);
    struct error err = ERROR_INIT;
    int r;

    if (!put)
        return;
    put->request = request;
    r = put_begin(put, request->query, &err);
    if (r)
        request_error(request, r, &err);
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

static void put_done(void *arg, int result, const struct error *err)
{
    struct put *put = arg;

    if (result == 0)
        transfer_note(put->request->context->transfers, put->upload);
    stored_answer(put->request, put->upload, result, err);
}

/* A part is in; the file waits for the next. */
static void part_done(struct put *put)
{
    struct transfer *transfer = put->transfer;

    put->transfer = NULL; /* it outlives this request */
    stored_answer_part(put->request, transfer);
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
    if (upload_differs(put->upload)) {
        stored_refuse(request, &put->upload);
        return;
    }
    r = upload_commit(put->upload, request->context->procs, put_done, put,
                      &err);
    if (r < 0)
        request_error(request, r, &err);
}
