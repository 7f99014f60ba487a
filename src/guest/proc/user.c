/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Looks a user up before the process is made, and changes the ids after that
 * with bare system calls: the C library's functions would signal other
 * threads, which is not allowed after vfork(2).
 */
#include <config.h>

#include "guest/proc/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/status.h"
#include "util/cleanup.h"
#include "util/num.h"

#define GROUPS_FIRST 32 /* few users are in more */

static int number_of(const char *text, int64_t *number)
{
    return num_parse(text, 0, UINT32_MAX - 1, number);
}

/* --- looking up ----------------------------------------------------------- */

static char *copy_of(const char *text, const char *otherwise)
{
    return strdup(text && *text ? text : otherwise);
}

/* entry NULL: nobody has the number. */
static int take_entry(struct user *user, const struct passwd *entry,
                      const char *name)
{
    user->name = copy_of(entry ? entry->pw_name : NULL, name);
    user->home = copy_of(entry ? entry->pw_dir : NULL, "/");
    user->shell = copy_of(entry ? entry->pw_shell : NULL, "/bin/sh");
    if (!user->name || !user->home || !user->shell)
        return -ENOMEM;
    if (entry) {
        user->uid = entry->pw_uid;
        user->gid = entry->pw_gid;
    }
    return 0;
}

static int find_self(struct user *user)
{
    user->uid = geteuid();
    user->gid = getegid();
    return take_entry(user, getpwuid(user->uid), "root");
}

static int find_number(struct user *user, uid_t uid, const char *name,
                       const char *group, struct error *err)
{
    const struct passwd *entry = getpwuid(uid);

    if (!entry && !group)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "no user has the number %s: 'group' is needed with "
                         "it",
                         name);
    user->uid = uid;
    return take_entry(user, entry, name);
}

static int find_user(struct user *user, const char *name, const char *group,
                     struct error *err)
{
    const struct passwd *entry;
    int64_t number;

    if (!name)
        return find_self(user);
    if (number_of(name, &number) == 0)
        return find_number(user, (uid_t) number, name, group, err);
    entry = getpwnam(name);
    if (!entry)
        return error_set(err, STATUS_INVALID_PARAMS, "no such user: '%s'",
                         name);
    return take_entry(user, entry, name);
}

static int find_group(struct user *user, const char *group, struct error *err)
{
    const struct group *entry;
    int64_t number;

    if (!group)
        return 0;
    if (number_of(group, &number) == 0) {
        user->gid = (gid_t) number;
        return 0;
    }
    entry = getgrnam(group);
    if (!entry)
        return error_set(err, STATUS_INVALID_PARAMS, "no such group: '%s'",
                         group);
    user->gid = entry->gr_gid;
    return 0;
}

/* What initgroups(3) would give the process, which may not ask itself. */
static int find_groups(struct user *user)
{
    int n = GROUPS_FIRST;

    for (;;) {
        int room = n;
        gid_t *groups = realloc(user->groups, (size_t) room * sizeof(*groups));

        if (!groups)
            return -ENOMEM;
        user->groups = groups;
        if (getgrouplist(user->name, user->gid, groups, &n) >= 0)
            break;
        if (n <= room) /* it does not say how many */
            n = room * 2;
    }
    user->n_groups = (size_t) n;
    return 0;
}

int user_find(struct user *user, const char *name, const char *group,
              struct error *err)
{
    int r = find_user(user, name, group, err);

    if (r == 0)
        r = find_group(user, group, err);
    if (r == 0)
        r = find_groups(user);
    return r;
}

int user_find_text(struct user *user, const char *text, struct error *err)
{
    AUTO_FREE char *name = strdup(text);
    char *group = name ? strchr(name, ':') : NULL;

    if (!name)
        return -ENOMEM;
    if (group)
        *group++ = '\0';
    if (!*name || (group && !*group))
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'user' is not USER or USER:GROUP: '%s'", text);
    return user_find(user, name, group, err);
}

bool user_has_group(const struct user *user, gid_t gid)
{
    for (size_t i = 0; i < user->n_groups; i++)
        if (user->groups[i] == gid)
            return true;
    return false;
}

const char *user_power(const struct user *user)
{
    static const char *const groups[] = { "disk", "kmem", "shadow" };

    if (user_has_group(user, 0))
        return "root";
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        const struct group *entry = getgrnam(groups[i]);

        if (entry && user_has_group(user, entry->gr_gid))
            return groups[i];
    }
    return NULL;
}

void user_free(struct user *user)
{
    free(user->name);
    free(user->home);
    free(user->shell);
    free(user->groups);
    *user = (struct user) { .name = NULL };
}

/* --- becoming the user ---------------------------------------------------- */

/* The C library's functions would do the same to other threads first, of which
 * a process that borrows its memory has none.  Some 32-bit systems have an old
 * call for short numbers besides. */
#ifdef SYS_setgroups32
#define SETGROUPS SYS_setgroups32
#define SETRESGID SYS_setresgid32
#define SETRESUID SYS_setresuid32
#else
#define SETGROUPS SYS_setgroups
#define SETRESGID SYS_setresgid
#define SETRESUID SYS_setresuid
#endif

int user_take_groups(const struct user *user)
{
    return (int) syscall(SETGROUPS, user->n_groups, user->groups);
}

int user_take_group(const struct user *user)
{
    return (int) syscall(SETRESGID, user->gid, user->gid, user->gid);
}

int user_take_id(const struct user *user)
{
    return (int) syscall(SETRESUID, user->uid, user->uid, user->uid);
}
