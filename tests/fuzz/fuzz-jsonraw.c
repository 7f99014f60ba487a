/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Bytes that become JSON: by hand and by json-c they are the same text, the
 * scanner passes it, and it holds the same bytes.  And base64 by itself.
 */
#include <config.h>

#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/jsonraw.h"
#include "proto/param.h"
#include "util/crypto.h"

#define TEXT_MAX (1024 * 1024)

static void same(const void *a, size_t n_a, const void *b, size_t n_b)
{
    ck_assert_uint_eq(n_a, n_b);
    ck_assert(n_a == 0 || memcmp(a, b, n_a) == 0);
}

static void by_hand(struct json_object *object, const uint8_t *bytes, size_t n)
{
    size_t length;
    const char *text = json_text(object, &length);
    struct buf raw;

    buf_init(&raw, TEXT_MAX);
    ck_assert_int_eq(buf_puts(&raw, "{"), 0);
    ck_assert_int_eq(jsonraw_bytes(&raw, "x", bytes, n), 0);
    ck_assert_int_eq(buf_puts(&raw, "}"), 0);
    same(text, length, buf_data(&raw), raw.len);
    buf_free(&raw);
}

static void read_back(struct json_object *object, const uint8_t *bytes,
                      size_t n)
{
    AUTO_JSON struct json_object *again = NULL;
    struct buf decoded;
    size_t length;
    const char *text = json_text(object, &length);

    buf_init(&decoded, TEXT_MAX);
    ck_assert_int_eq(json_parse(text, length, &again, NULL), 0);
    ck_assert_int_eq(
        param_bytes(again, "x", PARAM_REQUIRED, &text, &length, NULL), 0);
    if (json_object_object_get_ex(again, "x_encoding", NULL)) {
        ck_assert_int_eq(base64_decode(&decoded, text, length), 0);
        same(bytes, n, buf_data(&decoded), decoded.len);
    } else {
        same(bytes, n, text, length);
    }
    buf_free(&decoded);
}

/* Base64 is strict: each text of it is the only one for its bytes. */
static void decode(const uint8_t *bytes, size_t n)
{
    struct buf decoded;
    struct buf encoded;

    buf_init(&decoded, TEXT_MAX);
    buf_init(&encoded, TEXT_MAX);
    if (base64_decode(&decoded, (const char *) bytes, n) == 0) {
        ck_assert_int_eq(
            base64_encode(&encoded, buf_data(&decoded), decoded.len), 0);
        same(bytes, n, buf_data(&encoded), encoded.len);
    }
    buf_free(&decoded);
    buf_free(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO_JSON struct json_object *object = json_object_new_object();

    ck_assert_int_eq(json_add_bytes(object, "x", bytes, n), 0);
    by_hand(object, bytes, n);
    read_back(object, bytes, n);
    decode(bytes, n);
    return 0;
}
