/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Counts and tells the errors of a copy of many files.  A table has those that
 * would meet the next file as well; they end the copy.
 */
#include <config.h>

#include "host/copy/tree.h"

#include <errno.h>
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
    progress_clear(tree->copy->progress);
    out_message(tree->out, "'%.400s' is %s, left out", path, kind);
}
