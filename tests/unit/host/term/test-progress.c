/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The line that says how far a copy is, on a terminal of our own. */
#include <config.h>

#include "host/term/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "host/term/out.h"
#include "unit/unit.h"
#include "util/fd.h"

const char unit_name[] = "progress";

#define MIB (INT64_C(1) << 20)

static int master = -1;
static int terminal = -1;
static struct progress *progress;
static int64_t now = 1000;

static int64_t fake_ms(void)
{
    return now;
}

/* Columns 0: it does not say how wide it is. */
static void set_columns(int columns)
{
    struct winsize size = { .ws_row = 24, .ws_col = (unsigned short) columns };

    ck_assert_int_eq(ioctl(terminal, TIOCSWINSZ, &size), 0);
}

static void setup(void)
{
    struct termios mode;

    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(terminal, 0);
    ck_assert_int_eq(tcgetattr(terminal, &mode), 0);
    mode.c_oflag &= ~(tcflag_t) OPOST;
    ck_assert_int_eq(tcsetattr(terminal, TCSANOW, &mode), 0);
    ck_assert_int_eq(fd_nonblock(master), 0);
    set_columns(80);
    progress = progress_new(true, terminal, fake_ms);
    ck_assert_ptr_nonnull(progress);
}

static void teardown(void)
{
    progress_free(progress);
    close(terminal);
    close(master);
}

static char screen[1 << 20];
static size_t screen_n;

/*
 * Takes what is on its way to the screen.  A pty's bytes take a while to its
 * other end, so a mark is sent behind them; by another process, since that
 * waits for room while nobody reads.
 */
static void pull(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(write(terminal, "\x01", 1) != 1);
    do {
        struct pollfd ready = { .fd = master, .events = POLLIN };
        ssize_t got;

        ck_assert_int_eq(poll(&ready, 1, 30000), 1);
        got = read(master, screen + screen_n, sizeof(screen) - screen_n);
        ck_assert_int_gt(got, 0);
        screen_n += (size_t) got;
    } while (screen[screen_n - 1] != '\x01');
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    screen[--screen_n] = '\0';
}

/* What came to the screen since the last look. */
static char *seen(void)
{
    pull();
    screen_n = 0;
    return screen;
}

/* The last line of it, without the erasing in front. */
static char *line(void)
{
    char *text = seen();
    char *last = strrchr(text, '\r');

    ck_assert_msg(last != NULL, "drawn: '%s'", text);
    return last + 1;
}

static void nothing(void)
{
    ck_assert_str_eq(seen(), "");
}

/* So many bytes, evenly, in steps of a tenth of a second. */
static void moves(int64_t bytes, int64_t ms)
{
    for (int64_t i = 0; i < ms / 100; i++) {
        now += 100;
        progress_bytes(progress,
                       bytes * (i + 1) * 100 / ms - bytes * i * 100 / ms);
    }
}

/* Likewise, for long: a screen that nobody looks at has no room in the end. */
static void moves_on(int64_t bytes, int64_t ms)
{
    for (int64_t i = 0; i < ms / 1000; i++) {
        moves(bytes * 1000 / ms, 1000);
        pull();
    }
}

START_TEST(one_file)
{
    progress_file(progress, "disk.img");
    progress_total(progress, 2000 * MIB, 0);
    moves(200 * MIB, 2000);
    ck_assert_str_eq(line(), "disk.img   10%  200.0 MiB  100.0 MiB/s  0:18");
    moves_on(1800 * MIB, 18000);
    ck_assert_str_eq(line(), "disk.img  100%  1.9 GiB  100.0 MiB/s  0:00");
    progress_end(progress);
    ck_assert_str_eq(line(), "");
    now += 1000;
    progress_bytes(progress, 1);
    nothing();
}
END_TEST

START_TEST(unknown_size)
{
    progress_file(progress, "-");
    progress_total(progress, -1, 0);
    moves(3 * MIB, 2000);
    ck_assert_str_eq(line(), "-  3.0 MiB  1.5 MiB/s");
    /* it stays unknown, whatever else there is */
    progress_add_total(progress, 100 * MIB, 0);
    moves(MIB, 1000);
    ck_assert_str_eq(line(), "-  4.0 MiB  1.3 MiB/s");
}
END_TEST

