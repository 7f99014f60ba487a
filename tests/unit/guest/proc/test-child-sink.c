/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Programs whose output is taken while it comes, and whose input comes in
 * pieces. */
#include <config.h>

#include "guest/proc/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/guest/spin.h"
#include "unit/unit.h"
#include "util/clock.h"
#include "util/crypto.h"

const char unit_name[] = "child-sink";

static struct loop loop;
static struct procs procs;

/* Who takes the output; what was taken is in got. */
static struct sink {
    struct child *child; /* NULL: it has ended */
    uint8_t bytes[100000];
    size_t room; /* that there is at once */
    size_t may;  /* that is taken in all */
    struct buf got[2];
    int started, fed, exited, done;

    /* What done() saw. */
    int status, start_errno;
    bool timed_out, ended, orphans;
} sink;

static size_t sink_space(void *arg, int stream, uint8_t **where)
{
    size_t got = sink.got[0].len + sink.got[1].len;
    size_t may = sink.may - got;

    ck_assert_ptr_eq(arg, &sink);
    ck_assert(stream == 0 || stream == 1);
    *where = sink.bytes;
    return may < sink.room ? may : sink.room;
}

static void sink_took(void *arg, int stream, size_t n)
{
    (void) arg;
    ck_assert_uint_gt(n, 0);
    ck_assert_int_eq(buf_append(&sink.got[stream], sink.bytes, n), 0);
}

static void sink_started(void *arg)
{
    (void) arg;
    sink.started++;
}

static void sink_fed(void *arg)
{
    (void) arg;
    sink.fed++;
}

static void sink_exited(void *arg)
{
    (void) arg;
    sink.exited++;
}

static void sink_done(void *arg, struct child *child)
{
    (void) arg;
    ck_assert_ptr_eq(child, sink.child);
    sink.child = NULL;
    sink.done++;
    sink.status = child->status;
    sink.start_errno = child->start_errno;
    sink.timed_out = child->timed_out;
    sink.ended = child->ended;
    sink.orphans = child->orphans;
}

static const struct child_events events = {
    .space = sink_space,
    .took = sink_took,
    .started = sink_started,
    .fed = sink_fed,
    .exited = sink_exited,
    .arg = &sink,
};

static void setup(void)
{
    ck_assert_int_eq(loop_init(&loop), 0);
    ck_assert_int_eq(procs_init(&procs, &loop), 0);
    sink = (struct sink) { .room = sizeof(sink.bytes), .may = SIZE_MAX };
    buf_init(&sink.got[0], SIZE_MAX);
    buf_init(&sink.got[1], SIZE_MAX);
}

static void teardown(void)
{
    ck_assert_msg(spin_until(&loop, spin_childless, NULL), "a zombie");
    ck_assert_ptr_null(procs.list);
    ck_assert_ptr_eq(loop.fds, &loop.signal_watch);
    ck_assert_ptr_null(loop.fds->next);
    ck_assert_ptr_null(loop.timers);
    loop_free(&loop);
    buf_free(&sink.got[0]);
    buf_free(&sink.got[1]);
}

/* --- helpers -------------------------------------------------------------- */

static void start(const char *script, struct child_spec spec)
{
    char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, strdup(script),
                     NULL };
    char *no_env[] = { NULL };

    spec.program = "/bin/sh";
    spec.argv = argv;
    spec.envp = no_env;
    spec.events = &events;
    ck_assert_int_eq(
        child_start(&loop, &procs, &spec, sink_done, &sink, &sink.child), 0);
    free(argv[2]);
}

static const struct child_spec plain;

static bool is_done(void *unused)
{
    (void) unused;
    return sink.done > 0;
}

static void finish(void)
{
    ck_assert_msg(spin_until(&loop, is_done, NULL), "never done");
    ck_assert_int_eq(sink.done, 1);
}

/* n bytes more may come. */
static void allow(size_t n)
{
    sink.may += n;
    child_resume(sink.child);
}

static void fill(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t) (i % 251);
}

