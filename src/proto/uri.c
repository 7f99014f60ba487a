/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Percent-encoding byte by byte.  A name that is twice in a query is an error,
 * so that nobody has to know which of the two counts.
 */
#include <config.h>

#include "proto/uri.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/num.h"

static bool is_plain(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z') || (c && strchr("-._~/", c));
}

int uri_encode(struct buf *out, const char *text)
{
    int r = 0;

    for (; r == 0 && *text; text++) {
        unsigned char c = (unsigned char) *text;

        r = is_plain(c) ? buf_append(out, text, 1)
                        : buf_printf(out, "%%%02X", c);
    }
    return r;
}

/* Return: the byte behind a '%', 0 when it is no valid escape. */
static char uri_escape(const char *text, size_t n)
{
    int high;
    int low;

    if (n < 3)
        return '\0';
    high = num_hex_digit(text[1]);
    low = num_hex_digit(text[2]);
    return high < 0 || low < 0 ? '\0' : (char) (high * 16 + low);
}

int uri_decode(const char *text, size_t n, char **decoded)
{
    AUTO_FREE char *out = malloc(n + 1);
    size_t used = 0;

    if (!out)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        char byte = text[i];

        if (byte == '%') {
            byte = uri_escape(text + i, n - i);
            i += 2;
        }
        if (!byte)
            return -EINVAL;
        out[used++] = byte;
    }
    out[used] = '\0';
    *decoded = steal_ptr(&out);
    return 0;
}

/* Is a decoded name what an item of a query begins with, up to '=' or its
 * end?  *end is set there. */
static bool is_named(const char *item, const char *name, const char **end)
{
    for (; *name; name++) {
        size_t n = *item == '%' ? 3 : 1;
        char byte = *item == '%' ? uri_escape(item, strnlen(item, n)) : *item;

        if (byte != *name)
            return false;
        item += n;
    }
    *end = item;
    return !*item || strchr("=&", *item);
}

int uri_query(const char *target, const char *name, char **value)
{
    const char *item = strchr(target, '?');
    const char *found = NULL;
    const char *end;

    for (; item; item = strchr(item, '&')) {
        if (!is_named(++item, name, &end))
            continue;
        if (found || *end != '=')
            return -EINVAL;
        found = end + 1;
    }
    if (!found)
        return -ENOENT;
    return uri_decode(found, strcspn(found, "&"), value);
}
