/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* file/remove, and the removal of trees behind it. */
#include <config.h>

#include "guest/file/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/status.h"
#include "unit/guest/files.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"

const char unit_name[] = "remove";

#define FAILED STATUS_FILE_OPERATION_FAILED
#define MISSING STATUS_FILE_NOT_FOUND
#define DENIED STATUS_PERMISSION_DENIED
#define INVALID STATUS_INVALID_PARAMS

static void setup(void)
{
    files_setup();
    make_folder("no");
    make_file("no/file", "");
    make_folder("ro");
    make_file("ro/file", "");
    make_folder("tree");
    make_folder("tree/sub");
    make_folder("tree/sub/empty");
    make_file("tree/file", "");
    make_file("tree/sub/file", "");
    make_file("kept", "kept");
    make_link("tree/tokept", "../kept");
    make_link("tree/sub/toro", "../../ro");
    make_link("tree/sub/out", "/");
    make_link("tokept", "kept");
    make_link("totree", "tree");
    make_link("dangling", "nowhere");
}

#define TREE 8 /* files and folders of it, with itself */

/* Everything else is as it was. */
static void expect_others(void)
{
    ck_assert(is_there("no/file"));
    ck_assert(is_there("ro/file"));
    ck_assert(is_there("kept"));
}

static void expect_removed(const char *path, const char *more, int64_t n)
{
    struct rig_answer answer;

    ask_file("POST", "remove", path, more, &answer);
    ck_assert_msg(answer.code == 0, "%s%s: %s", path, more, answer.body);
    ck_assert_int_eq(number(answer.data, "removed"), n);
    rig_answer_free(&answer);
    expect_others();
}

/* --- one thing ----------------------------------------------------------- */

static const struct {
    const char *name;
    const char *more;
} singles[] = {
    { "tree/file", "" },
    { "tree/file", "&recursive=true" },
    { "tokept", "" },
    { "tokept", "&recursive=true" },
    { "totree", "" },
    { "totree", "&recursive=true" },
    { "dangling", "&missing_ok=true" },
    { "tree/sub/out", "&recursive=true" },
    { "tree/sub/toro", "&recursive=true" },
    { "tree/sub/empty", "&recursive=true" },
};

START_TEST(single)
{
    AUTO_FREE char *path = format("@/%s", singles[_i].name);

    expect_removed(path, singles[_i].more, 1);
    ck_assert(!is_there(singles[_i].name));
    ck_assert(is_there("tree/sub"));
    expect_file("POST", "remove", path, "", MISSING);
    expect_removed(path, "&missing_ok=true", 0);
}
END_TEST

/* With a worker, because it may take long. */
START_TEST(large_file)
{
    AUTO_FREE char *path = in_dir("large");
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (posix_fallocate(fd, 0, 20 * 1024 * 1024) == 0) {
        AUTO_FREE char *line = format("POST /api/v1/file/remove?path=%s",
                                      path);
        AUTO_FREE char *text = rig_request(line, NULL);

        rig_puts(&rig, text);
        ck_assert(!spin_childless(NULL));
        rig_expect(&rig, 200, 0);
        ck_assert(!is_there("large"));
    }
    close(fd);
}
END_TEST

START_TEST(odd_bytes)
{
    make_file("tree/a\xff\n %", "");
    expect_removed("@/tree/a%FF%0a%20%25", "", 1);
    make_file("tree/a\xff\n %", "");
    make_file("tree/-rf", "");
    expect_removed("@/tree", "&recursive=true", TREE + 2);
}
END_TEST

