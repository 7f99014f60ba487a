/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Files as base64 in JSON.  A piece is asked for again when its answer got
 * lost, as it changes nothing; an upload is not, and what became of it is looked
 * at.  The size and the MD5 are what the server said in the beginning: a file
 * that is written to meanwhile is an error.
 *
 * Answers have been checked by client/specified.h: members are there, and of
 * their kind.  Whether they are true is checked here.
 */
#include <config.h>

#include "host/copy/plain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/copy/path.h"
#include "host/local/tempfile.h"
#include "host/remote/filetarget.h"
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

int plain_lacks(const struct copy *copy, int r, const char *what,
                struct error *err)
{
    if (!plain_is_wanted(copy, r))
        return r;
    error_set(err, r,
              "the server in the guest knows only the specification, which "
              "has no %s for a copy",
              what);
    error_hint(err, "without it; or vsrpc-agent in the guest");
    return r;
}

static bool is_number(const char *text)
{
    return text && *text && !text[strspn(text, "0123456789")];
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
        { is_number(options->owner) || is_number(options->group),
          "numbers of owners and groups" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].wanted)
            return plain_lacks(copy, -EOPNOTSUPP, rows[i].what, err);
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
        .read_ms = TIMEOUT_ALIVE,
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

/* What a server says about a file. */
struct facts {
    struct answer answer; /* to which the words belong */
    bool exists;
    int64_t size;
    const char *path; /* as the server names it: it may have no links in it */
    const char *type, *mode, *owner, *group;
    const char *md5; /* "" when there is none */
};

