/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A look at an entry of a folder that changes nothing. */
#ifndef VSRPC_UTIL_PEEK_H
#define VSRPC_UTIL_PEEK_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * As fstatat(2) for the entry itself, not what a link points to; a place where
 * something is mounted on demand stays as it is, where the kernel knows how.
 *
 * Return: 0 or negative errno.
 */
int peek(int dir, const char *name, struct stat *st);

/* Does the kernel know how? */
bool peek_mounts_nothing(void);

#endif
