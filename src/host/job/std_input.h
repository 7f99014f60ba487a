/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Our standard input, as far as it is for a command in the guest: never waited
 * for, and read only when there is room for it.
 */
#ifndef VSRPC_HOST_JOB_STD_INPUT_H
#define VSRPC_HOST_JOB_STD_INPUT_H

#include "host/job/escape.h"
#include "host/job/waitset.h"
#include "util/buf.h"

enum std_input_end {
    STD_INPUT_OPEN,
    STD_INPUT_EOF,
    STD_INPUT_LEFT, /* the terminal has gone, or the way out was typed */
};

struct std_input {
    int fd;      /* -1: there is none, or it has ended */
    bool typed;  /* it is a terminal in raw mode */
    bool always; /* it is no use to wait for it: a file */
    bool ready;  /* WAITSET_INPUT was seen */
    int error;   /* negative errno that ended it too early; 0: none */
    struct escape escape;
};

/* fd -1: no input. */
void std_input_init(struct std_input *std_input, int fd);

/*
 * Waits for input in WAITSET_INPUT, if it is wanted.
 *
 * Return: 0; negative errno of waitset_set().
 */
int std_input_watch(struct std_input *std_input, struct waitset *set,
                    bool wanted);

/*
 * Reads what can be read without waiting, as far as into has room.
 *
 * Return: how it goes on; but for STD_INPUT_OPEN the input is over.
 */
enum std_input_end std_input_fill(struct std_input *std_input,
                                  struct buf *into);

/* Nobody reads it any more: whoever writes it learns that. */
void std_input_end(struct std_input *std_input);

#endif
