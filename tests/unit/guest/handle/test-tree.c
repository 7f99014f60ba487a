/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* file/directory, file/symlink, file/attributes, file/sync. */
#include <config.h>

#include "guest/port/session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/status.h"
#include "unit/guest/files.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"

const char unit_name[] = "tree";

#define FAILED STATUS_FILE_OPERATION_FAILED
#define MISSING STATUS_FILE_NOT_FOUND
#define DENIED STATUS_PERMISSION_DENIED
#define INVALID STATUS_INVALID_PARAMS

static struct stat look(const char *name)
{
    AUTO_FREE char *path = in_dir(name);
    struct stat st;

    ck_assert_msg(lstat(path, &st) == 0, "%s", path);
    return st;
}

static void end(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
}

static int ask_code(const char *route, const char *path, const char *more)
{
    struct rig_answer answer;
    int code;

    ask_file("POST", route, path, more, &answer);
    code = answer.code;
    rig_answer_free(&answer);
    return code;
}

static void setup(void)
{
    files_setup();
    make_folder("no");
    make_folder("ro");
    make_folder("folder");
    make_file("file", "old");
    make_link("tofile", "file");
    make_link("tofolder", "folder");
    make_link("dangling", "nowhere");
    make_link("out", "/");
    umask(077); /* no business of ours */
}

/* --- folders ------------------------------------------------------------- */

/* Return: did the answer say that it was created? */
static bool mkdir_created(const char *path, const char *more)
{
    struct rig_answer answer;
    bool created;

    ask_file("POST", "directory", path, more, &answer);
    ck_assert_msg(answer.code == 0, "%s%s: %s", path, more, answer.body);
    created = json_object_get_boolean(member(answer.data, "created"));
    rig_answer_free(&answer);
    return created;
}

static const struct {
    const char *more;
    unsigned int mode;
} folder_modes[] = {
    { "", 0755 },
    { "&mode=700", 0700 },
    { "&mode=0", 0 },
    { "&mode=1777", 01777 },
    { "&mode=02750", 02750 },
};

START_TEST(folder_mode)
{
    ck_assert(mkdir_created("@/new", folder_modes[_i].more));
    ck_assert_uint_eq(look("new").st_mode, S_IFDIR | folder_modes[_i].mode);
}
END_TEST

/* A folder that hands its group down does so here, too. */
START_TEST(folder_inherits)
{
    AUTO_FREE char *path = in_dir("folder");

    ck_assert_int_eq(chmod(path, 02755), 0);
    ck_assert(mkdir_created("@/folder/new", ""));
    ck_assert_uint_eq(look("folder/new").st_mode, S_IFDIR | 02755);
    ck_assert(mkdir_created("@/folder/other", "&mode=0700"));
    ck_assert_uint_eq(look("folder/other").st_mode, S_IFDIR | 02700);
}
END_TEST

START_TEST(folder_parents)
{
    ck_assert(mkdir_created("@/a/b/c", "&parents=true&mode=700"));
    ck_assert_uint_eq(look("a").st_mode, S_IFDIR | 0755);
    ck_assert_uint_eq(look("a/b").st_mode, S_IFDIR | 0755);
    ck_assert_uint_eq(look("a/b/c").st_mode, S_IFDIR | 0700);
    ck_assert(mkdir_created("@/a/b/d/", "&parents=true"));
    ck_assert(mkdir_created("@/tofolder//x///y", "&parents=true"));
    ck_assert(is_there("folder/x/y"));
    ck_assert(mkdir_created("@/new/../e/f", "&parents=true"));
    ck_assert(is_there("e/f"));
    expect_file("POST", "directory", "@/a/b/c", "&parents=true", FAILED);
    expect_file("POST", "directory", "@/file/x/y", "&parents=true", MISSING);
    expect_file("POST", "directory", "@/dangling/x", "&parents=true", MISSING);
    ck_assert(!is_there("nowhere"));
}
END_TEST

/* What is not there is not made on the way to a refusal. */
START_TEST(folder_parents_refused)
{
    expect_file("POST", "directory", "@/no/a/b", "&parents=true", DENIED);
    expect_file("POST", "directory", "@/ro/a/b", "&parents=true", DENIED);
    expect_file("POST", "directory", "@/out/tmp/vsrpc-no/b", "&parents=true",
                DENIED);
    ck_assert(!is_there("no/a"));
    ck_assert(!is_there("ro/a"));
    ck_assert_int_eq(access("/tmp/vsrpc-no", F_OK), -1);
}
END_TEST

