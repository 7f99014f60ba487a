/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Parses mode, owner and time, and sets them by descriptor: through
 * /proc/self/fd where a call refuses O_PATH, and the mode after the owner,
 * because chown(2) clears the set-id bits.
 */
#include <config.h>

#include "guest/file/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/core/owner.h"
#include "util/num.h"

#define ID_KEEP ((int64_t) -1) /* as for chown(2) */

int attributes_parse(struct attributes *attributes,
                     const struct attributes_text *text, struct error *err)
{
    *attributes = (struct attributes) {
        .has_mode = text->mode,
        .uid = ID_KEEP,
        .gid = ID_KEEP,
        .has_mtime = text->mtime,
    };
    if (text->mode && num_parse_mode(text->mode, &attributes->mode) < 0)
        return error_set(err, -EINVAL,
                         "'mode' is not an octal file mode: '%s'", text->mode);
    if (text->owner && owner_id(text->owner, &attributes->uid) < 0)
        return error_set(err, -EINVAL, "no such user: '%s'", text->owner);
    if (text->group && group_id(text->group, &attributes->gid) < 0)
        return error_set(err, -EINVAL, "no such group: '%s'", text->group);
    if (text->mtime && num_parse_time(text->mtime, &attributes->mtime) < 0)
        return error_set(err, -EINVAL,
                         "'mtime' is not SECONDS.NANOSECONDS: '%s'",
                         text->mtime);
    return 0;
}

/* Through /proc, because fchmod(2) and futimens(3) refuse O_PATH.  The link
 * there leads to the file itself and no further, not even from a symbolic
 * link (proc(5)), of which kernels before 6.6 would then change a mode that
 * nobody looks at. */
static int apply_mode(unsigned int mode, const char *link, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode))
        return -EOPNOTSUPP;
    return chmod(link, mode) < 0 ? -errno : 0;
}

int attributes_apply(const struct attributes *attributes, int fd,
                     const char *path, struct error *err)
{
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                                       attributes->mtime };
    char link[64];
    int r;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if ((attributes->uid != ID_KEEP || attributes->gid != ID_KEEP)
        && fchownat(fd, "", (uid_t) attributes->uid, (gid_t) attributes->gid,
                    AT_EMPTY_PATH)
               < 0)
        return error_errno(err, -errno, "owner of '%s'", path);
    /* After the owner: changing that clears the set-id bits. */
    r = attributes->has_mode ? apply_mode(attributes->mode, link, fd) : 0;
    if (r < 0)
        return error_errno(err, r, "mode of '%s'", path);
    if (attributes->has_mtime && utimensat(AT_FDCWD, link, times, 0) < 0)
        return error_errno(err, -errno, "time of '%s'", path);
    return 0;
}
