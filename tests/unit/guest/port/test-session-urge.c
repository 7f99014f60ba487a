/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* One request behind a waiting one, whose handler is one of this program's. */
#include <config.h>

#include "guest/port/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/handle/handlers.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "unit/guest/sessions.h"
#include "unit/unit.h"

const char unit_name[] = "session-urge";

/* --- a handler that waits ------------------------------------------------ */

/*
 * It waits for nothing; words in its target are:
 *   now     it answers at once
 *   deaf    it cannot be urged
 *   much    with as many bytes as there may be
 */
struct idle {
    struct request *request;
};

static int n_idle; /* those that wait */

static uint8_t much[JOB_ANSWER_MAX];

static bool wants(const struct request *request, const char *word)
{
    return strstr(request->head->target, word);
}

static void copy_much(void *arg, uint8_t *where)
{
    memcpy(where, arg, sizeof(much));
}

static void copy_six(void *arg, uint8_t *where)
{
    (void) arg;
    memcpy(where, "bytes\377", 6);
}

static void idle_answer(struct request *request)
{
    static const struct request_field fields[] = {
        { "X-Job-Status", "{\"state\":\"running\"}" },
        { "X-Output-Offset", "0\r\nX-Evil: 1" },
        { NULL, NULL },
    };

    if (strcmp(request->head->method, "GET") != 0)
        request_ok(request, json_object_new_object());
    else if (wants(request, "much"))
        request_bytes(request, 200, fields, sizeof(much), copy_much, much);
    else
        request_bytes(request, 200, fields, 6, copy_six, NULL);
}

static void idle_urge(void *work)
{
    idle_answer(((struct idle *) work)->request);
}

static void idle_drop(void *work)
{
    n_idle--;
    free(work);
}

static void idle_run(struct request *request)
{
    struct idle *idle;

    if (wants(request, "now")) {
        idle_answer(request);
        return;
    }
    idle = request_work(request, sizeof(*idle), idle_drop);
    ck_assert_ptr_nonnull(idle);
    idle->request = request;
    n_idle++;
    if (!wants(request, "deaf"))
        request->urge = idle_urge;
}

/* Takes the place of the agent's own table. */
static const struct handler table[ROUTE_COUNT] = {
    [ROUTE_PING] = { .run = ping_run },
    [ROUTE_SYNC] = { .query = &sync_query, .run = sync_run },
    [ROUTE_SHELL_EXEC] = { .run = exec_run },
    [ROUTE_CONTENT_GET] = { .query = &content_get_query,
                            .run = content_get_run },
    [ROUTE_JOB_START] = { .run = idle_run },
    [ROUTE_JOB_OUTPUT] = { .run = idle_run },
};

/* --- requests ------------------------------------------------------------ */

static char token[SESSION_TOKEN_LEN + 1];

static void begin(void)
{
    snprintf(token, sizeof(token), "%s",
             session_handshake(&rig.agent.session));
}

static void setup(void)
{
    memset(much, 'x', sizeof(much));
    n_idle = 0;
    session_setup();
    rig.agent.context.handlers = table;
    begin();
}

/* A request of this session, to be freed; body NULL: none. */
static char *own(const char *line, const char *fields, const char *body)
{
    AUTO_FREE char *all = format("X-Session: %s\r\n%s", token, fields);

    return rig_request_with(line, all, body);
}

static void send_own(const char *line)
{
    AUTO_FREE char *text = own(line, "", NULL);

    rig_puts(&rig, text);
}

static void send_start(const char *query, const char *id)
{
    AUTO_FREE char *line = format("POST /api/v1/jobs%s", query);
    AUTO_FREE char *fields = format("X-Request-ID: %s\r\n", id);
    AUTO_FREE char *text = own(line, fields, "{}");

    rig_puts(&rig, text);
}

#define OUTPUT "GET /api/v1/jobs/a/output"

