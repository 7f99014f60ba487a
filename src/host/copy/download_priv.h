/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A download, for the files that make it: download.c begins and ends it,
 * download_turns.c fetches, download_check.c holds what came against what is
 * there.
 */
#ifndef VSRPC_HOST_COPY_DOWNLOAD_PRIV_H
#define VSRPC_HOST_COPY_DOWNLOAD_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "host/copy/copy.h"
#include "host/local/flusher.h"
#include "host/local/tempfile.h"

struct download {
    struct copy *copy;
    const char *remote;
    const struct remote_entry *known; /* NULL: nothing is */
    struct tempfile *file;
    bool begun; /* … has the file */
    bool sparse;
    int64_t total;            /* the file's size; -1: not known yet */
    int64_t at;               /* bytes that are here */
    int64_t first;            /* of this turn */
    int64_t asked;            /* bytes of this turn */
    int64_t due;              /* bytes that its answer announces */
    char etag[RPC_WORD_MAX];  /* as the first turn began, … */
    int64_t etag_total;       /* … and the size that this one has */
    char sum[DIGEST_HEX_MAX]; /* that the agent said with the bytes; "" */
    struct digest *digest;    /* of all bytes; NULL: none */
    struct digest *rest;      /* of those from rest_first on, when that is not
                               * the beginning */
    int64_t rest_first;
    struct flusher flusher;
    struct error local; /* what went wrong here, not on the way */
    struct error *err;
};

/* --- download_turns.c ----------------------------------------------------- */

/* Does it go to standard output or the like, which takes nothing back? */
bool download_is_stream(const struct download *download);

/* What is wrong here is nothing that another try could mend: notes it in
 * download->local.  Return: -EIO. */
int download_local_error(struct download *download, int code,
                         const char *doing);

/* Fetches from download->at to the end.  Return: as download_to(). */
int download_fetch(struct download *download);

/* --- download_check.c ----------------------------------------------------- */

/* Starts anew behind bytes that are right.  Return: 0, or negative errno. */
int download_go_back(struct download *download, int64_t at);

/* Holds the bytes that are here against the guest's, and keeps those that are
 * the same.  Return: as download_to(). */
int download_hold_against(struct download *download);

/* Is what has come what is there?  Fetches again what is not.  Return: as
 * download_to(). */
int download_verify(struct download *download);

#endif
