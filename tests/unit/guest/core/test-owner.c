/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/core/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "owner";

START_TEST(ids)
{
    static const struct {
        const char *text;
        int result;
        int64_t id;
    } cases[] = {
        { "0", 0, 0 },
        { "4294967294", 0, 4294967294 },
        { "root", 0, 0 },
        { "4294967295", -ENOENT, 7 },
        { "-1", -ENOENT, 7 },
        { "", -ENOENT, 7 },
        { "no such name", -ENOENT, 7 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t id = 7;

        ck_assert_int_eq(owner_id(cases[i].text, &id), cases[i].result);
        ck_assert_int_eq(id, cases[i].id);
        id = 7;
        ck_assert_int_eq(group_id(cases[i].text, &id), cases[i].result);
        ck_assert_int_eq(id, cases[i].id);
    }
}
END_TEST

/* More of them than are kept: each is always the right one. */
START_TEST(names)
{
    struct owner_cache cache = { 0 };

    for (int round = 0; round < 3; round++) {
        ck_assert_str_eq(owner_name(&cache.users, 0), "root");
        ck_assert_str_eq(owner_group(&cache.groups, 0), "root");
        for (unsigned int i = 0; i < OWNER_KEPT + 3; i++) {
            char number[16];

            snprintf(number, sizeof(number), "%u", 3000000000U + i);
            ck_assert_str_eq(owner_name(&cache.users, 3000000000U + i),
                             number);
            ck_assert_str_eq(owner_group(&cache.groups, 3000000000U + i),
                             number);
        }
    }
}
END_TEST

/* The data base is asked once for each. */
START_TEST(names_are_kept)
{
    struct owner_cache cache = { 0 };
    const char *first = owner_name(&cache.users, 0);

    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_eq(owner_name(&cache.users, 0), first);
    ck_assert_uint_eq(cache.users.n, 1);
    ck_assert_uint_eq(cache.groups.n, 0);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, ids);
    tcase_add_test(tcase, names);
    tcase_add_test(tcase, names_are_kept);
}
