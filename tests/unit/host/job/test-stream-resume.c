/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A job's streams whose connection is lost: it goes on where it was, or says why not. */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/status.h"
#include "unit/host/streaming.h"
#include "unit/unit.h"
#include "util/clock.h"
#include "util/fd.h"

const char unit_name[] = "stream resume";

/* --- the agent at its socket ----------------------------------------------- */

static char *dir;
static int listener = -1;
static pthread_t agent;

/* What the agent does with a connection: it agrees on the start, hears one
 * request, and answers it. */
struct visit {
    const char *instance; /* NULL: the one that was there before */
    const char *boot_id;
    bool deaf;   /* it does not even agree on the start */
    bool leaves; /* it hangs up instead of answering */
    int code;    /* not 0: it answers with that error */
    const struct says *says;
    int64_t offset;
    const char *segments, *bytes;
};

static void setup(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    talking_begin();
    dir = unit_tmpdir();
    target.socket = unit_path(dir, "agent.sock");
    config.lock_dir = dir;
    config.max_retries = 2;
    config.retry_interval = 10;
    config.backoff_factor = 1;
    retry_policy_init(&client.policy, &config);
    client.was_connected = true;
    ck_assert_uint_lt(strlen(target.socket), sizeof(address.sun_path));
    strcpy(address.sun_path, target.socket);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(
        bind(listener, (struct sockaddr *) &address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 8), 0);
}

static void teardown(void)
{
    talking_end();
    fd_close(&listener);
    free(target.socket);
    unit_rmdir(dir);
}

static void agree(const struct visit *visit)
{
    char data[512];

    far_hear(far, &heard);
    snprintf(data, sizeof(data),
             "{\"id\":\"%s\",\"session\":\"s\",\"boot_id\":\"%s\","
             "\"instance\":\"%s\",\"agent_version\":\"1\",\"timestamp\":1,"
             "\"auth\":false}",
             heard.id, visit->boot_id ? visit->boot_id : "boot-1",
             visit->instance ? visit->instance : "instance-1");
    say_json(200, 0, data);
    heard_free(&heard);
}

static void wait_for_end(void)
{
    char bytes[4096];

    while (read(far, bytes, sizeof(bytes)) > 0)
        ;
}

/* Hears a request of each visitor, and answers the last one. */
static void *receive(void *context)
{
    const struct visit *visit = context;

    for (;; visit++) {
        far = accept(listener, NULL, NULL);
        ck_assert_int_ge(far, 0);
        if (!visit->deaf) {
            agree(visit);
            far_hear(far, &heard);
            if (!visit->leaves)
                break;
            heard_free(&heard);
        } else {
            wait_for_end();
        }
        fd_close(&far);
    }
    if (visit->code)
        say_json(404, visit->code, "{\"detail\":\"it was forgotten\"}");
    else
        say_turn(visit->says, visit->offset, visit->segments,
                 visit->bytes ? visit->bytes : "");
    return NULL;
}

/* Loses the connection. */
static void lose(void)
{
    fd_close(&far);
    if (stream.n_posts > 0)
        take(1);
}

/* Resumes with the agent's visits, of which the last one is answered. */
static void resume(unsigned int flags, const struct visit *visits, int result)
{
    int r;

    heard_free(&heard);
    ck_assert_int_eq(
        pthread_create(&agent, NULL, receive, (void *) (uintptr_t) visits), 0);
    r = job_stream_resume(&stream, flags, &err);
    pthread_join(agent, NULL);
    ck_assert_msg(r == result, "%d: %s", r, err.message);
    ck_assert_uint_eq(stream.n_posts, 0);
}

#define VISIT(...) ((const struct visit[]) { { __VA_ARGS__ } })

/* --- output ---------------------------------------------------------------- */

