/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The two halves of a call: two requests that are on their way at once, and a
 * wait that is left and taken up again. */
#include <config.h>

#include "host/link/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/limits.h"
#include "unit/host/link.h"
#include "unit/unit.h"
#include "util/clock.h"
#include "util/fd.h"

const char unit_name[] = "rpc-post";

#define LARGE (600 * 1000) /* more than two reads */

static struct rpc rpc;
static struct link *near;
static int far = -1;
static int wake[2] = { -1, -1 };
static struct rpc_reply replies[2];
static struct error err;

/* A request and the id that it is answered by. */
static const struct rpc_request first = {
    .method = "GET",
    .target = "/first",
    .id = "id-one",
    .read_ms = 20000,
};
static const struct rpc_request second = {
    .method = "POST",
    .target = "/second",
    .id = "id-two",
    .body = "body",
    .body_len = 4,
    .content_type = "x/y",
    .read_ms = 20000,
};

static void connect_link(size_t read_max)
{
    near = link_pair(&far, read_max, 3);
    rpc.transport = &near->base;
    near->base.wake_fd = rpc.wake_fd;
}

static void begin(size_t read_max)
{
    rpc_init(&rpc);
    error_clear(&err);
    for (int i = 0; i < 2; i++)
        rpc_reply_init(&replies[i]);
    ck_assert_int_eq(pipe2(wake, O_CLOEXEC | O_NONBLOCK), 0);
    connect_link(read_max);
}

static void end(void)
{
    for (int i = 0; i < 2; i++)
        rpc_reply_free(&replies[i]);
    rpc_free(&rpc);
    fd_close(&far);
    fd_close(&wake[0]);
    fd_close(&wake[1]);
}

static void post(const struct rpc_request *request)
{
    struct heard heard;
    bool sent = false;

    ck_assert_int_eq(rpc_post(&rpc, request, &sent, &err), 0);
    ck_assert(sent);
    far_hear(far, &heard);
    ck_assert_str_eq(heard.method, request->method);
    ck_assert_str_eq(heard.target, request->target);
    ck_assert_str_eq(heard.id, request->id);
    ck_assert_uint_eq(heard.body_len, request->body_len);
    heard_free(&heard);
}

static void is_reply(const struct rpc_reply *reply, const char *body,
                     const char *which)
{
    ck_assert_int_eq(reply->http, 200);
    ck_assert_uint_eq(reply->body.len, strlen(body));
    ck_assert_mem_eq(buf_data(&reply->body), body, strlen(body));
    ck_assert_str_eq(http_field_get(reply->head, "X-Which"), which);
}

#define HEAD(id, which, length)                                  \
    "HTTP/1.1 200 OK\r\nX-Request-ID: " id "\r\nX-Which: " which \
    "\r\nContent-Length: " length "\r\n\r\n"
#define ONE HEAD("id-one", "one", "9") "the first"
#define TWO HEAD("id-two", "two", "10") "the second"
#define CHUNKED(id, which)                                       \
    "HTTP/1.1 200 OK\r\nX-Request-ID: " id "\r\nX-Which: " which \
    "\r\nTransfer-Encoding: chunked\r\n\r\n"
#define FOREIGN HEAD("somebody's", "none", "4") "them"
#define NO_ID "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nthem"
#define SIGN(id) "HTTP/1.1 102 Processing\r\nX-Request-ID: " id "\r\n\r\n"

/* Both are in there, with what does not count around them. */
static const char *const streams[] = {
    ONE TWO,
    FOREIGN ONE NO_ID FOREIGN TWO,
    SIGN("id-one") SIGN("id-one") ONE SIGN("id-two") TWO,
    SIGN("id-two") ONE SIGN("id-one") TWO, /* late, and early */
    CHUNKED("id-one", "one") "4\r\nthe \r\n5\r\nfirst\r\n0\r\n\r\n" CHUNKED(
        "id-two", "two") "a\r\nthe second\r\n0\r\nTrailer: x\r\n\r\n",
    ONE ONE TWO, /* whoever answers twice */
};

