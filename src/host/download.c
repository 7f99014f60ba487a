/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One file from the guest.
 *
 * The agent digests what it sends while it sends it, and we what comes; the
 * two are compared at the end.  Where they differ, or the agent has forgotten,
 * or the file was written to meanwhile, the copy is held against the file span
 * by span, and what differs is fetched again.
 */
#include <config.h>

#include "host/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/localtree.h"
#include "host/tempfile.h"
#include "host/transfer.h"
#include "proto/digestfield.h"
#include "proto/limits.h"
#include "proto/range.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/num.h"

/* A file that changes as often while it is read is not to be had. */
#define TRIES 3

struct download {
    struct copy *copy;
    const char *remote;
    const struct remote_entry *known; /* NULL: nothing is */
    struct tempfile *file;
    bool begun;           /* … has the file */
    bool sparse;
    int64_t total;        /* the file's size; -1: not known yet */
    int64_t at;           /* bytes that are here */
    int64_t first;        /* of this turn */
    int64_t asked;        /* bytes of this turn */
    char etag[RPC_WORD_MAX];  /* as the first turn began */
    char sum[DIGEST_HEX_MAX]; /* that the agent said with the bytes; "" */
    struct digest *digest;    /* of all bytes; NULL: none */
    struct digest *rest;      /* of those from rest_first on, when that is not
                               * the beginning */
    int64_t rest_first;
    struct error local;   /* what went wrong here, not on the way */
    struct error *err;
};

/* --- what comes ----------------------------------------------------------- */

static bool is_stream(const struct download *download)
{
    return download->file->direct >= 0;
}

/* What is wrong here is nothing that another try could mend. */
static int local_error(struct download *download, int code,
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
        r = tempfile_begin(download->file, part && !is_stream(download),
                           &there, &download->local);
    download->begun = true;
    /* What an earlier one left is of no use, unless it was asked for. */
    if (r == 0 && !is_stream(download) && download->at == 0
        && ftruncate(download->file->fd, 0) < 0)
        return local_error(download, -errno, "writing");
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

    download->sparse = text && !is_stream(download)
                       && num_parse(text, 0, INT64_MAX, &allocated) == 0
                       && allocated < download->total;
}

/* The head of a turn's answer.  A file that grows (a log) is copied as long as
 * it was in the beginning. */
static int take_head(struct download *download, const struct rpc_reply *reply,
                     struct error *err)
{
    struct range range;
    int64_t total;

    if (reply->http != 206
        || range_parse_content(reply->content_range, &range, &total) < 0
        || total < 0 || range.first != download->first
        || range.last - range.first + 1 > download->asked)
        return wrong_part(download, err);
    if (download->total >= 0 && total < download->total)
        return changed(download);
    if (download->total < 0)
        set_total(download, total);
    if (!*download->etag) {
        memcpy(download->etag, reply->etag, sizeof(download->etag));
        judge_holes(download, reply);
    }
    if (range.last - range.first + 1 < download->asked
        && range.last + 1 < download->total)
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

    return r < 0 ? local_error(download, r, "writing") : 0;
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
    return r < 0 ? local_error(download, r, "writing") : 0;
}

static int keep(struct download *download, const uint8_t *bytes, size_t n)
{
    int r = is_stream(download) ? write_stream(download, bytes, n)
                                : write_file(download, bytes, n);

    if (r < 0)
        return r;
    if (download->digest)
        digest_update(download->digest, bytes, n);
    if (download->rest)
        digest_update(download->rest, bytes, n);
    download->at += (int64_t) n;
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
    if (here + (int64_t) n > download->first + download->asked)
        return wrong_part(download, err);
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

/* "bytes * /TOTAL": nothing is left from here on. */
static int take_end(struct download *download, const struct answer *answer)
{
    int64_t total;

    if (strncmp(answer->reply.content_range, "bytes */", 8) != 0
        || num_parse(answer->reply.content_range + 8, 0, INT64_MAX, &total)
               < 0)
        return answer_error(download->copy->client, answer, download->err);
    if (total < download->at)
        return changed(download);
    set_total(download, download->at);
    return download->begun ? 0 : file_begin(download);
}

static int take_error(struct download *download, const struct answer *answer)
{
    int r = answer_error(download->copy->client, answer, download->err);

    if (r == STATUS_FILE_NOT_FOUND)
        error_set(download->err, r, "guest's file '%s' does not exist",
                  download->remote);
    return r;
}

static int turn_target(const struct download *download, struct buf *target)
{
    const struct copy *copy = download->copy;
    int r = copy_target(copy, target, "/file/content", download->remote,
                        download->err);

    if (r == 0 && copy->digested)
        r = copy_target_add(target, "digest", digest_word(copy->kind));
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
        .read_ms = TIMEOUT_UNSET,
        .raw = true,
    };

    snprintf(range, sizeof(range), "bytes=%" PRId64 "-%" PRId64,
             download->first, download->first + download->asked - 1);
    return client_send_request(download->copy->client, &request, answer,
                               download->err);
}