START_TEST(folder_exists)
{
    ck_assert(!mkdir_created("@/folder", "&exist_ok=true&mode=0700"));
    ck_assert_uint_eq(look("folder").st_mode, S_IFDIR | 0755);
    ck_assert(!mkdir_created("@/tofolder", "&exist_ok=true"));
    ck_assert(!mkdir_created("@", "&exist_ok=true"));
    ck_assert(mkdir_created("@/new", "&exist_ok=true"));
    expect_file("POST", "directory", "@/file", "&exist_ok=true", FAILED);
    expect_file("POST", "directory", "@/tofile", "&exist_ok=true", FAILED);
    expect_file("POST", "directory", "@/dangling", "&exist_ok=true", FAILED);
    expect_file("POST", "directory", "@/out", "&exist_ok=true", FAILED);
    expect_file("POST", "directory", "@/folder", "", FAILED);
    expect_file("POST", "directory", "@/folder", "&exist_ok=false", FAILED);
}
END_TEST

static const struct {
    const char *path;
    const char *more;
    int code;
} folder_refusals[] = {
    { "@/a/b", "", MISSING },
    { "@/file/a", "", MISSING },
    { "@/no/a", "", DENIED },
    { "@/no", "&exist_ok=true", DENIED },
    { "@/ro/a", "", DENIED },
    { "@/out/vsrpc-no", "", DENIED },
    { "@/../vsrpc-no", "", DENIED },
    { "/", "&exist_ok=true", INVALID },
    { "relative", "", INVALID },
    { "relative/x", "&parents=true", INVALID },
    { "", "&parents=true", INVALID },
    { "@/new/..", "", INVALID },
    { "@/new", "&mode=", INVALID },
    { "@/new", "&mode=8", INVALID },
    { "@/new", "&mode=17777", INVALID },
    { "@/new", "&parents=ja", INVALID },
    { "@/new", "&exist_ok=", INVALID },
    { "@/new", "&owner=no-such-user", INVALID },
    { "@/new", "&group=no-such-group", INVALID },
    { "@/new", "&mode=700&mode=755", INVALID },
};

START_TEST(folder_refused)
{
    expect_file("POST", "directory", folder_refusals[_i].path,
                folder_refusals[_i].more, folder_refusals[_i].code);
    ck_assert(!is_there("new"));
}
END_TEST

START_TEST(folder_owner)
{
    if (geteuid() == 0) {
        ck_assert(mkdir_created("@/new", "&owner=1234&group=4321&mode=2770"));
        ck_assert_uint_eq(look("new").st_uid, 1234);
        ck_assert_uint_eq(look("new").st_gid, 4321);
        ck_assert_uint_eq(look("new").st_mode, S_IFDIR | 02770);
    } else { /* one that cannot have its owner does not stay */
        expect_file("POST", "directory", "@/new", "&owner=1234", DENIED);
        ck_assert(!is_there("new"));
    }
}
END_TEST

START_TEST(folder_odd_bytes)
{
    struct rig_answer answer;
    AUTO_FREE char *want = in_dir("a\xff \n%");

    ask_file("POST", "directory", "@/a%FF%20%0a%25", "", &answer);
    ck_assert_int_eq(answer.code, 0);
    {
        AUTO_FREE char *path = bytes_of(answer.data, "path");

        ck_assert_str_eq(path, want);
    }
    rig_answer_free(&answer);
    ck_assert(is_there("a\xff \n%"));
}
END_TEST

static long exchange(int dir, const char *one, const char *other)
{
    return syscall(SYS_renameat2, dir, one, dir, other, 2 /* EXCHANGE */);
}

/* Another process puts the folder "full" in the place of one that is made as
 * "new", and takes it away again.  Return: the process. */
