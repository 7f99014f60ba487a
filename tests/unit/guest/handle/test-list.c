/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* file/list. */
#include <config.h>

#include "guest/port/session.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "unit/guest/files.h"
#include "unit/unit.h"
#include "util/clock.h"
#include "util/text.h"

const char unit_name[] = "list";

static void list(const char *path, const char *more, struct rig_answer *answer)
{
    ask_file("GET", "list", path, more, answer);
}

static void expect_code(const char *path, const char *more, int code)
{
    expect_file("GET", "list", path, more, code);
}

static struct json_object *entries(const struct rig_answer *answer)
{
    ck_assert_int_eq(answer->code, 0);
    return member(answer->data, "entries");
}

/* Return: the entry with this name, or NULL. */
static struct json_object *entry_of(const struct rig_answer *answer,
                                    const char *name)
{
    struct json_object *all = entries(answer);

    for (size_t i = 0; i < json_object_array_length(all); i++) {
        struct json_object *entry = json_object_array_get_idx(all, i);
        AUTO_FREE char *has = bytes_of(entry, "name");

        if (strcmp(has, name) == 0)
            return entry;
    }
    return NULL;
}

/* --- one page ------------------------------------------------------------ */

static void make_kinds(void)
{
    AUTO_FREE char *fifo = in_dir("fifo");
    AUTO_FREE char *file = in_dir("file");
    const struct timespec times[2] = { { 1, 0 }, { -5, 123456789 } };

    make_file("file", "12345");
    make_folder("folder");
    make_link("link", "some/where else");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(chmod(file, 04711), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, file, times, 0), 0);
}

START_TEST(kinds)
{
    static const char *const names[] = { "file", "folder", "link", "fifo" };
    static const char *const types[] = { "file", "directory", "symlink",
                                         "fifo" };
    struct rig_answer answer;

    make_kinds();
    list("@", "", &answer);
    ck_assert_int_eq(json_object_array_length(entries(&answer)), 4);
    ck_assert_str_eq(string(answer.data, "path"), rig.dir);
    ck_assert(json_object_get_boolean(member(answer.data, "folder")));
    ck_assert_ptr_null(member(answer.data, "cursor"));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct json_object *entry = entry_of(&answer, names[i]);

        ck_assert_str_eq(string(entry, "type"), types[i]);
        ck_assert_int_eq(json_object_object_length(entry), i == 2 ? 12 : 11);
    }
    ck_assert_str_eq(string(entry_of(&answer, "link"), "target"),
                     "some/where else");
    rig_answer_free(&answer);
}
END_TEST

START_TEST(members)
{
    AUTO_FREE char *file = in_dir("file");
    struct rig_answer answer;
    struct rig_answer info;
    struct json_object *entry;
    struct stat st;
    AUTO_FREE char *line = format("GET /api/v1/file/info?path=%s", file);
    AUTO_FREE char *text = rig_request(line, NULL);

    make_kinds();
    ck_assert_int_eq(stat(file, &st), 0);
    list("@", "", &answer);
    entry = entry_of(&answer, "file");
    ck_assert_int_eq(number(entry, "size"), 5);
    ck_assert_str_eq(string(entry, "mode"), "4711");
    ck_assert_int_eq(number(entry, "uid"), st.st_uid);
    ck_assert_int_eq(number(entry, "gid"), st.st_gid);
    ck_assert_int_eq(number(entry, "mtime"), -5);
    ck_assert_int_eq(number(entry, "mtime_ns"), 123456789);
    ck_assert_int_eq(number(entry, "allocated"), st.st_blocks * 512);
    rig_puts(&rig, text);
    rig_wait(&rig);
    rig_answer(&rig, &info);
    ck_assert_str_eq(string(entry, "owner"), string(info.data, "owner"));
    ck_assert_str_eq(string(entry, "group"), string(info.data, "group"));
    rig_answer_free(&info);
    rig_answer_free(&answer);
}
END_TEST

static const char *const odd_names[] = {
    " ",
    "a b",
    "%41",
    "?x=1&y",
    "\"",
    "\\",
    "\n",
    "\x01\x02\x03",
    "...",
    "\xc3\xa4",
    "\xff",
    "a\xffz",
    "\xed\xa0\x80",
    "-rf",
    "\x7f",
    "name_encoding",
    "*",
};

static bool are_bytes(const char *name)
{
    return !utf8_valid(name, strlen(name));
}