START_TEST(two_outstanding)
{
    static const size_t steps[] = { 65536, 1, 7, 100 };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        begin(steps[i]);
        post(&first);
        post(&second);
        far_say(far, streams[_i], strlen(streams[_i]));
        ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), 0);
        is_reply(&replies[0], "the first", "one");
        ck_assert_int_eq(rpc_take(&rpc, &second, &replies[1], &err), 0);
        is_reply(&replies[1], "the second", "two");
        is_reply(&replies[0], "the first", "one");
        end();
    }
}
END_TEST

/* Each when it was asked for; and behind the answer the next request. */
START_TEST(one_behind_another)
{
    begin(65536);
    for (int i = 0; i < 3; i++) {
        post(&first);
        post(&second);
        far_say(far, BYTES(ONE));
        ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), 0);
        is_reply(&replies[0], "the first", "one");
        rpc_reply_free(&replies[0]);
        rpc_reply_init(&replies[0]);
        far_say(far, BYTES(TWO));
        ck_assert_int_eq(rpc_take(&rpc, &second, &replies[1], &err), 0);
        is_reply(&replies[1], "the second", "two");
        rpc_reply_free(&replies[1]);
        rpc_reply_init(&replies[1]);
    }
    end();
}
END_TEST

/* Both are much longer than what is read at once. */
static void __attribute__((noreturn)) say_large(void)
{
    static char body[LARGE];

    memset(body, '1', sizeof(body));
    far_answer(far, "id-one", 200, "", body, sizeof(body));
    memset(body, '2', sizeof(body));
    far_answer(far, "id-two", 200, "", body, sizeof(body));
    _exit(0);
}

START_TEST(large_answers)
{
    int status = -1;
    pid_t pid;

    begin(SIZE_MAX);
    post(&first);
    post(&second);
    pid = fork();
    if (pid == 0)
        say_large();
    ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), 0);
    ck_assert_int_eq(rpc_take(&rpc, &second, &replies[1], &err), 0);
    for (int i = 0; i < 2; i++) {
        const uint8_t *body = buf_data(&replies[i].body);

        ck_assert_uint_eq(replies[i].body.len, LARGE);
        for (size_t at = 0; at < LARGE; at++)
            if (body[at] != '1' + i)
                ck_abort_msg("%d: byte %zu", i, at);
    }
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
    end();
}
END_TEST

/* --- a wait that is left --------------------------------------------------- */

static void wake_drain(void)
{
    char c;

    ck_assert_int_eq(read(wake[0], &c, 1), 1);
}

/* As often as it is left, it is called again with the same reply. */
static int take_again(const struct rpc_request *request,
                      struct rpc_reply *reply, int *left)
{
    int r;

    while ((r = rpc_take(&rpc, request, reply, &err)) == -ECANCELED) {
        wake_drain();
        (*left)++;
    }
    return r;
}

/* Left behind each single byte of both answers, in the middle of whatever. */
START_TEST(left_anywhere)
{
    const char *stream = streams[_i];
    static const size_t steps[] = { 65536, 1 };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        for (size_t cut = 1; cut < strlen(stream); cut++) {
            int left = 0;

            begin(steps[i]);
            post(&first);
            post(&second);
            rpc_set_wake(&rpc, wake[0]);
            near->quiet = cut;
            near->ring_fd = wake[1];
            far_say(far, stream, strlen(stream));
            ck_assert_int_eq(take_again(&first, &replies[0], &left), 0);
            ck_assert_int_eq(take_again(&second, &replies[1], &left), 0);
            is_reply(&replies[0], "the first", "one");
            is_reply(&replies[1], "the second", "two");
            ck_assert_int_eq(left, 1);
            end();
        }
    }
}
END_TEST

