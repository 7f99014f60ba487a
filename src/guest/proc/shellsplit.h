/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Splitting a command string into words. */
#ifndef VSRPC_GUEST_PROC_SHELLSPLIT_H
#define VSRPC_GUEST_PROC_SHELLSPLIT_H

#include "util/error.h"
#include "util/text.h"

/*
 * Splits as a POSIX shell does (XCU 2.2 Quoting and 2.6.5 Field Splitting with
 * the default IFS), and does nothing else: no expansion, no pattern, no
 * redirection; such characters are ordinary or refused by policy before.
 *
 * Return: 0 with at least one word appended; STATUS_INVALID_PARAMS with a
 * message for an unclosed quote, a trailing backslash or no word at all;
 * -ENOMEM.
 */
int shell_split(const char *text, struct strlist *words, struct error *err);

#endif
