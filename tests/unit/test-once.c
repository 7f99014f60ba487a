/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A request that comes twice, and one whose client has gone. */
#include <config.h>

#include "guest/once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "sessions.h"
#include "spin.h"
#include "unit.h"
#include "util/clock.h"

const char unit_name[] = "once";

/* Longer than a test takes: an orphan that ends did not end by this. */
#define GRACE_NEVER (10 * SPIN_MAX_MS)

static void setup(void)
{
    session_setup();
    rig.agent.grace_ms = GRACE_NEVER;
}

/* --- what the tests send ------------------------------------------------- */

/* A command under an id, with further fields. */
static char *exec_with(const char *id, const char *fields,
                       const char *command)
{
    AUTO_FREE char *body = format("{\"argv\":[\"/bin/sh\",\"-c\",\"%s\"]}",
                                  command);
    AUTO_FREE char *all = format("X-Request-ID: %s\r\n%s", id, fields);

    return rig_request_with("POST /api/v1/shell/exec", all, body);
}

static void send_exec(const char *id, const char *command)
{
    AUTO_FREE char *text = exec_with(id, "", command);

    rig_puts(&rig, text);
}

/* Counts its runs in a file, waits until it may go on, and says something. */
static char *counting(void)
{
    return with_dir("cd @; echo run >> runs; "
                    "until test -e go; do sleep 0.01; done; echo result");
}

static void let_go(void)
{
    AUTO_FREE char *file = in_dir("go");

    unit_write_file(file, "");
}

static bool has_run(void *unused)
{
    AUTO_FREE char *file = in_dir("runs");
    struct stat st;

    (void) unused;
    return stat(file, &st) == 0 && st.st_size > 0;
}

static void expect_one_run(void)
{
    AUTO_FREE char *file = in_dir("runs");
    AUTO_FREE char *text = unit_read_file(file);

    ck_assert_str_eq(text, "run\n");
}

static void reconnect(void)
{
    session_hangup(&rig.agent.session);
    session_connected(&rig.agent.session, true);
}

static const char *data_string(const struct rig_answer *answer,
                               const char *name)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(answer->data, name, &value);
    return value ? json_object_get_string(value) : "";
}

static void expect_data(const struct rig_answer *answer, const char *name,
                        const char *value)
{
    const char *is = data_string(answer, name);

    ck_assert_msg(strcmp(is, value) == 0, "%s is '%s', not '%s' in %.500s",
                  name, is, value, answer->body);
}

static void take(struct rig_answer *answer)
{
    rig_wait(&rig);
    rig_answer(&rig, answer);
    ck_assert_uint_eq(rig.got.len, 0);
}

static void expect_result(bool replayed)
{
    struct rig_answer answer;

    take(&answer);
    ck_assert_msg(answer.http == 200 && answer.code == 0, "%s", answer.body);
    expect_data(&answer, "stdout", "result\n");
    expect_data(&answer, "exit_code", "0");
    ck_assert_str_eq(answer.id, "one");
    ck_assert_int_eq(answer.replayed, replayed);
    rig_answer_free(&answer);
    expect_one_run();
}

/* What requests/ID says, or answers when it is deleted. */
static void ask_state(const char *method, const char *id,
                      struct rig_answer *answer)
{
    AUTO_FREE char *line = format("%s /api/v1/requests/%s", method, id);
    AUTO_FREE char *text = rig_request(line, NULL);

    rig_puts(&rig, text);
    take(answer);
    ck_assert_msg(answer->code == 0, "%s", answer->body);
    expect_data(answer, "id", id);
}

static void expect_state(const char *id, const char *state)
{
    struct rig_answer answer;

    ask_state("GET", id, &answer);
    expect_data(&answer, "state", state);
    rig_answer_free(&answer);
}

static bool no_orphans(void *unused)
{
    (void) unused;
    return !rig.agent.orphans.first;
}

static void expect_no_orphans(void)
{
    ck_assert(spin_until(&rig.agent.loop, no_orphans, NULL));
    ck_assert(spin_until(&rig.agent.loop, spin_childless, NULL));
    ck_assert_int_eq(rig.agent.running, 0);
}

static void start_counting(void)
{
    AUTO_FREE char *command = counting();

    send_exec("one", command);
    ck_assert(spin_until(&rig.agent.loop, has_run, NULL));
}

/* --- a client that comes back -------------------------------------------- */

