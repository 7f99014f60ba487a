/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A job's streams with an agent that makes no sense, refuses, or vanishes. */
#include <config.h>

#include "unit/host/streaming.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/status.h"
#include "unit/unit.h"
#include "util/fd.h"

const char unit_name[] = "stream wrong";

/* --- errors ---------------------------------------------------------------- */

static const struct {
    int http, code;
    int result; /* 1: another connection may mend it */
    const char *words;
} errors[] = {
    { 404, STATUS_JOB_NOT_FOUND, -EPROTO, "words: it was forgotten" },
    { 400, STATUS_INVALID_PARAMS, -EPROTO, "words: it was forgotten" },
    { 409, STATUS_SESSION_EXPIRED, 1, "words: it was forgotten" },
    { 503, STATUS_SERVICE_UNAVAILABLE, 1, "words: it was forgotten" },
    { 200, STATUS_FILE_OPERATION_FAILED, 1, "words: it was forgotten" },
    { 200, STATUS_SUCCESS, -EPROTO, NULL }, /* and no bytes */
};

START_TEST(agent_errors)
{
    type("x");
    post_input(JOB_STREAM_WAIT, 0, "x", 0, WAIT);
    say_json(errors[_i].http, errors[_i].code,
             "{\"detail\":\"it was forgotten\"}");
    take(errors[_i].result);
    if (errors[_i].words)
        ck_assert_str_eq(err.message, errors[_i].words);
    ck_assert_uint_eq(stream.n_posts, 0);
}
END_TEST

START_TEST(signal_to_no_job)
{
    job_stream_signal(&stream, SIGINT);
    post(0, "POST", JOB "/signal");
    say_json(404, STATUS_JOB_NOT_FOUND, "{\"detail\":\"it was forgotten\"}");
    take(-EPROTO);
    ck_assert_str_eq(err.message, "words: it was forgotten");
}
END_TEST

#define STATUS(end)                                              \
    "X-Job-Status: "                                             \
    "{\"id\":\"ab12cd34\",\"state\":\"running\",\"output\":" end \
    ",\"output_start\":0,\"stdin_received\":0,\"stdin_room\":9," \
    "\"stdin_open\":true,\"duration_ms\":1}\r\n"
#define GOOD STATUS("20")
#define AT0 "X-Output-Offset: 0\r\n"
#define PIECES(text) "X-Output-Segments: " text "\r\n"

/* Heads of an answer with five bytes, "hello", that make no sense: it is looked at
 * as a whole, and nothing of it is printed. */
static const char *const senseless[] = {
    "",
    GOOD PIECES("1:5"),
    AT0 PIECES("1:5"),
    "X-Job-Status: nonsense\r\n" AT0 PIECES("1:5"),
    "X-Job-Status: {}\r\n" AT0 PIECES("1:5"),
    "X-Job-Status: \r\n" AT0 PIECES("1:5"),
    GOOD "X-Output-Offset: -1\r\n" PIECES("1:5"),
    GOOD "X-Output-Offset: x\r\n" PIECES("1:5"),
    GOOD "X-Output-Offset: \r\n" PIECES("1:5"),
    GOOD "X-Output-Offset: 9223372036854775807\r\n" PIECES("1:5"),
    GOOD "X-Output-Offset: 1\r\n" PIECES("1:5"), /* a gap */
    GOOD AT0,
    GOOD AT0 PIECES(""),
    GOOD AT0 PIECES("5"),
    GOOD AT0 PIECES("0:5"),
    GOOD AT0 PIECES("3:5"),
    GOOD AT0 PIECES("11:5"),
    GOOD AT0 PIECES("1:"),
    GOOD AT0 PIECES("1:0"),
    GOOD AT0 PIECES("1:0,2:5"),
    GOOD AT0 PIECES("1:-5"),
    GOOD AT0 PIECES("1:+5"),
    GOOD AT0 PIECES("1: 5"),
    GOOD AT0 PIECES("1:05x"),
    GOOD AT0 PIECES("1:6"),
    GOOD AT0 PIECES("1:5x"),
    GOOD AT0 PIECES("1:99999999999999999999"),
    GOOD AT0 PIECES("1:4"),
    GOOD AT0 PIECES("1:2,2:2"),
    GOOD AT0 PIECES("1:2,2:4"),
    GOOD AT0 PIECES("1:2;2:3"),
    GOOD AT0 PIECES("1:2,,2:3"),
    GOOD AT0 PIECES("1:2, 2:3"),
    GOOD AT0 PIECES("1:5,1:1"),
    STATUS("4") AT0 PIECES("1:5"), /* more than there is */
    STATUS("0") AT0 PIECES("1:5"),
};

START_TEST(heads_without_sense)
{
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    far_answer(far, heard.id, 200, senseless[_i], "hello", 5);
    take(-EPROTO);
    ck_assert_str_ne(err.message, "");
    printed("");
}
END_TEST

/* Output of what was closed. */
START_TEST(closed_before)
{
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    say_turn(SAYS(.end = 3, .more = ",\"stdout_closed\":true"), 0, "1:2",
             "ab");
    take(0);
    ck_assert(!job_stream_closed(&stream, 1));
    post(JOB_STREAM_WAIT, "GET", OUTPUT "2" WAIT);
    say_turn(SAYS(.end = 4, .more = ",\"stdout_closed\":true"), 2, "1:1,2:1",
             "cd");
    take(0);
    ck_assert(job_stream_closed(&stream, 1));
    ck_assert(!job_stream_closed(&stream, 2));
    printed("1:ab|1:c|2:d|");
    post(JOB_STREAM_WAIT, "GET", OUTPUT "4" WAIT);
    say_turn(SAYS(.end = 5), 4, "1:1", "e");
    take(-EPROTO);
    printed("");
}
END_TEST

