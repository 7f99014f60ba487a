/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Writing a whole file system to its disk. */
#ifndef VSRPC_UTIL_FSSYNC_H
#define VSRPC_UTIL_FSSYNC_H

#include <stdbool.h>

/*
 * Writes what is not on the disk yet of the file system that a descriptor is
 * on; of all of them where the kernel cannot do less.  May take long.
 *
 * Return: 0 or negative errno.
 */
int fssync(int fd);

/* Can the kernel do it for one file system? */
bool fssync_single(void);

#endif
