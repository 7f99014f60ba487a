/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The agent's machine: one request may stand behind a waiting one. */
#include <config.h>

#include "proto/server.h"

#include <string.h>

#include "unit/play.h"
#include "unit/unit.h"

const char unit_name[] = "server-urge";

#define TOKEN "0123456789abcdef0123456789abcdef"
#define OWN "X-Session: " TOKEN "\r\n"
#define OTHER "X-Session: ffffffffffffffffffffffffffffffff\r\n"

#define LENGTH(n) "Content-Length: " n "\r\n\r\n"
#define OUTPUT(query, fields) \
    "GET /api/v1/jobs/a/output" query HOST fields "\r\n"
#define STDIN(query, fields, n) \
    "POST /api/v1/jobs/a/stdin" query HOST fields LENGTH(n)
#define START(query, fields, n) "POST /api/v1/jobs" query HOST fields LENGTH(n)
#define OWN_PING "GET /api/v1/ping" HOST OWN "\r\n"

/* With a marker in front, 36 bytes; what follows is a field's value. */
#define MOST_OF_A_SYNC "GET /api/v1/sync?id=a HTTP/1.1\r\nX: "

/* What is said of these. */
#define OUTPUT_SAID(query) "HEAD GET /api/v1/jobs/a/output" query "\nEND \n"
#define STDIN_HEAD(query) "HEAD POST /api/v1/jobs/a/stdin" query "\n"
#define START_HEAD(query) "HEAD POST /api/v1/jobs" query "\n"
#define PING_SAID "HEAD GET /api/v1/ping\nEND \n"
#define SYNC_SAID "HEAD GET /api/v1/sync?id=abc\nEND \n"

/* --- each rule, however the bytes come ----------------------------------- */