static void expect_pattern(const struct buf *got, size_t n)
{
    ck_assert_uint_eq(got->len, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(buf_data(got)[i] == (uint8_t) (i % 251), "byte %zu", i);
}

/* --- output --------------------------------------------------------------- */

START_TEST(both_outputs)
{
    start("echo out; echo err >&2; exit 3", plain);
    finish();
    ck_assert_str_eq(buf_cstr(&sink.got[0]), "out\n");
    ck_assert_str_eq(buf_cstr(&sink.got[1]), "err\n");
    ck_assert_int_eq(WEXITSTATUS(sink.status), 3);
    ck_assert_int_eq(sink.exited, 1);
}
END_TEST

/* Nothing is lost, however slow who takes it. */
START_TEST(slow_reader)
{
    enum { SIZE = 5 * 1024 * 1024 };
    char *dir = unit_tmpdir();
    AUTO_FREE char *file = unit_path(dir, "file");
    AUTO_FREE char *script = NULL;
    AUTO_FREE uint8_t *bytes = malloc(SIZE);
    FILE *stream = fopen(file, "we");

    fill(bytes, SIZE);
    ck_assert_uint_eq(fwrite(bytes, 1, SIZE, stream), SIZE);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_int_gt(asprintf(&script, "cat %s; echo end >&2", file), 0);
    sink.may = 0;
    start(script, plain);
    for (int i = 0; !sink.done; i++) {
        spin_for(&loop, 1);
        ck_assert_uint_le(sink.got[0].len + sink.got[1].len, sink.may);
        if (sink.child)
            allow((size_t) (i * 7919 % 100000));
    }
    expect_pattern(&sink.got[0], SIZE);
    ck_assert_str_eq(buf_cstr(&sink.got[1]), "end\n");
    ck_assert_int_eq(sink.status, 0);
    unit_rmdir(dir);
}
END_TEST

/* A program that nobody reads stands still, and costs nothing. */
START_TEST(held_back)
{
    sink.may = 10;
    start("head -c 1000000 /dev/zero; echo wrote >&2", plain);
    spin_for(&loop, 300);
    ck_assert_int_eq(sink.done, 0);
    ck_assert_int_eq(sink.exited, 0);
    ck_assert_uint_eq(sink.got[0].len, 10);
    sink.may = SIZE_MAX;
    child_resume(sink.child);
    finish();
    ck_assert_uint_eq(sink.got[0].len, 1000000);
}
END_TEST

/* What was in the pipes as the program ended is waited for. */
START_TEST(ends_with_full_pipes)
{
    sink.may = 0;
    start("head -c 60000 /dev/zero; head -c 50000 /dev/zero >&2; exit 7",
          plain);
    spin_for(&loop, 700); /* more than orphans get */
    ck_assert_int_eq(sink.exited, 1);
    ck_assert_int_eq(sink.done, 0);
    allow(20000);
    spin_for(&loop, 300);
    ck_assert_int_eq(sink.done, 0);
    allow(90000);
    finish();
    ck_assert_uint_eq(sink.got[0].len, 60000);
    ck_assert_uint_eq(sink.got[1].len, 50000);
    ck_assert_int_eq(WEXITSTATUS(sink.status), 7);
    ck_assert(!sink.orphans);
}
END_TEST

/* An orphan that goes on talking has no more time than one that is silent. */
START_TEST(orphan_that_talks)
{
    int64_t before = clock_ms();

    start("(while sleep 0.05; do echo more; done) & exit 4", plain);
    finish();
    ck_assert_int_lt(clock_ms() - before, 15000);
    ck_assert(sink.orphans);
    ck_assert_int_eq(WEXITSTATUS(sink.status), 4);
    ck_assert_uint_gt(sink.got[0].len, 4);
}
END_TEST

/* What the program itself said comes first, however long that takes. */
START_TEST(orphan_behind_full_pipe)
{
    sink.may = 0;
    start("sleep 30 & head -c 60000 /dev/zero; echo $! >&2", plain);
    spin_for(&loop, 500);
    ck_assert_int_eq(sink.done, 0);
    allow(70000);
    finish();
    ck_assert_uint_eq(sink.got[0].len, 60000);
    ck_assert(sink.orphans);
    kill(atoi(buf_cstr(&sink.got[1])), SIGKILL);
}
END_TEST

/* --- its end -------------------------------------------------------------- */

/* Nobody takes its output any more. */
START_TEST(ended_while_held_back)
{
    sink.may = 0;
    start("yes", plain);
    spin_for(&loop, 100);
    child_end(sink.child);
    child_end(sink.child);
    finish();
    ck_assert(sink.ended);
    ck_assert_int_eq(WTERMSIG(sink.status), SIGTERM);
    ck_assert_uint_eq(sink.got[0].len, 0);
}
END_TEST

START_TEST(ended_after_its_process)
{
    sink.may = 0;
    start("echo something", plain);
    spin_for(&loop, 100);
    ck_assert_int_eq(sink.exited, 1);
    ck_assert_int_eq(sink.done, 0);
    child_end(sink.child);
    ck_assert_int_eq(sink.done, 0); /* it comes from the loop */
    finish();
    ck_assert(!sink.ended); /* it had by itself */
    ck_assert(!sink.orphans);
    ck_assert_int_eq(sink.status, 0);
}
END_TEST

/* Its time is over, but what it said is waited for. */
START_TEST(timed_out_while_held_back)
{
    struct child_spec spec = { .timeout_ms = 100 };

    sink.may = 0;
    start("yes", spec);
    spin_for(&loop, 600);
    ck_assert_int_eq(sink.exited, 1);
    ck_assert_int_eq(sink.done, 0);
    child_end(sink.child);
    finish();
    ck_assert(sink.timed_out);
    ck_assert(!sink.ended);
}
END_TEST

START_TEST(released)
{
    pid_t group;

    start("sleep 30", plain);
    group = sink.child->group;
    child_release(sink.child);
    spin_for(&loop, 50);
    ck_assert_int_eq(sink.done, 0);
    ck_assert(!spin_group_gone(group));
    kill(-group, SIGKILL);
    ck_assert_int_eq(waitpid(group, NULL, 0), group);
}
END_TEST

/* --- its start ------------------------------------------------------------ */

START_TEST(running_at_once)
{
    for (int i = 0; i < 20; i++) {
        sink.done = 0;
        start("exit 0", plain);
        ck_assert(sink.child->running);
        finish();
        ck_assert_int_eq(sink.started, 0); /* it was told already */
    }
}
END_TEST

static bool is_running(void *unused)
{
    (void) unused;
    return sink.child->running;
}

/* The agent does not wait where a file system may not answer; a program that was
 * quicker is known to run as it is started. */
START_TEST(running_later)
{
    struct child_spec spec = { .may_wait = true, .input_max = 1 };
    bool known;

    start("read line", spec);
    known = sink.child->running;
    ck_assert(spin_until(&loop, is_running, NULL));
    ck_assert_int_eq(sink.done, 0);
    feed_end(&sink.child->input);
    finish();
    ck_assert_int_eq(sink.started, known ? 0 : 1);
}
END_TEST

START_TEST(never_running)
{
    struct child_spec spec = { .working_dir = "/nonexistent/vsrpc" };

    for (int i = 0; i < 2; i++) {
        sink.done = 0;
        spec.may_wait = i;
        start("exit 0", spec);
        ck_assert(!sink.child->running);
        if (i == 0)
            ck_assert_int_eq(sink.child->start_errno, ENOENT);
        finish();
        ck_assert_int_eq(sink.start_errno, ENOENT);
        ck_assert_int_eq(sink.started, 0);
    }
}
END_TEST

/* --- input ---------------------------------------------------------------- */

static bool is_fed(void *unused)
{
    (void) unused;
    return sink.fed > 0;
}

static bool has_said(void *text)
{
    return sink.got[0].len > 0 && strstr(buf_cstr(&sink.got[0]), text);
}

START_TEST(input_in_pieces)
{
    struct child_spec spec = { .input_max = 1000 };

    start("cat", spec);
    ck_assert_uint_eq(feed_room(&sink.child->input), 1000);
    ck_assert_int_eq(feed_add(&sink.child->input, "one ", 4), 0);
    ck_assert(spin_until(&loop, has_said, (void *) (uintptr_t) "one "));
    ck_assert_int_eq(feed_add(&sink.child->input, "two", 3), 0);
    feed_end(&sink.child->input);
    ck_assert(!feed_open(&sink.child->input));
    finish();
    ck_assert_str_eq(buf_cstr(&sink.got[0]), "one two");
}
END_TEST

/* It is written as fast as it is read, and no faster. */
START_TEST(input_has_room)
{
    enum { MAX = 100000, SIZE = 1000000 };
    struct child_spec spec = { .input_max = MAX };
    AUTO_FREE uint8_t *bytes = malloc(SIZE);
    size_t sent = 0;

    fill(bytes, SIZE);
    start("sleep 0.2; cat", spec);
    while (sent < SIZE) {
        size_t n = feed_room(&sink.child->input);

        if (n > SIZE - sent)
            n = SIZE - sent;
        ck_assert_int_eq(feed_add(&sink.child->input, bytes + sent, n), 0);
        sent += n;
        /* the pipe has 64 KiB more */
        ck_assert_uint_le(sent - sink.got[0].len, MAX + 3 * 65536);
        if (feed_room(&sink.child->input) > 0)
            continue;
        sink.fed = 0;
        ck_assert(spin_until(&loop, is_fed, NULL));
    }
    feed_end(&sink.child->input);
    finish();
    expect_pattern(&sink.got[0], SIZE);
}
END_TEST

/* What a program does not want is thrown away. */
START_TEST(input_nobody_reads)
{
    struct child_spec spec = { .input_max = 200000 };
    AUTO_FREE uint8_t *bytes = calloc(1, 200000);

    start("exec <&-; echo closed; sleep 0.5", spec);
    ck_assert(spin_until(&loop, has_said, (void *) (uintptr_t) "closed"));
    ck_assert(feed_open(&sink.child->input)); /* nobody has tried */
    ck_assert_int_eq(feed_add(&sink.child->input, bytes, 1000), 0);
    ck_assert(!feed_open(&sink.child->input));
    ck_assert_int_eq(feed_add(&sink.child->input, bytes, 200000), 0);
    feed_end(&sink.child->input);
    finish();
    ck_assert_int_eq(sink.status, 0);
}
END_TEST

START_TEST(input_is_closed_while_it_waits)
{
    struct child_spec spec = { .input_max = 200000 };
    AUTO_FREE uint8_t *bytes = calloc(1, 200000);

    start("sleep 0.2; exec <&-; sleep 30", spec);
    ck_assert_int_eq(feed_add(&sink.child->input, bytes, 200000), 0);
    ck_assert(feed_open(&sink.child->input));
    ck_assert(spin_until(&loop, is_fed, NULL));
    ck_assert(!feed_open(&sink.child->input));
    child_cancel(sink.child);
}
END_TEST

/* The first that was known at the start, then the others. */
START_TEST(input_with_a_first)
{
    struct child_spec spec = { .input_max = 100 };
    struct buf first;

    buf_init(&first, 100);
    ck_assert_int_eq(buf_puts(&first, "first "), 0);
    spec.input = &first;
    start("cat", spec);
    ck_assert_uint_eq(first.len, 0);
    ck_assert_int_eq(feed_add(&sink.child->input, "second", 6), 0);
    feed_end(&sink.child->input);
    finish();
    ck_assert_str_eq(buf_cstr(&sink.got[0]), "first second");
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, both_outputs);
    tcase_add_test(tcase, slow_reader);
    tcase_add_test(tcase, held_back);
    tcase_add_test(tcase, ends_with_full_pipes);
    tcase_add_test(tcase, orphan_that_talks);
    tcase_add_test(tcase, orphan_behind_full_pipe);
    tcase_add_test(tcase, ended_while_held_back);
    tcase_add_test(tcase, ended_after_its_process);
    tcase_add_test(tcase, timed_out_while_held_back);
    tcase_add_test(tcase, released);
    tcase_add_test(tcase, running_at_once);
    tcase_add_test(tcase, running_later);
    tcase_add_test(tcase, never_running);
    tcase_add_test(tcase, input_in_pieces);
    tcase_add_test(tcase, input_has_room);
    tcase_add_test(tcase, input_nobody_reads);
    tcase_add_test(tcase, input_is_closed_while_it_waits);
    tcase_add_test(tcase, input_with_a_first);
}
