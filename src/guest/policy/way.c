/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Resolves a path as the kernel does (path_resolution(7)), but shows what it
 * comes by; realpath(3) shows the end alone.
 */
#include <config.h>

#include "guest/policy/way.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel has it */

/* What is behind a link takes its place in front of the rest. */
static int follow(const char *link, char rest[PATH_MAX], const char *at,
                  bool *absolute)
{
    char target[PATH_MAX];
    ssize_t n = readlink(link, target, sizeof(target));
    size_t left = strlen(at);

    if (n < 0)
        return -errno;
    if ((size_t) n + left >= PATH_MAX)
        return -ENAMETOOLONG;
    memmove(rest + n, at, left + 1); /* it is empty, or begins with a '/' */
    memcpy(rest, target, (size_t) n);
    *absolute = n > 0 && target[0] == '/';
    return 0;
}

/* real, without a '/' at its end, loses its last name. */
static void cut(char *real)
{
    char *slash = strrchr(real, '/');

    if (slash)
        *slash = '\0';
}

/* Return: the length before; -ENAMETOOLONG. */
static int add(char real[PATH_MAX], const char *name, size_t n)
{
    size_t length = strlen(real);

    if (length + 1 + n >= PATH_MAX)
        return -ENAMETOOLONG;
    snprintf(real + length, PATH_MAX - length, "/%.*s", (int) n, name);
    return (int) length;
}

/* A name that is neither "." nor "..".  Return: as way_walk(). */
static int step(char real[PATH_MAX], char rest[PATH_MAX], const char **at,
                size_t n, int *links, way_visit *visit, void *arg)
{
    int length = add(real, *at, n);
    bool absolute = false;
    struct stat st;
    bool there;
    int r;

    if (length < 0)
        return length;
    there = lstat(real, &st) == 0;
    r = visit(arg, real, there ? &st : NULL);
    *at += n;
    if (r || !there || !S_ISLNK(st.st_mode))
        return r;
    if (++*links > LINKS_MAX)
        return -ELOOP;
    r = follow(real, rest, *at, &absolute);
    *at = rest;
    real[absolute ? 0 : length] = '\0';
    return r;
}

int way_walk(const char *path, way_visit *visit, void *arg,
             char real[PATH_MAX])
{
    char rest[PATH_MAX];
    const char *at = rest;
    int links = 0;
    struct stat st;
    int r;

    if (strlen(path) >= sizeof(rest))
        return -ENAMETOOLONG;
    memcpy(rest, path, strlen(path) + 1);
    real[0] = '\0';
    r = visit(arg, "/", lstat("/", &st) == 0 ? &st : NULL);
    while (r == 0) {
        size_t n;

        at += strspn(at, "/");
        n = strcspn(at, "/");
        if (n == 0)
            break;
        if (n == 2 && memcmp(at, "..", 2) == 0)
            cut(real);
        if (strspn(at, ".") >= n && n <= 2)
            at += n;
        else
            r = step(real, rest, &at, n, &links, visit, arg);
    }
    if (r == 0 && !real[0])
        memcpy(real, "/", 2);
    return r;
}

/* --- who can replace what is there ---------------------------------------- */

static bool is_ours(const struct stat *st, bool sticky)
{
    return (st->st_uid == 0 || st->st_uid == geteuid())
           && (!(st->st_mode & 022) || (sticky && (st->st_mode & S_ISVTX)));
}

static int judge_folder(const char *folder, const struct stat *st, bool sticky,
                        char bad[PATH_MAX])
{
    if (is_ours(st, sticky))
        return 0;
    snprintf(bad, PATH_MAX, "%s", folder);
    return -EPERM;
}

static int judge_parent(const char *real, char bad[PATH_MAX])
{
    char folder[PATH_MAX];
    struct stat st;

    snprintf(folder, sizeof(folder), "%s", real);
    cut(folder);
    if (lstat(folder[0] ? folder : "/", &st) < 0)
        return -errno;
    return judge_folder(folder[0] ? folder : "/", &st, false, bad);
}

static int judge(void *arg, const char *real, const struct stat *st)
{
    if (!st)
        return 0;
    return S_ISDIR(st->st_mode) ? judge_folder(real, st, true, arg)
                                : judge_parent(real, arg);
}

int way_check(const char *path, char bad[PATH_MAX])
{
    char real[PATH_MAX];
    struct stat st;
    int r = way_walk(path, judge, bad, real);

    if (r || lstat(real, &st) < 0 || !S_ISDIR(st.st_mode))
        return r;
    return judge_folder(real, &st, false, bad);
}
