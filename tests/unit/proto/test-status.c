/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/status.h"

#include <string.h>

#include "proto/http.h"
#include "unit/unit.h"

const char unit_name[] = "status";

START_TEST(rows_are_sound)
{
    size_t n;
    const struct status *rows = status_table(&n);
    const struct status *row = &rows[_i];

    ck_assert_uint_lt((size_t) _i, n);
    ck_assert_ptr_eq(status_get((int) row->code), row); /* unique */
    for (size_t i = 0; i < n; i++)
        ck_assert(i == (size_t) _i || strcmp(rows[i].name, row->name) != 0);
    ck_assert_uint_eq(strspn(row->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"),
                      strlen(row->name));
    ck_assert(row->message[0] != '\0');
    /* The host's own codes are never sent; the others have a known status. */
    ck_assert_int_eq(row->http == 0, row->code >= 6000);
    if (row->http)
        ck_assert_str_ne(http_reason(row->http), "Unknown");
    ck_assert_int_eq(row->exit == EXIT_STATUS_OK, row->code == 0);
    ck_assert_int_ge(row->exit, 0);
    ck_assert_int_lt(row->exit, EXIT_STATUS_SIGNAL);
    ck_assert_int_ne(row->exit, EXIT_STATUS_USAGE);
}
END_TEST

/* The class of a code (its first digit) goes with its HTTP status. */
START_TEST(classes_fit)
{
    size_t n;
    const struct status *rows = status_table(&n);

    for (size_t i = 0; i < n; i++) {
        if (rows[i].code / 1000 <= 1)
            ck_assert_int_eq(rows[i].http, 200);
        if (rows[i].code / 1000 == 3)
            ck_assert(rows[i].http == 404 || rows[i].http == 410);
        if (rows[i].code / 1000 == 5)
            ck_assert_int_ge(rows[i].http, 500);
    }
}
END_TEST

START_TEST(unknown_codes)
{
    ck_assert_int_eq(status_get(4711)->code, STATUS_INTERNAL_ERROR);
    ck_assert_int_eq(status_get(-1)->code, STATUS_INTERNAL_ERROR);
    ck_assert_int_eq(status_get(0)->exit, 0);
    ck_assert_int_eq(status_get(STATUS_CMD_TIMEOUT)->exit, 124);
    ck_assert_int_eq(status_get(STATUS_CMD_NOT_FOUND)->exit, 127);
}
END_TEST

void unit_cases(TCase *tcase)
{
    size_t n;

    status_table(&n);
    tcase_add_loop_test(tcase, rows_are_sound, 0, (int) n);
    tcase_add_test(tcase, classes_fit);
    tcase_add_test(tcase, unknown_codes);
}
