/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Files as base64 in JSON.  A piece is asked for again when its answer got
 * lost, as it changes nothing; an upload is not.  The size and the MD5 are what
 * the server said in the beginning: a file that is written to meanwhile is an
 * error.
 */
#include <config.h>

#include "host/copy/plain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/copy/path.h"
#include "host/local/tempfile.h"
#include "host/remote/info.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/fd.h"

/* As the specification draws it. */
#define PIECE (64 * 1024)

/* Base64 and JSON of it fit into the specification's max_request_size. */
#define UPLOAD_MAX (7L * 1024 * 1024)

bool plain_is_wanted(const struct copy *copy, int r)
{
    return r == -EOPNOTSUPP && copy->client->rpc.peer.plain;
}

static int check(const struct copy *copy, struct error *err)
{
    const struct copy_options *options = copy->options;
    const struct {
        bool wanted;
        const char *what;
    } rows[] = {
        { options->resume, "--resume" },
        { options->preserve, "--preserve" },
        { options->limit_rate > 0, "--limit-rate" },
        { options->if_match || options->create, "conditions" },
        { copy->digested && copy->kind != DIGEST_MD5, "digests but MD5" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].wanted) {
            error_set(err, -EOPNOTSUPP,
                      "the server in the guest knows only the "
                      "specification, which has no %s for a copy",
                      rows[i].what);
            error_hint(err, "without it; or vsrpc-agent in the guest");
            return -EOPNOTSUPP;
        }
    return 0;
}

static int post(struct copy *copy, const char *target,
                struct json_object *body, bool again, struct answer *answer,
                struct error *err)
{
    struct client_request request = {
        .method = "POST",
        .target = target,
        .content_type = "application/json",
        .read_ms = TIMEOUT_UNSET,
        .again = again,
        .if_unknown = "outcome unknown: the file may have been stored",
        .if_not_done = "the file was not stored",
    };
    int r;

    request.body = json_whole(body) ? json_text(body, &request.body_len)
                                    : NULL;
    if (!request.body)
        return error_errno(err, -ENOMEM, "request");
    r = client_send_request(copy->client, &request, answer, err);
    if (r == 0)
        r = answer_error(copy->client, answer, err);
    /* One of the specification's two tables has this code for files. */
    if (r == STATUS_CMD_TIMEOUT) {
        r = err->code = STATUS_FILE_OPERATION_FAILED;
        err->hint[0] = '\0';
    }
    return r;
}

/* Compares a copy's digest with the server's word, "" when it has none. */
static int compare(const struct copy *copy, const char *there,
                   const char *here, struct error *err)
{
    if (!copy->digested)
        return 0;
    if (!*there)
        out_note(copy->client->setup.out,
                 "the server gave no MD5: the copy could not be compared");
    else if (strcmp(there, here) != 0)
        return error_set(err, -EBADMSG,
                         "the copy is not what is in the guest: MD5 %s here, "
                         "%s there",
                         here, there);
    return 0;
}

/* --- download ------------------------------------------------------------- */

struct fetch {
    struct copy *copy;
    const char *remote;
    struct remote_info info;
    struct digest *digest;
    int64_t at;
    int fd;
    struct error *err;
};

/* A piece's bytes: not more than was asked for, and more than none. */
static int piece_take(struct fetch *fetch, struct json_object *data,
                      struct buf *piece)
{
    const char *content = NULL;
    int64_t total = fetch->info.size;
    int r;

    if (param_string(data, "content", PARAM_REQUIRED, &content, fetch->err)
        || param_int(data, "total_size", PARAM_OPTIONAL, 0, INT64_MAX, &total,
                     fetch->err))
        return answer_unreadable(fetch->err);
    r = base64_decode(piece, content, strlen(content));
    if (r == -ENOMEM)
        return error_errno(fetch->err, r, "answer");
    if (r < 0 || piece->len == 0
        || (int64_t) piece->len > fetch->info.size - fetch->at)
        return error_set(fetch->err, -EBADMSG,
                         "the piece of '%s' from %" PRId64
                         " on is not what was asked for",
                         fetch->remote, fetch->at);
    if (total != fetch->info.size)
        return error_set(fetch->err, -EBADMSG,
                         "'%s' became another size while it was copied",
                         fetch->remote);
    return 0;
}

