/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/route.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/status.h"
#include "util/cleanup.h"

static const struct route table[] = {
    { ROUTE_PING, "GET", API_PREFIX "/ping", ROUTE_FREE },
    { ROUTE_SYNC, "GET", API_PREFIX "/sync", ROUTE_FREE | ROUTE_OPEN },
    { ROUTE_CAPABILITIES, "GET", API_PREFIX "/capabilities", ROUTE_FREE },
    { ROUTE_SYSTEM_INFO, "GET", API_PREFIX "/system/info", 0 },
    { ROUTE_SYSTEM_STATUS, "GET", API_PREFIX "/system/status", 0 },
    { ROUTE_SHELL_EXEC, "POST", API_PREFIX "/shell/exec", ROUTE_JSON },
    { ROUTE_FILE_UPLOAD, "POST", API_PREFIX "/file/upload", ROUTE_JSON },
    { ROUTE_FILE_DOWNLOAD, "POST", API_PREFIX "/file/download",
      ROUTE_JSON | ROUTE_SAFE },
    { ROUTE_FILE_INFO, "GET", API_PREFIX "/file/info", 0 },
    { ROUTE_CONTENT_GET, "GET", API_PREFIX "/file/content", 0 },
    { ROUTE_CONTENT_PUT, "PUT", API_PREFIX "/file/content", ROUTE_RAW },
    { ROUTE_SERVICE_CONTROL, "POST", API_PREFIX "/service/control",
      ROUTE_JSON },
    { ROUTE_CUSTOM, NULL, API_PREFIX "/custom/", ROUTE_PREFIX },
    { ROUTE_REQUEST_GET, "GET", API_PREFIX "/requests/",
      ROUTE_PREFIX | ROUTE_FREE },
    { ROUTE_REQUEST_DELETE, "DELETE", API_PREFIX "/requests/",
      ROUTE_PREFIX | ROUTE_FREE | ROUTE_SAFE },
};

static bool route_has_path(const struct route *route, const char *target,
                           size_t length)
{
    size_t own = strlen(route->path);

    if (route->flags & ROUTE_PREFIX)
        return length > own && strncmp(target, route->path, own) == 0;
    return length == own && strncmp(target, route->path, own) == 0;
}

static void allow_add(char *allow, const char *method)
{
    size_t used = strlen(allow);

    snprintf(allow + used, ROUTE_ALLOW_MAX - used, "%s%s", used ? ", " : "",
             method);
}

int route_match(const char *method, const char *target,
                const struct route **route, const char **rest, char *allow)
{
    size_t length = strcspn(target, "?");

    allow[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (!route_has_path(&table[i], target, length))
            continue;
        if (table[i].method && strcmp(method, table[i].method) != 0) {
            allow_add(allow, table[i].method);
            continue;
        }
        *route = &table[i];
        *rest = target + strlen(table[i].path);
        return 0;
    }
    return allow[0] ? STATUS_METHOD_NOT_ALLOWED : STATUS_ENDPOINT_NOT_FOUND;
}

const struct route *route_table(size_t *n)
{
    *n = ARRAY_SIZE(table);
    return table;
}
