/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Reads the local file by offsets, or standard input a turn at a time.  A file
 * that grew is copied as long as it was at first; one that shrank or was
 * changed is an error.
 */
#include <config.h>

#include "host/copy/upload_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/limits.h"
#include "util/fd.h"
#include "util/quote.h"

/* Files of the kernel (/proc, /sys) have content and no size. */
static int check_size(const struct upload *upload)
{
    char byte;
    int64_t n = upload->size > 0 ? 0 : fd_pread_full(upload->fd, &byte, 1, 0);

    if (n < 0)
        return error_errno(upload->err, (int) n, "file '%s'", upload->path);
    if (n == 0)
        return 0;
    error_set(upload->err, -EINVAL, "file '%s': has content but no size",
              upload->path);
    quote_hint(upload->err, "cat %s | " PROGRAM " … upload - %s", upload->path,
               upload->remote);
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

int upload_open_at(struct upload *upload, int dir, const char *name, int flags)
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
int upload_check_unchanged(struct upload *upload)
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

int upload_read_at(struct upload *upload, int64_t at, uint8_t *bytes, size_t n)
{
    int64_t got = fd_pread_full(upload->fd, bytes, n, at);

    if (got < 0)
        return local_error(upload, (int) got);
    return got < (int64_t) n ? changed(upload) : 0;
}

/* Reads a turn of a stream; a short one is the last. */
int upload_stream_fill(struct upload *upload)
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
