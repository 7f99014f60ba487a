/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Where this machine has no cgroup2 to be written, only that commands do
 * without is tested here; tests/e2e/debian has one. */
#include <config.h>

#include "guest/proc/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/proc/child.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"

const char unit_name[] = "cgroup";

static struct loop loop;
static struct procs procs;
static struct cgroups cgroups;
static char name[20]; /* other tests may run */

static struct {
    bool done;
    char text[4096];
    struct child *child;
} seen;

static void setup(void)
{
    snprintf(name, sizeof(name), "unit-%d", (int) getpid());
    memset(&seen, 0, sizeof(seen));
    ck_assert_int_eq(loop_init(&loop), 0);
    ck_assert_int_eq(procs_init(&procs, &loop), 0);
    cgroups_init(&cgroups);
}

static bool exists(void)
{
    char folder[48];
    struct stat st;

    snprintf(folder, sizeof(folder), "job-%d-%s", (int) getpid(), name);
    return fstatat(cgroups.own, folder, &st, 0) == 0;
}

static bool swept(void *unused)
{
    struct cgroup other;

    (void) unused;
    cgroup_make(&cgroups, NULL, &other);
    cgroup_remove(&cgroups, &other);
    return !exists();
}

static void teardown(void)
{
    ck_assert(spin_until(&loop, spin_childless, NULL));
    if (cgroups.own >= 0)
        ck_assert(spin_until(&loop, swept, NULL));
    cgroups_free(&cgroups);
    loop_free(&loop);
}

static void note(void *arg, struct child *child)
{
    const char *text = buf_cstr(&child->output[0]);

    (void) arg;
    seen.done = true;
    snprintf(seen.text, sizeof(seen.text), "%s", text ? text : "");
}

static bool is_done(void *unused)
{
    (void) unused;
    return seen.done;
}

static void start(const char *script, struct child_spec spec)
{
    char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, strdup(script),
                     NULL };
    char *env[] = { (char[]) { "PATH=/bin:/usr/bin" }, NULL };

    spec.program = "/bin/sh";
    spec.argv = argv;
    spec.envp = env;
    spec.output_max = sizeof(seen.text) - 1;
    spec.cgroups = &cgroups;
    spec.name = name;
    ck_assert_int_eq(
        child_start(&loop, &procs, &spec, note, NULL, &seen.child), 0);
    free(argv[2]);
}

static void finish(void)
{
    ck_assert(spin_until(&loop, is_done, NULL));
}

/* --- without -------------------------------------------------------------- */

START_TEST(without)
{
    struct child_spec spec = { .may_wait = _i };
    struct cgroup none = CGROUP_NONE;

    cgroups_free(&cgroups);
    ck_assert_int_eq(cgroups.own, -1);
    start("echo runs", spec);
    finish();
    ck_assert_str_eq(seen.text, "runs\n");
    cgroup_signal(&none, SIGTERM, 0);
    cgroup_kill(&none);
    cgroup_remove(&cgroups, &none);
    ck_assert(!cgroups.unremoved);
}
END_TEST

/* Who may not make one does not try for each command. */
START_TEST(forbidden)
{
    struct child_spec spec = { .may_wait = false };

    cgroups_free(&cgroups);
    cgroups.own = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    start("echo runs", spec);
    finish();
    ck_assert_str_eq(seen.text, "runs\n");
    cgroups_free(&cgroups);
    cgroups.own = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    seen.done = false;
    start("echo runs", spec);
    finish();
    ck_assert_int_eq(cgroups.own, -1);
}
END_TEST

/* --- with ----------------------------------------------------------------- */

/* Also when its agent does not wait for it to become the program. */
START_TEST(begins_there)
{
    struct child_spec spec = { .may_wait = _i };

    start("grep ^0:: /proc/self/cgroup", spec);
    ck_assert(exists());
    finish();
    ck_assert_msg(strstr(seen.text, name), "%s", seen.text);
    ck_assert(!exists());
}
END_TEST

/* Enters the group and says so; waits for either signal.  Exits with 0 when the
 * first one was the only one. */
static void enter_and_wait(const struct cgroup *cgroup, int ready)
{
    sigset_t either;
    sigset_t pending;
    int which;

    sigemptyset(&either);
    sigaddset(&either, SIGUSR1);
    sigaddset(&either, SIGUSR2);
    if (sigprocmask(SIG_BLOCK, &either, NULL) < 0 || cgroup_enter(cgroup) < 0
        || write(ready, "", 1) != 1 || sigwait(&either, &which) != 0
        || sigpending(&pending) < 0)
        _exit(2);
    _exit(which != SIGUSR1 || sigismember(&pending, SIGUSR2));
}

