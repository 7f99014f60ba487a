/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/client/retry.h"

#include <errno.h>

#include "proto/status.h"
#include "unit/unit.h"

const char unit_name[] = "retry";

static struct retry_policy policy;
static struct retry_count count;

/* The section "retry" of a configuration; as the specification has it. */
static void configure(int64_t max_retries, int64_t interval_ms,
                      int64_t backoff_factor)
{
    const struct config config = { .max_retries = max_retries,
                                   .retry_interval = interval_ms,
                                   .backoff_factor = backoff_factor,
                                   .timeout_retries = 2,
                                   .timeout_interval = 5000,
                                   .internal_retries = 1,
                                   .internal_interval = 10000 };

    retry_policy_init(&policy, &config);
}

static void setup(void)
{
    configure(3, 1000, 2);
    count = (struct retry_count) { 0 };
}

static int64_t next(enum retry_class class)
{
    return retry_next(&policy, &count, class, -1);
}

/* The specification's table. */
START_TEST(network)
{
    ck_assert_int_eq(next(RETRY_NETWORK), 1000);
    ck_assert_int_eq(next(RETRY_NETWORK), 2000);
    ck_assert_int_eq(next(RETRY_NETWORK), 4000);
    ck_assert_int_eq(next(RETRY_NETWORK), -1);
    ck_assert_int_eq(next(RETRY_NETWORK), -1);
}
END_TEST

START_TEST(timeout)
{
    ck_assert_int_eq(next(RETRY_TIMEOUT), 5000);
    ck_assert_int_eq(next(RETRY_TIMEOUT), 5000);
    ck_assert_int_eq(next(RETRY_TIMEOUT), -1);
}
END_TEST

START_TEST(internal)
{
    ck_assert_int_eq(next(RETRY_INTERNAL), 10000);
    ck_assert_int_eq(next(RETRY_INTERNAL), -1);
}
END_TEST

START_TEST(session)
{
    ck_assert_int_eq(retry_class_of_status(STATUS_SESSION_EXPIRED),
                     RETRY_SESSION);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(next(RETRY_SESSION), 0);
    ck_assert_int_eq(next(RETRY_SESSION), -1);
}
END_TEST

START_TEST(never)
{
    ck_assert_int_eq(next(RETRY_NEVER), -1);
}
END_TEST

/* Each class has its own account. */
START_TEST(apart)
{
    ck_assert_int_eq(next(RETRY_NETWORK), 1000);
    ck_assert_int_eq(next(RETRY_INTERNAL), 10000);
    ck_assert_int_eq(next(RETRY_NETWORK), 2000);
    ck_assert_int_eq(next(RETRY_TIMEOUT), 5000);
    ck_assert_int_eq(next(RETRY_INTERNAL), -1);
    ck_assert_int_eq(next(RETRY_NETWORK), 4000);
}
END_TEST

/* What the agent asks for; in all not more than two minutes. */
START_TEST(busy)
{
    ck_assert_int_eq(retry_next(&policy, &count, RETRY_BUSY, 1), 1000);
    ck_assert_int_eq(retry_next(&policy, &count, RETRY_BUSY, 60), 60000);
    ck_assert_int_eq(retry_next(&policy, &count, RETRY_BUSY, 60), -1);
    ck_assert_int_eq(retry_next(&policy, &count, RETRY_BUSY, 59), 59000);
    ck_assert_int_eq(retry_next(&policy, &count, RETRY_BUSY, 1), -1);
    ck_assert_int_eq(retry_next(&policy, &count, RETRY_BUSY, 0), -1);
}
END_TEST

/* The number is the guest's. */
START_TEST(busy_lies)
{
    static const int64_t waits[] = { 121, INT32_MAX, INT64_MAX / 1000,
                                     INT64_MAX };

    for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
        ck_assert_int_eq(retry_next(&policy, &count, RETRY_BUSY, waits[i]),
                         -1);
    ck_assert_int_eq(count.busy_ms, 0);
    count.busy_ms = 0;
    ck_assert_int_gt(retry_next(&policy, &count, RETRY_BUSY, -1), 0);
    ck_assert_int_gt(retry_next(&policy, &count, RETRY_BUSY, INT64_MIN), 0);
}
END_TEST

/* It names no wait: soon at first, and then every few seconds. */
START_TEST(busy_without_a_word)
{
    static const int64_t waits[] = {
        100, 200, 400, 800, 1600, 3200, 5000, 5000
    };
    int64_t sum = 0;
    int n = 0;

    for (;; n++) {
        int64_t wait = retry_next(&policy, &count, RETRY_BUSY, n % 2 - 1);

        if (wait < 0)
            break;
        if (n < (int) ARRAY_SIZE(waits))
            ck_assert_int_eq(wait, waits[n]);
        ck_assert_int_gt(wait, 0);
        sum += wait;
    }
    ck_assert_int_eq(sum, RETRY_BUSY_MS);
    ck_assert_int_lt(n, 40);
}
END_TEST

