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

const char unit_name[] = "session-files";

/* --- uploads ------------------------------------------------------------- */

static void feed_half_upload(void)
{
    AUTO_FREE char *text = format(
        "PUT /api/v1/file/content?path=%s/half HTTP/1.1\r\n"
        "Host: v\r\nContent-Length: 1000\r\n\r\nhalf",
        rig.dir);

    rig_puts(&rig, text);
    ck_assert_ptr_nonnull(rig.agent.session.request);
}

START_TEST(hangup_removes_an_upload)
{
    feed_half_upload();
    session_hangup(&rig.agent.session);
    ck_assert_int_eq(files(), 0);
    ck_assert_ptr_null(rig.agent.session.request);
}
END_TEST

static char *part_request(const char *range, const char *body)
{
    return format("PUT /api/v1/file/content?path=%s/parts&transfer=a1 "
                  "HTTP/1.1\r\nHost: v\r\nContent-Range: bytes %s\r\n"
                  "Content-Length: %zu\r\n\r\n%s",
                  rig.dir, range, strlen(body), body);
}

static void put_part(const char *range, const char *body, int http, int code)
{
    AUTO_FREE char *text = part_request(range, body);

    rig_puts(&rig, text);
    rig_expect(&rig, http, code);
}

static void expect_text(const char *path, const char *want)
{
    AUTO_FREE char *text = unit_read_file(path);

    ck_assert_str_eq(text, want);
}

START_TEST(parts)
{
    AUTO_FREE char *file = in_dir("parts");

    put_part("0-3/10", "0123", 200, 0);
    ck_assert_int_eq(access(file, F_OK), -1);
    put_part("4-5/10", "45", 200, 0);
    /* not the next one, or of another file: the transfer stays */
    put_part("4-5/10", "45", 400, STATUS_INVALID_PARAMS);
    put_part("8-9/10", "89", 400, STATUS_INVALID_PARAMS);
    put_part("6-9/11", "6789", 400, STATUS_INVALID_PARAMS);
    put_part("6-8/10", "6789", 400, STATUS_INVALID_PARAMS);
    put_part("6-9/10", "6789", 200, 0);
    expect_text(file, "0123456789");
    ck_assert_int_eq(files(), 1);
    put_part("6-9/10", "6789", 400, STATUS_INVALID_PARAMS);
    /* it is over: its id may be used again */
    put_part("0-3/4", "abcd", 200, 0);
    expect_text(file, "abcd");
}
END_TEST

/* Transfers that nobody goes on with, and the descriptors behind them. */
static bool transfers_gone(void *unused)
{
    const struct transfers *transfers = &rig.agent.transfers;

    (void) unused;
    for (size_t i = 0; i < TRANSFERS_MAX; i++)
        if (transfers->uploads[i].id[0])
            return false;
    return true;
}

static void client_comes_back(void)
{
    session_hangup(&rig.agent.session);
    session_connected(&rig.agent.session, true);
    rig_puts(&rig, MARK SYNC);
    rig_expect(&rig, 200, 0);
}