START_TEST(left_before_and_after)
{
    begin(65536);
    post(&first);
    rpc_set_wake(&rpc, wake[0]);
    ck_assert_int_eq(write(wake[1], "x", 1), 1);
    /* for nothing at all, and more than once */
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err),
                         -ECANCELED);
    ck_assert(!replies[0].begun);
    wake_drain();
    /* a request that is sent meanwhile is not disturbed, nor held up */
    ck_assert_int_eq(write(wake[1], "x", 1), 1);
    post(&second);
    far_say(far, BYTES(ONE TWO));
    /* what has come is not looked at as long as somebody wants us */
    ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), -ECANCELED);
    rpc_set_wake(&rpc, -1);
    ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), 0);
    ck_assert_int_eq(rpc_take(&rpc, &second, &replies[1], &err), 0);
    is_reply(&replies[0], "the first", "one");
    is_reply(&replies[1], "the second", "two");
    end();
}
END_TEST

/* What has been read already needs no look at anything. */
START_TEST(not_left_for_what_is_there)
{
    begin(65536);
    post(&first);
    post(&second);
    far_say(far, BYTES(ONE TWO));
    ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), 0);
    rpc_set_wake(&rpc, wake[0]);
    ck_assert_int_eq(write(wake[1], "x", 1), 1);
    ck_assert_int_eq(rpc_take(&rpc, &second, &replies[1], &err), 0);
    is_reply(&replies[1], "the second", "two");
    end();
}
END_TEST

/* --- who asks what to do about it ------------------------------------------ */

struct woken {
    int result;
    int asked;
    bool posts; /* the other request behind it */
};

static int on_woken(void *context, struct error *error)
{
    struct woken *woken = context;

    woken->asked++;
    rpc_set_wake(&rpc, -1);
    if (woken->posts)
        post(&second);
    if (woken->result == 0) {
        far_say(far, BYTES(ONE));
        return 0;
    }
    return error_set(error, woken->result, "enough");
}

START_TEST(hook)
{
    static const struct woken cases[] = {
        { .result = 0 },
        { .result = 0, .posts = true },
        { .result = -ESTALE },
        { .result = -ECANCELED },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct woken woken = cases[i];
        struct rpc_request request = first;

        request.woken = on_woken;
        request.context = &woken;
        begin(65536);
        rpc_set_wake(&rpc, wake[0]);
        ck_assert_int_eq(write(wake[1], "x", 1), 1);
        post(&request);
        ck_assert_int_eq(rpc_take(&rpc, &request, &replies[0], &err),
                         woken.result);
        ck_assert_int_eq(woken.asked, 1);
        if (woken.result)
            ck_assert_str_eq(err.message, "enough");
        else
            is_reply(&replies[0], "the first", "one");
        if (woken.posts) {
            far_say(far, BYTES(TWO));
            ck_assert_int_eq(rpc_take(&rpc, &second, &replies[1], &err), 0);
            is_reply(&replies[1], "the second", "two");
        }
        end();
    }
}
END_TEST

/* Nobody to ask: whoever called is told, in words. */
START_TEST(no_hook)
{
    begin(65536);
    rpc_set_wake(&rpc, wake[0]);
    ck_assert_int_eq(write(wake[1], "x", 1), 1);
    post(&first);
    ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), -ECANCELED);
    ck_assert_str_eq(err.message, "interrupted");
    end();
}
END_TEST

/* --- connections that are lost --------------------------------------------- */

/* Everything of the first answer is there, and so much of the second. */
START_TEST(lost_between)
{
    static const char two[] = TWO;

    for (size_t n = 0; n < sizeof(two) - 1; n++) {
        begin(65536);
        post(&first);
        post(&second);
        far_say(far, BYTES(ONE));
        far_say(far, two, n);
        fd_close(&far);
        ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), 0);
        is_reply(&replies[0], "the first", "one");
        ck_assert_int_eq(rpc_take(&rpc, &second, &replies[1], &err),
                         -ECONNRESET);
        ck_assert_str_eq(err.message,
                         "connection lost while waiting for the answer");
        /* nothing of it is left for the next connection */
        rpc_close(&rpc);
        rpc_reply_free(&replies[1]);
        rpc_reply_init(&replies[1]);
        connect_link(65536);
        post(&second);
        far_say(far, BYTES(TWO));
        ck_assert_int_eq(rpc_take(&rpc, &second, &replies[1], &err), 0);
        is_reply(&replies[1], "the second", "two");
        end();
    }
}
END_TEST