/* It waits, and nothing is said. */
static void expect_idle(int n)
{
    ck_assert_int_eq(state(), SESSION_WORK);
    ck_assert_uint_eq(session_output(&rig.agent.session, NULL), 0);
    ck_assert_int_eq(n_idle, n);
}

static void expect_bytes(const void *bytes, size_t n)
{
    struct rig_answer answer;

    rig_answer(&rig, &answer);
    ck_assert_int_eq(answer.http, 200);
    ck_assert_uint_eq(answer.body_len, n);
    ck_assert_mem_eq(answer.body, bytes, n);
    rig_answer_free(&answer);
}

static void expect_code(int code, const char *id, bool replayed)
{
    struct rig_answer answer;

    rig_answer(&rig, &answer);
    ck_assert_msg(answer.code == code, "%s", answer.body);
    ck_assert_str_eq(answer.id, id);
    ck_assert_int_eq(answer.replayed, replayed);
    rig_answer_free(&answer);
}

static void expect_end(void)
{
    ck_assert_uint_eq(rig.got.len, 0);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
    ck_assert_int_eq(n_idle, 0);
    ck_assert(!rig.agent.session.deadline.linked);
    ck_assert(!rig.agent.session.heartbeat.linked);
}

/* --- one behind the other ------------------------------------------------ */

START_TEST(both_are_answered)
{
    AUTO_FREE char *second = own("GET /api/v1/ping", "X-Request-ID: p\r\n",
                                 NULL);

    send_own(OUTPUT);
    expect_idle(1);
    for (size_t i = 0; second[i]; i++)
        rig_feed(&rig, second + i, 1);
    rig_collect(&rig);
    expect_bytes("bytes\377", 6);
    expect_code(0, "p", false);
    expect_end();
}
END_TEST

/* An answer of bytes is right as it is on the wire. */
START_TEST(fields_of_bytes)
{
    const char *text;

    send_own(OUTPUT "?now");
    rig_collect(&rig);
    text = buf_cstr(&rig.got);
    ck_assert_ptr_nonnull(strstr(text, "HTTP/1.1 200 OK\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Type: "
                                       "application/octet-stream\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nX-Job-Status: "
                                       "{\"state\":\"running\"}\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nX-Output-Offset: "
                                       "0??X-Evil: 1\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Length: 6\r\n\r\nbytes"));
    expect_bytes("bytes\377", 6);
    expect_end();
}
END_TEST

/* Two of the largest answers at once. */
START_TEST(both_are_large)
{
    send_own(OUTPUT "?much");
    send_own(OUTPUT "?much&now");
    ck_assert_uint_gt(session_output(&rig.agent.session, NULL),
                      2 * sizeof(much));
    rig_collect(&rig);
    expect_bytes(much, sizeof(much));
    expect_bytes(much, sizeof(much));
    expect_end();
}
END_TEST

/* What does not fit into the output follows behind the first answer. */
START_TEST(large_text_behind)
{
    AUTO_FREE char *text = own("POST /api/v1/shell/exec", "",
                               "{\"argv\":[\"/bin/sh\",\"-c\","
                               "\"yes abcdefg | head -n 50000\"]}");
    struct rig_answer answer;
    struct json_object *out;

    send_own(OUTPUT "?much");
    rig_puts(&rig, text);
    rig_collect(&rig);
    expect_bytes(much, sizeof(much));
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert(json_object_object_get_ex(answer.data, "stdout", &out));
    ck_assert_int_eq(json_object_get_string_len(out), 400000);
    rig_answer_free(&answer);
    expect_end();
}
END_TEST

START_TEST(file_behind)
{
    AUTO_FREE char *path = in_dir("file");
    AUTO_FREE char *line = format("GET /api/v1/file/content?path=%s", path);
    AUTO_FREE char *content = calloc(1, 3 * sizeof(much) + 1);

    for (int i = 0; i < 3; i++)
        memset(content + (size_t) i * sizeof(much), 'a' + i, sizeof(much));
    unit_write_file(path, content);
    send_own(OUTPUT "?much");
    send_own(line);
    rig_collect(&rig);
    expect_bytes(much, sizeof(much));
    expect_bytes(content, 3 * sizeof(much));
    expect_end();
}
END_TEST

