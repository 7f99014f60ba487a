/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/auth.h"

#include <string.h>

#include "unit.h"

const char unit_name[] = "auth";

/* The vectors of vsrpc-protocol(7), computed with another implementation. */
#define KEY "0123456789abcdef0123456789abcdef"
#define BOOT "6f9619ff8b86d011b42d00cf4fc964ff"

static const struct {
    const char *method, *target, *timestamp, *nonce, *body;
    const char *body_sha256;
    const char *token;
} vectors[] = {
    { "GET", "/api/v1/ping", "1703654400", "000102030405060708090a0b0c0d0e0f",
      "",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "7185c09957863ff20b1279329fb43825f012fd0e61b04de8729ef2043b85873c" },
    { "POST", "/api/v1/shell/exec", "1703654400",
      "000102030405060708090a0b0c0d0e0f", "{\"command\":\"df -h\"}",
      "a4cced10e567fe34d9eaa60daf4639997ac7fe0313e5394ead4da61d4e261e26",
      "154ccd84e0abd4bf0b91ee0c312daddf0bf0b09513db7d8d92ae579015a2fd5a" },
    { "PUT", "/api/v1/file/content?path=/tmp/a%20b", "1703654401",
      "ffffffffffffffffffffffffffffffff", "hello\n",
      "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
      "4d0bd2d02272a488d9897a2220306576ededa5c0d7536a496f7e841fe7f84947" },
};

START_TEST(vector)
{
    char digest[DIGEST_HEX_MAX];
    char token[DIGEST_HEX_MAX];
    struct auth_parts parts = { vectors[_i].method,    vectors[_i].target,
                                vectors[_i].timestamp, vectors[_i].nonce,
                                digest,                BOOT };

    ck_assert_int_eq(digest_bytes(DIGEST_SHA256, vectors[_i].body,
                                  strlen(vectors[_i].body), digest),
                     0);
    ck_assert_str_eq(digest, vectors[_i].body_sha256);
    ck_assert_int_eq(auth_token(KEY, strlen(KEY), &parts, token), 0);
    ck_assert_str_eq(token, vectors[_i].token);
}
END_TEST

/* A change of any one part changes the token. */
START_TEST(every_part_counts)
{
    struct auth_parts base = { "GET", "/t", "1", "n", "d", "b" };
    const char **members[] = { &base.method, &base.target,
                               &base.timestamp, &base.nonce,
                               &base.body_sha256, &base.boot_id };
    char first[DIGEST_HEX_MAX];
    char other[DIGEST_HEX_MAX];

    auth_token(KEY, strlen(KEY), &base, first);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const char *kept = *members[i];

        *members[i] = "changed";
        auth_token(KEY, strlen(KEY), &base, other);
        ck_assert_str_ne(first, other);
        *members[i] = kept;
    }
    auth_token("x" KEY, strlen(KEY), &base, other);
    ck_assert_str_ne(first, other);
    auth_token(KEY, strlen(KEY), &base, other);
    ck_assert_str_eq(first, other);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, vector, 0, ARRAY_SIZE(vectors));
    tcase_add_test(tcase, every_part_counts);
}
