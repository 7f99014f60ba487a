/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Names of files as a person may see them. */
#ifndef VSRPC_HOST_TERM_QUOTE_H
#define VSRPC_HOST_TERM_QUOTE_H

#include <stdbool.h>

#include "util/buf.h"

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

/* "drwxr-xr-t" of a type's letter and a mode. */
void mode_words(char letter, unsigned int mode, char text[11]);

#endif
