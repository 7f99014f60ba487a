/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/policy/command_policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/status.h"
#include "unit/unit.h"

const char unit_name[] = "command-policy";

/* Two lists; every guest and builder has these programs somewhere. */
static const char *const some[] = { "ls", "cat", "/bin/sh", NULL };
static const char *const any[] = { "*", NULL };

#define MISSING "vsrpc-no-such-program"

static struct strlist list_of(const char *const *items)
{
    struct strlist list = { 0 };

    for (; *items; items++)
        ck_assert_int_eq(strlist_add(&list, *items), 0);
    return list;
}

static int resolve(const char *const *items, const char *program,
                   const char *search, char **path)
{
    struct strlist list = list_of(items);
    struct error err = ERROR_INIT;
    int r;

    *path = NULL;
    r = command_resolve(&list, program, search, path, &err);
    strlist_free(&list);
    ck_assert_msg((r == 0) == (*path != NULL), "%s: %d", program, r);
    ck_assert_msg((r == 0) == (err.message[0] == '\0'), "%s: %s", program,
                  err.message);
    return r;
}

static const struct {
    const char *const *allowed;
    const char *program;
    int result;
} rows[] = {
    { some, "ls", 0 },
    { some, "cat", 0 },
    { some, "/bin/sh", 0 },
    { some, "sh", STATUS_PERMISSION_DENIED }, /* only by its path */
    { some, "grep", STATUS_PERMISSION_DENIED },
    { some, "LS", STATUS_PERMISSION_DENIED },
    { some, "ls ", STATUS_PERMISSION_DENIED },
    { some, "", STATUS_PERMISSION_DENIED },
    { some, "l", STATUS_PERMISSION_DENIED },
    { some, "lss", STATUS_PERMISSION_DENIED },
    { some, MISSING, STATUS_PERMISSION_DENIED },
    /* a name covers the folders of COMMAND_PATH, spelt as they are there */
    { some, "/tmp/ls", STATUS_PERMISSION_DENIED },
    { some, "/ls", STATUS_PERMISSION_DENIED },
    { some, "./ls", STATUS_PERMISSION_DENIED },
    { some, "bin/ls", STATUS_PERMISSION_DENIED },
    { some, "../bin/ls", STATUS_PERMISSION_DENIED },
    { some, "//bin/ls", STATUS_PERMISSION_DENIED },
    { some, "/bin//ls", STATUS_PERMISSION_DENIED },
    { some, "/bin/./ls", STATUS_PERMISSION_DENIED },
    { some, "/bin/../tmp/ls", STATUS_PERMISSION_DENIED },
    { some, "/usr/bin/../../tmp/ls", STATUS_PERMISSION_DENIED },
    { some, "/bin/ls/", STATUS_PERMISSION_DENIED },
    { some, "/usr/bin:/bin/ls", STATUS_PERMISSION_DENIED },
    { some, "/usr/bi/ls", STATUS_PERMISSION_DENIED },
    { some, "/bin/sh/", STATUS_PERMISSION_DENIED },
    { some, "/bin/../bin/sh", STATUS_PERMISSION_DENIED },
    { some, "/usr/local/bin/" MISSING, STATUS_PERMISSION_DENIED },
    { some, "*", STATUS_PERMISSION_DENIED },
    { some, "/usr/local/sbin/ls", STATUS_CMD_NOT_FOUND },
    { any, "ls", 0 },
    { any, "/bin/sh", 0 },
    { any, "grep", 0 },
    { any, MISSING, STATUS_CMD_NOT_FOUND },
    { any, "/tmp/" MISSING, STATUS_CMD_NOT_FOUND },
    { any, "", STATUS_CMD_NOT_FOUND },
    { any, "*", STATUS_CMD_NOT_FOUND },
};

