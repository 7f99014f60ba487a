/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A path is compared as it is written, byte by byte, so it has only bytes that
 * nobody writes in two ways.  The first segment behind the prefix is nobody's
 * who has routes in it: what a newer agent adds there stays its own.
 */
#include <config.h>

#include "guest/core/endpoint.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"

#define ROOT API_PREFIX "/"
#define ROOT_LEN (sizeof(ROOT) - 1)

/* All together fit into ROUTE_ALLOW_MAX. */
static const char *const methods[] = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
};

const struct endpoint *endpoint_get(const struct yaml_items *list, size_t i)
{
    return (const struct endpoint *) list->items + i;
}

/* --- what may be configured ----------------------------------------------- */

static bool method_is_known(const char *method)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

/* Unreserved bytes of RFC 3986 section 2.3, and no "." or "..". */
static bool segment_is_plain(const char *segment, size_t n)
{
    return n > 0
           && strspn(segment, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz0123456789-._~")
                  >= n
           && strspn(segment, ".") < n;
}

static bool path_is_plain(const char *path)
{
    size_t n;

    if (strncmp(path, ROOT, ROOT_LEN) != 0 || strlen(path) > ENDPOINT_PATH_MAX)
        return false;
    for (path += ROOT_LEN;; path += n + 1) {
        n = strcspn(path, "/");
        if (!segment_is_plain(path, n))
            return false;
        if (!path[n])
            return true;
    }
}

/* custom/ is ours for this very purpose. */
static bool path_is_ours(const char *path)
{
    size_t length = strcspn(path + ROOT_LEN, "/");
    size_t n;
    const struct route *routes = route_table(&n);

    for (size_t i = 0; i < n; i++) {
        const char *own = routes[i].path + ROOT_LEN;

        if (routes[i].id != ROUTE_CUSTOM && strcspn(own, "/") == length
            && strncmp(own, path + ROOT_LEN, length) == 0)
            return true;
    }
    return false;
}

static bool is_again(const struct yaml_items *list, size_t i)
{
    const struct endpoint *endpoint = endpoint_get(list, i);

    for (size_t k = 0; k < i; k++) {
        const struct endpoint *other = endpoint_get(list, k);

        if (strcmp(other->method, endpoint->method) == 0
            && strcmp(other->path, endpoint->path) == 0)
            return true;
    }
    return false;
}

/* What is wrong with one, and with which key of it. */
struct complaint {
    const char *key;
    const char *value; /* NULL: there is none */
    const char *what;
};

static bool is_wrong(const struct yaml_items *list, size_t i,
                     struct complaint *complaint)
{
    const struct endpoint *endpoint = endpoint_get(list, i);
    const char *method = endpoint->method;
    const char *path = endpoint->path;
    const char *program = endpoint->command.n ? endpoint->command.items[0]
                                              : NULL;
    const char *user = endpoint->user;
    const struct {
        bool wrong;
        struct complaint complaint;
    } rows[] = {
        { !method, { "method", NULL, "is missing" } },
        { method && !method_is_known(method),
          { "method", method,
            "is none of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS" } },
        { !path, { "path", NULL, "is missing" } },
        { path && !path_is_plain(path),
          { "path", path,
            "is no path below " ROOT " of letters, digits and '-._~', of at "
            "most 256 bytes" } },
        { path && path_is_plain(path) && path_is_ours(path),
          { "path", path, "is the agent's own" } },
        { !program, { "command", NULL, "is missing" } },
        { program && *program != '/',
          { "command", program, "is not an absolute path" } },
        { user && !*user, { "user", user, "is empty" } },
    };

    for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
        *complaint = rows[k].complaint;
        if (rows[k].wrong)
            return true;
    }
    *complaint = (struct complaint) { "path", path,
                                      "is there twice for this method" };
    return is_again(list, i);
}

int endpoints_check(const struct yaml_items *list, const char *file,
                    struct error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        struct complaint complaint;

        if (!is_wrong(list, i, &complaint))
            continue;
        return error_set(err, -EINVAL, "%s:%zu: 'server.handlers.%s'%s%s%s %s",
                         file, endpoint_get(list, i)->at.line, complaint.key,
                         complaint.value ? ": '" : "",
                         complaint.value ? complaint.value : "",
                         complaint.value ? "'" : "", complaint.what);
    }
    return 0;
}

/* --- whose a request is --------------------------------------------------- */

/* Return: how much of the target is the path; 0: it is not below it. */
static size_t path_fits(const char *path, const char *target, size_t length)
{
    size_t own = strlen(path);

    return own <= length && strncmp(target, path, own) == 0
                   && (own == length || target[own] == '/')
               ? own
               : 0;
}

int endpoint_match(const struct yaml_items *list, const char *method,
                   const char *target, const struct endpoint **endpoint,
                   char *allow)
{
    size_t length = strcspn(target, "?");
    size_t longest = 0;

    allow[0] = '\0';
    for (size_t i = 0; i < list->n; i++) {
        size_t n = path_fits(endpoint_get(list, i)->path, target, length);

        longest = n > longest ? n : longest;
    }
    for (size_t i = 0; longest && i < list->n; i++) {
        const struct endpoint *one = endpoint_get(list, i);

        if (path_fits(one->path, target, length) != longest)
            continue;
        *endpoint = one;
        if (strcmp(one->method, method) == 0)
            return 0;
        route_allow(allow, one->method);
    }
    return longest ? STATUS_METHOD_NOT_ALLOWED : STATUS_ENDPOINT_NOT_FOUND;
}

const char *endpoint_words(const struct endpoint *endpoint,
                           char words[ENDPOINT_WORDS_MAX])
{
    snprintf(words, ENDPOINT_WORDS_MAX, "%s %s", endpoint->method,
             endpoint->path);
    return words;
}

void endpoints_free(struct yaml_items *list)
{
    struct endpoint *endpoints = list->items;

    for (size_t i = 0; i < list->n; i++) {
        free(endpoints[i].method);
        free(endpoints[i].path);
        free(endpoints[i].user);
        strlist_free(&endpoints[i].command);
    }
    free(endpoints);
    *list = (struct yaml_items) { 0 };
}
