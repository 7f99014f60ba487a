/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "uri";

static const struct {
    const char *plain, *encoded;
} pairs[] = {
    { "", "" },
    { "/var/log/a-b_c.d~e", "/var/log/a-b_c.d~e" },
    { "a b", "a%20b" },
    { "100%", "100%25" },
    { "a&b=c?d#e+f", "a%26b%3Dc%3Fd%23e%2Bf" },
    { "\xE4\xB8\xAD", "%E4%B8%AD" },
    { "\x01\x7F\xFF", "%01%7F%FF" },
    { "\r\n", "%0D%0A" },
};

START_TEST(both_ways)
{
    char *plain = NULL;
    struct buf out;

    buf_init(&out, 100);
    ck_assert_int_eq(uri_encode(&out, pairs[_i].plain), 0);
    ck_assert_str_eq(buf_cstr(&out), pairs[_i].encoded);
    ck_assert_int_eq(uri_decode(buf_cstr(&out), out.len, &plain), 0);
    ck_assert_str_eq(plain, pairs[_i].plain);
    free(plain);
    buf_free(&out);
}
END_TEST

START_TEST(encode_stops_at_the_ceiling)
{
    struct buf out;

    buf_init(&out, 3);
    ck_assert_int_eq(uri_encode(&out, "ab c"), -EMSGSIZE);
    buf_free(&out);
}
END_TEST

static const struct {
    const char *text;
    size_t n;
} broken[] = {
    { BYTES("%") },      { BYTES("%2") },    { BYTES("a%2") },
    { BYTES("%zz") },    { BYTES("%2g") },   { BYTES("%g2") },
    { BYTES("%00") },    { BYTES("a%00b") }, { BYTES("a\0b") },
    { BYTES("%%20") },   { BYTES("% 20") },  { BYTES("%+1") },
    { BYTES("%u0041") },
};

START_TEST(broken_escapes)
{
    struct guarded copy = guarded_copy(broken[_i].text, broken[_i].n);
    char *plain = NULL;

    ck_assert_int_eq(uri_decode((char *) copy.bytes, broken[_i].n, &plain),
                     -EINVAL);
    ck_assert_ptr_null(plain);
    guarded_free(&copy);
}
END_TEST

static const struct {
    const char *target, *name;
    int result;
    const char *value;
} queries[] = {
    { "/f?path=/a", "path", 0, "/a" },
    { "/f?path=/a%20b&mode=0644", "path", 0, "/a b" },
    { "/f?mode=0644&path=/a", "path", 0, "/a" },
    { "/f?path=", "path", 0, "" },
    { "/f?path=a+b", "path", 0, "a+b" },
    { "/f?path=a=b?c", "path", 0, "a=b?c" },
    { "/f?xpath=a&path=b", "path", 0, "b" },
    { "/f?&&path=b&", "path", 0, "b" },
    { "/f", "path", -ENOENT, NULL },
    { "/f?", "path", -ENOENT, NULL },
    { "/f?%70at%68=%61&x", "path", 0, "a" },
    { "/f?%2570ath=a", "path", -ENOENT, NULL },
    { "/f?pat%68s=a", "path", -ENOENT, NULL },
    { "/f?pat%zz=a", "path", -ENOENT, NULL },
    { "/f?pat%6", "path", -ENOENT, NULL },
    { "/f?pat&h=a", "path", -ENOENT, NULL },
    { "/f?path=a&p%61th=b", "path", -EINVAL, NULL },
    { "/f?path", "path", -EINVAL, NULL },
    { "/f?path&x=a", "path", -EINVAL, NULL },
    { "/f?path=a&path", "path", -EINVAL, NULL },
    { "/f?Path=a", "path", -ENOENT, NULL },
    { "/path=a", "path", -ENOENT, NULL },
    { "/f?paths=a", "path", -ENOENT, NULL },
    { "/f?path=a&path=b", "path", -EINVAL, NULL },
    { "/f?path=a&path=a", "path", -EINVAL, NULL },
    { "/f?path=%2", "path", -EINVAL, NULL },
    { "/f?path=%2&x=F", "path", -EINVAL, NULL },
    { "/f?path=a%00", "path", -EINVAL, NULL },
};

START_TEST(query)
{
    char *value = NULL;
    int r = uri_query(queries[_i].target, queries[_i].name, &value);

    ck_assert_msg(r == queries[_i].result, "%s: %d", queries[_i].target, r);
    ck_assert_pstr_eq(value, queries[_i].value);
    free(value);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, both_ways, 0, ARRAY_SIZE(pairs));
    tcase_add_test(tcase, encode_stops_at_the_ceiling);
    tcase_add_loop_test(tcase, broken_escapes, 0, ARRAY_SIZE(broken));
    tcase_add_loop_test(tcase, query, 0, ARRAY_SIZE(queries));
}
