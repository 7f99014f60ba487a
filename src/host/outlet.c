/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/outlet.h"

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

void outlet_init(struct outlet *outlet)
{
    struct stat st;

    *outlet = (struct outlet) { .n_pieces = 0 };
    buf_init(&outlet->bytes, OUTLET_MAX);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        outlet->file[fd] = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
        outlet->own[fd] = open_terminal(fd);
    }
}

void outlet_free(struct outlet *outlet)
{
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        fd_close(&outlet->own[fd]);
    buf_free(&outlet->bytes);
}

/*
 * Writes some bytes.  The descriptor is shared with others, so it is not made
 * non-blocking; but what is ready takes PIPE_BUF bytes without a pause
 * (pipe(7)).
 *
 * Return: how many; 0 when it is not ready; negative errno.
 */
static ssize_t put_some(const struct outlet *outlet, int fd,
                        const uint8_t *bytes, size_t n)
{
    ssize_t done;

    if (outlet->own[fd] >= 0) {
        fd = outlet->own[fd];
    } else if (!outlet->file[fd]) {
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
static ssize_t put_all(const struct outlet *outlet, int fd,
                       const uint8_t *bytes, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t some = put_some(outlet, fd, bytes + done, n - done);

        if (some < 0)
            return some;
        if (some == 0)
            break;
        done += (size_t) some;
    }
    return (ssize_t) done;
}

static int keep(struct outlet *outlet, int fd, const uint8_t *bytes, size_t n)
{
    struct outlet_piece *piece = &outlet->pieces[outlet->n_pieces];
    int r;

    if (n == 0)
        return 0;
    if (outlet->n_pieces > 0 && piece[-1].fd == fd)
        piece--;
    else if (outlet->n_pieces == OUTLET_PIECES)
        return -EMSGSIZE;
    r = buf_append(&outlet->bytes, bytes, n);
    if (r < 0)
        return r;
    if (piece == &outlet->pieces[outlet->n_pieces]) {
        *piece = (struct outlet_piece) { .fd = fd };
        outlet->n_pieces++;
    }
    piece->n += n;
    return 0;
}

int outlet_put(struct outlet *outlet, int fd, const void *bytes, size_t n)
{
    ssize_t done = 0;

    if (outlet->n_pieces == 0)
        done = put_all(outlet, fd, bytes, n);
    if (done < 0)
        return (int) done;
    return keep(outlet, fd, (const uint8_t *) bytes + done,
                n - (size_t) done);
}

int outlet_flush(struct outlet *outlet)
{
    while (outlet->n_pieces > 0) {
        struct outlet_piece *first = &outlet->pieces[0];
        ssize_t done = put_all(outlet, first->fd, buf_data(&outlet->bytes),
                               first->n);

        if (done < 0)
            return (int) done;
        buf_consume(&outlet->bytes, (size_t) done);
        first->n -= (size_t) done;
        if (first->n > 0)
            return 0;
        memmove(first, first + 1, --outlet->n_pieces * sizeof(*first));
    }
    return 0;
}

int outlet_blocked(const struct outlet *outlet)
{
    return outlet->n_pieces > 0 ? outlet->pieces[0].fd : -1;
}