static const struct {
    const char *path;
    const char *more;
    int code;
} refusals[] = {
    { "@/tree", "", FAILED },
    { "@/tree/sub/empty", "", FAILED },
    { "@/tree", "&recursive=false", FAILED },
    { "@/tree", "&recursive=2", INVALID },
    { "@/tree", "&missing_ok=", INVALID },
    { "@/missing", "", MISSING },
    { "@/missing/deeper", "", MISSING },
    { "@/kept/deeper", "", MISSING },
    { "@/no/file", "", DENIED },
    { "@/no/missing", "&missing_ok=true", DENIED },
    { "@/no", "&recursive=true", DENIED },
    { "@/ro/file", "", DENIED },
    { "@/ro", "&recursive=true", DENIED },
    { "@/tree/sub/toro/file", "", DENIED },
    { "@/tree/sub/out/etc/passwd", "", DENIED },
    { "@", "&recursive=true", DENIED },
    { "@/", "&recursive=true", DENIED },
    { "@/.", "&recursive=true", INVALID },
    { "@/tree/..", "&recursive=true", INVALID },
    { "@/..", "&recursive=true", INVALID },
    { "/", "&recursive=true", INVALID },
    { "//", "&recursive=true", INVALID },
    { "/tmp", "&recursive=true", DENIED },
    { "tree", "&recursive=true", INVALID },
};

START_TEST(refused)
{
    expect_file("POST", "remove", refusals[_i].path, refusals[_i].more,
                refusals[_i].code);
    expect_others();
    ck_assert(is_there("tree/sub/empty"));
    ck_assert(is_there("tree/file"));
}
END_TEST

/* --- trees --------------------------------------------------------------- */

START_TEST(tree)
{
    expect_removed("@/tree", "&recursive=true", TREE);
    ck_assert(!is_there("tree"));
    ck_assert(spin_until(&rig.agent.loop, spin_childless, NULL));
}
END_TEST

/* The loop goes on meanwhile. */
START_TEST(tree_in_a_worker)
{
    AUTO_FREE char *line = format("POST /api/v1/file/remove?path=%s/tree"
                                  "&recursive=true",
                                  rig.dir);
    AUTO_FREE char *text = rig_request(line, NULL);

    rig_puts(&rig, text);
    ck_assert(!spin_childless(NULL));
    ck_assert_int_eq(state(), SESSION_WORK);
    rig_expect(&rig, 200, 0);
}
END_TEST

static void add_policy(struct strlist *list, const char *name)
{
    AUTO_FREE char *path = in_dir(name);

    ck_assert_int_eq(strlist_add(list, path), 0);
}

/* Before anything is removed, and whether it is there or not. */
START_TEST(tree_with_policy)
{
    static const char *const names[] = { "tree/sub/empty", "tree/missing",
                                         "tree/sub/file/x", "tree" };
    struct path_policy *paths = &rig.agent.paths;
    struct strlist *lists[] = { &paths->allowed, &paths->readonly,
                                &paths->forbidden };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
            add_policy(lists[k], names[i]);
            expect_file("POST", "remove", "@/tree", "&recursive=true", DENIED);
            free(lists[k]->items[--lists[k]->n]);
            lists[k]->items[lists[k]->n] = NULL;
        }
    ck_assert(is_there("tree/file"));
    expect_removed("@/tree", "&recursive=true", TREE);
}
END_TEST

/* Has something been removed of so many? */
static bool sub_shrinks(void *arg)
{
    AUTO_FREE char *path = unit_path(rig.dir, "tree/sub");
    DIR *folder = opendir(path);
    int n = 0;

    while (folder && readdir(folder))
        n++;
    if (folder)
        closedir(folder);
    return n - 2 < *(const int *) arg; /* "." and ".." */
}

/* A client that goes leaves no worker, and what is left can be removed. */
START_TEST(tree_left)
{
    AUTO_FREE char *line = format("POST /api/v1/file/remove?path=%s/tree"
                                  "&recursive=true",
                                  rig.dir);
    AUTO_FREE char *text = rig_request(line, NULL);

    for (int i = 0; i < 300; i++) {
        AUTO_FREE char *name = format("tree/sub/%d", i);

        make_file(name, "");
    }
    rig_puts(&rig, text);
    ck_assert(spin_until(&rig.agent.loop, sub_shrinks, &(int) { 300 }));
    session_hangup(&rig.agent.session);
    ck_assert(spin_until(&rig.agent.loop, spin_childless, NULL));
    session_connected(&rig.agent.session, true);
    rig_puts(&rig, MARK SYNC);
    rig_expect(&rig, 200, 0);
    expect_file("POST", "remove", "@/tree", "&recursive=true&missing_ok=true",
                0);
    ck_assert(!is_there("tree"));
    expect_others();
}
END_TEST

