/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "util/text.h"

#include <stdint.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "text";

/* The rows of RFC 3629 section 4, their edges and what lies just outside. */
static const struct {
    const char *name;
    const char *bytes;
    size_t n;
    bool valid;
} strings[] = {
    { "nothing", BYTES(""), true },
    { "ASCII", BYTES("abc\x7F"), true },
    { "NUL", BYTES("a\0b"), true },
    { "U+0080", BYTES("\xC2\x80"), true },
    { "U+07FF", BYTES("\xDF\xBF"), true },
    { "U+0800", BYTES("\xE0\xA0\x80"), true },
    { "U+D7FF", BYTES("\xED\x9F\xBF"), true },
    { "U+E000", BYTES("\xEE\x80\x80"), true },
    { "U+FFFF", BYTES("\xEF\xBF\xBF"), true },
    { "U+10000", BYTES("\xF0\x90\x80\x80"), true },
    { "U+10FFFF", BYTES("\xF4\x8F\xBF\xBF"), true },
    { "mixed", BYTES("a\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80z"), true },
    { "overlong 2 (C0)", BYTES("\xC0\x80"), false },
    { "overlong 2 (C1)", BYTES("\xC1\xBF"), false },
    { "overlong 3", BYTES("\xE0\x9F\xBF"), false },
    { "overlong 4", BYTES("\xF0\x8F\xBF\xBF"), false },
    { "surrogate low end", BYTES("\xED\xA0\x80"), false },
    { "surrogate high end", BYTES("\xED\xBF\xBF"), false },
    { "U+110000", BYTES("\xF4\x90\x80\x80"), false },
    { "F5", BYTES("\xF5\x80\x80\x80"), false },
    { "five bytes", BYTES("\xF8\x88\x80\x80\x80"), false },
    { "FE", BYTES("\xFE"), false },
    { "FF", BYTES("\xFF"), false },
    { "lone continuation", BYTES("\x80"), false },
    { "lone continuation BF", BYTES("a\xBF"), false },
    { "cut after 1 of 2", BYTES("a\xC3"), false },
    { "cut after 1 of 3", BYTES("\xE4"), false },
    { "cut after 2 of 3", BYTES("\xE4\xB8"), false },
    { "cut after 3 of 4", BYTES("\xF0\x9F\x98"), false },
    { "second byte wrong", BYTES("\xC3("), false },
    { "third byte wrong", BYTES("\xE4\xB8("), false },
    { "fourth byte wrong", BYTES("\xF0\x9F\x98("), false },
    { "third byte a lead", BYTES("\xE4\xB8\xC3"), false },
};

START_TEST(utf8)
{
    struct guarded copy = guarded_copy(strings[_i].bytes, strings[_i].n);

    ck_assert_msg(utf8_valid(copy.bytes, strings[_i].n) == strings[_i].valid,
                  "%s", strings[_i].name);
    guarded_free(&copy);
}
END_TEST

/* An independent encoder says which of all code points have which bytes. */
START_TEST(utf8_every_code_point)
{
    for (uint32_t c = 0x800; c < 0x120000; c++) {
        uint8_t b[4] = { (uint8_t) (0xF0 | c >> 18),
                         (uint8_t) (0x80 | (c >> 12 & 0x3F)),
                         (uint8_t) (0x80 | (c >> 6 & 0x3F)),
                         (uint8_t) (0x80 | (c & 0x3F)) };
        bool good = c < 0x110000 && (c < 0xD800 || c > 0xDFFF);

        if (c < 0x10000) {
            b[1] = (uint8_t) (0xE0 | c >> 12);
            ck_assert_msg(utf8_valid(b + 1, 3) == good, "U+%04X", c);
        } else {
            ck_assert_msg(utf8_valid(b, 4) == good, "U+%04X", c);
        }
    }
}
END_TEST

