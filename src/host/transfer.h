/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What copying in both directions has in common. */
#ifndef VSRPC_HOST_TRANSFER_H
#define VSRPC_HOST_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/client.h"

/* What the agent says about a file. */
struct remote_info {
    bool exists;
    char type[16]; /* "file", "directory", … */
    int64_t size;
    char md5[33];  /* "" when there is none */
};

/*
 * Asks for a file's metadata.
 *
 * Return: 0; the agent's business code with a message; negative errno.
 */
int transfer_info(struct client *client, const char *path,
                  struct remote_info *info, struct error *err);

/*
 * The last component of a path, for a file of the same name elsewhere.
 *
 * Return: a string that the caller frees; NULL without memory, or when the
 * path names no file ("", "/", "." or "..").
 */
char *transfer_basename(const char *path);

/* "FOLDER/NAME"; a slash that is there is not doubled.  Return: a string
 * that the caller frees, or NULL. */
char *transfer_join(const char *folder, const char *name);

#endif
