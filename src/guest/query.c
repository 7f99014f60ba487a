/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

int query(struct request *request, const char *name, bool required,
          char **value)
{
    int r = uri_query(request->head->target, name, value);

    if (r == 0 || (r == -ENOENT && !required))
        return 0;
    request_fail(request,
                 r == -ENOENT ? STATUS_MISSING_REQUIRED
                              : STATUS_INVALID_PARAMS,
                 NULL, "'%s' is %s in the query", name,
                 r == -ENOENT ? "missing" : "malformed");
    return r;
}

int query_bool(struct request *request, const char *name, bool *value)
{
    AUTO_FREE char *text = NULL;
    int r = query(request, name, false, &text);

    if (r < 0 || !text)
        return r;
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        request_fail(request, STATUS_INVALID_PARAMS, NULL,
                     "'%s' is neither true nor false", name);
        return -EINVAL;
    }
    *value = strcmp(text, "true") == 0;
    return 0;
}

static char **slot(const struct query_row *row, void *object)
{
    return (char **) (void *) ((char *) object + row->offset);
}

int query_take_rows(struct request *request, const struct query_row *rows,
                    size_t n, void *object)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++)
        r = query(request, rows[i].name, rows[i].required,
                  slot(&rows[i], object));
    return r;
}

void query_free_rows(const struct query_row *rows, size_t n, void *object)
{
    for (size_t i = 0; i < n; i++) {
        free(*slot(&rows[i], object));
        *slot(&rows[i], object) = NULL;
    }
}

bool query_says(const char *value, const char *word)
{
    return value && strcmp(value, word) == 0;
}
