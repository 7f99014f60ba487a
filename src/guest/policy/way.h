/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The way to a file: every folder and every link that is met when its path is
 * followed.  Whoever can replace one of them says what is at its end.
 */
#ifndef VSRPC_GUEST_POLICY_WAY_H
#define VSRPC_GUEST_POLICY_WAY_H

#include <limits.h>
#include <sys/stat.h>

/*
 * Is told of a name on the way, by its path without links; st is NULL where
 * nothing is there.
 *
 * Return: 0: on with it.
 */
typedef int way_visit(void *arg, const char *real, const struct stat *st);

/*
 * Follows an absolute path from the root on, link by link.  What is missing
 * is followed by its name.
 *
 * Return: 0 with real, where it ends; what visit returned when that was not 0;
 * -ELOOP, -ENAMETOOLONG and what else readlink(2) says.
 */
int way_walk(const char *path, way_visit *visit, void *arg,
             char real[PATH_MAX]);

/*
 * Makes sure that nobody but root and the agent's user can replace what is at
 * the end of an absolute path, or put something beside it: none of the folders
 * on the way may be another's, or written to by others.  In a sticky one nobody
 * can replace what is another's: that is enough for a folder in it.
 *
 * Return: 0; -EPERM with bad, the folder; otherwise as way_walk().
 */
int way_check(const char *path, char bad[PATH_MAX]);

#endif
