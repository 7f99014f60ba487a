/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "util/replaced.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "unit/unit.h"

const char unit_name[] = "replaced";

static char *path; /* of the folder */
static int dir;
static int fd; /* the new file */

static void setup(void)
{
    path = unit_tmpdir();
    dir = open(path, O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(dir, 0);
    fd = openat(dir, "new", O_CREAT | O_RDWR, 0600);
    ck_assert_int_ge(fd, 0);
}

static void teardown(void)
{
    close(fd);
    close(dir);
    unit_rmtree(path);
}

/* The file that will be replaced. */
static int old_file(mode_t mode)
{
    int old = openat(dir, "old", O_CREAT | O_RDWR, 0600);

    ck_assert_int_ge(old, 0);
    ck_assert_int_eq(fchmod(old, mode), 0);
    return old;
}

static const struct {
    mode_t old, left;
} modes[] = {
    { 0644, 0644 }, { 0600, 0600 },  { 0755, 0755 },  { 0, 0 },
    { 0222, 0222 }, { 04755, 0755 }, { 02755, 0755 }, { 06711, 0711 },
};

START_TEST(mode)
{
    AUTO_CLOSE int old = old_file(modes[_i].old);

    ck_assert_int_eq(replaced_leave(dir, "old", fd), (int) modes[_i].left);
}
END_TEST

START_TEST(owner)
{
    AUTO_CLOSE int old = old_file(0640);
    struct stat st;

    if (geteuid() != 0)
        return;
    ck_assert_int_eq(fchown(old, 1234, 5678), 0);
    ck_assert_int_eq(replaced_leave(dir, "old", fd), 0640);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_uint_eq(st.st_uid, 1234);
    ck_assert_uint_eq(st.st_gid, 5678);
}
END_TEST

/* linux/posix_acl_xattr.h: version, then tag, rights and id of each: the
 * owner, user 1234, the group, the mask, others. */
static const char acl[] = "\2\0\0\0"
                          "\1\0\6\0\377\377\377\377"
                          "\2\0\6\0\322\4\0\0"
                          "\4\0\0\0\377\377\377\377"
                          "\20\0\6\0\377\377\377\377"
                          "\40\0\0\0\377\377\377\377";

/* linux/capability.h: revision 2, cap_net_raw. */
static const char capability[] = "\0\0\0\2"
                                 "\0\40\0\0\0\0\0\0"
                                 "\0\0\0\0\0\0\0\0";

static const struct {
    const char *name;
    const char *value;
    size_t n;
    bool left;
} attributes[] = {
    { "user.one", BYTES("\0\1\2"), true },
    { "user.empty", BYTES(""), true },
    { "system.posix_acl_access", acl, sizeof(acl) - 1, true },
    { "security.vsrpc", BYTES("label"), true },
    { "trusted.vsrpc", BYTES("x"), true },
    { "security.capability", capability, sizeof(capability) - 1, false },
};

/* Has the new file what is to be left, and nothing of the rest?  what the file
 * system does not know, or we may not set, is no attribute of the old one. */
START_TEST(attribute)
{
    AUTO_CLOSE int old = old_file(0660);
    const char *name = attributes[_i].name;
    char got[64];
    ssize_t n;

    if (fsetxattr(old, name, attributes[_i].value, attributes[_i].n, 0) < 0) {
        ck_assert_msg(errno == ENOTSUP || errno == EPERM, "%s: %s", name,
                      strerror(errno));
        return;
    }
    ck_assert_int_eq(replaced_leave(dir, "old", fd), 0660);
    n = fgetxattr(fd, name, got, sizeof(got));
    if (!attributes[_i].left) {
        ck_assert_int_eq(n, -1);
        ck_assert_int_eq(errno, ENODATA);
        return;
    }
    ck_assert_msg(n == (ssize_t) attributes[_i].n, "%s: %zd", name, n);
    ck_assert_mem_eq(got, attributes[_i].value, attributes[_i].n);
}
END_TEST

/* What the folder gives to each new file is not the old one's. */
START_TEST(default_acl)
{
    AUTO_CLOSE int old = old_file(0600);
    AUTO_CLOSE int made = -1;
    char got[64];

    if (fsetxattr(dir, "system.posix_acl_default", acl, sizeof(acl) - 1, 0)
        < 0)
        return;
    made = openat(dir, "made", O_CREAT | O_RDWR, 0666);
    ck_assert_int_gt(
        fgetxattr(made, "system.posix_acl_access", got, sizeof(got)), 0);
    ck_assert_int_eq(replaced_leave(dir, "old", made), 0600);
    ck_assert_int_eq(
        fgetxattr(made, "system.posix_acl_access", got, sizeof(got)), -1);
    ck_assert_int_eq(errno, ENODATA);
}
END_TEST

START_TEST(no_regular_file)
{
    ck_assert_int_eq(replaced_leave(dir, "none", fd), -ENOENT);
    ck_assert_int_eq(symlinkat("new", dir, "link"), 0);
    ck_assert_int_eq(replaced_leave(dir, "link", fd), -ENOENT);
    ck_assert_int_eq(mkdirat(dir, "folder", 0755), 0);
    ck_assert_int_eq(replaced_leave(dir, "folder", fd), -ENOENT);
    ck_assert_int_eq(mkfifoat(dir, "pipe", 0644), 0);
    ck_assert_int_eq(replaced_leave(dir, "pipe", fd), -ENOENT);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, mode, 0, ARRAY_SIZE(modes));
    tcase_add_test(tcase, owner);
    tcase_add_loop_test(tcase, attribute, 0, ARRAY_SIZE(attributes));
    tcase_add_test(tcase, default_acl);
    tcase_add_test(tcase, no_regular_file);
}
