/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * In json-c's object a large string is an empty one, whose serializer notes
 * only its place in the text.  Its bytes are escaped or encoded there while
 * they are sent; the length is counted before, in one pass.
 */
#include <config.h>

#include "proto/flow.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/printbuf.h>

#include "proto/jsonraw.h"
#include "proto/limits.h"
#include "util/cleanup.h"
#include "util/crypto.h"

/* Smaller ones are made at once: an answer that is remembered is whole. */
#define FLOW_MIN ((size_t) REPLAY_ANSWER_MAX)

/* A large string: the user data of an empty one in the JSON object. */
struct flow_string {
    struct buf bytes;
    bool base64;
    size_t length; /* of what is written, without the quotes */
    size_t at;     /* where in the text it belongs */
};

/* --- what bytes become ---------------------------------------------------- */

/* One pass, with little to do for each byte: there are many of them. */
static size_t escaped_length(const uint8_t *bytes, size_t n)
{
    size_t count[256] = { 0 };
    size_t length = n;

    for (size_t i = 0; i < n; i++)
        count[bytes[i]]++;
    for (unsigned int k = 0; k < ARRAY_SIZE(count); k++) {
        char escape = jsonraw_escape((uint8_t) k);

        if (escape)
            length += count[k] * (escape == 'u' ? JSONRAW_ESCAPE_MAX - 1 : 1);
    }
    return length;
}

static void string_judge(struct flow_string *string)
{
    const uint8_t *bytes = buf_data(&string->bytes);
    size_t n = string->bytes.len;

    string->base64 = !json_bytes_are_text(bytes, n);
    string->length = string->base64 ? (n + 2) / 3 * 4
                                    : escaped_length(bytes, n);
}

/* --- in the JSON object --------------------------------------------------- */

static void string_free(struct json_object *object, void *userdata)
{
    struct flow_string *string = userdata;

    (void) object;
    buf_free(&string->bytes);
    free(string);
}

/* json-c asks for the text of the string: there is none, but it has a
 * place. */
static int string_place(struct json_object *object, struct printbuf *text,
                        int level, int flags)
{
    struct flow_string *string = json_object_get_userdata(object);

    (void) level;
    (void) flags;
    string->at = (size_t) printbuf_length(text);
    return 0;
}

static struct json_object *string_new(struct buf *bytes, bool *base64)
{
    struct flow_string *string = calloc(1, sizeof(*string));
    struct json_object *object = string ? json_object_new_string("") : NULL;

    if (!object) {
        free(string);
        return NULL;
    }
    string->bytes = *bytes;
    buf_init(bytes, bytes->max);
    string_judge(string);
    *base64 = string->base64;
    json_object_set_serializer(object, string_place, string, string_free);
    return object;
}

int flow_add_bytes(struct json_object *object, const char *name,
                   struct buf *bytes)
{
    struct json_object *string;
    bool base64 = false;
    int r;

    if (bytes->len <= FLOW_MIN) {
        r = json_add_bytes(object, name, buf_data(bytes), bytes->len);
        buf_free(bytes);
        return r;
    }
    string = string_new(bytes, &base64);
    buf_free(bytes);
    r = json_add(object, name, string);
    return r == 0 && base64 ? json_add_encoding(object, name) : r;
}

/* The large strings of an envelope, which are members of its data. */
static size_t flow_find(struct json_object *root,
                        const struct flow_string *found[FLOW_STRINGS_MAX])
{
    struct json_object *data = NULL;
    size_t n = 0;

    if (!json_object_object_get_ex(root, "data", &data)
        || !json_object_is_type(data, json_type_object))
        return 0;
    json_object_object_foreach(data, key, value)
    {
        (void) key;
        if (json_object_is_type(value, json_type_string)
            && json_object_get_userdata(value) && n < FLOW_STRINGS_MAX)
            found[n++] = json_object_get_userdata(value);
    }
    return n;
}

const char *flow_text(struct json_object *root, size_t *n, size_t *whole)
{
    const struct flow_string *strings[FLOW_STRINGS_MAX];
    size_t count = flow_find(root, strings);
    const char *text = json_text(root, n);

    *whole = *n;
    for (size_t i = 0; i < count; i++)
        *whole += strings[i]->length + 2;
    return text;
}

/* --- writing -------------------------------------------------------------- */

void flow_begin(struct flow *flow, struct json_object *root)
{
    *flow = (struct flow) { .root = json_object_get(root) };
    flow->n = flow_find(root, flow->strings);
    flow->text = flow_text(root, &flow->text_len, &flow->left);
}

void flow_end(struct flow *flow)
{
    json_object_put(flow->root);
    *flow = FLOW_NONE;
}

/* Some of the text, up to the next string. */
static int write_text(struct flow *flow, struct buf *out, size_t end,
                      size_t step)
{
    size_t n = end - flow->text_at;

    if (n > step)
        n = step;
    flow->text_at += n;
    return buf_append(out, flow->text + flow->text_at - n, n);
}

/* Some of a string, with the quote at its begin or end. */
static int write_string(struct flow *flow, struct buf *out, size_t step)
{
    const struct flow_string *string = flow->strings[flow->current];
    const uint8_t *bytes = buf_data(&string->bytes) + flow->string_at;
    size_t rest = string->bytes.len - flow->string_at;
    /* base64 comes in whole groups but for its end */
    size_t room = string->base64 ? (step - 2) / 4 * 3
                                 : (step - 2) / JSONRAW_ESCAPE_MAX;
    size_t n = rest < room ? rest : room;
    int r = 0;

    if (flow->string_at == 0)
        r = buf_append(out, "\"", 1);
    if (r == 0)
        r = string->base64 ? base64_encode(out, bytes, n)
                           : jsonraw_escaped(out, bytes, n);
    if (r == 0 && n == rest)
        r = buf_append(out, "\"", 1);
    flow->string_at += n;
    if (n < rest)
        return r;
    flow->current++;
    flow->string_at = 0;
    return r;
}

int flow_more(struct flow *flow, struct buf *out, size_t step)
{
    size_t before = out->len;
    bool string = flow->current < flow->n;
    size_t end = string ? flow->strings[flow->current]->at : flow->text_len;
    int r = flow->text_at < end ? write_text(flow, out, end, step)
            : string            ? write_string(flow, out, step)
                                : 0;

    flow->left -= out->len - before;
    return r;
}
