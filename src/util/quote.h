/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Names of files as a person may see them, and as a shell takes them. */
#ifndef VSRPC_UTIL_QUOTE_H
#define VSRPC_UTIL_QUOTE_H

#include "util/buf.h"
#include "util/error.h"

/*
 * Appends a name: as it is when that steers no terminal, else as $'…' with
 * escapes, which a shell takes for the same name.  Bytes that are not UTF-8
 * are escaped, too: an old terminal takes some of them for control
 * characters.
 *
 * Return: as buf_append().
 */
int quote_name(struct buf *text, const char *name);

/* Appends a word of a command line as a shell takes it.  Return: as
 * quote_name(). */
int quote_word(struct buf *text, const char *word);

/*
 * Adds the next step to an error that is already set, as a line to be pasted into
 * a shell: format knows only %s, and each of them becomes one word, whatever is in
 * it.  A line that is too long for a hint is left out: half of one may do harm.
 */
void quote_hint(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
