/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A recursive descent over the grammar of RFC 8259, a function for each of its
 * rules, that builds nothing.  The recursion is as deep as the text may be
 * nested.
 */
#include <config.h>

#include "proto/jsonscan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "proto/limits.h"
#include "util/text.h"

/* Each rule begins at p and leaves it behind what it has read, or on what does
 * not fit.  Nothing is read at end. */
struct scan {
    const char *text, *p, *end;
    size_t depth;      /* containers that p is inside of */
    size_t containers; /* … that began so far, and values and names */
    size_t values;
    size_t members; /* … and names alone */
    struct error *err;
};

static int scan_value(struct scan *scan);

static int scan_wrong(const struct scan *scan, const char *what)
{
    if (scan->p == scan->end)
        return error_set(scan->err, -EBADMSG,
                         "not valid JSON: ends too early");
    return error_set(scan->err, -EBADMSG, "not valid JSON at byte %zu: %s",
                     (size_t) (scan->p - scan->text), what);
}

/* The byte at p; NUL at the end, where no rule takes one. */
static char scan_peek(const struct scan *scan)
{
    return scan->p < scan->end ? *scan->p : '\0';
}

static bool scan_take(struct scan *scan, char byte)
{
    if (scan->p == scan->end || *scan->p != byte)
        return false;
    scan->p++;
    return true;
}

static void scan_blanks(struct scan *scan)
{
    while (scan->p < scan->end && *scan->p && strchr(" \t\r\n", *scan->p))
        scan->p++;
}

static int scan_count(struct scan *scan, size_t *count, size_t max,
                      const char *what)
{
    if (++*count <= max)
        return 0;
    return error_set(scan->err, -E2BIG, "the JSON has more than %zu %s", max,
                     what);
}

/* --- numbers and words --------------------------------------------------- */

static int scan_digits(struct scan *scan)
{
    const char *start = scan->p;

    while (scan_peek(scan) >= '0' && scan_peek(scan) <= '9')
        scan->p++;
    return scan->p > start ? 0 : scan_wrong(scan, "a digit is missing");
}

static int scan_number(struct scan *scan)
{
    int r = 0;

    scan_take(scan, '-');
    if (!scan_take(scan, '0')) /* which no digit may follow */
        r = scan_digits(scan);
    if (r == 0 && scan_take(scan, '.'))
        r = scan_digits(scan);
    if (r == 0 && (scan_take(scan, 'e') || scan_take(scan, 'E'))) {
        if (!scan_take(scan, '+'))
            scan_take(scan, '-');
        r = scan_digits(scan);
    }
    return r;
}

static int scan_word(struct scan *scan)
{
    static const char *const words[] = { "true", "false", "null" };

    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);

        if ((size_t) (scan->end - scan->p) >= n
            && memcmp(scan->p, words[i], n) == 0) {
            scan->p += n;
            return 0;
        }
    }
    return scan_wrong(scan, "no value");
}

/* --- strings ------------------------------------------------------------- */

/* Four hex digits, as a UTF-16 code unit. */
static int scan_unit(struct scan *scan, unsigned *unit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";

    *unit = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = scan_peek(scan) ? strchr(digits, *scan->p) : NULL;

        if (!digit)
            return scan_wrong(scan, "a hex digit is missing");
        *unit = *unit << 4 | ((digit - digits) & 0xF);
        scan->p++;
    }
    return 0;
}

/* What follows "\u": one code unit, or two that are a pair of surrogates. */
static int scan_escaped_character(struct scan *scan, bool name)
{
    unsigned unit;
    unsigned low;
    int r = scan_unit(scan, &unit);

    if (r < 0)
        return r;
    if (unit == 0 && name)
        return scan_wrong(scan, "a NUL in a name");
    if ((unit & 0xF800) != 0xD800)
        return 0;
    if (unit >= 0xDC00 || !scan_take(scan, '\\') || !scan_take(scan, 'u'))
        return scan_wrong(scan, "half of a surrogate pair");
    r = scan_unit(scan, &low);
    if (r == 0 && (low & 0xFC00) != 0xDC00)
        r = scan_wrong(scan, "half of a surrogate pair");
    return r;
}

