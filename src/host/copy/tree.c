/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Counts and tells the errors of a copy of many files.  A table has those that
 * would meet the next file as well; they end the copy.
 */
#include <config.h>

#include "host/copy/tree.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "proto/status.h"
#include "util/cleanup.h"

void tree_init(struct tree *tree, struct copy *copy, const struct out *out)
{
    *tree = (struct tree) { .copy = copy,
                            .remote = { copy->client, copy->id },
                            .out = out,
                            .budget = REMOTE_BUDGET_INIT,
                            .mask = localtree_umask() };
    copy->tree = true;
}

int64_t tree_made(const struct tree *tree)
{
    return tree->files + tree->folders + tree->links;
}

void tree_free(struct tree *tree)
{
    tdestroy(tree->named, free);
    tdestroy(tree->made, free);
    tree->named = tree->made = NULL;
}

/* --- several operands ----------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Adds a word to a set of them.  Return: was it not there?  Without memory it is
 * told and counted. */
static bool add_word(struct tree *tree, void **set, const char *word)
{
    char *own = strdup(word);
    char **node = own ? tsearch(own, set, compare) : NULL;
    struct error err = ERROR_INIT;

    if (node && *node == own)
        return true;
    free(own);
    if (node)
        return false;
    error_errno(&err, -ENOMEM, "path");
    tree_fail(tree, word, &err);
    return true;
}

bool tree_name(struct tree *tree, const char *source)
{
    bool is_new = add_word(tree, &tree->named, source);

    if (!is_new)
        out_message(tree->out, "'%.400s' is named more than once", source);
    return is_new;
}

void tree_note_made(struct tree *tree, const char *place)
{
    add_word(tree, &tree->made, place);
}

bool tree_is_made(struct tree *tree, const char *source, const char *place)
{
    struct error err = ERROR_INIT;

    if (!tfind(place, &tree->made, compare))
        return false;
    error_set(
        &err, -EEXIST,
        "will not overwrite '%.400s', which was just made, with '%.400s'",
        place, source);
    tree_fail(tree, NULL, &err);
    return true;
}

/* --- errors --------------------------------------------------------------- */

/* What would meet the next file as well: the channel, the agent, a signal, a
 * disk that is full, a listing that does not end. */
static bool is_hopeless(int code)
{
    static const int codes[] = {
        -ECONNRESET,
        -ECONNREFUSED,
        -ETIMEDOUT,
        -EHOSTDOWN,
        -EHOSTUNREACH,
        -ESHUTDOWN,
        -ESRCH,
        -ESTALE,
        -EBUSY,
        -ECANCELED,
        -ENOMEM,
        -ENOSPC,
        -EDQUOT,
        -EPIPE,
        -EPROTONOSUPPORT,
        -EMFILE,
        -ENFILE,
        STATUS_AUTH_FAILED,
        STATUS_SESSION_EXPIRED,
        STATUS_ENDPOINT_NOT_FOUND,
        STATUS_METHOD_NOT_ALLOWED,
        STATUS_SERVICE_UNAVAILABLE,
        STATUS_OUTCOME_UNKNOWN,
    };

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (codes[i] == code)
            return true;
    return false;
}

void tree_fail(struct tree *tree, const char *path, const struct error *err)
{
    struct error told = *err;
    bool hopeless = is_hopeless(err->code) || tree->budget.entries <= 0;

    if (!hopeless && path)
        *told.hint = '\0'; /* one line for each file is enough */
    if (path && !strstr(told.message, path))
        error_prefix(&told, "'%.400s'", path);
    progress_clear(tree->copy->progress);
    out_error(&told);
    tree->failed++;
    if (!tree->first.code)
        tree->first = told;
    tree->ended = tree->ended || hopeless;
}

void tree_skip(struct tree *tree, const char *path, const char *kind)
{
    out_message(tree->out, "'%.400s' is %s, left out", path, kind);
}
