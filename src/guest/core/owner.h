/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Users and groups by name and by number. */
#ifndef VSRPC_GUEST_CORE_OWNER_H
#define VSRPC_GUEST_CORE_OWNER_H

#include <stdint.h>
#include <sys/types.h>

/* A number, or a name that a data base of the guest knows.  Return: 0 or
 * -ENOENT. */
int owner_id(const char *owner, int64_t *id);
int group_id(const char *group, int64_t *id);

/* Names kept while one answer is made: a folder has few owners, and the data
 * bases are files that are read anew for every question. */
#define OWNER_KEPT 16
#define OWNER_NAME_MAX 256 /* LOGIN_NAME_MAX of Linux */

struct owner_names {
    struct {
        int64_t id;
        char name[OWNER_NAME_MAX];
    } kept[OWNER_KEPT];
    unsigned int n; /* of all that were asked for */
};

/* Zeroed it is empty. */
struct owner_cache {
    struct owner_names users;
    struct owner_names groups;
};

/* Return: the name of a user or group, else its number, until the next
 * question. */
const char *owner_name(struct owner_names *users, uid_t uid);
const char *owner_group(struct owner_names *groups, gid_t gid);

#endif
