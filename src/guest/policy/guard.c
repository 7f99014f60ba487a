/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Follows the way to each program and file anew for each question, for links change;
 * that is a hundred calls of lstat(2) for the default list.
 */
#include <config.h>

#include "guest/policy/guard.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/core/endpoint.h"
#include "guest/policy/command_policy.h"
#include "guest/policy/way.h"
#include "proto/status.h"
#include "util/cleanup.h"

struct guard {
    const char *real; /* that is to be written */
    bool tree;
    const struct stat *file; /* instead of both: whatever its name is */
};

#define HIT 1 /* as what way_walk() returns */

/* Is path the folder, or in it? */
static bool is_in(const char *folder, const char *path)
{
    size_t n = strlen(folder);

    if (n == 1) /* the root */
        return true;
    return strncmp(folder, path, n) == 0
           && (path[n] == '\0' || path[n] == '/');
}

static bool is_file(const struct guard *guard, const struct stat *st)
{
    return st && st->st_dev == guard->file->st_dev
           && st->st_ino == guard->file->st_ino;
}

static int meet(void *arg, const char *real, const struct stat *st)
{
    const struct guard *guard = arg;
    bool folder = st && S_ISDIR(st->st_mode);

    if (guard->file)
        return is_file(guard, st) ? HIT : 0;
    if (guard->tree ? is_in(guard->real, real)
                    : !folder && strcmp(guard->real, real) == 0)
        return HIT;
    return 0;
}

/* Return: HIT or 0; real is empty where the way leads nowhere. */
static int walk(struct guard *guard, const char *path, char real[PATH_MAX])
{
    int r = way_walk(path, meet, guard, real);

    if (r < 0)
        real[0] = '\0';
    return r == HIT ? HIT : 0;
}

/* The name in a folder that is real. */
static int walk_name(struct guard *guard, const char *folder, const char *name)
{
    char path[PATH_MAX];
    char real[PATH_MAX];
    struct stat st;
    bool there;

    if (snprintf(path, sizeof(path), "%s/%s", folder[1] ? folder : "", name)
        >= (int) sizeof(path))
        return 0;
    there = lstat(path, &st) == 0;
    if (there && S_ISLNK(st.st_mode))
        return walk(guard, path, real);
    if (guard->file)
        return is_file(guard, there ? &st : NULL) ? HIT : 0;
    return is_in(guard->tree ? guard->real : path,
                 guard->tree ? path : guard->real)
               ? HIT
               : 0;
}

/* The folder, all that is in it, and what its links lead to. */
static int meet_folder(struct guard *guard, const char *folder)
{
    char real[PATH_MAX];
    const struct dirent *entry;
    DIR *dir;
    int r = walk(guard, folder, real);

    if (r || !real[0])
        return r;
    if (!guard->file && is_in(real, guard->real))
        return HIT;
    dir = opendir(real);
    if (!dir)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
    while (r == 0 && (errno = 0, entry = readdir(dir)))
        r = walk_name(guard, real, entry->d_name);
    if (r == 0 && errno)
        r = -errno;
    closedir(dir);
    return r;
}

static int meet_handlers(struct guard *guard,
                         const struct yaml_items *handlers)
{
    char real[PATH_MAX];
    int r = 0;

    for (size_t i = 0; r == 0 && i < handlers->n; i++)
        r = walk(guard, endpoint_get(handlers, i)->command.items[0], real);
    return r;
}

/* Those of the list that are names, in one folder of the search. */
static int meet_names(struct guard *guard, const char *folder,
                      const struct strlist *names)
{
    char real[PATH_MAX];
    int r = walk(guard, folder, real);

    for (size_t i = 0; r == 0 && real[0] && i < names->n; i++)
        if (!strchr(names->items[i], '/'))
            r = walk_name(guard, real, names->items[i]);
    return r;
}

static int meet_commands(struct guard *guard, const struct strlist *allowed)
{
    static const char search[] = COMMAND_PATH;
    char real[PATH_MAX];
    char folder[64];
    int r = 0;

    for (size_t i = 0; r == 0 && i < allowed->n; i++)
        if (allowed->items[i][0] == '/')
            r = walk(guard, allowed->items[i], real);
    for (const char *at = search; r == 0 && *at;) {
        size_t n = strcspn(at, ":");

        snprintf(folder, sizeof(folder), "%.*s", (int) n, at);
        r = meet_names(guard, folder, allowed);
        at += n + (at[n] == ':');
    }
    return r;
}

/* Is real one of the old logs, FILE.1 and so on? */
static bool is_backup(const char *file, const char *real)
{
    size_t n = strlen(file);

    return strncmp(file, real, n) == 0 && real[n] == '.' && real[n + 1]
           && !real[n + 1 + strspn(real + n + 1, "0123456789")];
}

/* The files of the agent itself, which are no programs.  Return: whose name in
 * the configuration key is, if any. */
static const char *meet_own(struct guard *guard,
                            const struct settings *settings)
{
    const struct {
        const char *key, *file;
    } own[] = {
        { "its configuration", settings->file },
        { "security.auth_key_file", settings->auth_key_file },
        { "logging.file", settings->log_file },
    };
    char real[PATH_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (own[i].file[0] == '/'
            && (walk(guard, own[i].file, real)
                || (own[i].file == settings->log_file
                    && is_backup(real, guard->real))))
            return own[i].key;
    return NULL;
}

static int check(const struct settings *settings, struct guard *guard,
                 struct error *err)
{
    const char *key;
    int r;

    if (!settings || settings_any_program(settings))
        return 0;
    key = meet_own(guard, settings);
    if (key)
        return error_set(err, STATUS_PERMISSION_DENIED,
                         "'%s' is the agent's own, or on the way to what is "
                         "(%s): no transfer may change that",
                         guard->real, key);
    key = "server.custom_dir";
    r = meet_folder(guard, settings->custom_dir);
    if (r == 0) {
        key = "server.handlers";
        r = meet_handlers(guard, &settings->handlers);
    }
    if (r == 0) {
        key = "security.allowed_commands";
        r = meet_commands(guard, &settings->allowed_commands);
    }
    if (r < 0)
        return error_errno(err, r, "'%s'", settings->custom_dir);
    if (r == 0)
        return 0;
    return error_set(err, STATUS_PERMISSION_DENIED,
                     "'%s' is on the way to a program that the agent runs "
                     "(%s): no transfer may change that",
                     guard->real, key);
}

int guard_check(const struct settings *settings, const char *real, bool tree,
                struct error *err)
{
    struct guard guard = { .real = real, .tree = tree };

    return check(settings, &guard, err);
}

int guard_check_file(const struct settings *settings, const char *real,
                     const struct stat *file, struct error *err)
{
    struct guard guard = { .real = real, .file = file };

    return check(settings, &guard, err);
}

int guard_mode(const struct settings *settings, unsigned int mode,
               struct error *err)
{
    if (!(mode & (S_ISUID | S_ISGID)) || !settings || settings->allow_setid
        || settings_any_program(settings))
        return 0;
    return error_set(err, STATUS_PERMISSION_DENIED,
                     "mode %04o has set-id bits, which security.allow_setid "
                     "in the configuration of the agent would have to allow",
                     mode);
}
