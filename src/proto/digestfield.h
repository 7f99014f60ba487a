/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The Content-Digest field (RFC 9530): "md5=:BASE64:" or
 * "sha-256=:BASE64:". */
#ifndef VSRPC_PROTO_DIGESTFIELD_H
#define VSRPC_PROTO_DIGESTFIELD_H

#include "util/crypto.h"

#define DIGESTFIELD_MAX 80

/* The words that queries and options use: "md5" and "sha256".  Return: 0 with
 * the kind, or -EINVAL. */
int digest_kind_of(const char *word, enum digest_kind *kind);

/* All of them, by kind, and NULL behind them. */
extern const char *const digest_words[];

/* Return: the word of a kind. */
const char *digest_word(enum digest_kind kind);

/* Writes the field's value for a digest in hex.  Return: 0 or -ENOMEM. */
int digestfield_write(enum digest_kind kind, const char *hex,
                      char field[DIGESTFIELD_MAX]);

/*
 * Finds a digest in a field's value, which may be NULL and have others in it.
 *
 * Return: 0 with it in lower-case hex; -ENOENT when it is not there; -EBADMSG
 * when it is none.
 */
int digestfield_find(const char *field, enum digest_kind kind,
                     char hex[DIGEST_HEX_MAX]);

#endif