START_TEST(output_goes_on)
{
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    say_turn(SAYS(.end = 5), 0, "1:5", "hello");
    take(0);
    post(JOB_STREAM_WAIT, "GET", OUTPUT "5" WAIT);
    lose();
    resume(0,
           VISIT(.says = SAYS(.end = 8), .offset = 5, .segments = "2:3",
                 .bytes = "you"),
           0);
    is_heard("GET", OUTPUT "5");
    printed("1:hello|2:you|");
    post(JOB_STREAM_WAIT, "GET", OUTPUT "8" WAIT);
    say_turn(SAYS(.end = 9, ENDED), 8, "1:1", "!");
    take(0);
    printed("1:!|");
    ck_assert(job_stream_over(&stream));
}
END_TEST

/* Nobody knows whether the last answer was sent: what is asked for again is
 * what was not printed. */
START_TEST(with_two_on_their_way)
{
    char first[80];

    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    memcpy(first, heard.id, sizeof(first));
    type("in");
    post_input(JOB_STREAM_WAIT, 0, "in", 0, WAIT);
    say_turn_to(first, SAYS(.end = 5), 0, "1:5", "hello");
    take(0);
    lose();
    resume(0,
           VISIT(.says = SAYS(.end = 8, .received = 2), .offset = 5,
                 .segments = "2:3", .bytes = "you"),
           0);
    is_heard("GET", OUTPUT "5&room=131072");
    printed("1:hello|2:you|");
    ck_assert(!job_stream_pending(&stream)); /* the input had arrived */
}
END_TEST

/* In the middle of an answer: what came of it does not count. */
START_TEST(half_an_answer)
{
    static const char half[] =
        "Content-Type: application/octet-stream\r\nContent-Length: 9\r\n"
        "X-Output-Offset: 0\r\nX-Output-Segments: 1:9\r\n\r\nhell";
    char head[128];

    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nX-Request-ID: %s\r\n",
             heard.id);
    far_say(far, head, strlen(head));
    far_say(far, half, sizeof(half) - 1);
    lose();
    printed("");
    resume(0,
           VISIT(.says = SAYS(.end = 5), .segments = "1:5", .bytes = "hello"),
           0);
    is_heard("GET", OUTPUT "0");
    printed("1:hello|");
}
END_TEST

START_TEST(nothing_wanted)
{
    lose();
    resume(JOB_STREAM_MUTE | JOB_STREAM_AWAY | JOB_STREAM_WAIT,
           VISIT(.says = SAYS(.end = 5)), 0);
    is_heard("GET", OUTPUT "0&max=0");
    printed("");
    ck_assert(!job_stream_over(&stream));
    job_stream_hang_up(&stream);
    resume(JOB_STREAM_MUTE, VISIT(.says = SAYS(.end = 5, ENDED)), 0);
    is_heard("GET", OUTPUT "0&max=0");
    ck_assert(!job_stream_over(&stream));
}
END_TEST

START_TEST(output_is_lost)
{
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    lose();
    resume(0,
           VISIT(.says = SAYS(.end = 9), .offset = 4, .segments = "1:5",
                 .bytes = "hello"),
           -EPROTO);
    ck_assert_ptr_nonnull(strstr(err.message, "4 bytes of output are lost"));
    printed("");
}
END_TEST

/* --- input ----------------------------------------------------------------- */

START_TEST(unconfirmed_input)
{
    stream.status.stdin_room = 8;
    type("0123456789");
    stream.input_eof = true;
    post_input(JOB_STREAM_WAIT, 0, "01234567", 0, WAIT "&room=131072");
    lose();
    ck_assert_uint_eq(stream.input.len, 10);
    /* half of it had arrived */
    resume(0, VISIT(.says = SAYS_ROOM(5, .received = 3)), 0);
    is_heard("GET", OUTPUT "0&room=131072");
    post_input(JOB_STREAM_WAIT, 3, "34567", 0, WAIT "&room=131072");
    lose();
    /* and now nothing more: the room is what it was */
    resume(0, VISIT(.says = SAYS_ROOM(7, .received = 3)), 0);
    post_input(JOB_STREAM_WAIT, 3, "3456789", 0, "&eof=1" WAIT);
    lose();
    /* the end is said once more, unless it has arrived */
    resume(0, VISIT(.says = SAYS(.received = 10)), 0);
    post_input(JOB_STREAM_WAIT, 10, "", 0, "&eof=1" WAIT);
    lose();
    resume(0, VISIT(.says = SAYS(.received = 10, .closed = true)), 0);
    ck_assert(!job_stream_pending(&stream));
}
END_TEST

