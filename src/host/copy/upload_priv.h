/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * An upload, for the files that make it: upload.c begins it and sends what is
 * small, upload_parts.c anything else, with the requests of upload_request.c;
 * upload_source.c reads the local file.
 */
#ifndef VSRPC_HOST_COPY_UPLOAD_PRIV_H
#define VSRPC_HOST_COPY_UPLOAD_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/copy/copy.h"
#include "util/buf.h"

struct upload {
    struct copy *copy;
    const char *path; /* the local file, for messages */
    const char *remote;
    int fd;
    bool stream;           /* standard input: no size, and read only once */
    struct stat st;        /* as it was opened */
    int64_t size;          /* -1: not known yet */
    int64_t at;            /* bytes that are there */
    int64_t turn;          /* bytes of this turn */
    int64_t digested;      /* bytes that are in the digest */
    uint8_t *chunk;        /* of a stream: this turn; of a small file: all */
    struct digest *digest; /* NULL: none */
    char sum[DIGEST_HEX_MAX];
    char mode[8];
    bool part;    /* what has come stays there when it breaks */
    bool lost;    /* the agent does not have the earlier parts */
    bool damaged; /* what came there is not what was sent */
    struct error local;
    struct error *err;
};

/* --- upload_source.c ------------------------------------------------------ */

/* Opens the file name of the folder dir with more open(2) flags.  Return: 0,
 * or negative errno with a message. */
int upload_open_at(struct upload *upload, int dir, const char *name,
                   int flags);

/* Is the file still the one that was opened?  It may have grown (a log):
 * what it had in the beginning is copied.  Return: 0, or -EIO with
 * upload->local. */
int upload_check_unchanged(struct upload *upload);

/* Reads exactly n bytes.  Return: 0, or -EIO with upload->local. */
int upload_read_at(struct upload *upload, int64_t at, uint8_t *bytes,
                   size_t n);

/* Reads a turn of a stream; a short one is the last.  Return: 0, or negative
 * errno. */
int upload_stream_fill(struct upload *upload);

/* --- upload_request.c ----------------------------------------------------- */

/* Everything that the file is to be, as a request's target.  Return: 0, or
 * negative errno with a message. */
int upload_put_target(const struct upload *upload, struct buf *target);

/* Adds what has to be true of the file that is replaced. */
void upload_put_condition(const struct upload *upload,
                          struct client_request *request);

/* Sends a request, and notes in upload what a refusal means for the whole.
 * Return: as download_to(). */
int upload_send(struct upload *upload, const struct client_request *request,
                struct answer *answer);

/* What the agent stored has to be what was sent.  Return: 0 with the result,
 * or negative errno with a message. */
int upload_check_stored(struct upload *upload, struct json_object *data,
                        struct copy_result *result);

/* --- upload_parts.c ------------------------------------------------------- */

/* Sends all of it in parts.  Return: as download_to(). */
int upload_parts(struct upload *upload, struct copy_result *result);

/* Drops what the agent may have of this transfer. */
void upload_forget_parts(struct upload *upload);

#endif
