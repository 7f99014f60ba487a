/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A job's streams with a job: output, input, signals and sizes, as it should be. */
#include <config.h>

#include "unit/host/streaming.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"
#include "unit/unit.h"

const char unit_name[] = "stream";

/* --- output ---------------------------------------------------------------- */

START_TEST(both_streams_in_order)
{
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    ck_assert_uint_eq(heard.body_len, 0);
    ck_assert(!job_stream_over(&stream));
    say_turn(SAYS(.end = 9), 0, "1:3,2:4,1:2", "outErr!ok");
    take(0);
    printed("1:out|2:Err!|1:ok|");
    post(JOB_STREAM_WAIT, "GET", OUTPUT "9" WAIT);
    say_turn(SAYS(.end = 9), 9, NULL, "");
    take(0);
    ck_assert(!job_stream_over(&stream));
    post(JOB_STREAM_WAIT, "GET", OUTPUT "9" WAIT);
    say_turn(SAYS(.end = 12, ENDED), 9, "2:3", "end");
    take(0);
    printed("2:end|");
    ck_assert(job_stream_over(&stream));
    ck_assert_int_eq(stream.status.exit_code, 0);
}
END_TEST

/* Ended is not over while there is output. */
START_TEST(ended_with_more_to_come)
{
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    say_turn(SAYS(.end = 6, ENDED), 0, "1:4", "abcd");
    take(0);
    ck_assert(!job_stream_over(&stream));
    post(JOB_STREAM_WAIT, "GET", OUTPUT "4" WAIT);
    ck_assert(!job_stream_over(&stream));
    say_turn(SAYS(.end = 6, ENDED), 4, "1:2", "ef");
    take(0);
    ck_assert(job_stream_over(&stream));
    printed("1:abcd|1:ef|");
}
END_TEST

START_TEST(flags)
{
    post(JOB_STREAM_AWAY, "GET", OUTPUT "0&away=1");
    say_turn(SAYS(.end = 0), 0, NULL, "");
    take(0);
    /* nothing is wanted, and nothing is not an error then */
    post(JOB_STREAM_WAIT | JOB_STREAM_MUTE, "GET", OUTPUT "0" WAIT "&max=0");
    say_turn(SAYS(.end = 5), 0, NULL, "");
    take(0);
    post(JOB_STREAM_AWAY | JOB_STREAM_MUTE, "GET", OUTPUT "0&away=1&max=0");
    say_turn(SAYS(.end = 5, ENDED), 0, NULL, "");
    take(0);
    ck_assert(!job_stream_over(&stream));
    post(0, "GET", OUTPUT "0");
    say_turn(SAYS(.end = 5, ENDED), 0, "1:5", "there");
    take(0);
    printed("1:there|");
}
END_TEST

/* Who takes the output may have had enough. */
START_TEST(output_fails)
{
    static const int results[] = { -EPIPE, -ECONNRESET, -ENOSPC };

    for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
        output_result = results[i];
        post(JOB_STREAM_WAIT, "GET",
             i ? i == 1 ? OUTPUT "1" WAIT : OUTPUT "2" WAIT : OUTPUT "0" WAIT);
        say_turn(SAYS(.end = 10), (int64_t) i, "1:1,2:2", "abb");
        take(results[i]);
        ck_assert_str_eq(err.message, "no output");
        printed("1:a|");
    }
    output_result = 0;
}
END_TEST

/* --- two turns on their way ------------------------------------------------ */

/* Both were asked for from byte 0; the second one begins somewhere in what the
 * first one brought, and brings 12 bytes in all. */
