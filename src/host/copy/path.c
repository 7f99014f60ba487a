/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Trailing slashes do not count, and "." and ".." name no file: a copy would
 * have no name of its own. */
#include <config.h>

#include "host/copy/path.h"

#include <stdio.h>
#include <string.h>

char *path_basename(const char *path)
{
    size_t end = strlen(path);
    size_t start;

    while (end > 0 && path[end - 1] == '/')
        end--;
    start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (start == end || (end - start == 1 && path[start] == '.')
        || (end - start == 2 && strncmp(path + start, "..", 2) == 0))
        return NULL;
    return strndup(path + start, end - start);
}

char *path_join(const char *folder, const char *name)
{
    size_t n = strlen(folder);
    char *path = NULL;

    if (asprintf(&path, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/",
                 name)
        < 0)
        return NULL;
    return path;
}
