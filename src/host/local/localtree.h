/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A tree of local files by descriptors.  A name is always one component below
 * an open folder, and no symbolic link is ever followed, so that whoever
 * chooses the names, or swaps what they stand for, cannot lead out.
 */
#ifndef VSRPC_HOST_LOCAL_LOCALTREE_H
#define VSRPC_HOST_LOCAL_LOCALTREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "util/error.h"
#include "util/text.h"

/* Folders in folders; a path of PATH_MAX bytes has no more names of 30. */
#define TREE_DEPTH_MAX 128

/* What is done with the process's umask, which can only be read by setting
 * it.  Return: it. */
mode_t localtree_umask(void);

/*
 * Opens a folder below another, and makes it when it is not there (created:
 * set to whether it was), with at least the rights that we need, and without
 * set-id bits.
 *
 * Return: the descriptor; negative errno with a message; -ELOOP for a
 * symbolic link.
 */
int localtree_make(int dir, const char *name, mode_t mode, bool *created,
                   struct error *err);

/* Opens a folder below another.  Return: as localtree_make(). */
int localtree_enter(int dir, const char *name, struct error *err);

/*
 * Makes a symbolic link; a file or link that is there is replaced, if
 * replace says so.
 *
 * Return: 0; negative errno with a message; -EEXIST.
 */
int localtree_link(int dir, const char *name, const char *target, bool replace,
                   struct error *err);

/* Sets the time of last change of what name is below dir, of a link its own.
 * Return: 0 or negative errno with a message. */
int localtree_time(int dir, const char *name, int64_t seconds, long ns,
                   struct error *err);

/*
 * The names in an open folder, sorted, without "." and "..".
 *
 * Return: 0; negative errno with a message; -EMSGSIZE when there are more
 * than a million.
 */
int localtree_names(int dir, const char *path, struct strlist *names,
                    struct error *err);

/*
 * Where a link leads to.
 *
 * Return: a string that the caller frees; NULL with a message.
 */
char *localtree_target(int dir, const char *name, struct error *err);

/* "a socket", for what is neither file, folder nor link. */
const char *localtree_kind(mode_t mode);

#endif