static const struct {
    const char *first, *first_bytes;
    int64_t at;
    const char *second, *second_bytes;
    const char *printed;
    int64_t end; /* of what was taken */
} twice[] = {
    { "1:5", "hello", 0, "1:5,2:7", "hello world!", "2: world!|", 12 },
    { "1:5", "hello", 0, "1:12", "hello world!", "1: world!|", 12 },
    { "1:2,2:3", "hello", 0, "1:2,2:10", "hello world!", "2: world!|", 12 },
    { "1:5", "hello", 3, "1:2,1:7", "lo world!", "1: world!|", 12 },
    { "1:5", "hello", 5, "2:7", " world!", "2: world!|", 12 },
    { "1:5", "hello", 0, "1:1,2:1,1:1,2:1,1:1,2:1,1:6", "hello world!",
      "2: |1:world!|", 12 },
    { "1:5", "hello", 0, "1:5", "hello", "", 5 },
    { "1:5", "hello", 0, "1:3", "hel", "", 5 },
    { "1:5", "hello", 5, NULL, "", "", 5 },
    { NULL, "", 0, "1:5,2:7", "hello world!", "1:hello|2: world!|", 12 },
};

START_TEST(no_byte_twice)
{
    char first[80];

    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    memcpy(first, heard.id, sizeof(first));
    ck_assert(job_stream_may_post(&stream));
    type("x");
    post_input(JOB_STREAM_WAIT, 0, "x", 0, WAIT);
    ck_assert(!job_stream_may_post(&stream));
    say_turn_to(first, SAYS(.end = 12), 0, twice[_i].first,
                twice[_i].first_bytes);
    take(0);
    ck_assert(job_stream_may_post(&stream));
    ck_assert_int_eq(stream.output_at,
                     (int64_t) strlen(twice[_i].first_bytes));
    buf_clear(&got);
    say_turn(SAYS(.end = 12, .received = 1), twice[_i].at, twice[_i].second,
             twice[_i].second_bytes);
    take(0);
    printed(twice[_i].printed);
    ck_assert_uint_eq(stream.n_posts, 0);
    ck_assert_int_eq(stream.output_at, twice[_i].end);
}
END_TEST

/* Both answers are there at once, and a third request follows. */
START_TEST(answers_at_once)
{
    char first[80];

    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    memcpy(first, heard.id, sizeof(first));
    type("x");
    post_input(JOB_STREAM_WAIT, 0, "x", 0, WAIT);
    say_turn_to(first, SAYS(.end = 3), 0, "1:3", "abc");
    say_turn(SAYS(.end = 6, .received = 1), 0, "1:3,2:3", "abcdef");
    take(0);
    type("y"); /* the second is on its way still, and it waits, too */
    post_input(JOB_STREAM_WAIT, 1, "y", 3, WAIT);
    take(0);
    say_turn(SAYS(.end = 6, .received = 2, ENDED), 3, "2:3", "def");
    take(0);
    printed("1:abc|2:def|");
    ck_assert(job_stream_over(&stream));
}
END_TEST

/* --- input ----------------------------------------------------------------- */

START_TEST(input)
{
    ck_assert(!job_stream_pending(&stream));
    ck_assert_uint_eq(job_stream_input_room(&stream), JOB_INPUT_MAX);
    type("hello");
    ck_assert(job_stream_pending(&stream));
    post_input(JOB_STREAM_WAIT, 0, "hello", 0, WAIT);
    ck_assert(!job_stream_pending(&stream)); /* all of it is on its way */
    say_turn(SAYS(.received = 5, .end = 2), 0, "1:2", "ok");
    take(0);
    ck_assert_uint_eq(job_stream_input_room(&stream), JOB_INPUT_MAX);
    printed("1:ok|");
    /* and what comes next goes on behind it */
    type("more");
    post_input(JOB_STREAM_WAIT, 5, "more", 2, WAIT);
    say_turn(SAYS(.received = 9, .end = 2), 2, NULL, "");
    take(0);
    ck_assert(!job_stream_pending(&stream));
}
END_TEST

START_TEST(end_of_input)
{
    type("bye");
    stream.input_eof = true;
    ck_assert_uint_eq(job_stream_input_room(&stream), 0);
    post_input(JOB_STREAM_WAIT, 0, "bye", 0, "&eof=1" WAIT);
    ck_assert(!job_stream_pending(&stream));
    say_turn(SAYS(.received = 3, .closed = true), 0, NULL, "");
    take(0);
    ck_assert(!job_stream_pending(&stream));
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
}
END_TEST