START_TEST(table)
{
    AUTO_FREE char *path = NULL;
    int r = resolve(rows[_i].allowed, rows[_i].program, NULL, &path);

    ck_assert_msg(r == rows[_i].result, "'%s': %d", rows[_i].program, r);
    if (r)
        return;
    ck_assert_int_eq(path[0], '/');
    ck_assert_int_eq(access(path, X_OK), 0);
    ck_assert_str_eq(strrchr(path, '/') + 1,
                     strrchr(rows[_i].program, '/')
                         ? strrchr(rows[_i].program, '/') + 1
                         : rows[_i].program);
}
END_TEST

/* A given path is run as given, where a name would be allowed too. */
START_TEST(allowed_name_by_path)
{
    AUTO_FREE char *found = NULL;
    AUTO_FREE char *again = NULL;

    ck_assert_int_eq(resolve(some, "ls", NULL, &found), 0);
    ck_assert_int_eq(resolve(some, found, NULL, &again), 0);
    ck_assert_str_eq(again, found);
}
END_TEST

static char *make_program(const char *folder, const char *name, mode_t mode)
{
    char *path = unit_path(folder, name);

    unit_write_file(path, "#!/bin/sh\n");
    ck_assert_int_eq(chmod(path, mode), 0);
    return path;
}

/* One file with many names, as busybox has it: one of them allowed by its
 * path allows no other. */
START_TEST(same_file_other_name)
{
    char *dir = unit_tmpdir();
    AUTO_FREE char *busybox = make_program(dir, "busybox", 0755);
    AUTO_FREE char *ls = unit_path(dir, "ls");
    AUTO_FREE char *hard = unit_path(dir, "sh");
    AUTO_FREE char *soft = unit_path(dir, "ash");
    const char *const items[] = { ls, "cat", NULL };
    char *path;

    ck_assert_int_eq(link(busybox, ls), 0);
    ck_assert_int_eq(link(busybox, hard), 0);
    ck_assert_int_eq(symlink(ls, soft), 0);
    ck_assert_int_eq(resolve(items, ls, NULL, &path), 0);
    ck_assert_str_eq(path, ls);
    free(path);
    ck_assert_int_eq(resolve(items, busybox, NULL, &path),
                     STATUS_PERMISSION_DENIED);
    ck_assert_int_eq(resolve(items, hard, NULL, &path),
                     STATUS_PERMISSION_DENIED);
    ck_assert_int_eq(resolve(items, soft, NULL, &path),
                     STATUS_PERMISSION_DENIED);
    unit_rmdir(dir);
}
END_TEST

/* Only "*" lets a request say where programs are looked for. */
START_TEST(search_of_the_request)
{
    char *dir = unit_tmpdir();
    AUTO_FREE char *fake = make_program(dir, "ls", 0755);
    AUTO_FREE char *search = NULL;
    AUTO_FREE char *none = NULL;
    AUTO_FREE char *listed = NULL;
    AUTO_FREE char *wild = NULL;
    char *path;

    ck_assert_int_eq(resolve(some, "ls", dir, &listed), 0);
    ck_assert_str_ne(listed, fake);
    ck_assert_int_eq(resolve(any, "ls", dir, &wild), 0);
    ck_assert_str_eq(wild, fake);
    ck_assert_int_eq(resolve(any, "cat", dir, &path), STATUS_CMD_NOT_FOUND);
    ck_assert_int_gt(asprintf(&search, "/nonexistent::%s:", dir), 0);
    ck_assert_int_eq(resolve(any, "ls", search, &none), 0);
    ck_assert_str_eq(none, fake);
    ck_assert_int_eq(resolve(any, "ls", "", &path), STATUS_CMD_NOT_FOUND);
    ck_assert_int_eq(resolve(any, "ls", ":", &path), STATUS_CMD_NOT_FOUND);
    unit_rmdir(dir);
}
END_TEST