/* What was there before, and what was read meanwhile. */
START_TEST(input_that_was_not_sent)
{
    stream.status.stdin_room = 0;
    type("before");
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT "&room=131072");
    lose();
    type(" behind");
    resume(0, VISIT(.says = SAYS(.received = 0)), 0);
    post_input(JOB_STREAM_WAIT, 0, "before behind", 0, WAIT);
}
END_TEST

START_TEST(more_than_was_sent)
{
    type("abc");
    post_input(JOB_STREAM_WAIT, 0, "abc", 0, WAIT);
    lose();
    resume(0, VISIT(.says = SAYS(.received = 4)), -EPROTO);
}
END_TEST

/* --- signals and sizes ----------------------------------------------------- */

START_TEST(signals_again)
{
    const struct visit visit = { .says = SAYS(.end = 0) };
    char id[80];

    job_stream_signal(&stream, SIGINT);
    job_stream_signal(&stream, SIGTERM);
    post(0, "POST", JOB "/signal");
    ck_assert_str_eq(heard_field(&heard, "X-Request-Age"), "");
    memcpy(id, heard.id, sizeof(id));
    for (int i = 0; i < 2; i++) {
        lose();
        ck_assert(job_stream_pending(&stream));
        clock_sleep_ms(2); /* so that it has an age */
        resume(0, &visit, 0);
        ck_assert_str_ne(heard.id, id);
        post(0, "POST", JOB "/signal");
        ck_assert_str_eq(heard.id, id);
        ck_assert_str_eq((char *) heard.body, "{\"signal\":2}");
        ck_assert_int_ge(atoll(heard_field(&heard, "X-Request-Age")), 2);
        ck_assert_int_lt(atoll(heard_field(&heard, "X-Request-Age")), 60000);
    }
    say_status(SAYS(.end = 0));
    take(0);
    /* the next one has never been sent, however long it had to wait */
    post(0, "POST", JOB "/signal");
    ck_assert_str_ne(heard.id, id);
    ck_assert_str_eq((char *) heard.body, "{\"signal\":15}");
    ck_assert_str_eq(heard_field(&heard, "X-Request-Age"), "");
    say_status(SAYS(.end = 0));
    take(0);
    ck_assert(!job_stream_pending(&stream));
}
END_TEST

START_TEST(size_again)
{
    stream.rows = 50;
    stream.columns = 132;
    post(0, "POST", JOB "/resize");
    lose();
    resume(0, VISIT(.says = SAYS(.end = 0)), 0);
    ck_assert(job_stream_pending(&stream));
    post(0, "POST", JOB "/resize");
    ck_assert_str_eq((char *) heard.body, "{\"rows\":50,\"columns\":132}");
    /* a newer one takes its place */
    stream.rows = 24;
    stream.columns = 80;
    lose();
    resume(0, VISIT(.says = SAYS(.end = 0)), 0);
    post(0, "POST", JOB "/resize");
    ck_assert_str_eq((char *) heard.body, "{\"rows\":24,\"columns\":80}");
    say_status(SAYS(.end = 0));
    take(0);
    ck_assert(!job_stream_pending(&stream));
}
END_TEST

/* --- another agent --------------------------------------------------------- */

