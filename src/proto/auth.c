/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Joins the signed parts by line feeds and takes their HMAC.  No part can have
 * a line feed in it, so that the text has one meaning only.
 */
#include <config.h>

#include "proto/auth.h"

#include "proto/limits.h"

int auth_token(const void *key, size_t key_len, const struct auth_parts *parts,
               char token[DIGEST_HEX_MAX])
{
    struct buf canonical;
    int r;

    buf_init(&canonical, HTTP_HEAD_MAX);
    r = buf_printf(&canonical, "v1\n%s\n%s\n%s\n%s\n%s\n%s\n%s", parts->method,
                   parts->target, parts->timestamp, parts->nonce,
                   parts->body_sha256, parts->boot_id, parts->session);
    if (r == 0)
        r = hmac_sha256_hex(key, key_len, buf_data(&canonical), canonical.len,
                            token);
    buf_free(&canonical);
    return r;
}
