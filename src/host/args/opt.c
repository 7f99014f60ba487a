/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Makes getopt_long(3)'s two tables of ours, and stops at the first operand.
 * The messages are our own, with the nearest name for an option that is
 * unknown.
 */
#include <config.h>

#include "host/args/opt.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/num.h"
#include "util/text.h"

#define OPTS_MAX 32     /* rows of one table */
#define LONG_BASE 0x100 /* getopt_long()'s values: row + this */
#define SECONDS_MAX 1e9 /* thirty years */
#define SIZE_LIMIT (INT64_C(1) << 50)
#define PARALLEL_MAX 1024 /* processes; more only wait for each other */

static const char *set_flag(const char *text, void *slot)
{
    (void) text;
    *(bool *) slot = true;
    return NULL;
}

static const char *set_string(const char *text, void *slot)
{
    *(const char **) slot = text;
    return NULL;
}

static const char *set_seconds(const char *text, void *slot)
{
    char *end;
    double seconds = strtod(text, &end);

    if (*text < '0' || *text > '9' || *end || strpbrk(text, "xXeEpP")
        || seconds > SECONDS_MAX)
        return "not a number of seconds";
    *(int64_t *) slot = (int64_t) (seconds * 1000 + 0.5);
    return NULL;
}

static const char *set_number(const char *text, void *slot)
{
    return num_parse(text, 1, PARALLEL_MAX, slot) < 0
               ? "not a number from 1 to 1024"
               : NULL;
}

static const char *set_size(const char *text, void *slot)
{
    return num_parse_size(text, 1, SIZE_LIMIT, slot) < 0
               ? "not a size, such as 64K or 10M"
               : NULL;
}

static const char *set_mode(const char *text, void *slot)
{
    unsigned int mode;

    if (num_parse_mode(text, &mode) < 0)
        return "not a mode in octal, such as 0644";
    return set_string(text, slot);
}

/* An empty name is nobody, and least of all root. */
static const char *set_user(const char *text, void *slot)
{
    const char *group = strchr(text, ':');

    if (!*text || group == text
        || (group && (!group[1] || strchr(group + 1, ':'))))
        return "not USER or USER:GROUP";
    return set_string(text, slot);
}

static const char *set_env(const char *text, void *slot)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text)
        return "not of the form NAME=VALUE";
    return strlist_add(slot, text) < 0 ? "out of memory" : NULL;
}

/* By kind; each gives what is wrong with the text, or NULL. */
static const char *(*const setters[])(const char *, void *) = {
    [OPT_FLAG] = set_flag,       [OPT_STRING] = set_string,
    [OPT_SECONDS] = set_seconds, [OPT_NUMBER] = set_number,
    [OPT_SIZE] = set_size,       [OPT_MODE] = set_mode,
    [OPT_USER] = set_user,       [OPT_ENV] = set_env,
};

/* getopt_long()'s own two tables. */
struct tables {
    struct option longs[OPTS_MAX + 1];
    char shorts[2 + 2 * OPTS_MAX + 1];
};

static void tables_fill(struct tables *tables, const struct opt *opts,
                        size_t n)
{
    char *letter = tables->shorts;

    *tables = (struct tables) { 0 };
    *letter++ = '+'; /* stop at the first operand */
    *letter++ = ':'; /* and leave the messages to us */
    for (size_t i = 0; i < n; i++) {
        tables->longs[i] = (struct option) {
            .name = opts[i].name,
            .has_arg = opts[i].arg ? required_argument : no_argument,
            .val = LONG_BASE + (int) i,
        };
        if (!opts[i].letter)
            continue;
        *letter++ = opts[i].letter;
        if (opts[i].arg)
            *letter++ = ':';
    }
}

static const struct opt *row_of(const struct opt *opts, size_t n, int value)
{
    if (value >= LONG_BASE)
        return &opts[value - LONG_BASE];
    for (size_t i = 0; i < n; i++)
        if (opts[i].letter == value)
            return &opts[i];
    return NULL;
}

static int unknown(const struct opt *opts, size_t n, const char *word,
                   struct error *err)
{
    const char *names[OPTS_MAX];
    const char *nearest = NULL;
    size_t length = strcspn(word, "=");
    AUTO_FREE char *name = strndup(word, length);

    for (size_t i = 0; i < n; i++)
        names[i] = opts[i].name;
    if (name && strncmp(name, "--", 2) == 0)
        nearest = text_nearest(name + 2, names, n);
    error_set(err, -EINVAL, "unknown option '%.*s'", (int) length, word);
    if (nearest)
        error_hint(err, "--%s", nearest);
    return -EINVAL;
}

static int take(const struct opt *opt, const char *text, void *target,
                struct error *err)
{
    const char *wrong = setters[opt->kind](text,
                                           (char *) target + opt->offset);

    if (!wrong)
        return 0;
    return error_set(err, -EINVAL, "option '--%s': '%s' is %s", opt->name,
                     text, wrong);
}

int opt_parse(const struct opt *opts, size_t n, int argc, char **argv,
              void *target, struct error *err)
{
    struct tables tables;
    int value;

    tables_fill(&tables, opts, n);
    optind = 0; /* glibc and musl: start anew */
    for (;;) {
        int at = optind ? optind : 1;
        const struct opt *row;

        value = getopt_long(argc, argv, tables.shorts, tables.longs, NULL);
        if (value == -1)
            return optind;
        if (value == ':')
            return error_set(err, -EINVAL, "option '%s' needs an argument",
                             argv[at]);
        if (value == '?' && optopt >= LONG_BASE)
            return error_set(err, -EINVAL, "option '--%s' takes no argument",
                             opts[optopt - LONG_BASE].name);
        row = value == '?' ? NULL : row_of(opts, n, value);
        if (!row)
            return unknown(opts, n, argv[at], err);
        if (take(row, optarg, target, err) < 0)
            return -EINVAL;
    }
}

int opt_help(const struct opt *opts, size_t n, struct buf *text)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        char left[64];
        const struct opt *o = &opts[i];

        snprintf(left, sizeof(left), "%s%c%s --%s%s%s", o->letter ? "-" : " ",
                 o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
                 o->arg ? " " : "", o->arg ? o->arg : "");
        r = buf_printf(text, "  %-26s %s\n", left, o->help);
    }
    return r;
}
