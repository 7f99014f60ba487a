/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The host's half of the handshake with a clock that the test sets. */
#include <config.h>

#include "proto/handshake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/msg.h"
#include "unit/unit.h"

const char unit_name[] = "handshake";

#define ONE "11111111111111111111111111111111"
#define TWO "22222222222222222222222222222222"
#define START 5000  /* ms; any */
#define LIMIT 10000 /* time for all attempts */
#define WALL 1700000000

#define BODY(id, more)                                                   \
    "{\"version\":\"1.0\",\"code\":0,\"message\":\"success\",\"data\":{" \
    "\"id\":\"" id "\"" more "},\"timestamp\":1}"

/* A machine after its first handshake_connected(). */
static void begin(struct handshake *handshake, int64_t limit)
{
    struct buf request;

    buf_init(&request, 1024);
    handshake_init(handshake, START + limit);
    ck_assert_int_eq(handshake->state, HANDSHAKE_CONNECT);
    ck_assert_int_eq(
        handshake_connected(handshake, ONE, START, WALL, &request), 0);
    ck_assert_int_eq(handshake->state, HANDSHAKE_SYNC);
    buf_free(&request);
}

/* From the end of one attempt into the next one. */
static void begin_again(struct handshake *handshake, int64_t now)
{
    struct buf request;

    buf_init(&request, 1024);
    ck_assert_int_eq(handshake->state, HANDSHAKE_CONNECT);
    ck_assert_int_eq(handshake_connected(handshake, TWO, now, WALL, &request),
                     0);
    buf_free(&request);
}

static void feed(struct handshake *handshake, const char *bytes, int64_t now)
{
    ck_assert_int_eq(
        handshake_feed(handshake, (const uint8_t *) bytes, strlen(bytes), now),
        0);
}

