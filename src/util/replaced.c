/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The old file is opened with O_PATH, which needs no right to read it; its
 * attributes are read through /proc/self/fd, because such a descriptor itself
 * is refused.
 */
#include <config.h>

#include "util/replaced.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/cleanup.h"

/* The kernel's limits (linux/limits.h). */
#define NAMES_MAX 65536
#define VALUE_MAX 65536

#define ACL "system.posix_acl_access"

/* They vouch for the content. */
static bool is_vouching(const char *name)
{
    static const char *const names[] = { "security.capability", "security.ima",
                                         "security.evm" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* What is refused to us is left out, unless it is the ACL. */
static int judge(const char *name, int code)
{
    bool refused = code == -EPERM || code == -EACCES;

    return code == -ENODATA || code == -ENOTSUP
                   || (refused && strcmp(name, ACL) != 0)
               ? 0
               : code;
}

static int leave_attribute(const char *old, const char *name, char *value,
                           int fd)
{
    ssize_t n = getxattr(old, name, value, VALUE_MAX);

    if (n >= 0)
        n = fsetxattr(fd, name, value, (size_t) n, 0);
    return n < 0 ? judge(name, -errno) : 0;
}

static int leave_named(const char *old, const char *names, size_t n, int fd)
{
    AUTO_FREE char *value = malloc(VALUE_MAX);
    int r = value ? 0 : -ENOMEM;

    for (size_t at = 0; r == 0 && at < n; at += strlen(names + at) + 1)
        if (!is_vouching(names + at))
            r = leave_attribute(old, names + at, value, fd);
    return r;
}

static int leave_attributes(const char *old, int fd)
{
    AUTO_FREE char *names = NULL;
    ssize_t n;

    /* The folder may have given it one for new files. */
    if (fremovexattr(fd, ACL) < 0 && errno != ENODATA && errno != ENOTSUP)
        return -errno;
    n = listxattr(old, NULL, 0);
    if (n > 0) {
        names = malloc(NAMES_MAX);
        if (!names)
            return -ENOMEM;
        n = listxattr(old, names, NAMES_MAX);
    }
    if (n < 0)
        return errno == ENOTSUP ? 0 : -errno;
    return n > 0 ? leave_named(old, names, (size_t) n, fd) : 0;
}

/* Who may not give a file away may still give it to a group of his. */
static int leave_owner(const struct stat *st, int fd)
{
    if (fchown(fd, st->st_uid, st->st_gid) == 0)
        return 0;
    if (errno == EPERM && fchown(fd, (uid_t) -1, st->st_gid) == 0)
        return 0;
    return errno == EPERM ? 0 : -errno;
}

int replaced_leave(int dir, const char *name, int fd)
{
    AUTO_CLOSE int old = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    char link[64];
    struct stat st;
    int r;

    if (old < 0 || fstat(old, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -ENOENT;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", old);
    r = leave_attributes(link, fd);
    if (r == 0)
        r = leave_owner(&st, fd);
    return r < 0 ? r : (int) (st.st_mode & 01777);
}
