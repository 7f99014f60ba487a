/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Local folders to the guest.  They are read by descriptors, so that what is
 * swapped for a link meanwhile is not followed.
 */
#include <config.h>

#include "host/copy/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/copy/path.h"
#include "host/copy/upload.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* A file or folder on its way. */
struct item {
    struct tree *tree;
    int dir;          /* the folder that it is in */
    const char *name; /* there */
    const char *path; /* for people */
    const char *target;
    struct stat st;
    int depth;
};

static void give(struct item *item);

static struct remote_wish wish_of(const struct tree *tree)
{
    return (struct remote_wish) { .owner = tree->copy->options->owner,
                                  .group = tree->copy->options->group };
}

/* --- one of each kind ----------------------------------------------------- */

static void give_file(struct item *item)
{
    struct tree *tree = item->tree;
    struct copy_result result = { 0 };
    struct error err = ERROR_INIT;
    int r;

    progress_file(tree->copy->progress, item->name);
    r = upload_at(tree->copy, item->dir, item->name, item->path, item->target,
                  &result, &err);
    if (r) {
        tree_fail(tree, item->path, &err);
    } else {
        tree->files++;
        tree->bytes += result.size;
    }
    progress_file_done(tree->copy->progress);
    copy_result_free(&result);
}

static const char *time_of(const struct item *item, char text[REMOTE_TIME_MAX])
{
    return remote_time(item->st.st_mtim.tv_sec, item->st.st_mtim.tv_nsec,
                       text);
}

static void give_link(struct item *item)
{
    struct tree *tree = item->tree;
    const struct copy_options *options = tree->copy->options;
    struct remote_wish wish = { .overwrite = !options->no_clobber };
    struct remote_wish after = wish_of(tree);
    char text[REMOTE_TIME_MAX];
    struct error err = ERROR_INIT;
    AUTO_FREE char *to = localtree_target(item->dir, item->name, &err);
    int r = to ? remote_symlink(&tree->remote, item->target, to, &wish, &err)
               : err.code;

    if (options->preserve)
        after.mtime = time_of(item, text);
    if (r == 0 && (after.mtime || after.owner || after.group))
        r = remote_attributes(&tree->remote, item->target, &after, &err);
    if (r)
        tree_fail(tree, item->path, &err);
    else
        tree->links++;
}

/* Without its sticky bit a folder that all may write to is another one; the
 * set-group-ID bit is about the group that new files get there. */
static unsigned int folder_mode(const struct item *item)
{
    bool preserve = item->tree->copy->options->preserve;

    return (unsigned int) item->st.st_mode & (preserve ? 03777 : 01777);
}

/* What a folder gets when everything is in it. */
static int finish(const struct item *item, bool created, struct error *err)
{
    const struct tree *tree = item->tree;
    bool preserve = tree->copy->options->preserve;
    struct remote_wish wish = { .mode = NULL };
    char text[REMOTE_TIME_MAX];
    char mode[8];

    snprintf(mode, sizeof(mode), "%04o", folder_mode(item));
    if (preserve || (created && (item->st.st_mode & 0700) != 0700))
        wish.mode = mode;
    if (preserve)
        wish.mtime = time_of(item, text);
    return wish.mode
               ? remote_attributes(&tree->remote, item->target, &wish, err)
               : 0;
}

static int make(const struct item *item, bool *created, struct error *err)
{
    struct remote_wish wish = wish_of(item->tree);
    char mode[8];

    snprintf(mode, sizeof(mode), "%04o", folder_mode(item) | 0700);
    wish.mode = mode;
    wish.exist_ok = true;
    return remote_mkdir(&item->tree->remote, item->target, &wish, created,
                        err);
}

/* --- a folder's items ----------------------------------------------------- */

/* The kinds in the order in which they are taken. */
static const mode_t turns[] = { S_IFREG, S_IFDIR, S_IFLNK };

static bool has_turn(mode_t mode)
{
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++)
        if ((mode & S_IFMT) == turns[i])
            return true;
    return false;
}

/* One name of a folder, if it is of that turn's kind. */
static void give_name(const struct item *folder, int fd, const char *name,
                      const struct stat *st)
{
    AUTO_FREE char *path = path_join(folder->path, name);
    AUTO_FREE char *target = path_join(folder->target, name);
    struct item item = { folder->tree,     fd, name, path, target, *st,
                         folder->depth + 1 };
    struct error err = ERROR_INIT;

    if (path && target) {
        give(&item);
        return;
    }
    error_errno(&err, -ENOMEM, "path");
    tree_fail(folder->tree, folder->path, &err);
}

