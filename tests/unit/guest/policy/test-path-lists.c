/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The lists of the path policy: paths are compared, without files. */
#include <config.h>

#include "guest/policy/path_policy.h"

#include "proto/status.h"
#include "unit/unit.h"

const char unit_name[] = "path-lists";

#define DENIED STATUS_PERMISSION_DENIED

static void add_all(struct strlist *list, const char *const *items)
{
    for (; *items; items++)
        ck_assert_int_eq(strlist_add(list, *items), 0);
}

static const struct {
    const char *path;
    int look, read, write;
} checks[] = {
    { "/vs-a", 0, 0, 0 },
    { "/vs-a/", 0, 0, 0 },
    { "/vs-a/b/c", 0, 0, 0 },
    { "/vs-a/.", 0, 0, 0 },
    { "/vs-ab", DENIED, DENIED, DENIED },
    { "/vs-a.x/b", DENIED, DENIED, DENIED },
    { "/vs-", DENIED, DENIED, DENIED },
    { "/", DENIED, DENIED, DENIED },
    { "", DENIED, DENIED, DENIED },
    { "/x/vs-a", DENIED, DENIED, DENIED },
    { "vs-a/b", DENIED, DENIED, DENIED },
    { "/VS-A/b", DENIED, DENIED, DENIED },
    { "/vs-slash/b", 0, 0, 0 },
    { "/vs-slashes", 0, 0, 0 },
    { "/vs-slashes/b", 0, 0, 0 },
    /* read-only, also inside an allowed folder, and without one */
    { "/vs-a/ro", 0, 0, DENIED },
    { "/vs-a/ro/x", 0, 0, DENIED },
    { "/vs-a/rox", 0, 0, 0 },
    { "/vs-ro/x", 0, 0, DENIED },
    /* forbidden beats both; looking is for what is allowed otherwise */
    { "/vs-a/no", 0, DENIED, DENIED },
    { "/vs-a/no/x/y", 0, DENIED, DENIED },
    { "/vs-a/nox", 0, 0, 0 },
    { "/vs-ro/no", 0, DENIED, DENIED },
    { "/vs-no", DENIED, DENIED, DENIED },
    { "/vs-no/inside", DENIED, DENIED, DENIED },
    { "/vs-no/allowed", 0, DENIED, DENIED },
};

START_TEST(check)
{
    static const char *const allowed[] = { "/vs-a", "/vs-slash/",
                                           "/vs-slashes///", "/vs-no/allowed",
                                           NULL };
    static const char *const readonly[] = { "/vs-a/ro", "/vs-ro/", NULL };
    static const char *const forbidden[] = { "/vs-a/no/", "/vs-no",
                                             "/vs-ro/no", NULL };
    const int want[] = { checks[_i].look, checks[_i].read, checks[_i].write };
    struct path_policy policy = { 0 };

    add_all(&policy.allowed, allowed);
    add_all(&policy.readonly, readonly);
    add_all(&policy.forbidden, forbidden);
    for (int access = PATH_LOOK; access <= PATH_WRITE; access++) {
        struct error err = ERROR_INIT;
        int r = path_policy_check(&policy, checks[_i].path,
                                  (enum path_access) access, &err);

        ck_assert_msg(r == want[access], "'%s', %d: %d %s", checks[_i].path,
                      access, r, err.message);
    }
    path_policy_free(&policy);
}
END_TEST

static const struct {
    const char *path;
    int result;
} trees[] = {
    { "/a", DENIED },         { "/a/b", DENIED },  { "/a/b/c", 0 },
    { "/a/bc", 0 },           { "/a/ro", DENIED }, { "/a/ro/x", DENIED },
    { "/a/ro/x/no", DENIED }, { "/a/ro/x/n", 0 },  { "/a/no", DENIED },
    { "/a/no/x", 0 },         { "/", DENIED },     { "/x", 0 },
    { "/a/slash", DENIED },
};

/* No entry may be in what is removed as a whole, nor be that. */
START_TEST(check_tree)
{
    static const char *const allowed[] = { "/a", "/a/b", NULL };
    static const char *const readonly[] = { "/a/ro", "/a/slash/", NULL };
    static const char *const forbidden[] = { "/a/no", "/a/ro/x/no/", NULL };
    struct path_policy policy = { 0 };

    add_all(&policy.allowed, allowed);
    add_all(&policy.readonly, readonly);
    add_all(&policy.forbidden, forbidden);
    ck_assert_int_eq(path_policy_check_tree(&policy, trees[_i].path, NULL),
                     trees[_i].result);
    path_policy_free(&policy);
}
END_TEST

START_TEST(root_covers_all)
{
    static const char *const root[] = { "/", NULL };
    struct path_policy policy = { 0 };

    add_all(&policy.allowed, root);
    ck_assert_int_eq(path_policy_check(&policy, "/", PATH_WRITE, NULL), 0);
    ck_assert_int_eq(path_policy_check(&policy, "/a/b", PATH_WRITE, NULL), 0);
    path_policy_free(&policy);
}
END_TEST

START_TEST(nothing_is_allowed_by_default)
{
    struct path_policy policy = { 0 };

    ck_assert_int_eq(path_policy_check(&policy, "/tmp", PATH_LOOK, NULL),
                     DENIED);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, check, 0, ARRAY_SIZE(checks));
    tcase_add_loop_test(tcase, check_tree, 0, ARRAY_SIZE(trees));
    tcase_add_test(tcase, root_covers_all);
    tcase_add_test(tcase, nothing_is_allowed_by_default);
}
