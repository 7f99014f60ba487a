/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * file/transfers/ID: the state of a transfer, its commit and its end;
 * file/digest: the digest of a span of a file.  A commit is waited for 100 ms;
 * then the client asks again, and others can have the channel in between.
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/file/transfer.h"
#include "guest/handle/stored.h"
#include "guest/policy/path_policy.h"
#include "guest/request/query.h"
#include "proto/digestfield.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/newfile.h"

/* So long the end of a file is waited for (ms): the client asks again, and
 * lets others in between. */
#define COMMIT_WAIT_MS 100

/* --- the end of an upload ------------------------------------------------- */

struct wait {
    struct request *request;
    struct transfer *transfer; /* NULL: it is over, or no longer waited for */
    struct loop_timer timer;
};

static void wait_end(struct wait *wait)
{
    loop_timer_stop(wait->request->context->loop, &wait->timer);
    if (wait->transfer)
        wait->transfer->over = NULL;
    wait->transfer = NULL;
}

static void wait_drop(void *work)
{
    wait_end(work);
    free(work);
}

static void state_answer(struct request *request, struct transfer *transfer)
{
    if (transfer->state == TRANSFER_OVER)
        stored_answer(request, transfer->upload, transfer->result,
                      &transfer->error);
    else
        stored_answer_part(request, transfer);
}

static void wait_over(void *arg)
{
    struct wait *wait = arg;
    struct transfer *transfer = wait->transfer;

    wait_end(wait);
    state_answer(wait->request, transfer);
}

static void upload_state(struct request *request, struct transfer *transfer)
{
    struct wait *wait;

    if (transfer->state != TRANSFER_COMMITTING) {
        state_answer(request, transfer);
        return;
    }
    wait = request_work(request, sizeof(*wait), wait_drop);
    if (!wait)
        return;
    *wait = (struct wait) { .request = request, .transfer = transfer };
    wait->timer = (struct loop_timer) { .expired = wait_over, .arg = wait };
    transfer->over = wait_over;
    transfer->arg = wait;
    loop_timer_start(request->context->loop, &wait->timer, COMMIT_WAIT_MS);
}

/* --- state ---------------------------------------------------------------- */

static void id_of(const struct request *request, char id[TRANSFER_ID_MAX + 1])
{
    size_t n = strcspn(request->rest, "/?");

    if (n > TRANSFER_ID_MAX)
        n = 0;
    memcpy(id, request->rest, n);
    id[n] = '\0';
}

static void unknown(struct request *request, const char *id)
{
    request_fail(request, STATUS_INVALID_PARAMS, NULL,
                 "there is no transfer '%s'", id);
}

static void download_answer(struct request *request,
                            const struct download *download)
{
    struct json_object *data = json_object_new_object();
    char hex[DIGEST_HEX_MAX];

    if (data) {
        json_add_bytes(data, "path", download->path, strlen(download->path));
        json_add_int(data, "first", download->first);
        json_add_int(data, "next", download->next);
        json_add_string(data, "etag", download->etag);
        json_add_string(data, "digest", NULL);
    }
    if (download_digest(download, hex) == 0)
        json_add_string(data, "digest", hex);
    request_ok(request, data);
}

void transfer_get_run(struct request *request)
{
    struct transfers *transfers = request->context->transfers;
    char id[TRANSFER_ID_MAX + 1];
    struct transfer *upload;
    struct download *download;

    id_of(request, id);
    upload = transfer_find(transfers, id);
    download = download_find(transfers, id);
    if (upload)
        upload_state(request, upload);
    else if (download)
        download_answer(request, download);
    else
        unknown(request, id);
}

void transfer_delete_run(struct request *request)
{
    char id[TRANSFER_ID_MAX + 1];
    struct transfer *upload;

    id_of(request, id);
    upload = transfer_find(request->context->transfers, id);
    if (upload) {
        upload_discard(steal_ptr(&upload->upload));
        transfer_end(upload);
    }
    request_ok(request, json_object_new_object());
}

/* --- the last word of who sends it ---------------------------------------- */

struct finish_query {
    char *user;
    int64_t size;
    char *md5;
    char *sha256;
};

static const struct query_row finish_rows[] = {
    QUERY_ROW_USER(struct finish_query),
    QUERY_ROW(struct finish_query, size, QUERY_NUMBER, .required = true,
              .max = INT64_MAX),
    QUERY_ROW(struct finish_query, md5, QUERY_HEX, .max = MD5_HEX),
    QUERY_ROW(struct finish_query, sha256, QUERY_HEX, .max = SHA256_HEX),
};

const struct query_form transfer_finish_query = QUERY_FORM(
    finish_rows, struct finish_query, NULL);

static int finish_check(const struct request *request,
                        struct transfer *transfer, struct error *err)
{
    const struct finish_query *q = request->query;
    const char *hex = q->sha256 ? q->sha256 : q->md5;