/* The end comes when nothing is left to be read. */
START_TEST(end_alone)
{
    type("bye");
    post_input(JOB_STREAM_WAIT, 0, "bye", 0, WAIT);
    stream.input_eof = true; /* with that on its way */
    ck_assert(job_stream_pending(&stream));
    say_turn(SAYS(.received = 3), 0, NULL, "");
    take(0);
    ck_assert(job_stream_pending(&stream));
    post_input(JOB_STREAM_WAIT, 3, "", 0, "&eof=1" WAIT);
    ck_assert(!job_stream_pending(&stream));
    say_turn(SAYS(.received = 3, .closed = true), 0, NULL, "");
    take(0);
    ck_assert(!job_stream_pending(&stream));
}
END_TEST

/* Room for ten bytes, none, and again some: for the end, too. */
START_TEST(room)
{
    stream.status.stdin_room = 10;
    type("0123456789abcdefghij");
    stream.input_eof = true;
    post_input(JOB_STREAM_WAIT, 0, "0123456789", 0, WAIT "&room=131072");
    ck_assert(
        !job_stream_pending(&stream)); /* nothing of the rest, nor the end */
    say_turn(SAYS_ROOM(0, .received = 10), 0, NULL, "");
    take(0);
    ck_assert(!job_stream_pending(&stream));
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT "&room=131072");
    say_turn(SAYS_ROOM(9, .received = 10), 0, NULL, "");
    take(0);
    ck_assert(job_stream_pending(&stream));
    post_input(JOB_STREAM_WAIT, 10, "abcdefghi", 0, WAIT "&room=131072");
    say_turn(SAYS_ROOM(1, .received = 19), 0, NULL, "");
    take(0);
    post_input(JOB_STREAM_WAIT, 19, "j", 0, "&eof=1" WAIT);
    say_turn(SAYS_ROOM(0, .received = 20, .closed = true), 0, NULL, "");
    take(0);
    ck_assert_uint_eq(stream.input.len, 0);
}
END_TEST

/* What is on its way has used up some of the room that the agent told. */
START_TEST(room_for_two)
{
    char first[80];

    stream.status.stdin_room = 10;
    type("0123456");
    post_input(JOB_STREAM_WAIT, 0, "0123456", 0, WAIT);
    memcpy(first, heard.id, sizeof(first));
    type("789abc");
    post_input(JOB_STREAM_WAIT, 7, "789", 0, WAIT "&room=131072");
    say_turn_to(first, SAYS_ROOM(3, .received = 7), 0, NULL, "");
    take(0);
    ck_assert(!job_stream_pending(&stream));
    say_turn(SAYS_ROOM(0, .received = 10), 0, NULL, "");
    take(0);
    ck_assert(!job_stream_pending(&stream));
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT "&room=131072");
    say_turn(SAYS_ROOM(50, .received = 10), 0, NULL, "");
    take(0);
    post_input(JOB_STREAM_WAIT, 10, "abc", 0, WAIT);
}
END_TEST

/* Less room than was told before: what was sent is sent. */
START_TEST(room_shrinks)
{
    char first[80], second[80];

    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    memcpy(first, heard.id, sizeof(first));
    type("0123456789");
    post_input(JOB_STREAM_WAIT, 0, "0123456789", 0, WAIT);
    memcpy(second, heard.id, sizeof(second));
    type("more");
    say_turn_to(first, SAYS_ROOM(5, .received = 0), 0, NULL, "");
    take(0);
    /* the turn that waits would not see that there is room for it */
    ck_assert(job_stream_pending(&stream));
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT "&room=131072");
    say_turn_to(second, SAYS_ROOM(0, .received = 10), 0, NULL, "");
    take(0);
    ck_assert(!job_stream_pending(&stream));
    say_turn(SAYS_ROOM(2, .received = 10), 0, NULL, "");
    take(0);
    post_input(JOB_STREAM_WAIT, 10, "mo", 0, WAIT "&room=131072");
}
END_TEST