/* An answer with that body, by pieces of some bytes. */
static void answer(struct handshake *handshake, const char *id,
                   const char *body, size_t piece, int64_t now)
{
    char text[16384];
    int n = snprintf(text, sizeof(text),
                     "HTTP/1.1 200 OK\r\nX-Request-ID: %s\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     id, strlen(body), body);

    ck_assert_int_lt(n, (int) sizeof(text));
    for (size_t at = 0; at < (size_t) n; at += piece) {
        size_t step = (size_t) n - at < piece ? (size_t) n - at : piece;
        struct guarded bytes = guarded_copy(text + at, step);

        ck_assert_int_eq(handshake_feed(handshake, bytes.bytes, step, now), 0);
        guarded_free(&bytes);
    }
}

/* The marker, then a request that the agent's own parser takes. */
START_TEST(what_is_sent)
{
    struct handshake handshake;
    const uint8_t *first;
    struct buf request;
    struct msg msg;
    size_t used;

    buf_init(&request, 1024);
    handshake_init(&handshake, START + LIMIT);
    ck_assert_int_eq(
        handshake_connected(&handshake, ONE, START, WALL, &request), 0);
    first = buf_data(&request);
    ck_assert_msg(first && *first == RESET_BYTE, "no marker");
    buf_consume(&request, 1);
    msg_init(&msg, HTTP_REQUEST);
    ck_assert_int_eq(msg_feed(&msg, buf_data(&request), request.len, &used),
                     MSG_HEAD);
    ck_assert_uint_eq(used, request.len);
    ck_assert_str_eq(msg.head.target, "/api/v1/sync?id=" ONE);
    ck_assert_str_eq(http_field_get(&msg.head, "X-Request-ID"), ONE);
    ck_assert_str_eq(http_field_get(&msg.head, "X-Timestamp"), "1700000000");
    msg_free(&msg);
    handshake_free(&handshake);
    buf_free(&request);
}
END_TEST

/* The fields of an answer; ready: it is one. */
static const struct {
    const char *more;
    struct handshake_peer peer;
    bool ready;
} answers[] = {
    { "", { .auth = false }, true },
    { ",\"session\":\"s1\",\"instance\":\"i1\",\"boot_id\":\"b1\","
      "\"agent_version\":\"1.2\",\"auth\":true,\"heartbeat\":true",
      { .session = "s1",
        .instance = "i1",
        .boot_id = "b1",
        .version = "1.2",
        .auth = true,
        .heartbeat = true },
      true },
    { ",\"timestamp\":1700000000", { .clock_ahead = 0 }, true },
    { ",\"timestamp\":1700000002", { .clock_ahead = 0 }, true },
    { ",\"timestamp\":1700000003", { .clock_ahead = 3 }, true },
    { ",\"timestamp\":1699999997", { .clock_ahead = -3 }, true },
    { ",\"timestamp\":0", { .clock_ahead = -1700000000 }, true },
    { ",\"unknown\":[1,2,{}]", { .auth = false }, true },
    { ",\"session\":null", { .auth = false }, true },
    { ",\"timestamp\":-1", { .auth = false }, false },
    { ",\"timestamp\":99999999999999", { .auth = false }, false },
    { ",\"timestamp\":\"now\"", { .auth = false }, false },
    { ",\"auth\":1", { .auth = false }, false },
    { ",\"heartbeat\":\"yes\"", { .auth = false }, false },
    { ",\"session\":7", { .auth = false }, false },
    { ",\"instance\":{}", { .auth = false }, false },
    { ",\"boot_id\":[]", { .auth = false }, false },
    { ",\"agent_version\":true", { .auth = false }, false },
    /* would be another header, or another one than it was */
    { ",\"session\":\"a\\r\\nX-Auth-Token: b\"", { .auth = false }, false },
    { ",\"session\":\"a b\"", { .auth = false }, false },
    { ",\"session\":\"\\u00e4\"", { .auth = false }, false },
    { ",\"session\":\"a\\u0000b\"", { .auth = false }, false },
    { ",\"instance\":\"\\u007f\"", { .auth = false }, false },
    { ",\"boot_id\":\"a\\nb\"", { .auth = false }, false },
};

START_TEST(answer_with)
{
    static const size_t pieces[] = { 100000, 1, 7 };

    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        const struct handshake_peer *peer = &answers[_i].peer;
        struct handshake handshake;
        char body[1024];

        snprintf(body, sizeof(body), BODY(ONE, "%s"), answers[_i].more);
        begin(&handshake, LIMIT);
        answer(&handshake, ONE, body, pieces[i], START + 5);
        ck_assert_int_eq(handshake.state,
                         answers[_i].ready ? HANDSHAKE_READY : HANDSHAKE_WAIT);
        if (answers[_i].ready) {
            ck_assert_str_eq(handshake.peer.version, peer->version);
            ck_assert_str_eq(handshake.peer.boot_id, peer->boot_id);
            ck_assert_str_eq(handshake.peer.session, peer->session);
            ck_assert_str_eq(handshake.peer.instance, peer->instance);
            ck_assert_int_eq(handshake.peer.clock_ahead, peer->clock_ahead);
            ck_assert_int_eq(handshake.peer.auth, peer->auth);
            ck_assert_int_eq(handshake.peer.heartbeat, peer->heartbeat);
        }
        handshake_free(&handshake);
    }
}
END_TEST

/* Bodies that are no answer to us, whatever their head says. */
START_TEST(no_answer_of_ours)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "null",
        "not JSON",
        BODY(TWO, ""),
        BODY(ONE "0", ""),
        "{\"version\":\"1.0\",\"code\":0,\"message\":\"\",\"data\":{},"
        "\"timestamp\":1}",
        "{\"version\":\"1.0\",\"code\":5001,\"message\":\"\",\"data\":{"
        "\"id\":\"" ONE "\"},\"timestamp\":1}",
    };
    struct handshake handshake;

    begin(&handshake, LIMIT);
    answer(&handshake, ONE, bodies[_i], 1000, START + 5);
    ck_assert_int_eq(handshake.state, HANDSHAKE_WAIT);
    handshake_free(&handshake);
}
END_TEST

/* The longest words that are kept, and one more. */
START_TEST(long_words)
{
    static const char *const names[] = { "agent_version", "boot_id", "session",
                                         "instance" };
    char word[HANDSHAKE_WORD_MAX + 1];

    for (size_t n = HANDSHAKE_WORD_MAX - 1; n <= HANDSHAKE_WORD_MAX; n++) {
        char body[1024];
        struct handshake handshake;
        bool whole = n < HANDSHAKE_WORD_MAX || _i == 0;

        memset(word, 'w', n);
        word[n] = '\0';
        snprintf(body, sizeof(body), BODY(ONE, ",\"%s\":\"%s\""), names[_i],
                 word);
        begin(&handshake, LIMIT);
        answer(&handshake, ONE, body, 1000, START + 5);
        ck_assert_int_eq(handshake.state,
                         whole ? HANDSHAKE_READY : HANDSHAKE_WAIT);
        handshake_free(&handshake);
    }
}
END_TEST