START_TEST(comes_back_while_it_runs)
{
    AUTO_FREE char *command = counting();

    start_counting();
    reconnect();
    ck_assert_int_eq(rig.agent.running, 0); /* it gave up its place */
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    expect_state("one", "running");
    send_exec("one", command);
    spin_for(&rig.agent.loop, 50);
    ck_assert_int_eq(state(), SESSION_WORK);
    ck_assert_uint_eq(session_output(&rig.agent.session, NULL), 0);
    let_go();
    expect_result(true);
    expect_no_orphans();
}
END_TEST

/* Without a hang-up in between. */
START_TEST(repeats_itself)
{
    AUTO_FREE char *command = counting();

    start_counting();
    send_exec("one", command);
    send_exec("one", command);
    let_go();
    expect_result(true);
    send_exec("one", command);
    expect_result(true);
}
END_TEST

/* It ends while nobody is there. */
START_TEST(comes_back_after_the_end)
{
    AUTO_FREE char *command = counting();
    struct rig_answer answer;

    start_counting();
    session_hangup(&rig.agent.session);
    let_go();
    expect_no_orphans();
    session_connected(&rig.agent.session, true);
    ask_state("GET", "one", &answer);
    expect_data(&answer, "state", "done");
    expect_data(&answer, "code", "0");
    expect_data(&answer, "exit_code", "0");
    ck_assert_str_ne(data_string(&answer, "duration_ms"), "");
    ck_assert_str_eq(data_string(&answer, "stdout"), "");
    rig_answer_free(&answer);
    send_exec("one", command);
    expect_result(true);
}
END_TEST

/* Its answer came, and it was not there to read it. */
START_TEST(comes_back_for_a_lost_answer)
{
    AUTO_FREE char *command = counting();

    let_go();
    send_exec("one", command);
    expect_result(false);
    for (int i = 0; i < 3; i++) {
        reconnect();
        send_exec("one", command);
        expect_result(true);
    }
}
END_TEST

/* An error is an answer as well: what led to it may have done something. */
START_TEST(errors_are_remembered)
{
    for (int i = 0; i < 3; i++) {
        struct rig_answer answer;
        AUTO_FREE char *text =
            rig_request_with("POST /api/v1/shell/exec",
                             "X-Request-ID: one\r\n",
                             "{\"argv\":[\"/nonexistent/program\"]}");

        rig_puts(&rig, text);
        take(&answer);
        ck_assert_int_eq(answer.code, STATUS_CMD_NOT_FOUND);
        expect_data(&answer, "error_type", "CMD_NOT_FOUND");
        ck_assert_int_eq(answer.replayed, i > 0);
        rig_answer_free(&answer);
    }
}
END_TEST

/* The client that waits goes, too, and the command has its grace again. */
START_TEST(waits_and_leaves)
{
    AUTO_FREE char *command = counting();

    start_counting();
    reconnect();
    send_exec("one", command);
    ck_assert(!rig.agent.orphans.first->grace.linked);
    reconnect();
    ck_assert(rig.agent.orphans.first->grace.linked);
    send_exec("one", command);
    let_go();
    expect_result(true);
}
END_TEST

/* While somebody waits the grace does not end it. */
START_TEST(waits_longer_than_the_grace)
{
    AUTO_FREE char *command = counting();

    rig.agent.grace_ms = 30;
    start_counting();
    send_exec("one", command);
    spin_for(&rig.agent.loop, 150);
    let_go();
    expect_result(true);
}
END_TEST

/* --- what is not the same request ---------------------------------------- */

START_TEST(conflict)
{
    AUTO_FREE char *command = counting();
    AUTO_FREE char *other = rig_request_with("POST /api/v1/service/control",
                                             "X-Request-ID: one\r\n", "{}");

    start_counting();
    send_exec("one", "echo other");
    rig_expect(&rig, 400, STATUS_INVALID_PARAMS);
    rig_puts(&rig, other);
    rig_expect(&rig, 400, STATUS_INVALID_PARAMS);
    let_go();
    send_exec("one", command);
    expect_result(true);
    send_exec("one", "echo other");
    rig_expect(&rig, 400, STATUS_INVALID_PARAMS);
}
END_TEST

static void ask_aged(const char *id, const char *age, int http, int code)
{
    AUTO_FREE char *field = format("X-Request-Age: %s\r\n", age);
    AUTO_FREE char *text = exec_with(id, *age ? field : "", "exit 0");

    rig_puts(&rig, text);
    rig_expect(&rig, http, code);
}