static void facts_take(struct facts *facts)
{
    struct json_object *data = facts->answer.envelope.data;
    const struct {
        const char *name, **value;
    } words[] = {
        { "path", &facts->path },   { "type", &facts->type },
        { "mode", &facts->mode },   { "owner", &facts->owner },
        { "group", &facts->group }, { "md5", &facts->md5 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        *words[i].value = "";
        param_string(data, words[i].name, PARAM_OPTIONAL, words[i].value,
                     NULL);
    }
    param_bool(data, "exists", PARAM_OPTIONAL, &facts->exists, NULL);
    param_int(data, "size", PARAM_OPTIONAL, 0, INT64_MAX, &facts->size, NULL);
}

/* Asks for that.  Return: as download_to(); answer_free() in any case. */
static int facts_ask(struct copy *copy, const char *path, struct facts *facts,
                     struct error *err)
{
    struct client_request request = { .method = "GET",
                                      .read_ms = TIMEOUT_ALIVE };
    struct buf target;
    int r;

    *facts = (struct facts) { .exists = false };
    answer_init(&facts->answer);
    buf_init(&target, HTTP_TARGET_MAX);
    r = filetarget_begin(&target, "info", path, NULL, err);
    if (r == 0) {
        request.target = buf_cstr(&target);
        r = client_send_request(copy->client, &request, &facts->answer, err);
    }
    if (r == 0)
        r = answer_error(copy->client, &facts->answer, err);
    facts_take(facts);
    buf_free(&target);
    return r;
}

/* Compares a copy's digest with the server's word. */
static int compare(const char *there, const char *here, struct error *err)
{
    if (!*there) {
        error_set(err, -EBADMSG,
                  "the server gave no MD5 to compare the copy with");
        error_hint(err, "--checksum none");
        return -EBADMSG;
    }
    if (strcasecmp(there, here) != 0)
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
    struct facts facts;
    char md5[DIGEST_HEX_MAX]; /* of all of it, as the server says; "" */
    bool doubtful;            /* there are bytes of which it gave none */
    struct digest *digest;
    int64_t at;
    int fd;
    struct error *err;
};

/* The specification's example does not say of what the MD5 is: of the piece, or
 * of the file, which is compared in the end. */
static int piece_compare(struct fetch *fetch, const struct buf *piece,
                         const char *md5)
{
    char hex[DIGEST_HEX_MAX];

    if (!fetch->copy->digested)
        return 0;
    if (digest_bytes(DIGEST_MD5, buf_data(piece), piece->len, hex) < 0)
        return error_errno(fetch->err, -ENOMEM, "MD5");
    if (!*md5)
        fetch->doubtful = true;
    if (!*md5 || strcasecmp(md5, hex) == 0)
        return 0;
    if (!*fetch->md5)
        snprintf(fetch->md5, sizeof(fetch->md5), "%s", md5);
    return strcasecmp(md5, fetch->md5) == 0 ? 0
                                            : compare(md5, hex, fetch->err);
}

/* A piece's bytes: not more than was asked for, and more than none. */
static int piece_take(struct fetch *fetch, struct json_object *data,
                      struct buf *piece)
{
    const struct facts *facts = &fetch->facts;
    const char *path = "", *content = "", *md5 = "";
    int64_t size = -1, total = -1;
    int r;

    param_string(data, "path", PARAM_REQUIRED, &path, NULL);
    param_string(data, "content", PARAM_REQUIRED, &content, NULL);
    param_int(data, "size", PARAM_REQUIRED, 0, INT64_MAX, &size, NULL);
    param_int(data, "total_size", PARAM_REQUIRED, 0, INT64_MAX, &total, NULL);
    param_string(data, "md5", PARAM_OPTIONAL, &md5, NULL);
    r = base64_decode(piece, content, strlen(content));
    if (r == -ENOMEM)
        return error_errno(fetch->err, r, "answer");
    if (r < 0 || piece->len == 0 || (int64_t) piece->len != size
        || size > facts->size - fetch->at || strcmp(path, facts->path) != 0)
        return error_set(fetch->err, -EBADMSG,
                         "the piece of '%s' from %" PRId64
                         " on is not what was asked for",
                         fetch->remote, fetch->at);
    if (total != facts->size)
        return error_set(fetch->err, -EBADMSG,
                         "'%s' became another size while it was copied",
                         fetch->remote);
    return piece_compare(fetch, piece, md5);
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
    int64_t left = fetch->facts.size - fetch->at;
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
    struct facts *facts = &fetch->facts;
    int r = facts_ask(copy, fetch->remote, facts, fetch->err);

    if (r == 0 && !facts->exists) {
        error_set(fetch->err, STATUS_FILE_NOT_FOUND, "no file '%s'",
                  fetch->remote);
        return STATUS_FILE_NOT_FOUND;
    }
    if (r == 0 && strcmp(facts->type, "file") != 0)
        return error_set(fetch->err, -EOPNOTSUPP,
                         "'%s' is no file but a %s; the specification copies "
                         "only files",
                         fetch->remote, facts->type);
    if (r == 0) {
        snprintf(fetch->md5, sizeof(fetch->md5), "%s", facts->md5);
        progress_add_total(copy->progress, facts->size, 0);
    }
    while (r == 0 && fetch->at < facts->size)
        r = piece_fetch(fetch);
    return r;
}

/* Without an MD5 of all, each piece's own has to do. */
static int fetch_compare(const struct fetch *fetch, const char *hex)
{
    if (!fetch->copy->digested || (!*fetch->md5 && !fetch->doubtful))
        return 0;
    return compare(fetch->md5, hex, fetch->err);
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
        r = fetch_compare(fetch, hex);
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

    answer_init(&fetch.facts.answer);
    if (r == 0)
        r = tempfile_find(&file, local, err);
    if (r == 0)
        r = download(&fetch, &file, hex);
    if (r == 0)
        copy_result_fill(copy,
                         file.name || file.path[0] == '/' ? file.path : "-",
                         fetch.at, copy->digested ? hex : "", result);
    tempfile_close(&file);
    answer_free(&fetch.facts.answer);
    return r;
}

/* --- upload --------------------------------------------------------------- */

struct sending {
    struct copy *copy;
    const char *path;   /* here */
    const char *remote; /* there, with the file's name */
    struct buf content;
    char mode[8];             /* octal, that is sent */
    char md5[DIGEST_HEX_MAX]; /* of content; "" when none is compared */
    struct error *err;
};

static int sending_read(struct sending *sending, int fd)
{
    struct stat st;
    uint8_t *room;
    int64_t got;

    if (fstat(fd, &st) < 0)
        return error_errno(sending->err, -errno, "file '%s'", sending->path);
    if (!S_ISREG(st.st_mode) || st.st_size > UPLOAD_MAX) {
        error_set(sending->err, S_ISREG(st.st_mode) ? -EFBIG : -EOPNOTSUPP,
                  "'%s': the server in the guest knows only the "
                  "specification, which takes one file of at most %ld bytes",
                  sending->path, UPLOAD_MAX);
        error_hint(sending->err, "split it; or vsrpc-agent in the guest");
        return S_ISREG(st.st_mode) ? -EFBIG : -EOPNOTSUPP;
    }
    snprintf(sending->mode, sizeof(sending->mode), "%04o",
             (unsigned int) st.st_mode & 0777);
    if (sending->copy->options->mode)
        snprintf(sending->mode, sizeof(sending->mode), "%s",
                 sending->copy->options->mode);
    room = malloc((size_t) st.st_size + 1);
    got = room ? fd_pread_full(fd, room, (size_t) st.st_size, 0) : -ENOMEM;
    if (got == st.st_size)
        got = buf_append(&sending->content, room, (size_t) got);
    else if (got >= 0)
        got = -EIO; /* it became shorter */
    free(room);
    if (got == 0 && sending->copy->digested)
        got = digest_bytes(DIGEST_MD5, buf_data(&sending->content),
                           sending->content.len, sending->md5);
    return got < 0 ? error_errno(sending->err, (int) got, "file '%s'",
                                 sending->path)
                   : 0;
}

/* A server that does not know "overwrite" would write: it is not asked to. */
static int sending_check_free(const struct sending *sending)
{
    struct facts there;
    int r;

    if (!sending->copy->options->no_clobber)
        return 0;
    r = facts_ask(sending->copy, sending->remote, &there, sending->err);
    if (r == 0 && there.exists)
        r = error_set(sending->err, STATUS_FILE_OPERATION_FAILED,
                      "'%s': File exists", sending->remote);
    answer_free(&there.answer);
    return r;
}

/* Return: the request's body; NULL without memory. */
static struct json_object *sending_body(const struct sending *sending)
{
    const struct copy_options *options = sending->copy->options;
    AUTO_JSON struct json_object *body = json_object_new_object();
    struct buf text;
    int r;

    buf_init(&text, 2 * UPLOAD_MAX);
    r = base64_encode(&text, buf_data(&sending->content),
                      sending->content.len);
    if (r == 0)
        r = json_add_string(body, "path", sending->remote);
    if (r == 0)
        r = json_add_string(body, "content", buf_cstr(&text));
    if (r == 0)
        r = json_add_string(body, "mode", sending->mode);
    if (r == 0 && options->owner)
        r = json_add_string(body, "owner", options->owner);
    if (r == 0 && options->group)
        r = json_add_string(body, "group", options->group);
    if (r == 0)
        r = json_add_bool(body, "overwrite", !options->no_clobber);
    buf_free(&text);
    return r == 0 ? steal_ptr(&body) : NULL;
}

/* What the server says that it stored, in either of its answers. */
static int sending_compare(const struct sending *sending, int64_t size,
                           const char *md5)
{
    if (size != (int64_t) sending->content.len)
        return error_set(sending->err, -EBADMSG,
                         "the server stored %" PRId64 " bytes of %zu", size,
                         sending->content.len);
    return *sending->md5 ? compare(md5, sending->md5, sending->err) : 0;
}

/* Is the file as it was to be?  A mode that nobody named is told when it lets
 * others in. */
static int sending_check_attributes(const struct sending *sending,
                                    const struct facts *there)
{
    const struct copy_options *options = sending->copy->options;
    unsigned long asked = strtoul(sending->mode, NULL, 8);
    unsigned long got = strtoul(there->mode, NULL, 8) & 07777;
    const struct {
        bool differs;
        const char *what, *asked, *got;
    } rows[] = {
        { options->mode && asked != got, "mode", sending->mode, there->mode },
        { options->owner && strcmp(options->owner, there->owner) != 0, "owner",
          options->owner, there->owner },
        { options->group && strcmp(options->group, there->group) != 0, "group",
          options->group, there->group },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].differs)
            return error_set(sending->err, -EBADMSG,
                             "'%s' is stored, but its %s is '%s', and not "
                             "'%s' as asked for",
                             sending->remote, rows[i].what, rows[i].got,
                             rows[i].asked);
    if (got & ~asked)
        out_message(sending->copy->client->setup.out,
                    "'%s' is stored with mode %s, and not %s", sending->remote,
                    there->mode, sending->mode);
    return 0;
}

