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

const char unit_name[] = "session";

/* --- the same answer, however the bytes come ----------------------------- */

/* @ stands for the folder. */
static const struct {
    const char *name;
    const char *text;
    int http, code;
} wholes[] = {
    { "ping", PING, 200, 0 },
    { "sync", SYNC, 200, 0 },
    { "marker in front", MARK MARK MARK PING, 200, 0 },
    { "half a request, marker", "GET /api/v1/ping HT" MARK PING, 200, 0 },
    { "half a body, marker",
      "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
      "Content-Length: 100\r\n\r\n{\"comma" MARK SYNC,
      200, 0 },
    { "marker in an early error's body",
      "POST /api/v1/nothing HTTP/1.1\r\nHost: v\r\n"
      "Content-Length: 100\r\n\r\n{\"comma" MARK SYNC,
      200, 0 },
    { "exec",
      "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\nX-Request-ID: r1\r\n"
      "Content-Length: 36\r\n\r\n{\"command\":\"printf %s-%s one two \" }",
      200, 0 },
    { "exec, chunked",
      "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
      "Transfer-Encoding: chunked\r\n\r\n"
      "5\r\n{\"com\r\n1;x=y\r\nm\r\n11\r\nand\":\"printf abc\"\r\n1\r\n}\r\n"
      "0\r\nX-Trailer: t\r\n\r\n",
      200, 0 },
    { "wrapped",
      "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
      "Content-Length: 69\r\n\r\n"
      "{\"version\":\"1.0\",\"action\":\"exec\","
      "\"params\":{\"argv\":[\"printf\",\"a\\n\"]}} ",
      200, 0 },
    { "no endpoint", "GET /api/v1/nothing HTTP/1.1\r\nHost: v\r\n\r\n", 404,
      STATUS_ENDPOINT_NOT_FOUND },
    { "no endpoint, with a body",
      "POST /api/v1/nothing HTTP/1.1\r\nHost: v\r\nContent-Length: 9\r\n\r\n"
      "GET / HTT",
      404, STATUS_ENDPOINT_NOT_FOUND },
    { "method", "DELETE /api/v1/ping HTTP/1.1\r\nHost: v\r\n\r\n", 405,
      STATUS_METHOD_NOT_ALLOWED },
    { "not JSON",
      "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
      "Content-Length: 5\r\n\r\n{\"a\":",
      400, STATUS_JSON_PARSE_ERROR },
    { "no body", "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n\r\n", 400,
      -2 },
    { "malformed head", "GET /api/v1/ping\r\n\r\n", 400, STATUS_BAD_HTTP },
    { "two lengths",
      "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
      "Content-Length: 2\r\nContent-Length: 3\r\n\r\n",
      400, STATUS_BAD_HTTP },
    { "bad chunk",
      "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
      "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
      400, STATUS_BAD_HTTP },
    { "raw body",
      "PUT /api/v1/file/content?path=@/raw HTTP/1.1\r\nHost: v\r\n"
      "Content-Length: 10\r\n\r\na\xFF\xFF\r\n\r\nGET",
      200, 0 },
    { "empty raw body",
      "PUT /api/v1/file/content?path=@/empty HTTP/1.1\r\nHost: v\r\n"
      "Content-Length: 0\r\n\r\n",
      200, 0 },
    { "raw body, chunked",
      "PUT /api/v1/file/content?path=@/chunked HTTP/1.1\r\nHost: v\r\n"
      "Transfer-Encoding: chunked\r\n\r\n3\r\na\xFF"
      "b\r\n0\r\n\r\n",
      200, 0 },
    { "raw body without a length",
      "PUT /api/v1/file/content?path=@/none HTTP/1.1\r\nHost: v\r\n\r\n", 400,
      STATUS_MISSING_REQUIRED },
    { "raw body to a forbidden place",
      "PUT /api/v1/file/content?path=/vsrpc HTTP/1.1\r\nHost: v\r\n"
      "Content-Length: 10\r\n\r\na\xFF\xFF\r\n\r\nGET",
      403, STATUS_PERMISSION_DENIED },
    { "forbidden file",
      "GET /api/v1/file/content?path=/etc/shadow HTTP/1.1\r\nHost: v\r\n"
      "\r\n",
      403, STATUS_PERMISSION_DENIED },
    { "missing file",
      "GET /api/v1/file/content?path=@/missing HTTP/1.1\r\nHost: v\r\n\r\n",
      404, STATUS_FILE_NOT_FOUND },
};