/* Something was pushed out a moment ago. */
static void push_out(void)
{
    struct memory *memory = &rig.agent.memory;

    for (int i = 0; i < 2 * MEMORY_ENTRIES; i++) {
        AUTO_FREE char *id = format("other-%d", i);

        memory_lost(memory, memory_add(memory, id, "f", clock_ms()),
                    clock_ms());
    }
}

START_TEST(gone)
{
    struct rig_answer answer;
    AUTO_FREE char *text = exec_with("a", "X-Request-Age: 600000\r\n", "true");

    rig.agent.memory.started = 0; /* long ago */
    ask_aged("before", "100", 200, 0);
    expect_state("never", "none");
    push_out();
    expect_state("never", "gone");
    rig_puts(&rig, text);
    take(&answer);
    ck_assert_int_eq(answer.http, 410);
    ck_assert_int_eq(answer.code, STATUS_REQUEST_GONE);
    expect_data(&answer, "state", "unknown");
    ck_assert(!answer.replayed);
    rig_answer_free(&answer);
    ask_aged("b", "60000", 410, STATUS_REQUEST_GONE);
    /* it did not run the second time either, nor is it remembered */
    expect_state("b", "gone");
    ask_aged("c", "0", 200, 0);
    ask_aged("d", "", 200, 0);
}
END_TEST

START_TEST(older_than_the_agent)
{
    rig.agent.memory.started = clock_ms() - 5000;
    ask_aged("a", "4000", 200, 0);
    ask_aged("b", "60000", 410, STATUS_REQUEST_GONE);
    expect_state("b", "none");
}
END_TEST

START_TEST(age_is_a_number)
{
    ask_aged("a", "x", 400, STATUS_INVALID_PARAMS);
    ask_aged("a", "-1", 400, STATUS_INVALID_PARAMS);
    ask_aged("a", "99999999999999999999", 400, STATUS_INVALID_PARAMS);
    ask_aged("a", "0", 200, 0);
}
END_TEST

/* Two ids that differ behind the longest are not to be taken for one. */
START_TEST(id_too_long)
{
    char id[REQUEST_ID_MAX + 2] = "";

    memset(id, 'x', REQUEST_ID_MAX);
    ask_aged(id, "", 200, 0);
    id[REQUEST_ID_MAX] = 'y';
    ask_aged(id, "", 400, STATUS_INVALID_PARAMS);
}
END_TEST

/* --- what is not remembered ---------------------------------------------- */

START_TEST(reads_are_not_remembered)
{
    AUTO_FREE char *file = in_dir("f");
    AUTO_FREE char *line = format("GET /api/v1/file/info?path=%s", file);
    AUTO_FREE char *info = rig_request_with(line, "X-Request-ID: a\r\n", NULL);
    AUTO_FREE char *body = format("{\"path\":\"%s\"}", file);
    AUTO_FREE char *load = rig_request_with("POST /api/v1/file/download",
                                            "X-Request-ID: a\r\n", body);

    unit_write_file(file, "content");
    for (int i = 0; i < 2; i++) {
        struct rig_answer answer;

        rig_puts(&rig, info);
        rig_expect(&rig, 200, 0);
        rig_puts(&rig, load);
        take(&answer);
        ck_assert_int_eq(answer.code, 0);
        ck_assert(!answer.replayed);
        rig_answer_free(&answer);
    }
    ck_assert_uint_eq(rig.agent.memory.n, 0);
}
END_TEST

static bool not_running(void *unused)
{
    (void) unused;
    return rig.agent.running == 0;
}

/* As ever: its client is all that a request without an id has. */
START_TEST(without_an_id_it_ends)
{
    AUTO_FREE char *command = counting();
    AUTO_FREE char *text = exec_request(command);

    rig_puts(&rig, text);
    ck_assert(spin_until(&rig.agent.loop, has_run, NULL));
    reconnect();
    ck_assert(not_running(NULL));
    ck_assert_ptr_null(rig.agent.orphans.first);
    ck_assert_uint_eq(rig.agent.memory.n, 0);
    expect_no_orphans();
}
END_TEST

