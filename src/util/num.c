/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Digits with arithmetic that is checked for overflow, and then the end of the
 * string.  strtoll(3) is not used, because it takes blanks and signs as well.
 */
#include <config.h>

#include "util/num.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Takes the leading digits; at least one must be there. */
static int num_digits(const char **text, int64_t *value)
{
    const char *p = *text;
    int64_t sum = 0;

    if (*p < '0' || *p > '9')
        return -EINVAL;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(sum, 10, &sum)
            || __builtin_add_overflow(sum, *p - '0', &sum))
            return -ERANGE;
    }
    *text = p;
    *value = sum;
    return 0;
}

int num_parse(const char *text, int64_t min, int64_t max, int64_t *value)
{
    int64_t sum;
    int r;

    r = num_digits(&text, &sum);
    if (r < 0)
        return r;
    if (*text)
        return -EINVAL;
    if (sum < min || sum > max)
        return -ERANGE;
    *value = sum;
    return 0;
}

/* The power of two that a unit stands for, or -EINVAL. */
static int num_unit_shift(const char *unit)
{
    static const struct {
        const char *name;
        int shift;
    } units[] = {
        { "", 0 },     { "B", 0 },    { "K", 10 },   { "KB", 10 },
        { "KiB", 10 }, { "M", 20 },   { "MB", 20 },  { "MiB", 20 },
        { "G", 30 },   { "GB", 30 },  { "GiB", 30 }, { "T", 40 },
        { "TB", 40 },  { "TiB", 40 },
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcasecmp(unit, units[i].name) == 0)
            return units[i].shift;
    return -EINVAL;
}

int num_parse_size(const char *text, int64_t min, int64_t max, int64_t *value)
{
    int64_t sum;
    int shift;
    int r;

    r = num_digits(&text, &sum);
    if (r < 0)
        return r;
    if (*text == ' ' && text[1])
        text++;
    shift = num_unit_shift(text);
    if (shift < 0)
        return shift;
    if (__builtin_mul_overflow(sum, (int64_t) 1 << shift, &sum))
        return -ERANGE;
    if (sum < min || sum > max)
        return -ERANGE;
    *value = sum;
    return 0;
}

int num_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int num_parse_mode(const char *text, unsigned int *mode)
{
    unsigned int sum = 0;
    size_t length = strlen(text);

    if (length < 1 || length > 5)
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '7')
            return -EINVAL;
        sum = sum * 8 + (unsigned int) (*text - '0');
    }
    if (sum > 07777)
        return -EINVAL;
    *mode = sum;
    return 0;
}

#define NS_DIGITS 9

int num_parse_time(const char *text, struct timespec *time)
{
    bool before = *text == '-'; /* 1970 */
    const char *point = strchr(text += before, '.');
    size_t whole = point ? (size_t) (point - text) : strlen(text);
    char seconds[24];
    char fraction[NS_DIGITS + 1] = "000000000";
    int64_t s;
    int64_t ns = 0;

    if (whole >= sizeof(seconds)
        || (point && (!point[1] || strlen(point + 1) > NS_DIGITS)))
        return -EINVAL;
    memcpy(seconds, text, whole);
    seconds[whole] = '\0';
    if (point)
        memcpy(fraction, point + 1, strlen(point + 1));
    if (num_parse(seconds, 0, INT64_MAX, &s) < 0
        || num_parse(fraction, 0, 999999999, &ns) < 0)
        return -EINVAL;
    if ((time_t) s != s) /* 32 bits */
        return -EINVAL;
    /* The fraction counts upwards, also before 1970. */
    *time = (struct timespec) { .tv_sec = (time_t) (before ? -s : s),
                                .tv_nsec = (long) ns };
    return 0;
}
