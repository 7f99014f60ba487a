/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/proc/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/proc/as_user.h"
#include "guest/proc/child.h"
#include "proto/status.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"

const char unit_name[] = "user";

/* Everybody has this one, and it is not who runs this test. */
#define NAME "daemon"

static struct user user;
static struct error err;

static void setup(void)
{
    user = (struct user) { .name = NULL };
    error_clear(&err);
}

static void teardown(void)
{
    user_free(&user);
}

static bool has_group(gid_t gid)
{
    for (size_t i = 0; i < user.n_groups; i++)
        if (user.groups[i] == gid)
            return true;
    return false;
}

START_TEST(by_name)
{
    const struct passwd *entry = getpwnam(NAME);

    ck_assert_int_eq(user_find(&user, NAME, NULL, &err), 0);
    ck_assert_str_eq(user.name, NAME);
    ck_assert_str_eq(user.home, entry->pw_dir);
    ck_assert_str_eq(user.shell, entry->pw_shell);
    ck_assert_uint_eq(user.uid, entry->pw_uid);
    ck_assert_uint_eq(user.gid, entry->pw_gid);
    ck_assert(has_group(entry->pw_gid));
}
END_TEST

START_TEST(by_number)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", getpwnam(NAME)->pw_uid);
    ck_assert_int_eq(user_find(&user, number, NULL, &err), 0);
    ck_assert_str_eq(user.name, NAME);
    ck_assert_uint_eq(user.gid, getpwnam(NAME)->pw_gid);
}
END_TEST

START_TEST(with_group)
{
    gid_t gid = getgrnam("games")->gr_gid;

    ck_assert_int_eq(user_find(&user, NAME, "games", &err), 0);
    ck_assert_uint_eq(user.uid, getpwnam(NAME)->pw_uid);
    ck_assert_uint_eq(user.gid, gid);
    ck_assert(has_group(gid));
    user_free(&user);
    ck_assert_int_eq(user_find(&user, NAME, "4711", &err), 0);
    ck_assert_uint_eq(user.gid, 4711);
}
END_TEST

/* The agent's own, perhaps with another group. */
START_TEST(self)
{
    ck_assert_int_eq(user_find(&user, NULL, NULL, &err), 0);
    ck_assert_uint_eq(user.uid, geteuid());
    ck_assert_str_eq(user.name, getpwuid(geteuid())->pw_name);
    user_free(&user);
    ck_assert_int_eq(user_find(&user, NULL, "games", &err), 0);
    ck_assert_uint_eq(user.uid, geteuid());
    ck_assert_uint_eq(user.gid, getgrnam("games")->gr_gid);
}
END_TEST

START_TEST(number_of_nobody)
{
    ck_assert_int_eq(user_find(&user, "3999999999", NULL, &err),
                     STATUS_INVALID_PARAMS);
    ck_assert_ptr_nonnull(strstr(err.message, "'group'"));
    user_free(&user);
    ck_assert_int_eq(user_find(&user, "3999999999", "17", &err), 0);
    ck_assert_uint_eq(user.uid, 3999999999U);
    ck_assert_uint_eq(user.gid, 17);
    ck_assert_uint_eq(user.n_groups, 1);
    ck_assert_str_eq(user.name, "3999999999");
    ck_assert_str_eq(user.home, "/");
    ck_assert_str_eq(user.shell, "/bin/sh");
}
END_TEST

static const struct {
    const char *name, *group, *says;
} wrong[] = {
    { "no-such-user", NULL, "no such user: 'no-such-user'" },
    { NAME, "no-such-group", "no such group: 'no-such-group'" },
    { "", NULL, "no such user: ''" },
    { NAME, "", "no such group: ''" },
    { "-1", NULL, "no such user: '-1'" },
    { "4294967295", NULL, "no such user: '4294967295'" }, /* "unchanged" */
    { NAME, "4294967295", "no such group: '4294967295'" },
};

START_TEST(unknown)
{
    ck_assert_int_eq(user_find(&user, wrong[_i].name, wrong[_i].group, &err),
                     STATUS_INVALID_PARAMS);
    ck_assert_str_eq(err.message, wrong[_i].says);
}
END_TEST

static const struct {
    const char *text;
    bool right;
} texts[] = {
    { NAME, true },
    { NAME ":games", true },
    { "1:60", true },
    { "3999999999", false },
    { "", false },
    { ":", false },
    { ":games", false },
    { NAME ":", false },
    { NAME ":games:", false },
    { NAME "::", false },
    { "no-such", false },
    { NAME ":no-such", false },
};

START_TEST(by_text)
{
    ck_assert_int_eq(user_find_text(&user, texts[_i].text, &err),
                     texts[_i].right ? 0 : STATUS_INVALID_PARAMS);
    if (!texts[_i].right) {
        ck_assert(*err.message);
        return;
    }
    ck_assert_uint_eq(user.uid, getpwnam(NAME)->pw_uid);
    ck_assert_uint_eq(user.gid, strchr(texts[_i].text, ':')
                                    ? getgrnam("games")->gr_gid
                                    : getpwnam(NAME)->pw_gid);
}
END_TEST

