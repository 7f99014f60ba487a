/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Output that does not wait for its reader, whatever that is. */
#include <config.h>

#include "host/job/std_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/unit.h"
#include "util/clock.h"
#include "util/fd.h"

const char unit_name[] = "std output";

#define MIB (1024 * 1024)
#define BLOCKED_S 20 /* whoever waits for a reader is killed after that */

static struct std_output std_output;
static int saved[3] = { -1, -1, -1 };
static int readers[3] = { -1, -1, -1 }; /* by the descriptor that is read */

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    alarm(BLOCKED_S);
    std_output_init(&std_output);
}

/* Our outputs are others now. */
static void begin(void)
{
    std_output_free(&std_output);
    std_output_init(&std_output);
}

static void teardown(void)
{
    std_output_free(&std_output);
    for (int fd = 1; fd <= 2; fd++) {
        if (saved[fd] >= 0)
            dup2(saved[fd], fd);
        fd_close(&saved[fd]);
        fd_close(&readers[fd]);
    }
}

/* Makes something our standard output or error. */
static void become(int fd, int what)
{
    if (saved[fd] < 0)
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    ck_assert_int_eq(dup2(what, fd), fd);
}

/* A pipe of one page. */
static void pipe_at(int fd)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, 4096), 0);
    become(fd, ends[1]);
    close(ends[1]);
    fd_close(&readers[fd]);
    readers[fd] = ends[0];
}

/* A reader that reads nothing: it has its page. */
static void full_pipe_at(int fd)
{
    char page[4096];

    pipe_at(fd);
    memset(page, '-', sizeof(page));
    ck_assert_int_eq(write(fd, page, sizeof(page)), sizeof(page));
}

/* Bytes of which no two neighbours are the same. */
static void fill(uint8_t *bytes, size_t n, unsigned int seed)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t) ((i * 7 + i / 251 + seed) & 0xFF);
}

/* Reads what is there from one of them. */
static size_t drain(int fd, uint8_t *bytes, size_t max)
{
    size_t n = 0;

    while (n < max && fd_wait(readers[fd], POLLIN, 0) == 0) {
        ssize_t got = read(readers[fd], bytes + n, max - n);

        if (got <= 0)
            break;
        n += (size_t) got;
    }
    return n;
}

START_TEST(nobody_reads)
{
    AUTO_FREE uint8_t *sent = malloc(JOB_ANSWER_MAX);
    AUTO_FREE uint8_t *got = malloc(JOB_ANSWER_MAX);
    size_t n = 0;

    pipe_at(1);
    begin();
    fill(sent, JOB_ANSWER_MAX, 1);
    ck_assert_int_eq(std_output_blocked(&std_output), -1);
    ck_assert_int_eq(std_output_put(&std_output, 1, sent, JOB_ANSWER_MAX), 0);
    ck_assert_int_eq(std_output_blocked(&std_output), 1);
    ck_assert_int_eq(std_output_flush(&std_output), 0);
    ck_assert_int_eq(std_output_blocked(&std_output), 1);
    /* a page at a time, as it is read */
    while (std_output_blocked(&std_output) >= 0) {
        n += drain(1, got + n, JOB_ANSWER_MAX - n);
        ck_assert_int_eq(std_output_flush(&std_output), 0);
    }
    n += drain(1, got + n, JOB_ANSWER_MAX - n);
    ck_assert_uint_eq(n, JOB_ANSWER_MAX);
    ck_assert_mem_eq(got, sent, n);
    /* what came of it is known to all who have the same descriptor */
    ck_assert(!(fcntl(1, F_GETFL) & O_NONBLOCK));
}
END_TEST

/* Somebody else made it so. */
START_TEST(not_blocking_already)
{
    uint8_t bytes[65536];

    pipe_at(1);
    ck_assert_int_eq(fd_nonblock(1), 0);
    begin();
    fill(bytes, sizeof(bytes), 1);
    ck_assert_int_eq(std_output_put(&std_output, 1, bytes, sizeof(bytes)), 0);
    ck_assert_int_eq(std_output_blocked(&std_output), 1);
}
END_TEST

START_TEST(a_socket)
{
    AUTO_FREE uint8_t *bytes = calloc(1, JOB_ANSWER_MAX);
    AUTO_FREE uint8_t *got = malloc(JOB_ANSWER_MAX);
    size_t n = 0;
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    become(1, ends[0]);
    close(ends[0]);
    readers[1] = ends[1];
    begin();
    ck_assert_int_eq(std_output_put(&std_output, 1, bytes, JOB_ANSWER_MAX), 0);
    ck_assert_int_eq(std_output_blocked(&std_output), 1);
    while (std_output_blocked(&std_output) >= 0) {
        n += drain(1, got, 1000);
        ck_assert_int_eq(std_output_flush(&std_output), 0);
    }
    n += drain(1, got, JOB_ANSWER_MAX);
    ck_assert_uint_eq(n, JOB_ANSWER_MAX);
}
END_TEST

