/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* GET and HEAD file/content: the bytes of a file as they are. */
#include <config.h>

#include "guest/handlers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guest/agent.h"
#include "guest/query.h"
#include "proto/digestfield.h"
#include "proto/range.h"
#include "util/cleanup.h"
#include "util/fd.h"

/* Bodies up to this size are digested before their head is written, and have
 * the digest in it: one request is all that a small file needs. */
#define SMALL (256 * 1024)

#define FIELDS_MAX 8

struct get_query {
    char *path;
    char *transfer;
    char *digest;
};

static const struct query_row rows[] = {
    { "path", true, offsetof(struct get_query, path) },
    { "transfer", false, offsetof(struct get_query, transfer) },
    { "digest", false, offsetof(struct get_query, digest) },
};

/* What is asked for, and of what. */
struct get {
    struct request *request;
    const struct get_query *query;
    int fd;
    int64_t total;
    struct range range;
    bool partial;
    struct reading *reading; /* NULL: the client does not want to know */
    struct digest *digest;   /* of a small body */
    char etag[ETAG_MAX];
    char modified[40];
    char allocated[24]; /* bytes that it takes on its disk */
    uint8_t *bytes; /* a small body */
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

/* --- a small body --------------------------------------------------------- */

static void small_write(void *arg, uint8_t *where)
{
    const struct get *get = arg;

    memcpy(where, get->bytes, (size_t) get_length(get));
}

static int small_read(struct get *get, struct error *err)
{
    size_t n = (size_t) get_length(get);
    size_t got = 0;

    get->bytes = malloc(n + 1);
    if (!get->bytes)
        return error_errno(err, -ENOMEM, "'%s'", get->query->path);
    while (got < n) {
        ssize_t done = pread(get->fd, get->bytes + got, n - got,
                             get->range.first + (int64_t) got);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return error_errno(err, done < 0 ? -errno : -EIO, "reading '%s'",
                               get->query->path);
        got += (size_t) done;
    }
    return 0;
}

static int get_kind(const struct get *get, enum digest_kind *kind)
{
    *kind = DIGEST_MD5;
    if (!get->query->digest || digest_kind_of(get->query->digest, kind) == 0)
        return 0;
    request_fail(get->request, STATUS_INVALID_PARAMS, NULL,
                 "'digest' is neither md5 nor sha256");
    return -EINVAL;
}

static void get_small(struct get *get, enum digest_kind kind)
{
    struct request_field fields[FIELDS_MAX];
    char hex[DIGEST_HEX_MAX];
    char text[DIGESTFIELD_MAX];
    char range[80];
    struct error err = ERROR_INIT;
    int r = small_read(get, &err);

    if (r == 0)
        r = digest_bytes(kind, get->bytes, (size_t) get_length(get), hex);
    if (r < 0) {
        request_error(get->request, r, &err);
        return;
    }
    digestfield_write(kind, hex, text);
    get_fields(get, text, range, fields);
    request_bytes(get->request, get->partial ? 206 : 200, fields,
                  (size_t) get_length(get), small_write, get);
}

/* --- any other ------------------------------------------------------------ */

static bool get_reading(struct get *get, enum digest_kind kind)
{
    const struct reading_options options = {
        .id = get->query->transfer,
        .path = get->query->path,
        .digested = get->query->digest != NULL,
        .kind = kind,
        .first = get->range.first,
        .size = get->total,
        .etag = get->etag,
    };

    if (!get->query->transfer)
        return true;
    get->reading = reading_begin(&get->request->agent->transfers, &options);
    if (!get->reading)
        request_error(get->request, -ENOMEM, &(struct error) ERROR_INIT);
    return get->reading != NULL;
}

static void get_stream(struct get *get, int http, bool body)
{
    struct request_field fields[FIELDS_MAX];
    char range[80];
    const struct request_stream stream = {
        .fd = body ? steal_fd(&get->fd) : -1,
        .at = get->range.first,
        .left = body ? get_length(get) : 0,
        .reading = get->reading,
    };

    get_fields(get, NULL, range, fields);
    request_send_stream(get->request, http, fields, get_length(get), &stream);
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

static void get_answer(struct get *get)
{
    bool body = strcmp(get->request->head->method, "HEAD") != 0;
    enum digest_kind kind;

    if (get_is_known(get)) {
        get_stream(get, 304, false);
        return;
    }
    if (get_range(get) < 0 || get_kind(get, &kind) < 0)
        return;
    if (body && get->query->digest && get_length(get) <= SMALL
        && get_alone(get))
        get_small(get, kind);
    else if (!body || get_reading(get, kind))
        get_stream(get, get->partial ? 206 : 200, body);
}

static void get_file(struct request *request, const struct get_query *query)
{
    struct get get = { .request = request, .query = query, .fd = -1 };
    struct path_found found;
    struct error err = ERROR_INIT;
    int r;

    if (query->transfer && !transfer_id_valid(query->transfer)) {
        request_fail(request, STATUS_INVALID_PARAMS, NULL,
                     "'transfer' has a wrong length");
        return;
    }
    r = path_open(&request->agent->paths, query->path, &found, &get.fd, &err);
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

void content_get_run(struct request *request)
{
    struct get_query query = { 0 };

    if (query_take_rows(request, rows, ARRAY_SIZE(rows), &query) == 0)
        get_file(request, &query);
    query_free_rows(rows, ARRAY_SIZE(rows), &query);
}
