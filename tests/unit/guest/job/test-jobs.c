/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Turns with a job: its output, its input, signals. */
#include <config.h>

#include "guest/job/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/agent.h"
#include "proto/status.h"
#include "unit/guest/spin.h"
#include "unit/guest/turns.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "jobs";

/* --- output --------------------------------------------------------------- */

START_TEST(output)
{
    start_script("echo one; echo two >&2; echo three; exit 3",
                 ",\"wait_ms\":10000");
    ck_assert_str_eq(status_of("state"), "ended");
    ck_assert_int_eq(status_number("output"), 14);
    ck_assert_int_eq(status_number("exit_code"), 3);
    take_output("offset=0");
    ck_assert_uint_eq(turn.answer.body_len, 14);
    ck_assert_int_eq(turn.offset, 0);
    ck_assert_int_eq(status_number("output_start"), 0);
    /* again: it has not been taken */
    take_output("offset=0");
    ck_assert_uint_eq(turn.answer.body_len, 14);
    take_output("offset=14");
    expect_output(14, "", "");
    ck_assert_int_eq(status_number("output_start"), 14);
    /* now it has */
    take_output("offset=3");
    expect_output(14, "", "");
}
END_TEST

/* As they were read; when two are there at once nobody knows which came
 * first. */
START_TEST(both_streams)
{
    start_script("echo one; read x; echo two >&2; read x; echo three; read x",
                 ",\"stdin\":true,\"wait_ms\":10000");
    give_input("offset=0&output=0&wait_ms=10000", "\n");
    expect_output(0, "one\n", "1:4");
    take_output("offset=4&wait_ms=10000");
    expect_output(4, "two\n", "2:4");
    give_input("offset=1&output=8&wait_ms=10000", "\n");
    expect_output(8, "three\n", "1:6");
    take_output("offset=0&peek=1");
    expect_output(8, "three\n", "1:6");
    take_output("offset=8&max=2");
    expect_output(8, "th", "1:2");
    take_output("offset=10&max=0");
    expect_output(10, "", "");
}
END_TEST

START_TEST(output_in_parts)
{
    start_script("echo abc; exit 0", ",\"wait_ms\":10000");
    take_output("offset=0&max=1");
    expect_output(0, "a", "1:1");
    take_output("offset=1&max=2");
    expect_output(1, "bc", "1:2");
    take_output("");
    expect_output(1, "bc\n", "1:3");
}
END_TEST

START_TEST(beyond)
{
    start_script("echo abc", ",\"wait_ms\":10000");
    take_output("offset=5");
    expect_error(STATUS_INVALID_PARAMS, "offset 5 is beyond the output");
    take_output("offset=4");
    expect_output(4, "", "");
}
END_TEST

static const char *const bad_queries[] = {
    "offset=-1",
    "offset=x",
    "offset=",
    "wait_ms=60001",
    "peek=2",
    "away=perhaps",
    "offset=1&offset=1",
    "offset=99999999999999999999",
    "max=-1",
};

START_TEST(bad_query)
{
    const char *query = bad_queries[_i];
    AUTO_FREE char *name = format("'%.*s'", (int) strcspn(query, "="), query);

    start_script("echo abc", ",\"wait_ms\":10000");
    take_output(query);
    expect_error(STATUS_INVALID_PARAMS, name);
}
END_TEST

/* Nothing comes: the wait is as long as it was to be. */
START_TEST(waits)
{
    int64_t before;

    start_script("read x", ",\"stdin\":true");
    before = clock_ms();
    take_output("offset=0");
    ck_assert_int_lt(clock_ms() - before, 5000);
    take_output("offset=0&wait_ms=200");
    ck_assert_int_ge(clock_ms() - before, 200);
    expect_output(0, "", "");
    ck_assert_str_eq(status_of("state"), "running");
}
END_TEST

