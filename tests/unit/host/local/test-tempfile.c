/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/local/tempfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/forbid.h"
#include "unit/host/capture.h"
#include "unit/unit.h"

const char unit_name[] = "tempfile";

static char *dir;
static char *path;

static void setup(void)
{
    dir = unit_tmpdir();
    path = unit_path(dir, "file");
    umask(022);
}

static void teardown(void)
{
    free(path);
    unit_rmtree(dir);
}

static const struct tempfile_options plain = { .durable = true };

static int files(void)
{
    DIR *folder = opendir(dir);
    int n = 0;

    for (struct dirent *entry; (entry = readdir(folder));)
        n += strcmp(entry->d_name, ".") != 0
             && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return n;
}

static void begin(struct tempfile *file, const char *where, const char *text)
{
    struct error err = ERROR_INIT;
    int64_t there;

    ck_assert_msg(tempfile_find(file, where, &err) == 0, "%s", err.message);
    ck_assert_msg(tempfile_begin(file, false, &there, &err) == 0, "%s",
                  err.message);
    ck_assert_int_eq(write(file->fd, text, strlen(text)),
                     (ssize_t) strlen(text));
}

static void expect_file(const char *where, const char *text, unsigned int mode)
{
    AUTO_FREE char *got = unit_read_file(where);
    struct stat st;

    ck_assert_str_eq(got, text);
    ck_assert_int_eq(stat(where, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, mode);
}

START_TEST(appears_when_complete)
{
    static const unsigned int masks[][2] = {
        { 022, 0644 }, { 077, 0600 }, { 0, 0666 }, { 027, 0640 }
    };
    const unsigned int *mask = masks[_i];
    struct tempfile file;

    if (!forbid_unnamed(_i % 2))
        return;
    umask(mask[0]);
    begin(&file, path, "new");
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_int_eq(files(), _i % 2); /* hidden, or not even that */
    ck_assert_int_eq(tempfile_commit(&file, &plain, NULL), 0);
    tempfile_close(&file);
    tempfile_close(&file); /* no harm */
    expect_file(path, "new", mask[1]);
    ck_assert_int_eq(files(), 1);
    ck_assert_uint_eq(umask(0), mask[0]);
}
END_TEST

START_TEST(gone_when_not_committed)
{
    struct tempfile file;

    begin(&file, path, "half");
    tempfile_close(&file);
    ck_assert_int_eq(files(), 0);
    unit_write_file(path, "old");
    begin(&file, path, "half");
    expect_file(path, "old", 0644);
    tempfile_close(&file);
    expect_file(path, "old", 0644);
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(replaces)
{
    struct tempfile file;

    unit_write_file(path, "old");
    begin(&file, path, "new");
    ck_assert_int_eq(tempfile_commit(&file, &plain, NULL), 0);
    tempfile_close(&file);
    expect_file(path, "new", 0644);
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(follows_links)
{
    AUTO_FREE char *link = unit_path(dir, "link");
    struct tempfile file;
    struct stat st;

    unit_write_file(path, "old");
    ck_assert_int_eq(symlink("file", link), 0);
    begin(&file, link, "new");
    ck_assert_int_eq(tempfile_commit(&file, &plain, NULL), 0);
    tempfile_close(&file);
    expect_file(path, "new", 0644);
    ck_assert_int_eq(lstat(link, &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    ck_assert_int_eq(files(), 2);
}
END_TEST

START_TEST(in_the_current_folder)
{
    struct tempfile file;

    ck_assert_int_eq(chdir(dir), 0);
    begin(&file, "file", "new");
    ck_assert_int_eq(tempfile_commit(&file, &plain, NULL), 0);
    tempfile_close(&file);
    expect_file(path, "new", 0644);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

/* What is no regular file is written into as it is, and stays. */
START_TEST(devices)
{
    struct tempfile file;
    AUTO_FREE char *got = NULL;
    struct stat st;
    size_t n;

    begin(&file, "/dev/null", "x");
    ck_assert_ptr_null(file.name);
    ck_assert_int_eq(tempfile_commit(&file, &plain, NULL), 0);
    tempfile_close(&file);
    ck_assert_int_eq(stat("/dev/null", &st), 0);
    ck_assert(S_ISCHR(st.st_mode));
    capture_start(1);
    begin(&file, "-", "to the output");
    ck_assert_int_eq(tempfile_commit(&file, &plain, NULL), 0);
    tempfile_close(&file);
    got = capture_end(1, &n);
    ck_assert_str_eq(got, "to the output");
    ck_assert_int_eq(files(), 0);
}
END_TEST

/* What is replaced keeps its mode, unless another one is asked for; set-id
 * bits it does not. */
START_TEST(mode_is_kept)
{
    static const mode_t wish = 0751;
    static const struct {
        mode_t old; /* 0: nothing is there */
        const mode_t *mode;
        bool own_mode;
        mode_t want;
    } cases[] = {
        { 0, NULL, false, 0644 },     { 0600, NULL, false, 0600 },
        { 0755, NULL, false, 0755 },  { 06755, NULL, false, 0755 },
        { 0, &wish, true, 0751 },     { 0600, &wish, true, 0600 },
        { 0600, &wish, false, 0751 },
    };
    struct tempfile_options options = { .durable = false };
    struct tempfile file;

    options.mode = cases[_i].mode;
    options.own_mode = cases[_i].own_mode;
    if (cases[_i].old) {
        unit_write_file(path, "old");
        ck_assert_int_eq(chmod(path, cases[_i].old), 0);
    }
    begin(&file, path, "new");
    ck_assert_int_eq(tempfile_commit(&file, &options, NULL), 0);
    tempfile_close(&file);
    expect_file(path, "new", cases[_i].want);
}
END_TEST

/* Nothing is written through a link that leads to nothing, and in a folder
 * nothing but a file or a link is replaced. */
START_TEST(in_the_way)
{
    AUTO_FREE char *pipe = unit_path(dir, "pipe");
    int folder = open(dir, O_RDONLY | O_DIRECTORY);
    struct tempfile file;

    ck_assert_int_eq(symlink("nowhere", path), 0);
    ck_assert_int_eq(tempfile_find(&file, path, NULL), -ENOENT);
    tempfile_close(&file);
    ck_assert_int_eq(mkfifo(pipe, 0600), 0);
    ck_assert_int_eq(tempfile_find_at(&file, folder, "pipe", pipe, NULL),
                     -EEXIST);
    tempfile_close(&file);
    ck_assert_int_eq(files(), 2);
    close(folder);
}
END_TEST

START_TEST(descriptors)
{
    static const struct {
        const char *path;
        int descriptor;
    } cases[] = {
        { "-", 1 },
        { "/dev/stdout", 1 },
        { "/dev/stderr", 2 },
        { "/dev/fd/7", 7 },
        { "/proc/self/fd/1", 1 },
        { "/proc/self/fd/../fd/3", 3 },
        { "/dev/null", -1 },
        { "/dev/fd/x", -1 },
        { "/dev/fd/", -1 },
        { "/proc/self/fdinfo/1", -1 },
        { "link", 1 },
        { "link2", 1 },
        { "loop", -1 },
        { "none", -1 },
        { "./1", -1 },
        { "1", -1 },
        { "", -1 },
    };

    ck_assert_int_eq(chdir(dir), 0);
    ck_assert_int_eq(symlink("/dev/stdout", "link"), 0);
    ck_assert_int_eq(symlink("./link", "link2"), 0);
    ck_assert_int_eq(symlink("loop", "loop"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_msg(tempfile_descriptor(cases[i].path)
                          == cases[i].descriptor,
                      "'%s'", cases[i].path);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(cannot)
{
    AUTO_FREE char *missing = unit_path(dir, "missing/file");
    char name[NAME_MAX + 2] = "";
    AUTO_FREE char *longest = NULL;
    struct error err = ERROR_INIT;
    struct tempfile file;

    ck_assert_int_eq(tempfile_find(&file, missing, &err), -ENOENT);
    ck_assert_ptr_nonnull(strstr(err.message, missing));
    tempfile_close(&file);
    ck_assert_int_eq(tempfile_find(&file, dir, NULL), -EISDIR);
    tempfile_close(&file);
    memset(name, 'n', NAME_MAX + 1);
    longest = unit_path(dir, name);
    begin(&file, longest, "new");
    ck_assert_int_eq(tempfile_commit(&file, &plain, NULL), -ENAMETOOLONG);
    tempfile_close(&file);
    ck_assert_int_eq(files(), 0);
    /* the place is taken by a folder in the meantime */
    begin(&file, path, "new");
    ck_assert_int_eq(mkdir(path, 0755), 0);
    ck_assert_int_eq(tempfile_commit(&file, &plain, &err), -EISDIR);
    tempfile_close(&file);
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* Nothing stays behind when the user presses Ctrl-C, and the shell sees why
 * it ended; committed files stay. */
START_TEST(killed)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

    for (size_t i = 0; i < 2 * ARRAY_SIZE(numbers); i++) {
        int number = numbers[i % ARRAY_SIZE(numbers)];
        bool committed = i >= ARRAY_SIZE(numbers);
        pid_t pid = fork();
        int status;

        if (pid == 0) {
            struct tempfile file;

            int64_t there;

            if (!forbid_unnamed(1))
                _exit(0);
            signal(number, SIG_DFL);
            if (i % 2) { /* a part that nobody asked for goes as well */
                tempfile_find(&file, path, NULL);
                tempfile_begin(&file, true, &there, NULL);
            } else {
                begin(&file, path, "x");
            }
            if (committed)
                tempfile_commit(&file, &plain, NULL);
            raise(number);
            _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status));
        ck_assert_int_eq(WTERMSIG(status), number);
        ck_assert_int_eq(files(), committed);
    }
}
END_TEST

/* nohup stays in force. */
START_TEST(ignored)
{
    struct tempfile file;

    signal(SIGHUP, SIG_IGN);
    begin(&file, path, "x");
    raise(SIGHUP);
    ck_assert_int_eq(tempfile_commit(&file, &plain, NULL), 0);
    tempfile_close(&file);
    expect_file(path, "x", 0644);
}
END_TEST

/* A part stays, also when a signal comes, and is gone on with. */
START_TEST(part)
{
    static const struct timespec then = { 1234567890, 5000 };
    static const mode_t mode = 0751;
    const struct tempfile_options options = { .mode = &mode, .mtime = &then };
    AUTO_FREE char *hidden = unit_path(dir, ".file.vsrpc-part");
    struct tempfile file;
    struct stat st;
    int64_t there;

    for (int64_t i = 0; i < 3; i++) {
        ck_assert_int_eq(tempfile_find(&file, path, NULL), 0);
        ck_assert_int_eq(tempfile_begin(&file, true, &there, NULL), 0);
        ck_assert_int_eq(there, i);
        ck_assert_int_eq(pwrite(file.fd, "x", 1, there), 1);
        if (i < 2)
            tempfile_close(&file);
    }
    ck_assert_int_eq(tempfile_commit(&file, &options, NULL), 0);
    tempfile_close(&file);
    expect_file(path, "xxx", 0751);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mtim.tv_sec, 1234567890);
    ck_assert_int_eq(st.st_mtim.tv_nsec, 5000);
    ck_assert_int_eq(files(), 1);
    ck_assert_int_eq(tempfile_find(&file, path, NULL), 0);
    ck_assert_int_eq(tempfile_begin(&file, true, &there, NULL), 0);
    ck_assert_int_eq(access(hidden, F_OK), 0);
    tempfile_drop(&file);
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* A link at the end is replaced, not followed; an old file may be kept. */
START_TEST(in_a_folder)
{
    static const struct tempfile_options kept = { .keep_old = true };
    AUTO_FREE char *other = unit_path(dir, "other");
    int folder = open(dir, O_RDONLY | O_DIRECTORY);
    struct tempfile file;
    int64_t there;

    unit_write_file(other, "precious");
    ck_assert_int_eq(symlink(other, path), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tempfile_find_at(&file, folder, "file", path, NULL),
                         0);
        ck_assert(tempfile_exists(&file));
        ck_assert_int_eq(tempfile_begin(&file, false, &there, NULL), 0);
        ck_assert_int_eq(write(file.fd, "new", 3), 3);
        ck_assert_int_eq(tempfile_commit(&file, i ? &plain : &kept, NULL),
                         i ? 0 : -EEXIST);
        tempfile_close(&file);
    }
    expect_file(path, "new", 0644);
    expect_file(other, "precious", 0644);
    close(folder);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, mode_is_kept, 0, 7);
    tcase_add_test(tcase, in_the_way);
    tcase_add_test(tcase, descriptors);
    tcase_add_test(tcase, part);
    tcase_add_test(tcase, in_a_folder);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, appears_when_complete, 0, 4);
    tcase_add_test(tcase, gone_when_not_committed);
    tcase_add_test(tcase, replaces);
    tcase_add_test(tcase, follows_links);
    tcase_add_test(tcase, in_the_current_folder);
    tcase_add_test(tcase, devices);
    tcase_add_test(tcase, cannot);
    tcase_add_test(tcase, killed);
    tcase_add_test(tcase, ignored);
}
