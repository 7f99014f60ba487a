/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One file to the guest.
 *
 * A small one is one request, which says what the content is; the agent stores
 * nothing else.  Any other goes in parts of a transfer, is digested on its way,
 * and gets its place when its size and its digest have been said, and are
 * right.
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

#include "host/transfer.h"
#include "proto/digestfield.h"
#include "proto/limits.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/fd.h"

/* A transfer that gets lost is begun anew, or goes on behind what is kept, but
 * not for ever; one that is damaged twice has a reason for it. */
#define TRIES 10
#define TRIES_DAMAGED 2

struct upload {
    struct copy *copy;
    const char *path;     /* the local file, for messages */
    const char *remote;
    int fd;
    bool stream;          /* standard input: no size, and read only once */
    struct stat st;       /* as it was opened */
    int64_t size;         /* -1: not known yet */
    int64_t at;           /* bytes that are there */
    int64_t turn;         /* bytes of this turn */
    int64_t digested;     /* bytes that are in the digest */
    uint8_t *chunk;       /* of a stream: this turn; of a small file: all */
    struct digest *digest; /* NULL: none */
    char sum[DIGEST_HEX_MAX];
    char mode[8];
    bool part;    /* what has come stays there when it breaks */
    bool lost;    /* the agent does not have the earlier parts */
    bool damaged; /* what came there is not what was sent */
    struct error local;
    struct error *err;
};

/* --- the local file ------------------------------------------------------- */

/* Files of the kernel (/proc, /sys) have content and no size. */
static int check_size(const struct upload *upload)
{
    char byte;

    if (upload->size > 0 || pread(upload->fd, &byte, 1, 0) <= 0)
        return 0;
    error_set(upload->err, -EINVAL, "file '%s': has content but no size",
              upload->path);
    error_hint(upload->err, "cat %s | " PROGRAM " … upload - %s",
               upload->path, upload->remote);
    return -EINVAL;
}

static int check_file(struct upload *upload)
{
    if (fstat(upload->fd, &upload->st) < 0)
        return error_errno(upload->err, -errno, "file '%s'", upload->path);
    if (S_ISDIR(upload->st.st_mode)) {
        error_set(upload->err, -EISDIR, "'%s' is a directory", upload->path);
        error_hint(upload->err, "-r copies it with all that is in it");
        return -EISDIR;
    }
    if (!S_ISREG(upload->st.st_mode))
        return error_set(upload->err, -EINVAL, "'%s' is not a regular file",
                         upload->path);
    upload->size = upload->st.st_size;
    snprintf(upload->mode, sizeof(upload->mode), "%04o",
             (unsigned int) upload->st.st_mode & 0777);
    return check_size(upload);
}

