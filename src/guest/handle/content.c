/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * GET and HEAD file/content, with ranges and ETags (RFC 9110).  The beginning of
 * a body is read before its head is written, so that an error is an answer; a
 * small body is all there then, and has its digest in the head.  The session
 * sends what follows from the descriptor.
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guest/core/context.h"
#include "guest/file/transfer.h"
#include "guest/policy/path_policy.h"
#include "guest/request/query.h"
#include "proto/digestfield.h"
#include "proto/range.h"
#include "util/cleanup.h"
#include "util/fd.h"

/* What is read before the head is written. */
#define FIRST (256 * 1024)

#define FIELDS_MAX 8

#define NO_DIGEST (-1)

struct get_query {
    char *path;
    char *user;
    char *transfer;
    int digest; /* enum digest_kind, or NO_DIGEST */
};

static const struct get_query defaults = { .digest = NO_DIGEST };

static const struct query_row rows[] = {
    QUERY_ROW(struct get_query, path, QUERY_TEXT, .required = true),
    QUERY_ROW_USER(struct get_query),
    QUERY_ROW(struct get_query, transfer, QUERY_TRANSFER),
    QUERY_ROW(struct get_query, digest, QUERY_WORD, .words = digest_words),
};

const struct query_form content_get_query = QUERY_FORM(rows, struct get_query,
                                                       &defaults);

/* What is asked for, and of what. */
struct get {
    struct request *request;
    const struct get_query *query;
    int fd;
    int64_t total;
    struct range range;
    bool partial;
    struct download *download; /* NULL: the client does not want to know */
    char etag[ETAG_MAX];
    char modified[40];
    char allocated[24]; /* bytes that it takes on its disk */
    uint8_t *bytes;     /* the body, or its beginning */
    size_t n;
};