static pid_t intrude_for_ever(void)
{
    AUTO_CLOSE int dir = open(rig.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pid_t pid;

    make_folder("full");
    make_file("full/file", "");
    pid = fork();
    while (pid == 0)
        if (exchange(dir, "full", "new") == 0) {
            while (exchange(dir, "full", "new") < 0)
                ;
            unlinkat(dir, "new", AT_REMOVEDIR);
        }
    ck_assert_int_gt(pid, 0);
    return pid;
}

#define INTRUSIONS 10000

/* What a new folder gets is given to no other. */
START_TEST(folder_exchanged)
{
    AUTO_FREE char *path = in_dir("full");
    pid_t pid = intrude_for_ever();
    int full = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st = { 0 };
    int made = 0;

    for (int i = 0; i < INTRUSIONS || !made; i++) {
        made += ask_code("directory", "@/new", "&mode=0777") == 0;
        if (fstat(full, &st) < 0 || st.st_mode != (S_IFDIR | 0700))
            break;
    }
    end(pid);
    close(full);
    ck_assert_uint_eq(st.st_mode, S_IFDIR | 0700);
}
END_TEST

/* --- symbolic links ------------------------------------------------------ */

/* Where every program may be run they are not. */
static void links_are_judged(void)
{
    strlist_free(&rig.agent.settings.allowed_commands);
}

static void expect_link(const char *name, const char *target)
{
    AUTO_FREE char *path = in_dir(name);
    char found[PATH_MAX] = "";

    ck_assert_int_ge(readlink(path, found, sizeof(found) - 1), 0);
    ck_assert_str_eq(found, target);
}

static const struct {
    const char *query, *target;
} link_targets[] = {
    { "file", "file" },           { "./folder/...", "./folder/..." },
    { "dangling", "dangling" },   { "a%20%FF%0A%26b", "a \xff\n&b" },
    { "nowhere/x", "nowhere/x" },
};

START_TEST(link_target)
{
    AUTO_FREE char *more = format("&target=%s", link_targets[_i].query);

    links_are_judged();
    expect_file("POST", "symlink", "@/new", more, 0);
    expect_link("new", link_targets[_i].target);
}
END_TEST

START_TEST(link_longest)
{
    AUTO_FREE char *dir = in_dir("");
    int most = PATH_MAX - 1 - (int) strlen(dir); /* it is judged as a path */
    char target[PATH_MAX + 1] = "";
    AUTO_FREE char *longest = NULL;
    AUTO_FREE char *longer = NULL;

    memset(target, 't', PATH_MAX);
    longer = format("&target=%.*s", most + 1, target);
    longest = format("&target=%.*s", most, target);
    links_are_judged();
    expect_file("POST", "symlink", "@/new", longer, FAILED);
    ck_assert(!is_there("new"));
    expect_file("POST", "symlink", "@/new", longest, 0);
    ck_assert_int_eq(look("new").st_size, most);
}
END_TEST

START_TEST(link_overwrites)
{
    static const char *const names[] = { "file",     "tofile", "tofolder",
                                         "dangling", "out",    "new" };
    int before = files();

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AUTO_FREE char *path = format("@/%s", names[i]);

        if (is_there(names[i]))
            expect_file("POST", "symlink", path, "&target=x", FAILED);
        expect_file("POST", "symlink", path, "&target=x&overwrite=true", 0);
        expect_link(names[i], "x");
    }
    ck_assert_int_eq(files(), before + 1); /* nothing temporary stays */
    ck_assert(S_ISDIR(look("folder").st_mode));
}
END_TEST

static const struct {
    const char *path;
    const char *more;
    int code;
} link_refusals[] = {
    { "@/folder", "&target=x&overwrite=true", FAILED },
    { "@/fifo", "&target=x&overwrite=true", FAILED },
    { "@/folder", "&target=x", FAILED },
    { "@/new", "&target=", INVALID },
    { "@/new", "", STATUS_MISSING_REQUIRED },
    { "@/new", "&target=%00", INVALID },
    { "@/new", "&target=x&overwrite=2", INVALID },
    { "@/missing/new", "&target=x", MISSING },
    { "@/no/new", "&target=x", DENIED },
    { "@/ro/new", "&target=x", DENIED },
    { "@/out/vsrpc-no", "&target=x", DENIED },
    { "@/new", "&target=/etc/shadow", DENIED },
    { "@/new", "&target=/etc/vsrpc/none", DENIED },
    { "@/new", "&target=/", DENIED },
    { "@/new", "&target=..", DENIED },
    { "@/new", "&target=../x", DENIED },
    { "@/new", "&target=.//..", DENIED },
    { "@/new", "&target=folder/../x", DENIED },
    { "@/new", "&target=missing/../x", DENIED },
    { "@/new", "&target=out", DENIED },
    { "@/new", "&target=out/vsrpc-none", DENIED },
    { "@/new", "&target=no", DENIED },
    { "@/new", "&target=no/missing", DENIED },
    { "@/new", "&target=ro/missing", DENIED },
    { "@/tofolder/new", "&target=../no", DENIED },
    { "@/tofile", "&target=/&overwrite=true", DENIED },
    { "new", "&target=x", INVALID },
    { "@/..", "&target=x", INVALID },
};