/* It takes less than it says when it is ready. */
START_TEST(a_terminal)
{
    static const char word[] = "0123456789abcdef";
    AUTO_FREE char *bytes = malloc(JOB_ANSWER_MAX);
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    int slave;

    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(slave, 0);
    become(1, slave);
    close(slave);
    readers[1] = master;
    begin();
    for (size_t i = 0; i < JOB_ANSWER_MAX; i++)
        bytes[i] = word[i % 16];
    ck_assert_int_eq(std_output_put(&std_output, 1, bytes, JOB_ANSWER_MAX), 0);
    ck_assert_int_eq(std_output_blocked(&std_output), 1);
    for (size_t n = 0; n < 32 * 1024;) {
        uint8_t got[1000];
        size_t some = drain(1, got, 1 + n % 997);

        for (size_t i = 0; i < some; i++)
            ck_assert_int_eq(got[i], word[(n + i) % 16]);
        n += some;
        ck_assert_int_eq(std_output_flush(&std_output), 0);
        ck_assert_int_eq(std_output_blocked(&std_output), 1);
    }
    ck_assert(!(fcntl(1, F_GETFL) & O_NONBLOCK));
}
END_TEST

/* Standard error waits for standard output, and the other way round. */
START_TEST(order_of_two_pipes)
{
    uint8_t out[20000];
    uint8_t got[20000];
    uint8_t other[16];
    size_t n = 0;

    for (int first = 1; first <= 2; first++) {
        int second = 3 - first;

        pipe_at(first);
        pipe_at(second);
        begin();
        fill(out, sizeof(out), 5);
        ck_assert_int_eq(std_output_put(&std_output, first, out, sizeof(out)),
                         0);
        ck_assert_int_eq(std_output_put(&std_output, second, "behind", 6), 0);
        for (n = 0; std_output_blocked(&std_output) == first;) {
            ck_assert_uint_eq(drain(second, other, sizeof(other)), 0);
            n += drain(first, got + n, 1234);
            ck_assert_int_eq(std_output_flush(&std_output), 0);
        }
        ck_assert_int_eq(std_output_blocked(&std_output), -1);
        ck_assert_uint_eq(drain(second, other, sizeof(other)), 6);
        ck_assert_mem_eq(other, "behind", 6);
        n += drain(first, got + n, sizeof(got) - n);
        ck_assert_uint_eq(n, sizeof(out));
        ck_assert_mem_eq(got, out, n);
    }
}
END_TEST

/* 2>&1: byte for byte as they came, in pieces of all sizes. */
START_TEST(order_in_one_pipe)
{
    size_t size = 400 * 1000;
    AUTO_FREE uint8_t *sent = malloc(size);
    AUTO_FREE uint8_t *got = malloc(size);
    size_t n = 0;
    size_t at = 0;

    pipe_at(1);
    become(2, 1);
    begin();
    fill(sent, size, 9);
    for (unsigned int i = 0; at < size; i++) {
        size_t piece = (size_t) i * i % 9001;

        piece = piece < size - at ? piece : size - at;
        ck_assert_int_eq(
            std_output_put(&std_output, 1 + (i / 2) % 2, sent + at, piece), 0);
        at += piece;
        if (i % 3 == 0)
            n += drain(1, got + n, i % 5 ? 100 : size - n);
        ck_assert_int_eq(std_output_flush(&std_output), 0);
    }
    while (n < size) {
        n += drain(1, got + n, size - n);
        ck_assert_int_eq(std_output_flush(&std_output), 0);
    }
    ck_assert_mem_eq(got, sent, size);
    ck_assert_int_eq(std_output_blocked(&std_output), -1);
}
END_TEST

START_TEST(nobody_reads_any_more)
{
    pipe_at(1);
    begin();
    fd_close(&readers[1]);
    ck_assert_int_eq(std_output_put(&std_output, 1, "x", 1), -EPIPE);
    /* while some is kept */
    full_pipe_at(1);
    ck_assert_int_eq(std_output_put(&std_output, 1, "x", 1), 0);
    ck_assert_int_eq(std_output_flush(&std_output), 0);
    fd_close(&readers[1]);
    ck_assert_int_eq(std_output_flush(&std_output), -EPIPE);
    /* the other one is none of its business */
    std_output_free(&std_output);
    pipe_at(2);
    begin();
    ck_assert_int_eq(std_output_put(&std_output, 2, "x", 1), 0);
    ck_assert_int_eq(std_output_blocked(&std_output), -1);
}
END_TEST