/* No answer: the attempt ends, a gap, the next one, until the limit. */
START_TEST(lost_answer)
{
    struct handshake handshake;
    int64_t now = START;

    begin(&handshake, LIMIT);
    ck_assert_int_eq(handshake.until, START + SYNC_FIRST_MS);
    handshake_tick(&handshake, START + SYNC_FIRST_MS - 1);
    ck_assert_int_eq(handshake.state, HANDSHAKE_SYNC);
    handshake_tick(&handshake, START + SYNC_FIRST_MS);
    ck_assert_int_eq(handshake.state, HANDSHAKE_WAIT);
    now += SYNC_FIRST_MS;
    ck_assert_int_eq(handshake.until, now + RECONNECT_GAP_MS);
    handshake_tick(&handshake, now + RECONNECT_GAP_MS - 1);
    ck_assert_int_eq(handshake.state, HANDSHAKE_WAIT);
    now += RECONNECT_GAP_MS;
    handshake_tick(&handshake, now);
    begin_again(&handshake, now);
    ck_assert_int_eq(handshake.attempts, 2);
    ck_assert_int_eq(handshake.until, now + SYNC_ATTEMPT_MS);
    answer(&handshake, TWO, BODY(TWO, ""), 1000, now + 1);
    ck_assert_int_eq(handshake.state, HANDSHAKE_READY);
    handshake_free(&handshake);
}
END_TEST

/* An agent that answers each sync after some time: when it is reached. */
static int64_t reached(int64_t ms, int64_t limit)
{
    int64_t now = START;
    int64_t found = 0;
    struct handshake handshake;

    handshake_init(&handshake, START + limit);
    handshake.pace = (struct handshake_pace) { 1000, 2, 4000 };
    while (!found && handshake.state != HANDSHAKE_GIVE_UP) {
        begin_again(&handshake, now);
        if (now + ms <= handshake.until)
            found = now + ms - START;
        while (!found && handshake.state != HANDSHAKE_CONNECT
               && handshake.state != HANDSHAKE_GIVE_UP)
            handshake_tick(&handshake, now = handshake.until);
    }
    handshake_free(&handshake);
    return found;
}

/* Who has more time does not wait for longer: a slow agent is reached after a
 * few times its own time at most. */
START_TEST(slow_agent)
{
    static const int64_t times[] = { 10,   399,  500,  1000, 1800,
                                     2200, 3000, 5000, 9000, 15000 };
    int64_t time = times[_i];

    for (int64_t limit = 5 * time; limit < 120000; limit += 250) {
        int64_t at = reached(time, limit);

        ck_assert_msg(at > 0, "not within %jd", (intmax_t) limit);
        ck_assert_msg(at <= 4 * time + 500, "within %jd after %jd",
                      (intmax_t) limit, (intmax_t) at);
    }
}
END_TEST

/* However an attempt ends, all of them end at the limit. */
START_TEST(limit_of_time)
{
    int64_t limit = 1 + _i * 333;
    int64_t now = START;
    struct handshake handshake;

    begin(&handshake, limit);
    for (int i = 0; handshake.state != HANDSHAKE_GIVE_UP; i++) {
        ck_assert_int_lt(i, 100);
        ck_assert_int_le(handshake.until, START + limit);
        if (handshake.state == HANDSHAKE_CONNECT)
            begin_again(&handshake, now);
        now = handshake.until;
        handshake_tick(&handshake, now);
    }
    ck_assert_int_le(now, START + limit);
    ck_assert_int_ge(now, START + limit - RECONNECT_GAP_MS);
    handshake_free(&handshake);
}
END_TEST

/* A connection that breaks at once is not tried without end, nor without a
 * gap. */
START_TEST(broken)
{
    struct handshake handshake;
    int64_t now = START;

    begin(&handshake, 1000);
    handshake_lost(&handshake, now);
    while (handshake.state != HANDSHAKE_GIVE_UP) {
        ck_assert_int_eq(handshake.state, HANDSHAKE_WAIT);
        ck_assert_int_eq(handshake.until, now + RECONNECT_GAP_MS);
        now = handshake.until;
        handshake_tick(&handshake, now);
        begin_again(&handshake, now);
        handshake_lost(&handshake, now);
    }
    ck_assert_int_eq(handshake.attempts, 10);
    handshake_free(&handshake);
}
END_TEST