/* What is there already, and what comes, both end a wait. */
START_TEST(wait_ends)
{
    start_script("echo one; sleep 0.2; echo two; sleep 0.2; exit 4", "");
    take_output("offset=0&wait_ms=60000");
    expect_output(0, "one\n", "1:4");
    take_output("offset=4&wait_ms=60000");
    expect_output(4, "two\n", "1:4");
    take_output("offset=8&wait_ms=60000");
    expect_output(8, "", "");
    ck_assert_int_eq(status_number("exit_code"), 4);
}
END_TEST

/* The next request of its client ends a wait. */
START_TEST(wait_is_urged)
{
    AUTO_FREE char *fields = format("X-Session: %s\r\n",
                                    session_handshake(&rig.agent.session));

    start_script("trap 'exit 5' INT; while :; do sleep 0.05; done", "");
    turn_begin("GET", "jobs/*/output?offset=0&wait_ms=60000", fields, NULL);
    spin_for(&rig.agent.loop, 50);
    ck_assert_uint_eq(session_output(&rig.agent.session, NULL), 0);
    turn_begin("POST", "jobs/*/signal", fields, "{\"signal\":2}");
    turn_take();
    expect_output(0, "", "");
    turn_take();
    ck_assert_int_eq(turn.answer.code, 0);
    take_output("offset=0&wait_ms=60000");
    ck_assert_int_eq(status_number("exit_code"), 5);
}
END_TEST

/* More than fits into one answer, and more than an agent keeps. */
START_TEST(much_output)
{
    enum { SIZE = 5 * 1024 * 1024 };
    AUTO_FREE char *query = NULL;
    int64_t at = 0;

    start_script("head -c 5242880 /dev/zero | tr '\\000' z; exit 6", "");
    do {
        free(query);
        query = format("offset=%lld&wait_ms=60000", (long long) at);
        take_output(query);
        ck_assert_uint_le(turn.answer.body_len, JOB_ANSWER_MAX);
        ck_assert_int_eq(turn.offset, at);
        for (size_t i = 0; i < turn.answer.body_len; i++)
            ck_assert(turn.answer.body[i] == 'z');
        at += (int64_t) turn.answer.body_len;
        ck_assert_int_le(status_number("output"), at + JOB_OUTPUT_MAX);
    } while (strcmp(status_of("state"), "ended") != 0
             || at < status_number("output"));
    ck_assert_int_eq(at, SIZE);
    ck_assert_int_eq(status_number("exit_code"), 6);
    ck_assert_str_eq(status_of("truncated"), "");
}
END_TEST

static bool log_is_full(void *unused)
{
    (void) unused;
    return the_job()->log.end == JOB_OUTPUT_MAX;
}

/* A client that takes nothing holds the program back, not the agent. */
START_TEST(held_back)
{
    start_script("head -c 3000000 /dev/zero", "");
    ck_assert(spin_until(&rig.agent.loop, log_is_full, NULL));
    spin_for(&rig.agent.loop, 100);
    take_output("offset=0&peek=1");
    ck_assert_int_eq(status_number("output"), JOB_OUTPUT_MAX);
    ck_assert_str_eq(status_of("state"), "running");
    ck_assert_uint_eq(turn.answer.body_len, JOB_ANSWER_MAX);
}
END_TEST

START_TEST(many_segments)
{
    int64_t at = 0;
    int n = 0;

    start_script("i=0; while [ $i -lt 300 ]; do echo o; echo e >&2; "
                 "i=$((i+1)); done",
                 ",\"wait_ms\":1000");
    wait_for_end();
    do {
        AUTO_FREE char *query = format("offset=%lld", (long long) at);
        const char *p;

        take_output(query);
        n = 0;
        for (p = turn.segments; p && *p; p = strchr(p + 1, ','))
            n++;
        ck_assert_int_le(n, JOB_ANSWER_SEGMENTS);
        at += (int64_t) turn.answer.body_len;
    } while (n > 0);
    ck_assert_int_eq(at, 1200);
}
END_TEST

static const struct {
    const char *limit, *output;
    bool truncated;
} limits[] = {
    { "0", "", true },
    { "1", "a", true },
    { "4", "abcd", true },
    { "7", "abcdef\n", false },
    { "100", "abcdef\n", false },
};

