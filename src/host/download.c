/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/tempfile.h"
#include "proto/limits.h"
#include "proto/route.h"
#include "proto/status.h"
#include "proto/uri.h"
#include "util/cleanup.h"
#include "util/crypto.h"

/* One file on its way from the guest. */
struct download {
    struct client *client;
    const char *remote;
    struct remote_info info;    /* what is downloaded is what this says */
    bool empty;                 /* the last answer was 416 */
    bool open_end;              /* the size is not known yet */
    char etag[RPC_WORD_MAX];
    int64_t total;              /* the file's size as of the last chunk */
    struct digest *md5;         /* NULL: nothing to compare with */
    struct buf target;
    struct tempfile file;
    struct error *err;
};

static int download_info(struct download *download)
{
    struct remote_info *info = &download->info;
    int r = transfer_info(download->client, download->remote, info,
                          download->err);

    if (r != 0)
        return r;
    if (!info->exists)
        return error_set(download->err, STATUS_FILE_NOT_FOUND,
                         "guest's file '%s' does not exist",
                         download->remote);
    /* The metadata is that of the link; what it leads to has its size in the
     * first answer. */
    if (strcmp(info->type, "symlink") == 0) {
        download->open_end = true;
        info->size = TRANSFER_CHUNK;
        *info->md5 = '\0';
    } else if (strcmp(info->type, "file") != 0) {
        return error_set(download->err, STATUS_FILE_OPERATION_FAILED,
                         "guest's file '%s' is a %s, not a regular file",
                         download->remote, info->type);
    }
    /* So that policy judges the content of an empty file, too. */
    if (info->size == 0) {
        download->open_end = true;
        info->size = TRANSFER_CHUNK;
    }
    download->total = info->size;
    if (*info->md5)
        download->md5 = digest_new(DIGEST_MD5);
    if (!download->md5)
        out_note(download->client->setup.out,
                 "no MD5 of '%s' to compare with", download->remote);
    return 0;
}

/* "bytes A-B/TOTAL", exactly. */
static bool range_parse(const char *text, int64_t *first, int64_t *last,
                        int64_t *total)
{
    int end = 0;

    /* sscanf() would take signs and blanks. */
    if (strspn(text, "bytes 0123456789-/") != strlen(text)
        || sscanf(text, "bytes %18" SCNd64 "-%18" SCNd64 "/%18" SCNd64 "%n",
                  first, last, total, &end)
               != 3)
        return false;
    return text[end] == '\0' && *first >= 0 && *last >= *first
           && *total > *last;
}

/*
 * Is it still the same file?  One that only grows (a log) has another ETag
 * each time; its first bytes are what the MD5 is of, and that decides.
 */
static bool download_same(struct download *download,
                          const struct rpc_reply *reply, int64_t total)
{
    bool same = !*download->etag || strcmp(download->etag, reply->etag) == 0
                || total > download->total;

    memcpy(download->etag, reply->etag, sizeof(download->etag));
    if (total < download->total)
        return false;
    download->total = total;
    return same;
}

/* Takes the bytes of one answer. */
static int download_take(struct download *download, int64_t offset,
                         int64_t asked, const struct rpc_reply *reply)
{
    int64_t first = -1;
    int64_t last = -1;
    int64_t total = -1;
    int r;

    if (reply->http != 206
        || !range_parse(reply->content_range, &first, &last, &total)
        || first != offset || last - first + 1 > asked
        || (int64_t) reply->body.len != last - first + 1)
        return error_set(download->err, -EBADMSG,
                         "the agent sent another part of '%s' than asked for",
                         download->remote);
    if (download->open_end)
        download->info.size = download->total = total;
    download->open_end = false;
    if (!download_same(download, reply, total))
        return error_set(download->err, -EIO,
                         "guest's file '%s': changed while it was read",
                         download->remote);
    if (download->md5)
        digest_update(download->md5, buf_data(&reply->body),
                      reply->body.len);
    r = out_bytes(download->file.fd, buf_data(&reply->body),
                  reply->body.len);
    return r < 0 ? error_errno(download->err, r, "writing '%s'",
                               download->file.final ? download->file.final
                                                    : "standard output")
                 : 0;
}

/* A file that became shorter than the offset is answered with 416. */
static int download_refused(struct download *download,
                            const struct answer *answer)
{
    if (answer->reply.http == 416 && !download->open_end)
        return error_set(download->err, -EIO,
                         "guest's file '%s': changed while it was read",
                         download->remote);
    return answer_error(download->client, answer, download->err);
}