static const struct {
    struct visit visit[1];
    int result;
    const char *words;
} others[] = {
    { { { .instance = "instance-2", .code = STATUS_JOB_NOT_FOUND } },
      -ESTALE,
      "the agent was restarted" },
    { { { .instance = "instance-2",
          .boot_id = "boot-2",
          .code = STATUS_JOB_NOT_FOUND } },
      -ESTALE,
      "the guest rebooted" },
    /* the same id by chance: it is not that job */
    { { { .instance = "instance-2",
          .says = &(const struct says) { .room = 1 } } },
      -ESTALE,
      "the agent was restarted" },
    { { { .code = STATUS_JOB_NOT_FOUND } },
      -EPROTO,
      "words: it was forgotten" },
    { { { .code = STATUS_FILE_OPERATION_FAILED } },
      -EPROTO,
      "words: it was forgotten" },
    { { { .says = &(const struct says) { .room = 1, .id = "00000000" } } },
      -EPROTO,
      "the agent's answer is about another job" },
};

START_TEST(another_agent)
{
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    lose();
    resume(0, others[_i].visit, others[_i].result);
    ck_assert_msg(strstr(err.message, others[_i].words) != NULL, "%s",
                  err.message);
    printed("");
}
END_TEST

/* --- more trouble ---------------------------------------------------------- */

/* It is lost again while it is taken up. */
START_TEST(lost_again)
{
    static const struct says says = { .end = 5, .room = 1 };
    static const struct visit visits[] = {
        { .leaves = true },
        { .leaves = true },
        { .says = &says, .segments = "1:5", .bytes = "hello" },
    };

    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    lose();
    resume(0, visits, 0);
    is_heard("GET", OUTPUT "0");
    printed("1:hello|");
}
END_TEST

/* Or the guest sleeps for a while: what runs there is worth some patience. */
START_TEST(asleep)
{
    static const struct says says = { .end = 5, .room = 1 };
    static const struct visit visits[] = {
        { .deaf = true },
        { .deaf = true },
        { .says = &says, .segments = "1:5", .bytes = "hello" },
    };

    config.connect_timeout = 700; /* for both, and for no third one */
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    lose();
    resume(0, visits, 0);
    printed("1:hello|");
}
END_TEST

START_TEST(nobody_there)
{
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    lose();
    fd_close(&listener);
    ck_assert_int_lt(job_stream_resume(&stream, 0, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "agent.sock"));
}
END_TEST

/* A signal while it is taken up: once more, when that was looked at. */
START_TEST(woken)
{
    int wake[2];
    char c;

    ck_assert_int_eq(pipe(wake), 0);
    ck_assert_int_eq(write(wake[1], "x", 1), 1);
    post(JOB_STREAM_WAIT, "GET", OUTPUT "0" WAIT);
    lose();
    rpc_set_wake(&client.rpc, wake[0]);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(job_stream_resume(&stream, 0, &err), -ECANCELED);
        far = accept(listener, NULL, NULL); /* it has left already */
        fd_close(&far);
    }
    ck_assert_int_eq(read(wake[0], &c, 1), 1);
    resume(0, VISIT(.says = SAYS(.end = 2), .segments = "1:2", .bytes = "ok"),
           0);
    printed("1:ok|");
    rpc_set_wake(&client.rpc, -1);
    close(wake[0]);
    close(wake[1]);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, output_goes_on);
    tcase_add_test(tcase, with_two_on_their_way);
    tcase_add_test(tcase, half_an_answer);
    tcase_add_test(tcase, nothing_wanted);
    tcase_add_test(tcase, output_is_lost);
    tcase_add_test(tcase, unconfirmed_input);
    tcase_add_test(tcase, input_that_was_not_sent);
    tcase_add_test(tcase, more_than_was_sent);
    tcase_add_test(tcase, signals_again);
    tcase_add_test(tcase, size_again);
    tcase_add_loop_test(tcase, another_agent, 0, ARRAY_SIZE(others));
    tcase_add_test(tcase, lost_again);
    tcase_add_test(tcase, asleep);
    tcase_add_test(tcase, nobody_there);
    tcase_add_test(tcase, woken);
}
