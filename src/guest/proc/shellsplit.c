/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The shell split: one pass over the text, with a function for each kind of
 * quotation.  A word and its pattern are made together; neither the one nor
 * half of the other is ever longer than the text.
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

/* One word in the making: out has room for all of the text, pattern for twice
 * as much. */
struct word {
    char *out;
    size_t length;
    char *pattern;
    size_t pattern_length;
    bool there;   /* '' makes an empty word */
    bool special; /* it has something that expand() may expand */
};

/* A slash ends what a pattern matches, quoted or not. */
static void word_add(struct word *word, char c, bool quoted)
{
    word->out[word->length++] = c;
    if (quoted && c != '/')
        word->pattern[word->pattern_length++] = '\\';
    word->pattern[word->pattern_length++] = c;
    word->there = true;
}

/* A tilde counts at the beginning, and with nothing quoted up to the first
 * slash. */
static bool is_tilde(const char *p)
{
    size_t n = strcspn(p, "/ \t\n'\"\\");

    return *p == '~' && (!p[n] || !strchr("'\"\\", p[n]));
}

static void word_add_bare(struct word *word, const char *p)
{
    bool tilde = !word->there && is_tilde(p);

    word->special = word->special || tilde || strchr("*?[", *p);
    word_add(word, *p, *p == '~' && !tilde);
}

/* '…': everything is itself.  Return: behind the closing quote, or NULL. */
static const char *take_single(const char *p, struct word *word)
{
    word->there = true;
    for (; *p && *p != '\''; p++)
        word_add(word, *p, true);
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
        word_add(word, *p, true);
    }
    return *p ? p + 1 : NULL;
}

/* A backslash outside of quotes; at the end of the text it is one itself, as
 * to sh.  Return: behind what it quotes. */
static const char *take_escaped(const char *p, struct word *word)
{
    if (*p != '\n')
        word_add(word, *p ? *p : '\\', true);
    return *p ? p + 1 : p;
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
        word_add_bare(word, p);
        return p + 1;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Return: 0 or -ENOMEM. */
static int word_end(const struct word *word, struct strlist *words,
                    struct strlist *patterns)
{
    if (strlist_add_n(words, word->out, word->length) < 0)
        return -ENOMEM;
    return strlist_add_n(patterns, word->pattern,
                         word->special ? word->pattern_length : 0);
}

int shell_split(const char *text, struct strlist *words,
                struct strlist *patterns, struct error *err)
{
    AUTO_FREE char *out = malloc(strlen(text) + 1);
    AUTO_FREE char *pattern = malloc(2 * strlen(text) + 1);
    const char *p = text;
    size_t before = words->n;

    if (!out || !pattern)
        return -ENOMEM;
    while (*p) {
        struct word word = { .out = out, .pattern = pattern };

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
        if (word.there && word_end(&word, words, patterns) < 0)
            return -ENOMEM;
    }
    if (words->n == before)
        return error_set(err, STATUS_INVALID_PARAMS, "'command' is empty");
    return 0;
}
