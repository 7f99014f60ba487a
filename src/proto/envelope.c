/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/envelope.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
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

/*
 * What json-c lets pass in its strict mode (0.15 to 0.18 differ): control
 * characters in strings, single quotes, NaN and Infinity.  Outside a string
 * JSON has these bytes and no others.
 *
 * Return: the first byte that is not JSON, or NULL.
 */
static const char *json_stray(const char *text, size_t n)
{
    static const char plain[] = " \t\r\n{}[]:,0123456789+-.eEtrufalsn";
    bool string = false;

    for (const char *p = text; p < text + n; p++) {
        if (*p == '"')
            string = !string;
        else if (string && *p == '\\' && p + 1 < text + n)
            p++;
        else if (string ? (unsigned char) *p < 0x20
                        : !*p || !strchr(plain, *p))
            return p;
    }
    return NULL;
}

int json_parse(const char *text, size_t n, struct json_object **object,
               struct error *err)
{
    CLEANUP(tokener_cleanup)
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
    AUTO_JSON struct json_object *parsed = NULL;
    enum json_tokener_error verdict;
    const char *stray;

    if (!tokener)
        return error_errno(err, -ENOMEM, "JSON");
    if (n == 0 || n > INT_MAX - 1)
        return error_set(err, -EBADMSG, n ? "JSON too large" : "empty body");
    /* JSON_TOKENER_VALIDATE_UTF8 takes overlong forms and surrogates. */
    if (!utf8_valid(text, n))
        return error_set(err, -EBADMSG, "not valid UTF-8");
    stray = json_stray(text, n);
    if (stray)
        return error_set(err, -EBADMSG, "not valid JSON at byte %zu",
                         (size_t) (stray - text));
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    parsed = json_tokener_parse_ex(tokener, text, (int) n);
    verdict = json_tokener_get_error(tokener);
    /* A bare number may go on; nothing of ours is one. */
    if (verdict == json_tokener_continue)
        return error_set(err, -EBADMSG, "not valid JSON: ends too early");
    if (verdict != json_tokener_success)
        return error_set(err, -EBADMSG, "not valid JSON at byte %zu: %s",
                         json_tokener_get_parse_end(tokener),
                         json_tokener_error_desc(verdict));
    /* Refused above and by strict mode already; a json-c that stops early
     * must not go unnoticed. */
    if (json_tokener_get_parse_end(tokener) != n)
        return error_set(err, -EBADMSG, "not valid JSON: more behind the end");
    *object = steal_ptr(&parsed);
    return 0;
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
    if (array && json_whole(value)
        && json_object_array_add(array, value) == 0)
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
    return json_add(object, name, value ? json_name(value, strlen(value)) : NULL);
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
    AUTO_JSON struct json_object *root =
        envelope_build(code, message, data, now);
    const char *text;
    size_t length;

    text = root ? json_text(root, &length) : NULL;
    return text ? buf_append(out, text, length) : -ENOMEM;
}

/* The member if it has the type; NULL when it is absent or another one. */
static struct json_object *member(struct json_object *object,
                                  const char *name, enum json_type type)
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
        return r;
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

/* {"params": {…}, "timeout": N}: the outer timeout counts unless the inner
 * parameters have one. */
static int request_unwrap(struct json_object *root,
                          struct json_object **params, struct error *err)
{
    struct json_object *inner;
    struct json_object *timeout;

    if (!json_object_object_get_ex(root, "params", &inner)) {
        *params = json_object_get(root);
        return 0;
    }
    if (!json_object_is_type(inner, json_type_object))
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'params' is not an object");
    if (json_object_object_get_ex(root, "timeout", &timeout)
        && !json_object_object_get_ex(inner, "timeout", NULL)
        && json_object_object_add(inner, "timeout", json_object_get(timeout))
               < 0)
        return -ENOMEM;
    *params = json_object_get(inner);
    return 0;
}

int request_parse(const char *text, size_t n, struct json_object **params,
                  struct error *err)
{
    AUTO_JSON struct json_object *root = NULL;
    int r = json_parse(text, n, &root, err);

    if (r == -EBADMSG)
        return STATUS_JSON_PARSE_ERROR;
    if (r < 0)
        return r;
    if (!json_object_is_type(root, json_type_object))
        return error_set(err, STATUS_INVALID_PARAMS,
                         "the body is not a JSON object");
    return request_unwrap(root, params, err);
}

/*
 * Looks a member up.
 *
 * Return: 0 with *value the member, or NULL when it is optional and not
 * there; STATUS_MISSING_REQUIRED.
 */