/* What came behind the first answer goes with its connection. */
START_TEST(closed_with_an_answer_read)
{
    begin(65536);
    post(&first);
    post(&second);
    far_say(far, BYTES(ONE TWO));
    ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), 0);
    rpc_close(&rpc);
    fd_close(&far);
    connect_link(65536);
    post(&second);
    far_say(far, BYTES(HEAD("id-two", "new", "3") "new"));
    ck_assert_int_eq(rpc_take(&rpc, &second, &replies[1], &err), 0);
    is_reply(&replies[1], "new", "new");
    end();
}
END_TEST

START_TEST(lost_before_it_is_sent)
{
    bool sent = true;

    begin(65536);
    post(&first);
    fd_close(&far);
    ck_assert_int_eq(rpc_post(&rpc, &second, &sent, &err), -ECONNRESET);
    ck_assert(!sent);
    ck_assert_str_eq(err.message, "connection lost while sending the request");
    end();
}
END_TEST

/* --- nonsense and slowness ------------------------------------------------- */

/* The answers come in the order of the requests. */
START_TEST(other_order)
{
    struct rpc_request impatient = second;

    impatient.read_ms = 100;
    begin(65536);
    post(&first);
    post(&impatient);
    far_say(far, BYTES(TWO ONE));
    ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), 0);
    is_reply(&replies[0], "the first", "one");
    ck_assert_int_eq(rpc_take(&rpc, &impatient, &replies[1], &err),
                     -ETIMEDOUT);
    end();
}
END_TEST

START_TEST(garbage_between)
{
    begin(65536);
    post(&first);
    post(&second);
    far_say(far, BYTES(ONE "garbage\r\n\r\n" TWO));
    ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), 0);
    ck_assert_int_eq(rpc_take(&rpc, &second, &replies[1], &err), -EBADMSG);
    end();
}
END_TEST

/* The time of an answer begins when it is waited for, not when it is asked
 * for: the one in front may wait long. */
START_TEST(time_of_the_second)
{
    struct rpc_request impatient = second;
    int64_t before;

    impatient.read_ms = 150;
    begin(65536);
    post(&first);
    post(&impatient);
    clock_sleep_ms(200); /* its time begins when it is taken, not yet */
    far_say(far, BYTES(ONE));
    ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), 0);
    before = clock_ms();
    ck_assert_int_eq(rpc_take(&rpc, &impatient, &replies[1], &err),
                     -ETIMEDOUT);
    ck_assert_int_ge(clock_ms() - before, 150);
    end();
}
END_TEST

/* The head belongs to the reply, not to the connection. */
START_TEST(head_is_kept)
{
    begin(65536);
    post(&first);
    far_say(far, BYTES(ONE));
    ck_assert_int_eq(rpc_take(&rpc, &first, &replies[0], &err), 0);
    rpc_free(&rpc);
    is_reply(&replies[0], "the first", "one");
    end();
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, two_outstanding, 0, ARRAY_SIZE(streams));
    tcase_add_test(tcase, one_behind_another);
    tcase_add_test(tcase, large_answers);
    tcase_add_loop_test(tcase, left_anywhere, 0, ARRAY_SIZE(streams));
    tcase_add_test(tcase, left_before_and_after);
    tcase_add_test(tcase, not_left_for_what_is_there);
    tcase_add_test(tcase, hook);
    tcase_add_test(tcase, no_hook);
    tcase_add_test(tcase, lost_between);
    tcase_add_test(tcase, closed_with_an_answer_read);
    tcase_add_test(tcase, lost_before_it_is_sent);
    tcase_add_test(tcase, other_order);
    tcase_add_test(tcase, garbage_between);
    tcase_add_test(tcase, time_of_the_second);
    tcase_add_test(tcase, head_is_kept);
}
