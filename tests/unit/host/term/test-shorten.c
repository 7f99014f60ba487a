/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Names in lines that are too short for them. */
#include <config.h>

#include "host/term/shorten.h"

#include <errno.h>
#include <string.h>

#include "unit/unit.h"
#include "util/text.h"

const char unit_name[] = "shorten";

static const struct {
    const char *name;
    int columns;
    const char *want;
    int used;
} cases[] = {
    { "", 10, "", 0 },
    { "disk.img", 10, "disk.img", 8 },
    { "disk.img", 8, "disk.img", 8 },
    { "disk.img", 7, "di...mg", 7 },
    { "disk.img", 6, "d...mg", 6 },
    { "disk.img", 5, "d...g", 5 },
    { "disk.img", 4, "...g", 4 },
    { "disk.img", 3, "", 0 },
    { "disk.img", 0, "", 0 },
    { "disk.img", -5, "", 0 },
    { "a b", 3, "a b", 3 },
    { "a-very-long-name-of-a.tar.gz", 16, "a-very....tar.gz", 16 },
    /* what steers a terminal, and what is no UTF-8 */
    { "a\nb", 10, "a\\x0ab", 6 },
    { "\x1B[2J", 10, "\\x1b[2J", 7 },
    { "\x7F", 4, "\\x7f", 4 },
    { "\xC2\x9Bm", 10, "\\xc2\\x9bm", 9 },
    { "\xFFx", 10, "\\xffx", 5 },
    { "x\xC3", 10, "x\\xc3", 5 },
    { "x\xE2\x82", 20, "x\\xe2\\x82", 9 },
    /* never half an escape */
    { "\n\n\n", 11, "\\x0a...\\x0a", 11 },
    { "\n\n\n", 10, "...\\x0a", 7 },
    { "\n\n\n", 6, "...", 3 },
    /* characters, and those that may be wide */
    { "\xC3\xA4\xC3\xB6\xC3\xBC", 3, "\xC3\xA4\xC3\xB6\xC3\xBC", 3 },
    { "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F\xC3\xA5\xC3\xA6", 5,
      "\xC3\xA4...\xC3\xA6", 5 },
    { "\xE6\x97\xA5\xE6\x9C\xAC", 4, "\xE6\x97\xA5\xE6\x9C\xAC", 4 },
    { "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 5, "...\xE8\xAA\x9E", 5 },
    { "\xF0\x9F\x98\x80", 2, "\xF0\x9F\x98\x80", 2 },
};

START_TEST(shortened)
{
    struct guarded name = guarded_copy(cases[_i].name,
                                       strlen(cases[_i].name) + 1);
    struct buf text;

    buf_init(&text, 1000);
    ck_assert_int_eq(
        shorten_name(&text, (char *) name.bytes, cases[_i].columns),
        cases[_i].used);
    ck_assert_str_eq(buf_cstr(&text), cases[_i].want);
    buf_free(&text);
    guarded_free(&name);
}
END_TEST

/* All bytes there are, at every width: never wider, never anything that a
 * terminal minds. */
START_TEST(any_width)
{
    char name[512];

    for (int i = 0; i < 511; i++)
        name[i] = (char) (i % 255 + 1);
    name[511] = '\0';
    for (int columns = 0; columns < 2200; columns += 11) {
        struct buf text;
        int used;

        buf_init(&text, 10000);
        used = shorten_name(&text, name, columns);
        ck_assert_int_ge(used, 0);
        ck_assert_int_le(used, columns);
        ck_assert(utf8_valid(buf_data(&text), text.len));
        for (size_t i = 0; i < text.len; i++)
            ck_assert_uint_ge(buf_data(&text)[i], 0x20);
        buf_free(&text);
    }
}
END_TEST

START_TEST(no_room)
{
    struct buf text;

    for (size_t room = 0; room < 11; room++) {
        buf_init(&text, room);
        ck_assert_int_eq(shorten_name(&text, "\n\n\n", 11), -EMSGSIZE);
        buf_free(&text);
    }
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, shortened, 0, ARRAY_SIZE(cases));
    tcase_add_test(tcase, any_width);
    tcase_add_test(tcase, no_room);
}