/* A half of it is nothing. */
START_TEST(half_received_is_dropped)
{
    AUTO_FREE char *text = exec_with("one", "", "true");

    rig_feed(&rig, text, strlen(text) - 1);
    reconnect();
    ck_assert_ptr_null(rig.agent.orphans.first);
    expect_state("one", "none");
    rig_puts(&rig, text);
    rig_expect(&rig, 200, 0);
}
END_TEST

static void two_a_minute(struct settings *settings)
{
    settings->per_second = 100;
    settings->per_minute = 2;
    settings->max_concurrent = 1;
}

/* Answers from memory cost nothing; who was refused may come again. */
START_TEST(rate_limit)
{
    AUTO_FREE char *command = NULL;

    session_teardown();
    rig_start(&rig, two_a_minute);
    command = counting();
    let_go();
    send_exec("one", command);
    expect_result(false);
    for (int i = 0; i < 10; i++) {
        send_exec("one", command);
        expect_result(true);
        expect_state("one", "done");
    }
    ask_aged("b", "", 200, 0);
    ask_aged("c", "", 503, STATUS_SERVICE_UNAVAILABLE);
    expect_state("c", "none");
    rate_free(&rig.agent.rate);
    ck_assert_int_eq(rate_init(&rig.agent.rate, 0, 0), 0);
    ask_aged("c", "5", 200, 0);
}
END_TEST

START_TEST(no_place)
{
    session_teardown();
    rig_start(&rig, two_a_minute);
    rig.agent.running = 1;
    ask_aged("a", "", 503, STATUS_SERVICE_UNAVAILABLE);
    expect_state("a", "none");
    rig.agent.running = 0;
    ask_aged("a", "", 200, 0);
    expect_state("a", "done");
}
END_TEST

/* --- orphans ------------------------------------------------------------- */

static void expect_ended(const char *id)
{
    struct rig_answer answer;

    ask_state("GET", id, &answer);
    expect_data(&answer, "state", "done");
    expect_data(&answer, "exit_code", "143");
    expect_data(&answer, "signal", "SIGTERM");
    expect_data(&answer, "ended", "true");
    rig_answer_free(&answer);
}

START_TEST(grace_ends_a_command)
{
    struct rig_answer answer;
    int64_t begun = clock_ms();

    rig.agent.grace_ms = 200;
    send_exec("one", "sleep 1000");
    reconnect();
    expect_no_orphans();
    ck_assert_int_ge(clock_ms() - begun, 200);
    expect_ended("one");
    send_exec("one", "sleep 1000");
    take(&answer);
    ck_assert_int_eq(answer.code, 0);
    ck_assert(answer.replayed);
    expect_data(&answer, "signal", "SIGTERM");
    rig_answer_free(&answer);
}
END_TEST

/* What ignores TERM is killed. */
START_TEST(grace_ends_a_stubborn_command)
{
    struct rig_answer answer;

    rig.agent.grace_ms = 50;
    send_exec("one", "trap '' TERM; echo ready; while :; do sleep 0.1; done");
    spin_for(&rig.agent.loop, 100);
    reconnect();
    expect_no_orphans();
    ask_state("GET", "one", &answer);
    expect_data(&answer, "signal", "SIGKILL");
    rig_answer_free(&answer);
}
END_TEST

START_TEST(ninth_orphan)
{
    for (int i = 0; i <= ORPHANS_MAX; i++) {
        AUTO_FREE char *id = format("o%d", i);

        send_exec(id, "sleep 1000");
        ck_assert_int_eq(state(), SESSION_WORK);
        reconnect();
    }
    while (rig.agent.memory.n && memory_find(&rig.agent.memory, "o0")->state
                                     == MEMORY_RUNNING)
        spin_for(&rig.agent.loop, 5);
    expect_ended("o0");
    expect_state("o1", "running");
    expect_state("o8", "running");
}
END_TEST

/* Those that take their time to end do not pile up. */
START_TEST(stubborn_orphans)
{
    for (int i = 0; i < 4 * ORPHANS_MAX; i++) {
        AUTO_FREE char *id = format("o%d", i);
        int n = 0;

        send_exec(id, "trap '' TERM; while :; do sleep 0.1; done");
        reconnect();
        for (struct request *at = rig.agent.orphans.first; at;
             at = at->next_orphan)
            n++;
        ck_assert_int_le(n, 2 * ORPHANS_MAX);
    }
    expect_state("o0", "gone");
    expect_state("o31", "running");
}
END_TEST

