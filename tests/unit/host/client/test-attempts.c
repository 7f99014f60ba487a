/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * When requests are made again: the table of virtio-rpc-host(5), row by row,
 * with a clock and an agent of its own (fated.h).
 */
#include <config.h>

#include "host/client/attempts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/handshake.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "unit/host/client/fated.h"
#include "unit/unit.h"
#include "util/clock.h"
#include "util/fd.h"

const char unit_name[] = "attempts";

/* --- the table ------------------------------------------------------------- */

#define UNKNOWN STATUS_OUTCOME_UNKNOWN
#define MIB (1024 * 1024)

struct row {
    const char *name;
    enum fate fates[4]; /* of the connections */
    const char *method;
    int64_t timeout; /* of --timeout; 0: there is none */
    int64_t read_ms; /* of the request; 0: no limit */
    size_t body;
    bool remembers;
    int n;                    /* requests; 0: connections */
    int64_t times[TIMES_MAX]; /* of these */
    int64_t end;
    int code; /* errno, or status code of the error or the answer */
    const char *hint;
};

#define GET "GET", 0, TIMEOUT_UNSET, 0
#define POST "POST", 0, TIMEOUT_UNSET, 10

#define ALIVE(method) method, 0, TIMEOUT_ALIVE, 0

#define BUSY_ROW(fate) { fate }, "POST", 5000, TIMEOUT_UNSET, 10, false

