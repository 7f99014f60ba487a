/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Writes a program's input as it is read.  At the end a pipe is closed; a
 * terminal is given its end-of-file character, because it stays open for the
 * output.
 */
#include <config.h>

#include "guest/proc/feed.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "guest/proc/pty.h"
#include "util/fd.h"

/* That its reader has gone is seen when there is something for it: to be woken
 * for that alone would be for nothing when the program ends. */
static void feed_watch(struct feed *feed)
{
    feed->watch.events = feed->bytes.len > 0 ? POLLOUT : 0;
}

void feed_close(struct feed *feed)
{
    loop_fd_remove(feed->loop, &feed->watch);
    fd_close(&feed->watch.fd);
    buf_free(&feed->bytes);
}

/* All was written, and no more comes. */
static void feed_finish(struct feed *feed)
{
    if (feed->tty && feed->watch.fd >= 0)
        pty_end_input(feed->watch.fd, feed->inside);
    feed_close(feed);
}

/* Return: has anything changed? */
static bool feed_write(struct feed *feed)
{
    ssize_t n = write(feed->watch.fd, buf_data(&feed->bytes), feed->bytes.len);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n < 0) { /* EPIPE: the program reads no more */
        feed_close(feed);
        return true;
    }
    buf_consume(&feed->bytes, (size_t) n);
    if (feed->bytes.len == 0 && feed->ends)
        feed_finish(feed);
    return true;
}

static void feed_ready(void *arg, short revents)
{
    struct feed *feed = arg;
    bool changed = feed_write(feed);

    (void) revents;
    feed_watch(feed);
    if (changed && feed->changed)
        feed->changed(feed->arg);
}

void feed_init(struct feed *feed, struct loop *loop, size_t max,
               void (*changed)(void *arg), void *arg)
{
    *feed = (struct feed) {
        .loop = loop,
        .watch = { .fd = -1, .ready = feed_ready, .arg = feed },
        .ends = max == 0,
        .changed = changed,
        .arg = arg,
    };
    buf_init(&feed->bytes, max);
}

void feed_start(struct feed *feed, int fd, struct buf *first, bool tty)
{
    feed->watch.fd = fd;
    feed->tty = tty;
    if (first) {
        feed->bytes = *first;
        buf_init(first, first->max);
    }
    feed_watch(feed);
    if (fd >= 0)
        loop_fd_add(feed->loop, &feed->watch);
}

bool feed_open(const struct feed *feed)
{
    return feed->watch.fd >= 0 && !feed->ends;
}

size_t feed_room(const struct feed *feed)
{
    return buf_room(&feed->bytes);
}

int feed_add(struct feed *feed, const void *bytes, size_t n)
{
    bool waits = feed->bytes.len > 0;
    int r;

    if (!feed_open(feed) || n == 0)
        return 0;
    r = buf_append(&feed->bytes, bytes, n);
    if (r < 0)
        return -ENOMEM;
    feed->inside = ((const char *) bytes)[n - 1] != '\n';
    if (!waits)
        feed_write(feed);
    feed_watch(feed);
    return 0;
}

void feed_end(struct feed *feed)
{
    feed->ends = true;
    if (feed->bytes.len == 0)
        feed_finish(feed);
}
