/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The members of a request's query. */
#ifndef VSRPC_GUEST_QUERY_H
#define VSRPC_GUEST_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/request.h"

/* One member, and where its text goes. */
struct query_row {
    const char *name;
    bool required;
    size_t offset; /* of a char * */
};

/*
 * Takes members out of the query: a new string into *value; NULL for one that
 * is not there and not required.
 *
 * Return: 0; otherwise the request has been answered.
 */
int query_take(struct request *request, const char *name, bool required,
               char **value);

/*
 * Takes n of them into an object, whose strings are freed by
 * query_free_rows(), also after an error.
 *
 * Return: as query_take().
 */
int query_take_rows(struct request *request, const struct query_row *rows,
                    size_t n, void *object);

void query_free_rows(const struct query_row *rows, size_t n, void *object);

/* Is an optional member there, and "true" (or whatever word says)? */
bool query_says(const char *value, const char *word);

#endif