START_TEST(output_limit)
{
    AUTO_FREE char *more = format(",\"wait_ms\":10000,\"output_limit\":%s",
                                  limits[_i].limit);

    start_script("echo abcdef", more);
    ck_assert_str_eq(status_of("state"), "ended");
    ck_assert_str_eq(status_of("truncated"),
                     limits[_i].truncated ? "true" : "");
    take_output("offset=0");
    ck_assert_str_eq(turn.answer.body, limits[_i].output);
}
END_TEST

/* What is past the limit holds nobody back. */
START_TEST(far_past_the_limit)
{
    start_script("head -c 5000000 /dev/zero; exit 7",
                 ",\"wait_ms\":10000,\"output_limit\":5000");
    wait_for_end();
    take_output("offset=0");
    ck_assert_uint_eq(turn.answer.body_len, 5000);
    ck_assert_int_eq(status_number("exit_code"), 7);
}
END_TEST

/* --- input ---------------------------------------------------------------- */

START_TEST(input)
{
    start_script("cat", ",\"stdin\":true");
    ck_assert_str_eq(status_of("stdin_open"), "true");
    ck_assert_int_eq(status_number("stdin_room"), JOB_INPUT_MAX);
    give_input("offset=0", "hello ");
    ck_assert_int_eq(turn.answer.code, 0);
    ck_assert_int_eq(status_number("stdin_received"), 6);
    give_input("offset=6&output=0&wait_ms=10000", "");
    expect_output(0, "hello ", "1:6");
    give_input("offset=6&eof=1", "world");
    ck_assert_str_eq(status_of("stdin_open"), "false");
    take_output("offset=6&wait_ms=10000");
    expect_output(6, "world", "1:5");
    take_output("offset=11&wait_ms=10000");
    ck_assert_str_eq(status_of("state"), "ended");
    ck_assert_int_eq(status_number("exit_code"), 0);
}
END_TEST

/* Sent again because the answer was lost: it counts once. */
START_TEST(input_again)
{
    start_script("cat; echo .", ",\"stdin\":true");
    give_input("offset=0", "abc");
    give_input("offset=0", "abc");
    ck_assert_int_eq(status_number("stdin_received"), 3);
    give_input("offset=1", "bcde");
    ck_assert_int_eq(status_number("stdin_received"), 5);
    give_input("offset=0", "");
    give_input("offset=3&eof=1", "de");
    ck_assert_int_eq(status_number("stdin_received"), 5);
    ck_assert_str_eq(status_of("stdin_open"), "false");
    give_input("offset=3&eof=1", "de");
    ck_assert_int_eq(turn.answer.code, 0);
    wait_for_end();
    take_output("offset=0");
    expect_output(0, "abcde.\n", "1:7");
}
END_TEST

START_TEST(input_with_a_gap)
{
    start_script("cat", ",\"stdin\":true");
    give_input("offset=0", "abc");
    give_input("offset=4", "e");
    expect_error(STATUS_INVALID_PARAMS, "leaves a gap");
    give_input("offset=3&output=0", "d");
    ck_assert_int_eq(status_number("stdin_received"), 4);
}
END_TEST

START_TEST(input_without_offset)
{
    start_script("cat", ",\"stdin\":true");
    give_input("eof=1", "abc");
    expect_error(STATUS_MISSING_REQUIRED, "'offset' is missing");
}
END_TEST

#define MD5_OF_ABC "900150983cd24fb0d6963f7d28e17f72"

START_TEST(input_is_announced)
{
    start_script("cat", ",\"stdin\":true");
    give_input("offset=0&md5=" MD5_OF_ABC, "abc");
    ck_assert_int_eq(status_number("stdin_received"), 3);
    give_input("offset=3&eof=1&md5=" MD5_OF_ABC, "abd");
    expect_error(STATUS_FILE_OPERATION_FAILED,
                 "\"md5\":\"4911e516e5aa21d327512e0c8b197616\"");
    give_input("offset=3&md5=" MD5_OF_ABC, "abc");
    ck_assert_int_eq(status_number("stdin_received"), 6);
    ck_assert_str_eq(status_of("stdin_open"), "true");
}
END_TEST

