/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What of all that an agent is asked for counts against its rate limit. */
#include <config.h>

#include "guest/request/admission.h"

#include <stdio.h>
#include <string.h>

#include "guest/policy/copies.h"
#include "proto/route.h"
#include "proto/status.h"
#include "unit/guest/rig.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"
#include "util/cleanup.h"
#include "util/clock.h"

const char unit_name[] = "admission";

#define LIMIT 5

static struct rig rig;

static void five_a_minute(struct settings *settings)
{
    settings->per_second = LIMIT;
    settings->per_minute = LIMIT;
}

static void setup(void)
{
    rig_start(&rig, five_a_minute);
}

static void teardown(void)
{
    rig_stop(&rig);
}

/* The minute is over. */
static void fresh(void)
{
    rate_free(&rig.agent.rate);
    ck_assert_int_eq(rate_init(&rig.agent.rate, LIMIT, LIMIT), 0);
}

/* Sends a request of a route.  Return: the HTTP status. */
static int ask(const struct route *route, const char *query,
               const char *fields)
{
    AUTO_FREE char *line = NULL;
    AUTO_FREE char *text = NULL;
    const char *body = strcmp(route->method, "PUT") == 0 ? "x" : NULL;
    struct rig_answer answer;
    int http;

    ck_assert_int_gt(asprintf(&line, "%s %s?path=%s/%s", route->method,
                              route->path, rig.dir, query),
                     0);
    text = rig_request_with(line, fields, body);
    rig_puts(&rig, text);
    rig_wait(&rig);
    if (strcmp(route->method, "HEAD") == 0) {
        const char *got = buf_cstr(&rig.got);

        ck_assert_int_eq(sscanf(got, "HTTP/1.1 %d", &http), 1);
        buf_clear(&rig.got);
        return http;
    }
    rig_answer(&rig, &answer);
    http = answer.http;
    rig_answer_free(&answer);
    return http;
}

/* How many of n requests the limit does not refuse, beginning anew. */
static int let_in(const struct route *route, const char *query, int n)
{
    int passed = 0;

    fresh();
    memset(rig.agent.context.copies, 0, sizeof(struct copies));
    for (int i = 0; i < n; i++)
        passed += ask(route, query, "") != 503;
    return passed;
}

/* Nothing that takes a transfer's id is free because of it. */
START_TEST(constant_words)
{
    static const char *const words[] = {
        "f&transfer=abc",          "f&transfer=constant", "f&transfer=%7a",
        "f&transfer=a&transfer=a", "f&transfer=",
    };
    size_t n;
    const struct route *routes = route_table(&n);

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0;
             routes[i].flags & ROUTE_COPY && k < ARRAY_SIZE(words); k++)
            ck_assert_msg(let_in(&routes[i], words[k], 2 * LIMIT) <= LIMIT,
                          "%s %s %s", routes[i].method, routes[i].path,
                          words[k]);
}
END_TEST

START_TEST(malformed_words)
{
    static const char *const words[] = {
        "g",
        "constant",
        "0x1",
        "-1",
        "+1",
        "%20a",
        "a%00",
        "a/b",
        "..",
        "00000000000000000000000000000000000000000000000000000000000000001",
    };
    char query[128];
    size_t n;
    const struct route *routes = route_table(&n);

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0;
             routes[i].flags & ROUTE_COPY && k < ARRAY_SIZE(words); k++) {
            snprintf(query, sizeof(query), "f&transfer=%s", words[k]);
            fresh();
            ck_assert_msg(ask(&routes[i], query, "") == 400, "%s %s %s",
                          routes[i].method, routes[i].path, words[k]);
        }
}
END_TEST

/* That of an upload that is there does not cover other files. */
START_TEST(of_something_else)
{
    const struct route *put = route_get(ROUTE_CONTENT_PUT);
    const struct route *get = route_get(ROUTE_CONTENT_GET);
    char query[32];
    int passed = 0;

    fresh();
    ck_assert_int_eq(
        ask(put, "up&transfer=ab", "Content-Range: bytes 0-0/9\r\n"), 200);
    for (int i = 0; i < 2 * LIMIT; i++) {
        snprintf(query, sizeof(query), "%d&transfer=ab", i);
        passed += ask(get, query, "") != 503;
    }
    ck_assert_int_eq(passed, LIMIT - 1);
}
END_TEST

/* What is below the folder that was counted goes on, for so many requests. */
START_TEST(of_a_copy)
{
    const struct route *list = route_get(ROUTE_FILE_LIST);
    const struct route *mkdir = route_get(ROUTE_FILE_DIRECTORY);
    char query[32];
    int passed = 1;

    fresh();
    ck_assert_int_eq(ask(list, "&transfer=c0ffee", ""), 200);
    for (int i = 0; i < LIMIT * COPY_REQUESTS; i++) {
        snprintf(query, sizeof(query), "%d&transfer=c0ffee", i);
        passed += ask(mkdir, query, "") == 200;
    }
    ck_assert_int_eq(passed, LIMIT * COPY_REQUESTS);
}
END_TEST

/* An upload whose client is sent away has its parts when that comes back. */
START_TEST(parts_are_kept)
{
    const struct route *put = route_get(ROUTE_CONTENT_PUT);
    const struct route *get = route_get(ROUTE_CONTENT_GET);
    struct transfers *transfers = &rig.agent.transfers;
    char range[64];

    fresh();
    for (int i = 0; i < COPY_REQUESTS; i++) {
        snprintf(range, sizeof(range), "Content-Range: bytes %d-%d/*\r\n", i,
                 i);
        ck_assert_int_eq(ask(put, "up&transfer=ab", range), 200);
    }
    for (int i = 0; i < LIMIT; i++)
        ask(get, "x", "");
    snprintf(range, sizeof(range), "Content-Range: bytes %d-%d/*\r\n",
             COPY_REQUESTS, COPY_REQUESTS);
    ck_assert_int_eq(ask(put, "up&transfer=ab", range), 503);
    rig.agent.context.grace_ms = 1;
    transfers_leave(transfers);
    ck_assert_int_gt(transfers->uploads[0].left_at, clock_ms() + 30000);
    loop_timer_stop(&rig.agent.loop, &transfers->grace);
    ck_assert_ptr_nonnull(transfer_find(transfers, "ab"));
    fresh();
    ck_assert_int_eq(ask(put, "up&transfer=ab", range), 200);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, constant_words);
    tcase_add_test(tcase, malformed_words);
    tcase_add_test(tcase, of_something_else);
    tcase_add_test(tcase, of_a_copy);
    tcase_add_test(tcase, parts_are_kept);
}
