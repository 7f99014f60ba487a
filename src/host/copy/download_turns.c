/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Fetches a file with Range requests, one for each turn.  The size is that of
 * the first answer, so that a growing log is copied as it was then.  Each
 * turn's writes are begun at its end, to leave less to fsync(2).
 */
#include <config.h>

#include "host/copy/download_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/remote/filetarget.h"
#include "proto/digestfield.h"
#include "proto/limits.h"
#include "proto/range.h"
#include "proto/status.h"
#include "util/fd.h"
#include "util/num.h"

/* --- what comes ----------------------------------------------------------- */

bool download_is_stream(const struct download *download)
{
    return download->file->direct >= 0;
}

/* What is wrong here is nothing that another try could mend. */
int download_local_error(struct download *download, int code,
                         const char *doing)
{
    error_errno(&download->local, code, "%s '%s'", doing,
                download->file->path);
    return -EIO;
}

static int file_begin(struct download *download)
{
    const struct copy_options *options = download->copy->options;
    bool part = options->resume || download->total >= COPY_KEEP_MIN;
    int64_t there;
    int r = 0;

    if (!download->begun)
        r = tempfile_begin(download->file,
                           part && !download_is_stream(download), &there,
                           &download->local);
    download->begun = true;
    /* What an earlier one left is of no use, unless it was asked for. */
    if (r == 0 && !download_is_stream(download) && download->at == 0
        && ftruncate(download->file->fd, 0) < 0)
        return download_local_error(download, -errno, "writing");
    return r < 0 ? -EIO : 0;
}

static int changed(struct download *download)
{
    return error_set(&download->local, -EIO,
                     "guest's file '%s': changed while it was read",
                     download->remote);
}

static int wrong_part(const struct download *download, struct error *err)
{
    return error_set(err, -EBADMSG,
                     "the agent sent another part of '%s' than asked for",
                     download->remote);
}

static int __attribute__((format(printf, 3, 4)))
disagrees(const struct download *download, struct error *err,
          const char *format, ...)
{
    char what[120];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return error_set(err, -EBADMSG, ANSWER_DISAGREES "%s of '%s'", what,
                     download->remote);
}

/* The size, once it is known. */
static void set_total(struct download *download, int64_t total)
{
    if (download->total < 0 && !download->copy->tree)
        progress_add_total(download->copy->progress, total, 0);
    download->total = total;
}

/* Is more space asked for than the file takes in the guest? */
static void judge_holes(struct download *download,
                        const struct rpc_reply *reply)
{
    const char *text = http_field_get(reply->head, "X-Allocated-Size");
    int64_t allocated;

    download->sparse = text && !download_is_stream(download)
                       && num_parse(text, 0, INT64_MAX, &allocated) == 0
                       && allocated < download->total;
}

/* Is it the part that was asked for, and does the rest of the head say so, too?
 * A file with the same ETag has not grown. */
static int check_range(struct download *download,
                       const struct rpc_reply *reply, int64_t *total,
                       struct error *err)
{
    int64_t length = reply->head->content_length;
    struct range range;

    if (reply->http != 206
        || range_parse_content(reply->content_range, &range, total) < 0
        || *total < 0 || range.first != download->first
        || range.last - range.first + 1 > download->asked)
        return wrong_part(download, err);
    download->due = range.last - range.first + 1;
    if (length >= 0 && length != download->due)
        return disagrees(download, err,
                         "Content-Range announces %" PRId64
                         " bytes, and Content-Length %" PRId64,
                         download->due, length);
    if (*download->etag && strcmp(reply->etag, download->etag) == 0
        && *total != download->etag_total)
        return disagrees(download, err,
                         "one ETag for %" PRId64 " and for %" PRId64 " bytes",
                         download->etag_total, *total);
    return 0;
}

/* The head of a turn's answer.  A file that grows (a log) is copied as long as
 * it was in the beginning. */
static int take_head(struct download *download, const struct rpc_reply *reply,
                     struct error *err)
{
    int64_t total = 0;
    int r = check_range(download, reply, &total, err);

    if (r < 0)
        return r;
    if (download->total >= 0 && total < download->total)
        return changed(download);
    if (download->total < 0)
        set_total(download, total);
    if (!*download->etag) {
        memcpy(download->etag, reply->etag, sizeof(download->etag));
        download->etag_total = total;
        judge_holes(download, reply);
    }
    if (download->due < download->asked
        && download->first + download->due < download->total)
        return wrong_part(download, err);
    if (digestfield_find(http_field_get(reply->head, "Content-Digest"),
                         download->copy->kind, download->sum)
        < 0)
        download->sum[0] = '\0';
    return download->begun ? 0 : file_begin(download);
}

static int write_file(struct download *download, const uint8_t *bytes,
                      size_t n)
{
    int fd = download->file->fd;
    int r = download->sparse ? fd_pwrite_sparse(fd, bytes, n, download->at)
                             : fd_pwrite_all(fd, bytes, n, download->at);

    return r < 0 ? download_local_error(download, r, "writing") : 0;
}

/* Whoever reads our output may be slow: the channel is for others then. */
static int write_stream(struct download *download, const uint8_t *bytes,
                        size_t n)
{
    int r = out_bytes(download->file->fd, bytes, n);

    if (r == -EPIPE) {
        download->local.code = r; /* no error to talk about */
        return -EIO;
    }
    return r < 0 ? download_local_error(download, r, "writing") : 0;
}

