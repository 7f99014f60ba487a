/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Can a user run a program?  Asked before anybody wants it run. */
#ifndef VSRPC_GUEST_PROC_RUNNABLE_H
#define VSRPC_GUEST_PROC_RUNNABLE_H

#include "guest/proc/user.h"
#include "util/error.h"

/*
 * Looks whether a user (NULL: the agent's) may execute a program, and then
 * what its "#!" names, as execve(2) follows it.  A process is made for the
 * user's rights, and waited for.
 *
 * Return: 0; -EACCES, -ENOENT and what else access(2) says, or -ENOEXEC, with
 * a message; negative errno when it could not be found out.
 */
int runnable(const struct user *user, const char *program, struct error *err);

#endif