/* Attempts of which none is answered: when they begin, and end.  The first
 * redial is for a client whose leaving was missed; the last one listens to the
 * end. */
static const struct {
    struct handshake_pace pace;
    int64_t limit;
    int attempts;
    int64_t begin[6], end[6];
} paces[] = {
    { { 1000, 2, 4000 }, 5000, 3, { 0, 500, 2500 }, { 400, 2400, 5000 } },
    /* a fourth one would be shorter than the third */
    { { 1000, 2, 4000 }, 10399, 3, { 0, 500, 2500 }, { 400, 2400, 10399 } },
    { { 1000, 2, 4000 },
      10400,
      4,
      { 0, 500, 2500, 6500 },
      { 400, 2400, 6400, 10400 } },
    { { 1000, 2, 4000 },
      40000,
      6,
      { 0, 500, 2500, 6500, 14500, 26500 },
      { 400, 2400, 6400, 14400, 26400, 40000 } },
    { { 1000, 2, 4000 }, 2899, 2, { 0, 500 }, { 400, 2899 } },
    { { 1000, 2, 4000 }, 2900, 3, { 0, 500, 2500 }, { 400, 2400, 2900 } },
    { { 1000, 2, 4000 }, 900, 2, { 0, 500 }, { 400, 900 } },
    { { 1000, 2, 4000 }, 450, 1, { 0 }, { 450 } },
    { { 0, 10, 0 }, 2500, 3, { 0, 500, 1600 }, { 400, 1500, 2500 } },
    { { 2000, 10, 3000 },
      16000,
      4,
      { 0, 500, 3500, 8500 },
      { 400, 3400, 8400, 16000 } },
};

START_TEST(paced)
{
    int64_t now = START;
    struct handshake handshake;
    int i;

    handshake_init(&handshake, START + paces[_i].limit);
    handshake.pace = paces[_i].pace;
    for (i = 0; handshake.state != HANDSHAKE_GIVE_UP; i++) {
        ck_assert_int_lt(i, paces[_i].attempts);
        begin_again(&handshake, now);
        ck_assert_int_eq(now - START, paces[_i].begin[i]);
        now = handshake.until;
        ck_assert_int_eq(now - START, paces[_i].end[i]);
        handshake_tick(&handshake, now);
        if (handshake.state == HANDSHAKE_WAIT) {
            now = handshake.until;
            handshake_tick(&handshake, now);
        }
    }
    ck_assert_int_eq(i, paces[_i].attempts);
    handshake_free(&handshake);
}
END_TEST

/* Servers that know only the specification, by what they make of the marker. */
static const struct {
    const char *first, *second; /* answers; @: the id */
    int64_t begin;              /* of the second attempt; 0: there is none */
    bool plain;
} plains[] = {
#define REFUSED(status, more) \
    "HTTP/1.1 " status "\r\n" more "Content-Length: 2\r\n\r\n{}"
#define OURS "X-Request-ID: @\r\n"
    /* skipped it, and has no sync */
    { REFUSED("404 Not Found", OURS), NULL, 0, true },
    { REFUSED("405 Method Not Allowed", OURS), NULL, 0, true },
    /* refuses all of it */
    { REFUSED("400 Bad Request", OURS), REFUSED("404 Not Found", OURS), 101,
      true },
    { REFUSED("400 Bad Request", OURS), REFUSED("400 Bad Request", OURS), 101,
      true },
    { REFUSED("501 Not Implemented", OURS), REFUSED("404 Not Found", OURS),
      101, true },
    /* … and does not say whose it was */
    { REFUSED("400 Bad Request", ""), REFUSED("404 Not Found", OURS), 500,
      true },
    { REFUSED("500 Error", ""), REFUSED("404 Not Found", OURS), 500, true },
    /* somebody else's, or nobody's, is no refusal of ours */
    { REFUSED("404 Not Found", "X-Request-ID: x\r\n"), NULL, 500, false },
    { REFUSED("404 Not Found", ""), REFUSED("404 Not Found", ""), 500, false },
    /* what is not about the sync */
    { REFUSED("503 Busy", OURS), NULL, 101, false },
    { REFUSED("401 Unauthorized", OURS), NULL, 101, false },
};

