/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Random bytes of the kernel. */
#ifndef VSRPC_UTIL_RANDOM_H
#define VSRPC_UTIL_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

#define RANDOM_MAX 256 /* bytes at once: getrandom(2) gives them whole */

/*
 * Fills in up to RANDOM_MAX random bytes.
 *
 * Return: 0 or negative errno.
 */
int random_bytes(void *bytes, size_t n);

/* Does the kernel have getrandom(2), which waits until there is something to
 * make random numbers of? */
bool random_waits(void);

#endif