/* More of it may come than we can hold: the wait is for room, although nothing
 * is left to be sent. */
START_TEST(room_for_what_cannot_be_read)
{
    enum { MUCH = 140 * 1000 };
    uint8_t *where;

    stream.status.stdin_room = JOB_INPUT_MAX;
    ck_assert_int_eq(buf_reserve(&stream.input, MUCH, &where), 0);
    memset(where, 'x', MUCH);
    buf_commit(&stream.input, MUCH);
    ck_assert_int_eq(job_stream_post(&stream, JOB_STREAM_WAIT, &err), 0);
    far_hear(far, &heard);
    ck_assert_uint_eq(heard.body_len, MUCH);
    ck_assert_ptr_nonnull(strstr(heard.target, "&room=131072"));
    say_turn(SAYS_ROOM(JOB_INPUT_MAX / 2, .received = MUCH / 2), 0, NULL, "");
}
END_TEST

/* The agent's end of the next test: what it was asked, the oldest first, with
 * the end of the input that it had by then, and what the program has read. */
struct reader {
    struct {
        char id[80];
        int64_t received;
    } asked[2];
    int64_t received, read;
};

static unsigned int random_below(unsigned int *seed, unsigned int end)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 8) % end;
}

static void much_is_typed(size_t n)
{
    uint8_t *where;

    if (n > job_stream_input_room(&stream))
        n = job_stream_input_room(&stream);
    ck_assert_int_eq(buf_reserve(&stream.input, n, &where), 0);
    memset(where, 'x', n);
    buf_commit(&stream.input, n);
}

/* As the relay does it. */
static void post_all(struct reader *reader)
{
    while (job_stream_may_post(&stream)
           && (stream.n_posts == 0 || job_stream_pending(&stream))) {
        heard_free(&heard);
        ck_assert_int_eq(job_stream_post(&stream, JOB_STREAM_WAIT, &err), 0);
        far_hear(far, &heard);
        reader->received += (int64_t) heard.body_len;
        ck_assert_int_le(reader->received - reader->read, JOB_INPUT_MAX);
        memcpy(reader->asked[stream.n_posts - 1].id, heard.id,
               sizeof(heard.id));
        reader->asked[stream.n_posts - 1].received = reader->received;
    }
}

static void answer_one(struct reader *reader)
{
    int64_t received = reader->asked[0].received;
    int64_t left = received > reader->read ? received - reader->read : 0;

    say_turn_to(reader->asked[0].id,
                SAYS_ROOM(JOB_INPUT_MAX - left, .received = received), 0, NULL,
                "");
    take(0);
    reader->asked[0] = reader->asked[1];
}

/* Whatever comes when: a turn that waits alone, with more input here than there
 * is room for, has asked to be told of room. */
START_TEST(no_turn_waits_past_room)
{
    unsigned int seed = (unsigned int) _i;
    struct reader reader = { .received = 0 };
    static const size_t sizes[] = { 1, 65535, 65536, 65536, 65536 };

    stream.status.stdin_room = JOB_INPUT_MAX;
    for (int step = 0; step < 100; step++) {
        post_all(&reader);
        if (stream.n_posts == 1
            && (buf_room(&stream.input) < JOB_INPUT_MAX / 2
                || stream.input_sent
                       < stream.input_at + (int64_t) stream.input.len))
            ck_assert_msg(strstr(stream.posts[0].target, "&room=") != NULL,
                          "%d: %s", step, stream.posts[0].target);
        switch (random_below(&seed, 8)) {
        case 0:
            reader.read += random_below(
                &seed, (unsigned int) (reader.received - reader.read) + 1);
            break;
        case 1:
        case 2:
        case 3:
            answer_one(&reader);
            break;
        default:
            much_is_typed(sizes[random_below(&seed, ARRAY_SIZE(sizes))]);
        }
    }
}
END_TEST

