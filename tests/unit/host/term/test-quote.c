/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Names as a terminal may see them, and which of them are names at all. */
#include <config.h>

#include "host/term/quote.h"

#include <limits.h>
#include <string.h>

#include "host/remote/remote.h"
#include "unit/unit.h"

const char unit_name[] = "quote";

static const struct {
    const char *name;
    const char *shown;
} names[] = {
    { "", "" },
    { "a b", "a b" },
    { "it's", "it's" }, /* steers nothing */
    { "ünï", "ünï" },
    { "a\nb", "$'a\\nb'" },
    { "\t\r", "$'\\t\\r'" },
    { "\033[2J", "$'\\033[2J'" },
    { "\177", "$'\\177'" },
    { "it's\\\n", "$'it\\'s\\\\\\n'" },
    { "\302\233m", "$'\\302\\233m'" }, /* CSI as UTF-8, and as one byte */
    { "\233m", "$'\\233m'" },
    { "ü\001", "$'\\303\\274\\001'" },
    { "\302\240", "\302\240" },      /* the first behind C1 */
    { "\300\257", "$'\\300\\257'" }, /* an overlong slash */
};

START_TEST(name)
{
    struct buf text;

    buf_init(&text, 1024);
    ck_assert_int_eq(quote_name(&text, names[_i].name), 0);
    ck_assert_str_eq(buf_cstr(&text), names[_i].shown);
    buf_free(&text);
}
END_TEST

static const struct {
    const char *word;
    const char *shown;
} words[] = {
    { "", "''" },
    { "--timeout=5", "--timeout=5" },
    { "/a/b-c_d.e", "/a/b-c_d.e" },
    { "qemu+ssh://u@h:1/system", "qemu+ssh://u@h:1/system" },
    { "a b", "'a b'" },
    { "web*", "'web*'" },
    { "~", "'~'" },
    { "$x \"\\", "'$x \"\\'" },
    { "it's", "$'it\\'s'" },
    { "a\nb", "$'a\\nb'" },
    { "ünï", "'ünï'" },
};

START_TEST(word)
{
    struct buf text;

    buf_init(&text, 1024);
    ck_assert_int_eq(quote_word(&text, words[_i].word), 0);
    ck_assert_str_eq(buf_cstr(&text), words[_i].shown);
    buf_free(&text);
}
END_TEST

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
    tcase_add_loop_test(tcase, name, 0, ARRAY_SIZE(names));
    tcase_add_loop_test(tcase, word, 0, ARRAY_SIZE(words));
    tcase_add_loop_test(tcase, mode, 0, ARRAY_SIZE(modes));
    tcase_add_test(tcase, fits);
}