START_TEST(link_refused)
{
    AUTO_FREE char *fifo = in_dir("fifo");
    int before;

    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    before = files();
    links_are_judged();
    expect_file("POST", "symlink", link_refusals[_i].path,
                link_refusals[_i].more, link_refusals[_i].code);
    ck_assert_int_eq(files(), before);
    ck_assert(S_ISFIFO(look("fifo").st_mode));
}
END_TEST

/* --- attributes ---------------------------------------------------------- */

START_TEST(attributes_mode)
{
    expect_file("POST", "attributes", "@/file", "&mode=4711", 0);
    ck_assert_uint_eq(look("file").st_mode, S_IFREG | 04711);
    expect_file("POST", "attributes", "@/folder/", "&mode=1700", 0);
    ck_assert_uint_eq(look("folder").st_mode, S_IFDIR | 01700);
    expect_file("POST", "attributes", "@/file", "&mode=0", 0);
    ck_assert_uint_eq(look("file").st_mode, S_IFREG);
    expect_file("POST", "attributes", "@/file", "", 0);
    ck_assert_uint_eq(look("file").st_mode, S_IFREG);
}
END_TEST

/* Not opened: whoever reads or writes a FIFO would notice, and wait. */
START_TEST(attributes_of_a_fifo)
{
    AUTO_FREE char *fifo = in_dir("fifo");

    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    expect_file("POST", "attributes", "@/fifo", "&mode=0640&mtime=7", 0);
    ck_assert_uint_eq(look("fifo").st_mode, S_IFIFO | 0640);
    ck_assert_int_eq(look("fifo").st_mtim.tv_sec, 7);
}
END_TEST

static const struct {
    const char *text;
    int64_t seconds;
    long ns;
} times[] = {
    { "0", 0, 0 },
    { "1703654400", 1703654400, 0 },
    { "1703654400.000000001", 1703654400, 1 },
    { "1703654400.5", 1703654400, 500000000 },
    { "1.999999999", 1, 999999999 },
    { "-2.500000000", -2, 500000000 },
    { "-2", -2, 0 },
};

START_TEST(attributes_time)
{
    AUTO_FREE char *more = format("&mtime=%s", times[_i].text);
    struct timespec atim = look("file").st_atim;

    expect_file("POST", "attributes", "@/file", more, 0);
    ck_assert_int_eq(look("file").st_mtim.tv_sec, times[_i].seconds);
    ck_assert_int_eq(look("file").st_mtim.tv_nsec, times[_i].ns);
    ck_assert_int_eq(look("file").st_atim.tv_sec, atim.tv_sec);
    ck_assert_int_eq(look("file").st_atim.tv_nsec, atim.tv_nsec);
}
END_TEST

static const char *const bad_times[] = {
    "",
    ".",
    "1.",
    ".5",
    "1.0000000000",
    "1.-5",
    "1.5.5",
    "x",
    "1e9",
    "%201",
    "1.+5",
    "--1",
    "+1",
    "-",
    "99999999999999999999",
    "000000000000000000000000001",
};

START_TEST(attributes_bad_time)
{
    AUTO_FREE char *more = format("&mode=0700&mtime=%s", bad_times[_i]);
    mode_t mode = look("file").st_mode;

    expect_file("POST", "attributes", "@/file", more, INVALID);
    ck_assert_uint_eq(look("file").st_mode, mode);
}
END_TEST

