/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The old file is only held (util/opath.h), for which no right to read it is
 * needed.
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
#include "util/opath.h"

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

static int leave_attribute(const struct opath *old, const char *name,
                           char *value, int fd)
{
    ssize_t n = opath_getxattr(old, name, value, VALUE_MAX);

    if (n >= 0 && fsetxattr(fd, name, value, (size_t) n, 0) < 0)
        n = -errno;
    return n < 0 ? judge(name, (int) n) : 0;
}

static int leave_named(const struct opath *old, const char *names, size_t n,
                       int fd)
{
    AUTO_FREE char *value = malloc(VALUE_MAX);
    int r = value ? 0 : -ENOMEM;

    for (size_t at = 0; r == 0 && at < n; at += strlen(names + at) + 1)
        if (!is_vouching(names + at))
            r = leave_attribute(old, names + at, value, fd);
    return r;
}

static int leave_attributes(const struct opath *old, int fd)
{
    AUTO_FREE char *names = NULL;
    ssize_t n;

    /* The folder may have given it one for new files. */
    if (fremovexattr(fd, ACL) < 0 && errno != ENODATA && errno != ENOTSUP)
        return -errno;
    n = opath_listxattr(old, NULL, 0);
    if (n > 0) {
        names = malloc(NAMES_MAX);
        if (!names)
            return -ENOMEM;
        n = opath_listxattr(old, names, NAMES_MAX);
    }
    if (n < 0)
        return n == -ENOTSUP ? 0 : (int) n;
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

static int leave(const struct opath *old, int fd)
{
    struct stat st;
    int r = opath_stat(old, &st);

    if (r == 0 && !S_ISREG(st.st_mode))
        r = -ENOENT;
    if (r == 0)
        r = leave_attributes(old, fd);
    if (r == 0)
        r = leave_owner(&st, fd);
    return r < 0 ? r : (int) (st.st_mode & 01777);
}

int replaced_leave(int dir, const char *name, int fd)
{
    struct opath old;
    int r = opath_open(&old, opath_way(), dir, name, O_NOFOLLOW);

    if (r == 0)
        r = leave(&old, fd);
    opath_close(&old);
    return r;
}
