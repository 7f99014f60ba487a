/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * openat(2) and its relatives with O_NOFOLLOW.  A link takes the place of a
 * file by rename(2) from a temporary name, so that there is always one of
 * them.
 */
#include <config.h>

#include "host/local/localtree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/crypto.h"

#define NAMES_MAX 1000000 /* as many as are taken of a guest's folder */
#define TEMP_BYTES 6      /* random ones, of a temporary name */
#define TEMP_TRIES 8

mode_t localtree_umask(void)
{
    mode_t mask = umask(022);

    umask(mask);
    return mask;
}

/* The kernel says ENOTDIR of both. */
static int not_a_folder(int dir, const char *name, int code, struct error *err)
{
    struct stat st;

    if ((code == -ENOTDIR || code == -ELOOP)
        && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0
        && S_ISLNK(st.st_mode))
        return error_set(err, -ELOOP,
                         "'%s' is a symbolic link here, not followed", name);
    return error_errno(err, code, "folder '%s'", name);
}

int localtree_enter(int dir, const char *name, struct error *err)
{
    int fd = openat(dir, name,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? not_a_folder(dir, name, -errno, err) : fd;
}

int localtree_make(int dir, const char *name, mode_t mode, bool *created,
                   struct error *err)
{
    *created = mkdirat(dir, name, (mode & 01777) | 0700) == 0;
    if (!*created && errno != EEXIST)
        return error_errno(err, -errno, "folder '%s'", name);
    return localtree_enter(dir, name, err);
}

/* A link under a name that nobody has, then a rename, which replaces. */
static int link_over(int dir, const char *name, const char *target)
{
    char random[2 * TEMP_BYTES + 1];
    char temp[sizeof(random) + 16];
    int r = -EEXIST;

    for (int i = 0; i < TEMP_TRIES && r == -EEXIST; i++) {
        r = crypto_random_hex(random, TEMP_BYTES);
        if (r < 0)
            return r;
        snprintf(temp, sizeof(temp), ".vsrpc-%s", random);
        r = symlinkat(target, dir, temp) < 0 ? -errno : 0;
    }
    if (r == 0 && renameat(dir, temp, dir, name) < 0) {
        r = -errno;
        unlinkat(dir, temp, 0);
    }
    return r;
}

int localtree_link(int dir, const char *name, const char *target, bool replace,
                   struct error *err)
{
    int r = symlinkat(target, dir, name) < 0 ? -errno : 0;

    if (r == -EEXIST && replace)
        r = link_over(dir, name, target);
    return r < 0 ? error_errno(err, r, "symbolic link '%s'", name) : 0;
}

int localtree_time(int dir, const char *name, int64_t seconds, long ns,
                   struct error *err)
{
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                                       { .tv_sec = (time_t) seconds,
                                         .tv_nsec = ns } };

    return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0
               ? error_errno(err, -errno, "time of '%s'", name)
               : 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static int names_read(DIR *stream, const char *path, struct strlist *names,
                      struct error *err)
{
    const struct dirent *entry;

    errno = 0;
    while ((entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") == 0
            || strcmp(entry->d_name, "..") == 0)
            continue;
        if (names->n >= NAMES_MAX)
            return error_set(err, -EMSGSIZE,
                             "folder '%s' has more than %d files", path,
                             NAMES_MAX);
        if (strlist_add(names, entry->d_name) < 0)
            return error_errno(err, -ENOMEM, "folder '%s'", path);
        errno = 0;
    }
    return errno ? error_errno(err, -errno, "folder '%s'", path) : 0;
}

int localtree_names(int dir, const char *path, struct strlist *names,
                    struct error *err)
{
    int own = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    DIR *stream = own >= 0 ? fdopendir(own) : NULL;
    int r;

    if (!stream) {
        r = error_errno(err, -errno, "folder '%s'", path);
        if (own >= 0)
            close(own);
        return r;
    }
    rewinddir(stream); /* a copy of a descriptor stands where that does */
    r = names_read(stream, path, names, err);
    closedir(stream);
    if (r == 0 && names->n > 0)
        qsort(names->items, names->n, sizeof(*names->items), by_name);
    return r;
}

char *localtree_target(int dir, const char *name, struct error *err)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(dir, name, target, sizeof(target));
    char *copy;

    if (n < 0 || n == sizeof(target)) {
        error_errno(err, n < 0 ? -errno : -ENAMETOOLONG, "symbolic link '%s'",
                    name);
        return NULL;
    }
    copy = strndup(target, (size_t) n);
    if (!copy)
        error_errno(err, -ENOMEM, "symbolic link '%s'", name);
    return copy;
}

const char *localtree_kind(mode_t mode)
{
    static const struct {
        mode_t type;
        const char *words;
    } kinds[] = { { S_IFSOCK, "a socket" },
                  { S_IFIFO, "a named pipe" },
                  { S_IFBLK, "a block device" },
                  { S_IFCHR, "a character device" } };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if ((mode & S_IFMT) == kinds[i].type)
            return kinds[i].words;
    return "no file of a known kind";
}
