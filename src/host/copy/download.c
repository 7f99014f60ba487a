/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Begins and ends the download of one file: goes on with a part that is here,
 * has what came checked, and commits it with mode and time.  What is left of a
 * failed download is removed or kept for --resume.
 */
#include <config.h>

#include "host/copy/download.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/copy/download_priv.h"
#include "host/copy/path.h"
#include "host/copy/plain.h"
#include "host/local/localtree.h"
#include "util/cleanup.h"

/* What an earlier copy has left. */
static int resume(struct download *download)
{
    int64_t there;
    int r;

    if (!download->copy->options->resume || download_is_stream(download))
        return 0;
    r = tempfile_begin(download->file, true, &there, download->err);
    download->begun = true;
    if (r < 0 || there == 0)
        return r;
    download->at = there;
    r = download_hold_against(download);
    if (r != 0)
        return r;
    if (download->at == there)
        r = download_go_back(download, there);
    out_note(download->copy->client->setup.out,
             "%" PRId64 " of %" PRId64 " bytes that were here are right",
             download->at, there);
    progress_skip(download->copy->progress, download->at);
    return r;
}

/* All of it has come: nothing that the disk refused, and a hole at the end. */
static int settle(struct download *download)
{
    int r = flusher_end(&download->flusher);

    if (r == 0 && download->sparse
        && ftruncate(download->file->fd, download->total) < 0)
        r = -errno;
    return r < 0 ? download_local_error(download, r, "writing") : 0;
}

static int commit(struct download *download)
{
    const struct copy *copy = download->copy;
    const struct remote_entry *known = download->known;
    mode_t mode = 0;
    const struct timespec mtime = { .tv_sec = known ? (time_t) known->mtime
                                                    : 0,
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
        options.own_mode = !copy->options->preserve;
    }
    if (known && copy->options->preserve)
        options.mtime = &mtime;
    return tempfile_commit(download->file, &options, download->err);
}

static int run(struct download *download)
{
    int r;

    if (download->copy->options->no_clobber && tempfile_exists(download->file))
        return error_errno(download->err, -EEXIST, "file '%s'",
                           download->file->path);
    r = resume(download);
    if (r == 0)
        r = download_fetch(download);
    if (r == 0)
        r = download_verify(download);
    if (r == 0)
        r = settle(download);
    copy_no_last_words(download->copy);
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
    if (!newfile_stays(&download->file->file) || download->at == 0)
        return;
    out_message(download->copy->client->setup.out,
                "%" PRId64 " bytes of '%s' are kept; go on with --resume",
                download->at, download->file->path);
}

static int download_file(struct copy *copy, const char *remote,
                         const struct remote_entry *known,
                         struct tempfile *file, struct copy_result *result,
                         struct error *err)
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
        copy_result_fill(copy,
                         file->name || file->path[0] == '/' ? file->path : "-",
                         download.total, hex, result);
    else
        say_kept(&download);
    memcpy(result->etag, download.etag, sizeof(result->etag));
    digest_free(download.digest);
    digest_free(download.rest);
    flusher_end(&download.flusher);
    tempfile_close(file);
    return r;
}

int download_at(struct copy *copy, const char *remote,
                const struct remote_entry *known, int dir, const char *name,
                const char *path, struct copy_result *result,
                struct error *err)
{
    struct tempfile file;
    int r = tempfile_find_at(&file, dir, name, path, err);

    *result = (struct copy_result) { 0 };
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
    name = path_basename(remote);
    return name && n > 0 ? path_join(local, name) : NULL;
}

int download_known(struct copy *copy, const char *remote,
                   const struct remote_entry *known, const char *local,
                   struct copy_result *result, struct error *err)
{
    struct tempfile file;
    int r = tempfile_find(&file, local, err);

    *result = (struct copy_result) { 0 };
    if (r < 0) {
        tempfile_close(&file);
        return r;
    }
    r = download_file(copy, remote, known, &file, result, err);
    return plain_is_wanted(copy, r)
               ? plain_download(copy, remote, local, result, err)
               : r;
}

int download_to(struct copy *copy, const char *remote, const char *local,
                struct copy_result *result, struct error *err)
{
    AUTO_FREE char *path = local_path(local, remote);

    *result = (struct copy_result) { 0 };
    if (!path)
        return error_set(err, -EINVAL, "'%s' does not say which file to write",
                         local);
    return download_known(copy, remote, NULL, path, result, err);
}