static int open_at(struct upload *upload, int dir, const char *name, int flags)
{
    /* O_NONBLOCK: a pipe without a writer must not hold us. */
    upload->fd = openat(dir, name,
                        O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
    if (upload->fd < 0)
        return error_errno(upload->err, -errno, "file '%s'", upload->path);
    return check_file(upload);
}

/* What is wrong here is nothing that another try could mend. */
static int local_error(struct upload *upload, int code)
{
    error_errno(&upload->local, code, "file '%s'", upload->path);
    return -EIO;
}

static int changed(struct upload *upload)
{
    error_set(&upload->local, -EIO, "file '%s': changed while it was read",
              upload->path);
    return -EIO;
}

/* The file may have grown (a log): what it had in the beginning is copied. */
static int check_unchanged(struct upload *upload)
{
    struct stat now;

    if (upload->stream)
        return 0;
    if (fstat(upload->fd, &now) < 0)
        return local_error(upload, -errno);
    if (now.st_size < upload->size
        || (now.st_size == upload->size
            && (now.st_mtim.tv_sec != upload->st.st_mtim.tv_sec
                || now.st_mtim.tv_nsec != upload->st.st_mtim.tv_nsec)))
        return changed(upload);
    return 0;
}

static int read_at(struct upload *upload, int64_t at, uint8_t *bytes, size_t n)
{
    size_t got = 0;

    while (got < n) {
        ssize_t done = pread(upload->fd, bytes + got, n - got,
                             at + (int64_t) got);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return local_error(upload, -errno);
        if (done == 0)
            return changed(upload);
        got += (size_t) done;
    }
    return 0;
}

/* Takes into the digest what is not in it yet: a turn that is made again gives
 * the same bytes once more. */
static void digest_new_bytes(struct upload *upload, int64_t at,
                             const uint8_t *bytes, size_t n)
{
    int64_t known = upload->digested - at;

    if (!upload->digest || known >= (int64_t) n)
        return;
    digest_update(upload->digest, bytes + known, n - (size_t) known);
    upload->digested = at + (int64_t) n;
}

/* Reads a turn of a stream; a short one is the last. */
static int stream_fill(struct upload *upload)
{
    int64_t want = copy_turn(upload->copy, TRANSFER_CHUNK);
    int64_t n;

    if (!upload->chunk)
        upload->chunk = malloc(TRANSFER_CHUNK);
    if (!upload->chunk)
        return error_errno(upload->err, -ENOMEM, "buffer");
    n = fd_read_full(upload->fd, upload->chunk, (size_t) want);
    if (n < 0)
        return local_error(upload, (int) n);
    if (n < want)
        upload->size = upload->at + n;
    upload->turn = n;
    return 0;
}

/* --- requests ------------------------------------------------------------- */

/* Everything that the file is to be. */
static int put_target(const struct upload *upload, struct buf *target)
{
    const struct copy *copy = upload->copy;
    const struct copy_options *options = copy->options;
    const char *digest = copy->digested ? digest_word(copy->kind) : "none";
    const char *mode = options->mode ? options->mode : upload->mode;
    char mtime[48] = "";
    int r = copy_target(copy, target, "/file/content", upload->remote,
                        upload->err);

    if (r < 0)
        return r;
    if (options->preserve && !upload->stream)
        snprintf(mtime, sizeof(mtime), "%" PRId64 ".%09ld",
                 (int64_t) upload->st.st_mtim.tv_sec,
                 upload->st.st_mtim.tv_nsec);
    r = copy_target_add(target, "mode", *mode ? mode : NULL);
    if (r == 0)
        r = copy_target_add(target, "owner", options->owner);
    if (r == 0)
        r = copy_target_add(target, "group", options->group);
    if (r == 0)
        r = copy_target_add(target, "mtime", *mtime ? mtime : NULL);
    if (r == 0)
        r = copy_target_add(target, "overwrite",
                            options->no_clobber ? "false" : NULL);
    if (r == 0)
        r = copy_target_add(target, "sync", copy->tree ? "false" : NULL);
    if (r == 0 && (int64_t) upload->st.st_blocks * 512 < upload->size)
        r = copy_target_add(target, "sparse", "true");
    if (r == 0)
        r = copy_target_add(target, "resume",
                            !upload->part     ? NULL
                            : options->resume ? "true"
                                              : "auto");
    if (r == 0)
        r = copy_target_add(target, "digest", digest);
    return r < 0 ? error_errno(upload->err, r, "path '%.100s'",
                               upload->remote)
                 : 0;
}

static void put_condition(const struct upload *upload,
                          struct client_request *request)
{
    const struct copy_options *options = upload->copy->options;

    if (!options->if_match && !options->create)
        return;
    request->condition_field = options->create ? "If-None-Match"
                                               : "If-Match";
    request->condition = options->create ? "*" : options->if_match;
}

/* What the agent's refusal means for the whole. */
static void refused(struct upload *upload, int code,
                    const struct answer *answer)
{
    struct json_object *data = answer->envelope.data;
    struct client *client = upload->copy->client;

    upload->lost = code == STATUS_INVALID_PARAMS && upload->at > 0;
    upload->damaged
        = code == STATUS_FILE_OPERATION_FAILED
          && (json_object_object_get_ex(data, "md5", NULL)
              || json_object_object_get_ex(data, "sha256", NULL));
    if (!upload->damaged)
        return;
    error_set(upload->err, code, "the copy was damaged on its way: %s",
              envelope_detail(&answer->envelope));
    if (client->target->name)
        client_blame(client, upload->err);
}

static int send(struct upload *upload, const struct client_request *request,
                struct answer *answer)
{
    int r = client_send_request(upload->copy->client, request, answer,
                                upload->err);

    if (r == 0)
        r = answer_error(upload->copy->client, answer, upload->err);
    refused(upload, r, answer);
    return r;
}

/* Where the file is now, as the agent says; one that is no text as it was
 * asked for. */
static const char *stored_path(const struct upload *upload,
                               struct json_object *data)
{
    const char *path = upload->remote;

    if (json_object_object_get_ex(data, "path_encoding", NULL)
        || param_string(data, "path", PARAM_OPTIONAL, &path, NULL))
        return upload->remote;
    return path;
}

/* What the agent stored has to be what was sent. */
static int check_stored(struct upload *upload, struct json_object *data,
                        struct transfer_result *result)
{
    const char *name = digest_word(upload->copy->kind);
    const char *theirs = NULL;
    int64_t size = -1;

    if (param_string(data, name, PARAM_OPTIONAL, &theirs, upload->err)
        || param_int(data, "size", PARAM_REQUIRED, 0, INT64_MAX, &size,
                     upload->err)) {
        error_prefix(upload->err, "the agent's answer makes no sense");
        return -EBADMSG;
    }
    if (size != upload->size
        || (*upload->sum && theirs && strcmp(theirs, upload->sum) != 0))
        return error_set(upload->err, -EIO,
                         "the copy in the guest differs (%" PRId64
                         " bytes, %s %s; sent %" PRId64 " bytes, %s %s)",
                         size, name, theirs ? theirs : "-", upload->size,
                         name, upload->sum);
    copy_result(upload->copy, stored_path(upload, data), size, upload->sum,
                result);
    return result->path ? 0 : error_errno(upload->err, -ENOMEM, "upload");
}

/* --- small files ---------------------------------------------------------- */

static int small_read(struct upload *upload)
{
    int r = 0;

    if (!upload->stream) {
        upload->chunk = malloc((size_t) upload->size + 1);
        if (!upload->chunk)
            return error_errno(upload->err, -ENOMEM, "file '%s'",
                               upload->path);
        r = read_at(upload, 0, upload->chunk, (size_t) upload->size);
    }
    if (r == 0)
        r = check_unchanged(upload);
    if (r == 0 && upload->copy->digested)
        r = digest_bytes(upload->copy->kind, upload->chunk,
                         (size_t) upload->size, upload->sum);
    return r;
}

static int small_send(struct upload *upload, struct transfer_result *result)
{
    struct client_request request = {
        .method = "PUT",
        .content_type = "application/octet-stream",
        .body = upload->chunk,
        .body_len = (size_t) upload->size,
        .read_ms = TIMEOUT_UNSET,
        .undone = "the file was not stored",
        .doubt = "outcome unknown: the file may have been stored",
    };
    struct answer answer;
    struct buf target;
    int r;

    buf_init(&target, HTTP_TARGET_MAX);
    answer_init(&answer);
    r = put_target(upload, &target);
    if (r == 0 && *upload->sum)
        r = copy_target_add(&target, digest_word(upload->copy->kind),
                            upload->sum);
    if (r == 0) {
        request.target = buf_cstr(&target);
        put_condition(upload, &request);
        r = send(upload, &request, &answer);
    }
    if (r == 0)
        r = check_stored(upload, answer.envelope.data, result);
    if (r == 0)
        copy_turn_done(upload->copy, upload->size, answer.ms, false);
    answer_free(&answer);
    buf_free(&target);
    return r;
}

/* A body that was broken off may have been completed by other bytes; that was
 * not stored. */
static int small(struct upload *upload, struct transfer_result *result)
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

/* --- parts ---------------------------------------------------------------- */

/* rpc_body's give(). */
static int give(void *context, int64_t at, uint8_t *bytes, size_t n,
                struct error *err)
{
    struct upload *upload = context;
    int r = 0;

    (void) err;
    if (upload->stream)
        memcpy(bytes, upload->chunk + at, n);
    else
        r = read_at(upload, upload->at + at, bytes, n);
    if (r == 0)
        digest_new_bytes(upload, upload->at + at, bytes, n);
    return r;
}

static int part_request(struct upload *upload, const char *target,
                        struct answer *answer)
{
    const struct rpc_body body = { .give = give, .context = upload };
    char range[80];
    struct client_request request = {
        .method = "PUT",
        .target = target,
        .content_type = "application/octet-stream",
        .stream = &body,
        .body_len = (size_t) upload->turn,
        .range_field = "Content-Range",
        .range = range,
        .read_ms = TIMEOUT_UNSET,
        .undone = "the file was not stored",
        .doubt = "the file was not stored",
        .partial = true,
    };

    /* The size is said at the end, with the digest. */
    snprintf(range, sizeof(range), "bytes %" PRId64 "-%" PRId64 "/*",
             upload->at, upload->at + upload->turn - 1);
    if (upload->at == 0)
        put_condition(upload, &request);
    return send(upload, &request, answer);
}

static int part_send(struct upload *upload, const char *target)
{
    struct answer answer;
    int r = 0;

    if (!upload->stream)
        upload->turn = copy_turn(upload->copy, upload->size - upload->at);
    else if (upload->at > 0) /* the first one is here already */
        r = stream_fill(upload);
    if (r < 0 || upload->turn == 0)
        return r;
    answer_init(&answer);
    r = part_request(upload, target, &answer);
    if (r == 0) {
        upload->at += upload->turn;
        progress_bytes(upload->copy->progress, upload->turn);
        copy_turn_done(upload->copy, upload->turn, answer.ms, true);
    }
    answer_free(&answer);
    return r;
}

static int parts_send(struct upload *upload)
{
    struct buf target;
    int r;

    buf_init(&target, HTTP_TARGET_MAX);
    r = put_target(upload, &target);
    while (r == 0 && (upload->size < 0 || upload->at < upload->size))
        r = part_send(upload, buf_cstr(&target));
    buf_free(&target);
    return r;
}

/* --- the end of parts ----------------------------------------------------- */

static int finish_target(struct upload *upload, struct buf *target)
{
    int r = buf_printf(target, API_PREFIX "/file/transfers/%s?size=%" PRId64,
                       upload->copy->id, upload->size);

    if (r == 0 && upload->digest) {
        digest_hex(upload->digest, upload->sum);
        r = copy_target_add(target, digest_word(upload->copy->kind),
                            upload->sum);
    }
    if (r == 0 && !buf_cstr(target))
        r = -ENOMEM;
    return r < 0 ? error_errno(upload->err, r, "request") : 0;
}

/* Return: 1 while the file gets its place; 0 when it has it; as send(). */
static int finish_step(struct upload *upload,
                       const struct client_request *request,
                       struct transfer_result *result)
{
    struct answer answer;
    bool complete = true;
    int r;

    answer_init(&answer);
    r = send(upload, request, &answer);
    if (r == 0
        && param_bool(answer.envelope.data, "complete", PARAM_REQUIRED,
                      &complete, upload->err))
        r = -EBADMSG;
    if (r == 0 && complete)
        r = check_stored(upload, answer.envelope.data, result);
    answer_free(&answer);
    return r == 0 && !complete ? -EINPROGRESS : r;
}

/* The end is waited for in steps: to write a large file to its disk may take
 * long, and others need not wait for it. */
static int finish(struct upload *upload, struct transfer_result *result)
{
    struct client_request request = {
        .method = "POST",
        .read_ms = TIMEOUT_UNSET,
        .undone = "the file was not stored",
        .doubt = "outcome unknown: the file may have been stored",
    };
    struct buf target;
    int r;

    buf_init(&target, HTTP_TARGET_MAX);
    r = finish_target(upload, &target);
    request.target = buf_cstr(&target);
    if (r == 0)
        r = finish_step(upload, &request, result);
    buf_clear(&target);
    if (r == -EINPROGRESS
        && buf_printf(&target, API_PREFIX "/file/transfers/%s",
                      upload->copy->id)
               < 0)
        r = error_errno(upload->err, -ENOMEM, "request");
    request.method = "GET";
    while (r == -EINPROGRESS) {
        client_give_way(upload->copy->client);
        request.target = buf_cstr(&target);
        r = finish_step(upload, &request, result);
    }
    buf_free(&target);
    return r;
}

/* --- beginning, and beginning anew ---------------------------------------- */

/* How much of the part that is there is right.  Return: 0, or as send(). */
static int find_part(struct upload *upload)
{
    struct copy_span span;
    struct error own = ERROR_INIT;
    int64_t same;
    int code = 0;
    int r = copy_span(upload->copy, upload->remote, true, 0, 0, &span, &own);

    upload->at = upload->digested = 0;
    if (r > 0) /* there is none */
        return 0;
    if (r < 0) {
        *upload->err = own;
        return r;
    }
    if (span.size >= upload->size) /* one byte at least makes a transfer */
        span.size = upload->size - 1;
    same = copy_same(upload->copy, upload->remote, true, upload->fd,
                     span.size, &upload->digest, &code, upload->err);
    if (same < 0 || code)
        return same < 0 ? (int) same : code;
    out_note(upload->copy->client->setup.out,
             "%" PRId64 " of %" PRId64 " bytes that were there are right",
             same, span.size);
    upload->at = upload->digested = same;
    progress_skip(upload->copy->progress, same);
    return 0;
}

/* Drops what the agent may have of this transfer. */
static void forget_parts(struct upload *upload)
{
    char target[128];
    const struct client_request request = { .method = "DELETE",
                                            .target = target,
                                            .read_ms = TIMEOUT_UNSET,
                                            .again = true };
    struct error ignored = ERROR_INIT;
    struct answer answer;

    snprintf(target, sizeof(target), API_PREFIX "/file/transfers/%s",
             upload->copy->id);
    answer_init(&answer);
    client_send_request(upload->copy->client, &request, &answer, &ignored);
    answer_free(&answer);
}

static int parts_once(struct upload *upload, bool again,
                      struct transfer_result *result)
{
    int r = 0;

    digest_free(upload->digest);
    upload->digest = copy_digest(upload->copy);
    upload->sum[0] = '\0';
    upload->at = upload->digested = 0;
    upload->lost = upload->damaged = false;
    if (again && !upload->part)
        forget_parts(upload);
    if (upload->part && (again || upload->copy->options->resume))
        r = find_part(upload);
    if (r == 0)
        r = parts_send(upload);
    if (r == 0)
        r = check_unchanged(upload);
    return r ? r : finish(upload, result);
}

/*
 * Whoever was let in may have stayed longer than the agent keeps the parts of
 * somebody who left; or the agent was restarted.  And a body that was broken
 * off may have been completed by other bytes; that was not stored.
 */
static int parts(struct upload *upload, struct transfer_result *result)
{
    int damaged = 0;
    int r = parts_once(upload, false, result);

    for (int i = 1; i < TRIES && (upload->lost || upload->damaged)
                    && !upload->stream; i++) {
        damaged += upload->damaged;
        if (damaged >= TRIES_DAMAGED)
            break;
        out_note(upload->copy->client->setup.out, "%s; again",
                 upload->damaged ? "the copy was damaged on its way"
                                 : "the agent has dropped what was sent");
        error_clear(upload->err);
        r = parts_once(upload, true, result);
    }
    return r;
}

/* --- the whole ------------------------------------------------------------ */

static void say_kept(const struct upload *upload, int r)
{
    if (!upload->part || upload->at == 0
        || (r > 0 && !upload->copy->options->resume))
        return;
    progress_clear(upload->copy->progress);
    out_message(upload->copy->client->setup.out,
                "%" PRId64 " bytes of '%s' are kept in the guest; go on with "
                "--resume", upload->at, upload->remote);
}

static int upload_file(struct upload *upload, struct transfer_result *result)
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
        r = stream_fill(upload);
    if (r == 0 && upload->size >= 0 && upload->size <= TRANSFER_CHUNK
        && !upload->part)
        r = small(upload, result);
    else if (r == 0)
        r = parts(upload, result);
    if (r != 0 && upload->local.code) {
        *upload->err = upload->local;
        r = upload->local.code;
    }
    /* Who presses Ctrl-C has thought better of it; --resume is for the rest. */
    if (r == -ECANCELED && upload->part && !options->resume)
        forget_parts(upload);
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

    return transfer_info(client, remote, &info, NULL) == 0 && info.exists
           && strcmp(info.type, "directory") == 0;
}