START_TEST(tree)
{
    progress_add_total(progress, 60 * MIB, 600);
    progress_add_total(progress, 40 * MIB, 400);
    for (int i = 0; i < 123; i++)
        progress_file_done(progress);
    progress_file(progress, "dir/name");
    moves(45 * MIB, 3000);
    ck_assert_str_eq(line(), "123/1000 files   45%  45.0 MiB  15.0 MiB/s  "
                             "0:04  dir/name");
    progress_add_total(progress, 100 * MIB, 1);
    moves(0, 100);
    ck_assert_str_eq(line(), "123/1001 files   22%  45.0 MiB  14.5 MiB/s  "
                             "0:11  dir/name");
}
END_TEST

START_TEST(empty_files)
{
    progress_total(progress, 0, 8);
    for (int i = 0; i < 6; i++) {
        now += 100;
        progress_file_done(progress);
    }
    line();
    now += 100;
    progress_file_done(progress);
    ck_assert_str_eq(line(), "7/8 files   87%  0 B  0 B/s  0:00");
}
END_TEST

/* A quick copy says nothing, nor does one draw without end. */
START_TEST(quiet_at_first)
{
    now += 10000; /* to connect may take long */
    progress_total(progress, 100 * MIB, 0);
    for (int i = 0; i < 499; i++) {
        now++;
        progress_bytes(progress, 1);
    }
    progress_clear(progress);
    nothing();
    now++;
    progress_bytes(progress, 1);
    ck_assert_str_ne(line(), "");
    for (int i = 0; i < 99; i++) {
        now++;
        progress_bytes(progress, 1);
        progress_file(progress, "x");
        progress_file_done(progress);
        progress_skip(progress, 1);
    }
    nothing();
    now++;
    progress_bytes(progress, 0);
    ck_assert_str_ne(line(), "");
    progress_end(progress);
}
END_TEST

START_TEST(quick_copy)
{
    progress_total(progress, 1, 0);
    now += 499;
    progress_bytes(progress, 1);
    progress_end(progress);
    nothing();
}
END_TEST

/* What was there already is done, but went through nothing. */
START_TEST(resumed)
{
    progress_total(progress, 1000 * MIB, 0);
    progress_skip(progress, 900 * MIB);
    moves(10 * MIB, 1000);
    ck_assert_str_eq(line(), "   91%  910.0 MiB  10.0 MiB/s  0:09");
    progress_skip(progress, -900 * MIB);
    moves(10 * MIB, 1000);
    ck_assert_str_eq(line(), "    2%  20.0 MiB  10.0 MiB/s  1:38");
    progress_skip(progress, -900 * MIB);
    moves(10 * MIB, 1000);
    ck_assert_str_eq(line(), "    0%  0 B  10.0 MiB/s  3:07");
}
END_TEST

/* The rate is that of the last seconds. */
START_TEST(smoothed)
{
    progress_total(progress, 1000 * MIB, 0);
    moves_on(100 * MIB, 10000);
    ck_assert_str_eq(line(), "   10%  100.0 MiB  10.0 MiB/s  1:30");
    moves(20 * MIB, 1000);
    ck_assert_str_eq(line(), "   12%  120.0 MiB  12.1 MiB/s  1:13");
    moves_on(100 * MIB, 5000);
    ck_assert_str_eq(line(), "   22%  220.0 MiB  20.0 MiB/s  0:39");
    moves_on(0, 5000);
    ck_assert_str_eq(line(), "   22%  220.0 MiB  0 B/s  -:--");
}
END_TEST

static const struct {
    int64_t left; /* at 1 MiB/s */
    const char *want;
} times[] = {
    { 0, "0:00" },
    { 1, "0:01" },
    { MIB, "0:01" },
    { MIB + 1, "0:02" },
    { 59 * MIB, "0:59" },
    { 60 * MIB, "1:00" },
    { 3599 * MIB, "59:59" },
    { 3600 * MIB, "1:00:00" },
    { (99 * 3600 - 1) * MIB, "98:59:59" },
    { 99 * 3600 * MIB, "-:--" },
    { INT64_MAX / 2, "-:--" },
};