START_TEST(a_file)
{
    AUTO_FREE uint8_t *bytes = malloc(MIB);
    AUTO_FREE uint8_t *got = malloc(MIB);
    char *dir = unit_tmpdir();
    AUTO_FREE char *path = unit_path(dir, "file");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    become(1, fd);
    become(2, fd);
    begin();
    fill(bytes, MIB, 3);
    for (size_t at = 0, i = 0; at < MIB; at += MIB / 16, i++) {
        ck_assert_int_eq(
            std_output_put(&std_output, 1 + i % 2, bytes + at, MIB / 16), 0);
        ck_assert_int_eq(std_output_blocked(&std_output), -1);
    }
    ck_assert_int_eq(pread(fd, got, MIB, 0), MIB);
    ck_assert_mem_eq(got, bytes, MIB);
    close(fd);
    unit_rmdir(dir);
}
END_TEST

START_TEST(what_cannot_be_written)
{
    static const struct {
        const char *path;
        int flags;
        int result;
    } places[] = {
        { "/dev/full", O_WRONLY, -ENOSPC },
        { "/dev/null", O_RDONLY, -EBADF },
        { "/dev/null", O_WRONLY, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        AUTO_CLOSE int fd = open(places[i].path, places[i].flags);

        become(1, fd);
        begin();
        ck_assert_int_eq(std_output_put(&std_output, 1, "x", 1),
                         places[i].result);
        ck_assert_int_eq(std_output_put(&std_output, 1, "", 0), 0);
        ck_assert_int_eq(std_output_flush(&std_output), 0);
        ck_assert_int_eq(std_output_blocked(&std_output), -1);
    }
}
END_TEST

START_TEST(limit_of_bytes)
{
    AUTO_FREE uint8_t *bytes = calloc(1, STD_OUTPUT_MAX);

    full_pipe_at(1);
    begin();
    ck_assert_int_eq(std_output_put(&std_output, 1, bytes, STD_OUTPUT_MAX - 1),
                     0);
    ck_assert_int_eq(std_output_put(&std_output, 1, bytes, 1), 0);
    ck_assert_int_eq(std_output_put(&std_output, 1, bytes, 1), -EMSGSIZE);
    ck_assert_int_eq(std_output_put(&std_output, 2, bytes, 1), -EMSGSIZE);
    ck_assert_int_eq(std_output_put(&std_output, 2, bytes, 0), 0);
    ck_assert_uint_eq(std_output.n_pieces, 1);
}
END_TEST

START_TEST(limit_of_pieces)
{
    uint8_t got[8192];
    size_t n[2] = { 0, 0 };

    full_pipe_at(1);
    pipe_at(2);
    begin();
    for (int i = 0; i < STD_OUTPUT_PIECES; i++)
        ck_assert_int_eq(std_output_put(&std_output, 1 + i % 2, "x", 1), 0);
    /* what goes on with the last one is no new one */
    ck_assert_int_eq(std_output_put(&std_output, 2, "x", 1), 0);
    ck_assert_int_eq(std_output_put(&std_output, 1, "x", 1), -EMSGSIZE);
    while (std_output_blocked(&std_output) >= 0) {
        n[0] += drain(1, got, sizeof(got));
        n[1] += drain(2, got, sizeof(got));
        ck_assert_int_eq(std_output_flush(&std_output), 0);
    }
    n[0] += drain(1, got, sizeof(got));
    n[1] += drain(2, got, sizeof(got));
    ck_assert_uint_eq(n[0], 4096 + STD_OUTPUT_PIECES / 2);
    ck_assert_uint_eq(n[1], STD_OUTPUT_PIECES / 2 + 1);
    ck_assert_int_eq(std_output_put(&std_output, 1, "x", 1), 0);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nobody_reads);
    tcase_add_test(tcase, not_blocking_already);
    tcase_add_test(tcase, a_socket);
    tcase_add_test(tcase, a_terminal);
    tcase_add_test(tcase, order_of_two_pipes);
    tcase_add_test(tcase, order_in_one_pipe);
    tcase_add_test(tcase, nobody_reads_any_more);
    tcase_add_test(tcase, a_file);
    tcase_add_test(tcase, what_cannot_be_written);
    tcase_add_test(tcase, limit_of_bytes);
    tcase_add_test(tcase, limit_of_pieces);
}