/* "code": 0 is not the file.  Its name may be another one, without the links
 * in it; then it is so in both answers. */
static int sending_look(const struct sending *sending, const char *name)
{
    struct facts there;
    int r = facts_ask(sending->copy, sending->remote, &there, sending->err);

    if (r)
        error_prefix(sending->err, "looking at what was stored");
    else if (!there.exists || strcmp(there.type, "file") != 0
             || strcmp(there.path, name) != 0)
        r = error_set(sending->err, -EBADMSG,
                      ANSWER_DISAGREES "it stored '%s', and '%s' is %s%s",
                      name, there.path, there.exists ? "a " : "not there",
                      there.type);
    /* An MD5 of its own it need not have: the first answer had one. */
    if (r == 0)
        r = sending_compare(sending, there.size,
                            *there.md5 ? there.md5 : sending->md5);
    if (r == 0)
        r = sending_check_attributes(sending, &there);
    answer_free(&there.answer);
    return r;
}

static int sending_send(const struct sending *sending)
{
    AUTO_JSON struct json_object *body = sending_body(sending);
    const char *name = "", *md5 = "";
    struct json_object *data;
    struct answer answer;
    int64_t size = -1;
    int r;

    if (!body)
        return error_errno(sending->err, -ENOMEM, "request");
    answer_init(&answer);
    r = post(sending->copy, API_PREFIX "/file/upload", body, false, &answer,
             sending->err);
    data = answer.envelope.data;
    if (r == 0) {
        param_string(data, "path", PARAM_REQUIRED, &name, NULL);
        param_int(data, "size", PARAM_REQUIRED, 0, INT64_MAX, &size, NULL);
        param_string(data, "md5", PARAM_OPTIONAL, &md5, NULL);
        r = sending_compare(sending, size, md5);
    }
    if (r == 0)
        r = sending_look(sending, name);
    answer_free(&answer);
    return r;
}

