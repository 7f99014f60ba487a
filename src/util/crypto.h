/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Digests, HMAC, base64 and random bytes: the only door to libcrypto.
 */
#ifndef VSRPC_UTIL_CRYPTO_H
#define VSRPC_UTIL_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

#define DIGEST_MAX 32                       /* bytes of the longest, SHA-256 */
#define DIGEST_HEX_MAX (2 * DIGEST_MAX + 1) /* as lower-case hex with a NUL */

#define MD5_HEX 32
#define SHA256_HEX 64

enum digest_kind {
    DIGEST_MD5, /* RFC 1321: what the specification names; finds accidents */
    DIGEST_SHA256, /* FIPS 180-4: for signatures */
};

/* A digest in the making; opaque, owned by whoever called digest_new(). */
struct digest;

/*
 * Starts a digest.
 *
 * Return: the object, to be freed with digest_free(); NULL without memory or
 * when libcrypto does not offer the kind (MD5 under a FIPS policy).
 */
struct digest *digest_new(enum digest_kind kind);

/* Copies a digest in the making.  Return: as digest_new(). */
struct digest *digest_copy(const struct digest *digest);

/* Takes n more bytes. */
void digest_update(struct digest *digest, const void *bytes, size_t n);

/*
 * Ends the digest and writes it as lower-case hex with a NUL.  The object can
 * only be freed afterwards.
 */
void digest_hex(struct digest *digest, char hex[DIGEST_HEX_MAX]);

/* Frees; NULL is allowed. */
void digest_free(struct digest *digest);

/* For variables with the CLEANUP attribute. */
void digest_cleanup(struct digest **digest);

/*
 * Digests n bytes at once into lower-case hex.
 *
 * Return: 0 or -ENOMEM.
 */
int digest_bytes(enum digest_kind kind, const void *bytes, size_t n,
                 char hex[DIGEST_HEX_MAX]);

/*
 * Digests what a descriptor holds from offset 0 up to n bytes, with pread(2).
 *
 * Return: the bytes digested (fewer than n when the file is shorter), or
 * negative errno.
 */
int64_t digest_file(enum digest_kind kind, int fd, int64_t n,
                    char hex[DIGEST_HEX_MAX]);

/* As digest_file(), of n bytes from first on. */
int64_t digest_span(enum digest_kind kind, int fd, int64_t first, int64_t n,
                    char hex[DIGEST_HEX_MAX]);

/*
 * HMAC-SHA256 (RFC 2104) as lower-case hex.
 *
 * Return: 0 or -ENOMEM.
 */
int hmac_sha256_hex(const void *key, size_t key_len, const void *bytes,
                    size_t n, char hex[DIGEST_HEX_MAX]);

/* Compares n bytes in a time that does not depend on them. */
bool crypto_equal(const void *a, const void *b, size_t n);

/* Overwrites a secret that nobody needs any more, whatever the compiler makes of
 * that (glibc has explicit_bzero(3) from 2.25 on). */
void crypto_wipe(void *bytes, size_t n);

/* Writes n random bytes as 2 n hex digits and a NUL.  Return: 0 or -EIO. */
int crypto_random_hex(char *hex, size_t n);

/* Appends n bytes as base64 (RFC 4648 section 4, padded, one line).
 * Return: as buf_append(). */
int base64_encode(struct buf *into, const void *bytes, size_t n);

/*
 * Decodes strict base64: padded, no blanks, nothing behind the end, no bits
 * set that the padding cuts off.
 *
 * Return: 0, -EINVAL when it is not base64, or as buf_append().
 */
int base64_decode(struct buf *into, const char *text, size_t n);

#endif
