/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* One file to the guest. */
#ifndef VSRPC_HOST_COPY_UPLOAD_H
#define VSRPC_HOST_COPY_UPLOAD_H

#include "host/copy/copy.h"

/*
 * Copies a file ("-": standard input) to the guest, where remote is its name.
 *
 * Return: as download_to() of download.h.
 */
int upload_from(struct copy *copy, const char *local, const char *remote,
                struct copy_result *result, struct error *err);

/*
 * Copies a file of a folder that is open here; a link is not followed.  path
 * is what messages call it.
 *
 * Return: as download_to() of download.h.
 */
int upload_at(struct copy *copy, int dir, const char *name, const char *path,
              const char *remote, struct copy_result *result,
              struct error *err);

#endif