static const struct play_rule rules[] = {
    { "it ends the wait", BYTES(OUTPUT("?stay", OWN) OWN_PING),
      OUTPUT_SAID("?stay") "URGE\nPASS\n" PING_SAID, SESSION_RECEIVE },
    { "the first may be without session", BYTES(OUTPUT("?stay", "") OWN_PING),
      OUTPUT_SAID("?stay") "URGE\nPASS\n" PING_SAID, SESSION_RECEIVE },
    { "only its head does",
      BYTES(OUTPUT("?stay", OWN) "GET /api/v1/ping" HOST OWN "\r"),
      OUTPUT_SAID("?stay"), SESSION_WORK },
    { "what cannot be urged is abandoned",
      BYTES(OUTPUT("?stay&deaf", OWN) OWN_PING),
      OUTPUT_SAID("?stay&deaf") "URGE\nABANDON\n" PING_SAID, SESSION_RECEIVE },
    { "it waits for an answer that is sent",
      BYTES(OUTPUT("?unsent", OWN) OWN_PING),
      OUTPUT_SAID("?unsent") "PASS\n" PING_SAID, SESSION_RECEIVE },
    { "behind a start", BYTES(START("?stay", OWN, "2") "{}" OWN_PING),
      START_HEAD("?stay") "END {}\nURGE\nPASS\n" PING_SAID, SESSION_RECEIVE },
    { "behind a start in chunks",
      BYTES("POST /api/v1/jobs?stay" HOST CHUNKED
            "2\r\n{}\r\n0\r\n\r\n" OWN_PING),
      START_HEAD("?stay") "END {}\nURGE\nPASS\n" PING_SAID, SESSION_RECEIVE },
    { "not behind others", BYTES(POST("?stay", "2") "{}" OWN_PING),
      "HEAD POST /api/v1/shell/exec?stay\nEND {}\nABANDON\n" PING_SAID,
      SESSION_RECEIVE },
    { "not behind an answer to others",
      BYTES(POST("?unsent", "2") "{}" OWN_PING),
      "HEAD POST /api/v1/shell/exec?unsent\nEND {}\nDROP\n" PING_SAID,
      SESSION_RECEIVE },

    { "another's token",
      BYTES(OUTPUT("?stay", OWN) "GET /api/v1/ping" HOST OTHER "\r\n"),
      OUTPUT_SAID("?stay") "ABANDON\n" PING_SAID, SESSION_RECEIVE },
    { "another's token, and an answer",
      BYTES(OUTPUT("?unsent", OWN) "GET /api/v1/ping" HOST OTHER "\r\n"),
      OUTPUT_SAID("?unsent") "DROP\n" PING_SAID, SESSION_RECEIVE },
    { "part of a token",
      BYTES(OUTPUT("?stay", OWN) "GET /api/v1/ping" HOST
                                 "X-Session: 0123456789abcdef\r\n\r\n"),
      OUTPUT_SAID("?stay") "ABANDON\n" PING_SAID, SESSION_RECEIVE },
    { "an empty token",
      BYTES(OUTPUT("?stay", OWN) "GET /api/v1/ping" HOST
                                 "X-Session: \r\n\r\n"),
      OUTPUT_SAID("?stay") "ABANDON\n" PING_SAID, SESSION_RECEIVE },
    { "no token", BYTES(OUTPUT("?stay", OWN) PING),
      OUTPUT_SAID("?stay") "ABANDON\n" PING_SAID, SESSION_RECEIVE },
    { "no token, and an answer", BYTES(OUTPUT("?unsent", OWN) PING),
      OUTPUT_SAID("?unsent") "DROP\n" PING_SAID, SESSION_RECEIVE },
    { "a sync of the session",
      BYTES(OUTPUT("?stay", OWN) "GET /api/v1/sync?id=abc" HOST OWN
                                 "\r\n" OWN_PING),
      OUTPUT_SAID("?stay") "URGE\nPASS\n" SYNC_SAID PING_SAID,
      SESSION_RECEIVE },

    { "a marker", BYTES(OUTPUT("?stay", OWN) MARK SYNC PING),
      OUTPUT_SAID("?stay") "ABANDON\n" SYNC_SAID PING_SAID, SESSION_RECEIVE },
    { "a marker, and an answer", BYTES(OUTPUT("?unsent", OWN) MARK SYNC PING),
      OUTPUT_SAID("?unsent") "DROP\n" SYNC_SAID PING_SAID, SESSION_RECEIVE },
    { "half a head and a marker",
      BYTES(OUTPUT("?stay", OWN) "GET /api/v1/ping" HOST OWN MARK MARK PING),
      OUTPUT_SAID("?stay") "ABANDON\nDROP\n" PING_SAID, SESSION_RECEIVE },
    { "half a head and a marker, and an answer",
      BYTES(OUTPUT("?unsent", OWN) "GET /api/v1/ping" HOST OWN MARK PING),
      OUTPUT_SAID("?unsent") "DROP\n" PING_SAID, SESSION_RECEIVE },
    { "a fault", BYTES(OUTPUT("?stay", OWN) "GET\r\n\r\n" PING MARK SYNC),
      OUTPUT_SAID("?stay") "ABANDON\nFAULT 400 malformed request line\n"
                           "DROP\n" SYNC_SAID,
      SESSION_RECEIVE },
    { "a fault, and an answer", BYTES(OUTPUT("?unsent", OWN) "\r\n" PING),
      OUTPUT_SAID("?unsent") "DROP\n"
                             "FAULT 400 empty line in front of a message\n",
      SESSION_QUARANTINE },

    { "its body",
      BYTES(OUTPUT("?stay", OWN) STDIN("", OWN, "6") "a" MARK
                                                     "b\n" MARK MARK OWN_PING),
      OUTPUT_SAID("?stay") "URGE\nPASS\n" STDIN_HEAD(
          "") "END a\\xFFb\\x0A\\xFF\\xFF\n" PING_SAID,
      SESSION_RECEIVE },
    { "its body that is a request",
      BYTES(OUTPUT("?unsent", OWN) STDIN("", OWN, "39") MARK PING OWN_PING),
      OUTPUT_SAID("?unsent") "PASS\n" STDIN_HEAD(
          "") "END \\xFFGET /api/v1/ping HTTP/1.1\\x0D\\x0AHost: "
              "v\\x0D\\x0A\\x0D\\x0A"
              "\n" PING_SAID,
      SESSION_RECEIVE },
    { "its body in chunks",
      BYTES(OUTPUT("?stay", OWN) "POST /api/v1/jobs/a/signal" HOST OWN CHUNKED
                                 "2\r\n{}\r\n0\r\n\r\n" OWN_PING),
      OUTPUT_SAID(
          "?stay") "URGE\nPASS\n"
                   "HEAD POST /api/v1/jobs/a/signal\nEND {}\n" PING_SAID,
      SESSION_RECEIVE },
    { "it asks before it sends its body",
      BYTES(OUTPUT("?stay", OWN) STDIN("", OWN EXPECT, "2") "ab"),
      OUTPUT_SAID("?stay") "URGE\nPASS\n" STDIN_HEAD("") "CONTINUE\nEND ab\n",
      SESSION_RECEIVE },
    { "half its body and a fault",
      BYTES(OUTPUT("?unsent",
                   OWN) "POST /api/v1/jobs/a/signal" HOST OWN CHUNKED "z\r\n"),
      OUTPUT_SAID("?unsent") "PASS\n"
                             "HEAD POST /api/v1/jobs/a/signal\nFAULT 400 "
                             "malformed chunk size\n",
      SESSION_QUARANTINE },

    { "a body that ends with a marker",
      BYTES(STDIN("?stay", OWN, "3") "ab" MARK OUTPUT("", OWN)),
      STDIN_HEAD("?stay") "END ab\\xFF\nURGE\nPASS\n" OUTPUT_SAID(""),
      SESSION_RECEIVE },
    { "a body that ends as a sync begins",
      BYTES(STDIN("?unsent", OWN, "8") "a" MARK "GET /a" OUTPUT("", OWN)),
      STDIN_HEAD("?unsent") "END a\\xFFGET /a\nPASS\n" OUTPUT_SAID(""),
      SESSION_RECEIVE },
    { "a body that ends with most of a sync",
      BYTES(STDIN("?stay", OWN, "36") MARK MOST_OF_A_SYNC OUTPUT("", OWN)),
      STDIN_HEAD("?stay") "END \\xFFGET /api/v1/sync?id=a HTTP/1.1"
                          "\\x0D\\x0AX: \nURGE\nPASS\n" OUTPUT_SAID(""),
      SESSION_RECEIVE },
    { "a body that ends with most of a sync, and is answered",
      BYTES(STDIN("", OWN, "36") MARK MOST_OF_A_SYNC OUTPUT("", OWN)),
      STDIN_HEAD("") "END \\xFFGET /api/v1/sync?id=a HTTP/1.1"
                     "\\x0D\\x0AX: \n" OUTPUT_SAID(""),
      SESSION_RECEIVE },
    { "another client behind a body that ends with a marker",
      BYTES(STDIN("?stay", OWN, "3") "ab" MARK OUTPUT("", "")),
      STDIN_HEAD("?stay") "END ab\\xFF\nABANDON\n" OUTPUT_SAID(""),
      SESSION_RECEIVE },

    { "one more behind it",
      BYTES(OUTPUT("?stay", OWN) OUTPUT("?stay&2", OWN) OWN_PING OWN_PING),
      OUTPUT_SAID("?stay") "URGE\nPASS\n" OUTPUT_SAID(
          "?stay&2") "URGE\nPASS\n" PING_SAID PING_SAID,
      SESSION_RECEIVE },
    { "one more behind its answer",
      BYTES(OUTPUT("?unsent", OWN) OUTPUT("?unsent&2", OWN) OWN_PING),
      OUTPUT_SAID("?unsent") "PASS\n" OUTPUT_SAID(
          "?unsent&2") "PASS\n" PING_SAID,
      SESSION_RECEIVE },
    { "a third while two wait is another client's",
      BYTES(OUTPUT("?stay&slow", OWN) OUTPUT("?stay", OWN) OWN_PING),
      OUTPUT_SAID("?stay&slow") "URGE\nPASS\n" OUTPUT_SAID(
          "?stay") "ABANDON\n" PING_SAID,
      SESSION_RECEIVE },
    { "a third while two are answered is another client's",
      BYTES(OUTPUT("?unsent&slow", OWN) OUTPUT("?unsent", OWN) OWN_PING),
      OUTPUT_SAID("?unsent&slow") "PASS\n" OUTPUT_SAID(
          "?unsent") "DROP\n" PING_SAID,
      SESSION_RECEIVE },
    { "one byte of a third is enough",
      BYTES(OUTPUT("?stay&slow", OWN) OUTPUT("?stay", OWN) "G"),
      OUTPUT_SAID("?stay&slow") "URGE\nPASS\n" OUTPUT_SAID(
          "?stay") "ABANDON\n",
      SESSION_RECEIVE },
    { "and then things are as ever",
      BYTES(OUTPUT("?stay&slow", OWN) OUTPUT("?stay", OWN) OUTPUT("?stay", OWN)
                OWN_PING),
      OUTPUT_SAID("?stay&slow") "URGE\nPASS\n" OUTPUT_SAID(
          "?stay") "ABANDON\n" OUTPUT_SAID("?stay") "URGE\nPASS\n" PING_SAID,
      SESSION_RECEIVE },
    { "a third behind one that does not wait",
      BYTES(OUTPUT("?stay", OWN) POST("?stay", "2") "{}"),
      OUTPUT_SAID("?stay") "ABANDON\n"
                           "HEAD POST /api/v1/shell/exec?stay\nEND {}\n",
      SESSION_WORK },
    { "a third behind one of the session that does not wait",
      BYTES(OUTPUT("?stay", OWN) "GET /api/v1/file/info?stay" HOST OWN
                                 "\r\n" OWN_PING),
      OUTPUT_SAID("?stay") "URGE\nPASS\nHEAD GET /api/v1/file/info?stay\n"
                           "END \nABANDON\n" PING_SAID,
      SESSION_RECEIVE },

    { "behind an early answer",
      BYTES(STDIN("?early&unsent", OWN, "4") MARK "bcd" OWN_PING),
      STDIN_HEAD("?early&unsent") "DRAINED\nPASS\n" PING_SAID,
      SESSION_RECEIVE },
    { "behind an early answer without body",
      BYTES(OUTPUT("?early&unsent", OWN) OWN_PING),
      "HEAD GET /api/v1/jobs/a/output?early&unsent\nDRAINED\nPASS\n" PING_SAID,
      SESSION_RECEIVE },
    { "another behind an early answer",
      BYTES(STDIN("?early&unsent", OWN, "4") "abcd" PING),
      STDIN_HEAD("?early&unsent") "DRAINED\nDROP\n" PING_SAID,
      SESSION_RECEIVE },
    { "an early answer to it",
      BYTES(OUTPUT("?stay", OWN) STDIN("?early", OWN, "4") "abcd" OWN_PING),
      OUTPUT_SAID("?stay") "URGE\nPASS\n" STDIN_HEAD(
          "?early") "DRAINED\n" PING_SAID,
      SESSION_RECEIVE },
    { "told to stop",
      BYTES(OUTPUT("?stay", OWN) STDIN("?early", OWN EXPECT, "4") "abcd"),
      OUTPUT_SAID("?stay") "URGE\nPASS\n" STDIN_HEAD("?early") "LOST\n",
      SESSION_QUARANTINE },
    { "behind a wrong body",
      BYTES(START("?unsent", OWN, "2") "{" MARK OWN_PING),
      START_HEAD("?unsent") "MARKED\nDRAINED\nPASS\n" PING_SAID,
      SESSION_RECEIVE },
    { "a sync that a wrong body ends with",
      BYTES(START("?unsent", OWN, "5") "{" MARK SYNC),
      START_HEAD("?unsent") "MARKED\nDRAINED\nDROP\n" SYNC_SAID,
      SESSION_RECEIVE },
    { "a marker and a sync behind a wrong body",
      BYTES(START("?unsent", OWN, "2") "{" MARK MARK SYNC PING),
      START_HEAD("?unsent") "MARKED\nDRAINED\nDROP\n" SYNC_SAID PING_SAID,
      SESSION_RECEIVE },
};

