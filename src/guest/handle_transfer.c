/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* file/transfers/ID: how far a transfer is, and its end; file/digest. */
#include <config.h>

#include "guest/handlers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/agent.h"
#include "guest/put.h"
#include "guest/query.h"
#include "proto/digestfield.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/newfile.h"
#include "util/num.h"

/* So long the end of a file is waited for (ms): the client asks again, and
 * lets others in between. */
#define PLACE_WAIT_MS 100

/* --- the end of an upload ------------------------------------------------- */

struct wait {
    struct request *request;
    struct transfer *transfer; /* NULL: it is over, or no longer waited for */
    struct loop_timer timer;
};

static void wait_end(struct wait *wait)
{
    loop_timer_stop(&wait->request->agent->loop, &wait->timer);
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
        put_answer(request, transfer->upload, transfer->result,
                   &transfer->error);
    else
        put_answer_part(request, transfer);
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

    if (transfer->state != TRANSFER_PLACING) {
        state_answer(request, transfer);
        return;
    }
    wait = request_work(request, sizeof(*wait), wait_drop);
    if (!wait)
        return;
    *wait = (struct wait) { .request = request, .transfer = transfer };
    wait->timer
        = (struct loop_timer) { .expired = wait_over, .arg = wait };
    transfer->over = wait_over;
    transfer->arg = wait;
    loop_timer_start(&request->agent->loop, &wait->timer, PLACE_WAIT_MS);
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

static void reading_answer(struct request *request,
                           const struct reading *reading)
{
    struct json_object *data = json_object_new_object();
    char hex[DIGEST_HEX_MAX];

    if (data) {
        json_add_bytes(data, "path", reading->path, strlen(reading->path));
        json_add_int(data, "first", reading->first);
        json_add_int(data, "next", reading->next);
        json_add_string(data, "etag", reading->etag);
        json_add_string(data, "digest", NULL);
    }
    if (reading_digest(reading, hex) == 0)
        json_add_string(data, "digest", hex);
    request_ok(request, data);
}

void transfer_get_run(struct request *request)
{
    struct transfers *transfers = &request->agent->transfers;
    char id[TRANSFER_ID_MAX + 1];
    struct transfer *upload;
    struct reading *reading;

    id_of(request, id);
    upload = transfer_find(transfers, id);
    reading = reading_find(transfers, id);
    if (upload)
        upload_state(request, upload);
    else if (reading)
        reading_answer(request, reading);
    else
        unknown(request, id);
}

void transfer_delete_run(struct request *request)
{
    char id[TRANSFER_ID_MAX + 1];
    struct transfer *upload;

    id_of(request, id);
    upload = transfer_find(&request->agent->transfers, id);
    if (upload) {
        upload_discard(steal_ptr(&upload->upload));
        transfer_end(upload);
    }
    request_ok(request, json_object_new_object());
}

/* --- the last word of who sends it ---------------------------------------- */

struct finish_query {
    char *size;
    char *md5;
    char *sha256;
};

static const struct query_row finish_rows[] = {
    { "size", true, offsetof(struct finish_query, size) },
    { "md5", false, offsetof(struct finish_query, md5) },
    { "sha256", false, offsetof(struct finish_query, sha256) },
};

static int finish_check(struct transfer *transfer,
                        const struct finish_query *q, struct error *err)
{
    const char *hex = q->sha256 ? q->sha256 : q->md5;
    int64_t size;

    if (num_parse(q->size, 0, INT64_MAX, &size) < 0)
        return error_set(err, STATUS_INVALID_PARAMS, "'size' is no number");
    if (transfer->state != TRANSFER_PARTS
        || size != upload_size(transfer->upload)
        || (transfer->total >= 0 && transfer->total != size))
        return error_set(err, STATUS_INVALID_PARAMS,
                         "the transfer does not have %s bytes, but %lld",
                         q->size, (long long) upload_size(transfer->upload));
    return hex ? upload_expect(transfer->upload, hex, err) : 0;
}

static void finish(struct request *request, struct transfer *transfer,
                   const struct finish_query *q)
{
    struct error err = ERROR_INIT;
    int r = finish_check(transfer, q, &err);

    if (r == 0 && upload_differs(transfer->upload)) {
        put_refuse(request, &transfer->upload);
        transfer_end(transfer);
        return;
    }
    if (r == 0)
        r = transfer_place(&request->agent->transfers, transfer, &err);
    if (r)
        request_error(request, r, &err);
    else
        upload_state(request, transfer);
}

void transfer_finish_run(struct request *request)
{
    struct finish_query q = { 0 };
    char id[TRANSFER_ID_MAX + 1];
    struct transfer *transfer;

    id_of(request, id);
    transfer = transfer_find(&request->agent->transfers, id);
    if (!transfer)
        unknown(request, id);
    else if (query_take_rows(request, finish_rows, ARRAY_SIZE(finish_rows), &q)
             == 0)
        finish(request, transfer, &q);
    query_free_rows(finish_rows, ARRAY_SIZE(finish_rows), &q);
}

/* --- digests of what is there --------------------------------------------- */

struct digest_query {
    char *path;
    char *algorithm;
    char *first;
    char *length;
    char *part;
};

static const struct query_row digest_rows[] = {
    { "path", true, offsetof(struct digest_query, path) },
    { "algorithm", false, offsetof(struct digest_query, algorithm) },
    { "first", false, offsetof(struct digest_query, first) },
    { "length", false, offsetof(struct digest_query, length) },
    { "part", false, offsetof(struct digest_query, part) },
};

struct span {
    int fd;
    int64_t size; /* of the file */
    int64_t first;
    int64_t length;
    enum digest_kind kind;
    char etag[ETAG_MAX];
};

static int span_numbers(const struct digest_query *q, struct span *span,
                        struct error *err)
{
    span->kind = DIGEST_MD5;
    if ((q->first && num_parse(q->first, 0, INT64_MAX, &span->first) < 0)
        || (q->length
            && num_parse(q->length, 0, DIGEST_SPAN_MAX, &span->length) < 0))
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'first' and 'length' are numbers, 'length' is at "
                         "most %d", DIGEST_SPAN_MAX);
    if (q->algorithm && digest_kind_of(q->algorithm, &span->kind) < 0)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'algorithm' is neither md5 nor sha256");
    return 0;
}

