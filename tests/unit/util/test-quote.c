/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Names as a terminal may see them, and as a shell takes them. */
#include <config.h>

#include "util/quote.h"

#include <string.h>

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

/* The line is a hint, whole or not at all. */
START_TEST(hint)
{
    struct error err = ERROR_INIT;
    char line[sizeof(err.hint)];

    error_set(&err, -1, "x");
    quote_hint(&err, "chown root: %s && chmod 600 %s", "/a b", "-");
    ck_assert_str_eq(err.hint, "chown root: '/a b' && chmod 600 -");
    quote_hint(&err, "virsh list");
    ck_assert_str_eq(err.hint, "virsh list");
    error_set(&err, -1, "x");
    memset(line, 'a', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    quote_hint(&err, "%s", line);
    ck_assert_str_eq(err.hint, line);
    quote_hint(NULL, "%s", line);
    error_set(&err, -1, "x");
    quote_hint(&err, "rm %s", line);
    ck_assert_str_eq(err.hint, "");
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, name, 0, ARRAY_SIZE(names));
    tcase_add_loop_test(tcase, word, 0, ARRAY_SIZE(words));
    tcase_add_test(tcase, hint);
}
