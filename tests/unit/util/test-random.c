/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "util/random.h"

#include <errno.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "random";

/* All that were asked for, and no more. */
START_TEST(fills)
{
    static const size_t sizes[] = { 0, 1, 16, RANDOM_MAX };
    unsigned char seen[RANDOM_MAX + 1] = { 0 };
    unsigned char bytes[RANDOM_MAX + 1];

    for (int i = 0; i < 100; i++) {
        memset(bytes, 0, sizeof(bytes));
        ck_assert_int_eq(random_bytes(bytes, sizes[_i]), 0);
        for (size_t k = 0; k < sizeof(bytes); k++)
            seen[k] |= bytes[k];
    }
    for (size_t k = 0; k < sizeof(seen); k++)
        ck_assert_int_eq(seen[k] != 0, k < sizes[_i]);
}
END_TEST

START_TEST(no_more_than_whole)
{
    unsigned char bytes[RANDOM_MAX + 1];

    ck_assert_int_eq(random_bytes(bytes, sizeof(bytes)), -EIO);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, fills, 0, 4);
    tcase_add_test(tcase, no_more_than_whole);
}
