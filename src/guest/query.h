/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Members of a request's query.  Whatever is wrong with one is answered. */
#ifndef VSRPC_GUEST_QUERY_H
#define VSRPC_GUEST_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/request.h"

/*
 * Takes a member of the query.
 *
 * Return: 0 with *value a string that the caller frees (left alone when it is
 * optional and not there); negative errno, and then it has been answered.
 */
int query(struct request *request, const char *name, bool required,
          char **value);

/* Takes an optional member that is "true" or "false".  Return: as query(). */
int query_bool(struct request *request, const char *name, bool *value);

/* One member, and where its text goes. */
struct query_row {
    const char *name;
    bool required;
    size_t offset; /* of a char * */
};

/*
 * Takes n of them into an object, whose strings are freed by
 * query_free_rows(), also after an error.
 *
 * Return: as query().
 */
int query_take_rows(struct request *request, const struct query_row *rows,
                    size_t n, void *object);

void query_free_rows(const struct query_row *rows, size_t n, void *object);

/* Is an optional member there, and this word? */
bool query_says(const char *value, const char *word);

#endif
