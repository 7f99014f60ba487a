/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * No transfer replaces a program that the agent itself would run, nor a link
 * or a folder on the way to one: otherwise whoever may write a file somewhere
 * runs what he likes as root, whatever the list of commands says.
 *
 * Guarded are server.custom_dir with all that is in it, the programs of
 * server.handlers and those of security.allowed_commands; and the agent's own
 * files: its configuration, its key, its logs, which tell of who was there.
 * Where every program may be run, or a shell, there is nothing to guard.
 */
#ifndef VSRPC_GUEST_POLICY_GUARD_H
#define VSRPC_GUEST_POLICY_GUARD_H

#include <stdbool.h>
#include <sys/stat.h>

#include "guest/core/settings.h"
#include "util/error.h"

/*
 * Judges writing to a real, absolute path.  A folder on the way is only a way:
 * what is beside it may be written; tree: it is about the folder itself, and
 * with it all that is in it.  settings NULL: nothing is guarded.
 *
 * Return: 0; STATUS_PERMISSION_DENIED or negative errno with a message.
 */
int guard_check(const struct settings *settings, const char *real, bool tree,
                struct error *err);

/*
 * The same for a file that may have more names than the real one, which the
 * message has.
 *
 * Return: as guard_check().
 */
int guard_check_file(const struct settings *settings, const char *real,
                     const struct stat *file, struct error *err);

/*
 * Judges a mode that a request wants a file (no folder) to have: with set-id
 * bits it is a program that runs as its owner, whoever starts it
 * (security.allow_setid).
 *
 * Return: 0, or STATUS_PERMISSION_DENIED with a message.
 */
int guard_mode(const struct settings *settings, unsigned int mode,
               struct error *err);

#endif