/* Pieces of nothing. */
START_TEST(pieces_without_bytes)
{
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    far_answer(far, heard.id, 200, GOOD AT0 PIECES("1:5"), "", 0);
    take(-EPROTO);
    printed("");
}
END_TEST

/* Backwards is what two turns bring; forwards is a loss, which is told by its
 * size, whether something follows or not. */
START_TEST(offsets)
{
    static const struct {
        int64_t at;
        const char *segments, *bytes;
        bool ended;
    } gaps[] = {
        { 8, "1:4", "more", false },
        { 8, "1:4", "more", true },
        { 12, NULL, "", true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
        char words[80];

        if (i)
            talking_begin();
        post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
        say_turn(SAYS(.end = 5), 0, "1:5", "hello");
        take(0);
        post(JOB_STREAM_WAIT, "GET", OUTPUT "5" WAIT);
        say_turn(
            SAYS(.end = 12, .more = gaps[i].ended ? ",\"exit_code\":0" : NULL),
            gaps[i].at, gaps[i].segments, gaps[i].bytes);
        take(-EPROTO);
        snprintf(words, sizeof(words), "%d bytes of output are lost",
                 (int) gaps[i].at - 5);
        ck_assert_msg(strstr(err.message, words) != NULL, "%s", err.message);
        printed("1:hello|");
        if (i + 1 < ARRAY_SIZE(gaps))
            talking_end();
    }
}
END_TEST

/* What was not asked for, because it has come before. */
START_TEST(backwards)
{
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    say_turn(SAYS(.end = 5), 0, "1:5", "hello");
    take(0);
    post(JOB_STREAM_WAIT, "GET", OUTPUT "5" WAIT);
    say_turn(SAYS(.end = 8), 4, "1:4", "oyou");
    take(-EPROTO);
    printed("1:hello|");
}
END_TEST

/* It has ended, there is more, and nothing of it comes: no reason to ask for
 * ever. */
START_TEST(output_withheld)
{
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    say_turn(SAYS(.end = 5, ENDED), 0, NULL, "");
    take(-EPROTO);
}
END_TEST

/* What the agent has received is neither more than was sent nor less than it
 * said before; and it is one job that we talk with. */
START_TEST(contradictions)
{
    static const struct says wrong[] = {
        { .received = 5, .room = 9 },
        { .received = 1, .room = 9 },
        { .received = 4611686018427387903, .room = 9 },
        { .received = 4611686018427387904, .room = 9 },
        { .received = 2, .room = 9, .id = "ab12cd35" },
        { .received = 2, .room = 9, .id = "../x" },
        { .received = 2, .room = -1 },
        { .received = 2, .room = 9, .end = -1 },
    };
    char text[512];

    type("ab");
    post_input(JOB_STREAM_WAIT, 0, "ab", 0, WAIT);
    say_turn(SAYS_ROOM(0, .received = 2), 0, NULL, "");
    take(0);
    type("cd"); /* which is not sent */
    if (_i % 2) {
        post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT "&room=131072");
        say_turn(&wrong[_i / 2], 0, NULL, "");
    } else {
        job_stream_signal(&stream, SIGINT);
        post(0, "POST", JOB "/signal");
        status_text(&wrong[_i / 2], text);
        say_json(200, 0, text);
    }
    take(-EPROTO);
    ck_assert_str_eq(stream.status.id, "ab12cd34");
    ck_assert(job_stream_pending(&stream)
              || !job_stream_pending(&stream)); /* no overflow */
}
END_TEST

/* --- leaving a wait -------------------------------------------------------- */

START_TEST(woken)
{
    int wake[2];
    char c;

    ck_assert_int_eq(pipe(wake), 0);
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    rpc_set_wake(&client.rpc, wake[0]);
    ck_assert_int_eq(write(wake[1], "x", 1), 1);
    take(-ECANCELED);
    take(-ECANCELED);
    ck_assert_int_eq(read(wake[0], &c, 1), 1);
    say_turn(SAYS(.end = 2), 0, "1:2", "ok");
    take(0);
    printed("1:ok|");
    rpc_set_wake(&client.rpc, -1);
    close(wake[0]);
    close(wake[1]);
}
END_TEST

/* --- lost ------------------------------------------------------------------ */

START_TEST(lost)
{
    static const char *const last[] = {
        NULL,
        "HTTP/1.1 200 OK\r\nX-Reque",
        "garbage\r\n\r\n",
    };

    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    if (last[_i])
        far_say(far, last[_i], strlen(last[_i]));
    fd_close(&far);
    take(1);
    ck_assert_str_ne(err.message, "");
    ck_assert_int_eq(job_stream_post(&stream, JOB_STREAM_WAIT, &err),
                     -ECONNRESET);
    job_stream_hang_up(&stream);
    ck_assert_uint_eq(stream.n_posts, 0);
    ck_assert_ptr_null(client.rpc.transport);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, talking_begin, talking_end);
    tcase_add_loop_test(tcase, agent_errors, 0, ARRAY_SIZE(errors));
    tcase_add_test(tcase, signal_to_no_job);
    tcase_add_loop_test(tcase, heads_without_sense, 0, ARRAY_SIZE(senseless));
    tcase_add_test(tcase, closed_before);
    tcase_add_test(tcase, pieces_without_bytes);
    tcase_add_test(tcase, offsets);
    tcase_add_test(tcase, backwards);
    tcase_add_test(tcase, output_withheld);
    tcase_add_loop_test(tcase, contradictions, 0, 16);
    tcase_add_test(tcase, woken);
    tcase_add_loop_test(tcase, lost, 0, 3);
}
