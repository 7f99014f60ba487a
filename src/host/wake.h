/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Several things to be woken up by, as one descriptor: what a transport, a
 * lock and a pause take as their wake_fd.  An epoll(7) set with names.
 */
#ifndef VSRPC_HOST_WAKE_H
#define VSRPC_HOST_WAKE_H

#include <stdbool.h>
#include <stdint.h>

enum wake_slot {
    WAKE_SIGNAL, /* somebody wants us to leave */
    WAKE_WINDOW, /* our terminal has another size */
    WAKE_LOCK,   /* somebody wants the channel */
    WAKE_INPUT,
    WAKE_OUTPUT,
    WAKE_SLOTS,
};

struct wake {
    int fd; /* readable when one of them is ready; -1: not begun */
    int fds[WAKE_SLOTS]; /* -1: none */
};

#define WAKE_INIT { .fd = -1 }

/* Begins with nothing to wait for.  Return: 0 or negative errno. */
int wake_open(struct wake *wake);

/* Ends; not begun is allowed. */
void wake_close(struct wake *wake);

/*
 * Watches fd in a slot, for reading, or in WAKE_OUTPUT for writing; -1: nothing
 * any more.  A slot has to be emptied before its descriptor is closed.
 *
 * Return: 0; -EPERM for what is always ready (a regular file, /dev/null);
 * other negative errno.
 */
int wake_set(struct wake *wake, enum wake_slot slot, int fd);

/* Waits up to ms (-1: for ever).  Return: a set of bits 1 << slot. */
unsigned int wake_wait(const struct wake *wake, int ms);

#endif