START_TEST(whole_or_not)
{
    play_check(&rules[_i], TOKEN);
}
END_TEST

/* Whatever it says its session is. */
START_TEST(without_session)
{
    static const struct play_rule without[] = {
        { "a token", BYTES(OUTPUT("?stay", OWN) OWN_PING),
          OUTPUT_SAID("?stay") "ABANDON\n" PING_SAID, SESSION_RECEIVE },
        { "an empty token",
          BYTES(OUTPUT("?unsent", "") "GET /api/v1/ping" HOST
                                      "X-Session: \r\n\r\n"),
          OUTPUT_SAID("?unsent") "DROP\n" PING_SAID, SESSION_RECEIVE },
        { "no token", BYTES(OUTPUT("?stay", "") PING),
          OUTPUT_SAID("?stay") "ABANDON\n" PING_SAID, SESSION_RECEIVE },
    };

    play_check(&without[_i], NULL);
}
END_TEST

/* A sync behind a marker is as trustworthy as ever; one that went on behind a
 * wrong body may be content. */
START_TEST(guarded_or_not)
{
    static const char *const wrong[] = {
        START("?unsent", OWN, "2") "{" MARK MARK SYNC,
        START("?unsent", OWN, "5") "{" MARK SYNC,
    };
    struct play play;

    play_init(&play, TOKEN);
    play_feed(&play, wrong[_i], strlen(wrong[_i]));
    ck_assert_int_eq(play.server.guarded, _i == 1);
    play_free(&play);
}
END_TEST

