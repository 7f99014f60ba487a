/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * getrandom(2), which came with Linux 3.17, or /dev/urandom.  The call is made
 * directly: the C library has a function for it from glibc 2.25 on.
 */
#include <config.h>

#include "util/random.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

static int from_call(void *bytes, size_t n)
{
#ifdef SYS_getrandom
    /* Up to 256 bytes it is never interrupted nor short. */
    return syscall(SYS_getrandom, bytes, n, 0) == (long) n ? 0 : -EIO;
#else
    (void) bytes;
    (void) n;
    return -ENOSYS;
#endif
}

static int from_device(void *bytes, size_t n)
{
    AUTO_CLOSE int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    int64_t got = fd < 0 ? -errno : fd_read_full(fd, bytes, n);

    if (got < 0)
        return (int) got;
    return got == (int64_t) n ? 0 : -EIO;
}

int random_bytes(void *bytes, size_t n)
{
    if (n > RANDOM_MAX)
        return -EIO;
    return from_call(bytes, n) == 0 ? 0 : from_device(bytes, n);
}

bool random_waits(void)
{
    char byte;

    return from_call(&byte, 1) == 0;
}
