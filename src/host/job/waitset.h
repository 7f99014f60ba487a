/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Several things to be woken up by, as one descriptor: what a transport, a
 * lock and a pause take as their wake_fd.  An epoll(7) set with names.
 */
#ifndef VSRPC_HOST_JOB_WAITSET_H
#define VSRPC_HOST_JOB_WAITSET_H

#include <stdbool.h>
#include <stdint.h>

enum waitset_slot {
    WAITSET_SIGNAL, /* somebody wants us to leave */
    WAITSET_WINDOW, /* our terminal has another size */
    WAITSET_LOCK,   /* somebody wants the channel */
    WAITSET_INPUT,
    WAITSET_OUTPUT,
    WAITSET_SLOTS,
};

struct waitset {
    int fd; /* readable when one of them is ready; -1: not begun */
    int fds[WAITSET_SLOTS]; /* -1: none */
};

#define WAITSET_INIT \
    {                \
        .fd = -1     \
    }

/* Begins with nothing to wait for.  Return: 0 or negative errno. */
int waitset_open(struct waitset *set);

/* Ends; not begun is allowed. */
void waitset_close(struct waitset *set);

/*
 * Watches fd in a slot, for reading, or in WAITSET_OUTPUT for writing; -1:
 * nothing any more.  A slot has to be emptied before its descriptor is closed.
 *
 * Return: 0; -EPERM for what is always ready (a regular file, /dev/null);
 * other negative errno.
 */
int waitset_set(struct waitset *set, enum waitset_slot slot, int fd);

/* Waits up to ms (-1: for ever).  Return: a set of bits 1 << slot. */
unsigned int waitset_wait(const struct waitset *set, int ms);

#endif