/* The link itself, never what it points to. */
START_TEST(attributes_of_a_link)
{
    struct stat before = look("file");
    static const char *const links[] = { "tofile", "dangling", "out" };

    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        AUTO_FREE char *path = format("@/%s", links[i]);

        expect_file("POST", "attributes", path, "&mtime=5.000000006", 0);
        ck_assert_int_eq(look(links[i]).st_mtim.tv_sec, 5);
        ck_assert_int_eq(look(links[i]).st_mtim.tv_nsec, 6);
        expect_file("POST", "attributes", path, "&mode=0777", FAILED);
        if (geteuid() == 0) {
            expect_file("POST", "attributes", path, "&owner=7&group=8", 0);
            ck_assert_uint_eq(look(links[i]).st_uid, 7);
            ck_assert_uint_eq(look(links[i]).st_gid, 8);
        }
    }
    ck_assert_int_eq(look("file").st_mtim.tv_sec, before.st_mtim.tv_sec);
    ck_assert_uint_eq(look("file").st_mode, before.st_mode);
    ck_assert_uint_eq(look("file").st_uid, before.st_uid);
}
END_TEST

START_TEST(attributes_owner)
{
    AUTO_FREE char *own = format("&owner=%u&group=%u", geteuid(), getegid());

    expect_file("POST", "attributes", "@/file", own, 0);
    if (geteuid() != 0) {
        expect_file("POST", "attributes", "@/file", "&owner=0", DENIED);
        return;
    }
    expect_file("POST", "attributes", "@/file",
                "&owner=1234&group=4321&mode=6755", 0);
    ck_assert_uint_eq(look("file").st_uid, 1234);
    ck_assert_uint_eq(look("file").st_gid, 4321);
    ck_assert_uint_eq(look("file").st_mode, S_IFREG | 06755);
    expect_file("POST", "attributes", "@/file", "&owner=root", 0);
    ck_assert_uint_eq(look("file").st_uid, 0);
    ck_assert_uint_eq(look("file").st_gid, 4321);
}
END_TEST

static const struct {
    const char *path;
    const char *more;
    int code;
} attributes_refusals[] = {
    { "@/missing", "&mode=700", MISSING },
    { "@/missing/file", "&mode=700", MISSING },
    { "@/no", "&mode=700", DENIED },
    { "@/ro", "&mode=700", DENIED },
    { "@/out/etc/passwd", "&mode=700", DENIED },
    { "@/..", "&mode=700", INVALID },
    { "@/file", "&mode=rw", INVALID },
    { "@/file", "&owner=no-such-user", INVALID },
    { "@/file", "&group=", INVALID },
};

START_TEST(attributes_refused)
{
    mode_t mode = look("file").st_mode;

    expect_file("POST", "attributes", attributes_refusals[_i].path,
                attributes_refusals[_i].more, attributes_refusals[_i].code);
    ck_assert_uint_eq(look("file").st_mode, mode);
    ck_assert_uint_eq(look("no").st_mode, S_IFDIR | 0755);
}
END_TEST

/* Not every program may be run, so that a guard looks for those that may: that
 * takes its time. */
static void guard(void)
{
    struct strlist *allowed = &rig.agent.settings.allowed_commands;
    static const char *const names[] = { "ls", "cat", "df", "ps", "id" };

    strlist_free(allowed);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        ck_assert_int_eq(strlist_add(allowed, names[i]), 0);
}

/* Another process gives "prey" to a folder and to a file in turn.  Return: the
 * process. */