START_TEST(configured)
{
    configure(0, 1000, 2);
    ck_assert_int_eq(next(RETRY_NETWORK), -1);
    ck_assert_int_eq(next(RETRY_TIMEOUT), 5000); /* is not network's */
    configure(2, 0, 5);
    ck_assert_int_eq(next(RETRY_NETWORK), 0);
    ck_assert_int_eq(next(RETRY_NETWORK), 0);
    ck_assert_int_eq(next(RETRY_NETWORK), -1);
}
END_TEST

/* The largest numbers that the configuration takes: no wait is more than a
 * minute, none overflows. */
START_TEST(backoff_is_bounded)
{
    configure(100, 3600000, 10);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(next(RETRY_NETWORK), 60000);
    ck_assert_int_eq(next(RETRY_NETWORK), -1);
    setup();
    configure(100, 1, 10);
    ck_assert_int_eq(next(RETRY_NETWORK), 1);
    ck_assert_int_eq(next(RETRY_NETWORK), 10);
    for (int i = 2; i < 100; i++) {
        int64_t wait = next(RETRY_NETWORK);

        ck_assert(wait > 10 && wait <= 60000);
    }
}
END_TEST

START_TEST(classes_of_errnos)
{
    static const struct {
        int code;
        enum retry_class of[3]; /* by stage */
    } rows[] = {
#define ALWAYS(class) { class, class, class }
        { -ECONNRESET, ALWAYS(RETRY_NETWORK) },
        { -EPIPE, ALWAYS(RETRY_NETWORK) },
        { -EBADMSG, ALWAYS(RETRY_NETWORK) },
        { -ECONNREFUSED, { RETRY_NEVER, RETRY_NETWORK, RETRY_NETWORK } },
        { -ENOENT, { RETRY_NEVER, RETRY_NETWORK, RETRY_NETWORK } },
        { -ETIMEDOUT, { RETRY_NEVER, RETRY_TIMEOUT, RETRY_TIMEOUT } },
        { -EHOSTDOWN, { RETRY_NEVER, RETRY_NEVER, RETRY_NETWORK } },
        { -ENXIO, { RETRY_NEVER, RETRY_NEVER, RETRY_NETWORK } },
        { -EBUSY, { RETRY_NEVER, RETRY_NEVER, RETRY_NETWORK } },
        { -EACCES, ALWAYS(RETRY_NEVER) },
        { -EPERM, ALWAYS(RETRY_NEVER) },
        { -EINVAL, ALWAYS(RETRY_NEVER) },
        { -ENOMEM, ALWAYS(RETRY_NEVER) },
        { -EMSGSIZE, ALWAYS(RETRY_NEVER) },
        { -ESRCH, ALWAYS(RETRY_NEVER) },
        { 0, ALWAYS(RETRY_NEVER) },
        { ECONNRESET, ALWAYS(RETRY_NEVER) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (size_t stage = 0; stage < ARRAY_SIZE(rows[i].of); stage++)
            ck_assert_msg(
                retry_class_of_errno(rows[i].code, (enum retry_stage) stage)
                    == rows[i].of[stage],
                "%d at %zu", rows[i].code, stage);
}
END_TEST

/* Parameters and permission are never tried again; of all codes only two
 * are. */
START_TEST(classes_of_codes)
{
    for (int code = 0; code < 10000; code++) {
        enum retry_class want = code == STATUS_INTERNAL_ERROR ? RETRY_INTERNAL
                                : code == STATUS_SERVICE_UNAVAILABLE
                                    ? RETRY_BUSY
                                : code == STATUS_SESSION_EXPIRED
                                    ? RETRY_SESSION
                                    : RETRY_NEVER;

        ck_assert_msg(retry_class_of_status(code) == want, "%d", code);
    }
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, network);
    tcase_add_test(tcase, timeout);
    tcase_add_test(tcase, internal);
    tcase_add_test(tcase, session);
    tcase_add_test(tcase, never);
    tcase_add_test(tcase, apart);
    tcase_add_test(tcase, busy);
    tcase_add_test(tcase, busy_lies);
    tcase_add_test(tcase, busy_without_a_word);
    tcase_add_test(tcase, configured);
    tcase_add_test(tcase, backoff_is_bounded);
    tcase_add_test(tcase, classes_of_errnos);
    tcase_add_test(tcase, classes_of_codes);
}
