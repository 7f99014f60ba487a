/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A row for each copy.  Paths are compared as they are written: one with ".."
 * in it belongs to none.
 */
#include <config.h>

#include "guest/policy/copies.h"

#include <string.h>

static struct copy_row *row_find(struct copies *copies, const char *id)
{
    for (size_t i = 0; i < COPIES_MAX; i++)
        if (copies->rows[i].used && strcmp(copies->rows[i].id, id) == 0)
            return &copies->rows[i];
    return NULL;
}

static struct copy_row *row_oldest(struct copies *copies)
{
    struct copy_row *oldest = &copies->rows[0];

    for (size_t i = 1; i < COPIES_MAX; i++)
        if (copies->rows[i].used < oldest->used)
            oldest = &copies->rows[i];
    return oldest;
}

static bool leads_up(const char *path)
{
    for (const char *at = strstr(path, ".."); at; at = strstr(at + 1, ".."))
        if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
            return true;
    return false;
}

/* Is a path the root, or below it? */
static bool is_within(const char *root, const char *path)
{
    size_t n = strlen(root);

    while (n > 0 && root[n - 1] == '/')
        n--;
    return *root == '/' && strncmp(path, root, n) == 0
           && (!path[n] || path[n] == '/') && !leads_up(path);
}

static bool row_covers(const struct copy_row *row,
                       const struct copy_step *step)
{
    return *step->id ? is_within(row->root, step->path)
                     : strcmp(row->root, step->path) == 0;
}

static bool row_is_asked_again(const struct copy_row *row,
                               const struct copy_step *step)
{
    return row->what == step->what && row->offset == step->offset
           && strcmp(row->path, step->path) == 0;
}

static void row_take(struct copies *copies, struct copy_row *row,
                     const struct copy_step *step)
{
    strcpy(row->path, step->path);
    row->what = step->what;
    row->offset = step->offset;
    row->used = ++copies->clock;
}

static bool fits(const struct copy_step *step)
{
    return strlen(step->id) <= COPY_ID_MAX && strlen(step->path) < PATH_MAX;
}

bool copies_go_on(struct copies *copies, const struct copy_step *step)
{
    struct copy_row *row = fits(step) ? row_find(copies, step->id) : NULL;

    if (!row || row->left == 0 || !row_covers(row, step)
        || row_is_asked_again(row, step) || (!*step->id && step->offset == 0))
        return false;
    row->left--;
    row_take(copies, row, step);
    return true;
}

void copies_note(struct copies *copies, const struct copy_step *step)
{
    struct copy_row *row = fits(step) ? row_find(copies, step->id) : NULL;

    if (!fits(step))
        return;
    if (!row) {
        row = row_oldest(copies);
        *row = (struct copy_row) { 0 };
        strcpy(row->id, step->id);
        strcpy(row->root, step->path);
    } else if (!row_covers(row, step)) {
        strcpy(row->root, step->path);
    }
    row->left = COPY_REQUESTS - 1;
    row_take(copies, row, step);
}
