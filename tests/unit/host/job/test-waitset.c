/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/job/waitset.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/unit.h"
#include "util/clock.h"
#include "util/fd.h"

const char unit_name[] = "waitset";

#define LONG_MS (20 * 1000) /* what must not be waited for takes as long */

static struct waitset set;
static int pipes[WAITSET_SLOTS][2];

static void setup(void)
{
    set = (struct waitset) WAITSET_INIT;
    ck_assert_int_eq(waitset_open(&set), 0);
    for (int i = 0; i < WAITSET_SLOTS; i++)
        ck_assert_int_eq(
            socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipes[i]), 0);
}

static void teardown(void)
{
    waitset_close(&set);
    for (int i = 0; i < WAITSET_SLOTS; i++) {
        fd_close(&pipes[i][0]);
        fd_close(&pipes[i][1]);
    }
}

static void ring(int slot)
{
    ck_assert_int_eq(write(pipes[slot][1], "x", 1), 1);
}

/* The one descriptor is readable when something is ready, and only then. */
static void check(unsigned int ready)
{
    ck_assert_int_eq(fd_wait(set.fd, POLLIN, 0), ready ? 0 : -ETIMEDOUT);
    ck_assert_uint_eq(waitset_wait(&set, 0), ready);
}

START_TEST(each_slot)
{
    unsigned int ready = 0;

    check(0);
    for (int slot = 0; slot < WAITSET_SLOTS; slot++) {
        ck_assert_int_eq(
            waitset_set(&set, (enum waitset_slot) slot, pipes[slot][0]), 0);
        if (slot == WAITSET_OUTPUT)
            ready |= 1U << slot; /* there is room in it */
        check(ready);
    }
    for (int slot = 0; slot < WAITSET_SLOTS; slot++) {
        ring(slot); /* for output it makes no difference */
        ready |= 1U << slot;
        check(ready);
    }
    for (int slot = 0; slot < WAITSET_SLOTS; slot++) {
        ck_assert_int_eq(waitset_set(&set, (enum waitset_slot) slot, -1), 0);
        ready &= ~(1U << slot);
        check(ready);
    }
}
END_TEST

/* What was told once is told again until it is taken. */
START_TEST(until_taken)
{
    char c;

    ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, pipes[0][0]), 0);
    ring(0);
    check(1U << WAITSET_INPUT);
    check(1U << WAITSET_INPUT);
    ck_assert_int_eq(read(pipes[0][0], &c, 1), 1);
    check(0);
}
END_TEST

START_TEST(end_of_input)
{
    ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, pipes[0][0]), 0);
    check(0);
    fd_close(&pipes[0][1]);
    check(1U << WAITSET_INPUT);
}
END_TEST

/* A reader that does not read, and one that has gone. */
START_TEST(output)
{
    char block[4096] = "";

    while (send(pipes[0][0], block, sizeof(block), MSG_DONTWAIT) > 0)
        ;
    ck_assert_int_eq(waitset_set(&set, WAITSET_OUTPUT, pipes[0][0]), 0);
    check(0);
    ring(0); /* something to read is no room to write */
    check(0);
    fd_close(&pipes[0][1]);
    check(1U << WAITSET_OUTPUT);
}
END_TEST

START_TEST(replaced)
{
    ck_assert_int_eq(waitset_set(&set, WAITSET_LOCK, pipes[0][0]), 0);
    ck_assert_int_eq(waitset_set(&set, WAITSET_LOCK, pipes[1][0]), 0);
    ring(0);
    check(0);
    ring(1);
    check(1U << WAITSET_LOCK);
    /* the same once more, and the first one back */
    ck_assert_int_eq(waitset_set(&set, WAITSET_LOCK, pipes[1][0]), 0);
    check(1U << WAITSET_LOCK);
    ck_assert_int_eq(waitset_set(&set, WAITSET_LOCK, pipes[0][0]), 0);
    check(1U << WAITSET_LOCK);
    /* it was taken out before: another slot may have it */
    ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, pipes[1][0]), 0);
    check(1U << WAITSET_LOCK | 1U << WAITSET_INPUT);
}
END_TEST

/* Always ready, which the kernel does not wait for; and the slot is empty. */
START_TEST(no_waiting_for_files)
{
    static const char *const files[] = { "/dev/null", "/proc/self/exe" };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        AUTO_CLOSE int fd = open(files[i], O_RDONLY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, pipes[0][0]), 0);
        ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, fd), -EPERM);
        ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, fd), -EPERM);
        ring(0);
        check(0);
        ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, pipes[0][0]), 0);
        check(1U << WAITSET_INPUT);
        ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, -1), 0);
    }
}
END_TEST

/* The number of one that was closed belongs to the next one that is opened. */
START_TEST(closed_descriptor)
{
    int number = pipes[0][0];

    ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, number), 0);
    ring(0);
    /* in the order that is asked for */
    ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, -1), 0);
    ck_assert_int_eq(dup2(pipes[1][0], number), number);
    ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, number), 0);
    check(0);
    ring(1);
    check(1U << WAITSET_INPUT);
    /* closed too early: nothing comes of it, and the slot can be used again */
    fd_close(&pipes[0][0]);
    ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, -1), 0);
    ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, number), -EBADF);
    ck_assert_int_eq(waitset_set(&set, WAITSET_INPUT, pipes[2][0]), 0);
    ring(2);
    ck_assert_uint_eq(waitset_wait(&set, 0) & 1U << WAITSET_INPUT,
                      1U << WAITSET_INPUT);
}
END_TEST

START_TEST(waits)
{
    int64_t before = clock_ms();

    ck_assert_int_eq(waitset_set(&set, WAITSET_SIGNAL, pipes[0][0]), 0);
    ck_assert_uint_eq(waitset_wait(&set, 50), 0);
    ck_assert_int_ge(clock_ms() - before, 50);
    ring(0);
    ck_assert_uint_eq(waitset_wait(&set, LONG_MS), 1U << WAITSET_SIGNAL);
    ck_assert_uint_eq(waitset_wait(&set, -1), 1U << WAITSET_SIGNAL);
    ck_assert_int_lt(clock_ms() - before, LONG_MS);
}
END_TEST

START_TEST(not_begun)
{
    struct waitset none = WAITSET_INIT;

    waitset_close(&none);
    waitset_close(&set);
    ck_assert_int_eq(set.fd, -1);
    waitset_close(&set);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, each_slot);
    tcase_add_test(tcase, until_taken);
    tcase_add_test(tcase, end_of_input);
    tcase_add_test(tcase, output);
    tcase_add_test(tcase, replaced);
    tcase_add_test(tcase, no_waiting_for_files);
    tcase_add_test(tcase, closed_descriptor);
    tcase_add_test(tcase, waits);
    tcase_add_test(tcase, not_begun);
}