static int piece_keep(struct fetch *fetch, const struct buf *piece)
{
    int r = fd_write_all(fetch->fd, buf_data(piece), piece->len);

    if (r < 0)
        return error_errno(fetch->err, r, "writing the copy");
    digest_update(fetch->digest, buf_data(piece), piece->len);
    fetch->at += (int64_t) piece->len;
    progress_bytes(fetch->copy->progress, (int64_t) piece->len);
    return 0;
}

static int piece_fetch(struct fetch *fetch)
{
    AUTO_JSON struct json_object *body = json_object_new_object();
    int64_t left = fetch->info.size - fetch->at;
    struct answer answer;
    struct buf piece;
    int r;

    answer_init(&answer);
    buf_init(&piece, PIECE);
    json_add_string(body, "path", fetch->remote);
    json_add_int(body, "offset", fetch->at);
    json_add_int(body, "length", left < PIECE ? left : PIECE);
    r = post(fetch->copy, API_PREFIX "/file/download", body, true, &answer,
             fetch->err);
    if (r == 0)
        r = piece_take(fetch, answer.envelope.data, &piece);
    if (r == 0)
        r = piece_keep(fetch, &piece);
    answer_free(&answer);
    buf_free(&piece);
    client_give_way(fetch->copy->client);
    return r;
}

static int fetch_all(struct fetch *fetch)
{
    struct copy *copy = fetch->copy;
    int r = remote_info(copy->client, fetch->remote, &fetch->info, fetch->err);

    if (r == 0 && !fetch->info.exists) {
        error_set(fetch->err, STATUS_FILE_NOT_FOUND, "no file '%s'",
                  fetch->remote);
        return STATUS_FILE_NOT_FOUND;
    }
    if (r == 0 && strcmp(fetch->info.type, "file") != 0)
        return error_set(fetch->err, -EOPNOTSUPP,
                         "'%s' is no file but a %s; the specification copies "
                         "only files",
                         fetch->remote, fetch->info.type);
    if (r == 0)
        progress_add_total(copy->progress, fetch->info.size, 0);
    while (r == 0 && fetch->at < fetch->info.size)
        r = piece_fetch(fetch);
    return r;
}

static int download(struct fetch *fetch, struct tempfile *file, char *hex)
{
    const struct copy_options *options = fetch->copy->options;
    const struct tempfile_options how = { .keep_old = options->no_clobber,
                                          .durable = true };
    int64_t there = 0;
    int r;

    if (options->no_clobber && tempfile_exists(file))
        return error_errno(fetch->err, -EEXIST, "file '%s'", file->path);
    r = tempfile_begin(file, false, &there, fetch->err);
    fetch->fd = file->fd;
    if (r == 0)
        r = fetch_all(fetch);
    if (r == 0)
        digest_hex(fetch->digest, hex);
    if (r == 0)
        r = compare(fetch->copy, fetch->info.md5, hex, fetch->err);
    return r == 0 ? tempfile_commit(file, &how, fetch->err) : r;
}

int plain_download(struct copy *copy, const char *remote, const char *local,
                   struct copy_result *result, struct error *err)
{
    CLEANUP(digest_cleanup) struct digest *digest = digest_new(DIGEST_MD5);
    struct fetch fetch = {
        .copy = copy, .remote = remote, .digest = digest, .err = err
    };
    struct tempfile file = TEMPFILE_INIT;
    char hex[DIGEST_HEX_MAX] = "";
    int r = digest ? check(copy, err) : error_errno(err, -ENOMEM, "MD5");

    if (r == 0)
        r = tempfile_find(&file, local, err);
    if (r == 0)
        r = download(&fetch, &file, hex);
    if (r == 0)
        copy_result_fill(copy,
                         file.name || file.path[0] == '/' ? file.path : "-",
                         fetch.at, copy->digested ? hex : "", result);
    tempfile_close(&file);
    return r;
}

/* --- upload --------------------------------------------------------------- */

static int upload_read(int fd, const char *path, struct buf *content,
                       struct stat *st, struct error *err)
{
    uint8_t *room;
    int64_t got;

