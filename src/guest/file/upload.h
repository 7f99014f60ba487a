/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A file in the making: written under no name (or a hidden one), made durable
 * and put in place in one step, so that the target is either the old file or
 * the whole new one.
 */
#ifndef VSRPC_GUEST_FILE_UPLOAD_H
#define VSRPC_GUEST_FILE_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/file/etag.h"
#include "guest/policy/path_policy.h"
#include "guest/proc/proc.h"
#include "guest/proc/worker.h"
#include "util/crypto.h"
#include "util/error.h"

/* What the request says of the file; strings are not kept. */
struct upload_options {
    const char *mode;  /* octal; NULL: as the old file without its set-id bits,
                        * else 0644 */
    const char *owner; /* name or number; NULL: as the old file, else ours */
    const char *group;
    const char *mtime;    /* seconds, perhaps with a fraction; NULL: now */
    const char *if_match; /* fields of RFC 9110 section 13.1; NULL */
    const char *if_none_match;
    bool keep; /* mode is for a new file: a replaced one keeps its own */
    bool overwrite;
    bool durable_later; /* the client makes many durable at once */
    bool sparse;        /* zeros need no place on the disk */
    bool part;    /* what has come stays when the upload is broken off, under a
                   * name that the next one finds */
    int64_t from; /* bytes that are there already: those of the part, or else
                   * the first ones of the old file */
    bool digested;           /* there is a digest to make, … */
    enum digest_kind digest; /* … this one */
};

struct upload;

/*
 * Begins a file at path.
 *
 * Return: 0 with *upload; positive enum status_code or negative errno with a
 * message.
 */
int upload_begin(const struct path_policy *policy, const char *path,
                 const struct upload_options *options, struct upload **upload,
                 struct error *err);

/* Appends bytes.  Return: 0 or negative errno with a message (-ENOSPC, …). */
int upload_write(struct upload *upload, const void *bytes, size_t n,
                 struct error *err);

/*
 * Notes how far the file is, for upload_rewind().
 *
 * Return: 0 or -ENOMEM with a message.
 */
int upload_mark(struct upload *upload, struct error *err);

/* Takes back what was written since upload_mark().  Return: 0 or negative
 * errno, and then the upload is of no use. */
int upload_rewind(struct upload *upload);

/*
 * Says what the content is to be, in lower-case hex digits; anything else is
 * not stored.
 *
 * Return: 0, or STATUS_INVALID_PARAMS when it is no such digest.
 */
int upload_expect(struct upload *upload, const char *hex, struct error *err);

/*
 * Ends the content: nothing can be written behind it, unless it is taken back
 * first.
 *
 * Return: its digest, lower-case hex, for as long as the upload is there; ""
 * when there is none, or not before it is committed.
 */
const char *upload_sum(struct upload *upload);

/* Return: is what has come not what upload_expect() was told? */
bool upload_differs(struct upload *upload);

/* Which digest that is.  Return: "md5" or "sha256". */
const char *upload_digest_name(const struct upload *upload);

enum digest_kind upload_kind(const struct upload *upload);

/* The validator of the file that was committed; "" while none is. */
const char *upload_etag(const struct upload *upload);

/* Bytes written so far. */
int64_t upload_size(const struct upload *upload);

/* The target's real path. */
const char *upload_path(const struct upload *upload);

/*
 * Called when a file is committed, or not: with 0, a positive enum
 * status_code, or negative errno, and a message.  upload_sum() has its digest
 * then.
 */
typedef void upload_done(void *arg, int result, const struct error *err);

/*
 * Ends the file: what was there already, owner, mode, time, fsync, and its
 * place.  A worker does what may take long; done is called in either case,
 * perhaps before this returns.  The upload must be freed afterwards, in done()
 * at the earliest.
 *
 * Return: 0 when done was or will be called, or negative errno with a message.
 */
int upload_commit(struct upload *upload, struct procs *procs,
                  upload_done *done, void *arg, struct error *err);

/* Frees; a file that is not committed yet is removed (a part stays), with the
 * loop's help when its worker is still at it.  NULL is allowed. */
void upload_free(struct upload *upload);

/* Frees, and removes a part, too: it is known to be of no use. */
void upload_discard(struct upload *upload);

#endif
