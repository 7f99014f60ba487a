/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The validator of a file's content (RFC 9110 section 8.8.3): another one
 * whenever the content may be another.
 */
#ifndef VSRPC_GUEST_FILE_ETAG_H
#define VSRPC_GUEST_FILE_ETAG_H

#include <stdbool.h>
#include <sys/stat.h>

#define ETAG_MAX 80

/* Writes the tag, with its quotes. */
void etag_make(const struct stat *st, char etag[ETAG_MAX]);

/*
 * Is a tag in an If-Match or If-None-Match field?  "*" is any file.
 *
 * Return: true when it is; an etag of NULL stands for a file that is not
 * there.
 */
bool etag_listed(const char *field, const char *etag);

#endif
