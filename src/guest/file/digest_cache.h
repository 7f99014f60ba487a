/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Digests of files that were made lately, as they came or as they were sent: a
 * file that goes out again unchanged is not digested once more, which is most
 * of what sending it costs.
 *
 * A change that the validator does not show (a file that is mapped) makes no
 * wrong copy pass: whoever compares what he got with a digest finds it to be
 * what was digested, or something else.
 */
#ifndef VSRPC_GUEST_FILE_DIGEST_CACHE_H
#define VSRPC_GUEST_FILE_DIGEST_CACHE_H

#include <stdint.h>

#include "guest/file/etag.h"
#include "util/crypto.h"

#define DIGEST_CACHE_MAX 64

struct digest_entry {
    char etag[ETAG_MAX]; /* "": free */
    enum digest_kind kind;
    char hex[DIGEST_HEX_MAX];
    uint64_t used;
};

struct digest_cache {
    struct digest_entry items[DIGEST_CACHE_MAX];
    uint64_t clock; /* counts what was asked for */
};

/* Notes the digest of a whole file; the one unused longest is forgotten. */
void digest_cache_add(struct digest_cache *cache, const char *etag,
                      enum digest_kind kind, const char *hex);

/* Return: the digest of the file with that validator, valid until the next
 * digest_cache_add(); NULL when it is not known. */
const char *digest_cache_find(struct digest_cache *cache, const char *etag,
                              enum digest_kind kind);

#endif