    if (fstat(fd, st) < 0)
        return error_errno(err, -errno, "file '%s'", path);
    if (!S_ISREG(st->st_mode) || st->st_size > UPLOAD_MAX) {
        error_set(err, S_ISREG(st->st_mode) ? -EFBIG : -EOPNOTSUPP,
                  "'%s': the server in the guest knows only the "
                  "specification, which takes one file of at most %ld bytes",
                  path, UPLOAD_MAX);
        error_hint(err, "split it; or vsrpc-agent in the guest");
        return S_ISREG(st->st_mode) ? -EFBIG : -EOPNOTSUPP;
    }
    room = malloc((size_t) st->st_size + 1);
    got = room ? fd_pread_full(fd, room, (size_t) st->st_size, 0) : -ENOMEM;
    if (got == st->st_size)
        got = buf_append(content, room, (size_t) got);
    else if (got >= 0)
        got = -EIO; /* it became shorter */
    free(room);
    return got < 0 ? error_errno(err, (int) got, "file '%s'", path) : 0;
}

/* Return: the request's body; NULL without memory. */
static struct json_object *upload_body(const struct copy *copy,
                                       const struct buf *content,
                                       const struct stat *st,
                                       const char *remote)
{
    const struct copy_options *options = copy->options;
    AUTO_JSON struct json_object *body = json_object_new_object();
    struct buf text;
    char mode[8];
    int r;

    snprintf(mode, sizeof(mode), "%04o", (unsigned int) st->st_mode & 0777);
    buf_init(&text, 2 * UPLOAD_MAX);
    r = base64_encode(&text, buf_data(content), content->len);
    if (r == 0)
        r = json_add_string(body, "path", remote);
    if (r == 0)
        r = json_add_string(body, "content", buf_cstr(&text));
    if (r == 0)
        r = json_add_string(body, "mode",
                            options->mode ? options->mode : mode);
    if (r == 0 && options->owner)
        r = json_add_string(body, "owner", options->owner);
    if (r == 0 && options->group)
        r = json_add_string(body, "group", options->group);
    if (r == 0)
        r = json_add_bool(body, "overwrite", !options->no_clobber);
    buf_free(&text);
    return r == 0 ? steal_ptr(&body) : NULL;
}

static int upload_check(const struct copy *copy, struct json_object *data,
                        int64_t size, const char *hex, struct error *err)
{
    int64_t there = size;
    const char *md5 = "";

    if (param_int(data, "size", PARAM_OPTIONAL, 0, INT64_MAX, &there, err)
        || param_string(data, "md5", PARAM_OPTIONAL, &md5, err))
        return answer_unreadable(err);
    if (there != size)
        return error_set(err, -EBADMSG,
                         "the server stored %" PRId64 " bytes of %" PRId64,
                         there, size);
    return compare(copy, md5, hex, err);
}

int plain_upload(struct copy *copy, int fd, const char *path,
                 const char *remote, struct copy_result *result,
                 struct error *err)
{
    AUTO_FREE char *name = path_basename(path);
    AUTO_FREE char *file = name && *remote && remote[strlen(remote) - 1] == '/'
                               ? path_join(remote, name)
                               : strdup(remote);
    AUTO_JSON struct json_object *body = NULL;
    char hex[DIGEST_HEX_MAX] = "";
    struct answer answer;
    struct buf content;
    struct stat st;
    int r = file ? check(copy, err) : error_errno(err, -ENOMEM, "path");

    answer_init(&answer);
    buf_init(&content, UPLOAD_MAX + 1);
    if (r == 0 && strcmp(path, "-") == 0)
        r = error_set(err, -EOPNOTSUPP,
                      "the server in the guest knows only the specification, "
                      "which takes files and no standard input");
    if (r == 0)
        r = upload_read(fd, path, &content, &st, err);
    if (r == 0 && copy->digested
        && digest_bytes(DIGEST_MD5, buf_data(&content), content.len, hex) < 0)
        r = error_errno(err, -ENOMEM, "MD5");
    if (r == 0) {
        body = upload_body(copy, &content, &st, file);
        r = body ? post(copy, API_PREFIX "/file/upload", body, false, &answer,
                        err)
                 : error_errno(err, -ENOMEM, "request");
    }
    if (r == 0)
        r = upload_check(copy, answer.envelope.data, (int64_t) content.len,
                         hex, err);
    if (r == 0) {
        progress_bytes(copy->progress, (int64_t) content.len);
        copy_result_fill(copy, file, (int64_t) content.len, hex, result);
    }
    answer_free(&answer);
    buf_free(&content);
    return r;
}
