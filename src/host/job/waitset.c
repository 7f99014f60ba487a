/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The wait set: an epoll(7) descriptor, which can be waited for itself, so
 * that others need to know of one descriptor only.
 */
#include <config.h>

#include "host/job/waitset.h"

#include <errno.h>
#include <sys/epoll.h>

#include "util/fd.h"

int waitset_open(struct waitset *set)
{
    for (int slot = 0; slot < WAITSET_SLOTS; slot++)
        set->fds[slot] = -1;
    set->fd = epoll_create1(EPOLL_CLOEXEC);
    return set->fd < 0 ? -errno : 0;
}

void waitset_close(struct waitset *set)
{
    fd_close(&set->fd);
}

int waitset_set(struct waitset *set, enum waitset_slot slot, int fd)
{
    struct epoll_event event = { .events = slot == WAITSET_OUTPUT ? EPOLLOUT
                                                                  : EPOLLIN,
                                 .data.u32 = slot };

    if (set->fds[slot] == fd)
        return 0;
    if (set->fds[slot] >= 0)
        epoll_ctl(set->fd, EPOLL_CTL_DEL, set->fds[slot], NULL);
    set->fds[slot] = -1;
    if (fd < 0)
        return 0;
    if (epoll_ctl(set->fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    set->fds[slot] = fd;
    return 0;
}

unsigned int waitset_wait(const struct waitset *set, int ms)
{
    struct epoll_event events[WAITSET_SLOTS];
    int n = epoll_wait(set->fd, events, WAITSET_SLOTS, ms);
    unsigned int ready = 0;

    for (int i = 0; i < n; i++)
        ready |= 1U << events[i].data.u32;
    return ready;
}