/* Sends some of the output, and keeps it. */
static void take_bytes(size_t n)
{
    const uint8_t *bytes;

    ck_assert_uint_ge(session_output(&rig.agent.session, &bytes), n);
    ck_assert_int_eq(buf_append(&rig.got, bytes, n), 0);
    session_sent(&rig.agent.session, n);
}

/* When the first is read, the second may be urged. */
START_TEST(third_when_the_first_is_read)
{
    size_t first;

    send_own(OUTPUT "?now");
    first = session_output(&rig.agent.session, NULL);
    send_own(OUTPUT "?much");
    take_bytes(first);
    expect_bytes("bytes\377", 6);
    expect_idle(1);
    send_own(OUTPUT "?now&3");
    rig_collect(&rig);
    expect_bytes(much, sizeof(much));
    expect_bytes("bytes\377", 6);
    expect_end();
}
END_TEST

/* Likewise while the second is sent, not only waiting. */
START_TEST(third_while_the_second_is_sent)
{
    size_t first;

    send_own(OUTPUT "?now");
    first = session_output(&rig.agent.session, NULL);
    send_own(OUTPUT "?much&now");
    take_bytes(first - 1);
    take_bytes(2); /* of both */
    send_own(OUTPUT "?now&3");
    rig_collect(&rig);
    expect_bytes("bytes\377", 6);
    expect_bytes(much, sizeof(much));
    expect_bytes("bytes\377", 6);
    expect_end();
}
END_TEST

/* Whoever has not read the first is not who sent it. */
START_TEST(third_is_another_client)
{
    size_t first;

    send_own(OUTPUT "?now");
    first = session_output(&rig.agent.session, NULL);
    send_own(_i ? OUTPUT "?much" : OUTPUT "?much&now");
    take_bytes(first - 1);
    buf_clear(&rig.got);
    ck_assert_uint_eq(rig.agent.session.passed, 1);
    send_own(OUTPUT "?now&3");
    ck_assert_uint_eq(rig.agent.session.passed, 0);
    rig_collect(&rig);
    expect_bytes("bytes\377", 6);
    expect_end();
}
END_TEST

START_TEST(another_client)
{
    send_own(OUTPUT);
    if (_i)
        begin(); /* of a session that is over */
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    expect_end();
}
END_TEST

/* The sign of life was for the first. */
START_TEST(signs_end)
{
    AUTO_FREE char *first = own(OUTPUT, "X-Heartbeat: 1\r\n", NULL);

    rig_puts(&rig, first);
    ck_assert(rig.agent.session.heartbeat.linked);
    send_own(OUTPUT);
    ck_assert(!rig.agent.session.heartbeat.linked);
    send_own("GET /api/v1/ping"); /* a third: all was another's */
    rig_expect(&rig, 200, 0);
    expect_end();
}
END_TEST

/* --- who leaves ---------------------------------------------------------- */

static void leave(void)
{
    session_hangup(&rig.agent.session);
    session_connected(&rig.agent.session, true);
    begin();
}

/* Its answer is remembered, and nobody goes on with it. */
START_TEST(urged_when_its_client_leaves)
{
    send_start("", "one");
    expect_idle(1);
    if (_i)
        leave();
    else
        rig_puts(&rig, PING); /* another's */
    ck_assert_int_eq(n_idle, 0);
    ck_assert_ptr_null(rig.agent.detached.first);
    rig_collect(&rig);
    buf_clear(&rig.got);
    send_start("", "one");
    rig_collect(&rig);
    expect_code(0, "one", true);
    expect_end();
}
END_TEST

