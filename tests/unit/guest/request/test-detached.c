/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A request whose client has gone, and its end. */
#include <config.h>

#include "guest/request/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "unit/guest/again.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "detached";

/* --- detached requests --------------------------------------------------- */

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

    rig.agent.context.grace_ms = 200;
    send_exec("one", "sleep 1000");
    reconnect();
    expect_none_detached();
    ck_assert_int_ge(clock_ms() - begun, 200);
    expect_ended("one");
    send_exec("one", "sleep 1000");
    take_answer(&answer);
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

    rig.agent.context.grace_ms = 50;
    send_exec("one", "trap '' TERM; echo ready; while :; do sleep 0.1; done");
    spin_for(&rig.agent.loop, 100);
    reconnect();
    expect_none_detached();
    ask_state("GET", "one", &answer);
    expect_data(&answer, "signal", "SIGKILL");
    rig_answer_free(&answer);
}
END_TEST

START_TEST(ninth_detached)
{
    for (int i = 0; i <= DETACHED_MAX; i++) {
        AUTO_FREE char *id = format("o%d", i);

        send_exec(id, "sleep 1000");
        ck_assert_int_eq(state(), SESSION_WORK);
        reconnect();
    }
    while (rig.agent.replay_cache.n
           && replay_cache_find(&rig.agent.replay_cache, "o0")->state
                  == REPLAY_RUNNING)
        spin_for(&rig.agent.loop, 5);
    expect_ended("o0");
    expect_state("o1", "running");
    expect_state("o8", "running");
}
END_TEST

/* Those that take their time to end do not pile up. */
START_TEST(stubborn_orphans)
{
    for (int i = 0; i < 4 * DETACHED_MAX; i++) {
        AUTO_FREE char *id = format("o%d", i);
        int n = 0;

        send_exec(id, "trap '' TERM; while :; do sleep 0.1; done");
        reconnect();
        for (struct request *at = rig.agent.detached.first; at;
             at = at->next_detached)
            n++;
        ck_assert_int_le(n, 2 * DETACHED_MAX);
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
    rig.agent.detached.first->end = NULL; /* as if it could not be asked */
    detached_end(rig.agent.detached.first);
    expect_state("one", "gone");
    send_exec("one", "sleep 1000");
    take_answer(&answer);
    ck_assert_int_eq(answer.code, STATUS_REQUEST_GONE);
    expect_data(&answer, "state", "unknown");
    rig_answer_free(&answer);
}
END_TEST

/* The agent may end at any moment (teardown looks for leaks and zombies). */
START_TEST(agent_ends_with_detached)
{
    send_exec("a", "sleep 1000");
    reconnect();
    send_exec("b", "sleep 1000");
    reconnect();
    send_exec("b", "sleep 1000"); /* waits */
    ck_assert_ptr_nonnull(rig.agent.detached.first->next_detached);
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
    expect_none_detached();
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
    expect_none_detached();
    expect_state("one", "done");
}
END_TEST

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
    take_answer(&answer);
    expect_data(&answer, "id", "a/b c");
    expect_data(&answer, "exit_code", "3");
    rig_answer_free(&answer);
    rig_puts(&rig, "GET /api/v1/requests/%zz HTTP/1.1\r\nHost: v\r\n\r\n");
    rig_expect(&rig, 400, STATUS_INVALID_PARAMS);
}
END_TEST

static void custom_dir(struct settings *settings)
{
    free(settings->custom_dir);
    settings->custom_dir = strdup("/usr/bin");
}

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

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, again_setup, session_teardown);
    tcase_add_test(tcase, grace_ends_a_command);
    tcase_add_test(tcase, grace_ends_a_stubborn_command);
    tcase_add_test(tcase, ninth_detached);
    tcase_add_test(tcase, stubborn_orphans);
    tcase_add_test(tcase, dropped_orphan);
    tcase_add_test(tcase, agent_ends_with_detached);
    tcase_add_test(tcase, delete_ends_a_command);
    tcase_add_test(tcase, delete_without_waiting);
    tcase_add_test(tcase, delete_of_an_upload);
    tcase_add_test(tcase, ids_in_paths);
    tcase_add_test(tcase, custom_is_ended);
}
