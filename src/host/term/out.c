/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Lines, JSON and tables.  What would steer a terminal becomes '?', in JSON an
 * escape, because a guest may have chosen it.  A line is one write(2), so
 * that lines of several processes stay whole.
 */
#include <config.h>

#include "host/term/out.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/term/progress.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/text.h"

#define MESSAGE_MAX 4096
#define COLUMNS_MAX 16      /* of a table; more fit on no screen */
#define TEXT_MAX (1L << 30) /* of one JSON line or table */

#define JSON_STYLE (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

int out_bytes(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n > 0) {
        ssize_t done = write(fd, p, n);

        /* Somebody who shares the terminal may have set O_NONBLOCK. */
        if (done < 0 && errno == EAGAIN)
            done = fd_wait(fd, POLLOUT, DEADLINE_NEVER) < 0 ? -1 : 0;
        else if (done < 0 && errno == EINTR)
            done = 0;
        if (done < 0)
            return -errno;
        p += done;
        n -= (size_t) done;
    }
    return 0;
}

static int line(int fd, const char *prefix, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static int line(int fd, const char *prefix, const char *format, va_list args)
{
    char text[MESSAGE_MAX];
    int used = snprintf(text, sizeof(text), "%s", prefix);

    vsnprintf(text + used, sizeof(text) - (size_t) used - 1, format, args);
    text_make_harmless(text);
    used = (int) strlen(text);
    text[used++] = '\n'; /* one write: lines of several workers stay whole */
    return out_bytes(fd, text, (size_t) used);
}

int out_line(const char *format, ...)
{
    va_list args;
    int r;

    va_start(args, format);
    r = line(STDOUT_FILENO, "", format, args);
    va_end(args);
    return r;
}

int out_format(struct buf *text, const char *format, ...)
{
    char words[MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    text_make_harmless(words);
    return buf_printf(text, "%s\n", words);
}

static int append_escape(struct buf *text, uint32_t code)
{
    if (code < 0x10000)
        return buf_printf(text, "\\u%04x", code);
    code -= 0x10000; /* a pair of surrogates, RFC 8259 section 7 */
    return buf_printf(text, "\\u%04x\\u%04x", 0xD800 | code >> 10,
                      0xDC00 | (code & 0x3FF));
}

/* As text_make_harmless(), but nothing is lost: JSON has an escape for it.  Inside
 * JSON text such a character can only be part of a string. */
static int json_harmless(struct buf *text, const char *json, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        size_t plain = i;
        size_t found = 0;
        uint32_t code;

        while (i < n
               && ((json[i] >= 0x20 && json[i] < 0x7F)
                   || (found = text_steering(json + i, &code)) == 0))
            i++;
        r = buf_append(text, json + plain, i - plain);
        if (r < 0 || i == n)
            break;
        r = append_escape(text, code);
        i += found - 1;
    }
    return r;
}

int out_json(int fd, struct json_object *value)
{
    size_t n = 0;
    const char *json = json_object_to_json_string_length(value, JSON_STYLE,
                                                         &n);
    struct buf text;
    int r;

    buf_init(&text, TEXT_MAX);
    r = json ? json_harmless(&text, json, n) : -ENOMEM;
    if (r == 0)
        r = buf_puts(&text, "\n");
    if (r == 0)
        r = out_bytes(fd, buf_data(&text), text.len);
    buf_free(&text);
    return r;
}

/* Width of a column; names are short and mostly ASCII, so bytes will do. */
static size_t width_of(const struct strlist *cells, size_t columns,
                       size_t column)
{
    size_t width = 0;

    for (size_t i = column; i < cells->n; i += columns)
        if (strlen(cells->items[i]) > width)
            width = strlen(cells->items[i]);
    return width;
}

int out_table(const struct strlist *cells, size_t columns)
{
    size_t widths[COLUMNS_MAX];
    struct buf text;
    int r = 0;

    if (columns > COLUMNS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < columns; i++)
        widths[i] = width_of(cells, columns, i);
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < cells->n && r == 0; i++) {
        size_t column = i % columns;

        text_make_harmless(cells->items[i]);
        if (column + 1 == columns)
            r = buf_printf(&text, "%s\n", cells->items[i]);
        else
            r = buf_printf(&text, "%-*s  ", (int) widths[column],
                           cells->items[i]);
    }
    if (r == 0)
        r = out_bytes(STDOUT_FILENO, buf_data(&text), text.len);
    buf_free(&text);
    return r;
}

void out_message(const struct out *out, const char *format, ...)
{
    va_list args;

    if (out->quiet)
        return;
    progress_clear(out->progress);
    va_start(args, format);
    line(STDERR_FILENO, PROGRAM ": ", format, args);
    va_end(args);
}

void out_note(const struct out *out, const char *format, ...)
{
    va_list args;

    if (!out->verbose)
        return;
    progress_clear(out->progress);
    va_start(args, format);
    line(STDERR_FILENO, PROGRAM ": note: ", format, args);
    va_end(args);
}

static void out_stderr(const char *prefix, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void out_stderr(const char *prefix, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    line(STDERR_FILENO, prefix, format, args);
    va_end(args);
}

void out_error(const struct error *err)
{
    if (err->code == -EPIPE)
        return;
    out_stderr(PROGRAM ": ", "%s", err->message);
    if (*err->hint)
        out_stderr("  try: ", "%s", err->hint);
}
