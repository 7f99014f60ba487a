/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A JSON text with large strings in it, which is made while it is sent.
 *
 * To make 32 MiB of a command's output a JSON text at once takes three copies
 * of them and many seconds of a slow guest, in which its agent gives no sign
 * of life.  Here the bytes stay what they are, with a note what they will be,
 * and each step writes some of them.
 */
#ifndef VSRPC_PROTO_FLOW_H
#define VSRPC_PROTO_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/envelope.h"
#include "util/buf.h"

struct flow_string;

/* Strings that one text can have. */
#define FLOW_STRINGS_MAX 2

struct flow {
    struct json_object *root;
    const char *text; /* of root, without its large strings */
    size_t text_len;
    size_t text_at; /* bytes of it that were written */
    const struct flow_string *strings[FLOW_STRINGS_MAX];
    size_t n;         /* of strings */
    size_t current;   /* the one that comes next */
    size_t string_at; /* of its bytes, what was written */
    size_t left;      /* bytes of the whole to be written */
};

#define FLOW_NONE ((struct flow) { .root = NULL })

/*
 * Adds bytes as json_add_bytes() does, taking them over: the buffer is empty
 * afterwards, also without success.  More than FLOW_MIN bytes are not copied,
 * and json_text() leaves them out.
 *
 * Return: 0, -ENOMEM.
 */
int flow_add_bytes(struct json_object *object, const char *name,
                   struct buf *bytes);

/*
 * The text of an envelope as json_text() makes it, and the length that it will
 * have with all of its strings.  Equal lengths: it is whole.
 */
const char *flow_text(struct json_object *root, size_t *n, size_t *whole);

/* Begins to write an envelope, of which a reference is kept until flow_end();
 * nobody may change it or ask for its text meanwhile. */
void flow_begin(struct flow *flow, struct json_object *root);

/*
 * Appends the next bytes, at most step of them, which is more than 64.
 *
 * Return: 0, also when nothing is left; -ENOMEM, -EMSGSIZE as buf_append().
 */
int flow_more(struct flow *flow, struct buf *out, size_t step);

/* Gives it up; a flow that has not begun is allowed. */
void flow_end(struct flow *flow);

#endif