/* As RFC 9110 section 5.6.7 has it. */
static void make_date(time_t when, char *text, size_t size)
{
    struct tm tm;

    if (!gmtime_r(&when, &tm)
        || strftime(text, size, "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0)
        text[0] = '\0';
}

/* The range, if there is one.  Return: 0, or it has been answered. */
static int get_range(struct get *get)
{
    const struct http_head *head = get->request->head;
    const char *header = http_field_get(head, "Range");
    const char *condition = http_field_get(head, "If-Range");
    int r = 1;

    /* Parts of two files would make none (RFC 9110 section 13.1.5). */
    if (header && (!condition || strcmp(condition, get->etag) == 0))
        r = range_parse(header, get->total, &get->range);
    get->partial = r == 0;
    if (r >= 0)
        return 0;
    request_unsatisfiable(get->request, get->total);
    return r;
}

static int64_t get_length(const struct get *get)
{
    return get->range.last - get->range.first + 1;
}

static void get_fields(const struct get *get, const char *digest,
                       char range[80], struct request_field fields[FIELDS_MAX])
{
    size_t n = 0;

    snprintf(range, 80, "bytes %lld-%lld/%lld", (long long) get->range.first,
             (long long) get->range.last, (long long) get->total);
    fields[n++] = (struct request_field) { "Accept-Ranges", "bytes" };
    fields[n++] = (struct request_field) { "ETag", get->etag };
    if (get->modified[0])
        fields[n++] = (struct request_field) { "Last-Modified",
                                               get->modified };
    fields[n++] = (struct request_field) { "X-Allocated-Size",
                                           get->allocated };
    if (get->partial)
        fields[n++] = (struct request_field) { "Content-Range", range };
    if (digest)
        fields[n++] = (struct request_field) { "Content-Digest", digest };
    fields[n] = (struct request_field) { NULL, NULL };
}

/* --- the beginning -------------------------------------------------------- */

static void first_write(void *arg, uint8_t *where)
{
    const struct get *get = arg;

    memcpy(where, get->bytes, get->n);
}

static int first_read(struct get *get, struct error *err)
{
    size_t n = get_length(get) < FIRST ? (size_t) get_length(get) : FIRST;
    int64_t got;

    get->bytes = malloc(n + 1);
    if (!get->bytes)
        return error_errno(err, -ENOMEM, "'%s'", get->query->path);
    got = fd_pread_full(get->fd, get->bytes, n, get->range.first);
    if (got < 0)
        return error_errno(err, (int) got, "reading '%s'", get->query->path);
    if (got < (int64_t) n)
        return error_set(err, -EIO, "'%s' became shorter", get->query->path);
    get->n = n;
    return 0;
}

/* One request is all that a small file needs: its digest is in the head. */
static int get_digest(const struct get *get, char text[DIGESTFIELD_MAX])
{
    enum digest_kind kind = (enum digest_kind) get->query->digest;
    char hex[DIGEST_HEX_MAX];
    int r = digest_bytes(kind, get->bytes, get->n, hex);

    return r == 0 ? digestfield_write(kind, hex, text) : r;
}

/* --- what is read in pieces, and digested over all of them ----------------- */

static int get_download(struct get *get)
{
    const struct download_options options = {
        .id = get->query->transfer,
        .path = get->query->path,
        .digested = get->query->digest != NO_DIGEST,
        .kind = get->query->digest != NO_DIGEST
                    ? (enum digest_kind) get->query->digest
                    : DIGEST_MD5,
        .first = get->range.first,
        .size = get->total,
        .etag = get->etag,
    };
    struct transfers *transfers = get->request->context->transfers;

    if (!get->query->transfer)
        return 0;
    get->download = download_begin(transfers, &options);
    if (!get->download)
        return -ENOMEM;
    download_take(get->download, get->bytes, get->n);
    if ((int64_t) get->n == get_length(get))
        download_pause(transfers, get->download, get->fd);
    return 0;
}

/* --- the answer ------------------------------------------------------------ */

static void get_send(struct get *get, const char *digest)
{
    struct request_field fields[FIELDS_MAX];
    int http = get->partial ? 206 : 200;
    int64_t left = get_length(get) - (int64_t) get->n;
    char range[80];

    get_fields(get, digest, range, fields);
    if (left == 0)
        request_bytes(get->request, http, fields, get->n, first_write, get);
    else
        request_send_stream(get->request, http, fields, get->n, first_write,
                            get,
                            &(struct request_stream) {
                                .fd = steal_fd(&get->fd),
                                .at = get->range.first + (int64_t) get->n,
                                .left = left,
                                .download = get->download });
}

static void get_head_only(const struct get *get, int http)
{
    struct request_field fields[FIELDS_MAX];
    char range[80];

    get_fields(get, NULL, range, fields);
    request_head_only(get->request, http, fields, get_length(get));
}

/* Is the body the whole file, or a piece that belongs to no other? */
static bool get_alone(const struct get *get)
{
    return get_length(get) == get->total || !get->query->transfer;
}

/* Does the client have this version?  (RFC 9110 section 13.1.2) */
static bool get_is_known(const struct get *get)
{
    const char *known = http_field_get(get->request->head, "If-None-Match");

    return known && etag_listed(known, get->etag);
}

static void get_body(struct get *get)
{
    char text[DIGESTFIELD_MAX] = "";
    struct error err = ERROR_INIT;
    int r = first_read(get, &err);

    if (r == 0 && get->query->digest != NO_DIGEST
        && (int64_t) get->n == get_length(get) && get_alone(get))
        r = get_digest(get, text);
    else if (r == 0)
        r = get_download(get);
    if (r < 0)
        request_error(get->request, r, &err);
    else
        get_send(get, *text ? text : NULL);
}

static void get_answer(struct get *get)
{
    if (get_is_known(get)) {
        get_head_only(get, 304);
        return;
    }
    if (get_range(get) < 0)
        return;
    if (strcmp(get->request->head->method, "HEAD") == 0)
        get_head_only(get, get->partial ? 206 : 200);
    else
        get_body(get);
}

void content_get_run(struct request *request)
{
    const struct get_query *query = request->query;
    struct get get = { .request = request, .query = query, .fd = -1 };
    struct path_found found;
    struct error err = ERROR_INIT;
    int r;

    r = path_open(request->context->paths, query->path, &found, &get.fd, &err);
    if (r) {
        request_error(request, r, &err);
        return;
    }
    get.total = found.st.st_size;
    get.range = (struct range) { 0, get.total - 1 };
    etag_make(&found.st, get.etag);
    snprintf(get.allocated, sizeof(get.allocated), "%lld",
             (long long) found.st.st_blocks * 512);
    make_date(found.st.st_mtime, get.modified, sizeof(get.modified));
    get_answer(&get);
    fd_close(&get.fd);
    free(get.bytes);
}
