/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Programs on a terminal. */
#include <config.h>

#include "guest/proc/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/proc/child.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "pty";

static struct loop loop;
static struct procs procs;

static struct {
    struct child *child;
    char text[1 << 20];
    size_t n;
    size_t room; /* that is taken at once */
    int status, start_errno;
    bool done, orphans;
} seen;

static size_t space(void *arg, int stream, uint8_t **where)
{
    size_t left = sizeof(seen.text) - 1 - seen.n;

    (void) arg;
    ck_assert_int_eq(stream, 0);
    *where = (uint8_t *) seen.text + seen.n;
    return left < seen.room ? left : seen.room;
}

static void took(void *arg, int stream, size_t n)
{
    (void) arg;
    (void) stream;
    seen.n += n;
}

static void note(void *arg, struct child *child)
{
    (void) arg;
    seen.done = true;
    seen.status = child->status;
    seen.start_errno = child->start_errno;
    seen.orphans = child->orphans;
}

static const struct child_events events = { .space = space, .took = took };

static void setup(void)
{
    ck_assert_int_eq(loop_init(&loop), 0);
    ck_assert_int_eq(procs_init(&procs, &loop), 0);
    memset(&seen, 0, sizeof(seen));
    seen.room = SIZE_MAX;
}

static void teardown(void)
{
    ck_assert_msg(spin_until(&loop, spin_childless, NULL), "a zombie");
    ck_assert_ptr_eq(loop.fds, &loop.signal_watch);
    ck_assert_ptr_null(loop.fds->next);
    loop_free(&loop);
}

static const struct pty_size size = { .rows = 31, .columns = 101 };

static void start(const char *script)
{
    char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, strdup(script),
                     NULL };
    char *env[] = { (char[]) { "PATH=/bin:/usr/bin" }, NULL };
    const struct child_spec spec = { .program = "/bin/sh",
                                     .argv = argv,
                                     .envp = env,
                                     .input_max = 65536,
                                     .tty = &size,
                                     .events = &events };

    ck_assert_int_eq(
        child_start(&loop, &procs, &spec, note, NULL, &seen.child), 0);
    free(argv[2]);
}

static bool is_done(void *unused)
{
    (void) unused;
    return seen.done;
}

static void finish(void)
{
    ck_assert_msg(spin_until(&loop, is_done, NULL), "never done: '%s'",
                  seen.text);
}

static void run(const char *script)
{
    start(script);
    finish();
}

static bool has_said(void *text)
{
    return strstr(seen.text, text);
}

static void wait_for(const char *text)
{
    ck_assert_msg(spin_until(&loop, has_said, (void *) (uintptr_t) text),
                  "no '%s' in '%s'", text, seen.text);
}

static void type(const char *text)
{
    ck_assert_int_eq(feed_add(&seen.child->input, text, strlen(text)), 0);
}

/* --- what it is ----------------------------------------------------------- */

static const struct {
    const char *script, *says;
} plain[] = {
    { "test -t 0 && test -t 1 && test -t 2 && echo yes", "yes\r\n" },
    { "stty size", "31 101\r\n" },
    { "test $(tty) = $(readlink /proc/$$/fd/2) && echo same", "same\r\n" },
    { "echo x > /dev/tty", "x\r\n" },
    { "stty -a | grep -o '[-]*iutf8'", "iutf8\r\n" },
    /* in front, in a session of its own */
    { "awk '{ print ($5 == $6), ($6 == $8) }' /proc/$$/stat", "1 1\r\n" },
    { "ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 " },
};

START_TEST(is_a_terminal)
{
    for (int fd = 3; fd < 1024; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC); /* who runs this may have some */
    run(plain[_i].script);
    ck_assert_str_eq(seen.text, plain[_i].says);
    ck_assert(!seen.orphans);
    ck_assert_int_eq(seen.status, 0);
}
END_TEST

START_TEST(resizes)
{
    start("trap 'stty size; exit 3' WINCH; echo ready; "
          "while :; do sleep 0.05; done");
    wait_for("ready");
    ck_assert_int_eq(child_resize(seen.child, &(struct pty_size) { 7, 9 }), 0);
    finish();
    ck_assert_str_eq(seen.text, "ready\r\n7 9\r\n");
    ck_assert_int_eq(WEXITSTATUS(seen.status), 3);
}
END_TEST

/* --- typing --------------------------------------------------------------- */

START_TEST(echoes)
{
    start("read line; echo \"<$line>\"");
    type("hello\n");
    finish();
    ck_assert_str_eq(seen.text, "hello\r\n<hello>\r\n");
}
END_TEST

/* What is typed at a terminal becomes signals of those in front. */
START_TEST(interrupts)
{
    start("trap 'echo caught; exit 5' INT; echo ready; "
          "while :; do sleep 0.05; done");
    wait_for("ready");
    type("\003");
    finish();
    ck_assert_int_eq(WEXITSTATUS(seen.status), 5);
    wait_for("caught");
}
END_TEST