/* --- cut anywhere -------------------------------------------------------- */

/* Waits, or has its answer on the way. */
static const char *const firsts[] = {
    OUTPUT("?stay", OWN),
    OUTPUT("?unsent", OWN),
    STDIN("?stay", OWN, "3") "ab" MARK,
    START("?early&unsent", OWN, "2") "{}",
};

#define FIRSTS ((int) ARRAY_SIZE(firsts))

/* Behind it, up to the end of its head. */
static const char behind[] = "POST /api/v1/jobs/a/signal" HOST OWN LENGTH("2");

#define BEHIND (sizeof(behind) - 1)

/* Return: is the first one waiting? */
static bool play_behind(struct play *play, int first, size_t cut)
{
    bool waits;

    play_init(play, TOKEN);
    play_feed(play, firsts[first], strlen(firsts[first]));
    waits = play->server.state == SESSION_WORK;
    buf_clear(&play->said);
    play_feed(play, behind, cut);
    return waits;
}

/* The answer is sent while half of what stands behind it is there, which goes
 * on by itself. */
START_TEST(sent_meanwhile)
{
    struct play play;

    for (size_t cut = 0; cut < BEHIND; cut++) {
        if (play_behind(&play, _i, cut))
            server_answered(&play.server);
        play_expect(&play, "");
        play_send(&play);
        ck_assert_int_eq(play.server.state, SESSION_RECEIVE);
        ck_assert(server_deadline(&play.server) == (cut > 0));
        play_feed(&play, behind + cut, BEHIND - cut);
        play_feed(&play, BYTES("{}" PING));
        play_expect(&play,
                    "HEAD POST /api/v1/jobs/a/signal\nEND {}\n" PING_SAID);
        play_free(&play);
    }
}
END_TEST

