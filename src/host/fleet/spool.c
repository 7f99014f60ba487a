/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The file is in TMPDIR, and is gone with the last descriptor of it. */
#include <config.h>

#include "host/fleet/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

#define STEP (64 * 1024)

static int open_nameless(struct error *err)
{
    AUTO_FREE char *path = NULL;
    const char *folder = getenv("TMPDIR");
    int fd;

    if (!folder || *folder != '/')
        folder = "/tmp";
    if (asprintf(&path, "%s/vsrpc-input-XXXXXX", folder) < 0) {
        path = NULL;
        return error_errno(err, -ENOMEM, "standard input");
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, -errno, "a file for standard input in '%s'",
                           folder);
    unlink(path);
    return fd;
}

int spool_begin(struct spool *spool, int source, struct error *err)
{
    struct stat st;

    *spool = (struct spool) SPOOL_INIT;
    if (source < 0)
        return 0;
    if (fstat(source, &st) < 0)
        return error_errno(err, -errno, "standard input");
    if (S_ISREG(st.st_mode)) {
        spool->base = lseek(source, 0, SEEK_CUR);
        spool->fd = fcntl(source, F_DUPFD_CLOEXEC, 0);
        spool->n = INT64_MAX;
        return spool->base < 0 || spool->fd < 0
                   ? error_errno(err, -errno, "standard input")
                   : 0;
    }
    spool->fd = open_nameless(err);
    spool->source = spool->fd < 0 ? -1 : source;
    return spool->fd < 0 ? spool->fd : 0;
}

void spool_end(struct spool *spool)
{
    fd_close(&spool->fd);
    spool->source = -1;
}

int spool_fill(struct spool *spool, struct error *err)
{
    uint8_t step[STEP];
    ssize_t got = read(spool->source, step, sizeof(step));
    int r;

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (got < 0)
        return error_errno(err, -errno, "standard input");
    if (got == 0) {
        spool->source = -1;
        return 0;
    }
    r = fd_pwrite_all(spool->fd, step, (size_t) got, spool->n);
    if (r < 0)
        return error_errno(err, r, "keeping standard input for all domains");
    spool->n += got;
    return 0;
}

int64_t spool_read(const struct spool *spool, int64_t at, void *bytes,
                   size_t n)
{
    if (spool->fd < 0)
        return 0;
    if ((int64_t) n > spool->n - at)
        n = (size_t) (spool->n - at);
    return fd_pread_full(spool->fd, bytes, n, spool->base + at);
}

bool spool_over(const struct spool *spool)
{
    return spool->source < 0;
}
