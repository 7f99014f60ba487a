/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Parses mode, owner and time, and sets them, the mode after the owner, because
 * chown(2) clears the set-id bits.
 */
#include <config.h>

#include "guest/file/attributes.h"

#include <errno.h>
#include <sys/stat.h>

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

int attributes_apply(const struct attributes *attributes,
                     const struct opath *file, const char *path,
                     struct error *err)
{
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                                       attributes->mtime };
    int r = 0;

    if (attributes->uid != ID_KEEP || attributes->gid != ID_KEEP)
        r = opath_chown(file, (uid_t) attributes->uid,
                        (gid_t) attributes->gid);
    if (r < 0)
        return error_errno(err, r, "owner of '%s'", path);
    /* After the owner: changing that clears the set-id bits. */
    r = attributes->has_mode ? opath_chmod(file, attributes->mode) : 0;
    if (r < 0)
        return error_errno(err, r, "mode of '%s'", path);
    r = attributes->has_mtime ? opath_utimens(file, times) : 0;
    return r < 0 ? error_errno(err, r, "time of '%s'", path) : 0;
}