static const struct row rows[] = {
    { "fine", { FINE }, GET, false, 1, { 0 }, 0, 0, NULL },
    /* timeout errors: two retries, 5 s apart */
    { "hangs",
      { HANGING },
      GET,
      false,
      3,
      { 0, 35000, 70000 },
      100000,
      -ETIMEDOUT,
      "--timeout" },
    { "hangs, which should give signs of life",
      { HANGING },
      GET,
      true,
      3,
      { 0, 35000, 70000 },
      100000,
      -ETIMEDOUT,
      "restart virtio-rpc" },
    { "no limit, no sign of life",
      { HANGING },
      "GET",
      0,
      0,
      0,
      true,
      3,
      { 0, 15000, 30000 },
      40000,
      -ETIMEDOUT,
      "restart virtio-rpc" },
    { "hangs once",
      { HANGING, FINE },
      GET,
      true,
      2,
      { 0, 35000 },
      35000,
      0,
      NULL },
    { "half an answer",
      { HALF },
      GET,
      false,
      3,
      { 0, 35000, 70000 },
      100000,
      -ETIMEDOUT,
      "--timeout" },
    /* what gives signs of life has the time that it takes */
    { "works for longer",
      { BEATING },
      GET,
      true,
      3,
      { 0, 35000, 70000 },
      100000,
      -ETIMEDOUT,
      "--timeout" },
    { "… as long as there are signs of life",
      { BEATING },
      ALIVE("GET"),
      true,
      1,
      { 0 },
      BEATING_MS,
      0,
      NULL },
    { "… which may change something",
      { BEATING },
      ALIVE("POST"),
      true,
      1,
      { 0 },
      BEATING_MS,
      0,
      NULL },
    { "… within --timeout",
      { BEATING },
      "GET",
      12000,
      TIMEOUT_ALIVE,
      0,
      true,
      1,
      { 0 },
      12000,
      -ETIMEDOUT,
      "--timeout" },
    { "… nor do they buy time",
      { FLOODING },
      "GET",
      12000,
      TIMEOUT_UNSET,
      0,
      true,
      1,
      { 0 },
      12000,
      -ETIMEDOUT,
      "--timeout" },
    { "… of an agent that has none",
      { BEATING },
      ALIVE("GET"),
      false,
      3,
      { 0, 35000, 70000 },
      100000,
      -ETIMEDOUT,
      "--timeout" },
    { "… and there are none any more",
      { HANGING },
      ALIVE("GET"),
      true,
      3,
      { 0, 15000, 30000 },
      40000,
      -ETIMEDOUT,
      "restart virtio-rpc" },
    { "… and half of an answer",
      { HALF },
      ALIVE("GET"),
      true,
      3,
      { 0, 35000, 70000 },
      100000,
      -ETIMEDOUT,
      "connection.read_timeout" },
    { "--timeout is for all of it",
      { HANGING },
      "GET",
      12000,
      TIMEOUT_UNSET,
      0,
      false,
      1,
      { 0 },
      12000,
      -ETIMEDOUT,
      "--timeout" },
    { "… and longer than read_timeout",
      { HANGING },
      "GET",
      40000,
      TIMEOUT_UNSET,
      0,
      false,
      1,
      { 0 },
      40000,
      -ETIMEDOUT,
      "--timeout" },
    { "does not take a request",
      { DEAF },
      "POST",
      0,
      TIMEOUT_UNSET,
      MIB,
      false,
      0,
      { 0, 35000, 70000, -1 },
      100000,
      -ETIMEDOUT,
      "connection.write_timeout" },
    { "… nor gives signs of life",
      { DEAF },
      "POST",
      0,
      TIMEOUT_UNSET,
      MIB,
      true,
      0,
      { 0, 35000, 70000, -1 },
      100000,
      -ETIMEDOUT,
      "connection.write_timeout" },
    { "… within --timeout",
      { DEAF },
      "POST",
      12000,
      TIMEOUT_UNSET,
      MIB,
      false,
      0,
      { 0, -1 },
      12000,
      -ETIMEDOUT,
      "--timeout" },
    { "… which changes nothing",
      { DEAF },
      "POST",
      32000,
      TIMEOUT_UNSET,
      MIB,
      false,
      0,
      { 0, -1 },
      30000,
      -ETIMEDOUT,
      "connection.write_timeout" },
    { "does not take a request, nor a handshake then",
      { DEAF, MUTE },
      "POST",
      0,
      TIMEOUT_UNSET,
      MIB,
      false,
      0,
      { 0, 35000, 35500, 37500, -1 },
      40000,
      -EHOSTDOWN,
      "connection.write_timeout in /dev/null for a longer wait; in the guest: "
      "systemctl restart" },
    /* … but for what may have been carried out: its answer is asked for */
    { "POST, hangs", { HANGING }, POST, false, 1, { 0 }, 30000, UNKNOWN, "" },
    { "POST, no sign of life",
      { HANGING },
      POST,
      true,
      2,
      { 0, 15000 },
      25000,
      UNKNOWN,
      "" },
    { "… as long as there are retries",
      { HANGING },
      "POST",
      0,
      70000,
      10,
      true,
      3,
      { 0, 15000, 30000 },
      40000,
      UNKNOWN,
      "" },
    { "… and has a limit of its own",
      { HANGING },
      "POST",
      0,
      0,
      10,
      true,
      3,
      { 0, 15000, 30000 },
      40000,
      UNKNOWN,
      "" },
    { "… nor a memory",
      { HANGING },
      "POST",
      0,
      70000,
      10,
      false,
      1,
      { 0 },
      70000,
      UNKNOWN,
      "" },
    { "POST, fails to take it once",
      { DEAF, FINE },
      "POST",
      0,
      TIMEOUT_UNSET,
      MIB,
      false,
      1,
      { 35000 },
      35000,
      0,
      NULL },
    /* network errors: three retries, after 1, 2 and 4 s */
    { "leaves",
      { LEAVING },
      GET,
      false,
      4,
      { 0, 1000, 3000, 7000 },
      7000,
      -ECONNRESET,
      "" },
    { "leaves twice",
      { LEAVING, LEAVING, FINE },
      GET,
      false,
      3,
      { 0, 1000, 3000 },
      3000,
      0,
      NULL },
    { "leaves before the handshake",
      { REFUSING },
      GET,
      false,
      0,
      { 0, 1000, 3000, 7000, -1 },
      7000,
      -ECONNRESET,
      "virsh list --all" },
    { "its socket goes",
      { LEAVING, ABSENT },
      GET,
      false,
      1,
      { 0 },
      7000,
      -ENOENT,
      "" },
    { "there is no socket",
      { ABSENT },
      GET,
      false,
      0,
      { 0, -1 },
      0,
      -ENOENT,
      "" },
    { "POST, leaves", { LEAVING }, POST, false, 1, { 0 }, 0, UNKNOWN, "" },
    { "POST, leaves, and remembers",
      { LEAVING },
      POST,
      true,
      4,
      { 0, 1000, 3000, 7000 },
      7000,
      UNKNOWN,
      "" },
    /* handshake: a second connection at once, the others as network errors,
     * all within connect_timeout */
    { "does not answer the handshake",
      { MUTE },
      GET,
      false,
      0,
      { 0, 500, 2500, -1 },
      5000,
      -EHOSTDOWN,
      "restart virtio-rpc" },
    { "… once", { MUTE, FINE }, GET, false, 1, { 500 }, 500, 0, NULL },
    { "… twice",
      { MUTE, MUTE, FINE },
      GET,
      false,
      1,
      { 2500 },
      2500,
      0,
      NULL },
    /* internal errors: one retry, after 10 s */
    { "fails",
      { FAILING },
      GET,
      false,
      2,
      { 0, 10000 },
      10000,
      STATUS_INTERNAL_ERROR,
      NULL },
    { "POST, fails",
      { FAILING },
      POST,
      true,
      1,
      { 0 },
      0,
      STATUS_INTERNAL_ERROR,
      NULL },
    /* what was not carried out */
    { "POST, busy",
      { BUSY },
      "POST",
      5000,
      TIMEOUT_UNSET,
      10,
      false,
      3,
      { 0, 2000, 4000 },
      4000,
      STATUS_SERVICE_UNAVAILABLE,
      NULL },
    { "… and says for how long only in its body",
      BUSY_ROW(BUSY_BODY),
      3,
      { 0, 2000, 4000 },
      4000,
      STATUS_SERVICE_UNAVAILABLE,
      NULL },
    { "… and in both",
      BUSY_ROW(BUSY_BOTH),
      3,
      { 0, 2000, 4000 },
      4000,
      STATUS_SERVICE_UNAVAILABLE,
      NULL },
    { "… and does not say for how long",
      BUSY_ROW(BUSY_MUTE),
      6,
      { 0, 100, 300, 700, 1500, 3100 },
      3100,
      STATUS_SERVICE_UNAVAILABLE,
      NULL },
    { "… for less than no time",
      BUSY_ROW(BUSY_NEGATIVE),
      6,
      { 0, 100, 300, 700, 1500, 3100 },
      3100,
      STATUS_SERVICE_UNAVAILABLE,
      NULL },
    { "… for no time",
      BUSY_ROW(BUSY_ZERO),
      6,
      { 0, 100, 300, 700, 1500, 3100 },
      3100,
      STATUS_SERVICE_UNAVAILABLE,
      NULL },
    { "… for a word",
      BUSY_ROW(BUSY_TEXT),
      6,
      { 0, 100, 300, 700, 1500, 3100 },
      3100,
      STATUS_SERVICE_UNAVAILABLE,
      NULL },
    { "… for a list",
      BUSY_ROW(BUSY_LIST),
      6,
      { 0, 100, 300, 700, 1500, 3100 },
      3100,
      STATUS_SERVICE_UNAVAILABLE,
      NULL },
    { "… for ever",
      BUSY_ROW(BUSY_HUGE),
      1,
      { 0 },
      0,
      STATUS_SERVICE_UNAVAILABLE,
      NULL },
    { "… for longer than --timeout",
      BUSY_ROW(BUSY_LONG),
      1,
      { 0 },
      0,
      STATUS_SERVICE_UNAVAILABLE,
      NULL },
    { "busy, for two minutes",
      { BUSY_LONG },
      GET,
      false,
      3,
      { 0, 45000, 90000 },
      90000,
      STATUS_SERVICE_UNAVAILABLE,
      NULL },
    { "POST, session expired",
      { EXPIRED },
      POST,
      true,
      4,
      { 0, 0, 0, 0 },
      0,
      STATUS_SESSION_EXPIRED,
      NULL },
    /* never */
    { "parameters",
      { WRONG },
      GET,
      false,
      1,
      { 0 },
      0,
      STATUS_INVALID_PARAMS,
      NULL },
    { "permission",
      { DENIED },
      GET,
      false,
      1,
      { 0 },
      0,
      STATUS_PERMISSION_DENIED,
      NULL },
};

