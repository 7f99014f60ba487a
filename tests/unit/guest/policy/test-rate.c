/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/policy/rate.h"

#include "unit/unit.h"

const char unit_name[] = "rate";

/* A time that no test reaches by accident. */
#define T 5000000

struct step {
    int64_t at;
    int64_t wait; /* what rate_take() has to say */
};

static void run(int64_t per_second, int64_t per_minute,
                const struct step *steps, size_t n)
{
    struct rate rate;

    ck_assert_int_eq(rate_init(&rate, per_second, per_minute), 0);
    for (size_t i = 0; i < n; i++) {
        int64_t wait = rate_take(&rate, T + steps[i].at);

        ck_assert_msg(wait == steps[i].wait, "step %zu at %d: %d", i,
                      (int) steps[i].at, (int) wait);
    }
    rate_free(&rate);
}

START_TEST(seconds)
{
    static const struct step steps[] = {
        { 0, 0 },      { 10, 0 },      { 10, 0 },   { 10, 990 }, { 999, 1 },
        { 1000, 0 },   { 1000, 10 },   { 1009, 1 }, { 1010, 0 }, { 1010, 0 },
        { 1010, 990 }, { 1999, 1 },    { 2000, 0 }, { 9999, 0 }, { 9999, 0 },
        { 9999, 0 },   { 9999, 1000 },
    };

    run(3, 0, steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(minutes)
{
    static const struct step steps[] = {
        { 0, 0 },      { 30000, 0 },  { 30000, 30000 },
        { 59999, 1 },  { 60000, 0 },  { 60000, 30000 },
        { 89999, 1 },  { 90000, 0 },  { 90000, 30000 },
        { 500000, 0 }, { 500000, 0 }, { 500001, 59999 },
    };

    run(0, 2, steps, ARRAY_SIZE(steps));
}
END_TEST

/* The longer wait counts, and a refusal is not an operation. */
START_TEST(both)
{
    static const struct step steps[] = {
        { 0, 0 },     { 0, 1000 },  { 500, 500 },    { 1000, 0 },
        { 1999, 1 },  { 2000, 0 },  { 2500, 57500 }, { 3000, 57000 },
        { 59999, 1 }, { 60000, 0 }, { 60000, 1000 }, { 60999, 1 },
        { 61000, 0 },
    };

    run(1, 3, steps, ARRAY_SIZE(steps));
}
END_TEST

/* A minute's limit below a second's is no less exact. */
START_TEST(minute_below_second)
{
    static const struct step steps[] = {
        { 0, 0 },     { 0, 0 },     { 0, 60000 },     { 59999, 1 },
        { 60000, 0 }, { 60000, 0 }, { 60001, 59999 },
    };

    run(5, 2, steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(off)
{
    struct rate rate;

    ck_assert_int_eq(rate_init(&rate, 0, 0), 0);
    ck_assert_ptr_null(rate.times);
    for (int i = 0; i < 100000; i++)
        ck_assert_int_eq(rate_take(&rate, T), 0);
    rate_free(&rate);
}
END_TEST

/* Against a plain count of every window, with a busy sequence of times. */
START_TEST(as_a_count_has_it)
{
    enum { STEPS = 20000 };
    static int64_t taken[STEPS];
    size_t n = 0;
    uint32_t random = 1;
    int64_t now = T;
    struct rate rate;

    ck_assert_int_eq(rate_init(&rate, 10, 100), 0);
    for (int i = 0; i < STEPS; i++) {
        size_t second = 0;
        size_t minute = 0;

        random = random * 1664525 + 1013904223;
        now += (random >> 24) < 250 ? (random >> 16) % 60 : 20000;
        for (size_t k = n; k > 0 && taken[k - 1] > now - 60000; k--) {
            minute++;
            second += taken[k - 1] > now - 1000;
        }
        if (rate_take(&rate, now) == 0) {
            ck_assert_uint_lt(second, 10);
            ck_assert_uint_lt(minute, 100);
            taken[n++] = now;
        } else {
            ck_assert(second == 10 || minute == 100);
        }
    }
    ck_assert_uint_gt(n, 1000);
    rate_free(&rate);
}
END_TEST

START_TEST(wait_is_enough)
{
    struct rate rate;
    int64_t now = T;

    ck_assert_int_eq(rate_init(&rate, 7, 31), 0);
    for (int i = 0; i < 1000; i++) {
        int64_t wait = rate_take(&rate, now);

        ck_assert_int_ge(wait, 0);
        if (wait) {
            ck_assert_int_ne(rate_take(&rate, now + wait - 1), 0);
            now += wait;
            ck_assert_int_eq(rate_take(&rate, now), 0);
        }
        now += i % 3;
    }
    rate_free(&rate);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, seconds);
    tcase_add_test(tcase, minutes);
    tcase_add_test(tcase, both);
    tcase_add_test(tcase, minute_below_second);
    tcase_add_test(tcase, off);
    tcase_add_test(tcase, as_a_count_has_it);
    tcase_add_test(tcase, wait_is_enough);
}