/* --- the agent's own operations ------------------------------------------- */

/* Who this process is, to the kernel: to be freed. */
static char *whoami(void)
{
    static const char *const names[] = { "Uid",    "Gid",    "Groups",
                                         "CapInh", "CapPrm", "CapEff",
                                         "CapAmb" };
    AUTO_FREE char *text = unit_read_file("/proc/thread-self/status");
    char *lines;
    FILE *out;
    size_t n;

    out = open_memstream(&lines, &n);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char start[16];
        const char *at;

        snprintf(start, sizeof(start), "\n%s:", names[i]);
        at = strstr(text, start);
        ck_assert_ptr_nonnull(at);
        fprintf(out, "%.*s\n", (int) strcspn(at + 1, "\n"), at + 1);
    }
    fclose(out);
    return lines;
}

static void expect_ids(const char *expected)
{
    AUTO_FREE char *is = whoami();

    ck_assert_str_eq(is, expected);
}

static void expect_line(const char *line)
{
    AUTO_FREE char *is = whoami();

    ck_assert_msg(strstr(is, line), "%s", is);
}

/* Files alone: nobody may signal it, or change its priority. */
START_TEST(acts)
{
    struct as_user before;
    AUTO_FREE char *was = whoami();
    struct stat st;
    char *dir = unit_tmpdir(); /* mode 0700 */
    int mine;

    chmod(dir, 0777);
    mine = open(dir, O_PATH | O_CLOEXEC);
    close(openat(mine, "secret", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ck_assert_int_eq(user_find_text(&user, "3999999999:17", &err), 0);
    ck_assert_int_eq(as_user_begin(&before, &user, &err), 0);
    expect_line("Uid:\t0\t0\t0\t3999999999");
    expect_line("Gid:\t0\t0\t0\t17");
    expect_line("Groups:\t17");
    expect_line("CapEff:\t0000000000000000");
    ck_assert_int_eq(openat(mine, "secret", O_RDONLY | O_CLOEXEC), -1);
    ck_assert_int_eq(errno, EACCES);
    close(openat(mine, "made", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    as_user_end(&before);
    expect_ids(was);
    ck_assert_int_eq(fstatat(mine, "made", &st, 0), 0);
    ck_assert_uint_eq(st.st_uid, 3999999999U);
    ck_assert_uint_eq(st.st_gid, 17);
    as_user_end(&before); /* once more does nothing */
    expect_ids(was);
    close(mine);
    unit_rmdir(dir);
}
END_TEST

/* Root by name has its groups, and stays what it is. */
START_TEST(acts_as_root)
{
    struct as_user before;
    AUTO_FREE char *was = whoami();
    char *dir = unit_tmpdir();
    AUTO_FREE char *secret = unit_path(dir, "secret");

    unit_write_file(secret, "of another one, whom root may read");
    ck_assert_int_eq(chmod(secret, 0600), 0);
    ck_assert_int_eq(chown(secret, 3999999999U, 17), 0);
    ck_assert_int_eq(user_find_text(&user, "root", &err), 0);
    ck_assert_int_eq(as_user_begin(&before, &user, &err), 0);
    ck_assert_int_eq(access(secret, R_OK), 0);
    as_user_end(&before);
    unit_rmdir(dir);
    expect_ids(was);
    ck_assert_int_eq(as_user_begin(&before, NULL, &err), 0);
    expect_ids(was);
    as_user_end(&before);
}
END_TEST

/* Half-way is not at all. */
START_TEST(acts_not)
{
    struct as_user before;
    AUTO_FREE char *was = whoami();
    size_t n;

    ck_assert_int_eq(user_find(&user, NAME, NULL, &err), 0);
    n = user.n_groups;
    user.n_groups = 1 << 20; /* more than the kernel has */
    ck_assert_int_eq(as_user_begin(&before, &user, &err), -EINVAL);
    ck_assert_ptr_nonnull(strstr(err.message, "'" NAME "'"));
    expect_ids(was);
    user.n_groups = n;
    user.uid = (uid_t) -1; /* none that can be taken */
    ck_assert_int_ne(as_user_begin(&before, &user, &err), 0);
    expect_ids(was);
}
END_TEST

/* Who is not root acts as nobody else. */
START_TEST(acts_not_as_others)
{
    int status_of;
    pid_t pid = fork();

    if (pid == 0) {
        struct as_user before;
        bool itself;

        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(2);
        user_find_text(&user, "65534:65534", &err);
        itself = as_user_begin(&before, &user, &err) == 0;
        as_user_end(&before);
        user_free(&user);
        user_find(&user, NAME, NULL, &err);
        _exit(itself
                      && as_user_begin(&before, &user, &err)
                             == STATUS_PERMISSION_DENIED
                  ? 0
                  : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status_of, 0), pid);
    ck_assert_int_eq(status_of, 0);
}
END_TEST

/* --- becoming the user ---------------------------------------------------- */

static struct loop loop;
static char said[4096];
static int start_errno;
static char start_step[32];
static bool done;

static void note(void *arg, struct child *child)
{
    const char *text = buf_cstr(&child->output[0]);

    (void) arg;
    done = true;
    start_errno = child->start_errno;
    snprintf(start_step, sizeof(start_step), "%s",
             child->start_step ? child->start_step : "");
    snprintf(said, sizeof(said), "%s", text ? text : "");
}

static bool is_done(void *unused)
{
    (void) unused;
    return done;
}

/* Runs a script as the user. */
static void run(const char *script, struct child_spec spec)
{
    char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, strdup(script),
                     NULL };
    char *env[] = { (char[]) { "PATH=/bin:/usr/bin" }, NULL };
    struct child *child;
    struct procs procs;

    spec.program = "/bin/sh";
    spec.argv = argv;
    spec.envp = env;
    spec.output_max = sizeof(said) - 1;
    spec.user = &user;
    done = false;
    ck_assert_int_eq(loop_init(&loop), 0);
    ck_assert_int_eq(procs_init(&procs, &loop), 0);
    ck_assert_int_eq(child_start(&loop, &procs, &spec, note, NULL, &child), 0);
    ck_assert(spin_until(&loop, is_done, NULL));
    loop_free(&loop);
    free(argv[2]);
}

static const char status[] =
    "grep -E '^(Uid|Gid|Groups)' /proc/self/status | tr '\\t\\n' '  '";

/* All four ids of each kind: there is no way back. */
START_TEST(becomes)
{
    struct child_spec spec = { .may_wait = _i };

    ck_assert_int_eq(user_find(&user, "3999999999", "17", &err), 0);
    run(status, spec);
    ck_assert_str_eq(said, "Uid: 3999999999 3999999999 3999999999 3999999999 "
                           "Gid: 17 17 17 17 Groups: 17  ");
}
END_TEST

/* In the same memory, which must be as before. */
START_TEST(stays_itself)
{
    struct child_spec spec = { .may_wait = false };
    uid_t uid = getuid();
    gid_t groups[64];
    int n = getgroups(64, groups);

    ck_assert_int_eq(user_find(&user, NAME, NULL, &err), 0);
    for (int i = 0; i < 3; i++)
        run(status, spec);
    ck_assert_uint_eq(getuid(), uid);
    ck_assert_uint_eq(geteuid(), uid);
    ck_assert_int_eq(getgroups(64, groups), n);
}
END_TEST

/* A folder is entered with the user's rights. */
START_TEST(folder)
{
    char *dir = unit_tmpdir(); /* mode 0700 */
    struct child_spec spec = { .working_dir = dir };

    ck_assert_int_eq(user_find(&user, NAME, NULL, &err), 0);
    run("pwd", spec);
    ck_assert_int_eq(start_errno, EACCES);
    ck_assert_str_eq(start_step, "working_dir");
    spec = (struct child_spec) { .home = dir };
    run("pwd", spec);
    ck_assert_int_eq(start_errno, 0);
    ck_assert_str_eq(said, "/\n");
    unit_rmdir(dir);
}
END_TEST

/* The terminal belongs to the user: it can be opened once more. */
START_TEST(terminal)
{
    const struct pty_size size = { 24, 80 };
    struct child_spec spec = { .tty = &size };

    ck_assert_int_eq(user_find(&user, NAME, NULL, &err), 0);
    run("echo direct > $(tty); echo own > /dev/tty", spec);
    ck_assert_str_eq(said, "direct\r\nown\r\n");
}
END_TEST

/* Who is not root becomes nobody else. */
START_TEST(refused)
{
    struct child_spec spec = { .may_wait = false };
    int status_of;
    pid_t pid = fork();

    if (pid == 0) {
        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(2);
        user_find(&user, NAME, NULL, &err);
        run("pwd", spec);
        _exit(start_errno == EPERM && strcmp(start_step, "setgroups") == 0
                  ? 0
                  : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status_of, 0), pid);
    ck_assert_int_eq(status_of, 0);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, by_name);
    tcase_add_test(tcase, by_number);
    tcase_add_test(tcase, with_group);
    tcase_add_test(tcase, self);
    tcase_add_test(tcase, number_of_nobody);
    tcase_add_loop_test(tcase, unknown, 0, ARRAY_SIZE(wrong));
    tcase_add_loop_test(tcase, by_text, 0, ARRAY_SIZE(texts));
    /* Only root can become others; CI is root. */
    if (geteuid() != 0)
        return;
    tcase_add_test(tcase, acts);
    tcase_add_test(tcase, acts_as_root);
    tcase_add_test(tcase, acts_not);
    tcase_add_test(tcase, acts_not_as_others);
    tcase_add_loop_test(tcase, becomes, 0, 2);
    tcase_add_test(tcase, stays_itself);
    tcase_add_test(tcase, folder);
    tcase_add_test(tcase, terminal);
    tcase_add_test(tcase, refused);
}
