/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The JSON of the protocol: the envelope of a response, the two forms of a
 * request, and strict access to their members.  Strict means RFC 8259 with
 * valid UTF-8, nothing behind the value, and members of exactly the type that
 * was asked for.
 */
#ifndef VSRPC_PROTO_ENVELOPE_H
#define VSRPC_PROTO_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "util/buf.h"
#include "util/error.h"
#include "util/text.h"

#define ENVELOPE_VERSION "1.0"

/* A JSON object freed at the end of its scope. */
void json_cleanup(struct json_object **object);
#define AUTO_JSON __attribute__((cleanup(json_cleanup)))

/*
 * Parses one whole JSON text that json_scan() passes.
 *
 * Return: 0 with *object to be freed with json_object_put(), which is NULL for
 * "null"; -EBADMSG or -E2BIG as json_scan(); -ENOMEM.
 */
int json_parse(const char *text, size_t n, struct json_object **object,
               struct error *err);

/*
 * Makes a response envelope.  data is shared with it, and NULL means {}.
 *
 * Return: the envelope, to be freed with json_object_put(); NULL without
 * memory, for it or for what is missing in data.
 */
struct json_object *envelope_build(int code, const char *message,
                                   struct json_object *data, int64_t now);

/*
 * The text of a JSON object as it goes over the wire.  Control characters
 * come out as escapes, so the text is one line and safe to show on a
 * terminal.
 *
 * Return: the text, of *n bytes, owned by the object; NULL without memory.
 */
const char *json_text(struct json_object *object, size_t *n);

/*
 * Appends a response envelope; data is not taken over and NULL means {}.
 *
 * Return: as buf_append().
 */
int envelope_write(struct buf *out, int code, const char *message,
                   struct json_object *data, int64_t now);

/* A response taken apart. */
struct envelope {
    struct json_object *root; /* owned; the rest points into it */
    int code;
    const char *message;
    struct json_object *data; /* an object, or NULL */
};

/*
 * Reads a response envelope.  The peer is not trusted: a missing or mistyped
 * member is an error.
 *
 * Return: 0, -EBADMSG, -ENOMEM.
 */
int envelope_parse(const char *text, size_t n, struct envelope *envelope,
                   struct error *err);

void envelope_free(struct envelope *envelope);

/* data.detail of an error envelope, else its message.  Never NULL. */
const char *envelope_detail(const struct envelope *envelope);

/*
 * Reads a request body in either form: flat ({"command": …}) or wrapped
 * ({"version", "action", "params": {…}, "timeout"}).  In the wrapped form a
 * version has to be 1.x, and the outer action and timeout are moved into the
 * parameters unless they have their own.
 *
 * A name that is twice in an object is an error.
 *
 * Return: 0 with *params to be freed with json_object_put();
 * STATUS_JSON_PARSE_ERROR, STATUS_PAYLOAD_TOO_LARGE or STATUS_INVALID_PARAMS
 * with a message; -ENOMEM.
 */
int request_parse(const char *text, size_t n, struct json_object **params,
                  struct error *err);

/*
 * Adds a member that holds arbitrary bytes: as a string when they are UTF-8
 * text, else as base64 with "NAME_encoding": "base64" beside it, so that
 * nothing is lost and JSON stays JSON.
 *
 * Return: 0 or -ENOMEM.
 */
int json_add_bytes(struct json_object *object, const char *name,
                   const void *bytes, size_t n);

/* Whether json_add_bytes() takes them for text. */
bool json_bytes_are_text(const void *bytes, size_t n);

/* The member beside one of base64.  Return: as json_add_bytes(). */
int json_add_encoding(struct json_object *object, const char *name);

/*
 * Adds a member; takes the value over, also when it fails.  An object or array
 * that lacks something for want of memory is marked, and so is whatever it is
 * added to: who builds an answer need not look at each member, because
 * envelope_build() refuses data with the mark.
 *
 * Return: 0 or -ENOMEM (also for an object or value that is NULL, and for a
 * marked value).
 */
int json_add(struct json_object *object, const char *name,
             struct json_object *value);

/* As json_add(), at the end of an array. */
int json_append(struct json_object *array, struct json_object *value);

/* Tells whether a value is there and lacks nothing. */
bool json_whole(struct json_object *value);

/* A string of a name or path of n bytes, which may be any.  Return: it, or
 * NULL without memory. */
struct json_object *json_name(const char *value, size_t n);

/* Adds a string, or null for NULL; an integer; a boolean.  Bytes that are not
 * UTF-8 (a file name, say) are replaced by '?'.  Return: 0 or -ENOMEM. */
int json_add_string(struct json_object *object, const char *name,
                    const char *value);
int json_add_int(struct json_object *object, const char *name, int64_t value);
int json_add_bool(struct json_object *object, const char *name, bool value);

#endif