/* The disk works while the next turn comes: fsync(2) has less to do then. */
static void start_writing(const struct download *download)
{
    if (!is_stream(download) && !download->copy->tree)
        sync_file_range(download->file->fd, download->first,
                        download->at - download->first,
                        SYNC_FILE_RANGE_WRITE);
}

static int turn(struct download *download, const char *target)
{
    struct answer answer;
    int r;

    download->first = download->at;
    download->asked
        = copy_turn(download->copy, download->total < 0
                                        ? INT64_MAX
                                        : download->total - download->at);
    answer_init(&answer);
    r = turn_send(download, target, &answer);
    if (r == 0 && answer.reply.http == 416)
        r = take_end(download, &answer);
    else if (r == 0)
        r = take_error(download, &answer);
    /* Of an empty body take() heard nothing. */
    if (r == 0 && !download->begun)
        r = wrong_part(download, download->err);
    if (r == 0)
        start_writing(download);
    if (r == 0)
        copy_turn_done(download->copy, download->at - download->first,
                       answer.ms, download->at < download->total);
    answer_free(&answer);
    return r;
}

static int fetch(struct download *download)
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

/* --- comparing ------------------------------------------------------------ */

/* What the agent says of all that it has sent in this copy. */
struct said {
    int64_t first;
    int64_t next;
    char digest[DIGEST_HEX_MAX];
    char etag[RPC_WORD_MAX];
};

static int said_take(struct json_object *data, struct said *said,
                     struct error *err)
{
    const char *digest = "";
    const char *etag = "";

    if (param_int(data, "first", PARAM_REQUIRED, 0, INT64_MAX, &said->first,
                  err)
        || param_int(data, "next", PARAM_REQUIRED, 0, INT64_MAX, &said->next,
                     err)
        || param_string(data, "digest", PARAM_OPTIONAL, &digest, err)
        || param_string(data, "etag", PARAM_OPTIONAL, &etag, err)) {
        error_prefix(err, "the agent's answer makes no sense");
        return -EBADMSG;
    }
    snprintf(said->digest, sizeof(said->digest), "%s", digest);
    snprintf(said->etag, sizeof(said->etag), "%s", etag);
    return 0;
}

/* Return: 0; 1 when the agent does not know; negative errno. */
static int ask(struct download *download, struct said *said)
{
    char target[128];
    const struct client_request request = { .method = "GET",
                                            .target = target,
                                            .read_ms = TIMEOUT_UNSET };
    struct answer answer;
    int r;

    snprintf(target, sizeof(target), API_PREFIX "/file/transfers/%s",
             download->copy->id);
    answer_init(&answer);
    r = client_send_request(download->copy->client, &request, &answer,
                            download->err);
    if (r == 0 && answer.envelope.code != STATUS_SUCCESS)
        r = 1;
    if (r == 0)
        r = said_take(answer.envelope.data, said, download->err);
    answer_free(&answer);
    return r;
}

/* The digest of the bytes that the agent's is of, as far as we know. */
static void our_digest(const struct download *download,
                       char hex[DIGEST_HEX_MAX])
{
    CLEANUP(digest_cleanup) struct digest *copy
        = digest_copy(download->rest ? download->rest : download->digest);

    hex[0] = '\0';
    if (copy)
        digest_hex(copy, hex);
}

