/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The poll(2) loop: a list of descriptors, a list of timers by due time, and
 * signals from a signalfd.  Each turn polls a snapshot of the list, so that a
 * callback may unlink any descriptor, also one whose event is still to be
 * delivered.
 */
#include <config.h>

#include "guest/core/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

static void signals_ready(void *arg, short revents)
{
    struct loop *loop = arg;
    struct signalfd_siginfo info;

    (void) revents;
    while (read(loop->signal_watch.fd, &info, sizeof(info))
           == (ssize_t) sizeof(info))
        for (size_t i = 0; i < LOOP_SIGNALS; i++)
            if (loop->signals[i].number == (int) info.ssi_signo)
                loop->signals[i].arrived(loop->signals[i].arg);
}

int loop_init(struct loop *loop)
{
    *loop = (struct loop) { .signal_watch = { .fd = -1,
                                              .ready = signals_ready } };
    loop->signal_watch.arg = loop;
    sigemptyset(&loop->signal_set);
    loop->signal_watch.fd = signalfd(-1, &loop->signal_set,
                                     SFD_NONBLOCK | SFD_CLOEXEC);
    if (loop->signal_watch.fd < 0)
        return -errno;
    loop->signal_watch.events = POLLIN;
    loop_fd_add(loop, &loop->signal_watch);
    return 0;
}

void loop_free(struct loop *loop)
{
    loop_fd_remove(loop, &loop->signal_watch);
    fd_close(&loop->signal_watch.fd);
    free(loop->snapshot);
    free(loop->polled);
    loop->snapshot = NULL;
    loop->polled = NULL;
    loop->capacity = 0;
}

void loop_fd_add(struct loop *loop, struct loop_fd *watch)
{
    if (watch->linked)
        return;
    watch->next = loop->fds;
    watch->linked = true;
    loop->fds = watch;
}

void loop_fd_remove(struct loop *loop, struct loop_fd *watch)
{
    if (!watch->linked)
        return;
    for (struct loop_fd **at = &loop->fds; *at; at = &(*at)->next) {
        if (*at == watch) {
            *at = watch->next;
            break;
        }
    }
    watch->linked = false;
    /* Its event of this turn, if any, must not be delivered any more. */
    for (size_t i = 0; i < loop->n_polled; i++)
        if (loop->snapshot[i] == watch)
            loop->snapshot[i] = NULL;
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
    if (!timer->linked)
        return;
    for (struct loop_timer **at = &loop->timers; *at; at = &(*at)->next) {
        if (*at == timer) {
            *at = timer->next;
            break;
        }
    }
    timer->linked = false;
}

void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t ms)
{
    struct loop_timer **at = &loop->timers;

    loop_timer_stop(loop, timer);
    timer->due = deadline_in(ms);
    while (*at && (*at)->due <= timer->due)
        at = &(*at)->next;
    timer->next = *at;
    timer->linked = true;
    *at = timer;
}

int loop_signal_add(struct loop *loop, int number, void (*arrived)(void *),
                    void *arg)
{
    size_t i = 0;

    while (i < LOOP_SIGNALS && loop->signals[i].number)
        i++;
    if (i == LOOP_SIGNALS)
        return -ENOSPC;
    sigaddset(&loop->signal_set, number);
    if (sigprocmask(SIG_BLOCK, &loop->signal_set, NULL) < 0
        || signalfd(loop->signal_watch.fd, &loop->signal_set, 0) < 0)
        return -errno;
    loop->signals[i] = (struct loop_signal) { number, arrived, arg };
    return 0;
}

static int loop_make_room(struct loop *loop, size_t need)
{
    struct loop_fd **snapshot;
    struct pollfd *polled;

    if (need <= loop->capacity)
        return 0;
    snapshot = realloc(loop->snapshot, need * 2 * sizeof(*snapshot));
    if (!snapshot)
        return -ENOMEM;
    loop->snapshot = snapshot;
    polled = realloc(loop->polled, need * 2 * sizeof(*polled));
    if (!polled)
        return -ENOMEM;
    loop->polled = polled;
    loop->capacity = need * 2;
    return 0;
}

static int loop_collect(struct loop *loop)
{
    size_t n = 0;
    int r;

    for (struct loop_fd *watch = loop->fds; watch; watch = watch->next)
        n++;
    r = loop_make_room(loop, n);
    if (r < 0)
        return r;
    loop->n_polled = 0;
    for (struct loop_fd *watch = loop->fds; watch; watch = watch->next) {
        if (watch->fd < 0 || !watch->events)
            continue;
        loop->snapshot[loop->n_polled] = watch;
        loop->polled[loop->n_polled++] = (struct pollfd) {
            .fd = watch->fd, .events = watch->events
        };
    }
    return 0;
}

static void loop_expire(struct loop *loop)
{
    while (loop->timers && deadline_left(loop->timers->due) == 0) {
        struct loop_timer *timer = loop->timers;

        loop_timer_stop(loop, timer);
        timer->expired(timer->arg);
    }
}

static void loop_dispatch(struct loop *loop)
{
    for (size_t i = 0; i < loop->n_polled; i++) {
        struct loop_fd *watch = loop->snapshot[i];

        if (watch && loop->polled[i].revents)
            watch->ready(watch->arg, loop->polled[i].revents);
    }
    loop->n_polled = 0;
}

int loop_run(struct loop *loop)
{
    while (!loop->stop) {
        int r;

        if (loop->turn_over)
            loop->turn_over(loop->turn_arg);
        r = loop_collect(loop);
        if (r < 0)
            return r;
        r = poll(loop->polled, loop->n_polled,
                 loop->timers ? deadline_left(loop->timers->due) : -1);
        if (r < 0 && errno != EINTR)
            return -errno;
        if (r > 0)
            loop_dispatch(loop);
        loop_expire(loop);
    }
    return 0;
}
