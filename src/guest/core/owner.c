/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Names and numbers by getpwnam(3) and its relatives, behind a ring of the
 * last names that were found.
 */
#include <config.h>

#include "guest/core/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#include "util/num.h"

int owner_id(const char *owner, int64_t *id)
{
    struct passwd *entry;

    if (num_parse(owner, 0, UINT32_MAX - 1, id) == 0)
        return 0;
    entry = getpwnam(owner);
    if (!entry)
        return -ENOENT;
    *id = entry->pw_uid;
    return 0;
}

int group_id(const char *group, int64_t *id)
{
    struct group *entry;

    if (num_parse(group, 0, UINT32_MAX - 1, id) == 0)
        return 0;
    entry = getgrnam(group);
    if (!entry)
        return -ENOENT;
    *id = entry->gr_gid;
    return 0;
}

static const char *user_lookup(int64_t id)
{
    const struct passwd *entry = getpwuid((uid_t) id);

    return entry ? entry->pw_name : NULL;
}

static const char *group_lookup(int64_t id)
{
    const struct group *entry = getgrgid((gid_t) id);

    return entry ? entry->gr_name : NULL;
}

/* The oldest one makes room. */
static const char *name_of(struct owner_names *names, int64_t id,
                           const char *(*lookup)(int64_t id))
{
    unsigned int known = names->n < OWNER_KEPT ? names->n : OWNER_KEPT;
    unsigned int slot = names->n % OWNER_KEPT;
    char *kept = names->kept[slot].name;
    const char *name;

    for (unsigned int i = 0; i < known; i++)
        if (names->kept[i].id == id)
            return names->kept[i].name;
    name = lookup(id);
    if (name)
        snprintf(kept, OWNER_NAME_MAX, "%s", name);
    else
        snprintf(kept, OWNER_NAME_MAX, "%lld", (long long) id);
    names->kept[slot].id = id;
    names->n++;
    return kept;
}

const char *owner_name(struct owner_names *users, uid_t uid)
{
    return name_of(users, uid, user_lookup);
}

const char *owner_group(struct owner_names *groups, gid_t gid)
{
    return name_of(groups, gid, group_lookup);
}