START_TEST(ends_input)
{
    start("cat; echo over");
    type("line\n");
    wait_for("line\r\nline\r\n");
    feed_end(&seen.child->input);
    finish();
    wait_for("over");
    ck_assert_int_eq(seen.status, 0);
}
END_TEST

/* The end of what is no line comes twice: once for what was typed. */
START_TEST(ends_input_inside_a_line)
{
    start("cat; echo over");
    type("part");
    feed_end(&seen.child->input);
    finish();
    wait_for("over");
    ck_assert_int_eq(seen.status, 0);
}
END_TEST

/* Who reads single keys gets no character that nobody typed. */
START_TEST(leaves_raw_input_alone)
{
    start("stty raw -echo; echo ready; head -c 4 | od -An -tx1");
    wait_for("ready");
    type("abc");
    feed_end(&seen.child->input);
    spin_for(&loop, 100);
    ck_assert(!seen.done);
    child_end(seen.child);
    finish();
}
END_TEST

/* --- signals -------------------------------------------------------------- */

/* They are for whoever is in front, not for the shell behind. */
START_TEST(signals_the_foreground)
{
    start("set -m; trap 'echo shell' INT; "
          "sh -c 'trap \"echo front; exit 6\" INT; echo ready; "
          "while :; do sleep 0.05; done'; echo status $?; exit 8");
    wait_for("ready");
    child_signal(seen.child, SIGINT);
    finish();
    wait_for("front");
    wait_for("status 6");
    ck_assert_ptr_null(strstr(seen.text, "shell"));
    ck_assert_int_eq(WEXITSTATUS(seen.status), 8);
}
END_TEST

/* An interactive shell does not hear TERM, but hangs up. */
START_TEST(hangs_up)
{
    start("trap '' TERM; trap 'echo hung up; exit 4' HUP; echo ready; "
          "while :; do sleep 0.05; done");
    wait_for("ready");
    child_end(seen.child);
    finish();
    ck_assert(WIFEXITED(seen.status)); /* no KILL was needed */
    ck_assert_int_eq(WEXITSTATUS(seen.status), 4);
}
END_TEST

static pid_t in_front;

static bool is_gone(void *unused)
{
    (void) unused;
    return spin_group_gone(in_front);
}

/* Both of them, however deaf. */
START_TEST(ends_the_foreground)
{
    start("set -m; trap '' HUP TERM; "
          "sh -c 'trap \"\" HUP TERM; echo front $$ .; sleep 60; sleep 60'");
    wait_for(" .");
    in_front = atoi(strstr(seen.text, "front ") + 6);
    ck_assert_int_ne(in_front, seen.child->group);
    child_end(seen.child);
    finish();
    ck_assert_int_eq(WTERMSIG(seen.status), SIGKILL);
    ck_assert(spin_until(&loop, is_gone, NULL));
}
END_TEST

/* --- output --------------------------------------------------------------- */

/* All of it, also when it is taken late: nothing is dropped at the end. */
START_TEST(keeps_all)
{
    seen.room = 1000;
    run("seq 20000");
    ck_assert_uint_eq(seen.n, 108894 + 20000); /* and a CR each */
    ck_assert_str_eq(seen.text + seen.n - 7, "20000\r\n");
    ck_assert(!seen.orphans);
}
END_TEST

START_TEST(keeps_all_after_the_end)
{
    seen.room = 0;
    start("seq 500; echo end");
    spin_for(&loop, 600);
    ck_assert(!seen.done);
    seen.room = 100;
    for (int i = 0; i < 50 && !seen.done; i++) {
        child_resume(seen.child);
        spin_for(&loop, 10);
    }
    finish();
    ck_assert_str_eq(seen.text + seen.n - 10, "500\r\nend\r\n");
    ck_assert(!seen.orphans);
}
END_TEST

/* Somebody else has the terminal: it is not waited for. */
START_TEST(orphan)
{
    int64_t before = clock_ms();

    run("trap '' HUP; sleep 30 & echo $!; exit 4");
    ck_assert_int_lt(clock_ms() - before, 10000);
    ck_assert(seen.orphans);
    ck_assert_int_eq(WEXITSTATUS(seen.status), 4);
    kill(atoi(seen.text), SIGKILL);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, is_a_terminal, 0, ARRAY_SIZE(plain));
    tcase_add_test(tcase, resizes);
    tcase_add_test(tcase, echoes);
    tcase_add_test(tcase, interrupts);
    tcase_add_test(tcase, ends_input);
    tcase_add_test(tcase, ends_input_inside_a_line);
    tcase_add_test(tcase, leaves_raw_input_alone);
    tcase_add_test(tcase, signals_the_foreground);
    tcase_add_test(tcase, hangs_up);
    tcase_add_test(tcase, ends_the_foreground);
    tcase_add_test(tcase, keeps_all);
    tcase_add_test(tcase, keeps_all_after_the_end);
    tcase_add_test(tcase, orphan);
}
