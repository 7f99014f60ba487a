/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Both ways end in a descriptor, or in a name below one, which calls that take
 * a path get through /proc/self/fd.  The link there leads to the file itself
 * and no further, not even from a symbolic link (proc(5)).
 *
 * The folders of a path are the kernel's matter also in a walk: to open one does
 * nothing, whatever links lead to it, and to go through them one by one would
 * take the right to read each.
 */
#include <config.h>

#include "util/opath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

/* Since Linux 2.6.39, glibc 2.14. */
#ifndef O_PATH
#define O_PATH 0
#endif

#define LINKS_MAX 40 /* as the kernel (path_resolution(7)) */

/* "/proc/self/fd/N", and perhaps "/NAME" */
#define LINK_SIZE (32 + NAME_MAX)

/* --- by O_PATH ------------------------------------------------------------ */

/* A kernel that knows the flag reads nothing from such a descriptor; another
 * one says that it is a folder. */
enum opath_way opath_way(void)
{
    AUTO_CLOSE int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    char byte;

    return fd >= 0 && read(fd, &byte, 1) < 0 && errno == EBADF
                   && fstat(fd, &st) == 0
               ? OPATH_KERNEL
               : OPATH_WALK;
}

static int open_kernel(struct opath *file, int at, const char *path, int flags)
{
    file->fd = openat(at, path, O_PATH | O_CLOEXEC | flags);
    return file->fd < 0 ? -errno : 0;
}

/* --- by a walk ------------------------------------------------------------ */

struct walk {
    int at; /* of what is relative; owned once a link was followed */
    bool owned;
    char path[PATH_MAX + 1]; /* still to go; a '/' may be added to a link's */
    int links;               /* followed */
    bool folder;             /* a '/' or a dot is behind the last name */
};

/* Cuts the last name off, which "." stands for where there is none.  Return:
 * the folder, or NULL when a name is too long. */
static const char *cut_name(struct walk *walk, char name[NAME_MAX + 1])
{
    char *path = walk->path;
    size_t end = strlen(path);
    size_t start;

    walk->folder = path[end - 1] == '/';
    while (end > 1 && path[end - 1] == '/')
        end--;
    start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (end - start > NAME_MAX)
        return NULL;
    snprintf(name, NAME_MAX + 1, "%.*s", (int) (end - start), path + start);
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        walk->folder = true;
        strcpy(name, ".");
        return path;
    }
    path[start] = '\0';
    return start > 0 ? path : ".";
}

/* The path becomes what a link says, from the link's folder on, which is taken
 * over.  Return: 0 or negative errno; -ESTALE when it is no link any more. */
static int follow(struct walk *walk, const struct opath *file)
{
    ssize_t n = readlinkat(file->dir, file->name, walk->path,
                           sizeof(walk->path) - 2);

    if (n < 0)
        return errno == EINVAL ? -ESTALE : -errno;
    if (n == 0)
        return -ENOENT;
    strcpy(walk->path + n, walk->folder ? "/" : "");
    if (walk->owned)
        close(walk->at);
    walk->at = file->dir;
    walk->owned = true;
    return ++walk->links > LINKS_MAX ? -ELOOP : 0;
}

/* Some files may not be opened: they stay known by their place. */
static bool is_refusal(int error)
{
    return error == -EACCES || error == -EPERM || error == -EAGAIN;
}

/* Opens what was looked at.  Return: 0 or negative errno; -ESTALE when it is
 * another file by now. */
static int open_seen(struct opath *file, const struct stat *seen)
{
    struct stat st;

    file->error = -EOPNOTSUPP;
    if (!S_ISREG(seen->st_mode) && !S_ISDIR(seen->st_mode))
        return 0;
    file->fd = openat(file->dir, file->name,
                      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
                          | O_CLOEXEC);
    if (file->fd < 0) {
        file->error = -errno;
        if (is_refusal(file->error))
            return 0;
        return file->error == -ELOOP || file->error == -ENOENT ? -ESTALE
                                                               : file->error;
    }
    if (fstat(file->fd, &st) < 0)
        return -errno;
    if (st.st_dev != seen->st_dev || st.st_ino != seen->st_ino)
        return -ESTALE;
    fd_close(&file->dir);
    return 0;
}

/* Looks at the last name of the path.  Return: 0 when that is the file; 1 when
 * it was a link, of which the path is now; negative errno; -ESTALE when it
 * was replaced meanwhile. */
static int step(struct walk *walk, struct opath *file, int flags)
{
    const char *folder = cut_name(walk, file->name);
    struct stat st;
    int r;

    if (!folder)
        return -ENAMETOOLONG;
    file->dir = openat(walk->at, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->dir < 0)
        return -errno;
    if (strcmp(file->name, ".") == 0) { /* it is that folder */
        file->fd = steal_fd(&file->dir);
        return 0;
    }
    if (fstatat(file->dir, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode) && (walk->folder || !(flags & O_NOFOLLOW))) {
        r = follow(walk, file);
        if (walk->at == file->dir)
            file->dir = -1;
        return r < 0 ? r : 1;
    }
    if ((walk->folder || (flags & O_DIRECTORY)) && !S_ISDIR(st.st_mode))
        return -ENOTDIR;
    return open_seen(file, &st);
}

