/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Tokens of sessions, and signs of life while a request is worked on. */
#include <config.h>

#include "guest/port/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/limits.h"
#include "proto/status.h"
#include "unit/guest/sessions.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"

const char unit_name[] = "session-life";

#define WRONG "ffffffffffffffffffffffffffffffff"

/* --- tokens -------------------------------------------------------------- */

static char *member(const struct rig_answer *answer, const char *name)
{
    struct json_object *value;

    ck_assert(json_object_object_get_ex(answer->data, name, &value));
    return strdup(json_object_get_string(value));
}

static void expect_hex32(const char *text)
{
    ck_assert_uint_eq(strlen(text), 32);
    ck_assert_uint_eq(strspn(text, "0123456789abcdef"), 32);
}

/* Return: the session's token, to be freed; also *instance when asked. */
static char *sync_now(char **instance)
{
    struct rig_answer answer;
    char *token;

    rig_puts(&rig, MARK SYNC);
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_int_eq(answer.code, 0);
    token = member(&answer, "session");
    expect_hex32(token);
    if (instance) {
        *instance = member(&answer, "instance");
        expect_hex32(*instance);
    }
    rig_answer_free(&answer);
    return token;
}

/* A request with X-Session, and perhaps a JSON body. */
static void ask(const char *line, const char *token, const char *body,
                int http, int code)
{
    AUTO_FREE char *text = format("%s HTTP/1.1\r\nHost: v\r\nX-Session: %s\r\n"
                                  "Content-Length: %zu\r\n\r\n%s",
                                  line, token, strlen(body), body);

    rig_puts(&rig, text);
    rig_expect(&rig, http, code);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
}

/* What led out of the quarantine may have been content of a file, and so may
 * be what follows; only a client knows the token. */
START_TEST(guarded_after_quarantine)
{
    AUTO_FREE char *command = with_dir("touch @/ran");
    AUTO_FREE char *exec = exec_request(command);
    AUTO_FREE char *token = NULL;

    rig_come(&rig);
    token = sync_now(NULL);
    rig_puts(&rig, exec);
    rig_expect(&rig, 409, STATUS_SESSION_EXPIRED);
    free(token);
    token = sync_now(NULL); /* another sync of the same content */
    rig_puts(&rig, exec);
    rig_expect(&rig, 409, STATUS_SESSION_EXPIRED);
    ck_assert_int_eq(files(), 0);
    ask("GET /api/v1/ping", token, "", 200, 0);
    session_hangup(&rig.agent.session);
    session_connected(&rig.agent.session, true);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
}
END_TEST

START_TEST(sync_tells)
{
    AUTO_FREE char *token = NULL;
    AUTO_FREE char *again = NULL;
    AUTO_FREE char *instance = NULL;
    AUTO_FREE char *same = NULL;
    AUTO_FREE char *other = NULL;
    struct rig_answer answer;
    struct json_object *heartbeat;

    token = sync_now(&instance);
    again = sync_now(&same);
    ck_assert_str_ne(token, again);
    ck_assert_str_eq(instance, same);
    ck_assert_str_ne(token, instance);
    rig_stop(&rig);
    rig_start(&rig, NULL);
    free(sync_now(&other));
    ck_assert_str_ne(instance, other);
    rig_puts(&rig, SYNC);
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert(json_object_object_get_ex(answer.data, "heartbeat", &heartbeat));
    ck_assert(json_object_get_boolean(heartbeat));
    rig_answer_free(&answer);
}
END_TEST

START_TEST(token_of_the_session)
{
    AUTO_FREE char *token = sync_now(NULL);
    AUTO_FREE char *next = NULL;

    ask("GET /api/v1/ping", token, "", 200, 0);
    ask("GET /api/v1/ping", WRONG, "", 409, STATUS_SESSION_EXPIRED);
    ask("GET /api/v1/ping", token, "", 200, 0);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    next = sync_now(NULL);
    ask("GET /api/v1/ping", token, "", 409, STATUS_SESSION_EXPIRED);
    ask("GET /api/v1/ping", next, "", 200, 0);
}
END_TEST

START_TEST(no_session)
{
    AUTO_FREE char *token = NULL;

    ask("GET /api/v1/ping", WRONG, "", 409, STATUS_SESSION_EXPIRED);
    ask("GET /api/v1/ping", "", "", 409, STATUS_SESSION_EXPIRED);
    token = sync_now(NULL);
    session_hangup(&rig.agent.session);
    session_connected(&rig.agent.session, true);
    ask("GET /api/v1/ping", token, "", 409, STATUS_SESSION_EXPIRED);
    ask("GET /api/v1/ping", "", "", 409, STATUS_SESSION_EXPIRED);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
}
END_TEST

/* A malformed sync begins nothing and ends nothing. */
START_TEST(malformed_sync)
{
    AUTO_FREE char *token = sync_now(NULL);

    rig_puts(&rig, "GET /api/v1/sync HTTP/1.1\r\nHost: v\r\n\r\n");
    rig_expect(&rig, 400, STATUS_MISSING_REQUIRED);
    ask("GET /api/v1/ping", token, "", 200, 0);
}
END_TEST

