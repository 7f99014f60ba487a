/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Expands words.  The path that is looked at grows by a component and shrinks
 * again; fnmatch(3) compares one component with one name, in the "C" locale
 * that the agent has.  glob(3) would do it as well, but without a bound to
 * what it gathers.
 */
#include <config.h>

#include "guest/proc/expand.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/limits.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"

struct expansion {
    struct strlist *words;
    size_t bytes;    /* that execve(2) needs for them */
    struct buf path; /* that is looked at */
    int64_t deadline;
};

/* Of n bytes; what is behind a backslash is no part of a pattern. */
static bool is_glob(const char *pattern, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pattern[i] == '\\')
            i++;
        else if (strchr("*?", pattern[i])
                 || (pattern[i] == '[' && memchr(&pattern[i], ']', n - i)))
            return true;
    return false;
}

bool pattern_is_glob(const char *pattern)
{
    return is_glob(pattern, strlen(pattern));
}

/* --- text ----------------------------------------------------------------- */

/* n bytes of a pattern as what they stand for. */
static int add_plain(struct buf *path, const char *pattern, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        if (pattern[i] == '\\')
            i++;
        r = buf_append(path, &pattern[i], 1);
    }
    return r;
}

/* What a tilde stands for, and no more of the pattern; nothing when it stays
 * as it is. */
static int add_home(struct buf *path, const char **pattern, const char *home)
{
    size_t n = strcspn(*pattern, "/");

    if (**pattern != '~')
        return 0;
    if (n > 1) {
        AUTO_FREE char *name = strndup(*pattern + 1, n - 1);
        const struct passwd *user = name ? getpwnam(name) : NULL;

        if (!name)
            return -ENOMEM;
        home = user ? user->pw_dir : NULL;
    }
    if (!home)
        return 0;
    *pattern += n;
    return buf_puts(path, home);
}

int expand_tilde(const char *pattern, const char *home, char **word)
{
    struct buf path;
    int r;

    buf_init(&path, SIZE_MAX);
    r = add_home(&path, &pattern, home);
    if (r == 0)
        r = add_plain(&path, pattern, strlen(pattern));
    if (r == 0) {
        *word = buf_cstr(&path) ? strdup(buf_cstr(&path)) : NULL;
        r = *word ? 0 : -ENOMEM;
    }
    buf_free(&path);
    return r;
}

/* --- files ---------------------------------------------------------------- */

static int add_word(struct expansion *to, const char *word)
{
    to->bytes += strlen(word) + 1 + sizeof(word);
    if (to->words->n >= ARGV_MAX || to->bytes > EXPAND_MAX)
        return -E2BIG;
    return strlist_add(to->words, word);
}

static int add_path(struct expansion *to)
{
    const char *path = buf_cstr(&to->path);

    return path ? add_word(to, path) : -ENOMEM;
}

static int walk(struct expansion *to, const char *pattern);

/* A dot in front of a name is there in the component, too, quoted or not.  Not
 * by FNM_PERIOD: behind "*?" glibc has it for the second byte, before a '['. */
static bool is_match(const char *component, const char *name)
{
    const char *first = component + (*component == '\\');

    return (*name != '.' || *first == '.') && fnmatch(component, name, 0) == 0;
}

/* The names in a folder that match a component; rest is behind that. */
static int match(struct expansion *to, DIR *folder, const char *component,
                 const char *rest)
{
    size_t before = to->path.len;
    const struct dirent *entry;
    int r = 0;

    while (r == 0 && (entry = readdir(folder))) {
        if (!is_match(component, entry->d_name))
            continue;
        r = buf_puts(&to->path, entry->d_name);
        if (r == 0)
            r = *rest ? walk(to, rest) : add_path(to);
        to->path.len = before;
    }
    return r;
}

/* The folder of the path. */
static int look(struct expansion *to, const char *pattern, size_t n)
{
    AUTO_FREE char *component = strndup(pattern, n);
    const char *path = buf_cstr(&to->path);
    DIR *folder;
    int r;

    if (!component || !path)
        return -ENOMEM;
    if (deadline_left(to->deadline) == 0)
        return -ETIMEDOUT;
    folder = opendir(*path ? path : ".");
    if (!folder)
        return errno == ENOMEM || errno == EMFILE || errno == ENFILE ? -errno
                                                                     : 0;
    r = match(to, folder, component, pattern + n);
    closedir(folder);
    return r;
}

/* All that matches behind the path.  Who comes here has a pattern to the left
 * or to the right, so that only what is there counts. */
static int walk(struct expansion *to, const char *pattern)
{
    const char *path;
    struct stat st;
    int r = 0;

    while (r == 0 && *pattern) {
        size_t slashes = strspn(pattern, "/");
        size_t n = strcspn(pattern + slashes, "/");

        r = buf_append(&to->path, pattern, slashes);
        pattern += slashes;
        if (r == 0 && is_glob(pattern, n))
            return look(to, pattern, n);
        if (r == 0)
            r = add_plain(&to->path, pattern, n);
        pattern += n;
    }
    path = buf_cstr(&to->path);
    if (r == 0 && !path)
        r = -ENOMEM;
    return r == 0 && lstat(path, &st) == 0 ? add_word(to, path) : r;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static int expand_word(struct expansion *to, const char *pattern,
                       const char *home)
{
    size_t first = to->words->n;
    size_t behind;
    int r;

    buf_clear(&to->path);
    r = add_home(&to->path, &pattern, home);
    behind = to->path.len;
    if (r == 0 && pattern_is_glob(pattern))
        r = walk(to, pattern);
    if (r)
        return r;
    if (to->words->n > first) {
        qsort(&to->words->items[first], to->words->n - first,
              sizeof(to->words->items[0]), compare);
        return 0;
    }
    to->path.len = behind;
    r = add_plain(&to->path, pattern, strlen(pattern));
    return r ? r : add_path(to);
}

int expand(const struct strlist *patterns, char *const *argv, const char *home,
           int64_t deadline, struct strlist *words)
{
    struct expansion to = { .words = words, .deadline = deadline };
    int r = 0;

    buf_init(&to.path, EXPAND_MAX);
    for (size_t i = 0; r == 0 && i < patterns->n; i++)
        r = *patterns->items[i] ? expand_word(&to, patterns->items[i], home)
                                : add_word(&to, argv[i]);
    buf_free(&to.path);
    return r == -EMSGSIZE ? -E2BIG : r;
}
