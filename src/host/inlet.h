/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Our standard input, as far as it is for a command in the guest: never waited
 * for, and read only when there is room for it.
 */
#ifndef VSRPC_HOST_INLET_H
#define VSRPC_HOST_INLET_H

#include "host/escape.h"
#include "host/wake.h"
#include "util/buf.h"

enum inlet_end {
    INLET_OPEN,
    INLET_EOF,
    INLET_LEFT, /* the terminal has gone, or the way out was typed */
};

struct inlet {
    int fd;     /* -1: there is none, or it has ended */
    bool typed; /* it is a terminal in raw mode */
    bool always; /* it is no use to wait for it: a file */
    bool ready; /* WAKE_INPUT was seen */
    struct escape escape;
};

/* fd -1: no input. */
void inlet_init(struct inlet *inlet, int fd);

/*
 * Waits for input in WAKE_INPUT, if it is wanted.
 *
 * Return: 0; negative errno of wake_set().
 */
int inlet_watch(struct inlet *inlet, struct wake *wake, bool wanted);

/*
 * Reads what can be read without waiting, as far as into has room.
 *
 * Return: how it goes on; but for INLET_OPEN the input is over.
 */
enum inlet_end inlet_fill(struct inlet *inlet, struct buf *into);

#endif
