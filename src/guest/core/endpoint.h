/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Endpoints that the administrator adds: server.handlers of the configuration,
 * the register_handler() of the specification.  Which program answers which
 * method of which path; that it can be run is not looked at here.
 *
 * A path has all that is below it.  The longest one decides, and after that the
 * method, so that a path is one resource.
 */
#ifndef VSRPC_GUEST_CORE_ENDPOINT_H
#define VSRPC_GUEST_CORE_ENDPOINT_H

#include <stdint.h>

#include "util/error.h"
#include "util/text.h"
#include "util/yaml.h"

#define ENDPOINTS_MAX 64       /* each request looks at all of them */
#define ENDPOINT_PATH_MAX 256  /* with the prefix; it is in answers and logs */
#define ENDPOINT_WORDS_MAX 300 /* a method and such a path */

struct endpoint {
    struct yaml_item at;
    char *method;
    char *path;
    struct strlist command; /* an absolute path, and its arguments */
    int64_t timeout;        /* ms; 0: server.request_timeout */
    char *user;             /* a name or a number; NULL: the agent's */
};

/* The endpoint of a list, which has one at i. */
const struct endpoint *endpoint_get(const struct yaml_items *list, size_t i);

/*
 * Judges what the configuration says of them.
 *
 * Return: 0; -EINVAL with a message that has file, line and key.
 */
int endpoints_check(const struct yaml_items *list, const char *file,
                    struct error *err);

/*
 * Finds the endpoint of a request; target may carry a query.
 *
 * Return: 0 with *endpoint; STATUS_METHOD_NOT_ALLOWED with *endpoint one of
 * that path, and allow (ROUTE_ALLOW_MAX bytes) the methods that it has;
 * STATUS_ENDPOINT_NOT_FOUND.
 */
int endpoint_match(const struct yaml_items *list, const char *method,
                   const char *target, const struct endpoint **endpoint,
                   char *allow);

/* "GET /api/v1/backup", as `endpoints` of /capabilities has it.
 * Return: words. */
const char *endpoint_words(const struct endpoint *endpoint,
                           char words[ENDPOINT_WORDS_MAX]);

void endpoints_free(struct yaml_items *list);

#endif
