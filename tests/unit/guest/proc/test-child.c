/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/proc/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/job/child_report.h"
#include "proto/envelope.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "child";

static struct loop loop;
static struct procs procs;

static void setup(void)
{
    /* What whoever started this test left open is not the agent's. */
    for (int fd = 3; fd < 1024; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    ck_assert_int_eq(loop_init(&loop), 0);
    ck_assert_int_eq(procs_init(&procs, &loop), 0);
    signal(SIGPIPE, SIG_IGN); /* as the agent does */
}

static void teardown(void)
{
    ck_assert_msg(spin_until(&loop, spin_childless, NULL), "a zombie");
    ck_assert_ptr_null(procs.list);
    ck_assert_ptr_eq(loop.fds, &loop.signal_watch);
    ck_assert_ptr_null(loop.fds->next);
    ck_assert_ptr_null(loop.timers);
    loop_free(&loop);
}

/* What done() saw of a child, which is freed behind it. */
struct result {
    int calls;
    pid_t pid;
    int status;
    int start_errno;
    char start_step[32];
    bool timed_out, truncated, orphans;
    size_t sizes[2];
    char text[2][256]; /* the beginning of each output */
    char *report;
};

static void note(void *arg, struct child *child)
{
    struct result *result = arg;
    AUTO_JSON struct json_object *report = NULL;

    result->calls++;
    result->status = child->status;
    result->start_errno = child->start_errno;
    snprintf(result->start_step, sizeof(result->start_step), "%s",
             child->start_step ? child->start_step : "");
    result->timed_out = child->timed_out;
    result->truncated = child->truncated;
    result->orphans = child->orphans;
    for (int i = 0; i < 2; i++) {
        result->sizes[i] = child->output[i].len;
        if (child->output[i].len)
            snprintf(result->text[i], sizeof(result->text[i]), "%.255s",
                     buf_cstr(&child->output[i]));
    }
    report = child_report(child);
    ck_assert_ptr_nonnull(report);
    json_object_object_del(report, "duration_ms");
    result->report = strdup(json_object_to_json_string_ext(
        report, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static bool is_done(void *arg)
{
    struct result *result = arg;

    return result->calls > 0;
}

static char *const no_env[] = { NULL };

static struct child *start(const struct child_spec *spec,
                           struct result *result)
{
    struct child *child = NULL;

    *result = (struct result) { 0 };
    ck_assert_int_eq(child_start(&loop, &procs, spec, note, result, &child),
                     0);
    ck_assert_ptr_nonnull(child);
    result->pid = child->proc.pid;
    return child;
}

static void finish(struct result *result)
{
    ck_assert_msg(spin_until(&loop, is_done, result), "never done");
    ck_assert_int_eq(result->calls, 1);
}

/* Runs a shell script to its end. */
static void run(const char *script, struct child_spec spec,
                struct result *result)
{
    char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, strdup(script),
                     NULL };

    spec.program = "/bin/sh";
    spec.argv = argv;
    spec.envp = no_env;
    if (!spec.output_max)
        spec.output_max = 1024 * 1024;
    start(&spec, result);
    finish(result);
    free(argv[2]);
}

static const struct child_spec plain;

static const struct {
    const char *script, *report;
} ends[] = {
    { ":", "{\"exit_code\":0,\"stdout\":\"\",\"stderr\":\"\"}" },
    { "exit 7", "{\"exit_code\":7,\"stdout\":\"\",\"stderr\":\"\"}" },
    { "exit 255", "{\"exit_code\":255,\"stdout\":\"\",\"stderr\":\"\"}" },
    { "echo o; echo e >&2",
      "{\"exit_code\":0,\"stdout\":\"o\\n\",\"stderr\":\"e\\n\"}" },
    { "kill -9 $$", "{\"exit_code\":137,\"stdout\":\"\",\"stderr\":\"\","
                    "\"signal\":\"SIGKILL\"}" },
    { "kill -TERM $$", "{\"exit_code\":143,\"stdout\":\"\",\"stderr\":\"\","
                       "\"signal\":\"SIGTERM\"}" },
    { "kill -PIPE $$", "{\"exit_code\":141,\"stdout\":\"\",\"stderr\":\"\","
                       "\"signal\":\"SIGPIPE\"}" },
    { "echo x; exec >&- 2>&-; exit 3",
      "{\"exit_code\":3,\"stdout\":\"x\\n\",\"stderr\":\"\"}" },
    { "pwd", "{\"exit_code\":0,\"stdout\":\"/\\n\",\"stderr\":\"\"}" },
    { "umask", "{\"exit_code\":0,\"stdout\":\"0022\\n\",\"stderr\":\"\"}" },
    { "cat", "{\"exit_code\":0,\"stdout\":\"\",\"stderr\":\"\"}" },
    { "printf '\\377\\376'",
      "{\"exit_code\":0,\"stdout\":\"//4=\",\"stdout_encoding\":\"base64\","
      "\"stderr\":\"\"}" },
};

START_TEST(reports)
{
    struct result result;

    umask(077); /* the agent's own is not the commands' */
    run(ends[_i].script, plain, &result);
    ck_assert_str_eq(result.report, ends[_i].report);
    free(result.report);
}
END_TEST

/* A command gets the three descriptors and nothing of the agent's. */
START_TEST(descriptors)
{
    struct result result;

    run("ls /proc/self/fd | tr '\\n' ' '", plain, &result);
    /* 3 is the folder that ls reads */
    ck_assert_str_eq(result.text[0], "0 1 2 3 ");
    free(result.report);
}
END_TEST

/* 32 to 34 are the C library's own: nobody else can change them. */
#define LIBC_SIGNALS 0x380000000ULL

/* The agent blocks signals and ignores SIGPIPE; a command does neither, and
 * has a session of its own. */
START_TEST(signals)
{
    char *argv[] = { (char[]) { "grep" }, (char[]) { "^Sig[BI][lg][kn]" },
                     (char[]) { "/proc/self/status" }, NULL };
    const struct child_spec spec = { .program = "/bin/grep",
                                     .argv = argv,
                                     .envp = no_env,
                                     .output_max = 4096 };
    unsigned long long blocked;
    unsigned long long not_heard;
    struct result result;
    sigset_t some;
    char want[64];
    int sid = 0;

    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    sigaddset(&some, SIGTERM);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &some, NULL), 0);

    /* without a shell, which would tidy up itself */
    start(&spec, &result);
    finish(&result);
    ck_assert_int_eq(sscanf(result.text[0], "SigBlk: %llx SigIgn: %llx",
                            &blocked, &not_heard),
                     2);
    ck_assert_uint_eq(blocked, 0);
    ck_assert_uint_eq(not_heard & ~LIBC_SIGNALS, 0);
    free(result.report);
    run("cut -d' ' -f6 /proc/$$/stat", plain, &result);
    snprintf(want, sizeof(want), "%d\n", (int) result.pid);
    ck_assert_int_eq(sscanf(result.text[0], "%d", &sid), 1);
    ck_assert_str_eq(result.text[0], want);
    free(result.report);
}
END_TEST

START_TEST(working_dir)
{
    struct child_spec spec = { .working_dir = "/proc" };
    struct result result;

    run("pwd", spec, &result);
    ck_assert_str_eq(result.text[0], "/proc\n");
    free(result.report);
    spec.working_dir = "/nonexistent/vsrpc";
    run(":", spec, &result);
    ck_assert_int_eq(result.start_errno, ENOENT);
    ck_assert_str_eq(result.start_step, "working_dir");
    free(result.report);
}
END_TEST

static void run_program(const char *program, struct result *result)
{
    char *argv[] = { (char[]) { "x" }, NULL };
    const struct child_spec spec = {
        .program = program, .argv = argv, .envp = no_env, .output_max = 4096
    };

    start(&spec, result);
    finish(result);
    free(result->report);
}

START_TEST(cannot_start)
{
    char *dir = unit_tmpdir();
    AUTO_FREE char *file = unit_path(dir, "file");
    struct result result;

    run_program("/nonexistent/vsrpc", &result);
    ck_assert_int_eq(result.start_errno, ENOENT);
    ck_assert_str_eq(result.start_step, "execve");
    unit_write_file(file, "no program");
    run_program(file, &result);
    ck_assert_int_eq(result.start_errno, EACCES);
    ck_assert_int_eq(chmod(file, 0755), 0);
    run_program(file, &result);
    ck_assert_int_eq(result.start_errno, ENOEXEC);
    run_program(dir, &result);
    ck_assert_int_eq(result.start_errno, EACCES);
    unit_rmdir(dir);
}
END_TEST

/* --- input --------------------------------------------------------------- */

static struct buf filled(size_t n)
{
    struct buf bytes;
    uint8_t *where;

    buf_init(&bytes, n);
    ck_assert_int_eq(buf_reserve(&bytes, n, &where), 0);
    memset(where, 'i', n);
    buf_commit(&bytes, n);
    return bytes;
}

START_TEST(input)
{
    static const struct {
        const char *script;
        size_t n;
        size_t out;
    } cases[] = {
        { "cat", 1, 1 },
        { "cat", 65536, 65536 },
        { "cat", 300000, 300000 },
        { "sleep 0.2; cat", 300000, 300000 },
        { "head -c 5", 300000, 5 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf bytes = filled(cases[i].n);
        struct child_spec spec = { .input = &bytes };
        struct result result;

        run(cases[i].script, spec, &result);
        ck_assert_ptr_null(bytes.base); /* it was taken over */
        ck_assert_int_eq(result.status, 0);
        ck_assert_uint_eq(result.sizes[0], cases[i].out);
        free(result.report);
    }
}
END_TEST

/* More than a pipe holds, for a program that does not read it. */
START_TEST(input_nobody_reads)
{
    static const char *const scripts[] = { "exec <&-; sleep 0.2", ":",
                                           "sleep 0.2", "exit 0" };

    for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
        struct buf bytes = filled(1000000);
        struct child_spec spec = { .input = &bytes };
        struct result result;

        run(scripts[i], spec, &result);
        ck_assert_int_eq(result.status, 0);
        ck_assert(!result.orphans);
        free(result.report);
    }
}
END_TEST

/* --- output -------------------------------------------------------------- */

START_TEST(ceiling)
{
    static const struct {
        size_t max, out, err;
        bool truncated;
    } cases[] = {
        { 4096, 4096, 0, false },       { 4096, 4097, 0, true },
        { 4096, 1000000, 0, true },     { 4096, 0, 4097, true },
        { 4096, 2048, 2048, false },    { 4096, 2048, 2049, true },
        { 4096, 300000, 300000, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct child_spec spec = { .output_max = cases[i].max };
        struct result result;
        char script[256];

        snprintf(script, sizeof(script),
                 "head -c %zu /dev/zero; head -c %zu /dev/zero >&2; exit 5",
                 cases[i].out, cases[i].err);
        run(script, spec, &result);
        ck_assert_int_eq(WEXITSTATUS(result.status), 5);
        ck_assert_msg(result.truncated == cases[i].truncated, "case %zu", i);
        if (cases[i].truncated)
            ck_assert_uint_eq(result.sizes[0] + result.sizes[1], cases[i].max);
        else
            ck_assert_uint_eq(result.sizes[0], cases[i].out);
        ck_assert(!strstr(result.report, "truncated") == !result.truncated);
        free(result.report);
    }
}
END_TEST

/* Somebody else holds the pipes: they are not waited for. */
START_TEST(orphan)
{
    struct result result;
    int64_t before = clock_ms();

    run("echo before; sleep 30 & exit 4", plain, &result);
    ck_assert_int_lt(clock_ms() - before, 10000);
    ck_assert_int_eq(WEXITSTATUS(result.status), 4);
    ck_assert_str_eq(result.text[0], "before\n");
    ck_assert(result.orphans);
    ck_assert_ptr_nonnull(strstr(result.report, "\"orphans\":true"));
    /* One that was started on purpose goes on. */
    ck_assert(!spin_group_gone(result.pid));
    kill(-result.pid, SIGKILL);
    free(result.report);
}
END_TEST

/* What an orphan says right after is still heard. */
START_TEST(orphan_that_ends)
{
    struct result result;

    run("(sleep 0.05; echo late) & exit 0", plain, &result);
    ck_assert_str_eq(result.text[0], "late\n");
    ck_assert(!result.orphans);
    free(result.report);
}
END_TEST

/* --- time ---------------------------------------------------------------- */

START_TEST(in_time)
{
    struct child_spec spec = { .timeout_ms = 20000 };
    struct result result;

    run("sleep 0.1", spec, &result);
    ck_assert(!result.timed_out);
    ck_assert_int_eq(result.status, 0);
    free(result.report);
}
END_TEST

/* A signal to a group is one call; its members die one after the other. */
static bool group_gone(void *arg)
{
    struct result *result = arg;

    return spin_group_gone(result->pid);
}

START_TEST(terminated)
{
    struct child_spec spec = { .timeout_ms = 200 };
    struct result result;
    int64_t before = clock_ms();

    run("echo started; sleep 60; echo never", spec, &result);
    ck_assert_int_ge(clock_ms() - before, 200);
    ck_assert(result.timed_out);
    ck_assert(WIFSIGNALED(result.status));
    ck_assert_int_eq(WTERMSIG(result.status), SIGTERM);
    ck_assert_str_eq(result.text[0], "started\n");
    ck_assert(spin_until(&loop, group_gone, &result));
    free(result.report);
}
END_TEST

/* A program may clean up first. */
START_TEST(terminated_politely)
{
    struct child_spec spec = { .timeout_ms = 300 };
    struct result result;

    run("trap 'echo bye; exit 9' TERM; sleep 60 & wait", spec, &result);
    ck_assert(result.timed_out);
    ck_assert_int_eq(WEXITSTATUS(result.status), 9);
    ck_assert_str_eq(result.text[0], "bye\n");
    free(result.report);
}
END_TEST

START_TEST(killed)
{
    struct child_spec spec = { .timeout_ms = 300 };
    struct result result;
    int64_t before = clock_ms();

    run("trap '' TERM; sleep 60; sleep 60", spec, &result);
    ck_assert_int_ge(clock_ms() - before, 2000);
    ck_assert_int_lt(clock_ms() - before, 20000);
    ck_assert(result.timed_out);
    ck_assert_int_eq(WTERMSIG(result.status), SIGKILL);
    ck_assert(spin_until(&loop, group_gone, &result));
    free(result.report);
}
END_TEST

static struct child *start_script(const char *script, struct result *result)
{
    char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, strdup(script),
                     NULL };
    const struct child_spec spec = {
        .program = "/bin/sh", .argv = argv, .envp = no_env, .output_max = 4096
    };
    struct child *child = start(&spec, result);

    free(argv[2]);
    return child;
}

static bool has_said(void *arg)
{
    const struct child *child = arg;

    return child->output[0].len > 0;
}

/* Somebody has it ended: no timeout, but the same way. */
START_TEST(ended)
{
    struct result result;
    struct child *child = start_script("echo started; sleep 60", &result);

    ck_assert(spin_until(&loop, has_said, child));
    child_end(child);
    child_end(child); /* once is enough: this is no KILL yet */
    finish(&result);
    ck_assert(!result.timed_out);
    ck_assert_int_eq(WTERMSIG(result.status), SIGTERM);
    ck_assert_str_eq(result.report,
                     "{\"exit_code\":143,\"stdout\":\"started\\n\","
                     "\"stderr\":\"\",\"signal\":\"SIGTERM\","
                     "\"ended\":true}");
    ck_assert(spin_until(&loop, group_gone, &result));
    free(result.report);
}
END_TEST

START_TEST(ended_by_force)
{
    struct result result;
    struct child *child = start_script("trap '' TERM; echo started; "
                                       "sleep 60; sleep 60",
                                       &result);

    ck_assert(spin_until(&loop, has_said, child));
    child_end(child);
    finish(&result);
    ck_assert(!result.timed_out);
    ck_assert_int_eq(WTERMSIG(result.status), SIGKILL);
    ck_assert(spin_until(&loop, group_gone, &result));
    free(result.report);
}
END_TEST

/* The first process obeys, one that it started does not: it is of the group
 * whose time is over, too. */
START_TEST(killed_behind_the_first)
{
    struct child_spec spec = { .timeout_ms = 300 };
    struct result result;

    run("(trap '' TERM; while :; do sleep 1; done) & wait", spec, &result);
    ck_assert(result.timed_out);
    free(result.report);
    ck_assert(spin_until(&loop, group_gone, &result));
}
END_TEST

/* --- cancelling ---------------------------------------------------------- */

static void cancel_after(const char *script, int ms, struct buf *bytes)
{
    char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, strdup(script),
                     NULL };
    const struct child_spec spec = { .program = "/bin/sh",
                                     .argv = argv,
                                     .envp = no_env,
                                     .input = bytes,
                                     .timeout_ms = 10000,
                                     .output_max = 4096 };
    struct result result;
    struct child *child = start(&spec, &result);

    if (ms)
        spin_for(&loop, ms);
    ck_assert_int_eq(result.calls, 0);
    child_cancel(child);
    ck_assert(spin_until(&loop, spin_childless, NULL));
    ck_assert(spin_until(&loop, group_gone, &result));
    ck_assert_int_eq(result.calls, 0);
    free(argv[2]);
}

