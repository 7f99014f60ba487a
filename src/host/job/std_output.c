/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Writes what standard output and error take without waiting: PIPE_BUF bytes
 * when poll(2) says so, because O_NONBLOCK would hit others who share the
 * descriptor.  A terminal is opened once more, with O_NONBLOCK.
 */
#include <config.h>

#include "host/job/std_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/fd.h"

/* A terminal that is ready may have room for one byte only.  Opened once more
 * it can be non-blocking without others having to know. */
static int open_terminal(int fd)
{
    char path[32];

    if (!isatty(fd))
        return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void std_output_init(struct std_output *std_output)
{
    struct stat st[3];

    *std_output = (struct std_output) { .n_pieces = 0 };
    buf_init(&std_output->bytes, STD_OUTPUT_MAX);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fstat(fd, &st[fd]) < 0)
            st[fd] = (struct stat) { .st_ino = (ino_t) fd };
        std_output->file[fd] = S_ISREG(st[fd].st_mode);
        std_output->own[fd] = open_terminal(fd);
    }
    std_output->shared = st[1].st_dev == st[2].st_dev
                         && st[1].st_ino == st[2].st_ino;
}

void std_output_free(struct std_output *std_output)
{
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        fd_close(&std_output->own[fd]);
    buf_free(&std_output->bytes);
}

/*
 * Writes some bytes.  The descriptor is shared with others, so it is not made
 * non-blocking; but what is ready takes PIPE_BUF bytes without a pause
 * (pipe(7)).
 *
 * Return: how many; 0 when it is not ready; negative errno.
 */
static ssize_t put_some(const struct std_output *std_output, int fd,
                        const uint8_t *bytes, size_t n)
{
    ssize_t done;

    if (std_output->own[fd] >= 0) {
        fd = std_output->own[fd];
    } else if (!std_output->file[fd]) {
        if (fd_wait(fd, POLLOUT, 0) == -ETIMEDOUT)
            return 0;
        n = n < PIPE_BUF ? n : PIPE_BUF;
    }
    do {
        done = write(fd, bytes, n);
    } while (done < 0 && errno == EINTR);
    if (done < 0)
        return errno == EAGAIN ? 0 : -errno;
    return done;
}

/* Return: how many bytes went out; negative errno. */
static ssize_t put_all(struct std_output *std_output, int fd,
                       const uint8_t *bytes, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t some = put_some(std_output, fd, bytes + done, n - done);

        if (some < 0) {
            std_output->failed = fd;
            return some;
        }
        if (some == 0)
            break;
        done += (size_t) some;
    }
    return (ssize_t) done;
}

static int keep(struct std_output *std_output, int fd, const uint8_t *bytes,
                size_t n)
{
    struct std_output_piece *piece = &std_output->pieces[std_output->n_pieces];
    int r;

    if (n == 0)
        return 0;
    if (std_output->n_pieces > 0 && piece[-1].fd == fd)
        piece--;
    else if (std_output->n_pieces == STD_OUTPUT_PIECES)
        return -EMSGSIZE;
    r = buf_append(&std_output->bytes, bytes, n);
    if (r < 0)
        return r;
    if (piece == &std_output->pieces[std_output->n_pieces]) {
        *piece = (struct std_output_piece) { .fd = fd };
        std_output->n_pieces++;
    }
    piece->n += n;
    return 0;
}

int std_output_put(struct std_output *std_output, int fd, const void *bytes,
                   size_t n)
{
    ssize_t done = 0;

    if (std_output->n_pieces == 0)
        done = put_all(std_output, fd, bytes, n);
    if (done < 0)
        return (int) done;
    return keep(std_output, fd, (const uint8_t *) bytes + done,
                n - (size_t) done);
}

int std_output_flush(struct std_output *std_output)
{
    while (std_output->n_pieces > 0) {
        struct std_output_piece *first = &std_output->pieces[0];
        ssize_t done = put_all(std_output, first->fd,
                               buf_data(&std_output->bytes), first->n);

        if (done < 0)
            return (int) done;
        buf_consume(&std_output->bytes, (size_t) done);
        first->n -= (size_t) done;
        if (first->n > 0)
            return 0;
        memmove(first, first + 1, --std_output->n_pieces * sizeof(*first));
    }
    return 0;
}

int std_output_blocked(const struct std_output *std_output)
{
    return std_output->n_pieces > 0 ? std_output->pieces[0].fd : -1;
}

void std_output_end(struct std_output *std_output, bool out, bool err)
{
    if (!out || std_output->n_pieces > 0)
        return;
    fd_end_pipe(STDOUT_FILENO);
    if (err && std_output->shared)
        fd_end_pipe(STDERR_FILENO);
}
