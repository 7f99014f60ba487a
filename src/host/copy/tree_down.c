/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Copies folders from the guest, which is not trusted: everything is written
 * below an open folder, one name at a time, and no symbolic link is followed.
 * In each folder the links are made last.
 */
#include <config.h>

#include "host/copy/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/copy/download.h"
#include "host/copy/path.h"
#include "host/copy/plain.h"
#include "util/cleanup.h"

/* A folder on its way. */
struct folder {
    struct tree *tree;
    const char *path; /* in the guest */
    int fd;           /* here */
    int depth;
};

static void folder_fill(const struct folder *folder,
                        const struct remote_list *list);

/* --- one entry ------------------------------------------------------------ */

static void take_file(const struct folder *folder, const char *path,
                      const struct remote_entry *entry)
{
    struct tree *tree = folder->tree;
    struct copy_result result = { 0 };
    struct error err = ERROR_INIT;
    int r;

    progress_file(tree->copy->progress, entry->name);
    r = download_at(tree->copy, path, entry, folder->fd, entry->name,
                    entry->name, &result, &err);
    if (r) {
        tree_fail(tree, path, &err);
    } else {
        tree->files++;
        tree->bytes += result.size;
    }
    progress_file_done(tree->copy->progress);
    copy_result_free(&result);
}

static void take_link(const struct folder *folder, const char *path,
                      const struct remote_entry *entry)
{
    struct tree *tree = folder->tree;
    const struct copy_options *options = tree->copy->options;
    struct error err = ERROR_INIT;
    int r = localtree_link(folder->fd, entry->name, entry->target,
                           !options->no_clobber, &err);

    if (r == 0 && options->preserve)
        r = localtree_time(folder->fd, entry->name, entry->mtime,
                           entry->mtime_ns, &err);
    if (r < 0)
        tree_fail(tree, path, &err);
    else
        tree->links++;
}

/* Mode and time when everything is in it.  A folder that was there keeps its
 * own, unless they are asked for. */
static int finish(const struct tree *tree, int fd, bool created,
                  const struct remote_entry *entry, struct error *err)
{
    bool preserve = tree->copy->options->preserve;
    mode_t mode = entry->mode & 01777; /* as tree_up.c has it */

    if (!preserve)
        mode &= ~tree->mask;
    if ((preserve || (created && (mode & 0700) != 0700))
        && fchmod(fd, mode) < 0)
        return error_errno(err, -errno, "mode of the folder");
    return preserve
               ? localtree_time(fd, ".", entry->mtime, entry->mtime_ns, err)
               : 0;
}

/* Lists a folder and fills the local one that stands for it. */
static void take_into(struct tree *tree, const char *path,
                      const struct remote_entry *entry, int fd, bool created,
                      int depth)
{
    struct folder folder = { tree, path, fd, depth };
    struct remote_entry now = *entry; /* its strings stay the entry's */
    struct error err = ERROR_INIT;
    struct remote_list list;
    int r;

    remote_list_init(&list, &tree->budget);
    r = remote_list(&tree->remote, path, &list, &err);
    if (r == 0 && !list.folder)
        r = error_set(&err, -EBADMSG, "the guest's folder is no folder");
    if (r)
        tree_fail(tree, path, &err);
    else
        folder_fill(&folder, &list);
    if (r == 0 && list.mtime_ns >= 0) {
        now.mtime = list.mtime;
        now.mtime_ns = (long) list.mtime_ns;
    }
    remote_list_free(&list);
    error_clear(&err);
    if (!tree->ended && finish(tree, fd, created, &now, &err) < 0)
        tree_fail(tree, path, &err);
    if (r == 0)
        tree->folders++;
}

static void take_folder(const struct folder *folder, const char *path,
                        const struct remote_entry *entry)
{
    struct tree *tree = folder->tree;
    struct error err = ERROR_INIT;
    bool created = false;
    AUTO_CLOSE int fd = -1;

    if (folder->depth >= TREE_DEPTH_MAX) {
        error_set(&err, -EMSGSIZE, "more than %d folders in each other",
                  TREE_DEPTH_MAX);
        tree_fail(tree, path, &err);
        return;
    }
    fd = localtree_make(folder->fd, entry->name, entry->mode, &created, &err);
    if (fd < 0)
        tree_fail(tree, path, &err);
    else
        take_into(tree, path, entry, fd, created, folder->depth + 1);
}

/* --- a folder's entries --------------------------------------------------- */

/* In the order in which they are taken. */
static const struct {
    const char *type;
    void (*take)(const struct folder *folder, const char *path,
                 const struct remote_entry *entry);
} turns[] = {
    { "file", take_file },
    { "directory", take_folder },
    { "symlink", take_link },
};

