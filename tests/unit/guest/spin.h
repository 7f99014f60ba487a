/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Turning the agent's loop from a test, until something has happened. */
#ifndef VSRPC_TESTS_SPIN_H
#define VSRPC_TESTS_SPIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "guest/core/loop.h"

/* Longer than anything here takes on a busy machine with sanitizers. */
#define SPIN_MAX_MS 30000

/* Turns the loop until there() says so.  Return: false after
 * SPIN_MAX_MS. */
bool spin_until(struct loop *loop, bool (*there)(void *arg), void *arg);

/* Turns the loop for some time: where nothing is to happen in it, or a time of the
 * agent's own has to pass.  What is to happen is waited for by spin_until(). */
void spin_for(struct loop *loop, int ms);

/* Has this process no child left, not even a zombie? */
bool spin_childless(void *unused);

/* Is there no process in this group any more?  Zombies whose parent is
 * somebody else do not count. */
bool spin_group_gone(pid_t group);

#endif