/* Lost is not done: nobody says that it was. */
START_TEST(dropped_orphan)
{
    struct rig_answer answer;

    send_exec("one", "sleep 1000");
    reconnect();
    rig.agent.orphans.first->end = NULL; /* as if it could not be asked */
    orphan_end(rig.agent.orphans.first);
    expect_state("one", "gone");
    send_exec("one", "sleep 1000");
    take(&answer);
    ck_assert_int_eq(answer.code, STATUS_REQUEST_GONE);
    expect_data(&answer, "state", "unknown");
    rig_answer_free(&answer);
}
END_TEST

/* The agent may end at any moment (teardown looks for leaks and zombies). */
START_TEST(agent_ends_with_orphans)
{
    send_exec("a", "sleep 1000");
    reconnect();
    send_exec("b", "sleep 1000");
    reconnect();
    send_exec("b", "sleep 1000"); /* waits */
    ck_assert_ptr_nonnull(rig.agent.orphans.first->next_orphan);
}
END_TEST

/* --- DELETE -------------------------------------------------------------- */

START_TEST(delete_ends_a_command)
{
    struct rig_answer answer;

    send_exec("one", "sleep 1000");
    reconnect();
    ask_state("DELETE", "one", &answer);
    expect_data(&answer, "state", "done");
    expect_data(&answer, "code", "0");
    expect_data(&answer, "signal", "SIGTERM");
    rig_answer_free(&answer);
    expect_no_orphans();
    expect_ended("one");
    ask_state("DELETE", "one", &answer); /* once more is no harm */
    expect_data(&answer, "state", "done");
    rig_answer_free(&answer);
    ask_state("DELETE", "two", &answer);
    expect_data(&answer, "state", "none");
    rig_answer_free(&answer);
}
END_TEST

/* Whoever deletes and leaves has deleted. */
START_TEST(delete_without_waiting)
{
    AUTO_FREE char *text = rig_request("DELETE /api/v1/requests/one", NULL);

    send_exec("one", "trap '' TERM; while :; do sleep 0.1; done");
    spin_for(&rig.agent.loop, 50);
    reconnect();
    rig_puts(&rig, text);
    ck_assert_int_eq(state(), SESSION_WORK);
    reconnect();
    expect_state("one", "running");
    expect_no_orphans();
    expect_state("one", "done");
}
END_TEST

static char *put_request(const char *id, const char *range, const char *body)
{
    AUTO_FREE char *line = format("PUT /api/v1/file/content?path=%s/file%s",
                                  rig.dir, range ? "&transfer=ab" : "");
    AUTO_FREE char *fields =
        range ? format("X-Request-ID: %s\r\nContent-Range: bytes %s\r\n", id,
                       range)
              : format("X-Request-ID: %s\r\n", id);

    return rig_request_with(line, fields, body);
}

/* There is nobody to be asked while a file is put in place; the answer comes
 * when that is done. */