static int keep(struct download *download, const uint8_t *bytes, size_t n)
{
    int r = download_is_stream(download) ? write_stream(download, bytes, n)
                                         : write_file(download, bytes, n);

    if (r < 0)
        return r;
    if (download->digest)
        digest_update(download->digest, bytes, n);
    if (download->rest)
        digest_update(download->rest, bytes, n);
    download->at += (int64_t) n;
    if (newfile_stays(&download->file->file))
        copy_last_words(download->copy, download->file->path, "");
    progress_bytes(download->copy->progress, (int64_t) n);
    return 0;
}

/* A turn that is made again brings what came before once more. */
static int take(void *context, const struct rpc_reply *reply,
                const uint8_t *bytes, size_t n, struct error *err)
{
    struct download *download = context;
    int64_t here = download->first + reply->taken;
    int r = reply->taken == 0 ? take_head(download, reply, err) : 0;

    if (r < 0)
        return r;
    if (reply->taken + (int64_t) n > download->due)
        return disagrees(download, err,
                         "Content-Range announces %" PRId64
                         " bytes, and %" PRId64 " came",
                         download->due, reply->taken + (int64_t) n);
    if (here < download->at) {
        int64_t known = download->at - here;

        if (known >= (int64_t) n)
            return 0;
        bytes += known;
        n -= (size_t) known;
    }
    return keep(download, bytes, n);
}

/* --- turns ---------------------------------------------------------------- */

/* "bytes * /TOTAL": nothing is left from here on.  Of a file that had more it
 * is said only when that has shrunk. */
static int take_end(struct download *download, const struct answer *answer)
{
    int64_t total;

    if (strncmp(answer->reply.content_range, "bytes */", 8) != 0
        || num_parse(answer->reply.content_range + 8, 0, INT64_MAX, &total)
               < 0)
        return answer_error(download->copy->client, answer, download->err);
    if (total < download->at || download->total >= 0)
        return changed(download);
    if (total > download->at)
        return disagrees(download, download->err,
                         "there is nothing from byte %" PRId64
                         " on, and there are %" PRId64 " bytes",
                         download->at, total);
    set_total(download, download->at);
    return download->begun ? 0 : file_begin(download);
}

/* No error, or a part: is all of it here that was announced?  Of an empty body
 * take() heard nothing. */
static int take_rest(struct download *download, const struct answer *answer)
{
    int r = answer_error(download->copy->client, answer, download->err);

    if (r == STATUS_FILE_NOT_FOUND)
        error_set(download->err, r, "guest's file '%s' does not exist",
                  download->remote);
    if (r == 0 && answer->reply.taken == 0)
        r = take_head(download, &answer->reply, download->err);
    if (r == 0 && answer->reply.taken != download->due)
        r = disagrees(download, download->err,
                      "Content-Range announces %" PRId64 " bytes, and %" PRId64
                      " came",
                      download->due, answer->reply.taken);
    return r;
}

static int turn_target(const struct download *download, struct buf *target)
{
    const struct copy *copy = download->copy;
    int r = filetarget_begin(target, "content", download->remote, copy->id,
                             download->err);

    if (r == 0 && copy->digested)
        r = filetarget_add(target, "digest", digest_word(copy->kind));
    return r;
}

static int turn_send(struct download *download, const char *target,
                     struct answer *answer)
{
    const struct rpc_body body = { .take = take, .context = download };
    char range[64];
    const struct client_request request = {
        .method = "GET",
        .target = target,
        .stream = &body,
        .range_field = "Range",
        .range = range,
        .read_ms = TIMEOUT_ALIVE,
        .raw = true,
    };

    snprintf(range, sizeof(range), "bytes=%" PRId64 "-%" PRId64,
             download->first, download->first + download->asked - 1);
    return client_send_request(download->copy->client, &request, answer,
                               download->err);
}

/* The disk works while the next turn comes: fsync(2) has less to do then. */
static void start_writing(struct download *download)
{
    int64_t n = download->at - download->first;
    int fd = download->file->fd;

    if (download_is_stream(download) || download->copy->tree)
        return;
    sync_file_range(fd, download->first, n, SYNC_FILE_RANGE_WRITE);
    flusher_written(&download->flusher, fd, n);
}

static int turn(struct download *download, const char *target)
{
    struct answer answer;
    int r;

    download->first = download->at;
    download->asked = copy_turn(
        download->copy,
        download->total < 0 ? INT64_MAX : download->total - download->at);
    answer_init(&answer);
    r = turn_send(download, target, &answer);
    if (r == 0 && answer.reply.http == 416)
        r = take_end(download, &answer);
    else if (r == 0)
        r = take_rest(download, &answer);
    if (r == 0)
        start_writing(download);
    if (r == 0)
        copy_turn_done(download->copy, download->at - download->first,
                       answer.ms, download->at < download->total);
    answer_free(&answer);
    return r;
}

int download_fetch(struct download *download)
{
    struct buf target;
    int r;

    buf_init(&target, HTTP_TARGET_MAX);
    r = turn_target(download, &target);
    while (r == 0 && (download->total < 0 || download->at < download->total))
        r = turn(download, buf_cstr(&target));
    buf_free(&target);
    return r;
}