START_TEST(cancel)
{
    static const char *const scripts[] = {
        "sleep 60",
        "trap '' TERM HUP INT; sleep 60",
        "sleep 60 & sleep 60 & wait",
        "yes",
        "exec >&- 2>&-; sleep 60",
    };

    for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
        cancel_after(scripts[i], 0, NULL);
        cancel_after(scripts[i], 100, NULL);
    }
}
END_TEST

/* The sanitizers see whether it is freed. */
START_TEST(cancel_with_input)
{
    struct buf bytes = filled(500000);

    cancel_after("sleep 60", 50, &bytes);
    spin_for(&loop, 50);
}
END_TEST

static bool is_reaped(void *arg)
{
    const struct child *child = arg;

    return child->reaped;
}

/* Between its end and the end of its pipes. */
START_TEST(cancel_while_draining)
{
    char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" },
                     (char[]) { "sleep 5 & exit 0" }, NULL };
    const struct child_spec spec = {
        .program = "/bin/sh", .argv = argv, .envp = no_env, .output_max = 4096
    };
    struct result result;
    struct child *child = start(&spec, &result);

    ck_assert(spin_until(&loop, is_reaped, child));
    child_cancel(child);
    spin_for(&loop, 400);
    ck_assert_int_eq(result.calls, 0);
    kill(-result.pid, SIGKILL);
}
END_TEST

