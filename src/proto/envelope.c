/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * json-c behind json_scan(), not in its strict mode, which differs from
 * release to release.  Objects and arrays that lack a member for want of
 * memory are marked in their user data, so that builders need not check each
 * call.
 */
#include <config.h>

#include "proto/envelope.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/jsonscan.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/crypto.h"

/* Nothing escaped that need not be: paths stay readable. */
#define JSON_STYLE (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

void json_cleanup(struct json_object **object)
{
    json_object_put(*object);
}

static void tokener_cleanup(struct json_tokener **tokener)
{
    if (*tokener)
        json_tokener_free(*tokener);
}

/* Whatever the scanner has passed, json-c has to take: so not in its strict
 * mode, which may tighten with any of its releases. */
static int parse(const char *text, size_t n, struct json_object **object,
                 size_t *members, struct error *err)
{
    CLEANUP(tokener_cleanup) struct json_tokener *tokener = NULL;
    AUTO_JSON struct json_object *parsed = NULL;
    enum json_tokener_error verdict;
    int r;

    if (n > INT_MAX)
        return error_set(err, -EBADMSG, "JSON too large");
    r = json_scan(text, n, members, err);
    if (r < 0)
        return r;
    tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
    if (!tokener)
        return error_errno(err, -ENOMEM, "JSON");
    parsed = json_tokener_parse_ex(tokener, text, (int) n);
    verdict = json_tokener_get_error(tokener);
    if (verdict == json_tokener_continue) { /* a bare number may go on */
        parsed = json_tokener_parse_ex(tokener, "", 1);
        verdict = json_tokener_get_error(tokener);
    }
    /* It is JSON, so only memory can have been missing. */
    if (verdict != json_tokener_success)
        return error_set(err, -ENOMEM, "JSON: %s",
                         json_tokener_error_desc(verdict));
    *object = steal_ptr(&parsed);
    return 0;
}

int json_parse(const char *text, size_t n, struct json_object **object,
               struct error *err)
{
    return parse(text, n, object, NULL, err);
}

/* Objects and arrays have no other use for it. */
static void json_spoil(struct json_object *container)
{
    static char mark;

    if (container)
        json_object_set_userdata(container, &mark, NULL);
}

bool json_whole(struct json_object *value)
{
    return value
           && ((!json_object_is_type(value, json_type_object)
                && !json_object_is_type(value, json_type_array))
               || !json_object_get_userdata(value));
}

int json_add(struct json_object *object, const char *name,
             struct json_object *value)
{
    if (object && json_whole(value)
        && json_object_object_add(object, name, value) == 0)
        return 0;
    json_object_put(value);
    json_spoil(object);
    return -ENOMEM;
}

int json_append(struct json_object *array, struct json_object *value)
{
    if (array && json_whole(value) && json_object_array_add(array, value) == 0)
        return 0;
    json_object_put(value);
    json_spoil(array);
    return -ENOMEM;
}

struct json_object *json_name(const char *value, size_t n)
{
    AUTO_FREE char *clean = NULL;

    if (n > INT_MAX)
        return NULL;
    if (utf8_valid(value, n))
        return json_object_new_string_len(value, (int) n);
    clean = malloc(n);
    if (!clean)
        return NULL;
    for (size_t i = 0; i < n; i++)
        clean[i] = (unsigned char) value[i] >= 0x80 ? '?' : value[i];
    return json_object_new_string_len(clean, (int) n);
}

int json_add_string(struct json_object *object, const char *name,
                    const char *value)
{
    if (!value && object && json_object_object_add(object, name, NULL) == 0)
        return 0;
    return json_add(object, name,
                    value ? json_name(value, strlen(value)) : NULL);
}

int json_add_int(struct json_object *object, const char *name, int64_t value)
{
    return json_add(object, name, json_object_new_int64(value));
}

int json_add_bool(struct json_object *object, const char *name, bool value)
{
    return json_add(object, name, json_object_new_boolean(value));
}

/* Control characters cost five bytes more each in JSON; base64 costs a third
 * of all, and nobody can read it: a few are borne. */
#define ESCAPES_BORNE 64

/* Which control characters have a short escape, such as \n. */
static const bool has_letter[0x20] = {
    ['\b'] = true, ['\t'] = true, ['\n'] = true, ['\f'] = true, ['\r'] = true,
};

static bool json_text_is_shorter(const uint8_t *bytes, size_t n)
{
    size_t borne = (n / 3 + ESCAPES_BORNE) / 5;
    size_t escapes = 0;

    for (size_t i = 0; i < n && escapes <= borne; i++)
        escapes += bytes[i] < 0x20 && !has_letter[bytes[i]];
    return escapes <= borne;
}

bool json_bytes_are_text(const void *bytes, size_t n)
{
    return n < INT_MAX && utf8_valid(bytes, n)
           && json_text_is_shorter(bytes, n);
}

int json_add_encoding(struct json_object *object, const char *name)
{
    char marker[64];

    snprintf(marker, sizeof(marker), "%s_encoding", name);
    return json_add_string(object, marker, "base64");
}

int json_add_bytes(struct json_object *object, const char *name,
                   const void *bytes, size_t n)
{
    struct buf text;
    int r;

    if (json_bytes_are_text(bytes, n))
        return json_add(object, name,
                        json_object_new_string_len(n ? bytes : "", (int) n));
    buf_init(&text, INT_MAX);
    r = base64_encode(&text, bytes, n);
    if (r == 0)
        r = json_add(object, name,
                     json_object_new_string_len((char *) buf_data(&text),
                                                (int) text.len));
    buf_free(&text);
    return r < 0 ? -ENOMEM : json_add_encoding(object, name);
}