/* It goes on, and its own client vanishes, too. */
START_TEST(sent_meanwhile_then_sync)
{
    struct play play;

    for (size_t cut = 0; cut < BEHIND; cut++) {
        if (play_behind(&play, _i, cut))
            server_answered(&play.server);
        play_send(&play);
        ck_assert(play_sync_comes(&play, 1));
        ck_assert(!play.server.guarded);
        play_expect_ping(&play);
        play_free(&play);
    }
}
END_TEST

/* Sent between the event and the rest of the bytes. */
START_TEST(sent_when_urged)
{
    size_t used;
    struct play play;

    play_behind(&play, 0, BEHIND - 1);
    ck_assert_int_eq(
        server_feed(&play.server, (const uint8_t *) "\n", 1, &used),
        SERVER_URGE);
    ck_assert_uint_eq(used, 1);
    play_event(&play, SERVER_URGE);
    play_send(&play);
    play_feed(&play, BYTES("{}"));
    play_expect(&play, "URGE\nHEAD POST /api/v1/jobs/a/signal\nEND {}\n");
    play_free(&play);
}
END_TEST

static const char *voided(bool waits)
{
    return waits ? "ABANDON\n" : "DROP\n";
}

START_TEST(hangup_anywhere)
{
    struct play play;
    bool waits;

    for (size_t cut = 0; cut < BEHIND; cut++) {
        waits = play_behind(&play, _i, cut);
        play_event(&play, server_hangup(&play.server));
        play_expect(&play, voided(waits));
        play_check_rest(&play);
        ck_assert(!server_deadline(&play.server));
        play_event(&play, server_connected(&play.server, true));
        play_expect_ping(&play);
        play_free(&play);
    }
}
END_TEST