static char *letters(size_t n)
{
    char *text = malloc(n + 1);

    memset(text, 'a', n);
    text[n] = '\0';
    return text;
}

/* Only so much at once, announced or not. */
START_TEST(input_too_large)
{
    AUTO_FREE char *fits = letters(JOB_INPUT_MAX);
    AUTO_FREE char *more = letters(JOB_INPUT_MAX + 1);

    start_script("sleep 30", ",\"stdin\":true");
    give_input("offset=0", more);
    expect_error(STATUS_PAYLOAD_TOO_LARGE, "more than 262144 bytes");
    give_input("offset=0", fits);
    ck_assert_int_eq(turn.answer.code, 0);
    ck_assert_int_eq(status_number("stdin_received"), JOB_INPUT_MAX);
}
END_TEST

START_TEST(input_too_large_in_chunks)
{
    AUTO_FREE char *chunk = letters(0x20000);

    start_script("sleep 30", ",\"stdin\":true");
    turn_begin("POST", "jobs/*/stdin?offset=0",
               "Transfer-Encoding: chunked\r\n", NULL);
    for (int i = 0; i < 3; i++) {
        rig_puts(&rig, "20000\r\n");
        rig_puts(&rig, chunk);
        rig_puts(&rig, "\r\n");
    }
    rig_puts(&rig, "0\r\n\r\n");
    turn_take();
    expect_error(STATUS_PAYLOAD_TOO_LARGE, "more than 262144 bytes");
}
END_TEST

/* As much as there is room for, and a wait for more. */
START_TEST(input_has_room)
{
    AUTO_FREE char *bytes = letters(JOB_INPUT_MAX);
    int64_t received;

    start_script("sleep 0.3; cat > /dev/null; echo done", ",\"stdin\":true");
    give_input("offset=0", bytes);
    ck_assert_int_eq(status_number("stdin_received"), JOB_INPUT_MAX);
    ck_assert_int_lt(status_number("stdin_room"), JOB_INPUT_MAX);
    give_input("offset=262144&eof=1", bytes);
    received = status_number("stdin_received");
    ck_assert_int_lt(received, 2 * JOB_INPUT_MAX);
    ck_assert_int_gt(received, JOB_INPUT_MAX);
    ck_assert_int_eq(status_number("stdin_room"), 0);
    ck_assert_str_eq(status_of("stdin_open"), "true"); /* not all came */
    take_output("offset=0&wait_ms=60000&room=1");
    expect_output(0, "", "");
    ck_assert_int_gt(status_number("stdin_room"), 0);
    take_output("offset=0&wait_ms=60000&room=262144");
    ck_assert_int_eq(status_number("stdin_room"), JOB_INPUT_MAX);
    give_input("offset=262144&eof=1&output=0&wait_ms=60000", bytes);
    expect_output(0, "done\n", "1:5");
}
END_TEST

START_TEST(input_nobody_reads)
{
    AUTO_FREE char *bytes = letters(JOB_INPUT_MAX);
    int64_t before;

    start_script("exec <&-; echo closed; sleep 30",
                 ",\"stdin\":true,\"wait_ms\":10000");
    give_input("offset=0", bytes);
    ck_assert_int_eq(status_number("stdin_received"), JOB_INPUT_MAX);
    ck_assert_str_eq(status_of("stdin_open"), "false");
    /* a wait for room has nothing to wait for */
    before = clock_ms();
    take_output("offset=7&wait_ms=60000&room=262144");
    expect_output(7, "", "");
    ck_assert_int_lt(clock_ms() - before, 10000);
    give_input("offset=262144&eof=1", bytes);
    ck_assert_int_eq(status_number("stdin_received"), 2 * JOB_INPUT_MAX);
}
END_TEST

START_TEST(input_after_the_end)
{
    start_script("exit 0", ",\"stdin\":true,\"wait_ms\":10000");
    give_input("offset=0&eof=1", "late");
    ck_assert_int_eq(turn.answer.code, 0);
    ck_assert_int_eq(status_number("stdin_received"), 4);
    ck_assert_str_eq(status_of("stdin_open"), "false");
}
END_TEST