static int scan_escape(struct scan *scan, bool name)
{
    char letter = scan_peek(scan);

    if (!letter || !strchr("\"\\/bfnrtu", letter))
        return scan_wrong(scan, "an unknown escape");
    scan->p++;
    return letter == 'u' ? scan_escaped_character(scan, name) : 0;
}

static int scan_string(struct scan *scan, bool name)
{
    int r = 0;

    if (!scan_take(scan, '"'))
        return scan_wrong(scan, name ? "no name" : "no value");
    while (r == 0 && scan->p < scan->end && *scan->p != '"') {
        if (scan_take(scan, '\\'))
            r = scan_escape(scan, name);
        else if ((unsigned char) *scan->p < 0x20)
            r = scan_wrong(scan, "a control character in a string");
        else
            scan->p++;
    }
    if (r == 0 && !scan_take(scan, '"'))
        r = scan_wrong(scan, "a string without end");
    return r;
}

/* --- containers ---------------------------------------------------------- */

static int scan_member(struct scan *scan)
{
    int r = scan_count(scan, &scan->values, JSON_VALUES_MAX, "values");

    scan->members++;
    scan_blanks(scan);
    if (r == 0)
        r = scan_string(scan, true);
    scan_blanks(scan);
    if (r == 0 && !scan_take(scan, ':'))
        r = scan_wrong(scan, "no colon behind a name");
    return r < 0 ? r : scan_value(scan);
}

/* From the opening bracket to the closing one. */
static int scan_container(struct scan *scan, char close,
                          int (*item)(struct scan *scan))
{
    int r = scan_count(scan, &scan->containers, JSON_CONTAINERS_MAX,
                       "objects and arrays");

    if (r < 0)
        return r;
    if (++scan->depth > JSON_DEPTH_MAX)
        return scan_wrong(scan, "nested too deep");
    scan->p++;
    scan_blanks(scan);
    if (!scan_take(scan, close)) {
        do
            r = item(scan);
        while (r == 0 && scan_take(scan, ','));
        if (r == 0 && !scan_take(scan, close))
            r = scan_wrong(scan, "no comma and no end of the container");
    }
    scan->depth--;
    return r;
}

static int scan_value(struct scan *scan)
{
    int r = scan_count(scan, &scan->values, JSON_VALUES_MAX, "values");
    char first;

    scan_blanks(scan);
    first = scan_peek(scan);
    if (r < 0)
        return r;
    if (first == '{')
        r = scan_container(scan, '}', scan_member);
    else if (first == '[')
        r = scan_container(scan, ']', scan_value);
    else if (first == '"')
        r = scan_string(scan, false);
    else if (first == '-' || (first >= '0' && first <= '9'))
        r = scan_number(scan);
    else
        r = scan_word(scan);
    scan_blanks(scan);
    return r;
}

static int scan_text(struct scan *scan, size_t n)
{
    int r;

    if (n == 0) /* nothing may be added to its text, which may be NULL */
        return error_set(scan->err, -EBADMSG, "empty body");
    if (!utf8_valid(scan->text, n))
        return error_set(scan->err, -EBADMSG, "not valid UTF-8");
    scan->p = scan->text;
    scan->end = scan->text + n;
    r = scan_value(scan);
    if (r == 0 && scan->p < scan->end)
        r = scan_wrong(scan, "more behind the end");
    return r;
}

int json_scan(const char *text, size_t n, size_t *members, struct error *err)
{
    struct scan scan = { .text = text, .err = err };
    int r = scan_text(&scan, n);

    if (r == 0 && members)
        *members = scan.members;
    return r;
}

/* An envelope is an object, and has five names and four other values. */
int json_scan_data(const char *text, size_t n, struct error *err)
{
    struct scan scan = {
        .text = text, .depth = 1, .containers = 1, .values = 10, .err = err
    };

    return scan_text(&scan, n);
}
