/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The query of a request, by a table for each route: what it may have, of
 * which kind, and where that goes.  All of it is read before a handler sees
 * the request, so that nothing is begun that a wrong word should have
 * prevented.
 */
#ifndef VSRPC_GUEST_REQUEST_QUERY_H
#define VSRPC_GUEST_REQUEST_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

struct request;

/* What a member of the query is, and the type that it is read into. */
enum query_kind {
    QUERY_TEXT,     /* char *: any, also an empty one */
    QUERY_USER,     /* char *: as whom; admission.c looks it up */
    QUERY_ID,       /* char *: 1 to max bytes */
    QUERY_TRANSFER, /* char *: the id of a transfer or copy */
    QUERY_HEX,      /* char *: max lower-case hex digits */
    QUERY_MODE,     /* char *: of a file, octal */
    QUERY_TIME,     /* char *: seconds, perhaps with a fraction */
    QUERY_NUMBER,   /* int64_t: 0 to max */
    QUERY_BOOL,     /* bool */
    QUERY_WORD,     /* int: which of the words */
    QUERY_KINDS,
};

/* One member, and where it goes. */
struct query_row {
    const char *name;
    size_t offset; /* in the form's object */
    enum query_kind kind;
    bool required;
    int64_t max;
    const char *const *words; /* end with NULL */
};

/* All that a route's query may have; other names are ignored, but for "user" of
 * a route that takes it in its JSON body. */
struct query_form {
    const struct query_row *rows;
    size_t n;
    size_t size;          /* of the object */
    const void *defaults; /* such an object: what is not there; NULL: zeros */
};

/* A row for a member of the object that has the name; what else there is of
 * the row follows. */
#define QUERY_ROW(type, member, its_kind, ...)             \
    {                                                      \
        .name = #member, .offset = offsetof(type, member), \
        .kind = (its_kind), __VA_ARGS__                    \
    }

/* The row of the routes that act with a user's rights. */
#define QUERY_ROW_USER(type) QUERY_ROW(type, user, QUERY_USER)

/* The form of an object's type; default_object may be NULL. */
#define QUERY_FORM(form_rows, type, default_object)        \
    {                                                      \
        .rows = (form_rows), .n = ARRAY_SIZE(form_rows),   \
        .size = sizeof(type), .defaults = (default_object) \
    }

/*
 * Reads the query of a request into request->query, by the form of its
 * handler.  When that has none, all there is to find is a user that would not
 * be heeded.
 *
 * Return: true; false when it has been answered.
 */
bool query_read(struct request *request);

/* Return: what the query has for the form's QUERY_USER; NULL: nothing. */
const char *query_user(const struct request *request);

/* Frees what query_read() has made. */
void query_free(struct request *request);

#endif
