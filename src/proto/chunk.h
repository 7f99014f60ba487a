/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Bodies in chunks, as they are written (RFC 9112 section 7.1).  A body whose
 * sender cannot go on ends in a line that is no chunk-size: nobody takes it for
 * the end, and who knows the line knows why.  (Of what a client could be told
 * by: one that is told nothing waits for ever, and a wrong trailer is passed
 * over.)
 */
#ifndef VSRPC_PROTO_CHUNK_H
#define VSRPC_PROTO_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

#define CHUNK_HEAD 10 /* in front of the bytes: eight digits and CRLF */
#define CHUNK_TAIL 2  /* behind them */

/* Frames n bytes (0 < n < 4 GiB), which lie at where + CHUNK_HEAD; there is
 * room for CHUNK_TAIL behind them. */
void chunk_frame(uint8_t *where, size_t n);

/* Ends the body.  Return: 0 or -errno. */
int chunk_end(struct buf *out);

/*
 * Breaks the body off: what follows byte at of the content could not be read;
 * error is an errno, 0 for content that became shorter.
 *
 * Return: 0 or -errno.
 */
int chunk_break(struct buf *out, int64_t at, int error);

/*
 * Reads what stands where a chunk-size is expected.
 *
 * Return: the words of the one who broke off, inside line; NULL when it is
 * anything else.
 */
const char *chunk_broken(const char *line);

#endif
