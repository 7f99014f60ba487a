/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Standard output and error for bytes of the guest, in the order they come,
 * without ever waiting for who reads them: what does not go out now is kept,
 * and whoever drives it brings no more until it has gone.
 */
#ifndef VSRPC_HOST_JOB_STD_OUTPUT_H
#define VSRPC_HOST_JOB_STD_OUTPUT_H

#include <stdbool.h>

#include "proto/limits.h"
#include "util/buf.h"

/* Two answers: one may be on its way while another does not go out. */
#define STD_OUTPUT_MAX (2 * JOB_ANSWER_MAX)
#define STD_OUTPUT_PIECES (2 * JOB_ANSWER_SEGMENTS)

struct std_output_piece {
    int fd;
    size_t n;
};

struct std_output {
    struct buf bytes;
    struct std_output_piece pieces[STD_OUTPUT_PIECES];
    size_t n_pieces;
    /* By descriptor, 1 and 2. */
    bool file[3]; /* it is always ready */
    int own[3];   /* a terminal, opened once more; -1: none */
    bool shared;  /* both are the same one */
    int failed;   /* the descriptor that could not be written to; 0: none */
};

void std_output_init(struct std_output *std_output);
void std_output_free(struct std_output *std_output);

/*
 * Writes n bytes to fd (1, 2), or keeps them.
 *
 * Return: 0; -EPIPE when nobody reads them; other negative errno of write(2);
 * -EMSGSIZE past STD_OUTPUT_MAX, -ENOMEM.
 */
int std_output_put(struct std_output *std_output, int fd, const void *bytes,
                   size_t n);

/* Writes what is kept, as far as it goes out.  Return: as std_output_put(). */
int std_output_flush(struct std_output *std_output);

/*
 * The guest's program has closed these, and nothing more comes: whoever reads
 * our end of a pipe learns it now, once nothing is kept.  Standard error stays,
 * as we have something to say ourselves, unless it is the same pipe.
 */
void std_output_end(struct std_output *std_output, bool out, bool err);

/* The descriptor that has to be ready for that; -1: nothing is kept. */
int std_output_blocked(const struct std_output *std_output);

#endif
