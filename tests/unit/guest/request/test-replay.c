/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Raw bodies that come twice, and large answers that do. */
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

const char unit_name[] = "replay";

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
    take_answer(&answer);
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
    expect_state("one", "gone"); /* nothing new came of it */
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
    take_answer(&answer);
    ck_assert(json_object_object_get_ex(answer.data, "stdout", &out));
    ck_assert_int_eq(json_object_get_string_len(out), 1600000);
    ck_assert(answer.replayed);
    rig_answer_free(&answer);
    send_exec("one", command);
    take_answer(&answer);
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
    struct replay_cache *cache = &rig.agent.replay_cache;
    struct rig_answer answer;
    const uint8_t *bytes;

    send_exec("one", command);
    take_answer(&answer);
    rig_answer_free(&answer);
    send_exec("one", command);
    ck_assert_uint_gt(session_output(&rig.agent.session, &bytes), 0);
    push_out();
    ck_assert_ptr_null(replay_cache_find(cache, "one"));
    take_answer(&answer);
    ck_assert_int_eq(answer.code, 0);
    ck_assert_uint_gt(answer.body_len, 400000);
    rig_answer_free(&answer);
}
END_TEST

/* Nothing of its answer is small. */
START_TEST(answer_not_kept)
{
    struct rig_answer answer;
    struct replay_answer none = { .http = 200 };
    AUTO_FREE char *text = exec_with("one", "", "true");

    rig_puts(&rig, text);
    rig_expect(&rig, 200, 0);
    {
        struct replay_entry *entry = replay_cache_find(&rig.agent.replay_cache,
                                                       "one");

        /* as a handler's data may be */
        free(entry->brief);
        entry->brief = NULL;
        rig.agent.replay_cache.bytes -= entry->answer_len;
        free(entry->answer);
        entry->answer = NULL;
        entry->answer_len = 0;
        replay_cache_done(&rig.agent.replay_cache, entry, &none, clock_ms());
    }
    rig_puts(&rig, text);
    take_answer(&answer);
    ck_assert_int_eq(answer.http, 410);
    expect_data(&answer, "state", "done");
    rig_answer_free(&answer);
}
END_TEST

/* More requests than are remembered, each with 200 KiB; what is known of the
 * newest is right, and the rest is as small as promised. */
START_TEST(bounds)
{
    const struct replay_cache *cache = &rig.agent.replay_cache;
    struct rig_answer answer;

    for (int i = 0; i < REPLAY_ENTRIES + 100; i++) {
        AUTO_FREE char *id = format("n%d", i);
        AUTO_FREE char *fields = format("X-Request-ID: %s\r\n", id);
        AUTO_FREE char *body = format(
            "{\"argv\":[\"printf\",\"%%0204800d\",\"%d\"]}", i);
        AUTO_FREE char *text = rig_request_with("POST /api/v1/shell/exec",
                                                fields, body);

        rig_puts(&rig, text);
        take_answer(&answer);
        ck_assert_int_eq(answer.code, 0);
        ck_assert_uint_gt(answer.body_len, 200 * 1024);
        rig_answer_free(&answer);
        ck_assert_uint_le(cache->n, REPLAY_ENTRIES);
        ck_assert_uint_le(cache->bytes, REPLAY_ANSWERS_MAX);
    }
    ck_assert_uint_eq(cache->n, REPLAY_ENTRIES);
    ck_assert_uint_gt(cache->bytes, REPLAY_ANSWERS_MAX - 210 * 1024);
    expect_state("n99", "gone");
    expect_state("n100", "done");
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, again_setup, session_teardown);
    tcase_add_test(tcase, raw_body_is_drained);
    tcase_add_test(tcase, last_part_again);
    tcase_add_test(tcase, raw_body_is_pushed_out);
    tcase_add_test(tcase, answer_too_large);
    tcase_add_test(tcase, answer_is_pushed_out_while_it_is_sent);
    tcase_add_test(tcase, answer_not_kept);
    tcase_add_test(tcase, bounds);
}
