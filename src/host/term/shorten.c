/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Cuts a name into characters and escaped bytes, with the columns that each
 * takes.  From U+1000 on a character counts two, which needs no table of
 * Unicode.
 */
#include <config.h>

#include "host/term/shorten.h"

#include <stdbool.h>
#include <string.h>

#include "util/text.h"

#define DOTS 3          /* "..." */
#define ESCAPED 4       /* "\xNN" */
#define WIDE_FIRST 0xE1 /* U+1000: only behind it are characters wide */
#define UTF8_MAX 4

/* What is shown as one, or left out as one. */
struct piece {
    size_t n; /* bytes of the name */
    int columns;
    bool plain; /* as it is; else escaped, and one byte */
};

/* The next one of a string that has not ended. */
static struct piece piece_next(const char *p)
{
    const unsigned char *first = (const unsigned char *) p;
    size_t most = strnlen(p, UTF8_MAX);
    uint32_t code;

    if (text_steering(p, &code))
        return (struct piece) { 1, ESCAPED, false };
    for (size_t n = 1; n <= most; n++)
        if (utf8_valid(p, n))
            return (struct piece) { n, *first < WIDE_FIRST ? 1 : 2, true };
    return (struct piece) { 1, ESCAPED, false };
}

static int width_of(const char *name)
{
    int columns = 0;

    while (*name) {
        struct piece piece = piece_next(name);

        columns += piece.columns;
        name += piece.n;
    }
    return columns;
}

static int append(struct buf *text, const char *p, struct piece piece)
{
    if (piece.plain)
        return buf_append(text, p, piece.n);
    return buf_printf(text, "\\x%02x", (unsigned char) *p);
}

/* Pieces from *name on, as many as fit.  Return: columns, negative errno. */
static int append_fitting(struct buf *text, const char **name, int room)
{
    int used = 0;

    while (**name) {
        struct piece piece = piece_next(*name);
        int r;

        if (piece.columns > room - used)
            break;
        r = append(text, *name, piece);
        if (r < 0)
            return r;
        used += piece.columns;
        *name += piece.n;
    }
    return used;
}

/* The first place behind which everything fits. */
static const char *tail_of(const char *name, int room)
{
    int left = width_of(name);

    while (left > room) {
        struct piece piece = piece_next(name);

        left -= piece.columns;
        name += piece.n;
    }
    return name;
}

int shorten_name(struct buf *text, const char *name, int columns)
{
    int head;
    int tail;
    int r;

    if (width_of(name) <= columns)
        return append_fitting(text, &name, columns);
    if (columns <= DOTS)
        return 0;
    head = append_fitting(text, &name, (columns - DOTS) / 2);
    r = head < 0 ? head : buf_puts(text, "...");
    if (r < 0)
        return r;
    name = tail_of(name, columns - DOTS - head);
    tail = append_fitting(text, &name, columns - DOTS - head);
    return tail < 0 ? tail : head + DOTS + tail;
}
