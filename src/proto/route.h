/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The one route table.  The agent dispatches by it, the lint test holds the
 * protocol manual against it.
 */
#ifndef VSRPC_PROTO_ROUTE_H
#define VSRPC_PROTO_ROUTE_H

#include <stddef.h>

#include "proto/ability.h"

#define API_PREFIX "/api/v1"

enum route_id {
    ROUTE_PING,
    ROUTE_SYNC,
    ROUTE_CAPABILITIES,
    ROUTE_SYSTEM_INFO,
    ROUTE_SYSTEM_STATUS,
    ROUTE_SHELL_EXEC,
    ROUTE_FILE_UPLOAD,
    ROUTE_FILE_DOWNLOAD,
    ROUTE_FILE_INFO,
    ROUTE_CONTENT_GET,
    ROUTE_CONTENT_HEAD,
    ROUTE_CONTENT_PUT,
    ROUTE_FILE_DIGEST,
    ROUTE_TRANSFER_GET,
    ROUTE_TRANSFER_FINISH,
    ROUTE_TRANSFER_DELETE,
    ROUTE_FILE_LIST,
    ROUTE_FILE_DIRECTORY,
    ROUTE_FILE_SYMLINK,
    ROUTE_FILE_REMOVE,
    ROUTE_FILE_ATTRIBUTES,
    ROUTE_FILE_SYNC,
    ROUTE_SERVICE_CONTROL,
    ROUTE_CUSTOM,
    ROUTE_REQUEST_GET,
    ROUTE_REQUEST_DELETE,
    ROUTE_JOB_START,
    ROUTE_JOB_LIST,
    ROUTE_JOB_GET,
    ROUTE_JOB_DELETE,
    ROUTE_JOB_OUTPUT,
    ROUTE_JOB_STDIN,
    ROUTE_JOB_SIGNAL,
    ROUTE_JOB_RESIZE,
    ROUTE_COUNT,
};

enum route_flags {
    ROUTE_FREE = 1,   /* not counted by the rate limit: a probe gets through */
    ROUTE_RAW = 2,    /* the request body is bytes, not JSON; may be long */
    ROUTE_PREFIX = 4, /* the path goes on behind the table's path */
    ROUTE_JSON = 8,   /* a request body is required, and it is a JSON object */
    ROUTE_OPEN = 16,  /* answered without authentication: the way to a
                       * boot-id, which signing needs */
    ROUTE_SAFE = 32,  /* may be carried out again, as any GET: nothing is
                       * remembered of it */
    ROUTE_WAITS = 64, /* may wait for something to happen: its client may send
                       * one request behind it, which ends the wait.  Its
                       * answer is small enough to be in the output at once */
    ROUTE_COPY = 128, /* may be one of many requests of a copy, which has its
                       * id in the query's "transfer", and few are counted */
    ROUTE_SPECIFIED = 256, /* is in the specification, and so in any server */
};

struct route {
    enum route_id id;
    const char *method;      /* NULL: any */
    const char *path;        /* without query; "*" in it is one segment */
    enum ability_id ability; /* of which it is a part */
    unsigned int flags;      /* enum route_flags */
};

/*
 * Finds the route of a request.  target may carry a query.
 *
 * Return: 0 with *route set, and *rest at what follows the path of a
 * ROUTE_PREFIX route (inside target, ends at '?' or NUL), or at the segment
 * that "*" stands for (ends at '/', '?' or NUL);
 * STATUS_METHOD_NOT_ALLOWED with *allow the methods the path has, comma
 * separated (written to allow, at least ROUTE_ALLOW_MAX bytes);
 * STATUS_ENDPOINT_NOT_FOUND.
 */
int route_match(const char *method, const char *target,
                const struct route **route, const char **rest, char *allow);

#define ROUTE_ALLOW_MAX 64

/* Adds a method to what Allow lists, which is "" at first. */
void route_allow(char *allow, const char *method);

/* The row of a route.  Return: it. */
const struct route *route_get(enum route_id id);

/*
 * What a peer does not know: the route of a request that it answered with a
 * code.  A custom handler that is not there is none: the code is the same.
 *
 * Return: the route; NULL when the code says something else, or we do not
 * know such a route either.
 */
const struct route *route_unknown(int code, const char *method,
                                  const char *target);

#define ROUTE_WORDS_MAX 128

/* "GET /api/v1/ping", as `endpoints` of /capabilities has it.
 * Return: words. */
const char *route_words(const struct route *route,
                        char words[ROUTE_WORDS_MAX]);

/* The table.  Return: the rows, *n of them. */
const struct route *route_table(size_t *n);

#endif