/* What an upload of path left: its folder is judged as for writing. */
static int span_open_part(const struct agent *agent, const char *path,
                          struct span *span, struct error *err)
{
    struct path_target target;
    int r = path_target(&agent->paths, path, &target, err);

    if (r)
        return r;
    span->fd = newfile_find_part(target.dir, target.name, &span->size);
    fd_close(&target.dir);
    return span->fd < 0 ? error_errno(err, span->fd, "a part of '%s'", path)
                        : 0;
}

static int span_open(const struct agent *agent, const char *path,
                     struct span *span, struct error *err)
{
    struct path_found found;
    int r = path_open(&agent->paths, path, &found, &span->fd, err);

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

static void digest_answer(struct request *request,
                          const struct digest_query *q)
{
    struct span span = { .fd = -1 };
    struct error err = ERROR_INIT;
    int r = span_numbers(q, &span, &err);

    if (r == 0)
        r = query_says(q->part, "true")
                ? span_open_part(request->agent, q->path, &span, &err)
                : span_open(request->agent, q->path, &span, &err);
    if (r)
        request_error(request, r, &err);
    else
        span_answer(request, q->path, &span);
    fd_close(&span.fd);
}

void file_digest_run(struct request *request)
{
    struct digest_query q = { 0 };

    if (query_take_rows(request, digest_rows, ARRAY_SIZE(digest_rows), &q)
        == 0)
        digest_answer(request, &q);
    query_free_rows(digest_rows, ARRAY_SIZE(digest_rows), &q);
}
