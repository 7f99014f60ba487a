/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What was not made durable is not taken for durable. */
#include <config.h>

#include "host/local/flusher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "unit/unit.h"
#include "util/cleanup.h"

const char unit_name[] = "flusher";

/* One that can be made durable, and one that cannot: fdatasync(2) of a pipe. */
static int file = -1;
static int ends[2];

static void begin(void)
{
    AUTO_FREE char *dir = unit_tmpdir();
    AUTO_FREE char *path = unit_path(dir, "file");

    file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(dir), 0);
    ck_assert_int_eq(pipe(ends), 0);
}

static void end(void)
{
    close(file);
    close(ends[0]);
    close(ends[1]);
}

START_TEST(nothing_to_do)
{
    struct flusher flusher = { 0 };

    ck_assert_int_eq(flusher_end(&flusher), 0);
    flusher_written(&flusher, ends[1], FLUSHER_STEP - 1);
    ck_assert(!flusher.running);
    ck_assert_int_eq(flusher_end(&flusher), 0);
}
END_TEST

START_TEST(adds_up)
{
    struct flusher flusher = { 0 };

    flusher_written(&flusher, file, FLUSHER_STEP - 1);
    ck_assert(!flusher.running);
    flusher_written(&flusher, file, 1);
    ck_assert(flusher.running);
    ck_assert_int_eq(flusher_end(&flusher), 0);
    ck_assert(!flusher.running);
    flusher_written(&flusher, file, FLUSHER_STEP - 1);
    ck_assert(!flusher.running);
    ck_assert_int_eq(flusher_end(&flusher), 0);
}
END_TEST

/* One of them fails: what comes after it does not make that good. */
START_TEST(first_error)
{
    struct flusher flusher = { 0 };

    flusher_written(&flusher, ends[1], FLUSHER_STEP);
    while (!atomic_load(&flusher.over))
        usleep(100); /* the step of a poll */
    flusher_written(&flusher, file, FLUSHER_STEP);
    ck_assert(flusher.running);
    ck_assert_int_eq(flusher_end(&flusher), -EINVAL);
    ck_assert_int_eq(flusher_end(&flusher), -EINVAL);
}
END_TEST

/* Whoever waits for a signal gets it, and keeps the signals that it blocks. */
START_TEST(signals_are_ours)
{
    struct flusher flusher = { 0 };
    sigset_t before;
    sigset_t after;

    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    flusher_written(&flusher, file, FLUSHER_STEP);
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    for (int i = 1; i < NSIG; i++)
        ck_assert_int_eq(sigismember(&before, i), sigismember(&after, i));
    ck_assert_int_eq(flusher_end(&flusher), 0);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, nothing_to_do);
    tcase_add_test(tcase, adds_up);
    tcase_add_test(tcase, first_error);
    tcase_add_test(tcase, signals_are_ours);
}
