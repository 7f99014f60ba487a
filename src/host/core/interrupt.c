/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Signals by signalfd(2).  Those that are ignored are left out, because the
 * kernel keeps a blocked signal even when it is ignored.  Where nobody waits
 * for the descriptor, a handler can write last words.
 */
#include <config.h>

#include "host/core/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "proto/status.h"
#include "util/cleanup.h"
#include "util/fd.h"

static const int leaving[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* A blocked signal is kept even if it is ignored, so those are left out. */
static void leaving_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < ARRAY_SIZE(leaving); i++) {
        struct sigaction action;

        if (sigaction(leaving[i], NULL, &action) == 0
            && action.sa_handler != SIG_IGN)
            sigaddset(set, leaving[i]);
    }
}

int interrupt_begin(struct interrupt *interrupt)
{
    sigset_t set;

    if (interrupt->fd >= 0)
        return 0;
    leaving_set(&set);
    interrupt->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (interrupt->fd < 0)
        return -errno;
    sigprocmask(SIG_BLOCK, &set, &interrupt->before);
    return 0;
}

int interrupt_take(const struct interrupt *interrupt)
{
    struct signalfd_siginfo info;
    int first = 0;

    while (interrupt->fd >= 0
           && read(interrupt->fd, &info, sizeof(info)) == sizeof(info))
        if (!first)
            first = (int) info.ssi_signo;
    return first;
}

int interrupt_around(const struct interrupt *interrupt,
                     int (*function)(void *context), void *context)
{
    sigset_t held;
    int r;

    if (interrupt->fd < 0)
        return function(context);
    if (fd_wait(interrupt->fd, POLLIN, 0) == 0)
        return -ECANCELED;
    sigprocmask(SIG_SETMASK, &interrupt->before, &held);
    r = function(context);
    sigprocmask(SIG_SETMASK, &held, NULL);
    return r;
}

/* A handler has no other way to know them. */
static const char *volatile last_words;

/* SA_RESETHAND: the second time it is the usual end. */
static void say_last_words(int number)
{
    const char *words = last_words;

    if (words)
        (void) !write(STDERR_FILENO, words, strlen(words));
    raise(number);
}

void interrupt_last_words(const char *words)
{
    struct sigaction action = { .sa_flags = words ? SA_RESETHAND | SA_NODEFER
                                                  : 0 };

    action.sa_handler = words ? say_last_words : SIG_DFL;
    last_words = words;
    for (size_t i = 0; i < ARRAY_SIZE(leaving); i++) {
        struct sigaction before;

        if (sigaction(leaving[i], NULL, &before) == 0
            && before.sa_handler != SIG_IGN)
            sigaction(leaving[i], &action, NULL);
    }
}

void interrupt_end(struct interrupt *interrupt)
{
    if (interrupt->fd < 0)
        return;
    fd_close(&interrupt->fd);
    sigprocmask(SIG_SETMASK, &interrupt->before, NULL);
}

void interrupt_die(int number)
{
    sigset_t set;

    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    _exit(EXIT_STATUS_SIGNAL + number);
}