static pid_t exchange_for_ever(void)
{
    AUTO_CLOSE int dir = open(rig.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pid_t pid;

    make_folder("prey");
    pid = fork();
    while (pid == 0)
        if (renameat(dir, "prey", dir, "kept") < 0
            || renameat(dir, "file", dir, "prey") < 0
            || renameat(dir, "prey", dir, "file") < 0
            || renameat(dir, "kept", dir, "prey") < 0)
            _exit(1);
    ck_assert_int_gt(pid, 0);
    return pid;
}

#define RACES 2000

/* The set-id bits that a folder may have are not given to a file. */
START_TEST(attributes_exchanged)
{
    AUTO_FREE char *path = in_dir("file");
    AUTO_CLOSE int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st = { 0 };
    int given = 0;
    int refused = 0;
    pid_t pid;

    guard();
    rig.agent.paths.way = _i ? OPATH_WALK : opath_way();
    pid = exchange_for_ever();
    for (int i = 0; i < RACES || !given || !refused; i++) {
        int code = ask_code("attributes", "@/prey", "&mode=4755");

        given += code == 0;
        refused += code == DENIED;
        if (fstat(file, &st) < 0 || (st.st_mode & S_ISUID))
            break;
    }
    end(pid);
    ck_assert_uint_eq(st.st_mode & S_ISUID, 0);
    ck_assert(given && refused);
}
END_TEST

/* --- sync ---------------------------------------------------------------- */

static const struct {
    const char *path;
    int code;
} syncs[] = {
    { "@", 0 },
    { "@/file", 0 },
    { "@/tofolder", 0 },
    { "@/ro", 0 },
    { "@/missing", MISSING },
    { "@/dangling", MISSING },
    { "@/fifo", FAILED },
    { "@/no", DENIED },
    { "@/out", DENIED },
    { "relative", INVALID },
};

START_TEST(sync_path)
{
    AUTO_FREE char *fifo = in_dir("fifo");

    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    expect_file("POST", "sync", syncs[_i].path, "", syncs[_i].code);
    ck_assert(spin_until(&rig.agent.loop, spin_childless, NULL));
}
END_TEST

/* A client that leaves takes its worker with it. */
START_TEST(sync_left)
{
    for (int i = 0; i < 10; i++) {
        AUTO_FREE char *line = format("POST /api/v1/file/sync?path=%s",
                                      rig.dir);
        AUTO_FREE char *text = rig_request(line, NULL);

        rig_puts(&rig, text);
        session_hangup(&rig.agent.session);
        ck_assert(spin_until(&rig.agent.loop, spin_childless, NULL));
        session_connected(&rig.agent.session, true);
        rig_puts(&rig, MARK SYNC);
        rig_expect(&rig, 200, 0);
    }
}
END_TEST

/* None of them takes another method, or does without a path. */
START_TEST(forms)
{
    static const char *const routes[] = { "directory", "symlink", "remove",
                                          "attributes", "sync" };

    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        AUTO_FREE char *line = format("POST /api/v1/file/%s", routes[i]);
        AUTO_FREE char *text = rig_request(line, NULL);

        expect_file("GET", routes[i], "@/file", "", STATUS_METHOD_NOT_ALLOWED);
        rig_puts(&rig, text);
        rig_expect(&rig, 400, STATUS_MISSING_REQUIRED);
    }
    ck_assert(is_there("file"));
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, session_teardown);
    tcase_add_loop_test(tcase, folder_mode, 0, ARRAY_SIZE(folder_modes));
    tcase_add_test(tcase, folder_inherits);
    tcase_add_test(tcase, folder_parents);
    tcase_add_test(tcase, folder_parents_refused);
    tcase_add_test(tcase, folder_exists);
    tcase_add_loop_test(tcase, folder_refused, 0, ARRAY_SIZE(folder_refusals));
    tcase_add_test(tcase, folder_exchanged);
    tcase_add_test(tcase, folder_owner);
    tcase_add_test(tcase, folder_odd_bytes);
    tcase_add_loop_test(tcase, link_target, 0, ARRAY_SIZE(link_targets));
    tcase_add_test(tcase, link_longest);
    tcase_add_test(tcase, link_overwrites);
    tcase_add_loop_test(tcase, link_refused, 0, ARRAY_SIZE(link_refusals));
    tcase_add_test(tcase, attributes_mode);
    tcase_add_test(tcase, attributes_of_a_fifo);
    tcase_add_loop_test(tcase, attributes_time, 0, ARRAY_SIZE(times));
    tcase_add_loop_test(tcase, attributes_bad_time, 0, ARRAY_SIZE(bad_times));
    tcase_add_test(tcase, attributes_of_a_link);
    tcase_add_test(tcase, attributes_owner);
    tcase_add_loop_test(tcase, attributes_refused, 0,
                        ARRAY_SIZE(attributes_refusals));
    tcase_add_loop_test(tcase, attributes_exchanged, 0, 2);
    tcase_add_loop_test(tcase, sync_path, 0, ARRAY_SIZE(syncs));
    tcase_add_test(tcase, sync_left);
    tcase_add_test(tcase, forms);
}
