/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The agent's own file operations with the rights of a user: its number, its
 * groups, and none of root's capabilities.
 *
 * Between as_user_begin() and as_user_end() the kernel judges every file as it
 * would for that user, quotas and the blocks kept for root included, and a
 * worker that is started there stays so for its life.  Descriptors that are
 * open already are not judged again.
 */
#ifndef VSRPC_GUEST_PROC_AS_USER_H
#define VSRPC_GUEST_PROC_AS_USER_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "guest/proc/user.h"
#include "util/error.h"

/* What the agent was before. */
struct as_user {
    bool begun;
    gid_t gid;
    gid_t *groups; /* owned */
    size_t n_groups;
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
};

/*
 * Takes the rights of a user; user NULL: nothing is changed.  An agent that
 * is not root can only act as itself.
 *
 * Return: 0; STATUS_PERMISSION_DENIED or negative errno with a message, and
 * then nothing has changed.  as_user_end() in either case.
 */
int as_user_begin(struct as_user *before, const struct user *user,
                  struct error *err);

/* Gives them back.  There is no going on where that fails: the process ends
 * then. */
void as_user_end(struct as_user *before);

#endif