static void say(struct handshake *handshake, const char *text, const char *id,
                int64_t now)
{
    const char *at = strchr(text, '@');
    char bytes[512];

    snprintf(bytes, sizeof(bytes), "%.*s%s%s",
             (int) (at ? at - text : (ptrdiff_t) strlen(text)), text,
             at ? id : "", at ? at + 1 : "");
    feed(handshake, bytes, now);
}

START_TEST(plain)
{
    struct handshake handshake;
    int64_t now = START + 1;
    struct buf request;
    const uint8_t *first;

    begin(&handshake, LIMIT);
    say(&handshake, plains[_i].first, ONE, now);
    if (plains[_i].begin) {
        while (handshake.state != HANDSHAKE_CONNECT)
            handshake_tick(&handshake, now = handshake.until);
        ck_assert_int_eq(now - START, plains[_i].begin);
        buf_init(&request, 1024);
        ck_assert_int_eq(
            handshake_connected(&handshake, TWO, now, WALL, &request), 0);
        first = buf_data(&request);
        ck_assert_int_eq(first && *first == 'G', plains[_i].second != NULL);
        buf_free(&request);
        if (plains[_i].second)
            say(&handshake, plains[_i].second, TWO, now);
    }
    ck_assert_int_eq(handshake.state == HANDSHAKE_READY, plains[_i].plain);
    ck_assert_int_eq(handshake.peer.plain, plains[_i].plain);
    /* an agent of ours is none, whatever was said before it */
    if (!plains[_i].plain) {
        answer(&handshake, TWO, BODY(TWO, ",\"session\":\"s\""), 100, now);
        ck_assert_int_eq(handshake.state, HANDSHAKE_READY);
        ck_assert(!handshake.peer.plain);
    }
    handshake_free(&handshake);
}
END_TEST

/* Nobody has said a word: the third attempt is made without the marker,
 * wherever the ones before it were made. */
START_TEST(third_is_bare)
{
    struct handshake handshake;
    int64_t now = START;

    handshake_init(&handshake, START + 100 * LIMIT);
    handshake.broken = _i;
    for (int i = _i; i < 9; i++) {
        begin_again(&handshake, now);
        ck_assert_int_eq(handshake.bare, i % 3 == 2);
        handshake_tick(&handshake, now = handshake.until);
        handshake_tick(&handshake, now = handshake.until);
    }
    handshake_free(&handshake);
}
END_TEST

/* What may come in front of the answer. */
START_TEST(in_front)
{
    static const char *const fronts[] = {
        "HTTP/1.1 200 OK\r\nX-Request-ID: foreign\r\n"
        "Content-Length: 4\r\n\r\nthem",
        "HTTP/1.1 200 OK\r\nX-Request-ID: foreign\r\n"
        "Content-Length: 100000\r\n\r\n{\"code\":0}",
        "HTTP/1.1 102 Processing\r\nX-Request-ID: foreign\r\n\r\n",
        "HTTP/1.1 102 Processing\r\nX-Request-ID: " ONE "\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\nX-Request-ID: foreign\r\n\r\n",
        "rest of a file\r\n\r\nHTTP/1.1 200 OK\r\nX-Requ",
        "\xFF\xFF",
    };
    struct handshake handshake;

    begin(&handshake, LIMIT);
    feed(&handshake, fronts[_i], START + 1);
    ck_assert_int_eq(handshake.state, HANDSHAKE_SYNC);
    answer(&handshake, ONE, BODY(ONE, ",\"session\":\"s\""), 3, START + 2);
    ck_assert_int_eq(handshake.state, HANDSHAKE_READY);
    ck_assert_str_eq(handshake.peer.session, "s");
    handshake_free(&handshake);
}
END_TEST

START_TEST(much_noise)
{
    AUTO_FREE uint8_t *noise = calloc(1, 100 * 1024);
    struct handshake handshake;

    begin(&handshake, LIMIT);
    ck_assert_int_eq(handshake_feed(&handshake, noise, 100 * 1024, START + 1),
                     0);
    ck_assert_int_eq(handshake.state, HANDSHAKE_SYNC);
    answer(&handshake, ONE, BODY(ONE, ""), 1000, START + 2);
    ck_assert_int_eq(handshake.state, HANDSHAKE_READY);
    handshake_free(&handshake);
}
END_TEST

