/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A byte buffer with a ceiling.  Every byte that comes from the other side of
 * the channel passes through one of these, so a peer can never make us take
 * more memory than the ceiling says.
 *
 * Bytes are appended at the end and consumed at the front; consuming moves no
 * memory, appending does so at most once per doubling.
 */
#ifndef VSRPC_UTIL_BUF_H
#define VSRPC_UTIL_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *base; /* the allocation; use buf_data() */
    size_t start;  /* consumed bytes in front */
    size_t len;    /* bytes that wait to be consumed */
    size_t cap;    /* size of the allocation */
    size_t max;    /* len never exceeds this */
};

/* Starts an empty buffer that never holds more than max bytes. */
void buf_init(struct buf *buf, size_t max);

/* Frees the memory; the buffer is empty and usable again, same ceiling. */
void buf_free(struct buf *buf);

/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *buf);

/*
 * Makes room for at least n more bytes and gives where they go; follow with
 * buf_commit().
 *
 * Return: 0, -EMSGSIZE past the ceiling, -ENOMEM.
 */
int buf_reserve(struct buf *buf, size_t n, uint8_t **where);

/* Counts n bytes, written where buf_reserve() said, as content. */
void buf_commit(struct buf *buf, size_t n);

/*
 * Appends n bytes.
 *
 * Return: 0, -EMSGSIZE past the ceiling, -ENOMEM; nothing is appended then.
 */
int buf_append(struct buf *buf, const void *bytes, size_t n);

/* Appends a C string without its NUL.  Return: as buf_append(). */
int buf_puts(struct buf *buf, const char *string);

/* Appends formatted text.  Return: as buf_append(). */
int buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drops n bytes (at most len) at the front. */
void buf_consume(struct buf *buf, size_t n);

/*
 * The content as a C string: puts a NUL behind it that does not count.
 *
 * Return: the string, owned by the buffer and valid until it changes; NULL
 * when there is no memory for the NUL.
 */
char *buf_cstr(struct buf *buf);

/* Where the content starts; NULL while nothing was ever put in. */
static inline uint8_t *buf_data(const struct buf *buf)
{
    /* Nothing may be added to a null pointer, not even 0. */
    return buf->base ? buf->base + buf->start : NULL;
}

static inline size_t buf_room(const struct buf *buf)
{
    return buf->max - buf->len;
}

#endif
