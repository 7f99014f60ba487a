/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Reads, writes and waits that go on after EINTR and short counts.  Sparse
 * writes leave out zeros by whole blocks of 4 KiB, counted from the beginning
 * of the file.
 */
#include <config.h>

#include "util/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/num.h"

#define SLURP_STEP 4096 /* /proc gives at most a page at a time */

int fd_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        /* the lowest that is free */
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return -errno;
    }
    return 0;
}

/* Where there is no /proc: beyond that nobody counts. */
#define OPEN_MAX_TRIED 65536

static void keep(int64_t fd)
{
    if (fd > STDERR_FILENO)
        fcntl((int) fd, F_SETFD, FD_CLOEXEC);
}

void fd_keep_inherited(void)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    int64_t fd;

    while (folder && (entry = readdir(folder)))
        if (num_parse(entry->d_name, 0, INT_MAX, &fd) == 0)
            keep(fd);
    if (folder)
        closedir(folder);
    else
        for (fd = 0; fd < OPEN_MAX_TRIED && fd < sysconf(_SC_OPEN_MAX); fd++)
            keep(fd);
}

int fd_nonblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

void fd_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

int fd_write_all(int fd, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    while (n > 0) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        p += done;
        n -= (size_t) done;
    }
    return 0;
}

int64_t fd_read_full(int fd, void *bytes, size_t n)
{
    uint8_t *p = bytes;
    size_t got = 0;

    while (got < n) {
        ssize_t done = read(fd, p + got, n - got);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        if (done == 0)
            break;
        got += (size_t) done;
    }
    return (int64_t) got;
}

int64_t fd_pread_full(int fd, void *bytes, size_t n, int64_t at)
{
    uint8_t *p = bytes;
    size_t got = 0;

    while (got < n) {
        ssize_t done = pread(fd, p + got, n - got, at + (int64_t) got);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        if (done == 0)
            break;
        got += (size_t) done;
    }
    return (int64_t) got;
}

int fd_slurp(const char *path, struct buf *into)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd_slurp_on(fd, into);
}

int fd_slurp_on(int fd, struct buf *into)
{
    uint8_t step[SLURP_STEP];

    for (;;) {
        int64_t got = fd_read_full(fd, step, sizeof(step));
        int r;

        if (got < 0)
            return (int) got;
        r = buf_append(into, step, (size_t) got);
        if (r < 0)
            return r;
        if ((size_t) got < sizeof(step))
            return 0;
    }
}

int fd_wait_or(int fd, short events, int wake_fd, int64_t deadline)
{
    /* poll(2) passes over what is negative */
    struct pollfd watch[] = { { .fd = fd, .events = events },
                              { .fd = wake_fd, .events = POLLIN } };

    for (;;) {
        int left = deadline_left(deadline);
        int n = poll(watch, ARRAY_SIZE(watch), left);

        if (n > 0)
            return watch[1].revents ? -ECANCELED : 0;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0 && left == 0)
            return -ETIMEDOUT;
    }
}

int fd_pwrite_all(int fd, const void *bytes, size_t n, int64_t at)
{
    const uint8_t *p = bytes;

    while (n > 0) {
        ssize_t done = pwrite(fd, p, n, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -ENOSPC;
        p += done;
        n -= (size_t) done;
        at += done;
    }
    return 0;
}

/* What a hole is made of: file systems give space in blocks of this size. */
#define BLOCK 4096

static bool all_zero(const uint8_t *bytes, size_t n)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

/* How many bytes from here on are zeros, or none: whole blocks of the file. */
static size_t same_run(const uint8_t *bytes, size_t n, int64_t at, bool *zero)
{
    size_t run = 0;

    while (run < n) {
        size_t step = BLOCK - (size_t) ((at + (int64_t) run) % BLOCK);
        bool is_zero;

        if (step > n - run)
            step = n - run;
        is_zero = all_zero(bytes + run, step);
        if (run > 0 && is_zero != *zero)
            break;
        *zero = is_zero;
        run += step;
    }
    return run;
}

int fd_pwrite_sparse(int fd, const void *bytes, size_t n, int64_t at)
{
    const uint8_t *p = bytes;
    int r = 0;

    while (n > 0 && r == 0) {
        bool zero = false;
        size_t run = same_run(p, n, at, &zero);

        if (!zero)
            r = fd_pwrite_all(fd, p, run, at);
        p += run;
        n -= run;
        at += (int64_t) run;
    }
    return r;
}

int fd_wait(int fd, short events, int64_t deadline)
{
    return fd_wait_or(fd, events, -1, deadline);
}

void fd_end_pipe(int fd)
{
    struct stat st;
    int null;

    if (fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
        return;
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0)
        dup2(null, fd);
    fd_close(&null);
}