static int param_find(struct json_object *params, const char *name,
                      enum param_need need, struct json_object **value,
                      struct error *err)
{
    *value = NULL;
    if (params)
        json_object_object_get_ex(params, name, value);
    if (!*value && need == PARAM_REQUIRED)
        return error_set(err, STATUS_MISSING_REQUIRED, "'%s' is missing",
                         name);
    return 0;
}

static int param_wrong(const char *name, const char *what, struct error *err)
{
    return error_set(err, STATUS_INVALID_PARAMS, "'%s' is not %s", name, what);
}

int param_bytes(struct json_object *params, const char *name,
                enum param_need need, const char **value, size_t *n,
                struct error *err)
{
    struct json_object *found;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    if (!json_object_is_type(found, json_type_string))
        return param_wrong(name, "a string", err);
    *value = json_object_get_string(found);
    *n = (size_t) json_object_get_string_len(found);
    return 0;
}

int param_string(struct json_object *params, const char *name,
                 enum param_need need, const char **value, struct error *err)
{
    const char *text = NULL;
    size_t n = 0;
    int r = param_bytes(params, name, need, &text, &n, err);

    if (r || !text)
        return r;
    if (strlen(text) != n)
        return param_wrong(name, "free of NUL characters", err);
    *value = text;
    return 0;
}

int param_int(struct json_object *params, const char *name,
              enum param_need need, int64_t min, int64_t max, int64_t *value,
              struct error *err)
{
    struct json_object *found;
    int64_t number;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    if (!json_object_is_type(found, json_type_int))
        return param_wrong(name, "a whole number", err);
    number = json_object_get_int64(found);
    if (number < min || number > max)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'%s' is not in the range %lld to %lld", name,
                         (long long) min, (long long) max);
    *value = number;
    return 0;
}

int param_seconds(struct json_object *params, const char *name,
                  enum param_need need, int64_t min_ms, int64_t max_ms,
                  int64_t *value_ms, struct error *err)
{
    struct json_object *found;
    double ms;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    if (!json_object_is_type(found, json_type_int)
        && !json_object_is_type(found, json_type_double))
        return param_wrong(name, "a number of seconds", err);
    ms = json_object_get_double(found) * 1000;
    if (!isfinite(ms) || ms < (double) min_ms || ms > (double) max_ms)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'%s' is not in the range %.3g to %.10g seconds",
                         name, (double) min_ms / 1000,
                         (double) max_ms / 1000);
    *value_ms = (int64_t) (ms + 0.5); /* 1.001 * 1000 is 1000.999… */
    return 0;
}

int param_bool(struct json_object *params, const char *name,
               enum param_need need, bool *value, struct error *err)
{
    struct json_object *found;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    if (!json_object_is_type(found, json_type_boolean))
        return param_wrong(name, "true or false", err);
    *value = json_object_get_boolean(found);
    return 0;
}

/* A string member of a container, without NUL. */
static const char *plain_string(struct json_object *value)
{
    const char *text;

    if (!json_object_is_type(value, json_type_string))
        return NULL;
    text = json_object_get_string(value);
    return strlen(text) == (size_t) json_object_get_string_len(value) ? text
                                                                      : NULL;
}

int param_strings(struct json_object *params, const char *name,
                  enum param_need need, struct strlist *list,
                  struct error *err)
{
    struct json_object *found;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    if (!json_object_is_type(found, json_type_array))
        return param_wrong(name, "an array of strings", err);
    for (size_t i = 0; i < json_object_array_length(found); i++) {
        const char *text = plain_string(json_object_array_get_idx(found, i));

        if (!text)
            return param_wrong(name, "an array of strings", err);
        if (strlist_add(list, text) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int env_add(struct strlist *list, const char *name, const char *value)
{
    AUTO_FREE char *entry = NULL;

    if (asprintf(&entry, "%s=%s", name, value) < 0) {
        entry = NULL;
        return -ENOMEM;
    }
    return strlist_add(list, entry);
}

int param_env(struct json_object *params, const char *name,
              enum param_need need, struct strlist *list, struct error *err)
{
    struct json_object *found;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    if (!json_object_is_type(found, json_type_object))
        return param_wrong(name, "an object of strings", err);
    json_object_object_foreach(found, key, item)
    {
        const char *text = plain_string(item);

        if (!text || !*key || strchr(key, '='))
            return param_wrong(name, "an object of strings", err);
        if (env_add(list, key, text) < 0)
            return -ENOMEM;
    }
    return 0;
}