/* Return: 0 when it is the same; 1 when nobody can tell so; negative errno. */
static int compare(struct download *download)
{
    char hex[DIGEST_HEX_MAX];
    struct said said = { 0 };
    int r;

    if (!download->digest)
        return 0;
    our_digest(download, hex);
    if (*download->sum && download->first == 0)
        return strcmp(hex, download->sum) == 0 ? 0 : 1;
    if (download->total == download->rest_first)
        return 0; /* there was nothing to send */
    r = ask(download, &said);
    if (r != 0)
        return r;
    return said.first == download->rest_first && said.next == download->total
                   && strcmp(said.digest, hex) == 0
                   && strcmp(said.etag, download->etag) == 0
               ? 0
               : 1;
}

/* Starts anew behind bytes that are right. */
static int go_back(struct download *download, int64_t at)
{
    digest_free(download->rest);
    download->rest = at > 0 && download->digest
                         ? digest_new(download->copy->kind)
                         : NULL;
    download->rest_first = download->at = at;
    *download->etag = '\0';
    if (at > 0 && download->digest && !download->rest)
        return error_errno(download->err, -ENOMEM, "digest");
    if (ftruncate(download->file->fd, at) < 0) {
        local_error(download, -errno, "writing");
        return -EIO;
    }
    return 0;
}

/* Holds the bytes that are here against the guest's, and keeps those that are
 * the same. */
static int hold_against(struct download *download)
{
    struct digest *fresh = copy_digest(download->copy);
    int64_t was = download->at;
    int64_t same;
    int code = 0;

    if (!fresh && download->copy->digested)
        return error_errno(download->err, -ENOMEM, "digest");
    same = copy_same(download->copy, download->remote, false,
                     download->file->fd, was, &fresh, &code, download->err);
    digest_free(download->digest);
    download->digest = fresh;
    if (code || same < 0)
        return code ? code : (int) same;
    return same == was ? 0 : go_back(download, same);
}

/* A stream cannot be taken back; one that only grew is what it was. */
static int stream_doubt(struct download *download)
{
    struct copy_span span;
    int r = copy_span(download->copy, download->remote, false, 0, 0, &span,
                      download->err);

    if (r != 0)
        return r;
    if (span.size > download->total)
        return 0;
    return error_set(download->err, -EIO,
                     "guest's file '%s': the copy differs or the file changed "
                     "while it was read",
                     download->remote);
}

static int verify(struct download *download)
{
    int r = compare(download);

    for (int i = 0; r == 1 && i < TRIES; i++) {
        if (is_stream(download))
            return stream_doubt(download);
        r = hold_against(download);
        if (r == 0 && download->at == download->total)
            return 0;
        if (r == 0) {
            out_note(download->copy->client->setup.out,
                     "the copy differs; from byte %" PRId64 " on again",
                     download->at);
            r = fetch(download);
        }
        if (r == 0)
            r = compare(download);
    }
    if (r == 1)
        r = error_set(download->err, -EIO,
                      "guest's file '%s': the copy differs or the file "
                      "changed while it was read, %d times",
                      download->remote, TRIES);
    return r;
}

/* --- the whole ------------------------------------------------------------ */

/* What an earlier copy has left. */
static int resume(struct download *download)
{
    int64_t there;
    int r;

    if (!download->copy->options->resume || is_stream(download))
        return 0;
    r = tempfile_begin(download->file, true, &there, download->err);
    download->begun = true;
    if (r < 0 || there == 0)
        return r;
    download->at = there;
    r = hold_against(download);
    if (r != 0)
        return r;
    if (download->at == there)
        r = go_back(download, there);
    out_note(download->copy->client->setup.out,
             "%" PRId64 " of %" PRId64 " bytes that were here are right",
             download->at, there);
    progress_skip(download->copy->progress, download->at);
    return r;
}

