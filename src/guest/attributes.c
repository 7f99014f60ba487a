/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/owner.h"
#include "util/num.h"

#define ID_KEEP ((int64_t) -1) /* as for chown(2) */
#define NS_DIGITS 9

/* The digits of a fraction as nanoseconds. */
static int parse_fraction(const char *text, long *ns)
{
    size_t n = strlen(text);

    if (n < 1 || n > NS_DIGITS || strspn(text, "0123456789") != n)
        return -EINVAL;
    *ns = 0;
    for (size_t i = 0; i < NS_DIGITS; i++)
        *ns = *ns * 10 + (i < n ? text[i] - '0' : 0);
    return 0;
}

static int parse_time(const char *text, struct timespec *time)
{
    bool before = text[0] == '-'; /* the epoch */
    size_t n = strcspn(text + before, ".");
    const char *rest = text + before + n;
    char seconds[24];
    int64_t value;

    if (n >= sizeof(seconds))
        return -EINVAL;
    memcpy(seconds, text + before, n);
    seconds[n] = '\0';
    if (num_parse(seconds, 0, INT64_MAX, &value) < 0)
        return -EINVAL;
    value = before ? -value : value;
    time->tv_sec = (time_t) value;
    time->tv_nsec = 0;
    if (time->tv_sec != value)
        return -EINVAL;
    return *rest ? parse_fraction(rest + 1, &time->tv_nsec) : 0;
}

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
    if (text->mtime && parse_time(text->mtime, &attributes->mtime) < 0)
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
