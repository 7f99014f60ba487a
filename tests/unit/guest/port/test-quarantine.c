/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/port/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "unit/guest/sessions.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "quarantine";

/* --- quarantine ---------------------------------------------------------- */

/* Nothing of this leads out, whole or byte by byte. */
static const char *const captive[] = {
    PING,
    SYNC,
    PING SYNC PING,
    "\r\n\r\n" PING,
    MARK PING,
    MARK "\r\n" SYNC,
    MARK " " SYNC,
    MARK PING SYNC,
    MARK "x" SYNC,
    MARK "POST /api/v1/sync?id=a HTTP/1.1\r\nHost: v\r\n\r\n",
    MARK "GET /api/v1/synch?id=a HTTP/1.1\r\nHost: v\r\n\r\n",
    MARK "GET /api/v1/capabilities HTTP/1.1\r\nHost: v\r\n\r\n",
    MARK "GET /api/v1/sync?id=a HTTP/1.1\r\nHost: v\r\n"
         "Content-Length: 5\r\n\r\nhello",
    MARK "GET /api/v1/sync?id=a HTTP/1.1\r\nHost: v\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    MARK "GET /api/v1/sync?id=a HTTP/1.0\r\nHost: v\r\n\r\n",
    MARK "GET /api/v1/sync?id=a HTTP/1.1\nHost: v\n\n",
    MARK "GET /api/v1/sync?id=a HTTP/1.1\r\nHost: v\r\n" MARK "\r\n",
    MARK "GET /api/v1/sync?id=a HTTP/1.1\r\nHost: v\r\n",
    MARK "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
         "Content-Length: 28\r\n\r\n{\"argv\":[\"/bin/touch\",\"@/x\"]}",
};

static void expect_captive(const char *text, size_t step)
{
    size_t n = strlen(text);

    rig_come(&rig);
    ck_assert_int_eq(state(), SESSION_QUARANTINE);
    for (size_t at = 0; at < n; at += step) {
        rig_feed(&rig, text + at, n - at < step ? n - at : step);
        ck_assert_msg(state() >= SESSION_QUARANTINE, "'%.*s' led out",
                      (int) at, text);
    }
    rig_expect_silence(&rig);
    ck_assert_msg(!rig.agent.session.deadline.linked, "silence ends nothing");
    rig_puts(&rig, MARK SYNC);
    rig_expect(&rig, 200, 0);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
    rig_puts(&rig, PING); /* may still be content: it names no session */
    rig_expect(&rig, 409, STATUS_SESSION_EXPIRED);
}

START_TEST(quarantine)
{
    AUTO_FREE char *text = with_dir(captive[_i]);

    expect_captive(text, strlen(text));
    expect_captive(text, 1);
    expect_captive(text, 5);
    ck_assert_int_eq(files(), 0);
}
END_TEST

/* What makes it: each of these leaves an unknown end behind. */
static const char *const unknown[] = {
    "GET /api/v1/ping\r\n\r\n",
    "garbage\r\n\r\n",
    "\r\n",
    "GET /api/v1/ping HTTP/1.1\n",
    "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\nContent-Length: x\r\n"
    "\r\n",
    "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\nContent-Length: 2\r\n"
    "Transfer-Encoding: chunked\r\n\r\n",
    "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
    "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    "POST /api/v1/nothing HTTP/1.1\r\nHost: v\r\n"
    "Transfer-Encoding: chunked\r\n\r\nz\r\n",
};

START_TEST(into_quarantine)
{
    struct rig_answer answer;

    rig_puts(&rig, unknown[_i]);
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_int_ge(answer.http, 400);
    ck_assert_int_eq(state(), SESSION_QUARANTINE);
    rig_puts(&rig, PING);
    rig_puts(&rig, SYNC);
    rig_expect_silence(&rig);
    rig_answer_free(&answer);
    /* the client leaves: so does its mess */
    session_hangup(&rig.agent.session);
    session_connected(&rig.agent.session, true);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
}
END_TEST

/* The error of the client before is not for the one that syncs. */
START_TEST(sync_gets_its_own_answer_only)
{
    struct rig_answer answer;

    rig_puts(&rig, "garbage\r\n\r\n");
    rig_puts(&rig, MARK SYNC);
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_int_eq(answer.http, 200);
    ck_assert_uint_eq(rig.got.len, 0);
    rig_answer_free(&answer);
}
END_TEST

/* A stream of file content with requests in it, cut anywhere. */
START_TEST(content_is_never_run)
{
    AUTO_FREE char *exec = exec_request("touch $0/ran");
    AUTO_FREE char *put = format(
        "PUT /api/v1/file/content?path=%s/put HTTP/1.1\r\n"
        "Host: v\r\nContent-Length: 1\r\n\r\nx",
        rig.dir);
    AUTO_FREE char *content = format("%s%s" PING "%s" SYNC MARK
                                     "%s" MARK PING MARK MARK "%s" MARK,
                                     exec, put, put, exec, put);
    size_t n = strlen(content);

    for (size_t cut = 0; cut < n; cut++) {
        rig_come(&rig);
        rig_feed(&rig, content + cut, n - cut);
        ck_assert_int_ge(state(), SESSION_QUARANTINE);
        rig_expect_silence(&rig);
    }
    ck_assert_int_eq(files(), 0);
    ck_assert(spin_childless(NULL));
}
END_TEST

