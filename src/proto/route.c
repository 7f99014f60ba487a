/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The table of routes with their flags.  A path is compared as a whole, as a
 * prefix, or with "*" for one segment; the methods of the rows that it fits
 * are gathered for Allow.
 */
#include <config.h>

#include "proto/route.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/status.h"
#include "util/cleanup.h"

static const struct route table[] = {
    { ROUTE_PING, "GET", API_PREFIX "/ping", ABILITY_META,
      ROUTE_FREE | ROUTE_SPECIFIED },
    { ROUTE_SYNC, "GET", API_PREFIX "/sync", ABILITY_META,
      ROUTE_FREE | ROUTE_OPEN },
    { ROUTE_CAPABILITIES, "GET", API_PREFIX "/capabilities", ABILITY_META,
      ROUTE_FREE },
    { ROUTE_SYSTEM_INFO, "GET", API_PREFIX "/system/info", ABILITY_SYSTEM,
      ROUTE_SPECIFIED },
    { ROUTE_SYSTEM_STATUS, "GET", API_PREFIX "/system/status", ABILITY_SYSTEM,
      ROUTE_SPECIFIED },
    { ROUTE_SHELL_EXEC, "POST", API_PREFIX "/shell/exec", ABILITY_EXEC,
      ROUTE_JSON | ROUTE_SPECIFIED },
    { ROUTE_FILE_UPLOAD, "POST", API_PREFIX "/file/upload", ABILITY_FILES,
      ROUTE_JSON | ROUTE_SPECIFIED },
    { ROUTE_FILE_DOWNLOAD, "POST", API_PREFIX "/file/download", ABILITY_FILES,
      ROUTE_JSON | ROUTE_SAFE | ROUTE_SPECIFIED },
    { ROUTE_FILE_INFO, "GET", API_PREFIX "/file/info", ABILITY_FILES,
      ROUTE_SPECIFIED },
    { ROUTE_CONTENT_GET, "GET", API_PREFIX "/file/content", ABILITY_CONTENT,
      ROUTE_COPY },
    { ROUTE_CONTENT_HEAD, "HEAD", API_PREFIX "/file/content", ABILITY_CONTENT,
      ROUTE_SAFE | ROUTE_COPY },
    { ROUTE_CONTENT_PUT, "PUT", API_PREFIX "/file/content", ABILITY_CONTENT,
      ROUTE_RAW | ROUTE_COPY },
    { ROUTE_FILE_DIGEST, "GET", API_PREFIX "/file/digest", ABILITY_CONTENT,
      ROUTE_COPY },
    { ROUTE_TRANSFER_GET, "GET", API_PREFIX "/file/transfers/*",
      ABILITY_CONTENT, ROUTE_FREE },
    { ROUTE_TRANSFER_FINISH, "POST", API_PREFIX "/file/transfers/*",
      ABILITY_CONTENT, ROUTE_FREE },
    { ROUTE_TRANSFER_DELETE, "DELETE", API_PREFIX "/file/transfers/*",
      ABILITY_CONTENT, ROUTE_FREE | ROUTE_SAFE },
    { ROUTE_FILE_LIST, "GET", API_PREFIX "/file/list", ABILITY_TREES,
      ROUTE_COPY },
    { ROUTE_FILE_DIRECTORY, "POST", API_PREFIX "/file/directory",
      ABILITY_TREES, ROUTE_COPY },
    { ROUTE_FILE_SYMLINK, "POST", API_PREFIX "/file/symlink", ABILITY_TREES,
      ROUTE_COPY },
    { ROUTE_FILE_REMOVE, "POST", API_PREFIX "/file/remove", ABILITY_TREES,
      ROUTE_COPY },
    { ROUTE_FILE_ATTRIBUTES, "POST", API_PREFIX "/file/attributes",
      ABILITY_TREES, ROUTE_COPY },
    { ROUTE_FILE_SYNC, "POST", API_PREFIX "/file/sync", ABILITY_TREES,
      ROUTE_COPY },
    { ROUTE_SERVICE_CONTROL, "POST", API_PREFIX "/service/control",
      ABILITY_SERVICES, ROUTE_JSON | ROUTE_SPECIFIED },
    { ROUTE_CUSTOM, NULL, API_PREFIX "/custom/", ABILITY_CUSTOM,
      ROUTE_PREFIX },
    { ROUTE_REQUEST_GET, "GET", API_PREFIX "/requests/", ABILITY_REQUESTS,
      ROUTE_PREFIX | ROUTE_FREE },
    { ROUTE_REQUEST_DELETE, "DELETE", API_PREFIX "/requests/",
      ABILITY_REQUESTS, ROUTE_PREFIX | ROUTE_FREE | ROUTE_SAFE },
    { ROUTE_JOB_START, "POST", API_PREFIX "/jobs", ABILITY_JOBS,
      ROUTE_JSON | ROUTE_WAITS },
    { ROUTE_JOB_LIST, "GET", API_PREFIX "/jobs", ABILITY_JOBS, 0 },
    /* What follows belongs to an operation that was counted at its start. */
    { ROUTE_JOB_GET, "GET", API_PREFIX "/jobs/*", ABILITY_JOBS, ROUTE_FREE },
    { ROUTE_JOB_DELETE, "DELETE", API_PREFIX "/jobs/*", ABILITY_JOBS,
      ROUTE_FREE | ROUTE_SAFE },
    { ROUTE_JOB_OUTPUT, "GET", API_PREFIX "/jobs/*/output", ABILITY_JOBS,
      ROUTE_FREE | ROUTE_WAITS },
    { ROUTE_JOB_STDIN, "POST", API_PREFIX "/jobs/*/stdin", ABILITY_JOBS,
      ROUTE_RAW | ROUTE_FREE | ROUTE_SAFE | ROUTE_WAITS },
    { ROUTE_JOB_SIGNAL, "POST", API_PREFIX "/jobs/*/signal", ABILITY_JOBS,
      ROUTE_JSON | ROUTE_FREE },
    { ROUTE_JOB_RESIZE, "POST", API_PREFIX "/jobs/*/resize", ABILITY_JOBS,
      ROUTE_JSON | ROUTE_FREE | ROUTE_SAFE },
};