/* What of an answer does not depend on the time. */
static char *essence(struct rig_answer *answer)
{
    static const char *const volatiles[] = { "timestamp", "uptime",
                                             "duration_ms", "session" };

    for (size_t i = 0; answer->data && i < ARRAY_SIZE(volatiles); i++)
        json_object_object_del(answer->data, volatiles[i]);
    return format("%d %d '%s' %s", answer->http, answer->code, answer->id,
                  answer->data ? json_object_to_json_string(answer->data)
                               : "");
}

/* Feeds text in pieces of a size and takes the one answer. */
static char *ask(const char *text, size_t n, size_t step, int http, int code)
{
    struct rig_answer answer;
    char *said;

    session_connected(&rig.agent.session, true);
    replay_cache_free(&rig.agent.replay_cache); /* another request each time */
    for (size_t at = 0; at < n; at += step)
        rig_feed(&rig, text + at, n - at < step ? n - at : step);
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_msg(answer.http == http && (answer.code == code || code == -2),
                  "%.*s: HTTP %d, code %d: %s", (int) n, text, answer.http,
                  answer.code, answer.body);
    ck_assert_msg(rig.got.len == 0, "more: '%s'", buf_cstr(&rig.got));
    said = essence(&answer);
    rig_answer_free(&answer);
    return said;
}

START_TEST(whole_or_not)
{
    static const size_t steps[] = { 1, 2, 3, 7, 64 };
    AUTO_FREE char *text = with_dir(wholes[_i].text);
    size_t n = strlen(text);
    AUTO_FREE char *whole = ask(text, n, n, wholes[_i].http, wholes[_i].code);

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        AUTO_FREE char *pieces = ask(text, n, steps[i], wholes[_i].http,
                                     wholes[_i].code);

        ck_assert_str_eq(pieces, whole);
    }
}
END_TEST

/* Cut in two at every place. */
START_TEST(every_cut)
{
    static const char text[] =
        "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
        "4\r\n{\"x\"\r\n4\r\n: 1}\r\n0\r\n\r\n";

    for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
        session_connected(&rig.agent.session, true);
        rig_feed(&rig, text, cut);
        rig_expect_silence(&rig);
        rig_feed(&rig, text + cut, sizeof(text) - 1 - cut);
        rig_expect(&rig, 400, STATUS_MISSING_REQUIRED);
        ck_assert_int_eq(state(), SESSION_RECEIVE);
    }
}
END_TEST

START_TEST(one_after_the_other)
{
    for (int i = 0; i < 50; i++) {
        AUTO_FREE char *text = format("GET /api/v1/ping HTTP/1.1\r\n"
                                      "Host: v\r\nX-Request-ID: n%d\r\n\r\n",
                                      i);
        AUTO_FREE char *id = format("n%d", i);
        struct rig_answer answer;

        rig_puts(&rig, text);
        rig_wait(&rig);
        rig_answer(&rig, &answer);
        ck_assert_int_eq(answer.code, 0);
        ck_assert_str_eq(answer.id, id);
        rig_answer_free(&answer);
        ck_assert_int_eq(state(), SESSION_RECEIVE);
        ck_assert(!rig.agent.session.deadline.linked);
    }
}
END_TEST

/* --- last writer wins ---------------------------------------------------- */

/* Two requests in one go: the second proves that nobody wants the first. */
START_TEST(pipelined)
{
    struct rig_answer answer;

    rig_puts(&rig, "GET /api/v1/ping HTTP/1.1\r\nHost: v\r\n"
                   "X-Request-ID: first\r\n\r\n"
                   "GET /api/v1/ping HTTP/1.1\r\nHost: v\r\n"
                   "X-Request-ID: second\r\n\r\n");
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_str_eq(answer.id, "second");
    ck_assert_uint_eq(rig.got.len, 0);
    rig_answer_free(&answer);
}
END_TEST

