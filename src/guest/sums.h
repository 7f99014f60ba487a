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
#ifndef VSRPC_GUEST_SUMS_H
#define VSRPC_GUEST_SUMS_H

#include <stdint.h>

#include "guest/etag.h"
#include "util/crypto.h"

#define SUMS_MAX 64

struct sum {
    char etag[ETAG_MAX]; /* "": free */
    enum digest_kind kind;
    char hex[DIGEST_HEX_MAX];
    uint64_t used;
};

struct sums {
    struct sum sums[SUMS_MAX];
    uint64_t clock; /* counts what was asked for */
};

/* Notes the digest of a whole file; the one unused longest is forgotten. */
void sums_note(struct sums *sums, const char *etag, enum digest_kind kind,
               const char *hex);

/* Return: the digest of the file with that validator, valid until the next
 * sums_note(); NULL when it is not known. */
const char *sums_find(struct sums *sums, const char *etag,
                      enum digest_kind kind);

#endif
