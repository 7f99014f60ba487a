/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/limits.h"
#include "proto/route.h"
#include "proto/status.h"
#include "proto/uri.h"
#include "util/cleanup.h"
#include "util/crypto.h"

#define TRANSFER_ID_BYTES 16

/* One file on its way to the guest. */
struct upload {
    struct client *client;
    const char *local;
    int fd;
    int64_t size;         /* when it was opened */
    uint8_t *chunk;       /* TRANSFER_CHUNK bytes, or the whole file */
    struct digest *md5;   /* NULL: not available (FIPS) */
    char sum[DIGEST_HEX_MAX]; /* the whole file's MD5, once it is read; "" */
    struct buf target;    /* request target, the same for all parts */
    bool lost;            /* the agent does not have the earlier parts */
    bool damaged;         /* what came there is not what was sent */
    bool hurry;           /* has been begun anew: lets nobody in any more */
    struct error *err;
};

/* Files of the kernel (/proc, /sys) have content and no size. */
static int upload_check_size(const struct upload *upload)
{
    char byte;

    if (upload->size > 0 || pread(upload->fd, &byte, 1, 0) <= 0)
        return 0;
    error_set(upload->err, -EINVAL, "file '%s': has content but no size",
              upload->local);
    error_hint(upload->err, "cat %s > COPY, and upload the copy",
               upload->local);
    return -EINVAL;
}

