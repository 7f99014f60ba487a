/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Copies with a server that knows only the specification, as its data flow for
 * large files draws them.  Used by download.c and upload.c when such a server
 * has been found, and before they have done anything.
 */
#ifndef VSRPC_HOST_COPY_PLAIN_H
#define VSRPC_HOST_COPY_PLAIN_H

#include "host/copy/copy.h"

/* What plain_lacks() calls them. */
#define PLAIN_FOLDERS "folders (--recursive)"

/* Does an error of a copy's first request mean that? */
bool plain_is_wanted(const struct copy *copy, int r);

/*
 * Replaces an error that means that by what does not work with such a server, in
 * the user's words ("--preserve").  Others stay.
 *
 * Return: r.
 */
int plain_lacks(const struct copy *copy, int r, const char *what,
                struct error *err);

/*
 * Copies a file of the guest to a path here: file/info, then file/download in
 * pieces of 64 KiB, and the MD5 of all of them compared with the first's.
 *
 * Return: as download_to().
 */
int plain_download(struct copy *copy, const char *remote, const char *local,
                   struct copy_result *result, struct error *err);

/*
 * Copies the open file fd, called path here, to the guest by one file/upload
 * (which has no pieces), and compares the MD5 that it is answered with.
 *
 * Return: as download_to(); -EFBIG when it is too large for one request.
 */
int plain_upload(struct copy *copy, int fd, const char *path,
                 const char *remote, struct copy_result *result,
                 struct error *err);

#endif
