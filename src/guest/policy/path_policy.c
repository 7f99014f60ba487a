/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Finds the file, asks the kernel where it really is, makes sure that the same
 * file is still there, and compares the path with the lists.  What does not
 * exist is judged by the nearest folder that does, so that a refusal does not
 * tell what is missing.
 */
#include <config.h>

#include "guest/policy/path_policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/policy/guard.h"
#include "guest/policy/way.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/fd.h"

/*
 * The real name of an entry, of which the end may not exist yet: a forbidden
 * file must be forbidden when it comes.
 *
 * Return: the name, to be freed, or NULL when there is none or no memory.
 */
static char *entry_real(const char *entry)
{
    AUTO_FREE char *folder = strdup(entry);

    for (size_t n = folder ? strlen(entry) : 0; n > 0;) {
        AUTO_FREE char *real = NULL;
        char *joined;

        while (n > 1 && folder[n - 1] == '/')
            n--;
        folder[n] = '\0';
        real = realpath(folder, NULL);
        if (real) {
            const char *rest = entry + n + strspn(entry + n, "/");

            if (!*rest)
                return steal_ptr(&real);
            return asprintf(&joined, "%s/%s", real[1] ? real : "", rest) < 0
                       ? NULL
                       : joined;
        }
        while (n > 0 && folder[n - 1] != '/')
            n--;
    }
    return NULL;
}

static int list_copy(struct strlist *into, const struct strlist *from)
{
    for (size_t i = 0; i < from->n; i++) {
        AUTO_FREE char *real = entry_real(from->items[i]);

        if (strlist_add(into, from->items[i]) < 0)
            return -ENOMEM;
        if (real && !strlist_has(into, real) && strlist_add(into, real) < 0)
            return -ENOMEM;
    }
    return 0;
}

int path_policy_init(struct path_policy *policy, const struct strlist *allowed,
                     const struct strlist *readonly,
                     const struct strlist *forbidden)
{
    *policy = (struct path_policy) { .way = opath_way() };
    if (list_copy(&policy->allowed, allowed) < 0
        || list_copy(&policy->readonly, readonly) < 0
        || list_copy(&policy->forbidden, forbidden) < 0)
        return -ENOMEM;
    return 0;
}

void path_policy_free(struct path_policy *policy)
{
    strlist_free(&policy->allowed);
    strlist_free(&policy->readonly);
    strlist_free(&policy->forbidden);
}