static void take(const struct folder *folder, size_t turn,
                 const struct remote_entry *entry)
{
    AUTO_FREE char *path = path_join(folder->path, entry->name);
    struct error err = ERROR_INIT;

    if (path) {
        turns[turn].take(folder, path, entry);
        return;
    }
    error_errno(&err, -ENOMEM, "path");
    tree_fail(folder->tree, folder->path, &err);
}

static void folder_turn(const struct folder *folder, size_t turn,
                        const struct remote_list *list)
{
    for (size_t i = 0; i < list->n && !folder->tree->ended; i++)
        if (strcmp(list->entries[i].type, turns[turn].type) == 0)
            take(folder, turn, &list->entries[i]);
}

static bool has_turn(const struct remote_entry *entry)
{
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++)
        if (strcmp(entry->type, turns[i].type) == 0)
            return true;
    return false;
}

static void skip(const struct folder *folder, const struct remote_entry *entry)
{
    AUTO_FREE char *path = path_join(folder->path, entry->name);
    char kind[sizeof(entry->type) + 2];

    snprintf(kind, sizeof(kind), "a %s", entry->type);
    tree_skip(folder->tree, path ? path : entry->name, kind);
}

static void folder_fill(const struct folder *folder,
                        const struct remote_list *list)
{
    struct tree *tree = folder->tree;
    int64_t bytes = 0;
    int64_t files = 0;

    for (size_t i = 0; i < list->n; i++) {
        const struct remote_entry *entry = &list->entries[i];

        if (!has_turn(entry))
            skip(folder, entry);
        if (strcmp(entry->type, "file") != 0)
            continue;
        files++;
        if (entry->size < INT64_MAX - bytes)
            bytes += entry->size;
    }
    progress_add_total(tree->copy->progress, bytes, files);
    for (size_t turn = 0; turn < ARRAY_SIZE(turns); turn++)
        folder_turn(folder, turn, list);
}

/* --- what was asked for --------------------------------------------------- */

/* A folder named by the user, to name below dir, or into dir. */
static void source_folder(struct tree *tree, const char *source, int dir,
                          const char *name)
{
    struct error err = ERROR_INIT;
    struct remote_entry entry;
    bool created = false;
    AUTO_CLOSE int fd = -1;
    int r = remote_folder(&tree->remote, source, &entry, &err);

    if (r < 0) {
        tree_fail(tree, source, &err);
        return;
    }
    fd = name ? localtree_make(dir, name, entry.mode, &created, &err)
              : localtree_enter(dir, ".", &err);
    if (fd < 0)
        tree_fail(tree, source, &err);
    else
        take_into(tree, source, &entry, fd, created, 1);
}

/* A file or link named by the user. */
static void source_file(struct tree *tree, const char *source, int dir,
                        const char *name, struct remote_entry *entry)
{
    struct folder folder = { tree, source, dir, 0 };
    struct error err = ERROR_INIT;

    if (tree->only_folder) {
        error_errno(&err, -ENOTDIR, "'%s/'", name);
        tree_fail(tree, NULL, &err);
        return;
    }
    if (!has_turn(entry)) {
        tree_skip(tree, source, "neither file, folder nor link");
        return;
    }
    if (!name) {
        error_set(&err, -EINVAL, "'%s' gives no name for a file here", source);
        tree_fail(tree, NULL, &err);
        return;
    }
    if (tree_is_made(tree, source, name))
        return;
    free(entry->name);
    entry->name = strdup(name);
    if (!entry->name) {
        error_errno(&err, -ENOMEM, "path");
        tree_fail(tree, source, &err);
        return;
    }
    if (strcmp(entry->type, "file") == 0)
        progress_add_total(tree->copy->progress, entry->size, 1);
    for (size_t turn = 0; turn < ARRAY_SIZE(turns); turn++)
        if (strcmp(entry->type, turns[turn].type) == 0)
            turns[turn].take(&folder, source, entry);
}

void tree_download(struct tree *tree, const char *source, int dir,
                   const char *name)
{
    struct remote_entry entry;
    struct error err = ERROR_INIT;
    int r = plain_lacks(tree->copy,
                        remote_look(&tree->remote, source, &entry, &err),
                        PLAIN_FOLDERS, &err);

    if (r)
        tree_fail(tree, source, &err);
    else if (strcmp(entry.type, "directory") == 0)
        source_folder(tree, source, dir, name);
    else
        source_file(tree, source, dir, name, &entry);
    remote_entry_free(&entry);
}