START_TEST(connected_anywhere)
{
    struct play play;
    bool waits;

    for (size_t cut = 0; cut < BEHIND; cut++) {
        waits = play_behind(&play, _i, cut);
        play_event(&play, server_connected(&play.server, false));
        play_expect(&play, voided(waits));
        ck_assert_int_eq(play.server.state, SESSION_QUARANTINE);
        play_check_rest(&play);
        play_feed(&play, behind + cut, BEHIND - cut);
        play_expect(&play, "");
        ck_assert(play_sync_comes(&play, 1));
        play_free(&play);
    }
}
END_TEST

/* The next client comes at any time. */
START_TEST(sync_anywhere)
{
    struct play play;

    for (size_t cut = 0; cut < BEHIND; cut++) {
        play_behind(&play, _i, cut);
        ck_assert(play_sync_comes(&play, cut % 2 ? 1 : 10000));
        ck_assert(!play.server.guarded);
        play_expect_ping(&play);
        play_free(&play);
    }
}
END_TEST

/* Killed shortly before the end of its input, which the next client's sync
 * makes whole: the digest tells, and that client has to come once more. */
START_TEST(cut_near_the_end_of_input)
{
    static const char input[] = STDIN(
        "?stay", OWN,
        "60") "012345678901234567890123456789012345678901234567890123456789";
    struct play play;

    for (size_t missing = 1; missing < sizeof(MARK SYNC) - 1; missing++) {
        play_init(&play, TOKEN);
        play_feed(&play, input, sizeof(input) - 1 - missing);
        play_steps(&play, BYTES(MARK SYNC), 7);
        play_event(&play, server_hangup(&play.server));
        ck_assert(play_sync_comes(&play, 7));
        play_expect_ping(&play);
        play_free(&play);
    }
}
END_TEST

/* --- deadlines ----------------------------------------------------------- */

START_TEST(stalled_anywhere)
{
    static const char late[] = "ABANDON\nFAULT 408 the request did not "
                               "arrive\n";
    struct play play;
    bool waits;

    for (size_t cut = 0; cut < BEHIND; cut++) {
        waits = play_behind(&play, _i, cut);
        play_stall(&play);
        if (waits && cut == 0)
            play_expect(&play, ""); /* it waits as long as it likes */
        else
            play_expect(&play, waits ? late : "DROP\n");
        ck_assert_int_eq(play.server.state, waits && cut == 0
                                                ? SESSION_WORK
                                                : SESSION_QUARANTINE);
        play_free(&play);
    }
}
END_TEST

/* It says nothing of the request that is there when nothing was passed. */
START_TEST(untimely)
{
    struct play play;

    play_init(&play, TOKEN);
    server_sent_before(&play.server);
    play_feed(&play, BYTES(OUTPUT("?stay", OWN)));
    server_sent_before(&play.server);
    play_feed(&play, BYTES(OWN_PING));
    play_expect(&play, OUTPUT_SAID("?stay") "URGE\nPASS\n" PING_SAID);
    play_free(&play);
}
END_TEST

/* The answer before is sent while the second waits: one more may come. */
START_TEST(room_again)
{
    struct play play;

    play_init(&play, TOKEN);
    play_feed(&play, BYTES(OUTPUT("?stay&slow", OWN) OUTPUT("?stay", OWN)));
    server_sent_before(&play.server);
    play_feed(&play, BYTES(OWN_PING));
    play_expect(&play, OUTPUT_SAID("?stay&slow") "URGE\nPASS\n" OUTPUT_SAID(
                           "?stay") "URGE\nPASS\n" PING_SAID);
    play_free(&play);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, whole_or_not, 0, ARRAY_SIZE(rules));
    tcase_add_loop_test(tcase, without_session, 0, 3);
    tcase_add_loop_test(tcase, guarded_or_not, 0, 2);
    tcase_add_loop_test(tcase, sent_meanwhile, 0, FIRSTS);
    tcase_add_loop_test(tcase, sent_meanwhile_then_sync, 0, FIRSTS);
    tcase_add_test(tcase, sent_when_urged);
    tcase_add_loop_test(tcase, hangup_anywhere, 0, FIRSTS);
    tcase_add_loop_test(tcase, connected_anywhere, 0, FIRSTS);
    tcase_add_loop_test(tcase, sync_anywhere, 0, FIRSTS);
    tcase_add_test(tcase, cut_near_the_end_of_input);
    tcase_add_loop_test(tcase, stalled_anywhere, 0, FIRSTS);
    tcase_add_test(tcase, untimely);
    tcase_add_test(tcase, room_again);
}
