/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Modes as ls shows them, and which names are names at all. */
#include <config.h>

#include "host/term/mode.h"

#include <limits.h>
#include <string.h>

#include "host/remote/remote.h"
#include "unit/unit.h"

const char unit_name[] = "mode";

static const struct {
    char letter;
    unsigned int mode;
    const char *shown;
} modes[] = {
    { '-', 0644, "-rw-r--r--" },  { 'd', 0755, "drwxr-xr-x" },
    { 'l', 0777, "lrwxrwxrwx" },  { '-', 04755, "-rwsr-xr-x" },
    { '-', 04644, "-rwSr--r--" }, { '-', 02755, "-rwxr-sr-x" },
    { '-', 02644, "-rw-r-Sr--" }, { 'd', 01777, "drwxrwxrwt" },
    { 'd', 01776, "drwxrwxrwT" }, { '?', 0, "?---------" },
};

START_TEST(mode)
{
    char text[11];

    mode_words(modes[_i].letter, modes[_i].mode, text);
    ck_assert_str_eq(text, modes[_i].shown);
}
END_TEST

START_TEST(fits)
{
    static const struct {
        const char *name;
        size_t n;
        bool fits;
    } cases[] = {
        { "a", 1, true },    { "", 0, false },    { ".", 1, false },
        { "..", 2, false },  { "...", 3, true },  { ".a", 2, true },
        { "/", 1, false },   { "a/b", 3, false }, { "a/", 2, false },
        { "a\0", 2, false }, { "-rf", 3, true },  { "\377", 1, true },
    };
    char longest[NAME_MAX + 1];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_msg(remote_name_fits(cases[i].name, cases[i].n)
                          == cases[i].fits,
                      "case %zu", i);
    memset(longest, 'x', sizeof(longest));
    ck_assert(remote_name_fits(longest, NAME_MAX));
    ck_assert(!remote_name_fits(longest, NAME_MAX + 1));
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, mode, 0, ARRAY_SIZE(modes));
    tcase_add_test(tcase, fits);
}
