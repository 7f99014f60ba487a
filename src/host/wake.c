/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/wake.h"

#include <errno.h>
#include <sys/epoll.h>

#include "util/fd.h"

int wake_open(struct wake *wake)
{
    for (int slot = 0; slot < WAKE_SLOTS; slot++)
        wake->fds[slot] = -1;
    wake->fd = epoll_create1(EPOLL_CLOEXEC);
    return wake->fd < 0 ? -errno : 0;
}

void wake_close(struct wake *wake)
{
    fd_close(&wake->fd);
}

int wake_set(struct wake *wake, enum wake_slot slot, int fd)
{
    struct epoll_event event
        = { .events = slot == WAKE_OUTPUT ? EPOLLOUT : EPOLLIN,
            .data.u32 = slot };

    if (wake->fds[slot] == fd)
        return 0;
    if (wake->fds[slot] >= 0)
        epoll_ctl(wake->fd, EPOLL_CTL_DEL, wake->fds[slot], NULL);
    wake->fds[slot] = -1;
    if (fd < 0)
        return 0;
    if (epoll_ctl(wake->fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    wake->fds[slot] = fd;
    return 0;
}

unsigned int wake_wait(const struct wake *wake, int ms)
{
    struct epoll_event events[WAKE_SLOTS];
    int n = epoll_wait(wake->fd, events, WAKE_SLOTS, ms);
    unsigned int ready = 0;

    for (int i = 0; i < n; i++)
        ready |= 1U << events[i].data.u32;
    return ready;
}
