/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Heads of HTTP/1.1 messages, strictly (RFC 9112, RFC 9110): CRLF only, no
 * folding, no blank before the colon, exactly one of Content-Length and
 * Transfer-Encoding.  There is no lenient mode: two readers that understand a
 * message differently are how requests are smuggled.
 */
#ifndef VSRPC_PROTO_HTTP_H
#define VSRPC_PROTO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"
#include "util/buf.h"

enum http_role {
    HTTP_REQUEST,
    HTTP_RESPONSE,
};

struct http_field {
    const char *name;
    const char *value;
};

/* A parsed head.  All strings point into the bytes that were parsed. */
struct http_head {
    char *method; /* of a request */
    char *target; /* of a request: origin form, "/path?query" */
    int status;   /* of a response */
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t n_fields;
    int64_t content_length; /* -1: none given */
    bool chunked;
    bool expect_continue;
};

/* What is wrong with a message. */
struct http_fault {
    int http; /* the HTTP status to answer with: 400, 414, 417, … */
    const char *detail; /* static words */
};

/*
 * Parses a whole head in place: bytes[0..n) ends with the empty line; line
 * ends and separators are overwritten with NUL.
 *
 * Return: 0, or -EBADMSG with *fault filled in.
 */
int http_head_parse(enum http_role role, char *bytes, size_t n,
                    struct http_head *head, struct http_fault *fault);

/* Does a line start as a field does, with a name and a colon? */
bool http_field_named(const char *line);

/* The value of a field, name in any case; NULL when it is not there. */
const char *http_field_get(const struct http_head *head, const char *name);

/*
 * Copies a head, so that it outlives the bytes it was parsed from.
 *
 * Return: the copy with its strings in one block, to be freed with free();
 * NULL without memory.
 */
struct http_head *http_head_copy(const struct http_head *head);

/* The reason phrase of a status (RFC 9110 section 15). */
const char *http_reason(int status);

/*
 * Appends a request line and the Host field; fields follow with
 * http_write_field(), then http_write_end().
 *
 * Return: as buf_append().
 */
int http_write_request(struct buf *out, const char *method,
                       const char *target);

/* Appends a status line.  Return: as buf_append(). */
int http_write_status(struct buf *out, int status);

/* Appends "Name: value".  CR, LF and other control bytes in a value become
 * '?', so that no value can end a field.  Return: as buf_append(). */
int http_write_field(struct buf *out, const char *name, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));

/* Appends the empty line.  Return: as buf_append(). */
int http_write_end(struct buf *out);

#endif
