/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Cuts output into lines and puts the name in front of each. */
#include <config.h>

#include "host/fleet/prefix.h"

#include <errno.h>
#include <string.h>

#include "host/term/out.h"

#define LINE_LONGEST (1024 * 1024) /* what is kept of an unfinished line */
#define OUTPUT_MAX (64L * 1024 * 1024)

void prefix_init(struct prefix *prefix, const char *name)
{
    prefix->name = name;
    buf_init(&prefix->line, LINE_LONGEST);
}

void prefix_free(struct prefix *prefix)
{
    buf_free(&prefix->line);
}

/* Moves the kept line, with its name and a line feed, to the output. */
static int flush(struct prefix *prefix, struct buf *output)
{
    int r = buf_printf(output, "%s: ", prefix->name);

    if (r == 0)
        r = buf_append(output, buf_data(&prefix->line), prefix->line.len);
    if (r == 0)
        r = buf_puts(output, "\n");
    buf_clear(&prefix->line);
    return r;
}

static int collect(struct prefix *prefix, const uint8_t *bytes, size_t n,
                   struct buf *output)
{
    int r = 0;

    while (n > 0 && r == 0) {
        const uint8_t *end = memchr(bytes, '\n', n);
        size_t piece = end ? (size_t) (end - bytes) : n;

        if (piece > buf_room(&prefix->line))
            piece = buf_room(&prefix->line);
        r = buf_append(&prefix->line, bytes, piece);
        bytes += piece;
        n -= piece;
        if (r < 0 || n == 0) /* a full line may end with the next byte */
            break;
        if (*bytes == '\n') {
            bytes++;
            n--;
        }
        r = flush(prefix, output);
    }
    return r;
}

int prefix_feed(struct prefix *prefix, int fd, const uint8_t *bytes, size_t n)
{
    struct buf output;
    int r;

    buf_init(&output, OUTPUT_MAX);
    r = collect(prefix, bytes, n, &output);
    if (r == 0)
        r = out_bytes(fd, buf_data(&output), output.len);
    buf_free(&output);
    return r;
}

int prefix_end(struct prefix *prefix, int fd)
{
    static const uint8_t feed = '\n';

    return prefix->line.len ? prefix_feed(prefix, fd, &feed, 1) : 0;
}