static struct config config;
static struct answer answer;
static struct error err;
static struct error said; /* what the user hears of an answer */
static char *line[8];     /* what the user has typed */
static int operand;
static char *dir;

static void setup(void)
{
    dir = unit_tmpdir();
    ck_assert_int_eq(config_load(&config, "/dev/null", NULL), 0);
    config.lock_dir = strdup(dir);
    fated_begin();
    answer_init(&answer);
    error_clear(&err);
}

static void teardown(void)
{
    answer_free(&answer);
    fated_end();
    config_free(&config);
    unit_rmtree(dir);
}

/* Makes the request.  Return: as client_send_request(). */
static int ask(const struct row *row)
{
    static struct out quiet = { .quiet = true };
    static struct log nowhere = { .fd = -1 };
    static struct target_source source;
    struct target target = { .socket = unit_path(dir, "sock") };
    const struct client_setup setup = { .config = &config,
                                        .source = &source,
                                        .out = &quiet,
                                        .log = &nowhere,
                                        .timeout = row->timeout
                                                       ? row->timeout
                                                       : TIMEOUT_UNSET,
                                        .line = *line ? line : NULL,
                                        .operand = operand };
    AUTO_FREE uint8_t *body = calloc(1, row->body + 1);
    const struct client_request request = {
        .method = row->method,
        .target = "/api/v1/ping",
        .content_type = row->body ? "application/octet-stream" : NULL,
        .body = body,
        .body_len = row->body,
        .read_ms = row->read_ms,
    };
    struct client client;
    int r;

    ck_assert_ptr_nonnull(body);
    fates = row->fates;
    agent.remembers = row->remembers;
    client_init(&client, &setup, &target);
    r = client_send_request(&client, &request, &answer, &err);
    if (r == 0)
        answer_error(&client, &answer, &said);
    client_free(&client);
    free(target.socket);
    return r;
}

