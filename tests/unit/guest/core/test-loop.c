/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/core/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "unit/guest/spin.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "loop";

#define MANY 20

static struct loop loop;

static void setup(void)
{
    ck_assert_int_eq(loop_init(&loop), 0);
}

static void teardown(void)
{
    loop_free(&loop);
}

/* --- descriptors --------------------------------------------------------- */

/* A pipe whose reading end is watched and always ready. */
struct item {
    struct loop_fd watch;
    int other;
    int calls;
    void (*act)(struct item *item);
};

static struct item items[MANY];

static void item_ready(void *arg, short revents)
{
    struct item *item = arg;

    ck_assert_int_ne(revents, 0);
    item->calls++;
    if (item->act)
        item->act(item);
}

static void items_open(void)
{
    for (int i = 0; i < MANY; i++) {
        int ends[2];

        ck_assert_int_eq(pipe(ends), 0);
        ck_assert_int_eq(write(ends[1], "x", 1), 1);
        items[i] = (struct item) { .other = ends[1] };
        items[i].watch = (struct loop_fd) { .fd = ends[0],
                                            .events = POLLIN,
                                            .ready = item_ready,
                                            .arg = &items[i] };
        loop_fd_add(&loop, &items[i].watch);
        loop_fd_add(&loop, &items[i].watch); /* once is enough */
    }
}

static void items_close(void)
{
    for (int i = 0; i < MANY; i++) {
        loop_fd_remove(&loop, &items[i].watch);
        loop_fd_remove(&loop, &items[i].watch);
        close(items[i].watch.fd);
        close(items[i].other);
    }
    ck_assert_ptr_eq(loop.fds, &loop.signal_watch);
    ck_assert_ptr_null(loop.fds->next);
}

/* One turn, and no more: everything is ready. */
static void one_turn(void)
{
    loop.stop = false;
    for (int i = 0; i < MANY; i++)
        items[i].calls = 0;
    ck_assert_int_eq(loop_run(&loop), 0);
}

static void stop(struct item *item)
{
    (void) item;
    loop.stop = true;
}

START_TEST(everybody_once)
{
    items_open();
    items[3].act = stop;
    one_turn();
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(items[i].calls, 1);
    items_close();
}
END_TEST

static void remove_all(struct item *item)
{
    (void) item;
    for (int i = 0; i < MANY; i++)
        loop_fd_remove(&loop, &items[i].watch);
    loop.stop = true;
}

/* Whoever is called first removes all others: nobody else is called, though
 * poll() has told of them. */
START_TEST(removed_inside_a_callback)
{
    int calls = 0;

    items_open();
    for (int i = 0; i < MANY; i++)
        items[i].act = remove_all;
    one_turn();
    for (int i = 0; i < MANY; i++)
        calls += items[i].calls;
    ck_assert_int_eq(calls, 1);
    items_close();
}
END_TEST

static void free_all(struct item *item)
{
    remove_all(item);
    for (int i = 0; i < MANY; i++)
        items[i] = (struct item) { .other = -1, .watch.fd = -1 };
    item->calls = 1;
}

/* The objects may be gone as well. */
START_TEST(freed_inside_a_callback)
{
    items_open();
    for (int i = 0; i < MANY; i++)
        items[i].act = free_all;
    one_turn();
}
END_TEST

static void replace_others(struct item *item)
{
    for (int i = 0; i < MANY; i++) {
        if (&items[i] == item)
            continue;
        loop_fd_remove(&loop, &items[i].watch);
        loop_fd_add(&loop, &items[i].watch);
    }
    loop.stop = true;
}

/* Taken out and put in again: the event was of the one before. */
START_TEST(replaced_inside_a_callback)
{
    int calls = 0;

    items_open();
    for (int i = 0; i < MANY; i++)
        items[i].act = replace_others;
    one_turn();
    for (int i = 0; i < MANY; i++)
        calls += items[i].calls;
    ck_assert_int_eq(calls, 1);
    items_close();
}
END_TEST

/* No events, or no descriptor: not polled, so a hang-up does not spin. */
START_TEST(not_polled)
{
    items_open();
    close(items[0].other);
    items[0].watch.events = 0;
    items[0].other = -1;
    for (int i = 1; i < MANY; i++)
        loop_fd_remove(&loop, &items[i].watch);
    spin_for(&loop, 50);
    ck_assert_int_eq(items[0].calls, 0);
    items[0].watch.events = POLLIN;
    items[0].act = stop;
    one_turn();
    ck_assert_int_eq(items[0].calls, 1);
    items_close();
}
END_TEST

