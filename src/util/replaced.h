/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What a file that is replaced leaves to the one that takes its place, as if
 * it had been written to: owner, group, ACL, extended attributes, security
 * label, mode.
 *
 * Not what vouches for the old content: the set-user-ID and set-group-ID bits,
 * file capabilities, and the kernel's sums.  A write(2) takes them away as
 * well, the bits only from others than root; but the agent is root, and who
 * sends the content need not be the one who trusted the old one.
 */
#ifndef VSRPC_UTIL_REPLACED_H
#define VSRPC_UTIL_REPLACED_H

/*
 * Gives fd, a new file of ours, what the regular file under a name of a folder
 * has, but for its mode, which chmod(2) has to give last.  An owner that we may
 * not give, and attributes that only others may set, are left out; an ACL is
 * not, because without it the mode means something else.
 *
 * Return: the mode without its set-id bits; -ENOENT when no regular file is
 * there; negative errno.
 */
int replaced_leave(int dir, const char *name, int fd);

#endif