/* Its client, or another that knows the id, goes on where it was. */
START_TEST(parts_outlive_a_session)
{
    AUTO_FREE char *file = in_dir("parts");

    put_part("0-3/10", "0123", 200, 0);
    client_comes_back();
    put_part("4-5/10", "45", 200, 0);
    rig_puts(&rig, MARK SYNC);
    rig_expect(&rig, 200, 0);
    put_part("6-9/10", "6789", 200, 0);
    expect_text(file, "0123456789");
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* Whoever has come back has all the time in the world again. */
START_TEST(adopted_parts_have_no_grace)
{
    rig.agent.context.grace_ms = 50;
    put_part("0-3/10", "0123", 200, 0);
    client_comes_back();
    put_part("4-5/10", "45", 200, 0);
    spin_for(&rig.agent.loop, 150);
    put_part("6-9/10", "6789", 200, 0);
}
END_TEST

START_TEST(hangup_removes_parts)
{
    rig.agent.context.grace_ms = 50;
    put_part("0-3/10", "0123", 200, 0);
    session_hangup(&rig.agent.session);
    ck_assert(!transfers_gone(NULL));
    ck_assert(spin_until(&rig.agent.loop, transfers_gone, NULL));
    ck_assert(!rig.agent.transfers.grace.linked);
    session_connected(&rig.agent.session, true);
    put_part("4-9/10", "456789", 400, STATUS_INVALID_PARAMS);
    ck_assert_int_eq(files(), 0);
}
END_TEST

/* Syncs do not prolong it. */
START_TEST(sync_removes_parts)
{
    int syncs = 0;

    rig.agent.context.grace_ms = 50;
    put_part("0-3/10", "0123", 200, 0);
    while (!transfers_gone(NULL)) {
        rig_puts(&rig, MARK SYNC);
        rig_expect(&rig, 200, 0);
        spin_for(&rig.agent.loop, 5);
        ck_assert_int_lt(syncs++, 1000);
    }
    put_part("4-9/10", "456789", 400, STATUS_INVALID_PARAMS);
    ck_assert_int_eq(files(), 0);
}
END_TEST

/* While another client has the channel nobody can come back. */
START_TEST(busy_channel_keeps_parts)
{
    AUTO_FREE char *wait = exec_request("sleep 1000");
    AUTO_FREE char *file = in_dir("parts");

    rig.agent.context.grace_ms = 30;
    put_part("0-3/10", "0123", 200, 0);
    session_hangup(&rig.agent.session);
    session_connected(&rig.agent.session, true);
    rig_puts(&rig, wait);
    spin_for(&rig.agent.loop, 150);
    ck_assert(!transfers_gone(NULL));
    put_part("4-9/10", "456789", 200, 0); /* its bytes end the command */
    expect_text(file, "0123456789");
}
END_TEST

/* The file is again what it was, and its digest, too. */
START_TEST(broken_part_comes_again)
{
    AUTO_FREE char *text = part_request("4-9/10", "456789");
    AUTO_FREE char *file = in_dir("parts");
    struct rig_answer answer;
    struct json_object *md5;

    put_part("0-3/10", "0123", 200, 0);
    for (size_t cut = 1; cut <= strlen("456789"); cut++) {
        rig_feed(&rig, text, strlen(text) - cut);
        client_comes_back();
    }
    rig_puts(&rig, text);
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_int_eq(answer.code, 0);
    ck_assert(json_object_object_get_ex(answer.data, "md5", &md5));
    ck_assert_str_eq(json_object_get_string(md5),
                     "781e5e245d69b566979b86e28d23f2c7");
    rig_answer_free(&answer);
    expect_text(file, "0123456789");
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* Bytes while the file is put in place: another client's, at 20 moments. */
START_TEST(interrupted_commit)
{
    for (int i = 0; i < 20; i++) {
        AUTO_FREE char *text = format(
            "PUT /api/v1/file/content?path=%s/f HTTP/1.1\r\n"
            "Host: v\r\nContent-Length: 4\r\n\r\nbody",
            rig.dir);

        rig_puts(&rig, text);
        ck_assert_int_eq(state(), SESSION_WORK);
        usleep((useconds_t) (i * 200)); /* a later moment each time */
        rig_puts(&rig, PING);
        rig_expect(&rig, 200, 0);
        ck_assert(spin_until(&rig.agent.loop, spin_childless, NULL));
        ck_assert_int_le(files(), 1); /* the file or nothing */
    }
}
END_TEST

/* --- the raw body -------------------------------------------------------- */

START_TEST(marker_in_a_raw_body_is_data)
{
    static const char body[] = "a" MARK SYNC MARK MARK PING;
    AUTO_FREE char *head = format(
        "PUT /api/v1/file/content?path=%s/f HTTP/1.1\r\nHost: v\r\n"
        "Content-Length: %zu\r\n\r\n",
        rig.dir, sizeof(body) - 1);
    AUTO_FREE char *file = in_dir("f");
    AUTO_FREE char *text = NULL;

    rig_puts(&rig, head);
    for (size_t i = 0; i < sizeof(body) - 1; i++) {
        rig_expect_silence(&rig);
        rig_feed(&rig, body + i, 1);
    }
    rig_expect(&rig, 200, 0);
    text = unit_read_file(file);
    ck_assert_str_eq(text, body);
}
END_TEST

/* Behind the body it is a marker again. */
START_TEST(marker_after_a_raw_body)
{
    AUTO_FREE char *text = format(
        "PUT /api/v1/file/content?path=%s/f HTTP/1.1\r\nHost: v\r\n"
        "Content-Length: 1\r\n\r\n" MARK MARK PING,
        rig.dir);

    rig_puts(&rig, text);
    rig_expect(&rig, 200, 0);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
}
END_TEST

/* In the chunk lines around raw data it is one, too. */
START_TEST(marker_between_chunks)
{
    AUTO_FREE char *text = format(
        "PUT /api/v1/file/content?path=%s/f HTTP/1.1\r\nHost: v\r\n"
        "Transfer-Encoding: chunked\r\n\r\n1\r\n" MARK "\r\n" MARK,
        rig.dir);

    rig_puts(&rig, text);
    ck_assert_int_eq(files(), 0);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    ck_assert_int_eq(files(), 0);
}
END_TEST

/* Killed before the last bytes, which the next client's sync then gives: no
 * file comes of that, unless the worker was quicker than the next byte. */
START_TEST(completed_by_a_sync)
{
    AUTO_FREE char *file = in_dir("f");
    int none = 0;

    for (int missing = 1; missing < 20; missing++) {
        AUTO_FREE char *text = format(
            "PUT /api/v1/file/content?path=%s HTTP/1.1\r\n"
            "Host: v\r\nX-Request-ID: r%d\r\n"
            "Content-Length: %d\r\n\r\n0123456789" MARK SYNC,
            file, missing, 10 + missing);

        rig_puts(&rig, text);
        rig_expect(&rig, 200, 0);
        ck_assert(spin_until(&rig.agent.loop, spin_childless, NULL));
        none += unlink(file) < 0;
        ck_assert_int_eq(files(), 0);
    }
    ck_assert_int_gt(none, 0);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, session_setup, session_teardown);
    tcase_add_test(tcase, hangup_removes_an_upload);
    tcase_add_test(tcase, parts);
    tcase_add_test(tcase, hangup_removes_parts);
    tcase_add_test(tcase, sync_removes_parts);
    tcase_add_test(tcase, broken_part_comes_again);
    tcase_add_test(tcase, busy_channel_keeps_parts);
    tcase_add_test(tcase, parts_outlive_a_session);
    tcase_add_test(tcase, adopted_parts_have_no_grace);
    tcase_add_test(tcase, interrupted_commit);
    tcase_add_test(tcase, marker_in_a_raw_body_is_data);
    tcase_add_test(tcase, marker_after_a_raw_body);
    tcase_add_test(tcase, marker_between_chunks);
    tcase_add_test(tcase, completed_by_a_sync);
}