/* Nothing of it is carried out, and its body is drained. */
START_TEST(refused_is_not_carried_out)
{
    AUTO_FREE char *token = sync_now(NULL);
    AUTO_FREE char *line = with_dir("PUT /api/v1/file/content?path=@/f");
    AUTO_FREE char *body = with_dir(
        "{\"argv\":[\"/bin/sh\",\"-c\",\"touch @/ran\"]}");

    ask("POST /api/v1/shell/exec", WRONG, body, 409, STATUS_SESSION_EXPIRED);
    ask(line, WRONG, MARK PING MARK PING, 409, STATUS_SESSION_EXPIRED);
    spin_for(&rig.agent.loop, 50);
    ck_assert_int_eq(files(), 0);
    ask(line, token, MARK PING, 200, 0);
    ask("POST /api/v1/shell/exec", token, body, 200, 0);
    ck_assert_int_eq(files(), 2);
}
END_TEST

static void tight(struct settings *settings)
{
    settings->max_request_size = 4096;
    settings->per_second = 1;
    settings->per_minute = 1;
}

/* The route is looked at before the token, everything else behind it. */
START_TEST(order_of_refusals)
{
    AUTO_FREE char *token = NULL;

    rig_stop(&rig);
    rig_start(&rig, tight);
    token = sync_now(NULL);
    ask("GET /api/v1/nothing", WRONG, "", 404, STATUS_ENDPOINT_NOT_FOUND);
    ask("DELETE /api/v1/ping", WRONG, "", 405, STATUS_METHOD_NOT_ALLOWED);
    ask("GET /api/v1/sync?id=x", WRONG, "", 200, 0);
    rig_puts(&rig, "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
                   "X-Session: " WRONG "\r\nX-Heartbeat: no\r\n"
                   "Content-Length: 5000\r\n\r\n");
    rig_expect(&rig, 409, STATUS_SESSION_EXPIRED);
    session_hangup(&rig.agent.session);
    session_connected(&rig.agent.session, true);
    /* nor does it count against the rate limit */
    for (int i = 0; i < 3; i++)
        ask("GET /api/v1/system/info", token, "", 409, STATUS_SESSION_EXPIRED);
    rig_puts(&rig, "GET /api/v1/system/info HTTP/1.1\r\nHost: v\r\n\r\n");
    rig_expect(&rig, 200, 0);
}
END_TEST

/* --- signs of life ------------------------------------------------------- */

#define LIFE "HTTP/1.1 102 Processing\r\nX-Request-ID: life000\r\n\r\n"

static char id[sizeof("life000")]; /* of the last request */

/* Another id each time: the same one would be the same request. */
static void exec_with(const char *fields, const char *command)
{
    static unsigned int n;
    AUTO_FREE char *body = format("{\"argv\":[\"/bin/sh\",\"-c\",\"%s\"]}",
                                  command);
    AUTO_FREE char *text = NULL;

    snprintf(id, sizeof(id), "life%03u", ++n % 1000);
    text = format("POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
                  "X-Request-ID: %s\r\n%sContent-Length: %zu\r\n\r\n%s",
                  id, fields, strlen(body), body);
    rig_puts(&rig, text);
}

static bool is_answered(void *arg)
{
    (void) arg;
    return state() == SESSION_SEND;
}

/* The time between two signs passes. */
static void tick(void)
{
    struct loop_timer *timer = &rig.agent.session.heartbeat;

    ck_assert(timer->linked);
    loop_timer_stop(&rig.agent.loop, timer);
    timer->expired(timer->arg);
}

static void expect_answer(int code)
{
    struct rig_answer answer;

    ck_assert(spin_until(&rig.agent.loop, is_answered, NULL));
    ck_assert(!rig.agent.session.heartbeat.linked);
    rig_collect(&rig);
    rig_answer(&rig, &answer);
    while (answer.http == 102) {
        rig_answer_free(&answer);
        rig_answer(&rig, &answer);
    }
    ck_assert_int_eq(answer.http, 200);
    ck_assert_int_eq(answer.code, code);
    ck_assert_str_eq(answer.id, id);
    rig_answer_free(&answer);
    ck_assert_uint_eq(rig.got.len, 0);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
}

/* In real time. */
START_TEST(signs_come)
{
    struct rig_answer answer;

    exec_with("X-Heartbeat: 1\r\n", "sleep 1000");
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(session_output(&rig.agent.session, NULL), 0);
        rig_wait(&rig);
        rig_answer(&rig, &answer);
        ck_assert_int_eq(answer.http, 102);
        ck_assert_str_eq(answer.id, id);
        ck_assert_uint_eq(rig.got.len, 0);
        rig_answer_free(&answer);
        ck_assert_int_eq(state(), SESSION_WORK);
    }
    rig_puts(&rig, PING);
    ck_assert(!rig.agent.session.heartbeat.linked);
    rig_expect(&rig, 200, 0);
}
END_TEST