START_TEST(input_not_wanted)
{
    start_script("cat; sleep 30", "");
    ck_assert_str_eq(status_of("stdin_open"), "false");
    give_input("offset=0", "x");
    expect_error(STATUS_INVALID_PARAMS, "started without 'stdin'");
    give_input("offset=0&eof=1&output=0", "");
    expect_output(0, "", "");
}
END_TEST

/* 5 MiB in and out again, in one kind of turn. */
START_TEST(both_ways)
{
    enum { SIZE = 5 * 1024 * 1024 };
    AUTO_FREE char *bytes = letters(SIZE);
    int64_t sent = 0;
    int64_t at = 0;

    for (int i = 0; i < SIZE; i++)
        bytes[i] = (char) ('a' + i % 23);
    start_script("cat", ",\"stdin\":true");
    do {
        int64_t n = status_number("stdin_room");
        AUTO_FREE char *query = NULL;
        AUTO_FREE char *piece = NULL;

        if (n > SIZE - sent)
            n = SIZE - sent;
        query = format("offset=%lld&output=%lld&eof=%d&wait_ms=60000&room=1",
                       (long long) sent, (long long) at, sent + n == SIZE);
        piece = format("%.*s", (int) n, bytes + sent);
        give_input(query, piece);
        ck_assert(memcmp(turn.answer.body, bytes + at, turn.answer.body_len)
                  == 0);
        at += (int64_t) turn.answer.body_len;
        sent = status_number("stdin_received");
        spin_for(&rig.agent.loop, 1); /* an answer at once turns no loop */
    } while (strcmp(status_of("state"), "ended") != 0
             || at < status_number("output"));
    ck_assert_int_eq(at, SIZE);
}
END_TEST

/* --- signals -------------------------------------------------------------- */

static const struct {
    const char *given, *name;
    int number;
} good_signals[] = {
    { "\"INT\"", "SIGINT", 2 },
    { "\"SIGINT\"", "SIGINT", 2 },
    { "2", "SIGINT", 2 },
    { "\"HUP\"", "SIGHUP", 1 },
    { "\"TERM\"", "SIGTERM", 15 },
    { "\"KILL\"", "SIGKILL", 9 },
    { "\"USR1\"", "SIGUSR1", 10 },
    { "\"SIGVTALRM\"", "SIGVTALRM", 26 },
    { "\"QUIT\"", "SIGQUIT", 3 },
    { "31", "SIGSYS", 31 },
    { "40", "40", 40 },
};

START_TEST(signals)
{
    AUTO_FREE char *body = format("{\"signal\":%s}", good_signals[_i].given);

    /* what ends by itself dumps no core */
    start_script("ulimit -c 0; echo x; exec sleep 30", ",\"wait_ms\":10000");
    turn_send("POST", "jobs/*/signal", body);
    ck_assert_int_eq(turn.answer.code, 0);
    wait_for_end();
    turn_send("GET", "jobs/*", NULL);
    ck_assert_str_eq(status_of("signal"), good_signals[_i].name);
    ck_assert_int_eq(status_number("exit_code"),
                     128 + good_signals[_i].number);
    ck_assert_str_eq(status_of("ended"), ""); /* not by the agent */
    /* one that has ended takes no harm */
    turn_send("POST", "jobs/*/signal", body);
    ck_assert_int_eq(turn.answer.code, 0);
}
END_TEST

/* All of the group. */
START_TEST(signals_the_group)
{
    start_script("sleep 30 | sleep 30; exit 9", "");
    turn_send("POST", "jobs/*/signal", "{\"signal\":\"KILL\"}");
    wait_for_end();
    ck_assert(spin_group_gone(the_job()->pid));
}
END_TEST

static const char *const bad_signals[] = {
    "{}",
    "{\"signal\":0}",
    "{\"signal\":65}",
    "{\"signal\":\"\"}",
    "{\"signal\":\"SIG\"}",
    "{\"signal\":\"int\"}",
    "{\"signal\":\"NOSUCH\"}",
    "{\"signal\":\"SIGSIGINT\"}",
    "{\"signal\":-2}",
    "{\"signal\":true}",
    "{\"signal\":2.5}",
    "{\"signal\":null}",
};

