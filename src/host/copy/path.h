/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Names of files as users type them: the last component, and joining two. */
#ifndef VSRPC_HOST_COPY_PATH_H
#define VSRPC_HOST_COPY_PATH_H

/*
 * The last component of a path, for a file of the same name elsewhere.
 *
 * Return: a string that the caller frees; NULL without memory, or when the
 * path names no file ("", "/", "." or "..").
 */
char *path_basename(const char *path);

/* "FOLDER/NAME"; a slash that is there is not doubled.  Return: a string
 * that the caller frees, or NULL. */
char *path_join(const char *folder, const char *name);

#endif
