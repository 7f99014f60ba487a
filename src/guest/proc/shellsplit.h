/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Splitting a command string into words. */
#ifndef VSRPC_GUEST_PROC_SHELLSPLIT_H
#define VSRPC_GUEST_PROC_SHELLSPLIT_H

#include "util/error.h"
#include "util/text.h"

/*
 * Splits as a POSIX shell does (XCU 2.2 Quoting and 2.6.5 Field Splitting with
 * the default IFS), and does nothing else: no redirection, no variable; such
 * characters are ordinary or refused by policy before.  What is left for
 * expand.h is appended to patterns, one for each word: the word with a
 * backslash before whatever was quoted, or "" where there is no pattern and no
 * tilde in it.
 *
 * Return: 0 with at least one word appended; STATUS_INVALID_PARAMS with a
 * message for an unclosed quote or no word at all;
 * STATUS_PAYLOAD_TOO_LARGE above ARGV_MAX words; -ENOMEM.
 */
int shell_split(const char *text, struct strlist *words,
                struct strlist *patterns, struct error *err);

#endif
