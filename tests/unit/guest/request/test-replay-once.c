/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A request that comes twice. */
#include <config.h>

#include "guest/request/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/auth.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "unit/guest/again.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "replay once";

/* --- a client that comes back -------------------------------------------- */

START_TEST(comes_back_while_it_runs)
{
    AUTO_FREE char *command = counting();

    start_counting();
    reconnect();
    ck_assert_int_eq(rig.agent.context.running, 0); /* it gave up its place */
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    expect_state("one", "running");
    send_exec("one", command);
    spin_for(&rig.agent.loop, 50);
    ck_assert_int_eq(state(), SESSION_WORK);
    ck_assert_uint_eq(session_output(&rig.agent.session, NULL), 0);
    let_go();
    expect_result(true);
    expect_none_detached();
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
    expect_none_detached();
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
        AUTO_FREE char *text = rig_request_with(
            "POST /api/v1/shell/exec", "X-Request-ID: one\r\n",
            "{\"argv\":[\"/nonexistent/program\"]}");

        rig_puts(&rig, text);
        take_answer(&answer);
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
    ck_assert(!rig.agent.detached.first->grace.linked);
    reconnect();
    ck_assert(rig.agent.detached.first->grace.linked);
    send_exec("one", command);
    let_go();
    expect_result(true);
}
END_TEST

/* While somebody waits the grace does not end it. */
START_TEST(waits_longer_than_the_grace)
{
    AUTO_FREE char *command = counting();

    rig.agent.context.grace_ms = 30;
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

START_TEST(gone)
{
    struct rig_answer answer;
    AUTO_FREE char *text = exec_with("a", "X-Request-Age: 600000\r\n", "true");

    rig.agent.replay_cache.started = 0; /* long ago */
    ask_aged("before", "100", 200, 0);
    expect_state("never", "none");
    push_out();
    expect_state("never", "gone");
    rig_puts(&rig, text);
    take_answer(&answer);
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
    rig.agent.replay_cache.started = clock_ms() - 5000;
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
        take_answer(&answer);
        ck_assert_int_eq(answer.code, 0);
        ck_assert(!answer.replayed);
        rig_answer_free(&answer);
    }
    ck_assert_uint_eq(rig.agent.replay_cache.n, 0);
}
END_TEST

static bool not_running(void *unused)
{
    (void) unused;
    return rig.agent.context.running == 0;
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
    ck_assert_ptr_null(rig.agent.detached.first);
    ck_assert_uint_eq(rig.agent.replay_cache.n, 0);
    expect_none_detached();
}
END_TEST

/* A half of it is nothing. */
START_TEST(half_received_is_dropped)
{
    AUTO_FREE char *text = exec_with("one", "", "true");

    rig_feed(&rig, text, strlen(text) - 1);
    reconnect();
    ck_assert_ptr_null(rig.agent.detached.first);
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
    rig.agent.context.running = 1;
    ask_aged("a", "", 503, STATUS_SERVICE_UNAVAILABLE);
    expect_state("a", "none");
    rig.agent.context.running = 0;
    ask_aged("a", "", 200, 0);
    expect_state("a", "done");
}
END_TEST

/* --- with authentication ------------------------------------------------- */

#define KEY "0123456789abcdef0123456789abcdef"

static char key_file[] = "/tmp/vsrpc-unit-key-XXXXXX";

static void signed_only(struct settings *settings)
{
    int fd = mkstemp(key_file);

    ck_assert_int_eq(write(fd, KEY, strlen(KEY)), (ssize_t) strlen(KEY));
    close(fd);
    settings->enable_auth = true;
    free(settings->auth_key_file);
    settings->auth_key_file = strdup(key_file);
}

/* session NULL: says none, and signs that. */
static void send_signed(const char *nonce, const char *key,
                        const char *session)
{
    static const char body[] = "{\"command\":\"echo result\"}";
    AUTO_FREE char *now = format("%lld", (long long) clock_wall());
    char hex[DIGEST_HEX_MAX];
    char token[DIGEST_HEX_MAX];
    const struct auth_parts parts = {
        .method = "POST",
        .target = "/api/v1/shell/exec",
        .timestamp = now,
        .nonce = nonce,
        .body_sha256 = hex,
        .boot_id = rig.agent.context.boot_id,
        .session = session ? session : "",
    };
    AUTO_FREE char *fields = NULL;
    AUTO_FREE char *text = NULL;

    ck_assert_int_eq(digest_bytes(DIGEST_SHA256, body, strlen(body), hex), 0);
    ck_assert_int_eq(auth_token(key, strlen(key), &parts, token), 0);
    fields = format("X-Request-ID: one\r\nX-Timestamp: %s\r\n"
                    "X-Nonce: %s\r\nX-Auth-Token: %s\r\n%s%s%s",
                    now, nonce, token, session ? "X-Session: " : "",
                    parts.session, session ? "\r\n" : "");
    text = rig_request_with("POST /api/v1/shell/exec", fields, body);
    rig_puts(&rig, text);
}

/* Return: the session's token, to be freed. */
static char *sync_again(void)
{
    rig_puts(&rig, SYNC);
    rig_expect(&rig, 200, 0);
    return strdup(rig.agent.session.server.token);
}

static char *begin_signed(void)
{
    session_teardown();
    rig_start(&rig, signed_only);
    unlink(key_file);
    return sync_again();
}

/* An answer from memory is for those only who could have asked for it. */
START_TEST(signature)
{
    struct rig_answer answer;
    AUTO_FREE char *session = NULL;

    session = begin_signed();
    send_signed("n1", KEY, session);
    rig_expect(&rig, 200, 0);
    send_signed("n2", "fedcba9876543210fedcba9876543210", session);
    rig_expect(&rig, 401, STATUS_AUTH_FAILED);
    send_signed("n1", KEY, session); /* a nonce is good for one request */
    rig_expect(&rig, 401, STATUS_AUTH_FAILED);
    send_signed("n3", KEY, session);
    take_answer(&answer);
    ck_assert_int_eq(answer.code, 0);
    ck_assert(answer.replayed);
    expect_data(&answer, "stdout", "result\n");
    rig_answer_free(&answer);
    rig_puts(&rig, "GET /api/v1/requests/one HTTP/1.1\r\nHost: v\r\n\r\n");
    rig_expect(&rig, 401, STATUS_AUTH_FAILED);
}
END_TEST

/*
 * A guest that goes back to a snapshot has the boot id, the clock and the
 * nonces of that time; whoever was connected then is not any more.  So here
 * nonces are never used twice, and still nothing of an earlier session counts.
 */
START_TEST(signature_of_another_session)
{
    AUTO_FREE char *old = begin_signed();
    AUTO_FREE char *session = NULL;

    session_hangup(&rig.agent.session);
    session_connected(&rig.agent.session, true);
    send_signed("n1", KEY, old);
    rig_expect(&rig, 409, STATUS_SESSION_EXPIRED);
    send_signed("n1", KEY, NULL);
    rig_expect(&rig, 401, STATUS_AUTH_FAILED);
    session = sync_again();
    send_signed("n1", KEY, old);
    rig_expect(&rig, 409, STATUS_SESSION_EXPIRED);
    send_signed("n1", KEY, NULL);
    rig_expect(&rig, 401, STATUS_AUTH_FAILED);
    ck_assert(!rig.agent.replay_cache.n);
    send_signed("n1", KEY, session);
    rig_expect(&rig, 200, 0);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, again_setup, session_teardown);
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
    tcase_add_test(tcase, signature);
    tcase_add_test(tcase, signature_of_another_session);
}