static void check_times(const struct row *row)
{
    const int64_t *times = row->n ? agent.asked : agent.connected;
    int n = row->n;

    while (row->n == 0 && row->times[n] >= 0)
        n++;
    ck_assert_msg((row->n ? agent.requests : agent.connections) == n,
                  "%s: %d requests, %d connections", row->name, agent.requests,
                  agent.connections);
    for (int i = 0; i < n; i++)
        ck_assert_msg(times[i] == row->times[i], "%s: %d at %jd", row->name, i,
                      (intmax_t) times[i]);
    for (int i = 1; i < row->n; i++)
        ck_assert_str_eq(agent.ids[0], agent.ids[i]);
}

START_TEST(by_the_table)
{
    const struct row *row = &rows[_i];
    int r = ask(row);
    int code = r == 0 ? answer.envelope.code : err.code;

    check_times(row);
    ck_assert_msg(now - START == row->end, "%s: ends at %jd", row->name,
                  (intmax_t) (now - START));
    ck_assert_msg(code == row->code, "%s: %d: %s", row->name, code,
                  err.message);
    if (row->hint && *row->hint)
        ck_assert_msg(strstr(err.hint, row->hint), "%s: %s", row->name,
                      err.hint);
    else
        ck_assert_msg(!*err.hint, "%s: %s", row->name, err.hint);
}
END_TEST

/* A command ends when its client stays away: it does not, between two. */
START_TEST(stays_while_silent)
{
    static const struct row row = { "stays", { HANGING }, POST, true, 0,
                                    { 0 },   0,           0,    NULL };

    ask(&row);
    ck_assert_int_eq(agent.requests, 2);
    ck_assert_int_eq(agent.left[0], agent.asked[1]);
}
END_TEST