/* Starts a command that writes its group's number to a file and stays. */
static pid_t start_sleeper(void)
{
    AUTO_FREE char *file = in_dir("pid");
    AUTO_FREE char *new = in_dir("new");
    AUTO_FREE char *command = format(
        "echo $$ > %s; mv %s %s; sleep 1000 & sleep 1000", new, new, file);
    AUTO_FREE char *request = exec_request(command);
    AUTO_FREE char *text = NULL;
    pid_t pid;

    rig_puts(&rig, request);
    while (access(file, F_OK) < 0)
        spin_for(&rig.agent.loop, 5);
    text = unit_read_file(file);
    pid = (pid_t) atoi(text);
    ck_assert_int_gt(pid, 1);
    ck_assert_int_eq(state(), SESSION_WORK);
    ck_assert(!spin_group_gone(pid));
    return pid;
}

static void expect_gone(pid_t group)
{
    ck_assert(spin_until(&rig.agent.loop, spin_childless, NULL));
    for (int i = 0; i < 1000 && !spin_group_gone(group); i++)
        usleep(10000); /* the step of a poll */
    ck_assert(spin_group_gone(group));
    ck_assert_int_eq(rig.agent.context.running, 0);
}

START_TEST(bytes_end_a_command)
{
    pid_t group = start_sleeper();

    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    expect_gone(group);
}
END_TEST

START_TEST(one_byte_ends_a_command)
{
    pid_t group = start_sleeper();

    rig_puts(&rig, "G");
    expect_gone(group);
    rig_expect_silence(&rig);
    rig_puts(&rig, &PING[1]);
    rig_expect(&rig, 200, 0);
}
END_TEST

START_TEST(marker_ends_a_command)
{
    pid_t group = start_sleeper();

    rig_puts(&rig, MARK);
    expect_gone(group);
    rig_puts(&rig, SYNC);
    rig_expect(&rig, 200, 0);
}
END_TEST

START_TEST(hangup_ends_a_command)
{
    pid_t group = start_sleeper();

    session_hangup(&rig.agent.session);
    expect_gone(group);
    session_connected(&rig.agent.session, true);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
}
END_TEST

/* An answer that is half sent: its rest is not sent to the next client. */
START_TEST(bytes_drop_a_half_sent_answer)
{
    const uint8_t *bytes;

    rig_puts(&rig, PING);
    ck_assert_uint_gt(session_output(&rig.agent.session, &bytes), 20);
    session_sent(&rig.agent.session, 20);
    ck_assert_int_eq(state(), SESSION_SEND);
    rig_puts(&rig, SYNC);
    rig_expect(&rig, 200, 0);
}
END_TEST

/* The same for a large text and for a file, behind the head. */
START_TEST(bytes_drop_a_half_sent_body)
{
    AUTO_FREE char *big = in_dir("big");
    AUTO_FREE char *get = NULL;
    AUTO_FREE char *print = exec_request("head -c 300000 /dev/zero | tr "
                                         "'\\\\\\\\0' x");
    const char *requests[2] = { print, NULL };
    AUTO_FREE char *line = format("GET /api/v1/file/content?path=%s", big);

    unit_write_file(big, "");
    ck_assert_int_eq(truncate(big, 1000000), 0);
    get = rig_request(line, NULL);
    requests[1] = get;
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        const uint8_t *bytes;
        size_t sent = 0;

        rig_puts(&rig, requests[i]);
        while (session_output(&rig.agent.session, &bytes) == 0)
            spin_for(&rig.agent.loop, 5);
        while (sent < 100000) {
            size_t n = session_output(&rig.agent.session, &bytes);

            ck_assert_uint_gt(n, 0);
            n = n < 5000 ? n : 5000;
            session_sent(&rig.agent.session, n);
            sent += n;
        }
        ck_assert_int_eq(state(), SESSION_SEND);
        rig_puts(&rig, PING);
        rig_expect(&rig, 200, 0);
    }
}
END_TEST

/* --- large answers ------------------------------------------------------- */

