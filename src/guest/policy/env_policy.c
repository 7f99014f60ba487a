/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One table: the variables that are known to be harmless, with what their
 * values may be, and those that no setuid program believes, for what the
 * loader and the C library would do with them.  (glibc: unsecvars.h.  TMPDIR
 * is in its list and not here: it names a folder and loads nothing.)
 */
#include <config.h>

#include "guest/policy/env_policy.h"

#include <stddef.h>
#include <string.h>

#include "guest/policy/command_policy.h"
#include "proto/status.h"
#include "util/cleanup.h"

#define DIGITS "0123456789"
#define WORD \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" DIGITS "_.+-"

static bool made_of(const char *value, const char *characters)
{
    return value[strspn(value, characters)] == '\0';
}

/* A locale or a terminal; with a slash both would be files. */
static bool is_name(const char *value)
{
    return made_of(value, WORD "@");
}

static bool is_count(const char *value)
{
    return made_of(value, DIGITS);
}

/* A rule or the name of a zone, which is a path below the zones' folder. */
static bool is_zone(const char *value)
{
    if (*value == ':')
        value++;
    return strspn(value, "/.:") == 0 && !strstr(value, "..")
           && made_of(value, WORD "/:,<>");
}

static bool is_anything(const char *value)
{
    (void) value;
    return true;
}

/* Nothing is found there that would not be found without.  An empty folder, also
 * the one behind a last ':' and all of an empty value, is the current one. */
static bool is_own_path(const char *value)
{
    size_t n = strcspn(value, ":");

    for (; command_path_has(value, n); n = strcspn(value, ":")) {
        if (!value[n])
            return true;
        value += n + 1;
    }
    return false;
}

/* A trailing '*' in a name is for the rest of it. */
static const struct {
    const char *name;
    bool (*fits)(const char *value); /* NULL: it steers the loader */
} table[] = {
    { "COLUMNS", is_count },
    { "LANG", is_name },
    { "LC_*", is_name },
    { "LINES", is_count },
    { "NO_COLOR", is_anything },
    { "PATH", is_own_path },
    { "TERM", is_name },
    { "TZ", is_zone },
    /* the loader's and the C library's */
    { "GCONV_PATH", NULL },
    { "GETCONF_DIR", NULL },
    { "GLIBC_TUNABLES", NULL },
    { "HOSTALIASES", NULL },
    { "LD_*", NULL },
    { "LOCALDOMAIN", NULL },
    { "LOCPATH", NULL },
    { "MALLOC_*", NULL },
    { "NIS_PATH", NULL },
    { "NLSPATH", NULL },
    { "RESOLV_HOST_CONF", NULL },
    { "RES_OPTIONS", NULL },
    { "TZDIR", NULL },
};

/* Is the name, of n bytes, what a pattern says? */
static bool name_matches(const char *name, size_t n, const char *pattern)
{
    size_t length = strcspn(pattern, "*");

    return strncmp(name, pattern, length < n ? length : n) == 0
           && (pattern[length] == '*' ? n >= length : n == length);
}

static bool list_matches(const struct strlist *list, const char *name,
                         size_t n, bool whole)
{
    for (size_t i = 0; i < list->n; i++)
        if (name_matches(name, n, list->items[i])
            && (!whole || !strchr(list->items[i], '*')))
            return true;
    return false;
}

static int denied(const char *entry, size_t n, const char *why,
                  struct error *err)
{
    return error_set(err, STATUS_PERMISSION_DENIED,
                     "variable '%.*s' %s (security.allowed_env in the "
                     "configuration of the agent)",
                     (int) (n < 64 ? n : 64), entry, why);
}

int env_check(const char *entry, bool trusted, const struct strlist *allowed,
              struct error *err)
{
    size_t n = strcspn(entry, "=");
    const char *value = entry + n + (entry[n] == '=');
    size_t row = 0;

    while (row < ARRAY_SIZE(table) && !name_matches(entry, n, table[row].name))
        row++;
    if (row < ARRAY_SIZE(table) && !table[row].fits)
        return list_matches(allowed, entry, n, true)
                   ? 0
                   : denied(entry, n,
                            "changes how programs are loaded and has to be "
                            "allowed by its whole name",
                            err);
    if (trusted || list_matches(allowed, entry, n, false))
        return 0;
    if (row == ARRAY_SIZE(table))
        return denied(entry, n, "may not be set by a request", err);
    if (strlen(value) > ENV_VALUE_MAX || !table[row].fits(value))
        return denied(entry, n, "may not have such a value", err);
    return 0;
}