START_TEST(bad_signal)
{
    start_script("sleep 30", "");
    turn_send("POST", "jobs/*/signal", bad_signals[_i]);
    ck_assert_msg(turn.answer.code == STATUS_INVALID_PARAMS
                      || turn.answer.code == STATUS_MISSING_REQUIRED,
                  "%s", turn.answer.body);
    ck_assert_int_eq(the_job()->state, JOB_RUNNING);
}
END_TEST

/* --- terminals ------------------------------------------------------------ */

static bool has_said(void *n)
{
    return the_job()->log.end >= *(int64_t *) n;
}

START_TEST(terminal)
{
    start_script("stty size; echo $TERM; read x; stty size",
                 ",\"tty\":{\"rows\":5,\"columns\":6,\"term\":\"vt100\"},"
                 "\"wait_ms\":10000");
    ck_assert_str_eq(status_of("tty"), "true");
    ck_assert_str_eq(status_of("stdin_open"), "true");
    ck_assert(spin_until(&rig.agent.loop, has_said, &(int64_t) { 12 }));
    turn_send("POST", "jobs/*/resize", "{\"rows\":50,\"columns\":132}");
    ck_assert_int_eq(turn.answer.code, 0);
    give_input("offset=0", "\n");
    wait_for_end();
    take_output("offset=0");
    expect_output(0, "5 6\r\nvt100\r\n\r\n50 132\r\n", "1:22");
    turn_send("POST", "jobs/*/resize", "{\"rows\":50,\"columns\":132}");
    ck_assert_int_eq(turn.answer.code, 0);
}
END_TEST

START_TEST(terminal_by_default)
{
    start_script("stty size; echo $TERM", ",\"tty\":{}");
    wait_for_end();
    take_output("offset=0");
    expect_output(0, "24 80\r\ndumb\r\n", "1:13");
}
END_TEST

static const char *const bad_sizes[] = {
    "{}",
    "{\"rows\":1}",
    "{\"rows\":0,\"columns\":1}",
    "{\"rows\":1,\"columns\":65536}",
    "{\"rows\":\"1\",\"columns\":1}",
};

START_TEST(bad_size)
{
    start_script("sleep 30", ",\"tty\":{}");
    turn_send("POST", "jobs/*/resize", bad_sizes[_i]);
    ck_assert_msg(turn.answer.code == STATUS_INVALID_PARAMS
                      || turn.answer.code == STATUS_MISSING_REQUIRED,
                  "%s", turn.answer.body);
}
END_TEST

START_TEST(no_terminal)
{
    start_script("sleep 30", "");
    turn_send("POST", "jobs/*/resize", "{\"rows\":1,\"columns\":2}");
    expect_error(STATUS_INVALID_PARAMS, "has no terminal");
}
END_TEST

/* --- who is asked for ----------------------------------------------------- */

static const struct {
    const char *method, *target, *body;
} strangers[] = {
    { "GET", "jobs/01234567", NULL },
    { "DELETE", "jobs/01234567", NULL },
    { "GET", "jobs/01234567/output?offset=0", NULL },
    { "POST", "jobs/01234567/stdin?offset=0", "x" },
    { "POST", "jobs/01234567/signal", "{\"signal\":2}" },
    { "POST", "jobs/01234567/resize", "{\"rows\":1,\"columns\":2}" },
    { "GET", "jobs/0", NULL },
};

START_TEST(stranger)
{
    start_script("exit 0", ",\"wait_ms\":10000");
    turn_send(strangers[_i].method, strangers[_i].target, strangers[_i].body);
    ck_assert_int_eq(turn.answer.http, 404);
    expect_error(STATUS_JOB_NOT_FOUND, "the agent was restarted");
}
END_TEST