/* Compares the path with a pattern that has one "*" in it; *segment is set to
 * where that begins in target. */
static bool route_fits_pattern(const char *pattern, size_t before,
                               const char *target, size_t length,
                               size_t *segment)
{
    const char *behind = pattern + before + 1;
    size_t taken;

    if (length <= before || strncmp(target, pattern, before) != 0)
        return false;
    taken = strcspn(target + before, "/?");
    *segment = before;
    return taken > 0 && length - before - taken == strlen(behind)
           && strncmp(target + before + taken, behind, strlen(behind)) == 0;
}

/* Return: does the path belong to the route?  *rest is set when it does. */
static bool route_has_path(const struct route *route, const char *target,
                           size_t length, size_t *rest)
{
    size_t own = strlen(route->path);
    size_t before = strcspn(route->path, "*");

    if (before < own)
        return route_fits_pattern(route->path, before, target, length, rest);
    *rest = own;
    if (route->flags & ROUTE_PREFIX)
        return length > own && strncmp(target, route->path, own) == 0;
    return length == own && strncmp(target, route->path, own) == 0;
}

void route_allow(char *allow, const char *method)
{
    size_t used = strlen(allow);

    snprintf(allow + used, ROUTE_ALLOW_MAX - used, "%s%s", used ? ", " : "",
             method);
}

int route_match(const char *method, const char *target,
                const struct route **route, const char **rest, char *allow)
{
    size_t length = strcspn(target, "?");
    size_t at;

    allow[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (!route_has_path(&table[i], target, length, &at))
            continue;
        if (table[i].method && strcmp(method, table[i].method) != 0) {
            route_allow(allow, table[i].method);
            continue;
        }
        *route = &table[i];
        *rest = target + at;
        return 0;
    }
    return allow[0] ? STATUS_METHOD_NOT_ALLOWED : STATUS_ENDPOINT_NOT_FOUND;
}

const struct route *route_unknown(int code, const char *method,
                                  const char *target)
{
    const struct route *route;
    const char *rest;
    char allow[ROUTE_ALLOW_MAX];

    if (code != STATUS_ENDPOINT_NOT_FOUND && code != STATUS_METHOD_NOT_ALLOWED)
        return NULL;
    if (route_match(method, target, &route, &rest, allow) != 0)
        return NULL;
    return route->method ? route : NULL;
}

const char *route_words(const struct route *route, char words[ROUTE_WORDS_MAX])
{
    snprintf(words, ROUTE_WORDS_MAX, "%s %s",
             route->method ? route->method : "*", route->path);
    return words;
}

const struct route *route_get(enum route_id id)
{
    return &table[id];
}

const struct route *route_table(size_t *n)
{
    *n = ARRAY_SIZE(table);
    return table;
}
