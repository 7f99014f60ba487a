/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The way out of a terminal that belongs to the guest: "~." at the beginning
 * of a line, as in ssh(1) and virsh's relatives. "~~" is one tilde.
 */
#ifndef VSRPC_HOST_JOB_ESCAPE_H
#define VSRPC_HOST_JOB_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

enum escape_state {
    ESCAPE_LINE,  /* a line begins */
    ESCAPE_TILDE, /* with a tilde, which is held back */
    ESCAPE_OTHER, /* within a line */
};

struct escape {
    enum escape_state state;
};

#define ESCAPE_INIT          \
    {                        \
        .state = ESCAPE_LINE \
    }

/*
 * Takes n bytes that were typed and writes to out, which has room for n + 1,
 * those that are for the guest.
 *
 * Return: how many; *leave is set when the way out was typed.
 */
size_t escape_filter(struct escape *escape, const char *typed, size_t n,
                     char *out, bool *leave);

#endif
