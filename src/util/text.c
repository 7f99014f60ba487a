/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * UTF-8 by a table of lead bytes, with ASCII skipped eight bytes at a time,
 * because output may be of many megabytes; Levenshtein's distance with one
 * row; lists of strings that grow by doubling.
 */
#include <config.h>

#include "util/text.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/*
 * Length of the sequence that a lead byte opens and the range of its second
 * byte (RFC 3629 section 4): the range is what shuts out overlong forms,
 * surrogates and values beyond Unicode.
 */
static const struct utf8_lead {
    uint8_t first, last;
    uint8_t length;
    uint8_t low, high;
} utf8_leads[] = {
    { 0x00, 0x7F, 1, 0, 0 },       { 0xC2, 0xDF, 2, 0x80, 0xBF },
    { 0xE0, 0xE0, 3, 0xA0, 0xBF }, { 0xE1, 0xEC, 3, 0x80, 0xBF },
    { 0xED, 0xED, 3, 0x80, 0x9F }, { 0xEE, 0xEF, 3, 0x80, 0xBF },
    { 0xF0, 0xF0, 4, 0x90, 0xBF }, { 0xF1, 0xF3, 4, 0x80, 0xBF },
    { 0xF4, 0xF4, 4, 0x80, 0x8F },
};

static const struct utf8_lead *utf8_lead(uint8_t byte)
{
    for (size_t i = 0; i < ARRAY_SIZE(utf8_leads); i++)
        if (byte >= utf8_leads[i].first && byte <= utf8_leads[i].last)
            return &utf8_leads[i];
    return NULL;
}

/* How many bytes of ASCII are there, one at least: by words while there are
 * some, since a command's output can be of many megabytes. */
static size_t ascii_run(const uint8_t *start, const uint8_t *end)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    const uint8_t *p = start;
    uint64_t word;

    while (end - p >= (ptrdiff_t) sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        if (word & high)
            break;
        p += sizeof(word);
    }
    while (p < end && *p < 0x80)
        p++;
    return (size_t) (p - start);
}

bool utf8_valid(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    const uint8_t *end = n ? p + n : p; /* no bytes may be at NULL */

    while (p < end) {
        const struct utf8_lead *lead;

        if (*p < 0x80) { /* the common case, kept cheap */
            p += ascii_run(p, end);
            continue;
        }
        lead = utf8_lead(*p);
        if (!lead || end - p < lead->length || p[1] < lead->low
            || p[1] > lead->high)
            return false;
        for (int i = 2; i < lead->length; i++)
            if ((p[i] & 0xC0) != 0x80)
                return false;
        p += lead->length;
    }
    return true;
}

/* The one that a string begins with.  Return: its bytes; 0 for none. */
static size_t utf8_decode(const char *string, uint32_t *code)
{
    const uint8_t *p = (const uint8_t *) string;
    const struct utf8_lead *lead = utf8_lead(*p);

    if (!lead || strnlen(string, lead->length) < lead->length
        || !utf8_valid(p, lead->length))
        return 0;
    *code = lead->length == 1 ? *p : *p & (0x7FU >> lead->length);
    for (int i = 1; i < lead->length; i++)
        *code = *code << 6 | (p[i] & 0x3FU);
    return lead->length;
}

size_t text_steering(const char *string, uint32_t *code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0x01, 0x1F },       { 0x7F, 0x9F },       { 0xAD, 0xAD },
        { 0x061C, 0x061C },   { 0x180E, 0x180E },   { 0x200B, 0x200F },
        { 0x2028, 0x202E },   { 0x2060, 0x206F },   { 0xFEFF, 0xFEFF },
        { 0xFFF9, 0xFFFB },   { 0x1BCA0, 0x1BCA3 }, { 0x1D173, 0x1D17A },
        { 0xE0000, 0xE007F },
    };
    size_t n = utf8_decode(string, code);

    for (size_t i = 0; n > 0 && i < ARRAY_SIZE(ranges); i++)
        if (*code >= ranges[i].first && *code <= ranges[i].last)
            return n;
    return 0;
}

void text_make_harmless(char *string)
{
    uint32_t code;

    for (size_t n; *string; string += n ? n : 1) {
        n = text_steering(string, &code);
        memset(string, '?', n);
    }
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

/* Levenshtein's distance with one row; SIZE_MAX when memory is short. */
static size_t text_distance(const char *a, const char *b)
{
    size_t width = strlen(b);
    AUTO_FREE size_t *row = calloc(width + 1, sizeof(*row));

    if (!row)
        return SIZE_MAX;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t corner = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t above = row[j + 1];

            row[j + 1] = min3(above + 1, row[j] + 1, corner + (a[i] != b[j]));
            corner = above;
        }
    }
    return row[width];
}

const char *text_nearest(const char *word, const char *const *candidates,
                         size_t n)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;

    for (size_t i = 0; i < n; i++) {
        size_t distance = text_distance(word, candidates[i]);
        size_t bound = strlen(candidates[i]) / 3 + 1;

        if (distance < best_distance && distance <= bound) {
            best = candidates[i];
            best_distance = distance;
        }
    }
    return best;
}

/* Places for n pointers: doubled each time, so that a long list is not copied
 * for every word. */
static size_t strlist_places(size_t n)
{
    size_t places = 4;

    while (places < n)
        places *= 2;
    return places;
}

/* Makes room for one more string and the NULL. */
static int strlist_grow(struct strlist *list)
{
    size_t places = strlist_places(list->n + 2);
    char **items;

    if (list->items && strlist_places(list->n + 1) == places)
        return 0;
    items = realloc(list->items, places * sizeof(*items));
    if (!items)
        return -ENOMEM;
    list->items = items;
    return 0;
}

int strlist_add_n(struct strlist *list, const char *bytes, size_t n)
{
    char *copy;

    if (strlist_grow(list) < 0)
        return -ENOMEM;
    copy = malloc(n + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, bytes, n);
    copy[n] = '\0';
    list->items[list->n++] = copy;
    list->items[list->n] = NULL;
    return 0;
}

int strlist_add(struct strlist *list, const char *item)
{
    return strlist_add_n(list, item, strlen(item));
}

bool strlist_has(const struct strlist *list, const char *item)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}

void strlist_free(struct strlist *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct strlist) { 0 };
}