START_TEST(list)
{
    struct json_object *jobs;

    turn_send("GET", "jobs", NULL);
    ck_assert_str_eq(status_of("jobs"), "[ ]");
    start_script("exit 3", ",\"wait_ms\":10000");
    start_script("sleep 30", "");
    turn_send("GET", "jobs", NULL);
    json_object_object_get_ex(turn.status, "jobs", &jobs);
    ck_assert_uint_eq(json_object_array_length(jobs), 2);
    turn_send("GET", "jobs/*", NULL);
    ck_assert_str_eq(status_of("state"), "running");
    ck_assert_str_eq(status_of("argv"),
                     "[ \"\\/bin\\/sh\", \"-c\", \"sleep 30\" ]");
    ck_assert_str_eq(status_of("user"), "root");
    ck_assert_int_eq(status_number("pid"), the_job()->pid);
    ck_assert_int_le(status_number("started"), clock_wall());
    ck_assert_int_ge(status_number("started"), clock_wall() - 60);
}
END_TEST

/* Words that would make a list too long are cut, also when each is short. */
START_TEST(long_words)
{
    AUTO_FREE char *word = letters(100000);
    AUTO_FREE char *params = format("{\"argv\":[\"/bin/true\",\"%s\",\"x\"],"
                                    "\"wait_ms\":10000}",
                                    word);

    start_job(params);
    turn_send("GET", "jobs", NULL);
    ck_assert_uint_lt(turn.answer.body_len, JOB_WORDS_MAX + 1000);
}
END_TEST

START_TEST(many_words)
{
    AUTO_FREE char *words = letters(3 * 50000);
    AUTO_FREE char *params = NULL;

    for (size_t i = 0; i < 50000; i++)
        memcpy(words + 3 * i, ",\"\"", 3);
    params = format("{\"argv\":[\"/bin/true\"%s],\"wait_ms\":10000}", words);
    start_job(params);
    turn_send("GET", "jobs", NULL);
    ck_assert_uint_lt(turn.answer.body_len, 4 * JOB_WORDS_MAX + 1000);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, turns_setup, turns_teardown);
    tcase_add_test(tcase, output);
    tcase_add_test(tcase, both_streams);
    tcase_add_test(tcase, output_in_parts);
    tcase_add_test(tcase, beyond);
    tcase_add_loop_test(tcase, bad_query, 0, ARRAY_SIZE(bad_queries));
    tcase_add_test(tcase, waits);
    tcase_add_test(tcase, wait_ends);
    tcase_add_test(tcase, wait_is_urged);
    tcase_add_test(tcase, much_output);
    tcase_add_test(tcase, held_back);
    tcase_add_test(tcase, many_segments);
    tcase_add_loop_test(tcase, output_limit, 0, ARRAY_SIZE(limits));
    tcase_add_test(tcase, far_past_the_limit);
    tcase_add_test(tcase, input);
    tcase_add_test(tcase, input_again);
    tcase_add_test(tcase, input_with_a_gap);
    tcase_add_test(tcase, input_without_offset);
    tcase_add_test(tcase, input_is_announced);
    tcase_add_test(tcase, input_too_large);
    tcase_add_test(tcase, input_too_large_in_chunks);
    tcase_add_test(tcase, input_has_room);
    tcase_add_test(tcase, input_nobody_reads);
    tcase_add_test(tcase, input_after_the_end);
    tcase_add_test(tcase, input_not_wanted);
    tcase_add_test(tcase, both_ways);
    tcase_add_loop_test(tcase, signals, 0, ARRAY_SIZE(good_signals));
    tcase_add_test(tcase, signals_the_group);
    tcase_add_loop_test(tcase, bad_signal, 0, ARRAY_SIZE(bad_signals));
    tcase_add_test(tcase, terminal);
    tcase_add_test(tcase, terminal_by_default);
    tcase_add_loop_test(tcase, bad_size, 0, ARRAY_SIZE(bad_sizes));
    tcase_add_test(tcase, no_terminal);
    tcase_add_loop_test(tcase, stranger, 0, ARRAY_SIZE(strangers));
    tcase_add_test(tcase, list);
    tcase_add_test(tcase, long_words);
    tcase_add_test(tcase, many_words);
}
