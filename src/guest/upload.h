/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A file in the making: written under no name (or a hidden one), made durable
 * and put in place in one step, so that the target is either the old file or
 * the whole new one.
 */
#ifndef VSRPC_GUEST_UPLOAD_H
#define VSRPC_GUEST_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/path_policy.h"
#include "guest/proc.h"
#include "guest/worker.h"
#include "util/crypto.h"
#include "util/error.h"

/* What the request says of the file. */
struct upload_options {
    const char *mode;  /* octal; NULL: as the old file, else 0644 */
    const char *owner; /* name or number; NULL: as the old file, else ours */
    const char *group;
    bool overwrite;
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

/* Appends bytes.  Return: 0 or negative errno with a message. */
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
 * Ends the content: nothing can be written behind it, unless it is taken back
 * first.
 *
 * Return: its MD5, lower-case hex, for as long as the upload is there.
 */
const char *upload_md5(struct upload *upload);

/* Bytes written so far. */
int64_t upload_size(const struct upload *upload);

/* The target's real path. */
const char *upload_path(const struct upload *upload);

/*
 * Ends the file: owner, mode, fsync, and its place.  The work is done by a
 * worker; done is called with 0 or a negative errno and a message, and md5
 * (lower-case hex) of the content.  The upload must be freed afterwards, in
 * done() at the earliest.
 *
 * Return: 0 when done will be called, or negative errno with a message.
 */
int upload_commit(struct upload *upload, struct procs *procs,
                  void (*done)(void *arg, int result, const char *md5,
                               const struct error *err),
                  void *arg, struct error *err);

/* Frees; a file that is not in place yet is removed, with the loop's help when
 * its worker is still at it.  NULL is allowed. */
void upload_free(struct upload *upload);

#endif
