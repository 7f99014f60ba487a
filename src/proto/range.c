/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Parses by a cursor, with arithmetic that is checked for overflow.  A Range
 * that is not understood is ignored, as RFC 9110 wants it; a Content-Range is
 * an error then.
 */
#include <config.h>

#include "proto/range.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Takes digits; moves the cursor behind them. */
static bool take_number(const char **cursor, int64_t *value)
{
    const char *p = *cursor;
    int64_t sum = 0;

    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(sum, 10, &sum)
            || __builtin_add_overflow(sum, *p - '0', &sum))
            return false;
    *cursor = p;
    *value = sum;
    return true;
}

static bool take(const char **cursor, const char *text)
{
    size_t n = strlen(text);

    if (strncmp(*cursor, text, n) != 0)
        return false;
    *cursor += n;
    return true;
}

/* "-N": the last N bytes. */
static int suffix(const char *p, int64_t total, struct range *range)
{
    int64_t n;

    if (!take_number(&p, &n) || *p)
        return 1;
    if (n == 0 || total == 0)
        return -ERANGE;
    range->first = n < total ? total - n : 0;
    range->last = total - 1;
    return 0;
}

int range_parse(const char *header, int64_t total, struct range *range)
{
    const char *p = header;
    struct range asked = { 0, INT64_MAX };

    if (!take(&p, "bytes="))
        return 1;
    if (take(&p, "-"))
        return suffix(p, total, range);
    if (!take_number(&p, &asked.first) || !take(&p, "-"))
        return 1;
    if (*p && (!take_number(&p, &asked.last) || *p))
        return 1;
    if (asked.last < asked.first)
        return 1;
    if (asked.first >= total)
        return -ERANGE;
    range->first = asked.first;
    range->last = asked.last < total ? asked.last : total - 1;
    return 0;
}

int range_parse_content(const char *header, struct range *range,
                        int64_t *total)
{
    const char *p = header;

    *total = -1;
    if (!take(&p, "bytes ") || !take_number(&p, &range->first)
        || !take(&p, "-") || !take_number(&p, &range->last) || !take(&p, "/")
        || (!take(&p, "*") && !take_number(&p, total)) || *p
        || range->last < range->first || range->last == INT64_MAX
        || (*total >= 0 && range->last >= *total))
        return -EINVAL;
    return 0;
}