START_TEST(odd_bytes)
{
    struct rig_answer answer;

    for (size_t i = 0; i < ARRAY_SIZE(odd_names); i++)
        make_file(odd_names[i], "");
    make_link("link", "to \xff\n");
    list("@", "", &answer);
    ck_assert_uint_eq(json_object_array_length(entries(&answer)),
                      ARRAY_SIZE(odd_names) + 1);
    for (size_t i = 0; i < ARRAY_SIZE(odd_names); i++) {
        struct json_object *entry = entry_of(&answer, odd_names[i]);

        ck_assert_msg(entry != NULL, "no %zu", i);
        ck_assert_int_eq(
            json_object_object_get_ex(entry, "name_encoding", NULL),
            are_bytes(odd_names[i]));
    }
    {
        AUTO_FREE char *target = bytes_of(entry_of(&answer, "link"), "target");

        ck_assert_str_eq(target, "to \xff\n");
    }
    rig_answer_free(&answer);
}
END_TEST

/* The path comes back as it was asked for, whatever is in it. */
START_TEST(odd_folder)
{
    struct rig_answer answer;
    AUTO_FREE char *want = in_dir("b\xff 1");

    make_folder("b\xff 1");
    make_file("b\xff 1/in", "");
    list("@/b%FF%201", "", &answer);
    ck_assert_ptr_nonnull(entry_of(&answer, "in"));
    {
        AUTO_FREE char *path = bytes_of(answer.data, "path");

        ck_assert_str_eq(path, want);
    }
    rig_answer_free(&answer);
}
END_TEST

START_TEST(empty_folder)
{
    struct rig_answer answer;

    list("@", "", &answer);
    ck_assert_int_eq(json_object_array_length(entries(&answer)), 0);
    ck_assert_ptr_null(member(answer.data, "cursor"));
    rig_answer_free(&answer);
}
END_TEST

/* --- what is no folder --------------------------------------------------- */

static const struct {
    const char *path;
    bool folder;
    const char *only; /* name of the one entry */
    const char *type;
} alone[] = {
    { "@/file", false, "file", "file" },
    { "@/fifo", false, "fifo", "fifo" },
    { "@/folder/../file", false, "file", "file" },
    { "@/tofolder", false, "tofolder", "symlink" },
    { "@/dangling", false, "dangling", "symlink" },
    { "@/out", false, "out", "symlink" },
    { "@/tofolder/", true, "in", "file" },
    { "@/tofolder/.", true, "in", "file" },
    { "@/folder", true, "in", "file" },
    { "@/tofolder/in", false, "in", "file" },
};

START_TEST(no_folder)
{
    struct rig_answer answer;
    struct json_object *entry;

    make_kinds();
    make_file("folder/in", "");
    make_link("tofolder", "folder");
    make_link("dangling", "nowhere");
    make_link("out", "/");
    list(alone[_i].path, "", &answer);
    ck_assert_int_eq(json_object_array_length(entries(&answer)), 1);
    entry = entry_of(&answer, alone[_i].only);
    ck_assert_ptr_nonnull(entry);
    ck_assert_str_eq(string(entry, "type"), alone[_i].type);
    ck_assert_int_eq(json_object_get_boolean(member(answer.data, "folder")),
                     alone[_i].folder);
    rig_answer_free(&answer);
}
END_TEST

/* --- refusals ------------------------------------------------------------ */

static const struct {
    const char *path;
    const char *more;
    int code;
} refusals[] = {
    { "@/missing", "", STATUS_FILE_NOT_FOUND },
    { "@/missing/deeper", "", STATUS_FILE_NOT_FOUND },
    { "@/file/below", "", STATUS_FILE_NOT_FOUND },
    { "@/file/", "", STATUS_FILE_NOT_FOUND },
    { "/", "", STATUS_PERMISSION_DENIED },
    { "@/..", "", STATUS_PERMISSION_DENIED },
    { "/missing", "", STATUS_PERMISSION_DENIED },
    { "@/out/", "", STATUS_PERMISSION_DENIED },
    { "@/out/etc", "", STATUS_PERMISSION_DENIED },
    { "@/no", "", STATUS_PERMISSION_DENIED },
    { "@/no/", "", STATUS_PERMISSION_DENIED },
    { "@/tono/", "", STATUS_PERMISSION_DENIED },
    { "@/no/folder", "", STATUS_PERMISSION_DENIED },
    { "relative", "", STATUS_INVALID_PARAMS },
    { "", "", STATUS_INVALID_PARAMS },
    { "@/%ZZ", "", STATUS_INVALID_PARAMS },
    { "@/%00", "", STATUS_INVALID_PARAMS },
    { "@", "&path=/", STATUS_INVALID_PARAMS },
    { "@", "&cursor=", STATUS_INVALID_PARAMS },
    { "@", "&cursor=x", STATUS_INVALID_PARAMS },
    { "@", "&cursor=1e9", STATUS_INVALID_PARAMS },
    { "@", "&cursor=-1", STATUS_INVALID_PARAMS },
    { "@", "&cursor=99999999999999999999", STATUS_INVALID_PARAMS },
};