START_TEST(enters)
{
    struct cgroup cgroup;
    int ends[2];
    int status;
    char byte;
    pid_t pid;

    cgroup_make(&cgroups, name, &cgroup);
    ck_assert_int_ge(cgroup.folder, 0);
    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    if (pid == 0)
        enter_and_wait(&cgroup, ends[1]);
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    cgroup_signal(&cgroup, SIGUSR2, getpgrp()); /* but it */
    cgroup_signal(&cgroup, SIGUSR1, getpgrp() + 1);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    cgroup_remove(&cgroups, &cgroup);
    ck_assert(!exists());
}
END_TEST

/* Another agent begins, or tidies up, before a program is in it. */
START_TEST(not_swept)
{
    struct cgroup cgroup;
    int status;
    pid_t pid;

    cgroup_make(&cgroups, name, &cgroup);
    pid = fork();
    if (pid == 0) {
        struct cgroups other;

        cgroups_init(&other);
        _exit(other.own < 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert(exists());
    cgroup_remove(&cgroups, &cgroup);
    ck_assert(!exists());
}
END_TEST

START_TEST(numbers)
{
    struct cgroup one, two;

    cgroup_make(&cgroups, NULL, &one);
    cgroup_make(&cgroups, NULL, &two);
    ck_assert_int_ge(one.folder, 0);
    ck_assert_int_ge(two.folder, 0);
    ck_assert_str_ne(one.name, two.name);
    cgroup_remove(&cgroups, &one);
    cgroup_remove(&cgroups, &two);
}
END_TEST

/* Of one that left the process group. */
static pid_t runaway;

static bool runs_away(void *file)
{
    FILE *stream = fopen(file, "re");
    int pid = 0;

    if (stream) {
        if (fscanf(stream, "%d", &pid) != 1)
            pid = 0;
        fclose(stream);
    }
    runaway = pid;
    return pid > 0;
}

static bool is_gone(void *unused)
{
    (void) unused;
    return kill(runaway, 0) < 0;
}

static void start_runaway(const char *rest, struct child_spec spec)
{
    char *dir = unit_tmpdir();
    AUTO_FREE char *file = unit_path(dir, "pid");
    AUTO_FREE char *script = NULL;

    ck_assert_int_gt(asprintf(&script,
                              "setsid sh -c 'trap \"\" HUP TERM; echo $$ > %s;"
                              " sleep 60; sleep 60' > /dev/null 2>&1 & %s",
                              file, rest),
                     0);
    start(script, spec);
    ck_assert(spin_until(&loop, runs_away, file));
    unit_rmdir(dir);
}

START_TEST(kills_all_of_it)
{
    struct child_spec spec = { .timeout_ms = 300 };

    start_runaway("wait", spec);
    finish();
    ck_assert(spin_until(&loop, is_gone, NULL));
}
END_TEST

START_TEST(cancels_all_of_it)
{
    struct child_spec spec = { .timeout_ms = 0 };

    start_runaway("wait", spec);
    child_cancel(seen.child);
    ck_assert(spin_until(&loop, is_gone, NULL));
}
END_TEST

/* What a command left behind on purpose lives on. */
START_TEST(leaves_orphans)
{
    struct child_spec spec = { .timeout_ms = 10000 };

    start_runaway("sleep 0.2", spec);
    cgroups.unremoved = false; /* other agents may run here */
    finish();
    spin_for(&loop, 50);
    ck_assert_int_eq(kill(runaway, 0), 0);
    ck_assert(exists());
    ck_assert(cgroups.unremoved);
    ck_assert(!swept(NULL));
    kill(-runaway, SIGKILL);
    ck_assert(spin_until(&loop, swept, NULL));
}
END_TEST

/* Each gets a signal once, in the process group or not. */
START_TEST(signals_once)
{
    struct child_spec spec = { .timeout_ms = 300 };

    start("trap 'echo term' TERM; sleep 30 & wait; wait", spec);
    finish();
    ck_assert_str_eq(seen.text, "term\n");
}
END_TEST

void unit_cases(TCase *tcase)
{
    struct cgroup cgroup = CGROUP_NONE;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, without, 0, 2);
    tcase_add_test(tcase, forbidden);
    cgroups_init(&cgroups);
    cgroup_make(&cgroups, "unit", &cgroup);
    cgroup_remove(&cgroups, &cgroup);
    cgroups_free(&cgroups);
    if (!cgroup.name[0])
        return;
    tcase_add_loop_test(tcase, begins_there, 0, 2);
    tcase_add_test(tcase, enters);
    tcase_add_test(tcase, not_swept);
    tcase_add_test(tcase, numbers);
    tcase_add_test(tcase, kills_all_of_it);
    tcase_add_test(tcase, cancels_all_of_it);
    tcase_add_test(tcase, leaves_orphans);
    tcase_add_test(tcase, signals_once);
}
