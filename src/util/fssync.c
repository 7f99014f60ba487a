/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * syncfs(2), which came with Linux 2.6.39, or sync(2).  The call is made
 * directly: the C library has a function for it from glibc 2.14 on.
 */
#include <config.h>

#include "util/fssync.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static int sync_single(int fd)
{
#ifdef SYS_syncfs
    return syscall(SYS_syncfs, fd) < 0 ? -errno : 0;
#else
    (void) fd;
    return -ENOSYS;
#endif
}

int fssync(int fd)
{
    int r = sync_single(fd);

    if (r != -ENOSYS)
        return r;
    sync();
    return 0;
}

bool fssync_single(void)
{
    return sync_single(-1) != -ENOSYS;
}
