/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * JSON text written by hand, for answers with thousands of members: an object
 * of json-c costs a hundred bytes and three allocations for each.
 */
#ifndef VSRPC_PROTO_JSONRAW_H
#define VSRPC_PROTO_JSONRAW_H

#include <stddef.h>
#include <stdint.h>

#include "proto/envelope.h"
#include "util/buf.h"

#define JSONRAW_ESCAPE_MAX 6 /* bytes that one byte may become: \u0000 */

/* As json-c does it.  Return: the letter behind the backslash, 'u' for a
 * number; 0: the byte stays as it is. */
char jsonraw_escape(uint8_t byte);

/* Appends what stands between the quotes of a string.  Return: as
 * buf_append(). */
int jsonraw_escaped(struct buf *out, const uint8_t *bytes, size_t n);

/* Appends a member as json_add_bytes() adds it, without commas.  Return: as
 * buf_append(). */
int jsonraw_bytes(struct buf *out, const char *name, const void *bytes,
                  size_t n);

/* Takes the blanks out of a JSON text that json_scan() passes; what is left is
 * one line, with each number and string as it was. */
void jsonraw_squeeze(struct buf *text);

/*
 * A value whose text is in the buffer, which is taken over: it is empty
 * afterwards, also without success.  Nobody may ask the value for anything but
 * its text.
 *
 * Return: the value, or NULL without memory.
 */
struct json_object *jsonraw_value(struct buf *text);

#endif
