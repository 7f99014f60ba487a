/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A function for each kind.  A missing or wrong member is answered here, so
 * that handlers need no words for that.
 */
#include <config.h>

#include "guest/request/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/file/transfer.h"
#include "guest/request/request.h"
#include "proto/param.h"
#include "util/cleanup.h"
#include "util/num.h"

/* Each returns 0 or STATUS_INVALID_PARAMS. */
typedef int query_reader(const struct query_row *row, const char *text,
                         void *slot, struct error *err);

static int read_text(const struct query_row *row, const char *text, void *slot,
                     struct error *err)
{
    (void) row, (void) text, (void) slot, (void) err;
    return 0;
}

static int read_id(const struct query_row *row, const char *text, void *slot,
                   struct error *err)
{
    char what[48];

    (void) slot;
    if (*text && strlen(text) <= (size_t) row->max)
        return 0;
    snprintf(what, sizeof(what), "1 to %lld bytes long", (long long) row->max);
    return param_wrong(row->name, what, text, err);
}

static int read_transfer(const struct query_row *row, const char *text,
                         void *slot, struct error *err)
{
    (void) slot;
    return transfer_id_valid(text)
               ? 0
               : param_wrong(row->name, TRANSFER_ID_WORDS, text, err);
}

static int read_hex(const struct query_row *row, const char *text, void *slot,
                    struct error *err)
{
    (void) slot;
    return text_hex(row->name, text, (size_t) row->max, err);
}

static int read_mode(const struct query_row *row, const char *text, void *slot,
                     struct error *err)
{
    unsigned int mode;

    (void) slot;
    return num_parse_mode(text, &mode) == 0
               ? 0
               : param_wrong(row->name, "an octal file mode", text, err);
}

static int read_time(const struct query_row *row, const char *text, void *slot,
                     struct error *err)
{
    struct timespec time;

    (void) slot;
    return num_parse_time(text, &time) == 0
               ? 0
               : param_wrong(row->name, "SECONDS or SECONDS.FRACTION", text,
                             err);
}

static int read_number(const struct query_row *row, const char *text,
                       void *slot, struct error *err)
{
    return text_int(row->name, text, 0, row->max, slot, err);
}

static int read_bool(const struct query_row *row, const char *text, void *slot,
                     struct error *err)
{
    return text_bool(row->name, text, slot, err);
}

static int read_word(const struct query_row *row, const char *text, void *slot,
                     struct error *err)
{
    return text_word(row->name, text, row->words, slot, err);
}

static const struct {
    query_reader *read;
    bool text; /* the text itself goes into the object */
} kinds[QUERY_KINDS] = {
    [QUERY_TEXT] = { read_text, true },
    [QUERY_USER] = { read_text, true },
    [QUERY_ID] = { read_id, true },
    [QUERY_TRANSFER] = { read_transfer, true },
    [QUERY_HEX] = { read_hex, true },
    [QUERY_MODE] = { read_mode, true },
    [QUERY_TIME] = { read_time, true },
    [QUERY_NUMBER] = { read_number, false },
    [QUERY_BOOL] = { read_bool, false },
    [QUERY_WORD] = { read_word, false },
};

static void *slot_of(const struct query_row *row, void *object)
{
    return (char *) object + row->offset;
}

static int take(const struct request *request, const struct query_row *row,
                struct error *err)
{
    void *slot = slot_of(row, request->query);
    AUTO_FREE char *text = NULL;
    int r = uri_query(request->head->target, row->name, &text);

    if (r == -ENOENT && !row->required)
        return 0;
    if (r == -ENOENT)
        return error_set(err, STATUS_MISSING_REQUIRED,
                         "'%s' is missing in the query", row->name);
    if (r == -EINVAL)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'%s' is malformed in the query: it is there twice, "
                         "without a value, or with a wrong escape",
                         row->name);
    if (r == 0)
        r = kinds[row->kind].read(row, text, slot, err);
    if (r == 0 && kinds[row->kind].text)
        *(char **) slot = steal_ptr(&text);
    return r;
}

/* A route with a JSON body takes it there.  Passed over it would be done with
 * the agent's own rights, which whoever named a user did not mean. */
static int no_user(const struct request *request, struct error *err)
{
    AUTO_FREE char *text = NULL;
    int r = request->route->flags & ROUTE_JSON
                ? uri_query(request->head->target, "user", &text)
                : -ENOENT;

    if (r == -ENOENT || r == -ENOMEM)
        return r == -ENOENT ? 0 : r;
    return error_set(err, STATUS_INVALID_PARAMS,
                     "'user' is in the query, where this route does not take "
                     "it: parameters are in its body");
}

bool query_read(struct request *request)
{
    const struct query_form *form = request->handler->query;
    struct error err = ERROR_INIT;
    int r = no_user(request, &err);

    if (r == 0 && form) {
        request->query = calloc(1, form->size);
        r = request->query ? 0 : -ENOMEM;
    }
    if (r == 0 && form && form->defaults)
        memcpy(request->query, form->defaults, form->size);
    for (size_t i = 0; r == 0 && form && i < form->n; i++)
        r = take(request, &form->rows[i], &err);
    if (r)
        request_error(request, r, &err);
    return r == 0;
}

const char *query_user(const struct request *request)
{
    const struct query_form *form = request->handler->query;

    for (size_t i = 0; form && request->query && i < form->n; i++)
        if (form->rows[i].kind == QUERY_USER)
            return *(char **) slot_of(&form->rows[i], request->query);
    return NULL;
}

void query_free(struct request *request)
{
    const struct query_form *form = request->query ? request->handler->query
                                                   : NULL;

    for (size_t i = 0; form && i < form->n; i++)
        if (kinds[form->rows[i].kind].text)
            free(*(char **) slot_of(&form->rows[i], request->query));
    free(request->query);
    request->query = NULL;
}