/* By bytes, and by time: noise that never ends holds nobody. */
START_TEST(flood)
{
    AUTO_FREE uint8_t *noise = calloc(1, 1024 * 1024);
    struct handshake handshake;
    int fed = 0;

    begin(&handshake, LIMIT);
    for (; handshake.state == HANDSHAKE_SYNC; fed++)
        ck_assert_int_eq(handshake_feed(&handshake, noise, 1024 * 1024, START),
                         0);
    ck_assert_int_eq(handshake.state, HANDSHAKE_WAIT);
    ck_assert_int_ge(fed, SYNC_DISCARD_MAX / (1024 * 1024));
    ck_assert_int_le(fed, SYNC_DISCARD_MAX / (1024 * 1024) + 2);
    handshake_free(&handshake);

    begin(&handshake, LIMIT);
    ck_assert_int_eq(
        handshake_feed(&handshake, noise, 10, START + SYNC_FIRST_MS - 1), 0);
    ck_assert_int_eq(handshake.state, HANDSHAKE_SYNC);
    ck_assert_int_eq(
        handshake_feed(&handshake, noise, 10, START + SYNC_FIRST_MS), 0);
    ck_assert_int_eq(handshake.state, HANDSHAKE_WAIT);
    handshake_free(&handshake);
}
END_TEST

/* The answer to attempt 1 comes in attempt 2: its session is over. */
START_TEST(late_answer)
{
    struct handshake handshake;
    int64_t now = START + SYNC_FIRST_MS;

    begin(&handshake, LIMIT);
    feed(&handshake, "HTTP/1.1 200 OK\r\nX-Requ", START + 1);
    handshake_tick(&handshake, now);
    /* nothing counts between two attempts */
    answer(&handshake, ONE, BODY(ONE, ",\"session\":\"old\""), 1000, now + 1);
    ck_assert_int_eq(handshake.state, HANDSHAKE_WAIT);
    now += RECONNECT_GAP_MS;
    handshake_tick(&handshake, now);
    begin_again(&handshake, now);
    answer(&handshake, ONE, BODY(ONE, ",\"session\":\"old\""), 1000, now + 1);
    ck_assert_int_eq(handshake.state, HANDSHAKE_SYNC);
    answer(&handshake, TWO, BODY(TWO, ",\"session\":\"new\""), 1000, now + 1);
    ck_assert_int_eq(handshake.state, HANDSHAKE_READY);
    ck_assert_str_eq(handshake.peer.session, "new");
    handshake_free(&handshake);
}
END_TEST

/* What one attempt's answer said is not left over for the next one. */
START_TEST(nothing_left_over)
{
    struct handshake handshake;
    int64_t now = START + 1;

    begin(&handshake, LIMIT);
    answer(&handshake, ONE, BODY(ONE, ",\"auth\":true,\"session\":7"), 1000,
           now);
    ck_assert_int_eq(handshake.state, HANDSHAKE_WAIT);
    now += RECONNECT_GAP_MS;
    handshake_tick(&handshake, now);
    begin_again(&handshake, now);
    answer(&handshake, TWO, BODY(TWO, ""), 1000, now);
    ck_assert_int_eq(handshake.state, HANDSHAKE_READY);
    ck_assert(!handshake.peer.auth);
    handshake_free(&handshake);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, what_is_sent);
    tcase_add_loop_test(tcase, answer_with, 0, ARRAY_SIZE(answers));
    tcase_add_loop_test(tcase, no_answer_of_ours, 0, 8);
    tcase_add_loop_test(tcase, long_words, 0, 4);
    tcase_add_test(tcase, lost_answer);
    tcase_add_loop_test(tcase, limit_of_time, 0, 12);
    tcase_add_loop_test(tcase, paced, 0, ARRAY_SIZE(paces));
    tcase_add_loop_test(tcase, slow_agent, 0, 10);
    tcase_add_loop_test(tcase, plain, 0, ARRAY_SIZE(plains));
    tcase_add_loop_test(tcase, third_is_bare, 0, 5);
    tcase_add_test(tcase, broken);
    tcase_add_loop_test(tcase, in_front, 0, 8);
    tcase_add_test(tcase, much_noise);
    tcase_add_test(tcase, flood);
    tcase_add_test(tcase, late_answer);
    tcase_add_test(tcase, nothing_left_over);
}
