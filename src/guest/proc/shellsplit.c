/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The shell split: one pass over the text, with a function for each kind of
 * quotation.  The result of a word is never longer than the text, so that one
 * buffer is enough.
 */
#include <config.h>

#include "guest/proc/shellsplit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* One word in the making.  out has room for all of the text. */
struct word {
    char *out;
    size_t length;
    bool there; /* '' makes an empty word */
};

static void word_add(struct word *word, char c)
{
    word->out[word->length++] = c;
    word->there = true;
}

/* '…': everything is itself.  Return: behind the closing quote, or NULL. */
static const char *take_single(const char *p, struct word *word)
{
    word->there = true;
    for (; *p && *p != '\''; p++)
        word_add(word, *p);
    return *p ? p + 1 : NULL;
}

/* "…": a backslash quotes only $ ` " \ and a line feed, which it removes. */
static const char *take_double(const char *p, struct word *word)
{
    word->there = true;
    for (; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1] && strchr("$`\"\\\n", p[1])) {
            p++;
            if (*p == '\n')
                continue;
        }
        word_add(word, *p);
    }
    return *p ? p + 1 : NULL;
}

/* A backslash outside of quotes.  Return: behind what it quotes, or NULL. */
static const char *take_escaped(const char *p, struct word *word)
{
    if (!*p)
        return NULL;
    if (*p != '\n')
        word_add(word, *p);
    return p + 1;
}

/* One character, quoted part or escape.  Return: what follows, or NULL. */
static const char *take_part(const char *p, struct word *word)
{
    switch (*p) {
    case '\'':
        return take_single(p + 1, word);
    case '"':
        return take_double(p + 1, word);
    case '\\':
        return take_escaped(p + 1, word);
    default:
        word_add(word, *p);
        return p + 1;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

int shell_split(const char *text, struct strlist *words, struct error *err)
{
    AUTO_FREE char *out = malloc(strlen(text) + 1);
    const char *p = text;
    size_t before = words->n;

    if (!out)
        return -ENOMEM;
    while (*p) {
        struct word word = { .out = out };

        while (is_blank(*p))
            p++;
        while (p && *p && !is_blank(*p))
            p = take_part(p, &word);
        if (!p)
            return error_set(err, STATUS_INVALID_PARAMS,
                             "'command' ends inside a quotation");
        if (word.there && words->n - before == ARGV_MAX)
            return error_set(err, STATUS_PAYLOAD_TOO_LARGE,
                             "'command' has more than %d words", ARGV_MAX);
        if (word.there && strlist_add_n(words, out, word.length) < 0)
            return -ENOMEM;
    }
    if (words->n == before)
        return error_set(err, STATUS_INVALID_PARAMS, "'command' is empty");
    return 0;
}
