/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Reads standard input once each time that the wait set has it ready;
 * O_NONBLOCK would hit others who share the descriptor.  What epoll(7)
 * refuses, a file, can always be read.
 */
#include <config.h>

#include "host/job/std_input.h"

#include <errno.h>
#include <unistd.h>

#include "util/fd.h"

#define READ_STEP (64 * 1024)
#define TYPED_STEP 256 /* of what a person types, or pastes */

void std_input_init(struct std_input *std_input, int fd)
{
    *std_input = (struct std_input) { .fd = fd, .escape = ESCAPE_INIT };
}

int std_input_watch(struct std_input *std_input, struct waitset *set,
                    bool wanted)
{
    int r;

    if (std_input->always)
        return 0;
    r = waitset_set(set, WAITSET_INPUT, wanted ? std_input->fd : -1);
    std_input->always = r == -EPERM;
    return r == -EPERM ? 0 : r;
}

/* Return: as read(2), with negative errno. */
static ssize_t fill_plain(const struct std_input *std_input, struct buf *into)
{
    size_t room = buf_room(into) < READ_STEP ? buf_room(into) : READ_STEP;
    uint8_t *where;
    ssize_t n;

    if (buf_reserve(into, room, &where) < 0)
        return -EAGAIN;
    n = read(std_input->fd, where, room);
    if (n > 0)
        buf_commit(into, (size_t) n);
    return n < 0 ? -errno : n;
}

/* As fill_plain(); *left: the way out was among it. */
static ssize_t fill_typed(struct std_input *std_input, struct buf *into,
                          bool *left)
{
    char typed[TYPED_STEP];
    uint8_t *where;
    ssize_t n;

    if (buf_reserve(into, sizeof(typed) + 1, &where) < 0)
        return -EAGAIN;
    n = read(std_input->fd, typed, sizeof(typed));
    if (n > 0)
        buf_commit(into, escape_filter(&std_input->escape, typed, (size_t) n,
                                       (char *) where, left));
    return n < 0 ? -errno : n;
}

/* A descriptor that is no input, or a terminal that is another's, is as none;
 * what cannot be read on has an end that is not the input's.  n is as of the
 * last read. */
static int read_error(const struct std_input *std_input, ssize_t n)
{
    bool none = n == -EBADF || (n == -EIO && isatty(std_input->fd));

    return n >= 0 || n == -EAGAIN || n == -EINTR || none ? 0 : (int) n;
}

static size_t room_needed(const struct std_input *std_input)
{
    return std_input->typed ? TYPED_STEP + 1 : 1;
}

enum std_input_end std_input_fill(struct std_input *std_input,
                                  struct buf *into)
{
    bool left = false;
    ssize_t n = 1;

    while (n > 0 && !left && std_input->fd >= 0
           && (std_input->always || std_input->ready)
           && buf_room(into) >= room_needed(std_input)) {
        std_input->ready = false; /* for one read */
        n = std_input->typed ? fill_typed(std_input, into, &left)
                             : fill_plain(std_input, into);
    }
    std_input->ready = false;
    std_input->error = read_error(std_input, n);
    if (!left && (n > 0 || n == -EAGAIN || n == -EINTR))
        return STD_INPUT_OPEN;
    std_input->fd = -1;
    return std_input->typed ? STD_INPUT_LEFT : STD_INPUT_EOF;
}

void std_input_end(struct std_input *std_input)
{
    if (std_input->fd >= 0 && !std_input->typed) {
        fd_end_pipe(std_input->fd);
        std_input->fd = -1;
    }
}
