/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Not faster than asked for, and not much slower. */
#include <config.h>

#include "host/copy/throttle.h"

#include "unit/unit.h"

const char unit_name[] = "throttle";

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)

static const struct {
    int64_t rate, wanted, turn;
} turns[] = {
    { 0, 123456789, 123456789 }, /* no limit */
    { -5, 123456789, 123456789 },
    { 10 * MIB, 64 * MIB, MIB }, /* 100 ms worth */
    { 10 * MIB, 1000, 1000 },    /* no more than there is */
    { 10 * MIB, 0, 0 },
    { 1, 64 * MIB, 4 * KIB }, /* no useless turns */
    { 40 * KIB, 64 * MIB, 4 * KIB },
    { 50 * KIB, 64 * MIB, 5 * KIB },
    { INT64_MAX, INT64_MAX, INT64_MAX / 10 },
};

START_TEST(one_turn)
{
    struct throttle throttle;

    throttle_init(&throttle, turns[_i].rate);
    ck_assert_int_eq(throttle_turn(&throttle, turns[_i].wanted),
                     turns[_i].turn);
}
END_TEST

START_TEST(no_limit)
{
    struct throttle throttle;

    throttle_init(&throttle, 0);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(throttle_wait_ms(&throttle, i, 1000 * MIB), 0);
}
END_TEST

static const int64_t rates[] = { 1000, 4096, 100 * KIB, 2 * MIB, 333333333 };

/* A channel that takes no time at all. */
START_TEST(long_run)
{
    int64_t rate = rates[_i];
    int64_t start = INT64_C(987654321);
    int64_t now = start;
    int64_t sent = 0;
    int64_t wanted;
    struct throttle throttle;

    throttle_init(&throttle, rate);
    for (int i = 0; i < 1000; i++) {
        int64_t turn = throttle_turn(&throttle, INT64_MAX);

        sent += turn;
        now += throttle_wait_ms(&throttle, now, turn);
    }
    wanted = (int64_t) ((double) sent * 1000 / (double) rate);
    ck_assert_int_ge(now - start, wanted);
    ck_assert_int_le(now - start, wanted + wanted / 100 + 1);
}
END_TEST

/* Each turn takes 60 of its 100 ms: the rest is waited for. */
START_TEST(slow_channel)
{
    int64_t now = 5000;
    struct throttle throttle;

    throttle_init(&throttle, 10 * MIB);
    ck_assert_int_eq(throttle_wait_ms(&throttle, now, MIB), 100);
    for (int i = 0; i < 20; i++) {
        now += 160;
        ck_assert_int_eq(throttle_wait_ms(&throttle, now, MIB), 40);
        now -= 60;
    }
}
END_TEST

/* A channel slower than the limit is never waited for. */
START_TEST(slower)
{
    int64_t now = 5000;
    struct throttle throttle;

    throttle_init(&throttle, 10 * MIB);
    throttle_wait_ms(&throttle, now, MIB);
    now += 100;
    for (int i = 0; i < 20; i++) {
        now += 150;
        ck_assert_int_eq(throttle_wait_ms(&throttle, now, MIB), 0);
    }
}
END_TEST

/* After a minute of silence one turn is free, and not a minute's worth. */
START_TEST(no_flood)
{
    int64_t now = 5000;
    struct throttle throttle;

    throttle_init(&throttle, 10 * MIB);
    throttle_wait_ms(&throttle, now, MIB);
    now += 60000;
    ck_assert_int_eq(throttle_wait_ms(&throttle, now, MIB), 0);
    ck_assert_int_eq(throttle_wait_ms(&throttle, now, MIB), 100);
    ck_assert_int_eq(throttle_wait_ms(&throttle, now + 100, MIB), 100);
}
END_TEST

/* The clock may begin at 0, and the first turn has its time even then. */
START_TEST(first)
{
    struct throttle throttle;

    throttle_init(&throttle, 10 * MIB);
    ck_assert_int_eq(throttle_wait_ms(&throttle, 0, MIB), 100);
    throttle_init(&throttle, 1);
    ck_assert_int_eq(throttle_wait_ms(&throttle, 0, 4096), 4096000);
    throttle_init(&throttle, 10 * MIB);
    ck_assert_int_eq(throttle_wait_ms(&throttle, 7, 0), 0);
    throttle_init(&throttle, INT64_MAX);
    ck_assert_int_eq(throttle_wait_ms(&throttle, 7, 100), 1);
    throttle_init(&throttle, 1 << 20);
    ck_assert_int_gt(throttle_wait_ms(&throttle, 7, INT64_MAX), 1000000);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, one_turn, 0, ARRAY_SIZE(turns));
    tcase_add_test(tcase, no_limit);
    tcase_add_loop_test(tcase, long_run, 0, ARRAY_SIZE(rates));
    tcase_add_test(tcase, slow_channel);
    tcase_add_test(tcase, slower);
    tcase_add_test(tcase, no_flood);
    tcase_add_test(tcase, first);
}