/* What will not be given is told.  Return: is it a file? */
static bool look_at(const struct item *folder, int fd, const char *name,
                    struct stat *st)
{
    AUTO_FREE char *path = NULL;
    struct error err = ERROR_INIT;
    int r = fstatat(fd, name, st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;

    if (r == 0 && has_turn(st->st_mode))
        return S_ISREG(st->st_mode);
    path = path_join(folder->path, name);
    if (r == 0) {
        tree_skip(folder->tree, path ? path : name,
                  localtree_kind(st->st_mode));
        return false;
    }
    st->st_mode = 0; /* nobody's turn */
    error_errno(&err, r, "file '%s'", path ? path : name);
    tree_fail(folder->tree, NULL, &err);
    return false;
}

/* Looks at all of them first: the total is for the progress, and the links
 * come last. */
static void look(const struct item *folder, int fd,
                 const struct strlist *names, struct stat *sts)
{
    int64_t bytes = 0;
    int64_t files = 0;

    for (size_t i = 0; i < names->n; i++)
        if (look_at(folder, fd, names->items[i], &sts[i])) {
            bytes += sts[i].st_size;
            files++;
        }
    progress_add_total(folder->tree->copy->progress, bytes, files);
}

static void give_names(const struct item *folder, int fd,
                       const struct strlist *names, const struct stat *sts)
{
    for (size_t turn = 0; turn < ARRAY_SIZE(turns); turn++)
        for (size_t i = 0; i < names->n && !folder->tree->ended; i++)
            if ((sts[i].st_mode & S_IFMT) == turns[turn])
                give_name(folder, fd, names->items[i], &sts[i]);
}

/* Everything in an open folder. */
static void give_content(const struct item *folder, int fd)
{
    struct strlist names = { 0 };
    AUTO_FREE struct stat *sts = NULL;
    struct error err = ERROR_INIT;
    int r = localtree_names(fd, folder->path, &names, &err);

    if (r == 0) {
        sts = calloc(names.n + 1, sizeof(*sts));
        r = sts ? 0 : error_errno(&err, -ENOMEM, "folder");
    }
    if (r == 0) {
        look(folder, fd, &names, sts);
        give_names(folder, fd, &names, sts);
    } else {
        tree_fail(folder->tree, folder->path, &err);
    }
    strlist_free(&names);
}

static void give_folder(struct item *item)
{
    struct tree *tree = item->tree;
    struct error err = ERROR_INIT;
    AUTO_CLOSE int fd = -1;
    bool created = false;
    int r = 0;

    if (item->depth > TREE_DEPTH_MAX)
        r = error_set(&err, -EMSGSIZE, "more than %d folders in each other",
                      TREE_DEPTH_MAX);
    if (r == 0)
        r = fd = localtree_enter(item->dir, item->name, &err);
    if (r >= 0)
        r = make(item, &created, &err);
    if (r) {
        tree_fail(tree, item->path, &err);
        return;
    }
    tree->folders++;
    give_content(item, fd);
    if (!tree->ended && finish(item, created, &err))
        tree_fail(tree, item->path, &err);
}

static void give(struct item *item)
{
    if (S_ISREG(item->st.st_mode))
        give_file(item);
    else if (S_ISDIR(item->st.st_mode))
        give_folder(item);
    else if (S_ISLNK(item->st.st_mode))
        give_link(item);
    else
        tree_skip(item->tree, item->path, localtree_kind(item->st.st_mode));
}

/* --- what was asked for --------------------------------------------------- */

/* The folder above is the user's choice: links in it count. */
void tree_upload(struct tree *tree, const char *source, const char *target)
{
    struct item item = { .tree = tree,
                         .dir = AT_FDCWD,
                         .name = source,
                         .path = source,
                         .target = target };
    struct error err = ERROR_INIT;

    if (fstatat(AT_FDCWD, source, &item.st, AT_SYMLINK_NOFOLLOW) < 0) {
        error_errno(&err, -errno, "file '%s'", source);
        tree_fail(tree, NULL, &err);
        return;
    }
    if (tree->only_folder && !S_ISDIR(item.st.st_mode)) {
        error_errno(&err, -ENOTDIR, "'%s/'", target);
        tree_fail(tree, NULL, &err);
        return;
    }
    if (!S_ISDIR(item.st.st_mode) && tree_is_made(tree, source, target))
        return;
    if (S_ISREG(item.st.st_mode))
        progress_add_total(tree->copy->progress, item.st.st_size, 1);
    give(&item);
}