/* A recording of this very protocol, in which a sync leads out: what follows
 * comes before that has its answer, so it was content, too. */
START_TEST(recording_is_never_run)
{
    AUTO_FREE char *command = with_dir("touch @/ran");
    AUTO_FREE char *exec = exec_request(command);
    AUTO_FREE char *content = format(MARK SYNC "%s" MARK SYNC PING, exec);
    size_t n = strlen(content);

    for (size_t step = 1; step <= n; step += n - 1) {
        rig_come(&rig);
        for (size_t at = 0; at < n; at += step)
            rig_feed(&rig, content + at, step);
        ck_assert_int_eq(state(), SESSION_QUARANTINE);
        rig_expect_silence(&rig);
    }
    ck_assert(spin_until(&rig.agent.loop, spin_childless, NULL));
    ck_assert_int_eq(files(), 0);
    rig_puts(&rig, MARK SYNC);
    rig_expect(&rig, 200, 0);
}
END_TEST

/* --- deadlines ----------------------------------------------------------- */

#define SHORT_TIMEOUT_MS 120

static void short_timeout(struct settings *settings)
{
    settings->request_timeout = SHORT_TIMEOUT_MS;
}

static const char *const halves[] = {
    "G",
    "GET /api/v1/ping HTTP/1.1\r\nHost: v\r\n",
    "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\nContent-Length: 5\r\n"
    "\r\n{",
    "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
    "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    "PUT /api/v1/file/content?path=@/half HTTP/1.1\r\nHost: v\r\n"
    "Content-Length: 100\r\n\r\nhalf",
};

START_TEST(late)
{
    AUTO_FREE char *text = NULL;

    rig_stop(&rig);
    rig_start(&rig, short_timeout);
    text = with_dir(halves[_i]);
    rig_puts(&rig, text);
    rig_expect(&rig, 408, STATUS_BAD_HTTP);
    ck_assert_int_eq(state(), SESSION_QUARANTINE);
    ck_assert_int_eq(files(), 0);
    rig_puts(&rig, PING);
    rig_expect_silence(&rig);
    rig_puts(&rig, MARK SYNC);
    rig_expect(&rig, 200, 0);
}
END_TEST

/* Told early, the client still sends too slowly: it has had its answer. */
START_TEST(late_after_an_early_error)
{
    rig_stop(&rig);
    rig_start(&rig, short_timeout);
    rig_puts(&rig, "POST /api/v1/nothing HTTP/1.1\r\nHost: v\r\n"
                   "Content-Length: 5\r\n\r\n12");
    rig_expect(&rig, 404, STATUS_ENDPOINT_NOT_FOUND);
    spin_for(&rig.agent.loop, 400);
    ck_assert_int_eq(state(), SESSION_QUARANTINE);
    rig_expect_silence(&rig);
}
END_TEST

/* Progress moves the deadline. */
START_TEST(slow_but_steady)
{
    const struct loop_timer *deadline = &rig.agent.session.deadline;

    rig_stop(&rig);
    rig_start(&rig, short_timeout);
    for (size_t i = 0; i < sizeof(PING) - 2; i++) {
        int64_t now = clock_ms();

        rig_feed(&rig, &PING[i], 1);
        ck_assert(deadline->linked);
        ck_assert_int_ge(deadline->due, now + SHORT_TIMEOUT_MS);
    }
    rig_feed(&rig, &PING[sizeof(PING) - 2], 1);
    rig_expect(&rig, 200, 0);
}
END_TEST

START_TEST(no_deadline_between_requests)
{
    rig_stop(&rig);
    rig_start(&rig, short_timeout);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    spin_for(&rig.agent.loop, 400);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
    rig_puts(&rig, MARK);
    spin_for(&rig.agent.loop, 400);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
}
END_TEST

/* A command may take longer than a request may take to arrive. */
START_TEST(no_deadline_while_working)
{
    AUTO_FREE char *request = exec_request("sleep 0.5");

    rig_stop(&rig);
    rig_start(&rig, short_timeout);
    rig_puts(&rig, request);
    rig_expect(&rig, 200, 0);
}
END_TEST

START_TEST(nobody_reads)
{
    const uint8_t *bytes;

    rig_stop(&rig);
    rig_start(&rig, short_timeout);
    rig_puts(&rig, PING);
    ck_assert_uint_gt(session_output(&rig.agent.session, &bytes), 1);
    session_sent(&rig.agent.session, 1);
    spin_for(&rig.agent.loop, 400);
    ck_assert_int_eq(state(), SESSION_QUARANTINE);
    rig_expect_silence(&rig);
    rig_puts(&rig, MARK SYNC);
    rig_expect(&rig, 200, 0);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, session_setup, session_teardown);
    tcase_add_loop_test(tcase, quarantine, 0, ARRAY_SIZE(captive));
    tcase_add_loop_test(tcase, into_quarantine, 0, ARRAY_SIZE(unknown));
    tcase_add_test(tcase, sync_gets_its_own_answer_only);
    tcase_add_test(tcase, content_is_never_run);
    tcase_add_test(tcase, recording_is_never_run);
    tcase_add_loop_test(tcase, late, 0, ARRAY_SIZE(halves));
    tcase_add_test(tcase, late_after_an_early_error);
    tcase_add_test(tcase, slow_but_steady);
    tcase_add_test(tcase, no_deadline_between_requests);
    tcase_add_test(tcase, no_deadline_while_working);
    tcase_add_test(tcase, nobody_reads);
}