    if (transfer->user != request_user(request))
        return stored_other_user(err);
    if (transfer->state != TRANSFER_PARTS
        || q->size != upload_size(transfer->upload)
        || (transfer->total >= 0 && transfer->total != q->size))
        return error_set(err, STATUS_INVALID_PARAMS,
                         "the transfer does not have %lld bytes, but %lld",
                         (long long) q->size,
                         (long long) upload_size(transfer->upload));
    return hex ? upload_expect(transfer->upload, hex, err) : 0;
}

static void finish(struct request *request, struct transfer *transfer)
{
    struct error err = ERROR_INIT;
    int r = finish_check(request, transfer, &err);

    if (r == 0 && upload_differs(transfer->upload)) {
        stored_refuse(request, &transfer->upload);
        transfer_end(transfer);
        return;
    }
    if (r == 0)
        r = transfer_commit(request->context->transfers, transfer, &err);
    if (r)
        request_error(request, r, &err);
    else
        upload_state(request, transfer);
}

void transfer_finish_run(struct request *request)
{
    char id[TRANSFER_ID_MAX + 1];
    struct transfer *transfer;

    id_of(request, id);
    transfer = transfer_find(request->context->transfers, id);
    if (!transfer)
        unknown(request, id);
    else
        finish(request, transfer);
}

/* --- digests of what is there --------------------------------------------- */

struct digest_query {
    char *path;
    char *user;
    char *transfer; /* for the rate limit alone */
    int algorithm;  /* enum digest_kind */
    int64_t first;
    int64_t length; /* -1: up to the end, or to the largest that is made */
    bool part;
};

#define DIGEST_ROW(...) QUERY_ROW(struct digest_query, __VA_ARGS__)

static const struct query_row digest_rows[] = {
    DIGEST_ROW(path, QUERY_TEXT, .required = true),
    QUERY_ROW_USER(struct digest_query),
    DIGEST_ROW(transfer, QUERY_TRANSFER),
    DIGEST_ROW(algorithm, QUERY_WORD, .words = digest_words),
    DIGEST_ROW(first, QUERY_NUMBER, .max = INT64_MAX),
    DIGEST_ROW(length, QUERY_NUMBER, .max = DIGEST_SPAN_MAX),
    DIGEST_ROW(part, QUERY_BOOL),
};

static const struct digest_query digest_defaults = { .length = -1 };

const struct query_form file_digest_query = QUERY_FORM(
    digest_rows, struct digest_query, &digest_defaults);

struct span {
    int fd;
    int64_t size; /* of the file */
    int64_t first;
    int64_t length;
    enum digest_kind kind;
    char etag[ETAG_MAX];
};

/* What an upload of path left: its folder is judged as for writing. */
static int span_open_part(const struct context *context, const char *path,
                          struct span *span, struct error *err)
{
    struct path_target target;
    int r = path_target(context->paths, path, &target, err);

    if (r)
        return r;
    span->fd = newfile_find_part(target.dir, target.name, &span->size);
    fd_close(&target.dir);
    return span->fd < 0 ? error_errno(err, span->fd, "a part of '%s'", path)
                        : 0;
}

static int span_open(const struct context *context, const char *path,
                     struct span *span, struct error *err)
{
    struct path_found found;
    int r = path_open(context->paths, path, &found, &span->fd, err);

    if (r)
        return r;
    span->size = found.st.st_size;
    etag_make(&found.st, span->etag);
    return 0;
}

static void span_answer(struct request *request, const char *path,
                        struct span *span)
{
    struct json_object *data = json_object_new_object();
    char hex[DIGEST_HEX_MAX];
    struct error err = ERROR_INIT;
    int64_t done;

    done = digest_span(span->kind, span->fd, span->first, span->length, hex);
    if (done < 0) {
        json_object_put(data);
        error_errno(&err, (int) done, "reading '%s'", path);
        request_error(request, (int) done, &err);
        return;
    }
    if (data) {
        json_add_bytes(data, "path", path, strlen(path));
        json_add_int(data, "size", span->size);
        json_add_int(data, "first", span->first);
        json_add_int(data, "length", done);
        json_add_string(data, "digest", hex);
        json_add_string(data, "etag", *span->etag ? span->etag : NULL);
    }
    request_ok(request, data);
}

void file_digest_run(struct request *request)
{
    const struct digest_query *q = request->query;
    struct span span = { .fd = -1,
                         .first = q->first,
                         .length = q->length < 0 ? DIGEST_SPAN_MAX : q->length,
                         .kind = (enum digest_kind) q->algorithm };
    struct error err = ERROR_INIT;
    int r = q->part ? span_open_part(request->context, q->path, &span, &err)
                    : span_open(request->context, q->path, &span, &err);

    if (r)
        request_error(request, r, &err);
    else
        span_answer(request, q->path, &span);
    fd_close(&span.fd);
}
