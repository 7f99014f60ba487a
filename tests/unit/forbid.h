/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* System calls that fail where they really would not. */
#ifndef VSRPC_TESTS_FORBID_H
#define VSRPC_TESTS_FORBID_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/syscall.h>

#ifndef SYS_renameat /* newer architectures have the second only */
#define SYS_renameat SYS_renameat2
#endif

/*
 * Makes a system call fail from here on, or kill its caller: always, or only
 * when one of its arguments has some bits.
 *
 * Return: false where the kernel does not let us.
 */
bool forbid(int number, int argument, unsigned int bits, unsigned int how);

/* Both ways of keeping a file out of sight: way 1 is a file system that knows
 * no files without a name.  Return: as forbid(). */
bool forbid_unnamed(int way);

#endif
