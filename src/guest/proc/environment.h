/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The environment that commands start with: small, fixed, and what people
 * expect of a login. */
#ifndef VSRPC_GUEST_PROC_ENVIRONMENT_H
#define VSRPC_GUEST_PROC_ENVIRONMENT_H

#include "guest/proc/user.h"
#include "util/text.h"

/* Appends NAME=VALUE.  Return: 0 or -ENOMEM. */
int environment_add(struct strlist *env, const char *name, const char *value);

/* Appends PATH, HOME, USER, LOGNAME, SHELL and LANG of a user.  Return: 0 or
 * -ENOMEM. */
int environment_user(struct strlist *env, const struct user *user);

/* The same for the user that the agent runs as.  Return: likewise. */
int environment_base(struct strlist *env);

/* Appends copies of all entries.  Return: 0 or -ENOMEM. */
int environment_copy(struct strlist *env, const struct strlist *from);

/* Removes entries that a later one of the same name replaces.  Return: 0. */
int environment_merge(struct strlist *env);

/* The value of a name, the last one counts; NULL when it is not there. */
const char *environment_get(const struct strlist *env, const char *name);

#endif
