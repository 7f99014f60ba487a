/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * AT_NO_AUTOMOUNT, which came with Linux 2.6.38.  An older kernel refuses what
 * it does not know: without the flag it mounts nothing for lstat(2) either,
 * but on autofs with direct mounts.
 */
#include <config.h>

#include "util/peek.h"

#include <errno.h>
#include <fcntl.h>

#ifndef AT_NO_AUTOMOUNT
#define AT_NO_AUTOMOUNT 0
#endif

int peek(int dir, const char *name, struct stat *st)
{
    if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0)
        return 0;
    if (errno == EINVAL && fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    return -errno;
}

bool peek_mounts_nothing(void)
{
    struct stat st;

    return AT_NO_AUTOMOUNT
           && fstatat(AT_FDCWD, "/", &st,
                      AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)
                  == 0;
}
