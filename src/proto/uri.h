/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Percent-encoding and queries (RFC 3986). */
#ifndef VSRPC_PROTO_URI_H
#define VSRPC_PROTO_URI_H

#include <stddef.h>

#include "util/buf.h"

/*
 * Appends text with everything percent-encoded that is not unreserved or '/'
 * (which a query may hold; paths stay readable).
 *
 * Return: as buf_append().
 */
int uri_encode(struct buf *out, const char *text);

/*
 * Decodes n bytes of percent-encoded text.  '+' is itself: these are paths,
 * not forms.
 *
 * Return: 0 with *decoded a string that the caller frees; -EINVAL for a
 * broken escape or an encoded NUL; -ENOMEM.
 */
int uri_decode(const char *text, size_t n, char **decoded);

/*
 * Finds name=value in the query of a request target and decodes the value.
 *
 * Return: 0 with *value a string that the caller frees; -ENOENT when the
 * query has no such name; -EINVAL when it is there twice, without '=' or broken;
 * -ENOMEM.
 */
int uri_query(const char *target, const char *name, char **value);

#endif
