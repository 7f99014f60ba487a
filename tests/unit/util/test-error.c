/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "util/error.h"

#include <errno.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "error";

START_TEST(set_replaces_message_and_hint)
{
    struct error err = ERROR_INIT;

    ck_assert_int_eq(error_set(&err, -EINVAL, "first %d", 1), -EINVAL);
    error_hint(&err, "type %s", "this");
    ck_assert_str_eq(err.message, "first 1");
    ck_assert_str_eq(err.hint, "type this");
    ck_assert_int_eq(error_set(&err, 7, "second"), 7);
    ck_assert_int_eq(err.code, 7);
    ck_assert_str_eq(err.message, "second");
    ck_assert_str_eq(err.hint, "");
}
END_TEST

START_TEST(errno_appends_words)
{
    struct error err = ERROR_INIT;

    ck_assert_int_eq(error_errno(&err, -ENOENT, "file '%s'", "x"), -ENOENT);
    ck_assert_str_eq(err.message, "file 'x': No such file or directory");
    error_prefix(&err, "domain '%s'", "web1");
    ck_assert_str_eq(err.message,
                     "domain 'web1': file 'x': No such file or directory");
    ck_assert_int_eq(err.code, -ENOENT);
    error_clear(&err);
    ck_assert_int_eq(err.code, 0);
    ck_assert_str_eq(err.message, "");
}
END_TEST

START_TEST(null_is_allowed)
{
    ck_assert_int_eq(error_set(NULL, -EIO, "x"), -EIO);
    ck_assert_int_eq(error_errno(NULL, -EIO, "x"), -EIO);
    error_hint(NULL, "x");
    error_prefix(NULL, "x");
    error_clear(NULL);
}
END_TEST

START_TEST(long_words_are_cut)
{
    struct error err = ERROR_INIT;
    char word[3000];

    memset(word, 'w', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    error_errno(&err, -EIO, "%s", word);
    ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
    error_hint(&err, "%s", word);
    ck_assert_uint_eq(strlen(err.hint), sizeof(err.hint) - 1);
    error_prefix(&err, "%s", word);
    ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, set_replaces_message_and_hint);
    tcase_add_test(tcase, errno_appends_words);
    tcase_add_test(tcase, null_is_allowed);
    tcase_add_test(tcase, long_words_are_cut);
}
