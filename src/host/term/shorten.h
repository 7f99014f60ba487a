/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Names that have to fit into a line of a terminal. */
#ifndef VSRPC_HOST_TERM_SHORTEN_H
#define VSRPC_HOST_TERM_SHORTEN_H

#include "util/buf.h"

/*
 * Appends a name in at most so many columns: a longer one loses its middle
 * ("disk-of-...ver.img"; without room for any of it, it is left out).  Control
 * characters and what is not UTF-8 appear as \xNN.  A character counts two
 * columns when it may have two: on no terminal the name is wider.
 *
 * Return: the columns that were counted, or negative errno as buf_append().
 */
int shorten_name(struct buf *text, const char *name, int columns);

#endif