START_TEST(delete_of_an_upload)
{
    AUTO_FREE char *text = put_request("one", NULL, "content");
    struct rig_answer answer;

    rig_puts(&rig, text);
    ck_assert_int_eq(state(), SESSION_WORK);
    reconnect();
    ask_state("DELETE", "one", &answer);
    expect_data(&answer, "state", "done");
    expect_data(&answer, "size", "7");
    expect_data(&answer, "md5", "9a0364b9e99bb480dd25e1f0284c8555");
    rig_answer_free(&answer);
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(ids_in_paths)
{
    AUTO_FREE char *text = exec_with("a/b c", "", "exit 3");
    struct rig_answer answer;

    rig_puts(&rig, text);
    rig_expect(&rig, 200, 0);
    rig_puts(&rig, "GET /api/v1/requests/a%2Fb%20c?x=y HTTP/1.1\r\n"
                   "Host: v\r\n\r\n");
    take(&answer);
    expect_data(&answer, "id", "a/b c");
    expect_data(&answer, "exit_code", "3");
    rig_answer_free(&answer);
    rig_puts(&rig, "GET /api/v1/requests/%zz HTTP/1.1\r\nHost: v\r\n\r\n");
    rig_expect(&rig, 400, STATUS_INVALID_PARAMS);
}
END_TEST

/* --- raw bodies ---------------------------------------------------------- */

static void expect_file(const char *want)
{
    AUTO_FREE char *file = in_dir("file");
    AUTO_FREE char *text = unit_read_file(file);

    ck_assert_str_eq(text, want);
}

static void put(const char *id, const char *range, const char *body, int http,
                bool replayed)
{
    AUTO_FREE char *text = put_request(id, range, body);
    struct rig_answer answer;

    for (size_t i = 0; i < strlen(text); i++)
        rig_feed(&rig, text + i, 1);
    take(&answer);
    ck_assert_msg(answer.http == http, "%s", answer.body);
    ck_assert_int_eq(answer.replayed, replayed);
    rig_answer_free(&answer);
}

START_TEST(raw_body_is_drained)
{
    AUTO_FREE char *file = in_dir("file");

    put("one", NULL, "first", 200, false);
    expect_file("first");
    unit_write_file(file, "changed since");
    put("one", NULL, "first", 200, true);
    expect_file("changed since");
    put("one", NULL, "longer than the first", 400, false);
    expect_file("changed since");
    ck_assert_int_eq(files(), 1);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
}
END_TEST

/* The last part is being put in place when its client leaves. */
START_TEST(last_part_again)
{
    AUTO_FREE char *last = put_request("p2", "4-9/10", "456789");

    put("p1", "0-3/10", "0123", 200, false);
    put("p1", "0-3/10", "0123", 200, true);
    rig_puts(&rig, last);
    ck_assert_int_eq(state(), SESSION_WORK);
    reconnect();
    put("p2", "4-9/10", "456789", 200, true);
    expect_file("0123456789");
    ck_assert_int_eq(files(), 1);
    put("p3", "4-9/10", "456789", 400, false); /* the transfer is over */
}
END_TEST

/* Pushed out while its body came: it cannot run, nor be answered. */
START_TEST(raw_body_is_pushed_out)
{
    AUTO_FREE char *text = put_request("one", NULL, "first");

    put("one", NULL, "first", 200, false);
    rig_feed(&rig, text, strlen(text) - 1);
    push_out();
    rig_puts(&rig, "t");
    rig_expect(&rig, 410, STATUS_REQUEST_GONE);
}
END_TEST

/* --- large answers ------------------------------------------------------- */

/* Who waits gets all of it; afterwards what is small. */
START_TEST(answer_too_large)
{
    AUTO_FREE char *command = with_dir("until test -e @/go; do sleep 0.01; "
                                       "done; yes abcdefg | head -n 200000");
    struct rig_answer answer;
    struct json_object *out;

    send_exec("one", command);
    reconnect();
    send_exec("one", command);
    let_go();
    take(&answer);
    ck_assert(json_object_object_get_ex(answer.data, "stdout", &out));
    ck_assert_int_eq(json_object_get_string_len(out), 1600000);
    ck_assert(answer.replayed);
    rig_answer_free(&answer);
    send_exec("one", command);
    take(&answer);
    ck_assert_int_eq(answer.code, 0);
    ck_assert(answer.replayed);
    expect_data(&answer, "exit_code", "0");
    expect_data(&answer, "truncated", "true");
    ck_assert_str_eq(data_string(&answer, "stdout"), "");
    rig_answer_free(&answer);
}
END_TEST

/* An answer of some size, while others push it out. */
START_TEST(answer_is_pushed_out_while_it_is_sent)
{
    static const char command[] = "yes abcdefg | head -n 50000";
    struct memory *memory = &rig.agent.memory;
    struct rig_answer answer;
    const uint8_t *bytes;

    send_exec("one", command);
    take(&answer);
    rig_answer_free(&answer);
    send_exec("one", command);
    ck_assert_uint_gt(session_output(&rig.agent.session, &bytes), 0);
    push_out();
    ck_assert_ptr_null(memory_find(memory, "one"));
    take(&answer);
    ck_assert_int_eq(answer.code, 0);
    ck_assert_uint_gt(answer.body_len, 400000);
    rig_answer_free(&answer);
}
END_TEST

static void custom_dir(struct settings *settings)
{
    free(settings->custom_dir);
    settings->custom_dir = strdup("/usr/bin");
}

/* Nothing of its answer is small. */
START_TEST(answer_not_kept)
{
    struct rig_answer answer;
    struct memory_answer none = { .http = 200 };
    AUTO_FREE char *text = exec_with("one", "", "true");

    rig_puts(&rig, text);
    rig_expect(&rig, 200, 0);
    {
        struct memory_entry *entry = memory_find(&rig.agent.memory, "one");

        /* as a handler's data may be */
        free(entry->brief);
        entry->brief = NULL;
        rig.agent.memory.bytes -= entry->answer_len;
        free(entry->answer);
        entry->answer = NULL;
        entry->answer_len = 0;
        memory_done(&rig.agent.memory, entry, &none, clock_ms());
    }
    rig_puts(&rig, text);
    take(&answer);
    ck_assert_int_eq(answer.http, 410);
    expect_data(&answer, "state", "done");
    rig_answer_free(&answer);
}
END_TEST

/* A handler can be ended as a command can; its own rules say what it was. */
START_TEST(custom_is_ended)
{
    AUTO_FREE char *text = rig_request_with("POST /api/v1/custom/cat",
                                            "X-Request-ID: one\r\n", "[1]");
    struct rig_answer answer;

    session_teardown();
    rig_start(&rig, custom_dir);
    rig_puts(&rig, text);
    reconnect();
    ask_state("DELETE", "one", &answer);
    expect_data(&answer, "state", "done");
    rig_answer_free(&answer);
}
END_TEST

/* More requests than are remembered, each with 200 KiB; what is known of the
 * newest is right, and the rest is as small as promised. */
START_TEST(bounds)
{
    const struct memory *memory = &rig.agent.memory;
    struct rig_answer answer;

    for (int i = 0; i < MEMORY_ENTRIES + 100; i++) {
        AUTO_FREE char *id = format("n%d", i);
        AUTO_FREE char *fields = format("X-Request-ID: %s\r\n", id);
        AUTO_FREE char *body =
            format("{\"argv\":[\"printf\",\"%%0204800d\",\"%d\"]}", i);
        AUTO_FREE char *text =
            rig_request_with("POST /api/v1/shell/exec", fields, body);

        rig_puts(&rig, text);
        take(&answer);
        ck_assert_int_eq(answer.code, 0);
        ck_assert_uint_gt(answer.body_len, 200 * 1024);
        rig_answer_free(&answer);
        ck_assert_uint_le(memory->n, MEMORY_ENTRIES);
        ck_assert_uint_le(memory->bytes, MEMORY_ANSWERS_MAX);
    }
    ck_assert_uint_eq(memory->n, MEMORY_ENTRIES);
    ck_assert_uint_gt(memory->bytes, MEMORY_ANSWERS_MAX - 210 * 1024);
    expect_state("n99", "gone");
    expect_state("n100", "done");
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, session_teardown);
    tcase_add_test(tcase, comes_back_while_it_runs);
    tcase_add_test(tcase, repeats_itself);
    tcase_add_test(tcase, comes_back_after_the_end);
    tcase_add_test(tcase, comes_back_for_a_lost_answer);
    tcase_add_test(tcase, errors_are_remembered);
    tcase_add_test(tcase, waits_and_leaves);
    tcase_add_test(tcase, waits_longer_than_the_grace);
    tcase_add_test(tcase, conflict);
    tcase_add_test(tcase, gone);
    tcase_add_test(tcase, older_than_the_agent);
    tcase_add_test(tcase, age_is_a_number);
    tcase_add_test(tcase, id_too_long);
    tcase_add_test(tcase, reads_are_not_remembered);
    tcase_add_test(tcase, without_an_id_it_ends);
    tcase_add_test(tcase, half_received_is_dropped);
    tcase_add_test(tcase, rate_limit);
    tcase_add_test(tcase, no_place);
    tcase_add_test(tcase, grace_ends_a_command);
    tcase_add_test(tcase, grace_ends_a_stubborn_command);
    tcase_add_test(tcase, ninth_orphan);
    tcase_add_test(tcase, stubborn_orphans);
    tcase_add_test(tcase, dropped_orphan);
    tcase_add_test(tcase, agent_ends_with_orphans);
    tcase_add_test(tcase, delete_ends_a_command);
    tcase_add_test(tcase, delete_without_waiting);
    tcase_add_test(tcase, delete_of_an_upload);
    tcase_add_test(tcase, ids_in_paths);
    tcase_add_test(tcase, raw_body_is_drained);
    tcase_add_test(tcase, last_part_again);
    tcase_add_test(tcase, raw_body_is_pushed_out);
    tcase_add_test(tcase, answer_too_large);
    tcase_add_test(tcase, answer_is_pushed_out_while_it_is_sent);
    tcase_add_test(tcase, answer_not_kept);
    tcase_add_test(tcase, custom_is_ended);
    tcase_add_test(tcase, bounds);
}