START_TEST(refused)
{
    make_file("file", "");
    make_folder("no");
    make_folder("no/folder");
    make_link("tono", "no");
    make_link("out", "/");
    expect_code(refusals[_i].path, refusals[_i].more, refusals[_i].code);
}
END_TEST

START_TEST(no_path)
{
    AUTO_FREE char *text = rig_request("GET /api/v1/file/list", NULL);

    rig_puts(&rig, text);
    rig_expect(&rig, 400, STATUS_MISSING_REQUIRED);
}
END_TEST

/* That a forbidden thing is there may be known, and no more. */
START_TEST(forbidden_entries)
{
    struct rig_answer answer;

    make_folder("no");
    make_file("no/file", "x");
    list("@", "", &answer);
    ck_assert_str_eq(string(entry_of(&answer, "no"), "type"), "directory");
    rig_answer_free(&answer);
    list("@/no/file", "", &answer);
    ck_assert_int_eq(number(entry_of(&answer, "file"), "size"), 1);
    rig_answer_free(&answer);
}
END_TEST

/* Whoever may not look is told so, and not by an empty list. */
START_TEST(unreadable)
{
    AUTO_FREE char *path = in_dir("closed");

    make_folder("closed");
    ck_assert_int_eq(chmod(path, 0), 0);
    expect_code("@/closed", "", geteuid() == 0 ? 0 : STATUS_PERMISSION_DENIED);
    ck_assert_int_eq(chmod(path, 0700), 0);
}
END_TEST

/* --- pages --------------------------------------------------------------- */

static void numbered(char name[16], unsigned int i)
{
    snprintf(name, 16, "f%05u", i);
}

static void make_numbered(unsigned int from, unsigned int to)
{
    for (unsigned int i = from; i < to; i++) {
        char name[16];

        numbered(name, i);
        make_file(name, "");
    }
}

static void remove_numbered(unsigned int i)
{
    char name[16];
    AUTO_FREE char *path = NULL;

    numbered(name, i);
    path = in_dir(name);
    ck_assert_int_eq(unlink(path), 0);
}

#define NUMBERS 5000

/* How often each number came. */
struct seen {
    unsigned int times[NUMBERS];
    unsigned int pages;
    size_t largest; /* page */
};

/* Takes the next page.  Return: the query for the one behind it, or NULL. */
static char *see(struct seen *seen, const char *more)
{
    struct rig_answer answer;
    struct json_object *all;
    char *next = NULL;
    size_t n;

    list("@", more, &answer);
    all = entries(&answer);
    n = json_object_array_length(all);
    for (size_t i = 0; i < n; i++) {
        const char *name = string(json_object_array_get_idx(all, i), "name");
        unsigned long k = strtoul(name + 1, NULL, 10);

        ck_assert_uint_lt(k, NUMBERS);
        seen->times[k]++;
    }
    if (n > seen->largest)
        seen->largest = n;
    seen->pages++;
    if (member(answer.data, "cursor")) {
        ck_assert_uint_gt(n, 0);
        next = format("&cursor=%s", string(answer.data, "cursor"));
    }
    rig_answer_free(&answer);
    return next;
}

static void see_rest(struct seen *seen, char *more)
{
    while (more) {
        char *next = see(seen, more);

        free(more);
        more = next;
        ck_assert_uint_lt(seen->pages, 100);
    }
}

static const unsigned int sizes[] = { LIST_PAGE - 1, LIST_PAGE, LIST_PAGE + 1,
                                      3 * LIST_PAGE + 7 };

START_TEST(pages)
{
    struct seen seen = { .pages = 0 };

    make_numbered(0, sizes[_i]);
    see_rest(&seen, see(&seen, ""));
    for (unsigned int i = 0; i < NUMBERS; i++)
        ck_assert_uint_eq(seen.times[i], i < sizes[_i]);
    ck_assert_uint_eq(seen.pages, (sizes[_i] + LIST_PAGE - 1) / LIST_PAGE);
    ck_assert_uint_le(seen.largest, LIST_PAGE);
}
END_TEST

