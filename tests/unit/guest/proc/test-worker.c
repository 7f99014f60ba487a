/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/proc/worker.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/guest/spin.h"
#include "unit/unit.h"

const char unit_name[] = "worker";

static struct loop loop;
static struct procs procs;

/* The worker's side reads value; the agent's side notes the rest. */
struct work {
    int value;
    int calls;
    bool reported;
    uint8_t report[WORKER_REPORT_MAX];
};

static void setup(void)
{
    ck_assert_int_eq(loop_init(&loop), 0);
    ck_assert_int_eq(procs_init(&procs, &loop), 0);
}

static void teardown(void)
{
    ck_assert(spin_until(&loop, spin_childless, NULL));
    ck_assert_ptr_null(procs.list);
    loop_free(&loop);
}

static void note(void *arg, const void *report)
{
    struct work *work = arg;

    work->calls++;
    work->reported = report != NULL;
    if (report)
        memcpy(work->report, report, WORKER_REPORT_MAX);
}

static bool is_done(void *arg)
{
    const struct work *work = arg;

    return work->calls > 0;
}

static void run(worker_main *main, struct work *work)
{
    struct worker *worker = NULL;

    ck_assert_int_eq(worker_start(&procs, main, note, work, &worker), 0);
    ck_assert_ptr_nonnull(worker);
    ck_assert(spin_until(&loop, is_done, work));
    ck_assert_int_eq(work->calls, 1);
}

static void fills(void *arg, void *report)
{
    struct work *work = arg;

    memset(report, work->value, WORKER_REPORT_MAX);
    work->value = 99; /* in the worker's own memory only */
}

START_TEST(whole_report)
{
    struct work work = { .value = 0xA5 };

    run(fills, &work);
    ck_assert(work.reported);
    for (size_t i = 0; i < WORKER_REPORT_MAX; i++)
        ck_assert_int_eq(work.report[i], 0xA5);
    ck_assert_int_eq(work.value, 0xA5);
}
END_TEST

static void says_little(void *arg, void *report)
{
    (void) arg;
    *(char *) report = 'x';
}

START_TEST(zeroed_report)
{
    struct work work = { 0 };

    run(says_little, &work);
    ck_assert(work.reported);
    ck_assert_int_eq(work.report[0], 'x');
    for (size_t i = 1; i < WORKER_REPORT_MAX; i++)
        ck_assert_int_eq(work.report[i], 0);
}
END_TEST

static void dies(void *arg, void *report)
{
    memset(report, 1, WORKER_REPORT_MAX);
    raise(*(int *) arg);
}

static void leaves(void *arg, void *report)
{
    (void) arg;
    memset(report, 1, WORKER_REPORT_MAX);
    _exit(0);
}

START_TEST(death_without_report)
{
    static const int signals[] = { SIGKILL, SIGTERM, SIGALRM };

    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        struct work work = { .value = signals[i] };

        run(dies, &work);
        ck_assert(!work.reported);
    }
    for (int i = 0; i < 1; i++) {
        struct work work = { 0 };

        run(leaves, &work);
        ck_assert(!work.reported);
    }
}
END_TEST

static void stays(void *arg, void *report)
{
    (void) arg;
    (void) report;
    for (;;)
        pause();
}

/* The report alone is nothing, when the worker dies behind it. */
START_TEST(cancel)
{
    for (int i = 0; i < 2; i++) {
        struct work work = { 0 };
        struct worker *worker;

        ck_assert_int_eq(worker_start(&procs, stays, note, &work, &worker), 0);
        if (i)
            spin_for(&loop, 50);
        worker_cancel(worker);
        ck_assert(spin_until(&loop, spin_childless, NULL));
        spin_for(&loop, 20);
        ck_assert_int_eq(work.calls, 0);
    }
}
END_TEST

/* It has ended, and the loop has not heard of it yet. */
START_TEST(cancel_too_late)
{
    struct work work = { 0 };
    struct worker *worker;
    siginfo_t ended;

    ck_assert_int_eq(worker_start(&procs, says_little, note, &work, &worker),
                     0);
    ck_assert_int_eq(waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT), 0);
    worker_cancel(worker);
    ck_assert(spin_until(&loop, spin_childless, NULL));
    ck_assert_int_eq(work.calls, 0);
}
END_TEST

START_TEST(many)
{
    enum { MANY = 40 };
    static struct work works[MANY];
    struct worker *worker;

    for (int i = 0; i < MANY; i++) {
        works[i].value = i;
        ck_assert_int_eq(worker_start(&procs, fills, note, &works[i], &worker),
                         0);
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert(spin_until(&loop, is_done, &works[i]));
        ck_assert_int_eq(works[i].report[WORKER_REPORT_MAX - 1], i);
    }
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, whole_report);
    tcase_add_test(tcase, zeroed_report);
    tcase_add_test(tcase, death_without_report);
    tcase_add_test(tcase, cancel);
    tcase_add_test(tcase, cancel_too_late);
    tcase_add_test(tcase, many);
}
