/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The quote.  What steers a terminal becomes octal escapes of three digits,
 * behind which any character can follow.
 */
#include <config.h>

#include "util/quote.h"

#include <stdarg.h>
#include <string.h>

#include "util/text.h"

static bool is_harmless(const char *name, size_t n)
{
    uint32_t code;

    for (size_t i = 0; i < n; i++)
        if (text_steering(name + i, &code))
            return false;
    return utf8_valid(name, n);
}

static int append_escaped(struct buf *text, unsigned char c)
{
    static const char letters[] = "\nn\tt\rr''\\\\";
    const char *letter = c ? strchr(letters, c) : NULL;

    /* Pairs: what is escaped, and its letter. */
    if (letter && (letter - letters) % 2 == 0)
        return buf_printf(text, "\\%c", letter[1]);
    if (c < 0x20 || c >= 0x7F)
        return buf_printf(text, "\\%03o", c);
    return buf_append(text, &c, 1);
}

static int append_quoted(struct buf *text, const char *name)
{
    int r = buf_puts(text, "$'");

    for (; *name && r == 0; name++)
        r = append_escaped(text, (unsigned char) *name);
    return r < 0 ? r : buf_puts(text, "'");
}

int quote_name(struct buf *text, const char *name)
{
    size_t n = strlen(name);

    return is_harmless(name, n) ? buf_append(text, name, n)
                                : append_quoted(text, name);
}

int quote_word(struct buf *text, const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789"
                                "@%+=:,./-_";
    size_t n = strlen(word);

    if (n > 0 && strspn(word, plain) == n)
        return buf_append(text, word, n);
    if (strchr(word, '\'') || !is_harmless(word, n))
        return append_quoted(text, word);
    return buf_printf(text, "'%s'", word);
}

/* Each %s of the format as a word. */
static int append_line(struct buf *line, const char *format, va_list args)
{
    const char *at;
    int r = 0;

    while (r == 0 && (at = strstr(format, "%s"))) {
        r = buf_append(line, format, (size_t) (at - format));
        if (r == 0)
            r = quote_word(line, va_arg(args, const char *));
        format = at + strlen("%s");
    }
    return r == 0 ? buf_puts(line, format) : r;
}

void quote_hint(struct error *err, const char *format, ...)
{
    struct buf line;
    va_list args;
    int r;

    if (!err)
        return;
    buf_init(&line, sizeof(err->hint) - 1);
    va_start(args, format);
    r = append_line(&line, format, args);
    va_end(args);
    if (r == 0 && buf_cstr(&line))
        error_hint(err, "%s", buf_cstr(&line));
    buf_free(&line);
}
