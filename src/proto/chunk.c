/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The line that breaks a body off begins with a character that is no hex digit,
 * so that every reader of chunks refuses it at once.
 */
#include <config.h>

#include "proto/chunk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BREAK "!broken off: "

void chunk_frame(uint8_t *where, size_t n)
{
    char head[CHUNK_HEAD + 1];

    snprintf(head, sizeof(head), "%08" PRIx32 "\r\n", (uint32_t) n);
    memcpy(where, head, CHUNK_HEAD);
    memcpy(where + CHUNK_HEAD + n, "\r\n", CHUNK_TAIL);
}

int chunk_end(struct buf *out)
{
    return buf_append(out, "0\r\n\r\n", 5);
}

int chunk_break(struct buf *out, int64_t at, int error)
{
    return buf_printf(out, BREAK "at byte %" PRId64 ": %s (errno %d)\r\n", at,
                      error ? strerror(error) : "the file became shorter",
                      error);
}

const char *chunk_broken(const char *line)
{
    size_t n = strlen(BREAK);

    return strncmp(line, BREAK, n) == 0 ? line + n : NULL;
}