/* Return: bytes taken; 0 never; negative errno; a business code is put into
 * *code and gives 0. */
static int64_t download_chunk(struct download *download, int64_t offset,
                              int *code)
{
    int64_t left = download->info.size - offset;
    int64_t asked = left < TRANSFER_CHUNK ? left : TRANSFER_CHUNK;
    char range[64];
    struct client_request request = {
        .method = "GET",
        .target = (const char *) buf_data(&download->target),
        .range_field = "Range",
        .range = range,
        .read_ms = TIMEOUT_UNSET,
        .raw = true,
    };
    struct answer answer;
    int64_t taken;
    int r;

    snprintf(range, sizeof(range), "bytes=%" PRId64 "-%" PRId64, offset,
             offset + asked - 1);
    answer_init(&answer);
    r = client_send_request(download->client, &request, &answer,
                            download->err);
    if (r == 0)
        r = download_refused(download, &answer);
    if (r == 0)
        r = download_take(download, offset, asked, &answer.reply);
    download->empty = answer.reply.http == 416;
    taken = (int64_t) answer.reply.body.len;
    answer_free(&answer);
    *code = r > 0 ? r : 0;
    return r == 0 ? taken : r < 0 ? r : 0;
}

static int download_content(struct download *download)
{
    int64_t offset = 0;

    while (offset < download->info.size) {
        int code = 0;
        int64_t taken;

        if (offset > 0)
            client_give_way(download->client);
        taken = download_chunk(download, offset, &code);

        if (code && download->open_end && download->empty) {
            download->info.size = 0;
            error_clear(download->err);
            return 0;
        }
        if (taken < 0 || code)
            return code ? code : (int) taken;
        offset += taken;
    }
    return 0;
}

static int download_verify(struct download *download,
                           struct transfer_result *result)
{
    char ours[DIGEST_HEX_MAX];

    result->size = download->info.size;
    if (!download->md5)
        return 0;
    digest_hex(download->md5, ours);
    if (strcmp(ours, download->info.md5) != 0)
        return error_set(download->err, -EIO,
                         "guest's file '%s': the copy differs or the file "
                         "changed while it was read (MD5 %s, not %s)",
                         download->remote, ours, download->info.md5);
    memcpy(result->md5, download->info.md5, sizeof(result->md5));
    return 0;
}

/* The file that LOCAL means: in a folder, one of the same name. */
static char *local_path(const char *local, const char *remote)
{
    AUTO_FREE char *name = NULL;
    size_t n = strlen(local);
    struct stat st;

    if (n > 0 && local[n - 1] != '/'
        && (stat(local, &st) < 0 || !S_ISDIR(st.st_mode)))
        return strdup(local);
    name = transfer_basename(remote);
    return name && n > 0 ? transfer_join(local, name) : NULL;
}

static int download_target(struct download *download)
{
    int r = buf_puts(&download->target, API_PREFIX "/file/content?path=");

    if (r == 0)
        r = uri_encode(&download->target, download->remote);
    if (r == 0 && !buf_cstr(&download->target))
        r = -ENOMEM;
    return r < 0 ? error_errno(download->err, r, "path '%.100s'",
                               download->remote)
                 : 0;
}

static int download_run(struct download *download, const char *local,
                        struct transfer_result *result)
{
    int r;

    result->path = strcmp(local, "-") == 0 ? strdup(local)
                                           : local_path(local,
                                                        download->remote);
    if (!result->path)
        return error_set(download->err, -EINVAL,
                         "'%s' does not say which file to write", local);
    r = download_target(download);
    if (r == 0)
        r = download_info(download);
    if (r == 0)
        r = tempfile_open(&download->file, result->path, download->err);
    if (r == 0)
        r = download_content(download);
    if (r == 0)
        r = download_verify(download, result);
    if (r == 0)
        r = tempfile_commit(&download->file, download->err);
    return r;
}

int client_download_file(struct client *client, const char *remote,
                         const char *local, struct transfer_result *result,
                         struct error *err)
{
    struct download download = { .client = client,
                                 .remote = remote,
                                 .file = TEMPFILE_INIT,
                                 .err = err };
    int r;

    *result = (struct transfer_result) { 0 };
    buf_init(&download.target, HTTP_TARGET_MAX);
    r = download_run(&download, local, result);
    tempfile_close(&download.file);
    digest_free(download.md5);
    buf_free(&download.target);
    return r;
}