/* Without an id nobody comes back for it. */
START_TEST(forgotten_when_its_client_leaves)
{
    send_own(OUTPUT);
    expect_idle(1);
    leave();
    ck_assert_int_eq(n_idle, 0);
    ck_assert_ptr_null(rig.agent.detached.first);
    rig_expect_silence(&rig);
}
END_TEST

/* What cannot be urged goes on as any other does. */
START_TEST(deaf)
{
    send_start("?deaf", "one");
    expect_idle(1);
    if (_i)
        leave();
    else
        send_own("GET /api/v1/ping");
    ck_assert_int_eq(n_idle, 1);
    ck_assert_ptr_nonnull(rig.agent.detached.first);
    if (_i)
        send_own("GET /api/v1/ping");
    rig_collect(&rig);
    expect_code(0, "", false);
    ck_assert_uint_eq(rig.got.len, 0);
    detached_free(&rig.agent.detached);
    ck_assert_int_eq(n_idle, 0);
}
END_TEST

/* --- deadline ------------------------------------------------------------ */

static void time_is_over(void)
{
    struct loop_timer *timer = &rig.agent.session.deadline;

    ck_assert(timer->linked);
    loop_timer_stop(&rig.agent.loop, timer);
    timer->expired(timer->arg);
}

/* There is one when it has begun. */
START_TEST(half_of_it)
{
    send_start("", "one");
    ck_assert(!rig.agent.session.deadline.linked);
    rig_puts(&rig, "GET /api/v1/ping HTTP/1.1\r\n");
    expect_idle(1);
    time_is_over();
    rig_expect(&rig, 408, STATUS_BAD_HTTP);
    ck_assert_int_eq(state(), SESSION_QUARANTINE);
    ck_assert_int_eq(n_idle, 0);
    ck_assert(!rig.agent.session.deadline.linked);
    leave();
    send_start("", "one");
    rig_collect(&rig);
    expect_code(0, "one", true);
    expect_end();
}
END_TEST

/* --- log ----------------------------------------------------------------- */

static const char *log_file(void)
{
    static char path[4096];

    snprintf(path, sizeof(path), "%s/log", rig.dir);
    return path;
}

static void logging(struct settings *settings)
{
    free(settings->log_file);
    settings->log_file = strdup(log_file());
}

/* Only when something is dropped. */
START_TEST(log_line)
{
    static const char words[] = "new request before the answer to the last";
    AUTO_FREE char *before = NULL;
    AUTO_FREE char *after = NULL;

    rig_stop(&rig);
    rig_start(&rig, logging);
    begin();
    send_own(OUTPUT);
    send_own(OUTPUT "?now");
    rig_collect(&rig);
    buf_clear(&rig.got);
    before = unit_read_file(log_file());
    ck_assert_ptr_null(strstr(before, words));
    send_own(OUTPUT);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    after = unit_read_file(log_file());
    ck_assert_ptr_nonnull(strstr(after, words));
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, session_teardown);
    tcase_add_test(tcase, both_are_answered);
    tcase_add_test(tcase, fields_of_bytes);
    tcase_add_test(tcase, both_are_large);
    tcase_add_test(tcase, large_text_behind);
    tcase_add_test(tcase, file_behind);
    tcase_add_test(tcase, third_when_the_first_is_read);
    tcase_add_test(tcase, third_while_the_second_is_sent);
    tcase_add_loop_test(tcase, third_is_another_client, 0, 2);
    tcase_add_loop_test(tcase, another_client, 0, 2);
    tcase_add_test(tcase, signs_end);
    tcase_add_loop_test(tcase, urged_when_its_client_leaves, 0, 2);
    tcase_add_test(tcase, forgotten_when_its_client_leaves);
    tcase_add_loop_test(tcase, deaf, 0, 2);
    tcase_add_test(tcase, half_of_it);
    tcase_add_test(tcase, log_line);
}
