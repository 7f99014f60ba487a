/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/jsonraw.h"

#include <errno.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "jsonraw";

static const struct {
    const char *bytes;
    size_t n;
} strings[] = {
    { BYTES("") },
    { BYTES("name") },
    { BYTES("a \"b\" \\ /c") },
    { BYTES("\b\t\n\f\r\x01\x1f\x7f") },
    { BYTES("a\0b") },
    { BYTES("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80") },
    { BYTES("\xff\xfe") },
    { BYTES("a\xc3") },
    { BYTES("\xed\xa0\x80") },
    { BYTES(
        "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1") },
};

/* Byte for byte what json-c makes of a member that json_add_bytes() added. */
START_TEST(as_json_c)
{
    AUTO_JSON struct json_object *object = json_object_new_object();
    struct buf text;
    size_t n;
    const char *want;

    buf_init(&text, 1024);
    ck_assert_int_eq(
        json_add_bytes(object, "x", strings[_i].bytes, strings[_i].n), 0);
    want = json_text(object, &n);
    ck_assert_int_eq(buf_puts(&text, "{"), 0);
    ck_assert_int_eq(
        jsonraw_bytes(&text, "x", strings[_i].bytes, strings[_i].n), 0);
    ck_assert_int_eq(buf_puts(&text, "}"), 0);
    ck_assert_str_eq(buf_cstr(&text), want);
    buf_free(&text);
}
END_TEST

START_TEST(bounds)
{
    struct buf text;

    buf_init(&text, 10);
    ck_assert_int_eq(jsonraw_bytes(&text, "name", BYTES("value")), -EMSGSIZE);
    buf_free(&text);
}
END_TEST

/* The text is in that of its object, which lacks nothing. */
START_TEST(value)
{
    AUTO_JSON struct json_object *object = json_object_new_object();
    struct buf text;
    size_t n;

    buf_init(&text, 64);
    ck_assert_int_eq(buf_puts(&text, "[1,{\"a\":null}]"), 0);
    ck_assert_int_eq(json_add(object, "list", jsonraw_value(&text)), 0);
    ck_assert_ptr_null(text.base);
    ck_assert_int_eq(json_add_int(object, "z", 1), 0);
    ck_assert(json_whole(object));
    ck_assert_str_eq(json_text(object, &n),
                     "{\"list\":[1,{\"a\":null}],\"z\":1}");
    ck_assert_uint_eq(n, strlen("{\"list\":[1,{\"a\":null}],\"z\":1}"));
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, as_json_c, 0, ARRAY_SIZE(strings));
    tcase_add_test(tcase, bounds);
    tcase_add_test(tcase, value);
}
