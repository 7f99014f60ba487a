/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Trees by descriptors: what is a link is not entered. */
#include <config.h>

#include "host/local/localtree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "unit/unit.h"

const char unit_name[] = "localtree";

static char *top;
static int dir;

static void setup(void)
{
    top = unit_tmpdir();
    dir = open(top, O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(dir, 0);
}

static void teardown(void)
{
    close(dir);
    unit_rmtree(top);
}

START_TEST(made)
{
    struct error err = ERROR_INIT;
    bool created = false;
    struct stat st;
    int fd = localtree_make(dir, "a", 07055, &created, &err);

    ck_assert_int_ge(fd, 0);
    ck_assert(created);
    ck_assert_int_eq(fstat(fd, &st), 0);
    /* what we need ourselves is added, set-id bits are not taken */
    ck_assert_uint_eq(st.st_mode & 07777, 01755 & ~localtree_umask());
    close(fd);
    fd = localtree_make(dir, "a", 0700, &created, &err);
    ck_assert_int_ge(fd, 0);
    ck_assert(!created);
    close(fd);
}
END_TEST

START_TEST(link_is_not_entered)
{
    struct error err = ERROR_INIT;
    bool created = false;

    ck_assert_int_eq(symlinkat("/tmp", dir, "out"), 0);
    ck_assert_int_eq(localtree_make(dir, "out", 0755, &created, &err), -ELOOP);
    ck_assert(!created);
    ck_assert_str_eq(err.message,
                     "'out' is a symbolic link here, not followed");
    ck_assert_int_eq(localtree_enter(dir, "out", &err), -ELOOP);
    ck_assert_int_eq(symlinkat("nowhere", dir, "dangling"), 0);
    ck_assert_int_eq(localtree_make(dir, "dangling", 0755, &created, &err),
                     -ELOOP);
}
END_TEST

START_TEST(file_is_no_folder)
{
    AUTO_FREE char *path = unit_path(top, "f");
    struct error err = ERROR_INIT;
    bool created = false;

    unit_write_file(path, "x");
    ck_assert_int_eq(localtree_make(dir, "f", 0755, &created, &err), -ENOTDIR);
    ck_assert_int_eq(localtree_enter(dir, "none", &err), -ENOENT);
}
END_TEST

static void check_target(const char *name, const char *target)
{
    AUTO_FREE char *found = localtree_target(dir, name, NULL);

    ck_assert_str_eq(found, target);
}

START_TEST(links)
{
    AUTO_FREE char *path = unit_path(top, "f");
    struct strlist names = { 0 };
    struct error err = ERROR_INIT;

    unit_write_file(path, "x");
    ck_assert_int_eq(localtree_link(dir, "f", "a", false, &err), -EEXIST);
    ck_assert_int_eq(localtree_link(dir, "f", "a", true, &err), 0);
    check_target("f", "a");
    ck_assert_int_eq(localtree_link(dir, "f", "b", true, &err), 0);
    check_target("f", "b");
    /* a folder is not replaced, and nothing is left beside it */
    ck_assert_int_eq(mkdirat(dir, "d", 0755), 0);
    ck_assert_int_eq(localtree_link(dir, "d", "a", true, &err), -EISDIR);
    ck_assert_int_eq(localtree_names(dir, top, &names, &err), 0);
    ck_assert_uint_eq(names.n, 2);
    ck_assert_str_eq(names.items[0], "d");
    ck_assert_str_eq(names.items[1], "f");
    strlist_free(&names);
    ck_assert_ptr_null(localtree_target(dir, "d", &err));
}
END_TEST

START_TEST(times)
{
    struct error err = ERROR_INIT;
    struct stat st;

    ck_assert_int_eq(symlinkat("nowhere", dir, "l"), 0);
    ck_assert_int_eq(localtree_time(dir, "l", 1000000000, 123456789, &err), 0);
    ck_assert_int_eq(fstatat(dir, "l", &st, AT_SYMLINK_NOFOLLOW), 0);
    ck_assert_int_eq(st.st_mtim.tv_sec, 1000000000);
    ck_assert_int_eq(st.st_mtim.tv_nsec, 123456789);
}
END_TEST

/* The same descriptor can be read twice. */
START_TEST(names_again)
{
    struct error err = ERROR_INIT;

    ck_assert_int_eq(mkdirat(dir, "b", 0755), 0);
    ck_assert_int_eq(mkdirat(dir, "a", 0755), 0);
    for (int i = 0; i < 2; i++) {
        struct strlist names = { 0 };

        ck_assert_int_eq(localtree_names(dir, top, &names, &err), 0);
        ck_assert_uint_eq(names.n, 2);
        ck_assert_str_eq(names.items[0], "a");
        strlist_free(&names);
    }
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, made);
    tcase_add_test(tcase, link_is_not_entered);
    tcase_add_test(tcase, file_is_no_folder);
    tcase_add_test(tcase, links);
    tcase_add_test(tcase, times);
    tcase_add_test(tcase, names_again);
}