/* All of it, to a file that is named. */
static int sending_run(struct sending *sending)
{
    int r = sending_check_free(sending);

    return r ? r : sending_send(sending);
}

/* A refusal may mean that the target is a folder: then it is a file in it, as
 * upload.c has it. */
static bool is_folder(const struct sending *sending)
{
    struct facts there;
    bool folder = facts_ask(sending->copy, sending->remote, &there, NULL) == 0
                  && strcmp(there.type, "directory") == 0;

    answer_free(&there.answer);
    return folder;
}

int plain_upload(struct copy *copy, int fd, const char *path,
                 const char *remote, struct copy_result *result,
                 struct error *err)
{
    AUTO_FREE char *name = path_basename(path);
    AUTO_FREE char *within = path_join(remote, name ? name : "");
    size_t n = strlen(remote);
    struct sending sending = { .copy = copy,
                               .path = path,
                               .remote = within && n && remote[n - 1] == '/'
                                             ? within
                                             : remote,
                               .err = err };
    int r = within ? check(copy, err) : error_errno(err, -ENOMEM, "path");

    buf_init(&sending.content, UPLOAD_MAX + 1);
    if (r == 0 && strcmp(path, "-") == 0)
        r = error_set(err, -EOPNOTSUPP,
                      "the server in the guest knows only the specification, "
                      "which takes files and no standard input");
    if (r == 0)
        r = sending_read(&sending, fd);
    if (r == 0)
        r = sending_run(&sending);
    if (r > 0 && sending.remote != within && is_folder(&sending)) {
        error_clear(err);
        sending.remote = within;
        r = sending_run(&sending);
    }
    if (r == 0) {
        progress_bytes(copy->progress, (int64_t) sending.content.len);
        copy_result_fill(copy, sending.remote, (int64_t) sending.content.len,
                         sending.md5, result);
    }
    buf_free(&sending.content);
    return r;
}
