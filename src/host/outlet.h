/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Standard output and error for bytes of the guest, in the order they come,
 * without ever waiting for who reads them: what does not go out now is kept,
 * and whoever drives it brings no more until it has gone.
 */
#ifndef VSRPC_HOST_OUTLET_H
#define VSRPC_HOST_OUTLET_H

#include <stdbool.h>

#include "proto/limits.h"
#include "util/buf.h"

/* Two answers: one may be on its way while another does not go out. */
#define OUTLET_MAX (2 * JOB_ANSWER_MAX)
#define OUTLET_PIECES (2 * JOB_ANSWER_SEGMENTS)

struct outlet_piece {
    int fd;
    size_t n;
};

struct outlet {
    struct buf bytes;
    struct outlet_piece pieces[OUTLET_PIECES];
    size_t n_pieces;
    /* By descriptor, 1 and 2. */
    bool file[3]; /* it is always ready */
    int own[3];   /* a terminal, opened once more; -1: none */
};

void outlet_init(struct outlet *outlet);
void outlet_free(struct outlet *outlet);

/*
 * Writes n bytes to fd (1, 2), or keeps them.
 *
 * Return: 0; -EPIPE when nobody reads them; other negative errno of write(2);
 * -EMSGSIZE past OUTLET_MAX, -ENOMEM.
 */
int outlet_put(struct outlet *outlet, int fd, const void *bytes, size_t n);

/* Writes what is kept, as far as it goes out.  Return: as outlet_put(). */
int outlet_flush(struct outlet *outlet);

/* The descriptor that has to be ready for that; -1: nothing is kept. */
int outlet_blocked(const struct outlet *outlet);

#endif
