/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A user that a program runs as. */
#ifndef VSRPC_GUEST_PROC_USER_H
#define VSRPC_GUEST_PROC_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

struct user {
    char *name;
    char *home;
    char *shell;
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* all, with gid */
    size_t n_groups;
};

/*
 * Looks up a user and a group, each by name or number.  name NULL is the user
 * that the agent runs as, group NULL the user's own.  user is zeroed before,
 * and freed by the caller in either case.
 *
 * Return: 0; STATUS_INVALID_PARAMS with a message when there is none, or when
 * a number that is nobody's comes without a group; -ENOMEM.
 */
int user_find(struct user *user, const char *name, const char *group,
              struct error *err);

/*
 * As user_find(), from "USER" or "USER:GROUP".
 *
 * Return: as user_find(); STATUS_INVALID_PARAMS as well for an empty name.
 */
int user_find_text(struct user *user, const char *text, struct error *err);

bool user_has_group(const struct user *user, gid_t gid);

/*
 * The first of a user's groups that is as good as root to whoever may read:
 * root's own, and those of the disks, the memory and the passwords.
 *
 * Return: its name; NULL: there is none.
 */
const char *user_power(const struct user *user);

void user_free(struct user *user);

/*
 * Steps of a new process on its way to the user, in this order.  They make
 * system calls and nothing else: the memory may be the agent's.
 *
 * Return: 0, or -1 with errno.
 */
int user_take_groups(const struct user *user);
int user_take_group(const struct user *user);
int user_take_id(const struct user *user);

#endif
