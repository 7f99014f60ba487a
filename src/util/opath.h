/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A file that is held without anything having been done to it, so that it can
 * be judged first, and what was judged is what is used: open(2) with O_PATH.
 *
 * Kernels before 2.6.39 take no notice of that flag, so that it would be a
 * plain open, which rewinds a tape or starts a watchdog; before 3.6 such a
 * descriptor cannot be asked what it is.  There (OPATH_WALK) the last name of a
 * path is looked at without following it, link by link, in a folder that is
 * held open, and only a regular file or a folder is opened, to read.  What
 * cannot be opened so is held by its folder and name, under which a link is
 * never followed.
 *
 * What a walk cannot do: go into a folder that may be searched but not read;
 * give a mode to what may not be read, or is no regular file and no folder.
 */
#ifndef VSRPC_UTIL_OPATH_H
#define VSRPC_UTIL_OPATH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Replacing a file takes longer than to open it, so that one in a loop is met
 * in its place soon. */
#define OPATH_TRIES 1000

enum opath_way {
    OPATH_KERNEL, /* by O_PATH */
    OPATH_WALK,
};

/* Which one this kernel has.  It is asked anew each time. */
enum opath_way opath_way(void);

struct opath {
    int fd;    /* the file; -1: it is known by its place */
    int dir;   /* its folder, then */
    int error; /* why, then: what opening it is answered with */
    char name[NAME_MAX + 1];
};

#define OPATH_NONE          \
    {                       \
        .fd = -1, .dir = -1 \
    }

/*
 * Finds the file of a path, from a folder on when it is relative (AT_FDCWD).
 * flags: O_NOFOLLOW, O_DIRECTORY, as for open(2).
 *
 * Return: 0 with *file to be closed; negative errno, and then there is none;
 * -EAGAIN when it is replaced again and again.
 */
int opath_open(struct opath *file, enum opath_way way, int at,
               const char *path, int flags);

/* Closes it; none is fine. */
void opath_close(struct opath *file);

/* Is one there? */
static inline bool opath_is_open(const struct opath *file)
{
    return file->fd >= 0 || file->dir >= 0;
}

/* The following are about the file itself, a link too.  Return: 0 (or what the
 * call of that name returns) or negative errno. */
int opath_stat(const struct opath *file, struct stat *st);
int opath_chown(const struct opath *file, uid_t uid, gid_t gid);
int opath_chmod(const struct opath *file, mode_t mode); /* not of a link */
int opath_utimens(const struct opath *file, const struct timespec times[2]);
ssize_t opath_readlink(const struct opath *file, char *target, size_t size);
ssize_t opath_listxattr(const struct opath *file, char *names, size_t size);
ssize_t opath_getxattr(const struct opath *file, const char *name, void *value,
                       size_t size);

/*
 * Where the kernel says that it is (proc(5), /proc/PID/fd); this text is no
 * name before something was found to be there.
 *
 * Return: 0 or negative errno; -ESTALE when it is in no folder.
 */
int opath_real(const struct opath *file, char real[PATH_MAX]);

/*
 * Opens it for reading.
 *
 * Return: a descriptor (not blocking), or negative errno.
 */
int opath_reopen(const struct opath *file);

#endif