/* The characters at both sides of what steers, and none that can be seen. */
START_TEST(steering)
{
    static const struct {
        const char *string;
        uint32_t code; /* 0: it does not steer */
        size_t n;
    } rows[] = {
        { "", 0, 0 },
        { "\x01x", 0x01, 1 },
        { "\x1F", 0x1F, 1 },
        { " ", 0, 0 },
        { "~", 0, 0 },
        { "\x7F", 0x7F, 1 },
        { "\xC2\x80", 0x80, 2 },
        { "\xC2\x9B", 0x9B, 2 },
        { "\xC2\xA0", 0, 0 },
        { "\xC2\xAD", 0xAD, 2 },
        { "\xC3\xA9", 0, 0 },
        { "\xD8\x9C", 0x061C, 2 },
        { "\xE2\x80\x8A", 0, 0 },
        { "\xE2\x80\x8Bx", 0x200B, 3 },
        { "\xE2\x80\x8F", 0x200F, 3 },
        { "\xE2\x80\x90", 0, 0 },
        { "\xE2\x80\xA7", 0, 0 },
        { "\xE2\x80\xA8", 0x2028, 3 },
        { "\xE2\x80\xAE", 0x202E, 3 },
        { "\xE2\x80\xAF", 0, 0 },
        { "\xE2\x81\xA6", 0x2066, 3 },
        { "\xE4\xB8\xAD", 0, 0 },
        { "\xEF\xBB\xBF", 0xFEFF, 3 },
        { "\xF0\x9F\x98\x80", 0, 0 },
        { "\xF3\xA0\x81\x81", 0xE0041, 4 },
        { "\xE2\x80", 0, 0 }, /* cut */
        { "\x9B", 0, 0 },     /* no UTF-8 */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint32_t code = 0;
        char text[8];

        ck_assert_uint_eq(text_steering(rows[i].string, &code), rows[i].n);
        if (rows[i].n > 0)
            ck_assert_uint_eq(code, rows[i].code);
        strcpy(text, rows[i].string);
        text_make_harmless(text);
        ck_assert_uint_eq(strspn(text, "?"), rows[i].n);
        ck_assert_str_eq(text + rows[i].n, rows[i].string + rows[i].n);
    }
}
END_TEST

START_TEST(nearest)
{
    static const char *const words[] = { "upload", "download", "ping",
                                         "logging.max_size" };

    ck_assert_str_eq(text_nearest("uplaod", words, 4), "upload");
    ck_assert_str_eq(text_nearest("donwload", words, 4), "download");
    ck_assert_str_eq(text_nearest("pinh", words, 4), "ping");
    ck_assert_str_eq(text_nearest("ping", words, 4), "ping");
    ck_assert_str_eq(text_nearest("logging.maxsize", words, 4),
                     "logging.max_size");
    ck_assert_ptr_null(text_nearest("reboot", words, 4));
    ck_assert_ptr_null(text_nearest("", words, 4));
    ck_assert_ptr_null(text_nearest("ping", words, 0));
}
END_TEST

START_TEST(lists)
{
    struct strlist list = { 0 };

    ck_assert(!strlist_has(&list, ""));
    ck_assert_int_eq(strlist_add(&list, "one"), 0);
    ck_assert_int_eq(strlist_add_n(&list, "twothree", 3), 0);
    ck_assert_int_eq(strlist_add(&list, ""), 0);
    ck_assert_uint_eq(list.n, 3);
    ck_assert_str_eq(list.items[1], "two");
    ck_assert_ptr_null(list.items[3]);
    ck_assert(strlist_has(&list, "one"));
    ck_assert(strlist_has(&list, ""));
    ck_assert(!strlist_has(&list, "tw"));
    strlist_free(&list);
    ck_assert_uint_eq(list.n, 0);
    ck_assert_int_eq(strlist_add(&list, "again"), 0);
    strlist_free(&list);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, utf8, 0, ARRAY_SIZE(strings));
    tcase_add_test(tcase, utf8_every_code_point);
    tcase_add_test(tcase, steering);
    tcase_add_test(tcase, nearest);
    tcase_add_test(tcase, lists);
}