/* Return: as opath_open(); -ESTALE when something was replaced meanwhile. */
static int walk_once(struct opath *file, int at, const char *path, int flags)
{
    struct walk walk = { .at = at };
    size_t n = strlen(path);
    int r = 1;

    if (n == 0)
        return -ENOENT;
    if (n >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(walk.path, path, n + 1);
    while (r == 1) {
        opath_close(file);
        r = step(&walk, file, flags);
    }
    if (walk.owned)
        close(walk.at);
    return r;
}

static int open_walk(struct opath *file, int at, const char *path, int flags)
{
    int r = -ESTALE;

    for (int i = 0; r == -ESTALE && i < OPATH_TRIES; i++)
        r = walk_once(file, at, path, flags);
    return r == -ESTALE ? -EAGAIN : r;
}

/* --- both ----------------------------------------------------------------- */

int opath_open(struct opath *file, enum opath_way way, int at,
               const char *path, int flags)
{
    int r;

    *file = (struct opath) OPATH_NONE;
    r = way == OPATH_KERNEL ? open_kernel(file, at, path, flags)
                            : open_walk(file, at, path, flags);
    if (r < 0)
        opath_close(file);
    return r;
}

void opath_close(struct opath *file)
{
    fd_close(&file->fd);
    fd_close(&file->dir);
}

/* A path of the file for the calls that take one.  Return: it. */
static const char *link_to(const struct opath *file, char link[LINK_SIZE])
{
    if (file->fd >= 0)
        snprintf(link, LINK_SIZE, "/proc/self/fd/%d", file->fd);
    else
        snprintf(link, LINK_SIZE, "/proc/self/fd/%d/%s", file->dir,
                 file->name);
    return link;
}

/* The first must be followed, the second must not. */
static int at_flags(const struct opath *file)
{
    return file->fd >= 0 ? 0 : AT_SYMLINK_NOFOLLOW;
}

int opath_stat(const struct opath *file, struct stat *st)
{
    int r = file->fd >= 0
                ? fstat(file->fd, st)
                : fstatat(file->dir, file->name, st, AT_SYMLINK_NOFOLLOW);

    return r < 0 ? -errno : 0;
}

int opath_chown(const struct opath *file, uid_t uid, gid_t gid)
{
    char link[LINK_SIZE];

    return fchownat(AT_FDCWD, link_to(file, link), uid, gid, at_flags(file))
                   < 0
               ? -errno
               : 0;
}

/* Kernels before 6.6 would change the mode of a link, which nobody looks at;
 * and what a name leads to only a descriptor tells. */
int opath_chmod(const struct opath *file, mode_t mode)
{
    char link[LINK_SIZE];
    struct stat st;
    int r = opath_stat(file, &st);

    if (r < 0)
        return r;
    if (S_ISLNK(st.st_mode))
        return -EOPNOTSUPP;
    if (file->fd < 0)
        return file->error;
    return chmod(link_to(file, link), mode) < 0 ? -errno : 0;
}

int opath_utimens(const struct opath *file, const struct timespec times[2])
{
    char link[LINK_SIZE];

    return utimensat(AT_FDCWD, link_to(file, link), times, at_flags(file)) < 0
               ? -errno
               : 0;
}

ssize_t opath_readlink(const struct opath *file, char *target, size_t size)
{
    ssize_t n = file->fd >= 0
                    ? readlinkat(file->fd, "", target, size)
                    : readlinkat(file->dir, file->name, target, size);

    return n < 0 ? -errno : n;
}

ssize_t opath_listxattr(const struct opath *file, char *names, size_t size)
{
    char link[LINK_SIZE];
    ssize_t n = file->fd >= 0 ? listxattr(link_to(file, link), names, size)
                              : llistxattr(link_to(file, link), names, size);

    return n < 0 ? -errno : n;
}

ssize_t opath_getxattr(const struct opath *file, const char *name, void *value,
                       size_t size)
{
    char link[LINK_SIZE];
    ssize_t n = file->fd >= 0
                    ? getxattr(link_to(file, link), name, value, size)
                    : lgetxattr(link_to(file, link), name, value, size);

    return n < 0 ? -errno : n;
}

static int fd_real(int fd, char real[PATH_MAX])
{
    char link[LINK_SIZE];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, real, PATH_MAX - 1);
    if (n < 0)
        return -errno;
    real[n] = '\0';
    return real[0] == '/' ? 0 : -ESTALE;
}

int opath_real(const struct opath *file, char real[PATH_MAX])
{
    int r = fd_real(file->fd >= 0 ? file->fd : file->dir, real);
    size_t n;

    if (r < 0 || file->fd >= 0)
        return r;
    n = real[1] ? strlen(real) : 0; /* the root: no second slash */
    return snprintf(real + n, PATH_MAX - n, "/%s", file->name)
                   < (int) (PATH_MAX - n)
               ? 0
               : -ENAMETOOLONG;
}

int opath_reopen(const struct opath *file)
{
    char link[LINK_SIZE];
    int fd;

    if (file->fd < 0)
        return file->error;
    fd = open(link_to(file, link),
              O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}
