/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The terminal that we were started from. */
#ifndef VSRPC_HOST_TERM_TERMINAL_H
#define VSRPC_HOST_TERM_TERMINAL_H

#include <termios.h>

#include "util/error.h"

struct terminal {
    int fd;                /* -1: left alone */
    struct termios before; /* as we found it */
    int window;            /* readable when the size changes; -1: nothing */
};

#define TERMINAL_INIT          \
    {                          \
        .fd = -1, .window = -1 \
    }

/*
 * Every key goes through as it is from now on: raw mode (cfmakeraw(3)).
 *
 * Return: 0; -ENOTTY when standard input is no terminal; other negative errno,
 * with a message.
 */
int terminal_raw(struct terminal *terminal, struct error *err);

/* As we found it; not changed is allowed. */
void terminal_restore(struct terminal *terminal);

/* The size of the terminal on standard input or output, 24 lines of 80 without
 * one. */
void terminal_size(int *rows, int *columns);

#endif