/* What comes or goes between two pages: whatever was there all the time is
 * told, and it ends. */
START_TEST(changing_folder)
{
    struct seen seen = { .pages = 0 };
    unsigned int removed = 0;
    char *more;

    make_numbered(0, 3000);
    more = see(&seen, "");
    make_numbered(3000, 3500);
    for (unsigned int i = 0; i < 3000 && removed < 500; i++)
        if (!seen.times[i]) {
            remove_numbered(i);
            seen.times[i] = 1; /* that it is told is not asked */
            removed++;
        }
    see_rest(&seen, more);
    for (unsigned int i = 0; i < 3000; i++)
        ck_assert_msg(seen.times[i] > 0, "%u", i);
}
END_TEST

/* All of it goes while it is read. */
START_TEST(vanishing_folder)
{
    struct seen seen = { .pages = 0 };
    AUTO_FREE char *more = NULL;
    struct rig_answer answer;

    make_numbered(0, 2000);
    more = see(&seen, "");
    for (unsigned int i = 0; i < 2000; i++)
        remove_numbered(i);
    list("@", more, &answer);
    ck_assert_int_eq(json_object_array_length(entries(&answer)), 0);
    ck_assert_ptr_null(member(answer.data, "cursor"));
    rig_answer_free(&answer);
}
END_TEST

/* What is read, and is gone when it is looked at, is not told. */
START_TEST(race)
{
    pid_t pid;

    make_folder("folder");
    pid = fork();
    while (pid == 0) {
        for (int i = 0; i < 200; i++) {
            AUTO_FREE char *name = format("folder/%d", i);

            make_file(name, "");
        }
        for (int i = 0; i < 200; i++) {
            AUTO_FREE char *name = format("folder/%d", i);
            AUTO_FREE char *path = in_dir(name);

            unlink(path);
        }
    }
    for (int i = 0; i < 500; i++) {
        struct rig_answer answer;
        struct json_object *all;

        list("@/folder", "", &answer);
        all = entries(&answer);
        for (size_t k = 0; k < json_object_array_length(all); k++)
            ck_assert_str_eq(string(json_object_array_get_idx(all, k), "type"),
                             "file");
        rig_answer_free(&answer);
    }
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* Long names, or long targets, make smaller pages. */
START_TEST(long_names)
{
    char long_target[PATH_MAX] = "";
    struct seen seen = { .pages = 0 };

    memset(long_target, 't', sizeof(long_target) - 1);
    for (unsigned int i = 0; i < 200; i++) {
        char name[16];

        numbered(name, i);
        make_link(name, long_target);
    }
    see_rest(&seen, see(&seen, ""));
    for (unsigned int i = 0; i < 200; i++)
        ck_assert_uint_eq(seen.times[i], 1);
    ck_assert_uint_eq(seen.pages, 4);
    ck_assert_uint_le(seen.largest, LIST_NAMES_MAX / PATH_MAX + 1);
}
END_TEST

/* The loop stands still for this long.  Generous: other things run here, and
 * sanitizers; it takes two milliseconds else. */
START_TEST(quick)
{
    struct seen seen = { .pages = 0 };
    clock_t best = CLOCKS_PER_SEC;

    make_numbered(0, LIST_PAGE);
    for (int i = 0; i < 5; i++) {
        clock_t start = clock(); /* of this process: others run as well */
        clock_t took;

        free(see(&seen, ""));
        took = clock() - start;
        if (took < best)
            best = took;
    }
    ck_assert_msg(best < CLOCKS_PER_SEC / 5, "%ld us", (long) best);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, files_setup, session_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, kinds);
    tcase_add_test(tcase, members);
    tcase_add_test(tcase, odd_bytes);
    tcase_add_test(tcase, odd_folder);
    tcase_add_test(tcase, empty_folder);
    tcase_add_loop_test(tcase, no_folder, 0, ARRAY_SIZE(alone));
    tcase_add_loop_test(tcase, refused, 0, ARRAY_SIZE(refusals));
    tcase_add_test(tcase, no_path);
    tcase_add_test(tcase, forbidden_entries);
    tcase_add_test(tcase, unreadable);
    tcase_add_loop_test(tcase, pages, 0, ARRAY_SIZE(sizes));
    tcase_add_test(tcase, changing_folder);
    tcase_add_test(tcase, vanishing_folder);
    tcase_add_test(tcase, race);
    tcase_add_test(tcase, long_names);
    tcase_add_test(tcase, quick);
}
