/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Escapes as json-c does, into room that is reserved once for the worst case.
 * To json-c the text is a boolean with a serializer of ours, because the user
 * data of strings and containers have other uses.
 */
#include <config.h>

#include "proto/jsonraw.h"

#include <limits.h>
#include <stdlib.h>

#include <json-c/printbuf.h>

#include "util/crypto.h"

/* --- strings ------------------------------------------------------------- */

char jsonraw_escape(uint8_t byte)
{
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };

    if (byte == '"' || byte == '\\')
        return (char) byte;
    if (byte >= 0x20)
        return 0;
    return letters[byte] ? letters[byte] : 'u';
}

static uint8_t *put_escape(uint8_t *to, char escape, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";

    *to++ = '\\';
    *to++ = (uint8_t) escape;
    if (escape == 'u') {
        *to++ = '0';
        *to++ = '0';
        *to++ = (uint8_t) digits[byte >> 4];
        *to++ = (uint8_t) digits[byte & 0xF];
    }
    return to;
}

int jsonraw_escaped(struct buf *out, const uint8_t *bytes, size_t n)
{
    uint8_t *start;
    uint8_t *to;
    int r = buf_reserve(out, n * JSONRAW_ESCAPE_MAX, &start);

    if (r < 0)
        return r;
    to = start;
    for (size_t i = 0; i < n; i++) {
        char escape = jsonraw_escape(bytes[i]);

        if (escape)
            to = put_escape(to, escape, bytes[i]);
        else
            *to++ = bytes[i];
    }
    buf_commit(out, (size_t) (to - start));
    return 0;
}

/* Not by buf_printf(), which would take longer than all the rest. */
int jsonraw_bytes(struct buf *out, const char *name, const void *bytes,
                  size_t n)
{
    bool text = json_bytes_are_text(bytes, n);
    int r = buf_puts(out, "\"");

    if (r == 0)
        r = buf_puts(out, name);
    if (r == 0)
        r = buf_puts(out, "\":\"");
    if (r == 0)
        r = text ? jsonraw_escaped(out, bytes, n)
                 : base64_encode(out, bytes, n);
    if (r == 0)
        r = buf_puts(out, "\"");
    if (r == 0 && !text)
        r = buf_printf(out, ",\"%s_encoding\":\"base64\"", name);
    return r;
}

/* --- values -------------------------------------------------------------- */

/* The byte behind a backslash ends no string. */
void jsonraw_squeeze(struct buf *text)
{
    uint8_t *bytes = buf_data(text);
    bool quoted = false;
    bool escaped = false;
    size_t left = 0;

    for (size_t i = 0; i < text->len; i++) {
        if (!quoted && bytes[i] <= ' ')
            continue;
        if (bytes[i] == '"' && !escaped)
            quoted = !quoted;
        escaped = bytes[i] == '\\' && !escaped;
        bytes[left++] = bytes[i];
    }
    text->len = left;
}

static void raw_free(struct json_object *object, void *userdata)
{
    struct buf *text = userdata;

    (void) object;
    buf_free(text);
    free(text);
}

static int raw_print(struct json_object *object, struct printbuf *out,
                     int level, int flags)
{
    const struct buf *text = json_object_get_userdata(object);

    (void) level;
    (void) flags;
    return printbuf_memappend(out, (char *) buf_data(text), (int) text->len);
}

/* To json-c it is a boolean: of objects and arrays the user data say that
 * something is missing in them, of strings that they are large. */
struct json_object *jsonraw_value(struct buf *text)
{
    struct buf *kept = text->len <= INT_MAX ? malloc(sizeof(*kept)) : NULL;
    struct json_object *object = kept ? json_object_new_boolean(1) : NULL;

    if (!object) {
        free(kept);
        buf_free(text);
        return NULL;
    }
    *kept = *text;
    buf_init(text, text->max);
    json_object_set_serializer(object, raw_print, kept, raw_free);
    return object;
}