/* Each number has a key. */
START_TEST(by_configuration)
{
    static const struct row configured[] = {
        { "timeouts",
          { HANGING },
          GET,
          true,
          2,
          { 0, 9000 },
          11000,
          -ETIMEDOUT,
          "" },
        { "internal errors",
          { FAILING },
          GET,
          true,
          4,
          { 0, 3000, 6000, 9000 },
          9000,
          STATUS_INTERNAL_ERROR,
          "" },
        { "network errors",
          { LEAVING },
          GET,
          true,
          3,
          { 0, 500, 2000 },
          2000,
          -ECONNRESET,
          "" },
        { "handshake",
          { MUTE },
          GET,
          true,
          0,
          { 0, 500, 2000, 5500, -1 },
          9000,
          -EHOSTDOWN,
          "" },
    };
    const struct row *row = &configured[_i];

    config.connect_timeout = 9000;
    config.read_timeout = 2000;
    config.max_retries = 2;
    config.retry_interval = 500;
    config.backoff_factor = 3;
    config.timeout_retries = 1;
    config.timeout_interval = 7000;
    config.internal_retries = 3;
    config.internal_interval = 3000;
    ask(row);
    check_times(row);
    ck_assert_int_eq(now - START, row->end);
}
END_TEST

/* Why nobody waited, and what to type. */
START_TEST(busy_words)
{
    static const struct {
        struct row row;
        const char *line[8];
        int operand;
        const char *words;
        const char *hint;
    } cases[] = {
        { { "",
            { BUSY_LONG },
            "GET",
            10000,
            TIMEOUT_UNSET,
            0,
            false,
            0,
            { 0 },
            0,
            0,
            NULL },
          { "x", "--timeout", "10", "-q", "web1", "call", "GET", NULL },
          4,
          "the next request is let in after 45 s, --timeout is 10 s",
          "vsrpc-virsh --timeout 55 -q web1 call GET" },
        { { "",
            { BUSY_LONG },
            "GET",
            45000,
            TIMEOUT_UNSET,
            0,
            false,
            0,
            { 0 },
            0,
            0,
            NULL },
          { "x", "--timeout=45", "web*", "exec", "--timeout", "5", "it's" },
          2,
          "the next request is let in after 45 s, --timeout is 45 s",
          "vsrpc-virsh --timeout 90 'web*' exec --timeout 5 $'it\\'s'" },
        { { "",
            { BUSY },
            "GET",
            500,
            TIMEOUT_UNSET,
            0,
            false,
            0,
            { 0 },
            0,
            0,
            NULL },
          { NULL },
          0,
          "the next request is let in after 2 s, --timeout is 0.5 s",
          "--timeout 3 for a longer wait" },
        /* what has passed counts */
        { { "",
            { BUSY_LONG },
            "GET",
            60000,
            TIMEOUT_UNSET,
            0,
            false,
            0,
            { 0 },
            0,
            0,
            NULL },
          { "x", "d", "ping" },
          1,
          "the next request is let in after 45 s, --timeout is 60 s",
          "vsrpc-virsh --timeout 150 d ping" },
        { { "", { BUSY_HOUR }, GET, false, 0, { 0 }, 0, 0, NULL },
          { "x", "d", "ping" },
          1,
          "the next request is let in after 3600 s, and no more than 120 s "
          "are waited",
          "again in 3600 s" },
        { { "", { BUSY_MUTE }, GET, false, 0, { 0 }, 0, 0, NULL },
          { "x", "d", "ping" },
          1,
          "m",
          "again later" },
    };
    const char *words = cases[_i].words;

    memcpy(line, cases[_i].line, sizeof(line));
    operand = cases[_i].operand;
    ck_assert_int_eq(ask(&cases[_i].row), 0);
    ck_assert_int_eq(said.code, STATUS_SERVICE_UNAVAILABLE);
    ck_assert_msg(
        strlen(said.message) >= strlen(words)
            && strcmp(said.message + strlen(said.message) - strlen(words),
                      words)
                   == 0,
        "%s", said.message);
    ck_assert_str_eq(said.hint, cases[_i].hint);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, by_the_table, 0, ARRAY_SIZE(rows));
    tcase_add_test(tcase, stays_while_silent);
    tcase_add_loop_test(tcase, by_configuration, 0, 4);
    tcase_add_loop_test(tcase, busy_words, 0, 6);
}
