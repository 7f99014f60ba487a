/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/host/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/unit.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/fd.h"

#define PATIENCE_MS 20000 /* what must come takes less */

/* --- the transport ------------------------------------------------------- */

static int64_t link_io(int64_t n)
{
    return n < 0 ? -errno : n;
}

/* So much was read: somebody may want to hear of it. */
static void link_ring(struct link *link, size_t n)
{
    if (link->ring_fd < 0)
        return;
    link->quiet -= n;
    if (link->quiet > 0)
        return;
    ck_assert_int_eq(write(link->ring_fd, "!", 1), 1);
    link->ring_fd = -1;
}

static int64_t link_read(struct transport *transport, void *bytes, size_t n,
                         int64_t deadline)
{
    struct link *link = (struct link *) transport;
    int64_t got = fd_wait_or(link->fd, POLLIN, transport->wake_fd, deadline);

    if (got < 0)
        return got;
    if (n > link->read_max)
        n = link->read_max;
    if (link->ring_fd >= 0 && n > link->quiet)
        n = link->quiet;
    got = link_io(read(link->fd, bytes, n));
    if (got > 0)
        link_ring(link, (size_t) got);
    return got;
}

static int64_t link_write(struct transport *transport, const void *bytes,
                          size_t n, int64_t deadline)
{
    struct link *link = (struct link *) transport;
    int r = fd_wait(link->fd, POLLOUT, deadline);

    return r < 0 ? r
                 : link_io(send(link->fd, bytes,
                                n < link->write_max ? n : link->write_max,
                                MSG_NOSIGNAL | MSG_DONTWAIT));
}

static void link_close(struct transport *transport)
{
    struct link *link = (struct link *) transport;

    close(link->fd);
    free(link);
}

static const struct transport_ops link_ops = { link_read, link_write,
                                               link_close };

struct link *link_new(int fd, size_t read_max, size_t write_max)
{
    struct link *link = calloc(1, sizeof(*link));

    ck_assert_ptr_nonnull(link);
    *link = (struct link) { .base = { &link_ops, -1 },
                            .fd = fd,
                            .read_max = read_max,
                            .write_max = write_max,
                            .ring_fd = -1 };
    return link;
}

struct link *link_pair(int *far, size_t read_max, size_t write_max)
{
    int room = 200 * 1024; /* twice that: who is both ends does not wait */
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(
            setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)),
            0);
    *far = ends[1];
    return link_new(ends[0], read_max, write_max);
}

/* --- the far end --------------------------------------------------------- */

static void hear_some(int far, void *bytes, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got;

        ck_assert_msg(fd_wait(far, POLLIN, deadline_in(PATIENCE_MS)) == 0,
                      "nothing was sent");
        got = read(far, (char *) bytes + done, n - done);
        ck_assert_msg(got > 0, "hung up");
        done += (size_t) got;
    }
}

/* Up to and with the empty line. */
static void hear_head(int far, struct buf *head)
{
    char c;

    do {
        hear_some(far, &c, 1);
        ck_assert_int_eq(buf_append(head, &c, 1), 0);
    } while (head->len < 4
             || memcmp(buf_data(head) + head->len - 4, "\r\n\r\n", 4) != 0);
}

void far_hear(int far, struct heard *heard)
{
    struct buf head;

    *heard = (struct heard) { .body_len = 0 };
    buf_init(&head, 65536);
    hear_head(far, &head);
    heard->head = strdup(buf_cstr(&head));
    buf_free(&head);
    ck_assert_int_eq(
        sscanf(heard->head, "%15s %1023s", heard->method, heard->target), 2);
    snprintf(heard->id, sizeof(heard->id), "%s",
             heard_field(heard, "X-Request-ID"));
    heard->body_len = strtoul(heard_field(heard, "Content-Length"), NULL, 10);
    heard->body = calloc(1, heard->body_len + 1);
    ck_assert_ptr_nonnull(heard->body);
    hear_some(far, heard->body, heard->body_len);
}

void heard_free(struct heard *heard)
{
    free(heard->head);
    free(heard->body);
    *heard = (struct heard) { .body_len = 0 };
}

const char *heard_field(const struct heard *heard, const char *name)
{
    static char value[256];
    char line[80];
    const char *at;

    snprintf(line, sizeof(line), "\r\n%s: ", name);
    at = strstr(heard->head, line);
    value[0] = '\0';
    if (at)
        snprintf(value, sizeof(value), "%.*s",
                 (int) strcspn(at + strlen(line), "\r"), at + strlen(line));
    return value;
}

bool far_is_quiet(int far)
{
    return fd_wait(far, POLLIN, 0) == -ETIMEDOUT;
}

void far_say(int far, const void *bytes, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t some;

        ck_assert_msg(fd_wait(far, POLLOUT, deadline_in(PATIENCE_MS)) == 0,
                      "nobody listens");
        some = send(far, (const char *) bytes + done, n - done,
                    MSG_NOSIGNAL | MSG_DONTWAIT);
        ck_assert_int_gt(some, 0);
        done += (size_t) some;
    }
}

void far_answer(int far, const char *id, int http, const char *fields,
                const void *body, size_t n)
{
    char head[8192];
    int length = snprintf(head, sizeof(head),
                          "HTTP/1.1 %d Some Words\r\nX-Request-ID: %s\r\n"
                          "Content-Length: %zu\r\n%s\r\n",
                          http, id, n, fields);

    ck_assert_int_lt(length, (int) sizeof(head));
    far_say(far, head, (size_t) length);
    far_say(far, body, n);
}