START_TEST(time_left)
{
    char *text;

    progress_total(progress, 2 * MIB + times[_i].left, 0);
    moves(2 * MIB, 2000);
    text = line();
    ck_assert_str_eq(strrchr(text, ' ') + 1, times[_i].want);
}
END_TEST

static const struct {
    int64_t bytes;
    const char *want;
} sizes[] = {
    { 0, "0 B" },
    { 1023, "1023 B" },
    { 1024, "1.0 KiB" },
    { MIB - 1, "1023.9 KiB" },
    { MIB, "1.0 MiB" },
    { 1288490189, "1.2 GiB" },
    { INT64_C(1) << 40, "1.0 TiB" },
    { INT64_C(1) << 50, "1.0 PiB" },
    { INT64_MAX, "7.9 EiB" },
};

START_TEST(size)
{
    char want[64];

    progress_total(progress, -1, 0);
    progress_skip(progress, sizes[_i].bytes);
    now += 500;
    progress_bytes(progress, 0);
    snprintf(want, sizeof(want), "  %s  0 B/s", sizes[_i].want);
    ck_assert_str_eq(line(), want);
}
END_TEST

/* A source that grows is not 101 % done. */
START_TEST(more_than_all)
{
    progress_total(progress, MIB, 0);
    moves(2 * MIB, 1000);
    ck_assert_str_eq(line(), "  100%  2.0 MiB  2.0 MiB/s  0:00");
}
END_TEST

/* --- the terminal -------------------------------------------------------- */

/* As wide as it says, at every look; what was there is erased before. */
START_TEST(narrow)
{
    char name[300];
    size_t before = 0;
    bool many = _i == 1;

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    progress_total(progress, 1000 * MIB, many ? 12345 : 0);
    progress_file(progress, name);
    now += 500;
    for (int columns = 400; columns > 0; columns -= 3) {
        char *text;
        char *last;

        set_columns(columns);
        moves(MIB / 100, 100);
        text = seen();
        last = strrchr(text, '\r') + 1;
        ck_assert_uint_lt(strlen(last), (size_t) columns);
        ck_assert_msg(columns > 330 || columns < 8
                          || (int) strlen(last) >= columns - 8
                          || columns <= 56,
                      "%d: '%s'", columns, last);
        if (before > (size_t) columns - 1)
            before = (size_t) columns - 1;
        ck_assert_uint_eq((size_t) (last - text), before + 2);
        before = strlen(last);
    }
    set_columns(0);
    moves(MIB, 100);
    ck_assert_uint_eq(strlen(line()), 79);
}
END_TEST

START_TEST(odd_names)
{
    progress_total(progress, 100, 0);
    progress_file(progress, "a\x1B[2J\n\xFF");
    moves(0, 600);
    ck_assert_str_eq(line(), "a\\x1b[2J\\x0a\\xff    0%  0 B  0 B/s  -:--");
}
END_TEST

/* For others the line makes room, and comes back. */
START_TEST(cleared)
{
    char *text;
    size_t n;

    progress_total(progress, 100 * MIB, 0);
    moves(MIB, 1000);
    n = strlen(line());
    progress_clear(progress);
    text = seen();
    ck_assert_uint_eq(strlen(text), n + 2);
    ck_assert_uint_eq(strspn(text, "\r "), n + 2);
    progress_clear(progress);
    nothing();
    moves(MIB, 100);
    ck_assert_ptr_nonnull(strstr(line(), "2.0 MiB"));
}
END_TEST

/* … also for a message, whoever writes it; not for one that nobody wants. */
START_TEST(around_messages)
{
    struct out out = { .progress = progress, .quiet = true };
    size_t n;

    progress_total(progress, 100 * MIB, 0);
    moves(MIB, 1000);
    n = strlen(line());
    out_message(&out, "waiting");
    out_note(&out, "waiting");
    nothing();
    out.quiet = false;
    out_message(&out, "waiting");
    ck_assert_uint_eq(strlen(seen()), n + 2);
    out_message(&out, "waiting");
    nothing();
    moves(MIB, 100);
    ck_assert_ptr_nonnull(strstr(line(), "2.0 MiB"));
}
END_TEST