START_TEST(large_text_is_whole)
{
    AUTO_FREE char *print = exec_request("yes abcdefg | head -n 50000");
    struct rig_answer answer;
    struct json_object *out;

    rig_puts(&rig, print);
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_int_eq(answer.code, 0);
    ck_assert(json_object_object_get_ex(answer.data, "stdout", &out));
    ck_assert_int_eq(json_object_get_string_len(out), 400000);
    rig_answer_free(&answer);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
}
END_TEST

static char *make_big(size_t n)
{
    AUTO_FREE char *path = in_dir("big");
    char *bytes = malloc(n);
    FILE *stream = fopen(path, "we");

    for (size_t i = 0; i < n; i++)
        bytes[i] = (char) ((i * 2654435761U >> 13) | 1); /* never 0 */
    ck_assert_uint_eq(fwrite(bytes, 1, n, stream), n);
    ck_assert_int_eq(fclose(stream), 0);
    return bytes;
}

START_TEST(large_file_is_whole)
{
    size_t n = 1234567;
    AUTO_FREE char *bytes = make_big(n);
    AUTO_FREE char *line = format("GET /api/v1/file/content?path=%s/big",
                                  rig.dir);
    AUTO_FREE char *get = rig_request(line, NULL);
    struct rig_answer answer;

    rig_puts(&rig, get);
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_int_eq(answer.http, 200);
    ck_assert_uint_eq(answer.body_len, n);
    ck_assert_mem_eq(answer.body, bytes, n);
    rig_answer_free(&answer);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
}
END_TEST

/* What cannot be read is not made up: the body is broken off, with a word, and
 * nothing follows. */
START_TEST(file_becomes_shorter)
{
    static const size_t left[] = { 0, 1000, 300000, 1234566 };
    size_t n = 1234567;
    AUTO_FREE char *bytes = make_big(n);
    AUTO_FREE char *path = in_dir("big");
    AUTO_FREE char *line = format("GET /api/v1/file/content?path=%s", path);
    AUTO_FREE char *get = rig_request(line, NULL);
    struct buf body;
    struct msg msg;
    enum msg_event event = MSG_NEED_MORE;
    size_t at = 0;

    buf_init(&body, n);
    msg_init(&msg, HTTP_RESPONSE);
    rig_puts(&rig, get);
    ck_assert_int_eq(state(), SESSION_SEND);
    ck_assert_int_eq(truncate(path, (off_t) left[_i]), 0);
    rig_wait(&rig);
    while (event != MSG_FAULT) {
        size_t used;

        event = msg_feed(&msg, buf_data(&rig.got) + at, rig.got.len - at,
                         &used);
        at += used;
        ck_assert(event != MSG_END && event != MSG_NEED_MORE);
        if (event == MSG_BODY)
            buf_append(&body, msg.piece, msg.piece_len);
    }
    ck_assert(msg.broken);
    ck_assert_ptr_nonnull(strstr(msg.fault.detail, "became shorter"));
    ck_assert_uint_eq(at, rig.got.len);
    ck_assert_uint_lt(body.len, n);
    ck_assert_mem_eq(buf_data(&body), bytes, body.len);
    ck_assert_int_eq(state(), SESSION_QUARANTINE);
    buf_clear(&rig.got);
    rig_puts(&rig, PING);
    rig_expect_silence(&rig);
    session_hangup(&rig.agent.session);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    msg_free(&msg);
    buf_free(&body);
}
END_TEST

/* --- early errors -------------------------------------------------------- */

/* The answer is there before the body is; exactly the body is drained. */
START_TEST(early_error_drains)
{
    AUTO_FREE char *body = calloc(1, 100001);

    rig_puts(&rig, "PUT /api/v1/file/content?path=/vsrpc HTTP/1.1\r\n"
                   "Host: v\r\nContent-Length: 100000\r\n\r\n");
    rig_expect(&rig, 403, STATUS_PERMISSION_DENIED);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
    memset(body, '\xFF', 100000);
    rig_feed(&rig, body, 99999);
    rig_expect_silence(&rig);
    rig_puts(&rig, "x");
    rig_expect_silence(&rig);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    ck_assert_int_eq(files(), 0);
}
END_TEST

/* What curl -T sends of a file that is not JSON must not be taken for heads,
 * and what follows it is heard. */