static int commit(struct download *download)
{
    const struct copy *copy = download->copy;
    const struct remote_entry *known = download->known;
    mode_t mode = 0;
    const struct timespec mtime
        = { .tv_sec = known ? (time_t) known->mtime : 0,
            .tv_nsec = known ? known->mtime_ns : 0 };
    struct tempfile_options options = {
        .keep_old = copy->options->no_clobber,
        .durable = !copy->tree,
    };

    /* A guest does not make programs of ours run as somebody else. */
    if (known && (copy->options->preserve || copy->tree)) {
        mode = known->mode & 0777;
        if (!copy->options->preserve)
            mode &= ~localtree_umask();
        options.mode = &mode;
    }
    if (known && copy->options->preserve)
        options.mtime = &mtime;
    if (download->sparse
        && ftruncate(download->file->fd, download->total) < 0) {
        local_error(download, -errno, "writing");
        return -EIO;
    }
    return tempfile_commit(download->file, &options, download->err);
}

static int run(struct download *download)
{
    int r;

    if (download->copy->options->no_clobber
        && tempfile_exists(download->file))
        return error_errno(download->err, -EEXIST, "file '%s'",
                           download->file->path);
    r = resume(download);
    if (r == 0)
        r = fetch(download);
    if (r == 0)
        r = verify(download);
    if (r == 0)
        r = commit(download);
    return r;
}

/* Our own words are better than those about a connection that we broke. */
static int own_words(struct download *download, int r)
{
    /* What is broken off stays; what cannot be had, or has no room, does not
     * unless it was asked for. */
    if ((r > 0 || download->local.code) && !download->copy->options->resume)
        download->file->file.kept = false;
    if (r == 0 || !download->local.code)
        return r;
    *download->err = download->local;
    return download->local.code;
}

static void say_kept(const struct download *download)
{
    if (!download->file->file.kept || download->at == 0)
        return;
    progress_clear(download->copy->progress);
    out_message(download->copy->client->setup.out,
                "%" PRId64 " bytes of '%s' are kept; go on with --resume",
                download->at, download->file->path);
}

static int download_file(struct copy *copy, const char *remote,
                         const struct remote_entry *known,
                         struct tempfile *file,
                         struct transfer_result *result, struct error *err)
{
    struct download download = { .copy = copy,
                                 .remote = remote,
                                 .known = known,
                                 .file = file,
                                 .total = -1,
                                 .digest = copy_digest(copy),
                                 .err = err };
    char hex[DIGEST_HEX_MAX] = "";
    int r;

    file->firm = copy->options->resume;
    progress_file(copy->progress, remote);
    r = own_words(&download, run(&download));
    if (r == 0 && download.digest)
        digest_hex(download.digest, hex);
    if (r == 0)
        copy_result(copy, file->name || file->path[0] == '/' ? file->path
                                                              : "-",
                    download.total, hex, result);
    else
        say_kept(&download);
    memcpy(result->etag, download.etag, sizeof(result->etag));
    digest_free(download.digest);
    digest_free(download.rest);
    tempfile_close(file);
    return r;
}

int download_at(struct copy *copy, const char *remote,
                const struct remote_entry *known, int dir, const char *name,
                const char *path, struct transfer_result *result,
                struct error *err)
{
    struct tempfile file;
    int r = tempfile_find_at(&file, dir, name, path, err);

    *result = (struct transfer_result) { 0 };
    if (r < 0) {
        tempfile_close(&file);
        return r;
    }
    return download_file(copy, remote, known, &file, result, err);
}

/* The file that LOCAL means: in a folder, one of the same name. */
static char *local_path(const char *local, const char *remote)
{
    AUTO_FREE char *name = NULL;
    size_t n = strlen(local);
    struct stat st;

    if (strcmp(local, "-") == 0
        || (n > 0 && local[n - 1] != '/'
            && (stat(local, &st) < 0 || !S_ISDIR(st.st_mode))))
        return strdup(local);
    name = transfer_basename(remote);
    return name && n > 0 ? transfer_join(local, name) : NULL;
}

int download_to(struct copy *copy, const char *remote, const char *local,
                struct transfer_result *result, struct error *err)
{
    AUTO_FREE char *path = local_path(local, remote);
    struct tempfile file;
    int r;

    *result = (struct transfer_result) { 0 };
    if (!path)
        return error_set(err, -EINVAL,
                         "'%s' does not say which file to write", local);
    r = tempfile_find(&file, path, err);
    if (r < 0) {
        tempfile_close(&file);
        return r;
    }
    return download_file(copy, remote, NULL, &file, result, err);
}
