/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Uploads one file: a small one in one request that announces its digest, any
 * other in parts (upload_parts.c).  Whether the target is a folder is asked
 * only after a refusal, because most uploads name a file.
 */
#include <config.h>

#include "host/copy/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/copy/path.h"
#include "host/copy/plain.h"
#include "host/copy/upload_priv.h"
#include "host/remote/filetarget.h"
#include "host/remote/info.h"
#include "proto/digestfield.h"
#include "proto/limits.h"
#include "util/cleanup.h"
#include "util/fd.h"

/* --- small files ---------------------------------------------------------- */

static int small_read(struct upload *upload)
{
    int r = 0;

    if (!upload->stream) {
        upload->chunk = malloc((size_t) upload->size + 1);
        if (!upload->chunk)
            return error_errno(upload->err, -ENOMEM, "file '%s'",
                               upload->path);
        r = upload_read_at(upload, 0, upload->chunk, (size_t) upload->size);
    }
    if (r == 0)
        r = upload_check_unchanged(upload);
    if (r == 0 && upload->copy->digested)
        r = digest_bytes(upload->copy->kind, upload->chunk,
                         (size_t) upload->size, upload->sum);
    return r;
}

static int small_send(struct upload *upload, struct copy_result *result)
{
    struct client_request request = {
        .method = "PUT",
        .content_type = "application/octet-stream",
        .body = upload->chunk,
        .body_len = (size_t) upload->size,
        .read_ms = TIMEOUT_ALIVE,
        .if_not_done = "the file was not stored",
        .if_unknown = "outcome unknown: the file may have been stored",
    };
    struct answer answer;
    struct buf target;
    int r;

    buf_init(&target, HTTP_TARGET_MAX);
    answer_init(&answer);
    r = upload_put_target(upload, &target);
    if (r == 0 && *upload->sum)
        r = filetarget_add(&target, digest_word(upload->copy->kind),
                           upload->sum);
    if (r == 0) {
        request.target = buf_cstr(&target);
        upload_put_condition(upload, &request);
        r = upload_send(upload, &request, &answer);
    }
    if (r == 0)
        r = upload_check_stored(upload, answer.envelope.data, result);
    if (r == 0)
        copy_turn_done(upload->copy, upload->size, answer.ms, false);
    answer_free(&answer);
    buf_free(&target);
    return r;
}

/* A body that was broken off may have been completed by other bytes; that was
 * not stored. */
static int small(struct upload *upload, struct copy_result *result)
{
    int r = small_read(upload);

    if (r == 0)
        r = small_send(upload, result);
    if (r > 0 && upload->damaged) {
        out_note(upload->copy->client->setup.out,
                 "the copy was damaged on its way; again");
        error_clear(upload->err);
        r = small_send(upload, result);
    }
    if (r == 0)
        progress_bytes(upload->copy->progress, upload->size);
    return r;
}

/* --- the whole ------------------------------------------------------------ */

/* An agent that answers is asked: the part's folder may be gone, or its disk have
 * no room.  One that does not may be about to lose the part. */
static void say_kept(const struct upload *upload, int r)
{
    const struct out *out = upload->copy->client->setup.out;
    struct error ignored = ERROR_INIT;
    struct copy_span span;

    if (!upload->part || (r < 0 && upload->at == 0))
        return;
    if (r < 0)
        out_message(out,
                    "%" PRId64 " bytes of '%s' went to the guest; --resume "
                    "goes on with what is kept of them",
                    upload->at, upload->remote);
    else if (copy_span(upload->copy, upload->remote, true, 0, 0, &span,
                       &ignored)
                 == 0
             && span.size > 0)
        out_message(out,
                    "%" PRId64 " bytes of '%s' are kept in the guest; go on "
                    "with --resume",
                    span.size, upload->remote);
}

/* Is what came of a copy that failed of no use to anybody?  Who presses Ctrl-C
 * has thought better of it, and what is refused, or has no room, will be so
 * again; --resume is for the rest.  Without a part nobody can go on, but the agent
 * would wait for that; one that cannot be reached will find out by itself; one
 * that contradicts itself can. */
