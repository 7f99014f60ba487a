/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/proc/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/policy/command_policy.h"
#include "unit/unit.h"

const char unit_name[] = "environment";

static struct strlist env;

static void teardown(void)
{
    strlist_free(&env);
}

/* Nothing of the agent's own environment gets through. */
START_TEST(base)
{
    static const char *const names[] = { "PATH",    "HOME",  "USER",
                                         "LOGNAME", "SHELL", "LANG" };

    ck_assert_int_eq(setenv("PATH", "/evil", 1), 0);
    ck_assert_int_eq(setenv("HOME", "/evil", 1), 0);
    ck_assert_int_eq(setenv("LD_PRELOAD", "", 1), 0);
    ck_assert_int_eq(environment_base(&env), 0);
    ck_assert_uint_eq(env.n, ARRAY_SIZE(names));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = environment_get(&env, names[i]);

        ck_assert_msg(value && *value, "%s", names[i]);
        ck_assert_str_ne(value, "/evil");
    }
    ck_assert_str_eq(environment_get(&env, "PATH"), COMMAND_PATH);
    ck_assert_str_eq(environment_get(&env, "LANG"), "C.UTF-8");
    ck_assert_str_eq(environment_get(&env, "USER"),
                     environment_get(&env, "LOGNAME"));
    ck_assert_ptr_null(environment_get(&env, "LD_PRELOAD"));
    ck_assert_ptr_null(env.items[env.n]);
}
END_TEST

START_TEST(last_one_counts)
{
    static const char *const entries[][2] = {
        { "A", "1" }, { "AB", "2" },    { "A", "3" },
        { "B", "" },  { "C", "a=b=c" }, { "AB", "x y\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
        ck_assert_int_eq(environment_add(&env, entries[i][0], entries[i][1]),
                         0);
    for (int merged = 0; merged < 2; merged++) {
        ck_assert_str_eq(environment_get(&env, "A"), "3");
        ck_assert_str_eq(environment_get(&env, "AB"), "x y\n");
        ck_assert_str_eq(environment_get(&env, "B"), "");
        ck_assert_str_eq(environment_get(&env, "C"), "a=b=c");
        ck_assert_ptr_null(environment_get(&env, "D"));
        ck_assert_ptr_null(environment_get(&env, ""));
        ck_assert_int_eq(environment_merge(&env), 0);
        ck_assert_uint_eq(env.n, 4);
        ck_assert_ptr_null(env.items[4]);
    }
    ck_assert_str_eq(env.items[0], "A=3");
    ck_assert_str_eq(env.items[3], "AB=x y\n");
}
END_TEST

/* As many as a request has room for, half of them twice. */
START_TEST(very_many)
{
    char name[16];

    for (int i = 0; i < 120000; i++) {
        snprintf(name, sizeof(name), "E%d", i % 80000);
        ck_assert_int_eq(environment_add(&env, name, i < 80000 ? "1" : "2"),
                         0);
    }
    ck_assert_int_eq(environment_merge(&env), 0);
    ck_assert_uint_eq(env.n, 80000);
    ck_assert_str_eq(env.items[0], "E40000=1");
    ck_assert_str_eq(environment_get(&env, "E39999"), "2");
}
END_TEST

START_TEST(nothing)
{
    ck_assert_int_eq(environment_merge(&env), 0);
    ck_assert_uint_eq(env.n, 0);
    ck_assert_ptr_null(environment_get(&env, "A"));
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, base);
    tcase_add_test(tcase, last_one_counts);
    tcase_add_test(tcase, very_many);
    tcase_add_test(tcase, nothing);
}
