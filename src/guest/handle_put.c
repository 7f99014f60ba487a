/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* PUT file/content: a file as one body, or as parts of a transfer. */
#include <config.h>

#include "guest/handlers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/agent.h"
#include "guest/put.h"
#include "guest/query.h"
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

struct put_query {
    char *path;
    char *mode;
    char *owner;
    char *group;
    char *mtime;
    char *overwrite;
    char *sync;
    char *sparse;
    char *resume;
    char *transfer;
    char *digest;
    char *md5;
    char *sha256;
};

#define ROW(name, required) { #name, required, offsetof(struct put_query, name) }

static const struct query_row rows[] = {
    ROW(path, true),       ROW(mode, false),     ROW(owner, false),
    ROW(group, false),     ROW(mtime, false),    ROW(overwrite, false),
    ROW(sync, false),      ROW(sparse, false),   ROW(resume, false),
    ROW(transfer, false),  ROW(digest, false),   ROW(md5, false),
    ROW(sha256, false),
};

/* Which digest: the one that is announced or asked for, else the MD5 of the
 * specification. */
static int put_digest(const struct put_query *q,
                      struct upload_options *options, struct error *err)
{
    const char *word = q->sha256 ? "sha256" : q->md5 ? "md5" : q->digest;

    options->digest = DIGEST_MD5;
    options->digested = !query_says(word, "none");
    if (!word || !options->digested
        || digest_kind_of(word, &options->digest) == 0)
        return 0;
    return error_set(err, STATUS_INVALID_PARAMS,
                     "'digest' is none of md5, sha256 and none");
}

/* "auto": only what is broken off stays; a disk that is full is not kept
 * so. */
static bool keeps_part(const struct put_query *q)
{
    return query_says(q->resume, "true") || query_says(q->resume, "auto");
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
        .overwrite = !query_says(q->overwrite, "false"),
        .hasty = query_says(q->sync, "false"),
        .sparse = query_says(q->sparse, "true"),
        .part = keeps_part(q),
        .from = from,
    };
    int r = put_digest(q, &options, err);

    return r ? r : upload_begin(&put->request->agent->paths, q->path, &options,
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
    *transfer = transfer_add(&put->request->agent->transfers, q->transfer,
                             total);
    (*transfer)->upload = steal_ptr(&put->upload);
    return 0;
}

/* Finds or begins the transfer that this part belongs to, and holds the part
 * against what came before. */
static int put_part(struct put *put, const struct put_query *q,
                    struct error *err)
{
    struct transfers *transfers = &put->request->agent->transfers;
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
    if (!transfer || transfer->state != TRANSFER_PARTS
        || transfer->total != total
        || upload_size(transfer->upload) != range.first)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "the part does not follow the one before");
    r = upload_mark(transfer->upload, err);
    if (r < 0)
        return r;
    put->transfer = transfer;
    put->tidy = query_says(q->resume, "auto");
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
    if (q->transfer && !transfer_id_valid(q->transfer))
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'transfer' has a wrong length");
    if (ranged)
        r = q->transfer ? put_part(put, q, err) : put_rest(put, q, err);
    else
        r = put_upload(put, q, 0, err);
    return r ? r : put_expect(put, q, err);
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
    if (query_take_rows(request, rows, ARRAY_SIZE(rows), &q) == 0) {
        r = put_begin(put, &q, &err);
        if (r)
            request_error(request, r, &err);
    }
    query_free_rows(rows, ARRAY_SIZE(rows), &q);
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
        transfer_note(&put->request->agent->transfers, put->upload);
    put_answer(put->request, put->upload, result, err);
}

/* A part is in; the file waits for the next. */
static void part_done(struct put *put)
{
    struct transfer *transfer = put->transfer;

    put->transfer = NULL; /* it outlives this request */
    put_answer_part(put->request, transfer);
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
        put_refuse(request, &put->upload);
        return;
    }
    r = upload_commit(put->upload, &request->agent->procs, put_done, put,
                      &err);
    if (r < 0)
        request_error(request, r, &err);
}