START_TEST(nobody_asked)
{
    exec_with("", "sleep 0.1");
    ck_assert_int_eq(state(), SESSION_WORK);
    ck_assert(!rig.agent.session.heartbeat.linked);
    ck_assert(!rig.agent.session.deadline.linked);
    expect_answer(0);
}
END_TEST

/* What is answered at once needs no sign. */
START_TEST(no_work_no_sign)
{
    rig_puts(&rig, "GET /api/v1/ping HTTP/1.1\r\nHost: v\r\n"
                   "X-Heartbeat: 1\r\n\r\n");
    ck_assert(!rig.agent.session.heartbeat.linked);
    rig_expect(&rig, 200, 0);
}
END_TEST

static const char *const bad_intervals[] = { "0", "61", "x", "", "1.5" };

START_TEST(bad_interval)
{
    AUTO_FREE char *field = format("X-Heartbeat: %s\r\n", bad_intervals[_i]);
    AUTO_FREE char *command = with_dir("touch @/ran");

    exec_with(field, command);
    rig_expect(&rig, 400, STATUS_INVALID_PARAMS);
    spin_for(&rig.agent.loop, 20);
    ck_assert_int_eq(files(), 0);
}
END_TEST

/* Whoever does not read gets no second sign behind the first. */
START_TEST(one_sign_at_a_time)
{
    exec_with("X-Heartbeat: 60\r\n", "sleep 0.2");
    tick();
    tick();
    tick();
    ck_assert_uint_eq(session_output(&rig.agent.session, NULL),
                      sizeof(LIFE) - 1);
    expect_answer(0);
}
END_TEST

/* Without X-Request-ID there is none in the sign either. */
START_TEST(sign_without_id)
{
    AUTO_FREE char *body = strdup("{\"argv\":[\"/bin/sleep\",\"1000\"]}");
    AUTO_FREE char *text = format(
        "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
        "X-Heartbeat: 1\r\nContent-Length: %zu\r\n\r\n%s",
        strlen(body), body);

    rig_puts(&rig, text);
    tick();
    rig_collect(&rig);
    ck_assert_str_eq(buf_cstr(&rig.got), "HTTP/1.1 102 Processing\r\n\r\n");
}
END_TEST

static void send_some(size_t n)
{
    const uint8_t *bytes;

    ck_assert_uint_gt(session_output(&rig.agent.session, &bytes), n);
    ck_assert_int_eq(buf_append(&rig.got, bytes, n), 0);
    session_sent(&rig.agent.session, n);
}

/* An answer comes while a sign is half sent, at every byte of it. */
START_TEST(answer_behind_half_a_sign)
{
    for (size_t n = 1; n < sizeof(LIFE) - 1; n++) {
        exec_with("X-Heartbeat: 60\r\n", "exit 3");
        tick();
        send_some(n);
        tick();
        expect_answer(0);
    }
}
END_TEST

/* The next client gets nothing of it. */
START_TEST(interrupted_in_a_sign)
{
    exec_with("X-Heartbeat: 60\r\n", "sleep 1000");
    tick();
    send_some(10);
    buf_clear(&rig.got);
    rig_puts(&rig, PING);
    ck_assert(!rig.agent.session.heartbeat.linked);
    rig_expect(&rig, 200, 0);
}
END_TEST

START_TEST(hangup_in_a_sign)
{
    exec_with("X-Heartbeat: 60\r\n", "sleep 1000");
    tick();
    send_some(10);
    buf_clear(&rig.got);
    session_hangup(&rig.agent.session);
    ck_assert(!rig.agent.session.heartbeat.linked);
    rig_expect_silence(&rig);
    session_connected(&rig.agent.session, true);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
}
END_TEST

/* While "100 Continue" is unread, too. */
START_TEST(sign_behind_continue)
{
    exec_with("X-Heartbeat: 60\r\nExpect: 100-continue\r\n", "sleep 1000");
    send_some(5);
    tick();
    rig_collect(&rig);
    ck_assert_ptr_null(strstr(buf_cstr(&rig.got), " 102 "));
    tick();
    rig_collect(&rig);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&rig.got), " 102 "));
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, session_setup, session_teardown);
    tcase_add_test(tcase, sync_tells);
    tcase_add_test(tcase, guarded_after_quarantine);
    tcase_add_test(tcase, token_of_the_session);
    tcase_add_test(tcase, no_session);
    tcase_add_test(tcase, malformed_sync);
    tcase_add_test(tcase, refused_is_not_carried_out);
    tcase_add_test(tcase, order_of_refusals);
    tcase_add_test(tcase, signs_come);
    tcase_add_test(tcase, nobody_asked);
    tcase_add_test(tcase, no_work_no_sign);
    tcase_add_loop_test(tcase, bad_interval, 0, ARRAY_SIZE(bad_intervals));
    tcase_add_test(tcase, one_sign_at_a_time);
    tcase_add_test(tcase, sign_without_id);
    tcase_add_test(tcase, answer_behind_half_a_sign);
    tcase_add_test(tcase, interrupted_in_a_sign);
    tcase_add_test(tcase, hangup_in_a_sign);
    tcase_add_test(tcase, sign_behind_continue);
}
