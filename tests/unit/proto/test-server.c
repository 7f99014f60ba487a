/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/server.h"

#include <string.h>

#include "unit/play.h"
#include "unit/unit.h"

const char unit_name[] = "server";

/* --- each rule, however the bytes come ----------------------------------- */

static const struct play_rule rules[] = {
    { "a request", BYTES(PING), "HEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "half a request", BYTES("GET /api/v1/ping" HOST), "", SESSION_RECEIVE },
    { "one after the other", BYTES(PING SYNC PING),
      "HEAD GET /api/v1/ping\nEND \nHEAD GET /api/v1/sync?id=abc\nEND \n"
      "HEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "a body", BYTES(POST("", "5") "hello"),
      "HEAD POST /api/v1/shell/exec\nEND hello\n", SESSION_RECEIVE },
    { "a chunked body",
      BYTES("POST /api/v1/shell/exec" HOST CHUNKED
            "3\r\nhel\r\n2\r\nlo\r\n0\r\nX-T: t\r\n\r\n"),
      "HEAD POST /api/v1/shell/exec\nEND hello\n", SESSION_RECEIVE },
    { "a raw body", BYTES(PUT("", "5") "a" MARK MARK "\n" MARK),
      "HEAD PUT /api/v1/file/content\nEND a\\xFF\\xFF\\x0A\\xFF\n",
      SESSION_RECEIVE },
    { "a raw body with a sync", BYTES(PUT("", "49") MARK SYNC "123"),
      "HEAD PUT /api/v1/file/content\n"
      "END \\xFFGET /api/v1/sync?id=abc HTTP/1.1\\x0D\\x0AHost: v"
      "\\x0D\\x0A\\x0D\\x0A123\n",
      SESSION_RECEIVE },

    { "marker between requests", BYTES(MARK MARK PING),
      "DROP\nDROP\nHEAD GET /api/v1/ping\nEND \n", SESSION_RECEIVE },
    { "marker in a head", BYTES("GET /api/v1/pi" MARK PING),
      "DROP\nHEAD GET /api/v1/ping\nEND \n", SESSION_RECEIVE },
    { "marker in a chunk size",
      BYTES("PUT /api/v1/file/content" HOST CHUNKED "3" MARK PING),
      "HEAD PUT /api/v1/file/content\nDROP\nHEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },

    { "last writer wins over work", BYTES(POST("?stay", "2") "{}" PING),
      "HEAD POST /api/v1/shell/exec?stay\nEND {}\nABANDON\n"
      "HEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "one byte wins over work",
      BYTES(POST("?stay", "2") "{}"
                               "G"),
      "HEAD POST /api/v1/shell/exec?stay\nEND {}\nABANDON\n",
      SESSION_RECEIVE },
    { "a marker wins over work", BYTES(POST("?stay", "2") "{}" MARK SYNC),
      "HEAD POST /api/v1/shell/exec?stay\nEND {}\nABANDON\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \n",
      SESSION_RECEIVE },
    { "last writer wins over an answer", BYTES(POST("?unsent", "2") "{}" PING),
      "HEAD POST /api/v1/shell/exec?unsent\nEND {}\nDROP\n"
      "HEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },

    { "an early answer drains the body",
      BYTES(POST("?early", "42") PING "xxxx" PING),
      "HEAD POST /api/v1/shell/exec?early\nDRAINED\n"
      "HEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "an early answer drains chunks",
      BYTES("POST /api/v1/shell/exec?early" HOST CHUNKED "26\r\n" PING
            "\r\n0\r\n\r\n" PING),
      "HEAD POST /api/v1/shell/exec?early\nDRAINED\n"
      "HEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "an early answer drains a raw body",
      BYTES(PUT("?early", "49") MARK SYNC "123" PING),
      "HEAD PUT /api/v1/file/content?early\nDRAINED\n"
      "HEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "an early answer to nothing more", BYTES("GET /early" HOST "\r\n" PING),
      "HEAD GET /early\nDRAINED\nHEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "an early answer that is not sent",
      BYTES(POST("?early&unsent", "1") "x"),
      "HEAD POST /api/v1/shell/exec?early&unsent\nDRAINED\n", SESSION_SEND },
    { "a fault behind an early answer",
      BYTES("POST /api/v1/shell/exec?early" HOST CHUNKED "z\r\n" PING),
      "HEAD POST /api/v1/shell/exec?early\nLOST\n", SESSION_QUARANTINE },

    { "the marker makes a body wrong",
      BYTES(POST("", "44") "{" MARK PING "}}}}" PING),
      "HEAD POST /api/v1/shell/exec\nMARKED\nDRAINED\n"
      "HEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "a marker behind a wrong body", BYTES(POST("", "2") "{" MARK MARK SYNC),
      "HEAD POST /api/v1/shell/exec\nMARKED\nDRAINED\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \n",
      SESSION_RECEIVE },
    { "a sync in a body", BYTES(POST("", "200") "{\"com" MARK SYNC PING),
      "HEAD POST /api/v1/shell/exec\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \nHEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "a sync in a chunk",
      BYTES("POST /api/v1/shell/exec" HOST CHUNKED "200\r\n{" MARK SYNC),
      "HEAD POST /api/v1/shell/exec\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \n",
      SESSION_RECEIVE },
    { "a sync in a body that is drained",
      BYTES(POST("?early", "200") "{\"com" MARK SYNC),
      "HEAD POST /api/v1/shell/exec?early\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \n",
      SESSION_RECEIVE },

    { "told to continue",
      BYTES("PUT /api/v1/file/content" HOST EXPECT
            "Content-Length: 2\r\n\r\nab"),
      "HEAD PUT /api/v1/file/content\nCONTINUE\nEND ab\n", SESSION_RECEIVE },
    { "told to stop",
      BYTES("PUT /api/v1/file/content?early" HOST EXPECT
            "Content-Length: 2\r\n\r\nab" PING),
      "HEAD PUT /api/v1/file/content?early\nLOST\n", SESSION_QUARANTINE },
    { "told to stop without a body",
      BYTES("GET /early" HOST EXPECT "\r\n" PING),
      "HEAD GET /early\nDRAINED\nHEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },

    { "a fault in a head", BYTES("GET\r\n\r\n" PING SYNC),
      "FAULT 400 malformed request line\n", SESSION_QUARANTINE },
    { "a fault in a body",
      BYTES("POST /api/v1/shell/exec" HOST CHUNKED "z\r\n" PING),
      "HEAD POST /api/v1/shell/exec\nFAULT 400 malformed chunk size\n",
      SESSION_QUARANTINE },
    { "out of quarantine", BYTES("\r\n" PING MARK SYNC PING),
      "FAULT 400 empty line in front of a message\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \nHEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "out of quarantine, and the marker is forgotten",
      BYTES("\r\n" MARK SYNC SYNC PING),
      "FAULT 400 empty line in front of a message\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \nHEAD GET /api/v1/sync?id=abc\n"
      "END \nHEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "not out of quarantine", BYTES("\r\n" SYNC MARK PING MARK "x" SYNC),
      "FAULT 400 empty line in front of a message\n", SESSION_QUARANTINE },
    { "content with a sync, out of quarantine and back",
      BYTES("\r\n" MARK "GET /api/v1/sync?unsent" HOST "\r\n" PING SYNC),
      "FAULT 400 empty line in front of a message\nDROP\n"
      "HEAD GET /api/v1/sync?unsent\nEND \nDROP\n",
      SESSION_QUARANTINE },
    { "content with a sync, and a client behind it",
      BYTES("\r\n" MARK "GET /api/v1/sync?unsent" HOST "\r\n" MARK SYNC PING),
      "FAULT 400 empty line in front of a message\nDROP\n"
      "HEAD GET /api/v1/sync?unsent\nEND \nDROP\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \nHEAD GET /api/v1/ping\nEND \n",
      SESSION_RECEIVE },
    { "a wrong body with a sync and more",
      BYTES(POST("", "200") "{" MARK "GET /api/v1/sync?unsent" HOST
                            "\r\n" PING),
      "HEAD POST /api/v1/shell/exec\nDROP\n"
      "HEAD GET /api/v1/sync?unsent\nEND \nDROP\n",
      SESSION_QUARANTINE },

    { "a raw body completed by the next client",
      BYTES(PUT("?stay", "8") "1234" MARK SYNC),
      "HEAD PUT /api/v1/file/content?stay\nEND 1234\\xFFGET\nDROP\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \n",
      SESSION_RECEIVE },
    { "a raw body completed by a marker",
      BYTES(PUT("?stay", "5") "1234" MARK SYNC),
      "HEAD PUT /api/v1/file/content?stay\nEND 1234\\xFF\nDROP\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \n",
      SESSION_RECEIVE },
    { "a raw body completed by most of a sync",
      BYTES(PUT("?stay", "47") "12" MARK SYNC),
      "HEAD PUT /api/v1/file/content?stay\n"
      "END 12\\xFFGET /api/v1/sync?id=abc HTTP/1.1\\x0D\\x0AHost: v"
      "\\x0D\\x0A\\x0D\nDROP\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \n",
      SESSION_RECEIVE },
    { "a raw body that only looks like it",
      BYTES(PUT("?stay", "8") "1234" MARK "GET" MARK SYNC),
      "HEAD PUT /api/v1/file/content?stay\nEND 1234\\xFFGET\nABANDON\nDROP\n"
      "HEAD GET /api/v1/sync?id=abc\nEND \n",
      SESSION_RECEIVE },
    { "a raw body that looks like a whole line of it",
      BYTES(PUT("?stay", "19") MARK "GET /api/v1/sync?i" MARK),
      "HEAD PUT /api/v1/file/content?stay\nEND \\xFFGET /api/v1/sync?i\n"
      "ABANDON\nDROP\n",
      SESSION_RECEIVE },
    { "a raw body that looks like something else",
      BYTES(PUT("?stay", "8") "1234" MARK "GEx"
                              " /api"),
      "HEAD PUT /api/v1/file/content?stay\nEND 1234\\xFFGEx\nABANDON\n",
      SESSION_RECEIVE },
    { "a raw body whose whole sync was content",
      BYTES(PUT("?stay", "49") MARK SYNC "123"
                                         "G"),
      "HEAD PUT /api/v1/file/content?stay\n"
      "END \\xFFGET /api/v1/sync?id=abc HTTP/1.1\\x0D\\x0AHost: v"
      "\\x0D\\x0A\\x0D\\x0A123\nABANDON\n",
      SESSION_RECEIVE },

    { "a sync with a body is none",
      BYTES("\r\n" MARK "GET /api/v1/sync?id=a" HOST "Content-Length: 1\r\n"
            "\r\n"
            "x" MARK "GET /api/v1/sync?id=a" HOST CHUNKED "0\r\n\r\n"),
      "FAULT 400 empty line in front of a message\n", SESSION_QUARANTINE },
};

START_TEST(whole_or_not)
{
    play_check(&rules[_i], NULL);
}
END_TEST

/* --- cut anywhere -------------------------------------------------------- */

/* What clients are at when they are killed; cut at every byte. */
static const struct {
    const char *text;
    size_t n;
    size_t raw_from; /* 0, or where a raw body begins: a marker in it is
                      * content until the other side is seen to leave */
} victims[] = {
    { BYTES(PING), 0 },
    { BYTES(MARK SYNC), 0 },
    { BYTES(POST("", "20") "{\"command\":\"df -h\"}x"), 0 },
    { BYTES(POST("?early", "20") "{\"command\":\"df -h\"}x"), 0 },
    { BYTES(POST("?stay", "2") "{}"), 0 },
    { BYTES(POST("?unsent", "2") "{}"), 0 },
    { BYTES("POST /api/v1/shell/exec" HOST CHUNKED
            "5;x=y\r\n{\"a\":\r\n2\r\n1}\r\n0\r\nX-T: t\r\n\r\n"),
      0 },
    { BYTES(POST("", "100") "{" MARK PING), 0 },
    { BYTES(POST("", "100") "{" MARK SYNC), 0 },
    { BYTES("PUT /api/v1/file/content?early" HOST EXPECT
            "Content-Length: 100\r\n\r\n" PING MARK PING),
      0 },
    { BYTES("rubbish\r\n\r\n" PING MARK PING), 0 },
    { BYTES(PUT("", "300") MARK PING SYNC MARK PING),
      sizeof(PUT("", "300")) - 1 },
    { BYTES(PUT("?early", "300") MARK PING SYNC MARK PING),
      sizeof(PUT("?early", "300")) - 1 },
};

static bool cut_in_data(size_t i, size_t cut)
{
    return victims[i].raw_from > 0 && cut >= victims[i].raw_from;
}

static void play_cut(struct play *play, size_t i, size_t cut)
{
    play_init(play, NULL);
    play_feed(play, victims[i].text, cut);
    buf_clear(&play->said);
}

START_TEST(cut_then_sync)
{
    static const size_t steps[] = { 1, 10000 };
    size_t i = (size_t) _i;
    struct play play;

    for (size_t cut = 0; cut <= victims[i].n; cut++) {
        for (size_t way = 0; way < ARRAY_SIZE(steps); way++) {
            play_cut(&play, i, cut);
            if (!cut_in_data(i, cut)) {
                ck_assert_msg(play_sync_comes(&play, steps[way]),
                              "cut at %zu: %s", cut, buf_cstr(&play.said));
            } else {
                /* no answer: the client leaves and comes again */
                ck_assert(!play_sync_comes(&play, steps[way]));
                play_event(&play, server_hangup(&play.server));
                ck_assert(play_sync_comes(&play, steps[way]));
            }
            play_expect_ping(&play);
            play_free(&play);
        }
    }
}
END_TEST

/* Killed so shortly before the end of a raw body that the next client's sync
 * makes it whole: the sync is carried out, and the body is not. */
START_TEST(cut_near_the_end_of_a_raw_body)
{
    static const char text[] = PUT(
        "?stay",
        "60") "012345678901234567890123456789012345678901234567890123456789";
    size_t n = sizeof(text) - 1;
    struct play play;

    for (size_t missing = 1; missing < sizeof(MARK SYNC) - 1; missing++) {
        play_init(&play, NULL);
        play_feed(&play, text, n - missing);
        play_steps(&play, BYTES(MARK SYNC), _i ? 1 : 10000);
        ck_assert_str_eq(play.target, "/api/v1/sync?id=abc");
        ck_assert_int_eq(play.server.state, SESSION_RECEIVE);
        ck_assert_ptr_null(strstr(buf_cstr(&play.said), "ABANDON"));
        play_free(&play);
    }
}
END_TEST

START_TEST(cut_then_hangup)
{
    size_t i = (size_t) _i;
    struct play play;

    for (size_t cut = 0; cut <= victims[i].n; cut++) {
        play_cut(&play, i, cut);
        play_event(&play, server_hangup(&play.server));
        play_check_rest(&play);
        ck_assert(!play.begun && !server_deadline(&play.server));
        play_event(&play, server_connected(&play.server, true));
        play_expect_ping(&play);
        play_free(&play);
    }
}
END_TEST

/* The agent was restarted meanwhile: what is left of the request comes to one
 * that has not seen its beginning, and is never carried out. */
START_TEST(cut_then_restart)
{
    size_t i = (size_t) _i;
    size_t n = victims[i].n;
    struct play play;

    for (size_t cut = 0; cut < n; cut++) {
        play_init(&play, NULL);
        play_event(&play, server_connected(&play.server, false));
        play_feed(&play, victims[i].text + cut, n - cut);
        if (play.n_ends > 0)
            ck_assert_str_eq(play.target, "/api/v1/sync?id=abc");
        ck_assert(play_sync_comes(&play, 1));
        play_free(&play);
    }
}
END_TEST

/* --- who comes, goes and stalls ------------------------------------------ */

static void play_into(struct play *play, enum session_state state)
{
    static const char *const ways[] = {
        [SESSION_RECEIVE] = POST("", "9") "half",
        [SESSION_WORK] = POST("?stay", "2") "{}",
        [SESSION_SEND] = POST("?unsent", "2") "{}",
        [SESSION_QUARANTINE] = "\r\n",
    };

    play_init(play, NULL);
    play_feed(play, ways[state], strlen(ways[state]));
    ck_assert_int_eq(play->server.state, state);
    buf_clear(&play->said);
}

static const char *voided(enum session_state state)
{
    return state == SESSION_WORK ? "ABANDON\n" : "DROP\n";
}

START_TEST(hangup_anywhere)
{
    struct play play;

    play_into(&play, (enum session_state) _i);
    play_event(&play, server_hangup(&play.server));
    play_expect(&play, voided((enum session_state) _i));
    ck_assert_int_eq(play.server.state, SESSION_RECEIVE);
    play_free(&play);
}
END_TEST

/* What the client before began with a marker, the next does not end. */
START_TEST(hangup_forgets_the_marker)
{
    static const char *const beginnings[] = {
        POST("", "14") MARK "GET /api/v1/s",
        "\r\n" MARK "GET /api/v1/s",
    };
    static const char rest[] = "ync?id=abc" HOST "\r\n";
    const char *beginning = beginnings[_i / 2];
    struct play play;

    play_init(&play, NULL);
    play_feed(&play, beginning, strlen(beginning));
    play_event(&play, server_hangup(&play.server));
    if (_i % 2)
        play_event(&play, server_connected(&play.server, false));
    play_feed(&play, BYTES(rest));
    ck_assert_int_eq(play.n_ends, 0);
    ck_assert_int_eq(play.server.state, SESSION_QUARANTINE);
    play_free(&play);
}
END_TEST

START_TEST(connected_anywhere)
{
    struct play play;

    play_into(&play, (enum session_state) _i);
    play_event(&play, server_connected(&play.server, true));
    play_expect(&play, voided((enum session_state) _i));
    ck_assert_int_eq(play.server.state, SESSION_RECEIVE);
    play_free(&play);
    play_into(&play, (enum session_state) _i);
    play_event(&play, server_connected(&play.server, false));
    play_expect(&play, voided((enum session_state) _i));
    ck_assert_int_eq(play.server.state, SESSION_QUARANTINE);
    play_free(&play);
}
END_TEST

START_TEST(stalled_anywhere)
{
    static const char *const said[] = {
        [SESSION_RECEIVE] = "FAULT 408 the request did not arrive\n",
        [SESSION_WORK] = "",
        [SESSION_SEND] = "DROP\n",
        [SESSION_QUARANTINE] = "",
    };
    struct play play;

    play_into(&play, (enum session_state) _i);
    play_stall(&play);
    play_expect(&play, said[_i]);
    ck_assert_int_eq(play.server.state,
                     _i == SESSION_WORK ? SESSION_WORK : SESSION_QUARANTINE);
    play_free(&play);
}
END_TEST

/* The answer is there already; nothing stalls where nothing was begun. */
START_TEST(stalled_otherwise)
{
    struct play play;

    play_init(&play, NULL);
    play_stall(&play);
    ck_assert_int_eq(play.server.state, SESSION_RECEIVE);
    play_feed(&play, BYTES(MARK));
    ck_assert(!server_deadline(&play.server));
    play_feed(&play, BYTES(POST("?early", "9") "half"));
    buf_clear(&play.said);
    play_stall(&play);
    play_expect(&play, "LOST\n");
    play_free(&play);
}
END_TEST

/* Answers and empty outputs where none is due change nothing. */
START_TEST(untimely)
{
    struct play play;

    play_init(&play, NULL);
    server_answered(&play.server);
    ck_assert(!server_sent_all(&play.server));
    play_feed(&play, BYTES(POST("", "2") "{"));
    ck_assert(!server_sent_all(&play.server));
    play_feed(&play, BYTES("}"));
    play_expect(&play, "HEAD POST /api/v1/shell/exec\nEND {}\n");
    play_free(&play);
    play_into(&play, SESSION_QUARANTINE);
    server_answered(&play.server);
    ck_assert(!server_sent_all(&play.server));
    ck_assert_int_eq(play.server.state, SESSION_QUARANTINE);
    play_free(&play);
}
END_TEST

/* The driver has no memory for a request: nothing of it is taken. */
START_TEST(no_memory)
{
    static const char text[] = POST("", "5") "hello" PING;
    struct play play;
    size_t used;

    play_init(&play, NULL);
    ck_assert_int_eq(server_feed(&play.server, (const uint8_t *) text,
                                 sizeof(text) - 1, &used),
                     SERVER_HEAD);
    server_quarantine(&play.server);
    play_feed(&play, text + used, sizeof(text) - 1 - used);
    play_expect(&play, "");
    ck_assert(play_sync_comes(&play, 1));
    play_free(&play);
}
END_TEST

START_TEST(nothing_is_fed)
{
    struct play play;
    size_t used = 1;

    play_init(&play, NULL);
    ck_assert_int_eq(server_feed(&play.server, NULL, 0, &used),
                     SERVER_NEED_MORE);
    ck_assert_uint_eq(used, 0);
    play_free(&play);
    for (int state = 0; state <= SESSION_QUARANTINE; state++) {
        play_into(&play, (enum session_state) state);
        play_feed(&play, "", 0);
        play_expect(&play, "");
        ck_assert_int_eq(play.server.state, state);
        play_free(&play);
    }
}
END_TEST

/* Only leaving voids it: not another's bytes, not a fault, not silence. */
START_TEST(token_lasts)
{
    const struct route route = { .id = ROUTE_PING };
    struct play play;

    play_init(&play, "token");
    play_feed(&play, BYTES(POST("?stay", "2") "{}" MARK PING "G"));
    play_stall(&play);
    ck_assert_int_eq(play.server.state, SESSION_QUARANTINE);
    ck_assert(server_session_fits(&play.server, &route, "token"));
    play_free(&play);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, whole_or_not, 0, ARRAY_SIZE(rules));
    tcase_add_loop_test(tcase, cut_then_sync, 0, ARRAY_SIZE(victims));
    tcase_add_loop_test(tcase, cut_near_the_end_of_a_raw_body, 0, 2);
    tcase_add_loop_test(tcase, cut_then_hangup, 0, ARRAY_SIZE(victims));
    tcase_add_loop_test(tcase, cut_then_restart, 0, ARRAY_SIZE(victims));
    tcase_add_loop_test(tcase, hangup_anywhere, 0, SESSION_QUARANTINE + 1);
    tcase_add_loop_test(tcase, hangup_forgets_the_marker, 0, 4);
    tcase_add_loop_test(tcase, connected_anywhere, 0, SESSION_QUARANTINE + 1);
    tcase_add_loop_test(tcase, stalled_anywhere, 0, SESSION_QUARANTINE + 1);
    tcase_add_test(tcase, stalled_otherwise);
    tcase_add_test(tcase, untimely);
    tcase_add_test(tcase, no_memory);
    tcase_add_test(tcase, nothing_is_fed);
    tcase_add_test(tcase, token_lasts);
}
