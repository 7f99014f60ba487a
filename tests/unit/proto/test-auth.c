/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/auth.h"

#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "auth";

/* The vectors of vsrpc-protocol(7), computed with another implementation. */
#define KEY "0123456789abcdef0123456789abcdef"
#define BOOT "6f9619ff8b86d011b42d00cf4fc964ff"
#define SESSION "9e107d9d372bb6826bd81d3542a419d6"

static const struct {
    const char *method, *target, *timestamp, *nonce, *body;
    const char *body_sha256;
    const char *token;
} vectors[] = {
    { "GET", "/api/v1/ping", "1703654400", "000102030405060708090a0b0c0d0e0f",
      "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "e5152350aa5ff73e3725ab85a6a97b495ce7ba6851f5b7553f8d01d3e85702d8" },
    { "POST", "/api/v1/shell/exec", "1703654400",
      "000102030405060708090a0b0c0d0e0f", "{\"command\":\"df -h\"}",
      "a4cced10e567fe34d9eaa60daf4639997ac7fe0313e5394ead4da61d4e261e26",
      "7f05c9f7ec55453c8b2e1b77d1b6da2e5395fb4a78372755702ea5d755e8d3df" },
    { "PUT", "/api/v1/file/content?path=/tmp/a%20b", "1703654401",
      "ffffffffffffffffffffffffffffffff", "hello\n",
      "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
      "bb98d5b78a5abe508532805d90d15545c5f46b84b9cd6ba0ea9375b1be288ee1" },
};

START_TEST(vector)
{
    char digest[DIGEST_HEX_MAX];
    char token[DIGEST_HEX_MAX];
    struct auth_parts parts = { vectors[_i].method,
                                vectors[_i].target,
                                vectors[_i].timestamp,
                                vectors[_i].nonce,
                                digest,
                                BOOT,
                                SESSION };

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
    struct auth_parts base = { "GET", "/t", "1", "n", "d", "b", "s" };
    const char **members[] = { &base.method,      &base.target,
                               &base.timestamp,   &base.nonce,
                               &base.body_sha256, &base.boot_id,
                               &base.session };
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