static int upload_open(struct upload *upload, unsigned int *mode)
{
    struct stat st;

    /* O_NONBLOCK: a pipe without a writer must not hold us. */
    upload->fd = open(upload->local, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (upload->fd < 0 || fstat(upload->fd, &st) < 0)
        return error_errno(upload->err, -errno, "file '%s'", upload->local);
    if (S_ISDIR(st.st_mode)) {
        error_set(upload->err, -EISDIR, "'%s' is a directory",
                  upload->local);
        error_hint(upload->err, "tar -cf FOLDER.tar %s, and upload that",
                   upload->local);
        return -EISDIR;
    }
    if (!S_ISREG(st.st_mode))
        return error_set(upload->err, -EINVAL, "'%s' is not a regular file",
                         upload->local);
    upload->size = st.st_size;
    *mode = st.st_mode & 0777;
    upload->chunk = malloc(st.st_size < TRANSFER_CHUNK
                               ? (size_t) st.st_size + 1
                               : (size_t) TRANSFER_CHUNK);
    if (!upload->chunk)
        return error_errno(upload->err, -ENOMEM, "file '%s'", upload->local);
    return upload_check_size(upload);
}

static int target_add(struct buf *target, const char *name, const char *value)
{
    int r = 0;

    if (!value)
        return 0;
    r = buf_printf(target, "&%s=", name);
    return r < 0 ? r : uri_encode(target, value);
}

static int target_write(struct upload *upload, const char *remote,
                        const struct upload_options *options)
{
    char transfer[2 * TRANSFER_ID_BYTES + 1];
    struct buf *target = &upload->target;
    int r = crypto_random_hex(transfer, TRANSFER_ID_BYTES);

    buf_clear(target);
    if (r == 0)
        r = buf_puts(target, API_PREFIX "/file/content?path=");
    if (r == 0)
        r = uri_encode(target, remote);
    if (r == 0)
        r = target_add(target, "mode", options->mode);
    if (r == 0)
        r = target_add(target, "owner", options->owner);
    if (r == 0)
        r = target_add(target, "group", options->group);
    if (r == 0 && options->no_clobber)
        r = target_add(target, "overwrite", "false");
    if (r == 0 && upload->size > TRANSFER_CHUNK)
        r = target_add(target, "transfer", transfer);
    if (r == 0 && !buf_cstr(target))
        r = -ENOMEM;
    if (r < 0)
        return error_errno(upload->err, r, "path '%.100s'", remote);
    return 0;
}

/* Reads the next part; the file has to stay what it was. */
static int upload_read(struct upload *upload, int64_t offset, size_t n)
{
    struct stat st;
    size_t got = 0;

    while (got < n) {
        ssize_t done = pread(upload->fd, upload->chunk + got, n - got,
                             offset + (int64_t) got);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_errno(upload->err, -errno, "file '%s'",
                               upload->local);
        if (done == 0)
            break;
        got += (size_t) done;
    }
    if (fstat(upload->fd, &st) < 0 || st.st_size != upload->size || got < n)
        return error_set(upload->err, -EIO,
                         "file '%s': changed its size while it was read",
                         upload->local);
    if (upload->md5)
        digest_update(upload->md5, upload->chunk, n);
    return 0;
}

/* What the agent stored has to be what was sent. */
static int upload_verify(struct upload *upload, const struct answer *answer,
                         struct transfer_result *result)
{
    struct json_object *data = answer->envelope.data;
    const char *ours = upload->sum;
    const char *theirs = NULL;
    const char *path = NULL;
    int64_t size = -1;

    if (param_string(data, "md5", PARAM_OPTIONAL, &theirs, upload->err)
        || param_string(data, "path", PARAM_REQUIRED, &path, upload->err)
        || param_int(data, "size", PARAM_REQUIRED, 0, INT64_MAX, &size,
                     upload->err)) {
        error_prefix(upload->err, "the agent's answer makes no sense");
        return -EBADMSG;
    }
    if (size != upload->size || (theirs && *ours && strcmp(theirs, ours) != 0))
        return error_set(upload->err, -EIO,
                         "the copy in the guest differs (%" PRId64
                         " bytes, MD5 %s; sent %" PRId64 " bytes, MD5 %s)",
                         size, theirs ? theirs : "-", upload->size, ours);
    *result = (struct transfer_result) { .path = strdup(path), .size = size };
    memcpy(result->md5, ours, theirs ? sizeof(result->md5) - 1 : 0);
    if (!result->path)
        return error_errno(upload->err, -ENOMEM, "upload");
    return 0;
}

/* The last part tells what the whole file is: the agent stores nothing else.
 * Before, nobody knows it without reading the file twice. */
static int upload_announce(struct upload *upload)
{
    struct buf *target = &upload->target;
    int r;

    if (!upload->md5)
        return 0;
    digest_hex(upload->md5, upload->sum);
    r = target_add(target, "md5", upload->sum);
    if (r == 0 && !buf_cstr(target))
        r = -ENOMEM;
    return r < 0 ? error_errno(upload->err, r, "file '%s'", upload->local) : 0;
}

/* What the agent's refusal of a part means for the whole. */
static void upload_refused(struct upload *upload, int64_t offset, int code,
                           const struct answer *answer)
{
    struct json_object *data = answer->envelope.data;
    struct client *client = upload->client;

    upload->lost = code == STATUS_INVALID_PARAMS && offset > 0;
    upload->damaged = code == STATUS_FILE_OPERATION_FAILED
                      && (json_object_object_get_ex(data, "md5", NULL)
                          || json_object_object_get_ex(data, "sha256", NULL));
    if (!upload->damaged)
        return;
    error_set(upload->err, code, "the copy was damaged on its way: %s",
              envelope_detail(&answer->envelope));
    if (client->target->name)
        client_blame(client, upload->err);
}

/* Sends one part; the last one is answered with what was stored. */
static int upload_part(struct upload *upload, int64_t offset, size_t n,
                       struct transfer_result *result)
{
    char range[80];
    bool last = offset + (int64_t) n == upload->size;
    struct client_request request = {
        .method = "PUT",
        .content_type = "application/octet-stream",
        .body = upload->chunk,
        .body_len = n,
        .read_ms = TIMEOUT_UNSET,
        .undone = "the file was not stored",
        .partial = !last,
        .doubt = last ? "outcome unknown: the file may have been stored"
                      : "the file was not stored",
    };
    struct answer answer;
    int r = upload_read(upload, offset, n);

    if (r == 0 && last)
        r = upload_announce(upload);
    if (r < 0)
        return r;
    request.target = (const char *) buf_data(&upload->target);
    if (upload->size > TRANSFER_CHUNK) {
        snprintf(range, sizeof(range), "bytes %" PRId64 "-%" PRId64
                 "/%" PRId64, offset, offset + (int64_t) n - 1, upload->size);
        request.range_field = "Content-Range";
        request.range = range;
    }
    answer_init(&answer);
    r = client_send_request(upload->client, &request, &answer, upload->err);
    if (r == 0)
        r = answer_error(upload->client, &answer, upload->err);
    upload_refused(upload, offset, r, &answer);
    if (r == 0 && last)
        r = upload_verify(upload, &answer, result);
    answer_free(&answer);
    return r;
}

/* An agent without a memory drops the parts when we hang up. */
static void upload_give_way(const struct upload *upload)
{
    if (!upload->hurry && *upload->client->rpc.peer.instance)
        client_give_way(upload->client);
}

static int upload_once(struct upload *upload, const char *remote,
                       const struct upload_options *options,
                       struct transfer_result *result)
{
    int64_t offset = 0;
    int r = target_write(upload, remote, options);

    digest_free(upload->md5);
    upload->md5 = digest_new(DIGEST_MD5);
    upload->sum[0] = '\0';
    if (!upload->md5)
        out_note(upload->client->setup.out, "no MD5 here; not compared");
    while (r == 0) {
        int64_t left = upload->size - offset;
        size_t n = (size_t) (left < TRANSFER_CHUNK ? left : TRANSFER_CHUNK);

        if (offset > 0)
            upload_give_way(upload);
        r = upload_part(upload, offset, n, result);
        offset += (int64_t) n;
        if (offset >= upload->size)
            break;
    }
    return r;
}

/*
 * Whoever was let in may have stayed longer than the agent keeps the parts of
 * somebody who left.  And a body that was broken off may have been completed
 * by other bytes; that was not stored.
 */
static int upload_to(struct upload *upload, const char *remote,
                     const struct upload_options *options,
                     struct transfer_result *result)
{
    int r = upload_once(upload, remote, options, result);

    if ((!upload->lost && !upload->damaged) || upload->hurry)
        return r;
    out_note(upload->client->setup.out, "%s; from the beginning",
             upload->damaged ? "the copy was damaged on its way"
                             : "the agent has dropped what was sent");
    upload->hurry = true;
    error_clear(upload->err);
    return upload_once(upload, remote, options, result);
}

/* The same name in a folder of the guest. */
static int upload_into(struct upload *upload, const char *folder,
                       const struct upload_options *options,
                       struct transfer_result *result)
{
    AUTO_FREE char *name = transfer_basename(upload->local);
    AUTO_FREE char *path = name ? transfer_join(folder, name) : NULL;

    if (!path)
        return error_set(upload->err, -EINVAL, "'%s' has no file name",
                         upload->local);
    return upload_to(upload, path, options, result);
}

/* Asked only after a refusal: most uploads name a file, and pay nothing. */
static bool remote_is_folder(struct client *client, const char *remote)
{
    struct remote_info info;

    return transfer_info(client, remote, &info, NULL) == 0 && info.exists
           && strcmp(info.type, "directory") == 0;
}

static int upload_run(struct upload *upload, const char *remote,
                      const struct upload_options *options,
                      struct transfer_result *result)
{
    size_t n = strlen(remote);
    int r;

    if (n && remote[n - 1] == '/')
        return upload_into(upload, remote, options, result);
    r = upload_to(upload, remote, options, result);
    if (r <= 0 || !remote_is_folder(upload->client, remote))
        return r;
    error_clear(upload->err);
    return upload_into(upload, remote, options, result);
}

int client_upload_file(struct client *client, const char *local,
                       const char *remote,
                       const struct upload_options *options,
                       struct transfer_result *result, struct error *err)
{
    struct upload_options own = *options;
    struct upload upload = {
        .client = client, .local = local, .fd = -1, .err = err
    };
    char text[8];
    unsigned int mode = 0;
    int r;

    *result = (struct transfer_result) { 0 };
    buf_init(&upload.target, HTTP_TARGET_MAX);
    r = upload_open(&upload, &mode);
    snprintf(text, sizeof(text), "%04o", mode & 07777);
    if (!own.mode)
        own.mode = text;
    if (r == 0)
        r = upload_run(&upload, remote, &own, result);
    if (upload.fd >= 0)
        close(upload.fd);
    free(upload.chunk);
    digest_free(upload.md5);
    buf_free(&upload.target);
    return r;
}
