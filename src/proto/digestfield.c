/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A table of the kinds with both of their names: the words of our queries
 * differ from the keys of RFC 9530 (sha256, sha-256).  The field's base64 is
 * read strictly.
 */
#include <config.h>

#include "proto/digestfield.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/num.h"

static const struct {
    const char *key; /* RFC 9530, section 7.2 */
    size_t n;        /* bytes */
} kinds[] = {
    [DIGEST_MD5] = { "md5", 16 },
    [DIGEST_SHA256] = { "sha-256", 32 },
};

const char *const digest_words[] = {
    [DIGEST_MD5] = "md5",
    [DIGEST_SHA256] = "sha256",
    NULL,
};

int digest_kind_of(const char *word, enum digest_kind *kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(digest_words[i], word) == 0) {
            *kind = (enum digest_kind) i;
            return 0;
        }
    return -EINVAL;
}

const char *digest_word(enum digest_kind kind)
{
    return digest_words[kind];
}

int digestfield_write(enum digest_kind kind, const char *hex,
                      char field[DIGESTFIELD_MAX])
{
    uint8_t bytes[DIGEST_MAX];
    struct buf text;
    int r;

    for (size_t i = 0; i < kinds[kind].n; i++)
        bytes[i] = (uint8_t) (num_hex_digit(hex[2 * i]) << 4
                              | num_hex_digit(hex[2 * i + 1]));
    buf_init(&text, DIGESTFIELD_MAX);
    r = base64_encode(&text, bytes, kinds[kind].n);
    if (r == 0)
        snprintf(field, DIGESTFIELD_MAX, "%s=:%.*s:", kinds[kind].key,
                 (int) text.len, (const char *) buf_data(&text));
    buf_free(&text);
    return r;
}

/* Where the base64 of a key begins, or NULL. */
static const char *find_key(const char *field, const char *key)
{
    size_t n = strlen(key);

    for (const char *p = field; (p = strstr(p, key)); p += n)
        if ((p == field || strchr(", ", p[-1]))
            && strncmp(p + n, "=:", 2) == 0)
            return p + n + 2;
    return NULL;
}

int digestfield_find(const char *field, enum digest_kind kind,
                     char hex[DIGEST_HEX_MAX])
{
    const char *start = field ? find_key(field, kinds[kind].key) : NULL;
    size_t n = start ? strcspn(start, ":") : 0;
    struct buf bytes;
    int r;

    if (!start)
        return -ENOENT;
    buf_init(&bytes, DIGESTFIELD_MAX);
    r = start[n] ? base64_decode(&bytes, start, n) : -EINVAL;
    if (r == 0 && bytes.len == kinds[kind].n)
        for (size_t i = 0; i < bytes.len; i++)
            snprintf(hex + 2 * i, 3, "%02x", buf_data(&bytes)[i]);
    else
        r = r == -ENOMEM ? r : -EBADMSG;
    buf_free(&bytes);
    return r;
}
