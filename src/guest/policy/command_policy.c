/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The allow-list of commands and the search along PATH.  Paths are compared
 * and never inodes, because a busybox guest has one file for all commands.
 */
#include <config.h>

#include "guest/policy/command_policy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/status.h"
#include "util/cleanup.h"

/* FORBIDDEN_CHARS of the specification. */
static const struct {
    char c;
    const char *shown;
} forbidden[] = {
    { '|', "|" }, { '&', "&" }, { ';', ";" },    { '`', "`" },    { '$', "$" },
    { '>', ">" }, { '<', "<" }, { '\n', "\\n" }, { '\r', "\\r" },
};

int command_check_string(const char *command, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
        if (strchr(command, forbidden[i].c))
            return error_set(err, STATUS_PERMISSION_DENIED,
                             "character '%s' is not allowed in a command "
                             "string, for no shell runs it; pass an argument "
                             "vector (exec -- PROGRAM ARG...)",
                             forbidden[i].shown);
    return 0;
}

bool command_path_has(const char *dir, size_t n)
{
    const char *path = COMMAND_PATH;

    while (*path) {
        size_t length = strcspn(path, ":");

        if (length == n && strncmp(path, dir, n) == 0)
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

/* A folder may be searched, and looks like something to run. */
static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode)
           && access(path, X_OK) == 0;
}

/*
 * Looks a name up along a PATH.
 *
 * Return: 0 with *found, to be freed; -ENOENT; -ENOMEM.
 */
static int path_search(const char *path, const char *name, char **found)
{
    while (*path) {
        size_t length = strcspn(path, ":");
        char *candidate;

        if (asprintf(&candidate, "%.*s/%s", (int) length, path, name) < 0)
            return -ENOMEM;
        if (length > 0 && is_program(candidate)) {
            *found = candidate;
            return 0;
        }
        free(candidate);
        path += length + (path[length] == ':');
    }
    return -ENOENT;
}

static int denied(const char *program, struct error *err)
{
    return error_set(err, STATUS_PERMISSION_DENIED,
                     "command '%s' is not in security.allowed_commands",
                     program);
}

/* A program given with its path: allowed as such, or by name when it lies in
 * a folder that the search would look into. */
static bool path_is_allowed(const struct strlist *allowed, const char *program)
{
    const char *name = strrchr(program, '/') + 1;

    if (strlist_has(allowed, program))
        return true;
    return strlist_has(allowed, name)
           && command_path_has(program, (size_t) (name - 1 - program));
}

static int resolve_path(bool any, const struct strlist *allowed,
                        const char *program, char **path, struct error *err)
{
    if (!any && !path_is_allowed(allowed, program))
        return denied(program, err);
    /* A relative path counts from the command's own folder: execve(2) will
     * tell. */
    if (program[0] == '/' && access(program, F_OK) < 0)
        return error_set(err, STATUS_CMD_NOT_FOUND, "%s: command not found",
                         program);
    *path = strdup(program);
    return *path ? 0 : -ENOMEM;
}

static int resolve_name(const char *search, const char *program, char **path,
                        struct error *err)
{
    int r = path_search(search, program, path);

    if (r == -ENOENT)
        return error_set(err, STATUS_CMD_NOT_FOUND, "%s: command not found",
                         program);
    return r;
}

int command_resolve(const struct strlist *allowed, const char *program,
                    const char *search, char **path, struct error *err)
{
    bool any = strlist_has(allowed, "*");

    if (strchr(program, '/'))
        return resolve_path(any, allowed, program, path, err);
    if (!any && !strlist_has(allowed, program))
        return denied(program, err);
    return resolve_name(any && search ? search : COMMAND_PATH, program, path,
                        err);
}

const char *command_listed(const struct strlist *allowed, const char *name,
                           struct error *err)
{
    if (strlist_has(allowed, "*") || strlist_has(allowed, name))
        return name;
    for (size_t i = 0; i < allowed->n; i++) {
        const char *entry = allowed->items[i];
        const char *slash = strrchr(entry, '/');

        if (slash && strcmp(slash + 1, name) == 0
            && command_path_has(entry, (size_t) (slash - entry)))
            return entry;
    }
    denied(name, err);
    return NULL;
}

int program_find(const char *program, char **path, struct error *err)
{
    if (strchr(program, '/'))
        return resolve_path(true, NULL, program, path, err);
    return resolve_name(COMMAND_PATH, program, path, err);
}
