/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Text: UTF-8, distance between words, and lists of strings. */
#ifndef VSRPC_UTIL_TEXT_H
#define VSRPC_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Tells whether bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF).  NUL bytes are well-formed.
 */
bool utf8_valid(const void *bytes, size_t n);

/*
 * Does a string begin with what would steer a terminal, or the order in which
 * it shows text?  Controls (C0, DEL, C1), the separators of lines and
 * paragraphs, and format characters that cannot be seen (Unicode's category
 * Cf without the signs of numbers: directions, joiners, tags).
 *
 * Return: its bytes, and the code point in *code; 0 when it does not, also at
 * the string's end.
 */
size_t text_steering(const char *string, uint32_t *code);

/* Makes each byte of those a '?'. */
void text_make_harmless(char *string);

/*
 * Finds the candidate nearest to a mistyped word, for "did you mean".
 *
 * Return: one of the candidates, or NULL when none is near (more than a third
 * of its letters differ) or when memory is short.
 */
const char *text_nearest(const char *word, const char *const *candidates,
                         size_t n);

/* A list of strings that owns them. */
struct strlist {
    char **items; /* n strings, then a NULL: fit for execv(3) */
    size_t n;
};

/* Appends a copy of n bytes as a string.  Return: 0 or -ENOMEM. */
int strlist_add_n(struct strlist *list, const char *bytes, size_t n);

/* Appends a copy.  Return: 0 or -ENOMEM. */
int strlist_add(struct strlist *list, const char *item);

/* Tells whether the list has exactly this string. */
bool strlist_has(const struct strlist *list, const char *item);

/* Frees the strings; the list is empty and usable again. */
void strlist_free(struct strlist *list);

#endif
