/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Signals that mean "leave" (INT, TERM, HUP, QUIT), as a descriptor that can
 * be waited for.  What was ignored when the program began (nohup(1)) stays
 * ignored.
 */
#ifndef VSRPC_HOST_CORE_INTERRUPT_H
#define VSRPC_HOST_CORE_INTERRUPT_H

#include <signal.h>

struct interrupt {
    int fd; /* a signalfd(2), readable when one came; -1: not begun */
    sigset_t before;
};

#define INTERRUPT_INIT \
    {                  \
        .fd = -1       \
    }

/* Holds the signals back.  Begun already is allowed.  Return: 0 or negative
 * errno. */
int interrupt_begin(struct interrupt *interrupt);

/* Takes what came.  Return: the number of the first signal, 0 for none. */
int interrupt_take(const struct interrupt *interrupt);

/*
 * Runs something that cannot be woken up, which a signal ends together with
 * the process.
 *
 * Return: what it gave; -ECANCELED, without running it, when a signal is there
 * already.
 */
int interrupt_around(const struct interrupt *interrupt,
                     int (*function)(void *context), void *context);

/* Lets the signals do what they did before; one that came and was not taken
 * does it now.  Not begun is allowed. */
void interrupt_end(struct interrupt *interrupt);

/* From now on a signal ends the process with last words; not when it was
 * ignored before.  NULL: without.  The words have to stay, with their line
 * feed. */
void interrupt_last_words(const char *words);

/* Ends the process by a signal, so that a shell sees why. */
void interrupt_die(int number) __attribute__((noreturn));

#endif