START_TEST(binary_where_json_belongs)
{
    rig_puts(&rig, "POST /api/v1/file/upload HTTP/1.1\r\nHost: v\r\n"
                   "Content-Length: 60\r\n\r\n" MARK "\n" MARK);
    rig_expect(&rig, 400, STATUS_JSON_PARSE_ERROR);
    rig_puts(&rig, PING);
    rig_expect_silence(&rig);
    rig_feed(&rig, "01234567890123456789", 60 - 3 - strlen(PING));
    ck_assert_int_eq(state(), SESSION_RECEIVE);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
}
END_TEST

/* The client reads its answer only when it has sent all. */
START_TEST(early_error_waits)
{
    rig_puts(&rig, "POST /api/v1/nothing HTTP/1.1\r\nHost: v\r\n"
                   "Content-Length: 10\r\n\r\n12345");
    rig_puts(&rig, "67890");
    ck_assert_int_eq(state(), SESSION_SEND);
    rig_expect(&rig, 404, STATUS_ENDPOINT_NOT_FOUND);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
}
END_TEST

START_TEST(early_error_chunked)
{
    rig_puts(&rig, "POST /api/v1/nothing HTTP/1.1\r\nHost: v\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n");
    rig_expect(&rig, 404, STATUS_ENDPOINT_NOT_FOUND);
    rig_puts(&rig, "21\r\nGET /api/v1/ping HTTP/1.1\r\n\r\n1234\r\n0\r\n");
    rig_expect_silence(&rig);
    rig_puts(&rig, "\r\n");
    rig_expect_silence(&rig);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
}
END_TEST

static void small_requests(struct settings *settings)
{
    settings->max_request_size = 4096;
}

START_TEST(too_large)
{
    AUTO_FREE char *body = calloc(1, 5001);

    memset(body, ' ', 5000);
    rig_stop(&rig);
    rig_start(&rig, small_requests);
    /* announced: refused at once */
    rig_puts(&rig, "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
                   "Content-Length: 4097\r\n\r\n");
    rig_expect(&rig, 413, STATUS_PAYLOAD_TOO_LARGE);
    rig_feed(&rig, body, 4097);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    /* found out on the way */
    rig_puts(&rig, "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n1001\r\n");
    rig_feed(&rig, body, 4096);
    rig_expect_silence(&rig);
    rig_puts(&rig, " ");
    rig_expect(&rig, 413, STATUS_PAYLOAD_TOO_LARGE);
    rig_puts(&rig, "\r\n0\r\n\r\n");
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
    /* as large as may be */
    rig_puts(&rig, "POST /api/v1/shell/exec HTTP/1.1\r\nHost: v\r\n"
                   "Content-Length: 4096\r\n\r\n");
    rig_feed(&rig, body, 4096);
    rig_expect(&rig, 400, STATUS_JSON_PARSE_ERROR);
}
END_TEST

/* --- Expect: 100-continue ------------------------------------------------ */

#define EXPECT "Host: v\r\nExpect: 100-continue\r\n"

START_TEST(told_to_continue)
{
    AUTO_FREE char *head = format(
        "PUT /api/v1/file/content?path=%s/f HTTP/1.1\r\n" EXPECT
        "Content-Length: 4\r\n\r\n",
        rig.dir);
    AUTO_FREE char *file = in_dir("f");
    AUTO_FREE char *text = NULL;
    struct rig_answer answer;

    rig_puts(&rig, head);
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_int_eq(answer.http, 100);
    ck_assert_uint_eq(answer.body_len, 0);
    rig_answer_free(&answer);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
    rig_puts(&rig, "body");
    rig_expect(&rig, 200, 0);
    text = unit_read_file(file);
    ck_assert_str_eq(text, "body");
}
END_TEST

/* The client may not wait for it. */
START_TEST(continues_untold)
{
    struct rig_answer answer;

    rig_puts(&rig, "POST /api/v1/shell/exec HTTP/1.1\r\n" EXPECT
                   "Content-Length: 2\r\n\r\n{}");
    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_int_eq(answer.http, 100);
    rig_answer_free(&answer);
    rig_answer(&rig, &answer);
    ck_assert_int_eq(answer.http, 400);
    ck_assert_int_eq(answer.code, STATUS_MISSING_REQUIRED);
    rig_answer_free(&answer);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
}
END_TEST