/* A file that nobody may run is no program, nor is a folder. */
START_TEST(search_skips)
{
    char *first = unit_tmpdir();
    char *second = unit_tmpdir();
    char *third = unit_tmpdir();
    AUTO_FREE char *data = make_program(first, "prog", 0644);
    AUTO_FREE char *folder = unit_path(second, "prog");
    AUTO_FREE char *real = make_program(third, "prog", 0755);
    AUTO_FREE char *search = NULL;
    AUTO_FREE char *path = NULL;

    ck_assert_int_eq(access(data, X_OK), -1);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    ck_assert_int_gt(asprintf(&search, "%s:%s:%s", first, second, third), 0);
    ck_assert_int_eq(resolve(any, "prog", search, &path), 0);
    ck_assert_str_eq(path, real);
    ck_assert_int_eq(rmdir(folder), 0);
    unit_rmdir(first);
    unit_rmdir(second);
    unit_rmdir(third);
}
END_TEST

/* A relative path is relative to the command's folder, which the agent's own
 * says nothing about. */
START_TEST(relative_path)
{
    AUTO_FREE char *path = NULL;

    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(resolve(any, "./" MISSING, NULL, &path), 0);
    ck_assert_str_eq(path, "./" MISSING);
}
END_TEST

static const struct {
    const char *command;
    int result;
} strings[] = {
    { "ls -l '/tmp/a b'", 0 },
    { "grep -E '(a)*[b]{2}?' \"x\" \\y #~!%^=+,.:@", 0 },
    { "", 0 },
    { "a\tb", 0 },
    { "\xE4\xB8\xAD", 0 },
    { "a|b", STATUS_PERMISSION_DENIED },
    { "a&b", STATUS_PERMISSION_DENIED },
    { "a;b", STATUS_PERMISSION_DENIED },
    { "a`b", STATUS_PERMISSION_DENIED },
    { "a$b", STATUS_PERMISSION_DENIED },
    { "a>b", STATUS_PERMISSION_DENIED },
    { "a<b", STATUS_PERMISSION_DENIED },
    { "a\nb", STATUS_PERMISSION_DENIED },
    { "a\rb", STATUS_PERMISSION_DENIED },
    { "|", STATUS_PERMISSION_DENIED },
    { "ls\n", STATUS_PERMISSION_DENIED },
    { "';'", STATUS_PERMISSION_DENIED }, /* quoting does not help */
    { "\\$", STATUS_PERMISSION_DENIED },
};

START_TEST(characters)
{
    struct error err = ERROR_INIT;
    int r = command_check_string(strings[_i].command, &err);

    ck_assert_msg(r == strings[_i].result, "'%s': %d", strings[_i].command, r);
    ck_assert_msg(!strpbrk(err.message, "\r\n"), "raw in a message");
}
END_TEST

/* Exactly these nine. */
START_TEST(all_characters)
{
    int refused = 0;

    for (int c = 1; c < 256; c++) {
        char text[4] = { 'a', (char) c, 'b', '\0' };

        refused += command_check_string(text, NULL) != 0;
    }
    ck_assert_int_eq(refused, 9);
}
END_TEST

START_TEST(agents_own)
{
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *again = NULL;
    char *none = NULL;

    ck_assert_int_eq(program_find("ls", &path, NULL), 0);
    ck_assert_int_eq(access(path, X_OK), 0);
    ck_assert_int_eq(program_find(path, &again, NULL), 0);
    ck_assert_str_eq(again, path);
    ck_assert_int_eq(program_find(MISSING, &none, NULL), STATUS_CMD_NOT_FOUND);
    ck_assert_int_eq(program_find("/" MISSING, &none, NULL),
                     STATUS_CMD_NOT_FOUND);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, table, 0, ARRAY_SIZE(rows));
    tcase_add_test(tcase, allowed_name_by_path);
    tcase_add_test(tcase, same_file_other_name);
    tcase_add_test(tcase, search_of_the_request);
    tcase_add_test(tcase, search_skips);
    tcase_add_test(tcase, relative_path);
    tcase_add_loop_test(tcase, characters, 0, ARRAY_SIZE(strings));
    tcase_add_test(tcase, all_characters);
    tcase_add_test(tcase, agents_own);
}
