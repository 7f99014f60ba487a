/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Calls of libcrypto (EVP, HMAC).  Base64 is checked here first:
 * EVP_DecodeBlock() allows blanks around it and stray bits before the padding.
 */
#include <config.h>

#include "util/crypto.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/random.h"

#define FILE_STEP (256 * 1024) /* per read: past this no faster, measured */

struct digest {
    EVP_MD_CTX *ctx;
};

static const EVP_MD *digest_md(enum digest_kind kind)
{
    return kind == DIGEST_MD5 ? EVP_md5() : EVP_sha256();
}

struct digest *digest_new(enum digest_kind kind)
{
    struct digest *digest = calloc(1, sizeof(*digest));

    if (!digest)
        return NULL;
    digest->ctx = EVP_MD_CTX_new();
    if (!digest->ctx
        || EVP_DigestInit_ex(digest->ctx, digest_md(kind), NULL) != 1) {
        digest_free(digest);
        return NULL;
    }
    return digest;
}

struct digest *digest_copy(const struct digest *digest)
{
    struct digest *copy = calloc(1, sizeof(*copy));

    if (!copy)
        return NULL;
    copy->ctx = EVP_MD_CTX_new();
    if (!copy->ctx || EVP_MD_CTX_copy_ex(copy->ctx, digest->ctx) != 1) {
        digest_free(copy);
        return NULL;
    }
    return copy;
}

void digest_update(struct digest *digest, const void *bytes, size_t n)
{
    /* Cannot fail once the digest is initialised (EVP_DigestUpdate(3)). */
    EVP_DigestUpdate(digest->ctx, bytes, n);
}

static void hex_write(char *hex, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        *hex++ = digits[bytes[i] >> 4];
        *hex++ = digits[bytes[i] & 15];
    }
    *hex = '\0';
}

void digest_hex(struct digest *digest, char hex[DIGEST_HEX_MAX])
{
    uint8_t value[EVP_MAX_MD_SIZE];
    unsigned int length = 0;

    EVP_DigestFinal_ex(digest->ctx, value, &length);
    hex_write(hex, value, length < DIGEST_MAX ? length : DIGEST_MAX);
}

void digest_free(struct digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->ctx);
    free(digest);
}

void digest_cleanup(struct digest **digest)
{
    digest_free(*digest);
}

int digest_bytes(enum digest_kind kind, const void *bytes, size_t n,
                 char hex[DIGEST_HEX_MAX])
{
    CLEANUP(digest_cleanup) struct digest *digest = digest_new(kind);

    if (!digest)
        return -ENOMEM;
    digest_update(digest, bytes, n);
    digest_hex(digest, hex);
    return 0;
}

int64_t digest_file(enum digest_kind kind, int fd, int64_t n,
                    char hex[DIGEST_HEX_MAX])
{
    return digest_span(kind, fd, 0, n, hex);
}

int64_t digest_span(enum digest_kind kind, int fd, int64_t first, int64_t n,
                    char hex[DIGEST_HEX_MAX])
{
    CLEANUP(digest_cleanup) struct digest *digest = digest_new(kind);
    AUTO_FREE uint8_t *step = malloc(FILE_STEP);
    int64_t done = 0;

    if (!digest || !step)
        return -ENOMEM;
    while (done < n) {
        size_t want = n - done < FILE_STEP ? (size_t) (n - done) : FILE_STEP;
        int64_t got = fd_pread_full(fd, step, want, first + done);

        if (got < 0)
            return got;
        if (got == 0)
            break;
        digest_update(digest, step, (size_t) got);
        done += got;
    }
    digest_hex(digest, hex);
    return done;
}

int hmac_sha256_hex(const void *key, size_t key_len, const void *bytes,
                    size_t n, char hex[DIGEST_HEX_MAX])
{
    uint8_t value[EVP_MAX_MD_SIZE];
    unsigned int length = 0;

    if (!HMAC(EVP_sha256(), key, (int) key_len, bytes, n, value, &length))
        return -ENOMEM;
    hex_write(hex, value, length);
    return 0;
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void crypto_wipe(void *bytes, size_t n)
{
    OPENSSL_cleanse(bytes, n);
}

int crypto_random_hex(char *hex, size_t n)
{
    uint8_t bytes[64];

    if (n > sizeof(bytes) || random_bytes(bytes, n) < 0)
        return -EIO;
    hex_write(hex, bytes, n);
    return 0;
}

int base64_encode(struct buf *into, const void *bytes, size_t n)
{
    size_t length = (n + 2) / 3 * 4;
    uint8_t *where;
    int r;

    if (n > INT_MAX / 4 * 3 - 3)
        return -EMSGSIZE;
    /* EVP_EncodeBlock() also writes a NUL, where buf keeps a byte spare. */
    r = buf_reserve(into, length, &where);
    if (r < 0)
        return r;
    EVP_EncodeBlock(where, bytes, (int) n);
    buf_commit(into, length);
    return 0;
}

/* EVP_DecodeBlock() forgives blanks around the text; we do not. */
static bool base64_alphabet(const char *text, size_t n)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789+/";
    bool member[256] = { false };

    for (const char *p = alphabet; *p; p++)
        member[(uint8_t) *p] = true;
    for (size_t i = 0; i < n; i++)
        if (!member[(uint8_t) text[i]])
            return false;
    return true;
}

/* Decodes the last four characters.  It writes zero bytes where the padding
 * stands, and the bits that the padding cuts off have to be zero too: there
 * is one text for each content (RFC 4648 section 3.5). */
static int base64_last(uint8_t last[3], const char *text, size_t padding)
{
    if (EVP_DecodeBlock(last, (const uint8_t *) text, 4) != 3)
        return -EINVAL;
    for (size_t i = 3 - padding; i < 3; i++)
        if (last[i])
            return -EINVAL;
    return 0;
}

int base64_decode(struct buf *into, const char *text, size_t n)
{
    size_t padding = 0;
    size_t length;
    uint8_t last[3];
    uint8_t *where;
    int r;

    if (n % 4 != 0 || n > (size_t) 1 << 30)
        return -EINVAL;
    while (padding < 2 && padding < n && text[n - 1 - padding] == '=')
        padding++;
    if (!base64_alphabet(text, n - padding))
        return -EINVAL;
    if (n == 0)
        return 0;
    if (base64_last(last, text + n - 4, padding) < 0)
        return -EINVAL;
    length = n / 4 * 3 - padding;
    r = buf_reserve(into, length, &where);
    if (r < 0)
        return r;
    if (EVP_DecodeBlock(where, (const uint8_t *) text, (int) n - 4) < 0)
        return -EINVAL;
    memcpy(where + n / 4 * 3 - 3, last, 3 - padding);
    buf_commit(into, length);
    return 0;
}