static int upload_into(struct upload *upload, const char *folder,
                       struct transfer_result *result)
{
    AUTO_FREE char *name = transfer_basename(upload->path);
    AUTO_FREE char *path = name ? transfer_join(folder, name) : NULL;

    if (!path)
        return error_set(upload->err, -EINVAL, "'%s' has no file name",
                         upload->path);
    upload->remote = path;
    return upload_file(upload, result);
}

static int upload_open(struct upload *upload, const char *local)
{
    if (strcmp(local, "-") != 0)
        return open_at(upload, AT_FDCWD, local, 0);
    upload->stream = true;
    upload->size = -1;
    upload->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    return upload->fd < 0 ? error_errno(upload->err, -errno, "standard input")
                          : 0;
}

static int upload_named(struct upload *upload, const char *remote,
                        struct transfer_result *result)
{
    size_t n = strlen(remote);
    struct upload before = *upload;
    int r;

    if (n && remote[n - 1] == '/')
        return upload_into(upload, remote, result);
    r = upload_file(upload, result);
    if (r <= 0 || upload->stream
        || !remote_is_folder(upload->copy->client, remote))
        return r;
    error_clear(upload->err);
    *upload = before;
    return upload_into(upload, remote, result);
}

int upload_from(struct copy *copy, const char *local, const char *remote,
                struct transfer_result *result, struct error *err)
{
    struct upload upload = { .copy = copy, .path = local, .remote = remote,
                             .fd = -1, .err = err };
    int r;

    *result = (struct transfer_result) { 0 };
    r = upload_open(&upload, local);
    if (r == 0)
        r = upload_named(&upload, remote, result);
    fd_close(&upload.fd);
    return r;
}

int upload_at(struct copy *copy, int dir, const char *name, const char *path,
              const char *remote, struct transfer_result *result,
              struct error *err)
{
    struct upload upload = { .copy = copy, .path = path, .remote = remote,
                             .fd = -1, .err = err };
    int r;

    *result = (struct transfer_result) { 0 };
    r = open_at(&upload, dir, name, O_NOFOLLOW);
    if (r == 0)
        r = upload_file(&upload, result);
    fd_close(&upload.fd);
    return r;
}
