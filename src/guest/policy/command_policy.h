/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Which programs may be run.  The allow-list is matched on the program that
 * would really run: its path after the search, never a name that a request
 * could point elsewhere with PATH or a link.
 */
#ifndef VSRPC_GUEST_POLICY_COMMAND_POLICY_H
#define VSRPC_GUEST_POLICY_COMMAND_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"
#include "util/text.h"

/* Where programs are looked for, and what commands get as PATH. */
#define COMMAND_PATH \
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Is dir, of n bytes, one of the folders of COMMAND_PATH? */
bool command_path_has(const char *dir, size_t n);

/*
 * Refuses the characters that the specification forbids in a command string.
 * They guard the string form only; an argument vector meets no shell.
 *
 * Return: 0 or STATUS_PERMISSION_DENIED with a message.
 */
int command_check_string(const char *command, struct error *err);

/*
 * Decides whether a program may run and finds its path.  allowed holds names
 * (any folder of COMMAND_PATH) and absolute paths; "*" allows everything.
 * search is the PATH of the request, used only where everything is allowed.
 *
 * Return: 0 with *path to be freed; STATUS_PERMISSION_DENIED or
 * STATUS_CMD_NOT_FOUND with a message; -ENOMEM.
 */
int command_resolve(const struct strlist *allowed, const char *program,
                    const char *search, char **path, struct error *err);

/*
 * Finds the entry of the allow-list for a name: the name, or its path in a
 * folder of COMMAND_PATH.
 *
 * Return: the entry, or name where everything is allowed; NULL with a message.
 */
const char *command_listed(const struct strlist *allowed, const char *name,
                           struct error *err);

/*
 * Finds a program that the agent itself needs; no policy applies.
 *
 * Return: as command_resolve(), without STATUS_PERMISSION_DENIED.
 */
int program_find(const char *program, char **path, struct error *err);

#endif