static bool is_useless(const struct upload *upload, int r)
{
    if (upload->part)
        return (r > 0 || r == -ECANCELED || upload->local.code)
               && !upload->copy->options->resume;
    return upload->at > 0
           && (r > 0 || r == -ECANCELED || r == -EBADMSG
               || upload->local.code);
}

static int upload_file(struct upload *upload, struct copy_result *result)
{
    const struct copy_options *options = upload->copy->options;
    struct progress *progress = upload->copy->progress;
    int r = 0;

    progress_file(progress, upload->path);
    if (upload->size >= 0 && !upload->copy->tree)
        progress_add_total(progress, upload->size, 0);
    upload->part = !upload->stream && upload->size > 0
                   && (upload->size >= COPY_KEEP_MIN || options->resume);
    if (upload->stream)
        r = upload_stream_fill(upload);
    if (r == 0 && upload->size >= 0 && upload->size <= TRANSFER_CHUNK
        && !upload->part)
        r = small(upload, result);
    else if (r == 0)
        r = upload_parts(upload, result);
    if (r != 0 && upload->local.code) {
        *upload->err = upload->local;
        r = upload->local.code;
    }
    copy_no_last_words(upload->copy);
    if (is_useless(upload, r))
        upload_forget_parts(upload);
    else if (r != 0)
        say_kept(upload, r);
    free(upload->chunk);
    digest_free(upload->digest);
    return r;
}

/* A remote path that is a folder, or ends as one does, gets the file's name.
 * Asked only after a refusal: most uploads name a file, and pay nothing. */
static bool remote_is_folder(struct client *client, const char *remote)
{
    struct remote_info info;

    return remote_info(client, remote, &info, NULL) == 0 && info.exists
           && strcmp(info.type, "directory") == 0;
}

static int upload_into(struct upload *upload, const char *folder,
                       struct copy_result *result)
{
    AUTO_FREE char *name = upload->stream ? NULL : path_basename(upload->path);
    AUTO_FREE char *path = name ? path_join(folder, name) : NULL;

    if (upload->stream)
        return error_set(upload->err, -EISDIR,
                         "'%s' is a folder, and standard input has no name: "
                         "name the file in it",
                         folder);
    if (!path)
        return error_set(upload->err, -EINVAL, "'%s' has no file name",
                         upload->path);
    upload->remote = path;
    return upload_file(upload, result);
}

static int upload_open(struct upload *upload, const char *local)
{
    if (strcmp(local, "-") != 0)
        return upload_open_at(upload, AT_FDCWD, local, 0);
    upload->stream = true;
    upload->size = -1;
    upload->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    return upload->fd < 0 ? error_errno(upload->err, -errno, "standard input")
                          : 0;
}

static int upload_named(struct upload *upload, const char *remote,
                        struct copy_result *result)
{
    size_t n = strlen(remote);
    struct upload before = *upload;
    int r;

    if (n && remote[n - 1] == '/')
        return upload_into(upload, remote, result);
    r = upload_file(upload, result);
    if (r <= 0 || !remote_is_folder(upload->copy->client, remote))
        return r;
    error_clear(upload->err);
    *upload = before;
    return upload_into(upload, remote, result);
}

int upload_from(struct copy *copy, const char *local, const char *remote,
                struct copy_result *result, struct error *err)
{
    struct upload upload = {
        .copy = copy, .path = local, .remote = remote, .fd = -1, .err = err
    };
    int r;

    *result = (struct copy_result) { 0 };
    r = upload_open(&upload, local);
    if (r == 0)
        r = upload_named(&upload, remote, result);
    if (plain_is_wanted(copy, r))
        r = plain_upload(copy, upload.fd, local, remote, result, err);
    fd_close(&upload.fd);
    return r;
}

int upload_at(struct copy *copy, int dir, const char *name, const char *path,
              const char *remote, struct copy_result *result,
              struct error *err)
{
    struct upload upload = {
        .copy = copy, .path = path, .remote = remote, .fd = -1, .err = err
    };
    int r;

    *result = (struct copy_result) { 0 };
    r = upload_open_at(&upload, dir, name, O_NOFOLLOW);
    if (r == 0)
        r = upload_file(&upload, result);
    fd_close(&upload.fd);
    return r;
}
