/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * setfsuid(2) and its relatives, which are about files alone: with the
 * effective number changed instead, the user's own programs could lower the
 * priority of the agent for good (sched_setscheduler(2) asks for that number).
 * setfsuid(2) drops what capabilities are about files; those that lift quotas
 * and the like go with the others.
 */
#include <config.h>

#include "guest/proc/as_user.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/status.h"

static int caps_call(long number, const struct __user_cap_data_struct *caps)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };

    return syscall(number, &header, caps) < 0 ? -errno : 0;
}

/* They tell no errors, only what was before (setfsuid(2)). */
static int take_uid(uid_t uid)
{
    setfsuid(uid);
    return (uid_t) setfsuid((uid_t) -1) == uid ? 0 : -EPERM;
}

static int take_gid(gid_t gid)
{
    setfsgid(gid);
    return (gid_t) setfsgid((gid_t) -1) == gid ? 0 : -EPERM;
}

static int take_no_caps(const struct as_user *before)
{
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        caps[i] = before->caps[i];
        caps[i].effective = 0;
    }
    return caps_call(SYS_capset, caps);
}

static int remember(struct as_user *before)
{
    int n = getgroups(0, NULL);
    int r;

    if (n < 0)
        return -errno;
    before->groups = calloc((size_t) n + 1, sizeof(*before->groups));
    if (!before->groups)
        return -ENOMEM;
    n = getgroups(n, before->groups);
    if (n < 0)
        return -errno;
    before->n_groups = (size_t) n;
    before->gid = (gid_t) setfsgid((gid_t) -1);
    r = caps_call(SYS_capget, before->caps);
    before->begun = r == 0;
    return r;
}

static int take(const struct as_user *before, const struct user *user)
{
    int r = user_take_groups(user) < 0 ? -errno : 0;

    if (r == 0)
        r = take_gid(user->gid);
    if (r == 0)
        r = take_uid(user->uid);
    if (r == 0 && user->uid != 0)
        r = take_no_caps(before);
    return r;
}

int as_user_begin(struct as_user *before, const struct user *user,
                  struct error *err)
{
    int r;

    *before = (struct as_user) { .begun = false };
    if (!user)
        return 0;
    if (geteuid() != 0)
        return user->uid == geteuid() && user->gid == getegid()
                   ? 0
                   : error_set(err, STATUS_PERMISSION_DENIED,
                               "the agent is not root: it cannot act as '%s'",
                               user->name);
    r = remember(before);
    if (r == 0)
        r = take(before, user);
    if (r == 0)
        return 0;
    as_user_end(before);
    return error_errno(err, r, "acting as '%s'", user->name);
}

/* The number first, for which nothing is needed: it is that of the process. */
void as_user_end(struct as_user *before)
{
    const struct user groups = { .groups = before->groups,
                                 .n_groups = before->n_groups };

    if (before->begun
        && (take_uid(geteuid()) < 0 || take_gid(before->gid) < 0
            || caps_call(SYS_capset, before->caps) < 0
            || user_take_groups(&groups) < 0))
        abort(); /* whoever was served next would be served wrongly */
    free(before->groups);
    *before = (struct as_user) { .begun = false };
}