/* Less was taken than there was room for: the rest goes once more. */
START_TEST(confirmed_partly)
{
    type("0123456789");
    stream.input_eof = true;
    post_input(JOB_STREAM_WAIT, 0, "0123456789", 0, "&eof=1" WAIT);
    say_turn(SAYS_ROOM(0, .received = 6), 0, NULL, "");
    take(0);
    ck_assert(!job_stream_pending(&stream));
    ck_assert_uint_eq(stream.input.len, 4);
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT "&room=131072");
    say_turn(SAYS_ROOM(3, .received = 6), 0, NULL, "");
    take(0);
    post_input(JOB_STREAM_WAIT, 6, "678", 0, WAIT "&room=131072");
    say_turn(SAYS(.received = 8), 0, NULL, "");
    take(0);
    post_input(JOB_STREAM_WAIT, 8, "89", 0, "&eof=1" WAIT); /* at once */
    say_turn(SAYS(.received = 10, .closed = true), 0, NULL, "");
    take(0);
    ck_assert(!job_stream_pending(&stream));
}
END_TEST

/* … with a second one behind it, which the agent cannot take: all of it goes
 * over another connection. */
START_TEST(confirmed_partly_of_two)
{
    char first[80];

    type("0123");
    post_input(JOB_STREAM_WAIT, 0, "0123", 0, WAIT);
    memcpy(first, heard.id, sizeof(first));
    type("4567");
    post_input(JOB_STREAM_WAIT, 4, "4567", 0, WAIT);
    say_turn_to(first, SAYS(.end = 2, .received = 2), 0, "1:2", "ok");
    take(1);
    printed("1:ok|");
}
END_TEST

/* Room that is promised and never there would be asked for without end. */
START_TEST(nothing_is_taken)
{
    type("0123");
    post_input(JOB_STREAM_WAIT, 0, "0123", 0, WAIT);
    say_turn(SAYS(.received = 0), 0, NULL, "");
    take(-EPROTO);
}
END_TEST

/* A program that has closed its input: what is left is nobody's, wherever it
 * begins. */
START_TEST(nobody_reads_it)
{
    type("0123456789");
    post_input(JOB_STREAM_WAIT, 0, "0123456789", 0, WAIT);
    say_turn(SAYS(.received = _i, .closed = true), 0, NULL, "");
    take(0);
    type("more");
    stream.input_eof = true;
    ck_assert(!job_stream_pending(&stream));
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
}
END_TEST

/* --- signals and sizes ----------------------------------------------------- */

START_TEST(signal_behind_a_turn)
{
    char first[80];

    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    memcpy(first, heard.id, sizeof(first));
    type("x");
    job_stream_signal(&stream, SIGINT);
    ck_assert(job_stream_pending(&stream));
    post(JOB_STREAM_WAIT, "POST", JOB "/signal");
    ck_assert_str_eq((char *) heard.body, "{\"signal\":2}");
    ck_assert_str_eq(heard_field(&heard, "Content-Type"), "application/json");
    ck_assert_str_eq(heard_field(&heard, "X-Request-Age"), "");
    ck_assert(!job_stream_may_post(&stream));
    say_turn_to(first, SAYS(.end = 2), 0, "2:2", "^C");
    take(0);
    ck_assert(!job_stream_may_post(&stream)); /* a signal waits for nothing */
    ck_assert_uint_eq(stream.n_signals, 1);
    say_status(SAYS(.end = 2));
    take(0);
    ck_assert_uint_eq(stream.n_signals, 0);
    printed("2:^C|");
    /* then the input that had to wait */
    post_input(JOB_STREAM_WAIT, 0, "x", 2, WAIT);
}
END_TEST

/* Over is not before each answer has come. */
START_TEST(signal_behind_the_end)
{
    char first[80];

    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    memcpy(first, heard.id, sizeof(first));
    job_stream_signal(&stream, SIGINT);
    post(JOB_STREAM_WAIT, "POST", JOB "/signal");
    say_turn_to(first, SAYS(.end = 2, ENDED), 0, "1:2", "ok");
    take(0);
    ck_assert(!job_stream_over(&stream));
    say_status(SAYS(.end = 2, ENDED));
    take(0);
    ck_assert(job_stream_over(&stream));
}
END_TEST