/* Nobody reads, or somebody pressed ^S: the copy goes on. */
START_TEST(nobody_reads)
{
    progress_total(progress, 1 << 30, 0);
    moves(500 * MIB, 500000);
    progress_clear(progress);
    ck_assert_uint_gt(strlen(seen()), 3000);
}
END_TEST

START_TEST(stopped)
{
    progress_total(progress, 1 << 30, 0);
    ck_assert_int_eq(tcflow(terminal, TCOOFF), 0);
    moves(500 * MIB, 500000);
    progress_clear(progress);
    ck_assert_int_eq(tcflow(terminal, TCOON), 0);
    nothing();
    moves(MIB, 100);
    ck_assert_ptr_nonnull(strstr(line(), "501.0 MiB"));
}
END_TEST

/* … and its descriptor is as it was: others write there, too. */
START_TEST(still_blocking)
{
    int before = fcntl(terminal, F_GETFL);

    moves(MIB, 1000);
    progress_end(progress);
    ck_assert_int_eq(fcntl(terminal, F_GETFL), before);
    ck_assert(!(before & O_NONBLOCK));
}
END_TEST

START_TEST(hung_up)
{
    progress_total(progress, 1 << 30, 0);
    moves(MIB, 1000);
    close(master);
    moves(MIB, 1000);
    progress_end(progress);
}
END_TEST

/* While another group has the terminal, nothing is drawn. */
static int in_background(void)
{
    pid_t front;

    if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0) < 0)
        return 1;
    front = fork();
    if (front == 0) {
        pause();
        _exit(0);
    }
    if (setpgid(front, front) < 0 || tcsetpgrp(terminal, front) < 0)
        return 2;
    moves(MIB, 2000);
    progress_clear(progress);
    kill(front, SIGKILL);
    return waitpid(front, NULL, 0) == front ? 0 : 3;
}

START_TEST(background)
{
    int status = 0;
    pid_t pid;

    progress_total(progress, 100 * MIB, 0);
    pid = fork();
    if (pid == 0)
        _exit(in_background());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "status %x", (unsigned int) status);
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    nothing();
}
END_TEST

/* Where there is no terminal there is none, and everything goes on. */
START_TEST(not_wanted)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_ptr_null(progress_new(true, ends[1], fake_ms));
    ck_assert_ptr_null(progress_new(false, terminal, fake_ms));
    progress_total(NULL, 1, 1);
    progress_add_total(NULL, 1, 1);
    progress_file(NULL, "x");
    progress_bytes(NULL, 1);
    progress_file_done(NULL);
    progress_skip(NULL, 1);
    progress_clear(NULL);
    progress_end(NULL);
    progress_free(NULL);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, one_file);
    tcase_add_test(tcase, unknown_size);
    tcase_add_test(tcase, tree);
    tcase_add_test(tcase, empty_files);
    tcase_add_test(tcase, quiet_at_first);
    tcase_add_test(tcase, quick_copy);
    tcase_add_test(tcase, resumed);
    tcase_add_test(tcase, smoothed);
    tcase_add_loop_test(tcase, time_left, 0, ARRAY_SIZE(times));
    tcase_add_loop_test(tcase, size, 0, ARRAY_SIZE(sizes));
    tcase_add_test(tcase, more_than_all);
    tcase_add_loop_test(tcase, narrow, 0, 2);
    tcase_add_test(tcase, odd_names);
    tcase_add_test(tcase, cleared);
    tcase_add_test(tcase, around_messages);
    tcase_add_test(tcase, nobody_reads);
    tcase_add_test(tcase, stopped);
    tcase_add_test(tcase, still_blocking);
    tcase_add_test(tcase, hung_up);
    tcase_add_test(tcase, background);
    tcase_add_test(tcase, not_wanted);
}
