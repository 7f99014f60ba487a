/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The agent's machine: tokens of sessions, and signs of life. */
#include <config.h>

#include "proto/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "server-token";

#define TOKEN "0123456789abcdef0123456789abcdef"

static const struct route *route_of(enum route_id id)
{
    size_t n;
    const struct route *routes = route_table(&n);

    for (size_t i = 0; i < n; i++)
        if (routes[i].id == id)
            return &routes[i];
    ck_abort_msg("no route %d", (int) id);
}

static const char *const wrong_tokens[] = {
    "",
    "0",
    "0123456789abcdef0123456789abcde",
    "0123456789abcdef0123456789abcdef0",
    "0123456789abcdef0123456789abcdee",
    "1123456789abcdef0123456789abcdef",
    "0123456789ABCDEF0123456789ABCDEF",
};

START_TEST(tokens)
{
    const struct route *route = route_of((enum route_id) _i);
    bool free_for_all = _i == ROUTE_SYNC;
    struct server server;

    server_init(&server);
    for (size_t i = 0; i < ARRAY_SIZE(wrong_tokens); i++) {
        ck_assert(server_session_fits(&server, route, wrong_tokens[i])
                  == free_for_all);
        server_begin(&server, TOKEN);
        ck_assert(server_session_fits(&server, route, wrong_tokens[i])
                  == free_for_all);
        ck_assert(server_session_fits(&server, route, TOKEN));
        ck_assert(server_session_fits(&server, route, NULL));
        if (i % 2)
            server_hangup(&server);
        else
            server_connected(&server, false);
        ck_assert(server_session_fits(&server, route, TOKEN) == free_for_all);
        ck_assert(server_session_fits(&server, route, NULL));
    }
    server_free(&server);
}
END_TEST

/* One sync later the token of the one before is wrong. */
START_TEST(tokens_follow_each_other)
{
    const struct route *route = route_of(ROUTE_PING);
    struct server server;

    server_init(&server);
    server_begin(&server, TOKEN);
    server_begin(&server, "ffffffffffffffffffffffffffffffff");
    ck_assert(!server_session_fits(&server, route, TOKEN));
    ck_assert(server_session_fits(&server, route,
                                  "ffffffffffffffffffffffffffffffff"));
    server_free(&server);
}
END_TEST

static const struct {
    const char *value; /* NULL: no field */
    int result;
    int64_t seconds;
} heartbeats[] = {
    { NULL, 0, 0 },
    { "1", 0, 1 },
    { "2", 0, 2 },
    { "60", 0, 60 },
    { "0", -ERANGE, 0 },
    { "61", -ERANGE, 0 },
    { "", -EINVAL, 0 },
    { "-1", -EINVAL, 0 },
    { "+1", -EINVAL, 0 },
    { "1.5", -EINVAL, 0 },
    { "2s", -EINVAL, 0 },
    { "0x2", -EINVAL, 0 },
    { "99999999999999999999", -ERANGE, 0 },
    { "on", -EINVAL, 0 },
};

START_TEST(heartbeat)
{
    struct http_head head = { .content_length = -1 };
    int64_t seconds = -1;

    if (heartbeats[_i].value)
        head.fields[head.n_fields++] = (struct http_field) {
            "x-heartbeat", heartbeats[_i].value
        };
    ck_assert_int_eq(server_heartbeat(&head, &seconds), heartbeats[_i].result);
    ck_assert_int_eq(seconds, heartbeats[_i].seconds);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, tokens, 0, ROUTE_COUNT);
    tcase_add_test(tcase, tokens_follow_each_other);
    tcase_add_loop_test(tcase, heartbeat, 0, ARRAY_SIZE(heartbeats));
}