START_TEST(signals_in_order)
{
    char ids[3][80];

    for (int i = 0; i < JOB_STREAM_SIGNALS_MAX + 3; i++)
        job_stream_signal(&stream, 1 + i);
    ck_assert_uint_eq(stream.n_signals, JOB_STREAM_SIGNALS_MAX);
    for (int i = 0; i < 3; i++) {
        char body[32];

        post(0, "POST", JOB "/signal");
        snprintf(body, sizeof(body), "{\"signal\":%d}", 1 + i);
        ck_assert_str_eq((char *) heard.body, body);
        memcpy(ids[i], heard.id, sizeof(ids[i]));
        ck_assert(i == 0 || strcmp(ids[i], ids[i - 1]) != 0);
        say_status(SAYS(.end = 0));
        take(0);
    }
    ck_assert_uint_eq(stream.n_signals, JOB_STREAM_SIGNALS_MAX - 3);
}
END_TEST

/* The answer to a signal tells of room, of input, and of the end. */
START_TEST(what_a_signal_tells)
{
    stream.status.stdin_room = 2;
    type("abcd");
    post_input(JOB_STREAM_WAIT, 0, "ab", 0, WAIT "&room=131072");
    job_stream_signal(&stream, SIGTERM);
    say_turn(SAYS_ROOM(0, .received = 2), 0, NULL, "");
    take(0);
    post(0, "POST", JOB "/signal");
    say_status(SAYS_ROOM(9, .received = 2));
    take(0);
    post_input(JOB_STREAM_WAIT, 2, "cd", 0, WAIT);
    say_turn(SAYS(.received = 4), 0, NULL, "");
    take(0);
    job_stream_signal(&stream, SIGKILL);
    post(0, "POST", JOB "/signal");
    say_status(SAYS(.received = 4, .closed = true,
                    .more = ",\"exit_code\":137,\"signal\":\"SIGKILL\""));
    take(0);
    ck_assert(job_stream_over(&stream));
    ck_assert_str_eq(stream.status.signal, "SIGKILL");
}
END_TEST

START_TEST(size)
{
    stream.rows = 50;
    stream.columns = 132;
    ck_assert(job_stream_pending(&stream));
    post(0, "POST", JOB "/resize");
    ck_assert_str_eq((char *) heard.body, "{\"rows\":50,\"columns\":132}");
    ck_assert(!job_stream_pending(&stream));
    ck_assert(!job_stream_may_post(&stream));
    say_status(SAYS(.end = 0));
    take(0);
    ck_assert(!job_stream_pending(&stream));
    ck_assert(job_stream_may_post(&stream));
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, talking_begin, talking_end);
    tcase_add_test(tcase, both_streams_in_order);
    tcase_add_test(tcase, ended_with_more_to_come);
    tcase_add_test(tcase, flags);
    tcase_add_test(tcase, output_fails);
    tcase_add_loop_test(tcase, no_byte_twice, 0, ARRAY_SIZE(twice));
    tcase_add_test(tcase, answers_at_once);
    tcase_add_test(tcase, input);
    tcase_add_test(tcase, end_of_input);
    tcase_add_test(tcase, end_alone);
    tcase_add_test(tcase, room);
    tcase_add_test(tcase, room_for_two);
    tcase_add_test(tcase, room_shrinks);
    tcase_add_test(tcase, room_for_what_cannot_be_read);
    tcase_add_loop_test(tcase, no_turn_waits_past_room, 0, 50);
    tcase_add_test(tcase, confirmed_partly);
    tcase_add_test(tcase, confirmed_partly_of_two);
    tcase_add_test(tcase, nothing_is_taken);
    tcase_add_loop_test(tcase, nobody_reads_it, 0, 11);
    tcase_add_test(tcase, signal_behind_a_turn);
    tcase_add_test(tcase, signal_behind_the_end);
    tcase_add_test(tcase, signals_in_order);
    tcase_add_test(tcase, what_a_signal_tells);
    tcase_add_test(tcase, size);
}
