/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* An upload: for upload.c, which begins and fills it, and upload_commit.c,
 * which gives it its name. */
#ifndef VSRPC_GUEST_FILE_UPLOAD_PRIV_H
#define VSRPC_GUEST_FILE_UPLOAD_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "guest/file/etag.h"
#include "guest/file/upload.h"
#include "util/newfile.h"

struct upload {
    struct path_target target;
    struct newfile file;
    int64_t size;
    int64_t from; /* what was there already */
    unsigned int mode;
    bool own_mode; /* … unless a file is replaced, which keeps its own */
    char *owner;
    char *group;
    struct timespec mtime; /* tv_nsec UTIME_OMIT: as it comes */
    char *if_match;
    char *if_none_match;
    bool overwrite;
    bool durable_later;
    bool sparse;
    enum digest_kind kind;
    struct digest *digest;         /* NULL: none, or not before the end */
    bool digest_at_end;            /* what was there is to be read, too */
    char sum[DIGEST_HEX_MAX];      /* "": the digest goes on */
    char expected[DIGEST_HEX_MAX]; /* "": anything */
    int64_t marked_size;
    struct digest *marked_digest;
    bool marked;

    char etag[ETAG_MAX];   /* of the committed file; "" */
    struct worker *worker; /* while it is committed */
    upload_done *done;     /* NULL then: nobody waits any more */
    void *arg;
};

/*
 * Is the file that is there the one that the client means to replace?
 * (RFC 9110 section 13.2.2)
 *
 * Return: 0, or STATUS_PRECONDITION_FAILED with a message.
 */
int upload_preconditions(const struct upload *upload, struct error *err);

#endif
