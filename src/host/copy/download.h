/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* One file from the guest. */
#ifndef VSRPC_HOST_COPY_DOWNLOAD_H
#define VSRPC_HOST_COPY_DOWNLOAD_H

#include "host/copy/copy.h"

/*
 * Copies a file of the guest to a path here ("-": standard output).
 *
 * Return: 0; the agent's business code (positive) with a message; negative
 * errno.
 */
int download_to(struct copy *copy, const char *remote, const char *local,
                struct copy_result *result, struct error *err);

/* As download_to(), of a file of which a listing (or nobody: NULL) has told, to
 * exactly that path, also when it is a folder's. */
int download_known(struct copy *copy, const char *remote,
                   const struct remote_entry *known, const char *local,
                   struct copy_result *result, struct error *err);

/*
 * Copies a file of the guest into a folder that is open here.  known is what a
 * listing said of it, or NULL; path is what messages call the copy.
 *
 * Return: as download_to().
 */
int download_at(struct copy *copy, const char *remote,
                const struct remote_entry *known, int dir, const char *name,
                const char *path, struct copy_result *result,
                struct error *err);

#endif