/* Does the entry cover the path?  A closing '/' of an entry is for reading. */
static bool entry_covers(const char *entry, const char *path)
{
    size_t n = strlen(entry);

    while (n > 0 && entry[n - 1] == '/')
        n--;
    return strncmp(entry, path, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static bool list_covers(const struct strlist *list, const char *path)
{
    for (size_t i = 0; i < list->n; i++)
        if (entry_covers(list->items[i], path))
            return true;
    return false;
}

int path_policy_check(const struct path_policy *policy, const char *real,
                      enum path_access access, struct error *err)
{
    bool allowed = list_covers(&policy->allowed, real);
    bool readonly = list_covers(&policy->readonly, real);

    if (!allowed && !readonly)
        return error_set(err, STATUS_PERMISSION_DENIED,
                         "'%s' is outside of security.allowed_paths", real);
    if (access == PATH_WRITE && readonly)
        return error_set(err, STATUS_PERMISSION_DENIED,
                         "'%s' is read-only by security.readonly_paths", real);
    if (access != PATH_LOOK && list_covers(&policy->forbidden, real))
        return error_set(err, STATUS_PERMISSION_DENIED,
                         "'%s' is forbidden by security.forbidden_paths",
                         real);
    return access == PATH_WRITE
               ? guard_check(policy->guarded, real, false, err)
               : 0;
}

int path_policy_check_tree(const struct path_policy *policy, const char *real,
                           struct error *err)
{
    static const char *const keys[] = { "allowed", "readonly", "forbidden" };
    const struct strlist *lists[] = { &policy->allowed, &policy->readonly,
                                      &policy->forbidden };

    for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
        for (size_t i = 0; i < lists[k]->n; i++)
            if (entry_covers(real, lists[k]->items[i]))
                return error_set(err, STATUS_PERMISSION_DENIED,
                                 "'%s' has '%s' in it, of "
                                 "security.%s_paths",
                                 real, lists[k]->items[i], keys[k]);
    return guard_check(policy->guarded, real, true, err);
}

/* Is the file one that the list names, under any name? */
static bool list_has_file(const struct strlist *list, const struct stat *file)
{
    struct stat st;

    for (size_t i = 0; i < list->n; i++)
        if (stat(list->items[i], &st) == 0 && st.st_dev == file->st_dev
            && st.st_ino == file->st_ino)
            return true;
    return false;
}

/* Judges a file by what its other names may be; most files have none. */
static int check_links(const struct path_policy *policy, const char *real,
                       const struct stat *st, enum path_access access,
                       struct error *err)
{
    if (access == PATH_LOOK || S_ISDIR(st->st_mode) || st->st_nlink < 2)
        return 0;
    if (list_has_file(&policy->forbidden, st))
        return error_set(err, STATUS_PERMISSION_DENIED,
                         "'%s' is a hard link to what is forbidden by "
                         "security.forbidden_paths",
                         real);
    if (access == PATH_WRITE && list_has_file(&policy->readonly, st))
        return error_set(err, STATUS_PERMISSION_DENIED,
                         "'%s' is a hard link to what is read-only by "
                         "security.readonly_paths",
                         real);
    return access == PATH_WRITE
               ? guard_check_file(policy->guarded, real, st, err)
               : 0;
}

int path_policy_check_file(const struct path_policy *policy, const char *real,
                           const struct stat *st, enum path_access access,
                           struct error *err)
{
    int r = path_policy_check(policy, real, access, err);

    return r ? r : check_links(policy, real, st, access, err);
}

/* Is nothing held back that a link could lead to? */
static bool is_open(const struct path_policy *policy)
{
    return (list_covers(&policy->allowed, "/")
            && !list_covers(&policy->readonly, "/"))
           || (policy->guarded && settings_any_program(policy->guarded));
}

/* Is there a ".." behind a name? */
static bool returns(const char *target)
{
    bool named = false;

    for (size_t n; *target; target += n) {
        target += strspn(target, "/");
        n = strcspn(target, "/");
        if (n == 2 && memcmp(target, "..", 2) == 0) {
            if (named)
                return true;
        } else if (n > 1 || (n == 1 && *target != '.')) {
            named = true;
        }
    }
    return false;
}

static int pass(void *arg, const char *real, const struct stat *st)
{
    (void) arg;
    (void) real;
    (void) st;
    return 0;
}

/* Which way a target goes, from the root on. */
static int target_way(const char *link, const char *target, char way[PATH_MAX])
{
    int folder = (int) (strrchr(link, '/') + 1 - link);
    int n = snprintf(way, PATH_MAX, "%.*s%s", *target == '/' ? 0 : folder,
                     link, target);

    return n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int path_policy_check_link(const struct path_policy *policy, const char *link,
                           const char *target, struct error *err)
{
    char way[PATH_MAX];
    char real[PATH_MAX];
    int r;

    if (is_open(policy))
        return 0;
    if (returns(target))
        return error_set(err, STATUS_PERMISSION_DENIED,
                         "a link to '%s' may lead out of "
                         "security.allowed_paths: there is '..' behind a name",
                         target);
    r = target_way(link, target, way);
    if (r == 0)
        r = way_walk(way, pass, NULL, real);
    if (r == -ELOOP) /* to nothing */
        return 0;
    if (r < 0)
        return error_errno(err, r, "link to '%s'", target);
    r = path_policy_check(policy, real, PATH_WRITE, err);
    if (r)
        error_prefix(err, "a link to '%s'", target);
    return r;
}

/* The kernel adds " (deleted)" to the name of a file that another one took the
 * place of, which is no place in any list.  A name may end so, too: only the
 * file that is there tells. */
static bool is_at(const struct opath *file, const char *real)
{
    struct stat open_;
    struct stat there;

    return opath_stat(file, &open_) == 0 && lstat(real, &there) == 0
           && open_.st_dev == there.st_dev && open_.st_ino == there.st_ino;
}

/*
 * Opens a path, from a folder on when it is relative, and tells where that
 * really is.  Who replaces the file meanwhile has it opened again.
 *
 * Return: as opath_open().
 */
static int open_real(const struct path_policy *policy, int folder,
                     const char *path, int flags, struct opath *file,
                     char real[PATH_MAX])
{
    for (int tries = 0; tries < OPATH_TRIES; tries++) {
        int r = opath_open(file, policy->way, folder, path, flags);

        if (r < 0)
            return r;
        r = opath_real(file, real);
        if (r == 0 && is_at(file, real))
            return 0;
        opath_close(file);
        if (r < 0)
            return r;
    }
    return -EAGAIN;
}

static int check_form(const char *path, struct error *err)
{
    if (path[0] != '/')
        return error_set(err, STATUS_INVALID_PARAMS,
                         "path '%s' is not absolute", path);
    if (strlen(path) >= PATH_MAX)
        return error_set(err, STATUS_INVALID_PARAMS, "path is too long");
    return 0;
}

/* Splits into folder and last name; closing slashes do not count. */
static int split_path(const char *path, char folder[PATH_MAX],
                      char name[NAME_MAX + 1], struct error *err)
{
    size_t end = strlen(path);
    size_t start;

    while (end > 1 && path[end - 1] == '/')
        end--;
    start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (end - start > NAME_MAX)
        return error_errno(err, -ENAMETOOLONG, "'%s'", path);
    snprintf(name, NAME_MAX + 1, "%.*s", (int) (end - start), path + start);
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "path '%s' does not end in a file name", path);
    snprintf(folder, PATH_MAX, "%.*s", (int) start, path);
    return 0;
}

/* real, which is a folder's path, gets "/" and a name. */
static int join_real(const char *name, char real[PATH_MAX])
{
    size_t n = strlen(real);

    if (n == 1) /* the root: no second slash */
        n = 0;
    if (n + 1 + strlen(name) >= PATH_MAX)
        return -ENAMETOOLONG;
    snprintf(real + n, PATH_MAX - n, "/%s", name);
    return 0;
}

/* Nothing is there: may the caller know?  Judges the nearest folder that
 * exists, so that a refusal does not depend on what is missing. */
static int judge_missing(const struct path_policy *policy, const char *path,
                         enum path_access access, char real[PATH_MAX],
                         struct error *err)
{
    char folder[PATH_MAX];
    char *cut;

    snprintf(folder, sizeof(folder), "%s", path);
    while ((cut = strrchr(folder, '/'))) {
        struct opath dir;

        cut[cut == folder] = '\0';
        if (open_real(policy, AT_FDCWD, folder, O_DIRECTORY, &dir, real)
            == 0) {
            int r;

            opath_close(&dir);
            r = join_real(path + strlen(folder) + (strlen(folder) > 1), real);

            if (r < 0)
                return error_errno(err, r, "'%s'", path);
            if (strstr(real, "/../") || strstr(real, "/./"))
                return error_errno(err, -ENOENT, "'%s'", path);
            return path_policy_check(policy, real, access, err);
        }
        if (cut == folder)
            break;
    }
    return error_errno(err, -ENOENT, "'%s'", path);
}

static int not_opened(struct error *err, int r, const char *path)
{
    if (r != -EAGAIN)
        return error_errno(err, r, "'%s'", path);
    return error_set(err, STATUS_FILE_OPERATION_FAILED,
                     "'%s' was replaced each time that it was opened; try "
                     "again when that is over",
                     path);
}

/* flags: O_NOFOLLOW, or 0. */
static int find(const struct path_policy *policy, const char *path, int flags,
                enum path_access access, struct path_found *found,
                struct error *err)
{
    int r = check_form(path, err);

    found->file = (struct opath) OPATH_NONE;
    if (r)
        return r;
    r = open_real(policy, AT_FDCWD, path, flags, &found->file, found->real);
    if (r == -ENOENT || r == -ENOTDIR)
        return judge_missing(policy, path, access, found->real, err);
    if (r < 0)
        return not_opened(err, r, path);
    r = opath_stat(&found->file, &found->st);
    if (r < 0)
        error_errno(err, r, "'%s'", path);
    else
        r = path_policy_check_file(policy, found->real, &found->st, access,
                                   err);
    if (r)
        opath_close(&found->file);
    return r;
}

int path_find(const struct path_policy *policy, const char *path,
              enum path_access access, struct path_found *found,
              struct error *err)
{
    return find(policy, path, 0, access, found, err);
}

int path_look(const struct path_policy *policy, const char *path,
              struct path_found *found, struct error *err)
{
    return find(policy, path, O_NOFOLLOW, PATH_LOOK, found, err);
}

/* Files of the kernel (/proc, /sys) have content and no size: what is copied
 * by size would be empty, and nobody would know. */
static int sizeless_check(int fd, const char *path, struct error *err)
{
    char byte;
    int64_t n = fd_pread_full(fd, &byte, 1, 0);

    if (n < 0)
        return error_errno(err, (int) n, "reading '%s'", path);
    if (n == 0)
        return 0;
    return error_set(err, STATUS_FILE_OPERATION_FAILED,
                     "'%s' has content but no size: read it with a command, "
                     "such as cat",
                     path);
}

int path_open(const struct path_policy *policy, const char *path,
              struct path_found *found, int *fd, struct error *err)
{
    int r = path_find(policy, path, PATH_READ, found, err);

    *fd = -1;
    if (r)
        return r;
    if (!opath_is_open(&found->file))
        return error_errno(err, -ENOENT, "'%s'", path);
    if (S_ISDIR(found->st.st_mode))
        r = error_errno(err, -EISDIR, "'%s'", path);
    else if (!S_ISREG(found->st.st_mode))
        r = error_set(err, STATUS_FILE_OPERATION_FAILED,
                      "'%s' is not a regular file", path);
    if (r == 0) {
        *fd = opath_reopen(&found->file);
        r = *fd < 0 ? error_errno(err, *fd, "'%s'", path) : 0;
    }
    if (r == 0 && found->st.st_size == 0)
        r = sizeless_check(*fd, path, err);
    if (r)
        fd_close(fd);
    opath_close(&found->file);
    return r;
}

/* Opens the folder of a path that is to be written. */
static int target_open(const struct path_policy *policy, const char *path,
                       struct path_target *target, struct error *err)
{
    char folder[PATH_MAX];
    struct opath dir;
    int r = split_path(path, folder, target->name, err);
    int code;

    if (r)
        return r;
    code = open_real(policy, AT_FDCWD, folder, O_DIRECTORY, &dir,
                     target->real);
    if (code == 0) {
        code = target->dir = opath_reopen(&dir);
        opath_close(&dir);
    }
    if (code < 0) {
        if (code == -ENOENT || code == -ENOTDIR) {
            r = judge_missing(policy, path, PATH_WRITE, target->real, err);
            if (r > 0)
                return r;
        }
        return code == -EAGAIN ? not_opened(err, code, folder)
                               : error_errno(err, code, "folder '%s'", folder);
    }
    r = join_real(target->name, target->real);
    return r < 0 ? error_errno(err, r, "'%s'", path) : 0;
}

/* Opens and judges the place and looks what is there. */
static int target_look(const struct path_policy *policy, const char *path,
                       struct path_target *target, struct error *err)
{
    int r = target_open(policy, path, target, err);

    if (r == 0)
        r = path_policy_check(policy, target->real, PATH_WRITE, err);
    if (r == 0)
        target->exists = fstatat(target->dir, target->name, &target->st,
                                 AT_SYMLINK_NOFOLLOW)
                         == 0;
    else
        fd_close(&target->dir);
    return r;
}

int path_target(const struct path_policy *policy, const char *path,
                struct path_target *target, struct error *err)
{
    char real[PATH_MAX];
    struct opath there;
    int r = check_form(path, err);

    *target = (struct path_target) { .dir = -1 };
    if (r)
        return r;
    r = open_real(policy, AT_FDCWD, path, 0, &there, real);
    /* What cannot be seen is not what is not there. */
    if (r == -EAGAIN || r == -EACCES)
        return not_opened(err, r, path);
    if (r == 0) {
        opath_close(&there);
        path = real;
    }
    r = target_look(policy, path, target, err);
    if (r == 0 && target->exists)
        r = check_links(policy, target->real, &target->st, PATH_WRITE, err);
    if (r)
        fd_close(&target->dir);
    return r;
}

int path_place(const struct path_policy *policy, const char *path,
               struct path_target *target, struct error *err)
{
    int r = check_form(path, err);

    *target = (struct path_target) { .dir = -1 };
    return r ? r : target_look(policy, path, target, err);
}

/* What is there is judged by where it is now, and nothing by its place. */
static int hold_at(const struct path_policy *policy,
                   const struct path_target *where, struct path_found *found,
                   struct error *err)
{
    int r = open_real(policy, where->dir, where->name, O_NOFOLLOW,
                      &found->file, found->real);
    int code = r;

    if (r == 0)
        r = code = opath_stat(&found->file, &found->st);
    r = r < 0 ? path_policy_check(policy, where->real, PATH_WRITE, err)
              : path_policy_check_file(policy, found->real, &found->st,
                                       PATH_WRITE, err);
    return r == 0 && code < 0 ? not_opened(err, code, where->real) : r;
}

int path_hold(const struct path_policy *policy, const char *path,
              struct path_found *found, struct error *err)
{
    struct path_target where = { .dir = -1 };
    int r = check_form(path, err);

    found->file = (struct opath) OPATH_NONE;
    if (r == 0)
        r = target_open(policy, path, &where, err);
    if (r == 0)
        r = hold_at(policy, &where, found, err);
    if (r)
        opath_close(&found->file);
    fd_close(&where.dir);
    return r;
}
