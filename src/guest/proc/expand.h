/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What a shell does to the words of a command before it runs it, as far as it
 * is done here: a tilde becomes a home, a pattern the names that it matches.
 * Patterns are those of shell_split().
 */
#ifndef VSRPC_GUEST_PROC_EXPAND_H
#define VSRPC_GUEST_PROC_EXPAND_H

#include <stdbool.h>
#include <stdint.h>

#include "util/text.h"

/* Tells whether names may have to be looked for: an unquoted * or ?, or a
 * '[' that is closed. */
bool pattern_is_glob(const char *pattern);

/*
 * The word of a pattern of which nothing is looked for: with its tilde
 * expanded, and without the backslashes.  home is what '~' becomes, NULL
 * leaves it as it is; that of '~user' is asked of the system.
 *
 * Return: 0 with *word to be freed, or -ENOMEM.
 */
int expand_tilde(const char *pattern, const char *home, char **word);

/*
 * Expands the words of a command (XCU 2.6.1 and 2.13.3): argv, and a pattern
 * for each, "" where the word stays as it is.  Files are looked for from the
 * current folder with the rights of the process, and their names are bytes and
 * sorted as such.  A pattern that matches nothing stays as it is, and a folder
 * that cannot be read has nothing that matches.  It may be where nothing
 * answers, too: for a process that can be killed.
 *
 * Return: 0 with all words appended to words, fit for execve(2); -E2BIG above
 * ARGV_MAX words or EXPAND_MAX bytes; -ETIMEDOUT behind the deadline; -ENOMEM,
 * -EMFILE or -ENFILE.
 */
int expand(const struct strlist *patterns, char *const *argv, const char *home,
           int64_t deadline, struct strlist *words);

#endif