/* With an id it goes on, and who comes back gets its answer. */
START_TEST(tree_comes_again)
{
    AUTO_FREE char *line = format("POST /api/v1/file/remove?path=%s/tree"
                                  "&recursive=true",
                                  rig.dir);
    AUTO_FREE char *text = rig_request_with(line, "X-Request-ID: one\r\n",
                                            NULL);
    struct rig_answer answer;

    rig_puts(&rig, text);
    session_hangup(&rig.agent.session);
    session_connected(&rig.agent.session, true);
    rig_puts(&rig, MARK SYNC);
    rig_expect(&rig, 200, 0);
    rig_puts(&rig, text);
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_int_eq(answer.code, 0);
    ck_assert(answer.replayed);
    ck_assert_int_eq(number(answer.data, "removed"), TREE);
    rig_answer_free(&answer);
    ck_assert(!is_there("tree"));
}
END_TEST

/* --- without the agent --------------------------------------------------- */

static struct remove_report take(const char *name)
{
    AUTO_FREE char *path = in_dir(name);
    struct remove_report report = { 0 };
    int dir = open(rig.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    remove_tree(dir, name, path, &report);
    close(dir);
    return report;
}

static int descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static const int depths[] = { 1,
                              REMOVE_DEPTH - 2,
                              REMOVE_DEPTH - 1,
                              REMOVE_DEPTH,
                              REMOVE_DEPTH + 1,
                              2 * REMOVE_DEPTH,
                              10000 };

/* Deeper than paths can be, with a file at each end. */
START_TEST(deep)
{
    int before = descriptors();
    int dir = open(rig.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct remove_report report;

    for (int i = 0; i <= depths[_i]; i++) {
        int next;

        ck_assert_int_eq(mkdirat(dir, i ? "d" : "deep", 0700), 0);
        next = openat(dir, i ? "d" : "deep",
                      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(dir);
        dir = next;
        ck_assert_int_eq(mknodat(dir, "file", S_IFREG | 0600, 0), 0);
    }
    close(dir);
    report = take("deep");
    ck_assert_msg(report.code == 0, "%s", report.message);
    ck_assert_int_eq(report.removed, 2 * (depths[_i] + 1));
    ck_assert(!is_there("deep"));
    ck_assert_int_eq(descriptors(), before);
}
END_TEST

/* Many at once in one folder: its reading is not upset by the removals. */
START_TEST(wide)
{
    struct remove_report report;

    make_folder("wide");
    for (int i = 0; i < 3000; i++) {
        AUTO_FREE char *name = format("wide/%d", i);

        if (i % 3)
            make_file(name, "");
        else
            make_folder(name);
    }
    report = take("wide");
    ck_assert_msg(report.code == 0, "%s", report.message);
    ck_assert_int_eq(report.removed, 3001);
}
END_TEST

START_TEST(not_a_tree)
{
    struct remove_report report = take("missing");

    ck_assert_int_eq(report.code, 0);
    ck_assert_int_eq(report.removed, 0);
    /* it became one after it was looked at */
    report = take("totree");
    ck_assert_int_eq(report.code, 0);
    ck_assert_int_eq(report.removed, 1);
    ck_assert(!is_there("totree"));
    ck_assert(is_there("tree/sub/file"));
}
END_TEST

/* From here on nothing can be removed from "tree/sub", also by root. */
static void lose_rights(void)
{
    AUTO_FREE char *tree_path = in_dir("tree");
    AUTO_FREE char *sub = in_dir("tree/sub");

    ck_assert_int_eq(chmod(rig.dir, 0755), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(tree_path, 65534, 65534), 0);
        ck_assert_int_eq(seteuid(65534), 0);
    } else {
        ck_assert_int_eq(chmod(sub, 0500), 0);
    }
}

static void regain_rights(void)
{
    AUTO_FREE char *sub = in_dir("tree/sub");

    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    else
        ck_assert_int_eq(chmod(sub, 0700), 0);
}

/* It ends at the first, and says which and how many are gone. */
START_TEST(failure)
{
    AUTO_FREE char *sub = in_dir("tree/sub");
    int before = descriptors();
    struct rig_answer answer;
    struct remove_report report;

    lose_rights();
    report = take("tree");
    ck_assert_int_eq(report.code, -EACCES);
    ck_assert_msg(strstr(report.message, sub) != NULL, "%s", report.message);
    ck_assert_int_le(report.removed, 2);
    ck_assert_int_eq(descriptors(), before);
    ask_file("POST", "remove", "@/tree", "&recursive=true", &answer);
    ck_assert_int_eq(answer.code, DENIED);
    ck_assert_int_ge(number(answer.data, "removed"), 0);
    ck_assert(strstr(string(answer.data, "detail"), sub) != NULL);
    rig_answer_free(&answer);
    regain_rights();
    ck_assert(is_there("tree/sub/file"));
    expect_others();
}
END_TEST

/* Somebody swaps folders for links and back as fast as possible: nothing but
 * what is in the tree ever goes. */
static void swap_things(const char *path)
{
    AUTO_FREE char *target = in_dir("ro");
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (;;) {
        mkdirat(dir, "x", 0700);
        unlinkat(dir, "x", AT_REMOVEDIR);
        if (symlinkat(target, dir, "x") < 0 && errno == ENOENT)
            _exit(0); /* the tree is gone */
        unlinkat(dir, "x", 0);
    }
}

START_TEST(race)
{
    AUTO_FREE char *path = in_dir("tree");

    for (int i = 0; i < 30; i++) {
        struct remove_report report;
        pid_t pid;

        if (!is_there("tree"))
            make_folder("tree");
        for (int k = 0; k < 30; k++) {
            AUTO_FREE char *name = format("tree/%d", k);

            make_folder(name);
        }
        pid = fork();
        if (pid == 0)
            swap_things(path);
        report = take("tree");
        ck_assert_msg(report.code == 0 || report.code == -ENOTEMPTY
                          || report.code == -EISDIR || report.code == -ENOTDIR,
                      "%d %s", report.code, report.message);
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        expect_others();
        ck_assert_int_eq(take("tree").code, 0);
    }
}
END_TEST

/* What is filled as fast as it is emptied is given up. */
START_TEST(refilled)
{
    AUTO_FREE char *path = in_dir("tree");
    pid_t pid = fork();
    struct remove_report report;

    if (pid == 0) {
        int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        for (unsigned int i = 0;; i++) {
            AUTO_FREE char *name = format("f%u", i);

            if (mknodat(dir, name, S_IFREG | 0600, 0) < 0 && errno == ENOENT)
                _exit(0);
        }
    }
    report = take("tree");
    ck_assert_msg(report.code == 0 || report.code == -ENOTEMPTY, "%d %s",
                  report.code, report.message);
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    expect_others();
}
END_TEST

/* A mount point keeps the whole tree; /proc is one everywhere. */
START_TEST(mounted)
{
    struct remove_report report = { 0 };
    int dir = open(rig.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* Only the words are looked at: "tree" is said to be the root. */
    remove_tree(dir, "tree", "/proc", &report);
    ck_assert_int_eq(report.code, -EBUSY);
    ck_assert(strstr(report.message, "mount point") != NULL);
    ck_assert_int_eq(report.removed, 0);
    ck_assert(is_there("tree/file"));
    /* a name that only begins like a mount point's */
    report = (struct remove_report) { 0 };
    remove_tree(dir, "tree", "/pro", &report);
    ck_assert_int_eq(report.code, 0);
    close(dir);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, session_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, single, 0, ARRAY_SIZE(singles));
    tcase_add_test(tcase, large_file);
    tcase_add_test(tcase, odd_bytes);
    tcase_add_loop_test(tcase, refused, 0, ARRAY_SIZE(refusals));
    tcase_add_test(tcase, tree);
    tcase_add_test(tcase, tree_in_a_worker);
    tcase_add_test(tcase, tree_with_policy);
    tcase_add_test(tcase, tree_left);
    tcase_add_test(tcase, tree_comes_again);
    tcase_add_loop_test(tcase, deep, 0, ARRAY_SIZE(depths));
    tcase_add_test(tcase, wide);
    tcase_add_test(tcase, not_a_tree);
    tcase_add_test(tcase, failure);
    tcase_add_test(tcase, race);
    tcase_add_test(tcase, refilled);
    tcase_add_test(tcase, mounted);
}