/* --- timers -------------------------------------------------------------- */

static int order[MANY * 4];
static int n_order;

struct alarm {
    struct loop_timer timer;
    int name;
    int again_ms; /* starts itself again */
    struct alarm *stops;
};

static void alarm_expired(void *arg)
{
    struct alarm *alarm = arg;

    ck_assert(!alarm->timer.linked);
    ck_assert_int_ge(clock_ms(), alarm->timer.due);
    order[n_order++] = alarm->name;
    if (alarm->stops)
        loop_timer_stop(&loop, &alarm->stops->timer);
    if (alarm->again_ms)
        loop_timer_start(&loop, &alarm->timer, alarm->again_ms);
}

static void alarm_start(struct alarm *alarm, int name, int ms)
{
    *alarm = (struct alarm) { .name = name };
    alarm->timer.expired = alarm_expired;
    alarm->timer.arg = alarm;
    loop_timer_start(&loop, &alarm->timer, ms);
}

START_TEST(timers_in_order)
{
    static const int waits[] = { 60, 20, 40, 0, 20, 90, 1 };
    static const int want[] = { 3, 6, 1, 4, 2, 0, 5 };
    struct alarm alarms[ARRAY_SIZE(waits)];

    for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
        alarm_start(&alarms[i], (int) i, waits[i]);
    spin_for(&loop, 300);
    ck_assert_int_eq(n_order, ARRAY_SIZE(waits));
    for (int i = 0; i < n_order; i++)
        ck_assert_int_eq(order[i], want[i]);
    ck_assert_ptr_null(loop.timers);
}
END_TEST

START_TEST(timers_stopped)
{
    struct alarm alarms[4];

    for (int i = 0; i < 4; i++)
        alarm_start(&alarms[i], i, 20);
    loop_timer_stop(&loop, &alarms[1].timer);
    loop_timer_stop(&loop, &alarms[1].timer);
    alarms[0].stops = &alarms[2]; /* due at the same time */
    spin_for(&loop, 100);
    ck_assert_int_eq(n_order, 2);
    ck_assert_int_eq(order[0], 0);
    ck_assert_int_eq(order[1], 3);
}
END_TEST

START_TEST(timer_started_again)
{
    struct alarm alarm;
    struct alarm other;

    alarm_start(&alarm, 1, 10);
    alarm_start(&other, 2, 60);
    loop_timer_start(&loop, &alarm.timer, 200); /* later: once, then */
    spin_for(&loop, 120);
    ck_assert_int_eq(n_order, 1);
    ck_assert_int_eq(order[0], 2);
    alarm.again_ms = 10;
    spin_for(&loop, 250);
    ck_assert_int_ge(n_order, 3);
    ck_assert_int_eq(order[1], 1);
    loop_timer_stop(&loop, &alarm.timer);
}
END_TEST

/* --- signals ------------------------------------------------------------- */

static int arrived[2];

static void on_usr1(void *arg)
{
    (void) arg;
    arrived[0]++;
}

static void on_usr2(void *arg)
{
    (void) arg;
    arrived[1]++;
}

START_TEST(signals)
{
    ck_assert_int_eq(loop_signal_add(&loop, SIGUSR1, on_usr1, NULL), 0);
    ck_assert_int_eq(loop_signal_add(&loop, SIGUSR2, on_usr2, NULL), 0);
    raise(SIGUSR1);
    raise(SIGUSR2);
    ck_assert_int_eq(arrived[0] + arrived[1], 0);
    spin_for(&loop, 20);
    ck_assert_int_eq(arrived[0], 1);
    ck_assert_int_eq(arrived[1], 1);
}
END_TEST

START_TEST(too_many_signals)
{
    for (int i = 0; i < LOOP_SIGNALS; i++)
        ck_assert_int_eq(loop_signal_add(&loop, SIGRTMIN + i, on_usr1, NULL),
                         0);
    ck_assert_int_eq(loop_signal_add(&loop, SIGUSR1, on_usr1, NULL), -ENOSPC);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, everybody_once);
    tcase_add_test(tcase, removed_inside_a_callback);
    tcase_add_test(tcase, freed_inside_a_callback);
    tcase_add_test(tcase, replaced_inside_a_callback);
    tcase_add_test(tcase, not_polled);
    tcase_add_test(tcase, timers_in_order);
    tcase_add_test(tcase, timers_stopped);
    tcase_add_test(tcase, timer_started_again);
    tcase_add_test(tcase, signals);
    tcase_add_test(tcase, too_many_signals);
}