struct json_object *envelope_build(int code, const char *message,
                                   struct json_object *data, int64_t now)
{
    AUTO_JSON struct json_object *root = json_object_new_object();

    if (!root || (data && !json_whole(data))
        || json_add_string(root, "version", ENVELOPE_VERSION) < 0
        || json_add_int(root, "code", code) < 0
        || json_add_string(root, "message", message) < 0
        || json_add(root, "data",
                    data ? json_object_get(data) : json_object_new_object())
               < 0
        || json_add_int(root, "timestamp", now) < 0)
        return NULL;
    return steal_ptr(&root);
}

const char *json_text(struct json_object *object, size_t *n)
{
    return json_object_to_json_string_length(object, JSON_STYLE, n);
}

int envelope_write(struct buf *out, int code, const char *message,
                   struct json_object *data, int64_t now)
{
    AUTO_JSON struct json_object *root = envelope_build(code, message, data,
                                                        now);
    const char *text;
    size_t length;

    text = root ? json_text(root, &length) : NULL;
    return text ? buf_append(out, text, length) : -ENOMEM;
}

/* The member if it has the type; NULL when it is absent or another one. */
static struct json_object *member(struct json_object *object, const char *name,
                                  enum json_type type)
{
    struct json_object *value;

    if (!json_object_object_get_ex(object, name, &value)
        || !json_object_is_type(value, type))
        return NULL;
    return value;
}

int envelope_parse(const char *text, size_t n, struct envelope *envelope,
                   struct error *err)
{
    AUTO_JSON struct json_object *root = NULL;
    struct json_object *code;
    struct json_object *message;
    int r;

    *envelope = (struct envelope) { 0 };
    r = json_parse(text, n, &root, err);
    if (r < 0)
        return r == -ENOMEM ? r : -EBADMSG;
    code = member(root, "code", json_type_int);
    message = member(root, "message", json_type_string);
    if (!code || !message || json_object_get_int64(code) < 0
        || json_object_get_int64(code) > INT_MAX)
        return error_set(err, -EBADMSG,
                         "answer is not an envelope of this protocol");
    envelope->code = json_object_get_int(code);
    envelope->message = json_object_get_string(message);
    envelope->data = member(root, "data", json_type_object);
    envelope->root = steal_ptr(&root);
    return 0;
}

void envelope_free(struct envelope *envelope)
{
    json_object_put(envelope->root);
    *envelope = (struct envelope) { 0 };
}

const char *envelope_detail(const struct envelope *envelope)
{
    struct json_object *detail = NULL;

    if (envelope->data)
        detail = member(envelope->data, "detail", json_type_string);
    return detail ? json_object_get_string(detail) : envelope->message;
}

/* Members of the wrapped form that are parameters where "params" has none of
 * the name, or null. */
static const char *const outer_params[] = { "action", "timeout" };

static int take_outer(struct json_object *root, struct json_object *inner)
{
    for (size_t i = 0; i < ARRAY_SIZE(outer_params); i++) {
        const char *name = outer_params[i];
        struct json_object *value;

        if (json_object_object_get_ex(root, name, &value)
            && !json_object_object_get(inner, name)
            && json_object_object_add(inner, name, json_object_get(value)) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* "1", "1.0", "1.7": a minor version adds what others may ignore. */
static bool version_is_ours(const char *text)
{
    size_t digits;

    if (strcmp(text, "1") == 0)
        return true;
    digits = strncmp(text, "1.", 2) == 0 ? strspn(text + 2, "0123456789") : 0;
    return digits > 0 && !text[2 + digits];
}

static int version_check(struct json_object *root, struct error *err)
{
    const char *version = NULL;
    int r = param_string(root, "version", PARAM_OPTIONAL, &version, err);

    if (r || !version || version_is_ours(version))
        return r;
    return param_wrong("version", "1.x, which this agent speaks", version,
                       err);
}

/* {"version", "action", "params": {…}, "timeout"}, or the parameters alone. */
static int request_unwrap(struct json_object *root,
                          struct json_object **params, struct error *err)
{
    struct json_object *inner;
    int r;

    if (!json_object_object_get_ex(root, "params", &inner)) {
        *params = json_object_get(root);
        return 0;
    }
    if (!json_object_is_type(inner, json_type_object))
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'params' is not an object");
    r = version_check(root, err);
    if (r == 0)
        r = take_outer(root, inner);
    if (r == 0)
        *params = json_object_get(inner);
    return r;
}

/* The members of a value and of all that is in it.  The recursion is as deep
 * as the scanner lets a text be nested. */
static size_t members_of(struct json_object *value)
{
    size_t n = 0;

    if (json_object_is_type(value, json_type_array))
        for (size_t i = 0; i < json_object_array_length(value); i++)
            n += members_of(json_object_array_get_idx(value, i));
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, item)
        {
            (void) name;
            n += 1 + members_of(item);
        }
    }
    return n;
}

int request_parse(const char *text, size_t n, struct json_object **params,
                  struct error *err)
{
    AUTO_JSON struct json_object *root = NULL;
    size_t members;
    int r = parse(text, n, &root, &members, err);

    if (r == -EBADMSG)
        return STATUS_JSON_PARSE_ERROR;
    if (r == -E2BIG)
        return STATUS_PAYLOAD_TOO_LARGE;
    if (r < 0)
        return r;
    if (!json_object_is_type(root, json_type_object))
        return error_set(err, STATUS_INVALID_PARAMS,
                         "the body is not a JSON object");
    /* json-c takes the last; nobody has to know which of the two counts. */
    if (members_of(root) != members)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "the body has an object with a name twice");
    return request_unwrap(root, params, err);
}