START_TEST(many_at_once)
{
    enum { MANY = 30 };
    static struct result results[MANY];
    struct child_spec spec = { .program = "/bin/sh",
                               .envp = no_env,
                               .output_max = 4096 };

    for (int i = 0; i < MANY; i++) {
        char script[32];
        char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, script, NULL };

        snprintf(script, sizeof(script), "exit %d", i);
        spec.argv = argv;
        start(&spec, &results[i]);
    }
    for (int i = 0; i < MANY; i++) {
        finish(&results[i]);
        ck_assert_int_eq(WEXITSTATUS(results[i].status), i);
        free(results[i].report);
    }
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, reports, 0, ARRAY_SIZE(ends));
    tcase_add_test(tcase, descriptors);
    tcase_add_test(tcase, signals);
    tcase_add_test(tcase, working_dir);
    tcase_add_test(tcase, cannot_start);
    tcase_add_test(tcase, input);
    tcase_add_test(tcase, input_nobody_reads);
    tcase_add_test(tcase, ceiling);
    tcase_add_test(tcase, orphan);
    tcase_add_test(tcase, orphan_that_ends);
    tcase_add_test(tcase, in_time);
    tcase_add_test(tcase, terminated);
    tcase_add_test(tcase, terminated_politely);
    tcase_add_test(tcase, killed);
    tcase_add_test(tcase, ended);
    tcase_add_test(tcase, ended_by_force);
    tcase_add_test(tcase, killed_behind_the_first);
    tcase_add_test(tcase, cancel);
    tcase_add_test(tcase, cancel_with_input);
    tcase_add_test(tcase, cancel_while_draining);
    tcase_add_test(tcase, many_at_once);
}
