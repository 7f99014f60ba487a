/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "util/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "fd";

START_TEST(slurp_whole_file_and_ceiling)
{
    char *folder = unit_tmpdir();
    char *path = unit_path(folder, "file");
    char text[5001];
    struct buf buf;

    memset(text, 't', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    unit_write_file(path, text);
    buf_init(&buf, 5000);
    ck_assert_int_eq(fd_slurp(path, &buf), 0);
    ck_assert_str_eq(buf_cstr(&buf), text);
    buf_free(&buf);
    buf_init(&buf, 4999);
    ck_assert_int_eq(fd_slurp(path, &buf), -EMSGSIZE);
    ck_assert_int_eq(fd_slurp(folder, &buf), -EISDIR);
    unlink(path);
    ck_assert_int_eq(fd_slurp(path, &buf), -ENOENT);
    buf_free(&buf);
    free(path);
    unit_rmdir(folder);
}
END_TEST

START_TEST(wait_sees_data_deadline_and_end)
{
    char byte = 'x';
    int64_t start;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    start = clock_ms();
    ck_assert_int_eq(fd_wait(ends[0], POLLIN, deadline_in(30)), -ETIMEDOUT);
    ck_assert_int_ge(clock_ms() - start, 30);
    ck_assert_int_eq(fd_wait(ends[0], POLLIN, deadline_in(0)), -ETIMEDOUT);
    ck_assert_int_eq(fd_write_all(ends[1], "abc", 3), 0);
    ck_assert_int_eq(fd_wait(ends[0], POLLIN, DEADLINE_NEVER), 0);
    ck_assert_int_eq(fd_read_full(ends[0], &byte, 1), 1);
    fd_close(&ends[1]);
    ck_assert_int_eq(ends[1], -1);
    fd_close(&ends[1]);
    ck_assert_int_eq(fd_wait(ends[0], POLLIN, DEADLINE_NEVER), 0);
    fd_close(&ends[0]);
}
END_TEST

START_TEST(wait_is_woken)
{
    int ends[2];
    int wake[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(pipe(wake), 0);
    ck_assert_int_eq(fd_wait_or(ends[0], POLLIN, wake[0], deadline_in(30)),
                     -ETIMEDOUT);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(fd_wait_or(ends[0], POLLIN, wake[0], DEADLINE_NEVER), 0);
    ck_assert_int_eq(write(wake[1], "x", 1), 1);
    ck_assert_int_eq(fd_wait_or(ends[0], POLLIN, wake[0], DEADLINE_NEVER),
                     -ECANCELED);
    for (int i = 0; i < 2; i++) {
        close(ends[i]);
        close(wake[i]);
    }
}
END_TEST

START_TEST(read_full_stops_at_the_end)
{
    char bytes[10];
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(fd_write_all(ends[1], "abcdef", 6), 0);
    ck_assert_int_eq(fd_read_full(ends[0], bytes, 4), 4);
    ck_assert_mem_eq(bytes, "abcd", 4);
    fd_close(&ends[1]);
    ck_assert_int_eq(fd_read_full(ends[0], bytes, sizeof(bytes)), 2);
    fd_close(&ends[0]);
    ck_assert_int_eq(fd_read_full(-1, bytes, 1), -EBADF);
    ck_assert_int_eq(fd_write_all(-1, bytes, 1), -EBADF);
}
END_TEST

START_TEST(pread_full_stops_at_the_end)
{
    char bytes[10];
    int fd = memfd_create("pread", MFD_CLOEXEC);
    int folder = open("/", O_RDONLY | O_CLOEXEC);

    ck_assert_int_eq(fd_write_all(fd, "abcdef", 6), 0);
    ck_assert_int_eq(fd_pread_full(fd, bytes, 3, 1), 3);
    ck_assert_mem_eq(bytes, "bcd", 3);
    ck_assert_int_eq(fd_pread_full(fd, bytes, sizeof(bytes), 4), 2);
    ck_assert_int_eq(fd_pread_full(fd, bytes, 1, 6), 0);
    ck_assert_int_eq(fd_pread_full(fd, bytes, 0, 0), 0);
    ck_assert_int_eq(fd_pread_full(folder, bytes, 1, 0), -EISDIR);
    ck_assert_int_eq(fd_pread_full(-1, bytes, 1, 0), -EBADF);
    fd_close(&fd);
    fd_close(&folder);
}
END_TEST

START_TEST(close_keeps_errno_and_nonblock_sets)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(fd_nonblock(ends[0]), 0);
    ck_assert(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
    ck_assert_int_eq(fd_nonblock(-1), -EBADF);
    errno = E2BIG;
    fd_close(&ends[0]);
    fd_close(&ends[1]);
    ck_assert_int_eq(errno, E2BIG);
}
END_TEST

START_TEST(deadlines)
{
    ck_assert_int_eq(deadline_in(-1), DEADLINE_NEVER);
    ck_assert_int_eq(deadline_in(INT64_MAX), DEADLINE_NEVER);
    ck_assert_int_eq(deadline_left(DEADLINE_NEVER), -1);
    ck_assert_int_eq(deadline_left(0), 0);
    ck_assert_int_eq(deadline_left(INT64_MAX - 1), INT32_MAX);
    ck_assert_int_gt(deadline_left(deadline_in(60000)), 50000);
    ck_assert_int_eq(deadline_min(3, DEADLINE_NEVER), 3);
    ck_assert_int_eq(deadline_min(4, 3), 3);
    ck_assert_int_gt(clock_wall(), 1700000000);
}
END_TEST

/* Zeros are left out, data is where it belongs, wherever the pieces are cut. */
START_TEST(pwrite_sparse)
{
    static const size_t cuts[] = { 1, 511, 4095, 4096, 4097, 65536, 1 << 20 };
    AUTO_FREE uint8_t *bytes = calloc(1, 1 << 20);
    AUTO_FREE uint8_t *back = calloc(1, 1 << 20);
    AUTO_CLOSE int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    size_t cut = cuts[_i];
    struct stat st;

    memset(bytes + 5000, 'a', 3);
    memset(bytes + 300000, 'b', 100000);
    bytes[(1 << 20) - 1] = 'c';
    ck_assert_int_ge(fd, 0);
    for (size_t at = 0; at < 1 << 20; at += cut)
        ck_assert_int_eq(
            fd_pwrite_sparse(fd, bytes + at,
                             (1 << 20) - at < cut ? (1 << 20) - at : cut,
                             (int64_t) at),
            0);
    ck_assert_int_eq(pread(fd, back, 1 << 20, 0), 1 << 20);
    ck_assert(memcmp(bytes, back, 1 << 20) == 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_int_lt(st.st_blocks * 512, 1 << 18);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, pwrite_sparse, 0, 7);
    tcase_add_test(tcase, slurp_whole_file_and_ceiling);
    tcase_add_test(tcase, wait_sees_data_deadline_and_end);
    tcase_add_test(tcase, wait_is_woken);
    tcase_add_test(tcase, read_full_stops_at_the_end);
    tcase_add_test(tcase, pread_full_stops_at_the_end);
    tcase_add_test(tcase, close_keeps_errno_and_nonblock_sets);
    tcase_add_test(tcase, deadlines);
}