/* Told that its request is refused, the client may send the body or not:
 * nobody knows what the next byte is. */
START_TEST(told_to_stop)
{
    rig_puts(&rig, "PUT /api/v1/file/content?path=/vsrpc HTTP/1.1\r\n" EXPECT
                   "Content-Length: 100\r\n\r\n");
    rig_expect(&rig, 403, STATUS_PERMISSION_DENIED);
    ck_assert_int_eq(state(), SESSION_QUARANTINE);
    rig_puts(&rig, PING);
    rig_expect_silence(&rig);
    rig_puts(&rig, MARK SYNC);
    rig_expect(&rig, 200, 0);
}
END_TEST

START_TEST(told_to_stop_without_a_body)
{
    rig_puts(&rig, "GET /api/v1/nothing HTTP/1.1\r\n" EXPECT "\r\n");
    rig_expect(&rig, 404, STATUS_ENDPOINT_NOT_FOUND);
    ck_assert_int_eq(state(), SESSION_RECEIVE);
    rig_puts(&rig, PING);
    rig_expect(&rig, 200, 0);
}
END_TEST

/* --- the whole agent, over its own descriptor ---------------------------- */

static bool stopped(void *arg)
{
    (void) arg;
    return rig.agent.port.stream.fd < 0;
}

START_TEST(over_a_descriptor)
{
    struct error err = ERROR_INIT;
    char text[4096] = "";
    size_t n = 0;

    /* The port's own wiring instead of the test's. */
    rig.agent.port.connected = false;
    loop_fd_remove(&rig.agent.loop, &rig.agent.port.stream);
    port_free(&rig.agent.port);
    ck_assert_int_eq(port_init(&rig.agent.port, &rig.agent.loop,
                               &rig.agent.session, &rig.agent.log, 4096),
                     0);
    close(rig.peer);
    {
        int ends[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        rig.peer = ends[0];
        ck_assert_int_eq(port_use_fd(&rig.agent.port, ends[1], &err), 0);
    }
    ck_assert_int_eq(write(rig.peer, BYTES(PING)), sizeof(PING) - 1);
    while (!strstr(text, "pong")) {
        ssize_t got;

        spin_for(&rig.agent.loop, 5);
        got = recv(rig.peer, text + n, sizeof(text) - 1 - n, MSG_DONTWAIT);
        n += got > 0 ? (size_t) got : 0;
    }
    ck_assert_int_eq(shutdown(rig.peer, SHUT_WR), 0);
    ck_assert(spin_until(&rig.agent.loop, stopped, NULL));
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, session_setup, session_teardown);
    tcase_add_loop_test(tcase, whole_or_not, 0, ARRAY_SIZE(wholes));
    tcase_add_test(tcase, every_cut);
    tcase_add_test(tcase, one_after_the_other);
    tcase_add_test(tcase, pipelined);
    tcase_add_test(tcase, bytes_end_a_command);
    tcase_add_test(tcase, one_byte_ends_a_command);
    tcase_add_test(tcase, marker_ends_a_command);
    tcase_add_test(tcase, hangup_ends_a_command);
    tcase_add_test(tcase, bytes_drop_a_half_sent_answer);
    tcase_add_test(tcase, bytes_drop_a_half_sent_body);
    tcase_add_test(tcase, large_text_is_whole);
    tcase_add_test(tcase, large_file_is_whole);
    tcase_add_loop_test(tcase, file_becomes_shorter, 0, 4);
    tcase_add_test(tcase, early_error_drains);
    tcase_add_test(tcase, binary_where_json_belongs);
    tcase_add_test(tcase, early_error_waits);
    tcase_add_test(tcase, early_error_chunked);
    tcase_add_test(tcase, too_large);
    tcase_add_test(tcase, told_to_continue);
    tcase_add_test(tcase, continues_untold);
    tcase_add_test(tcase, told_to_stop);
    tcase_add_test(tcase, told_to_stop_without_a_body);
    tcase_add_test(tcase, over_a_descriptor);
}
