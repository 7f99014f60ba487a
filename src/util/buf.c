/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One allocation, with the content anywhere in it: it is moved to the front
 * when the end is reached, and the size is doubled.  One byte is always spare
 * for the NUL of buf_cstr() and vsnprintf(3).
 */
#include <config.h>

#include "util/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 256 /* a head or a small JSON body fits without growing */

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf) { .max = max };
}

void buf_free(struct buf *buf)
{
    free(buf->base);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->start = 0;
    buf->len = 0;
}

/* Moves the content to the front, so that the tail is one free piece. */
static void buf_compact(struct buf *buf)
{
    if (buf->start && buf->len)
        memmove(buf->base, buf_data(buf), buf->len);
    buf->start = 0;
}

/* Grows the allocation to hold need bytes.  One byte more than asked is kept
 * for the NUL of buf_cstr(). */
static int buf_grow(struct buf *buf, size_t need)
{
    size_t cap = buf->cap ? buf->cap : BUF_FIRST;
    uint8_t *base;

    if (need > SIZE_MAX / 2) /* doubling would never get there */
        return -ENOMEM;
    while (cap <= need)
        cap *= 2;
    base = realloc(buf->base, cap);
    if (!base)
        return -ENOMEM;
    buf->base = base;
    buf->cap = cap;
    return 0;
}

int buf_reserve(struct buf *buf, size_t n, uint8_t **where)
{
    int r;

    if (n > buf_room(buf))
        return -EMSGSIZE;
    if (buf->start + buf->len + n >= buf->cap) {
        buf_compact(buf);
        if (buf->len + n >= buf->cap) {
            r = buf_grow(buf, buf->len + n);
            if (r < 0)
                return r;
        }
    }
    *where = buf_data(buf) + buf->len;
    return 0;
}

void buf_commit(struct buf *buf, size_t n)
{
    buf->len += n;
}

int buf_append(struct buf *buf, const void *bytes, size_t n)
{
    uint8_t *where;
    int r;

    if (n == 0)
        return 0;
    r = buf_reserve(buf, n, &where);
    if (r < 0)
        return r;
    memcpy(where, bytes, n);
    buf_commit(buf, n);
    return 0;
}

int buf_puts(struct buf *buf, const char *string)
{
    return buf_append(buf, string, strlen(string));
}

int buf_printf(struct buf *buf, const char *format, ...)
{
    uint8_t *where;
    va_list args;
    int need;
    int r;

    va_start(args, format);
    need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (need < 0)
        return -EINVAL;
    r = buf_reserve(buf, (size_t) need, &where);
    if (r < 0)
        return r;
    /* buf_grow() keeps one byte spare: the NUL of vsnprintf() fits. */
    va_start(args, format);
    vsnprintf((char *) where, (size_t) need + 1, format, args);
    va_end(args);
    buf_commit(buf, (size_t) need);
    return 0;
}

void buf_consume(struct buf *buf, size_t n)
{
    if (n >= buf->len) {
        buf_clear(buf);
        return;
    }
    buf->start += n;
    buf->len -= n;
}

char *buf_cstr(struct buf *buf)
{
    if (buf->start + buf->len >= buf->cap) {
        buf_compact(buf);
        if (buf->len >= buf->cap && buf_grow(buf, buf->len) < 0)
            return NULL;
    }
    buf_data(buf)[buf->len] = '\0';
    return (char *) buf_data(buf);
}
