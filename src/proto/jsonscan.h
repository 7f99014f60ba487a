/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Is this text JSON, and small enough to be built?  Asked before a library
 * makes anything of it: what json-c takes for JSON differs from release to
 * release (0.18 in strict mode refuses every byte above 0x7F, earlier ones let
 * control characters pass), and two bytes of text, "{}", cost it some 800 of
 * memory.
 */
#ifndef VSRPC_PROTO_JSONSCAN_H
#define VSRPC_PROTO_JSONSCAN_H

#include <stddef.h>

#include "util/error.h"

/*
 * Tells whether n bytes are one JSON text (RFC 8259) in UTF-8 (RFC 3629), with
 * at most JSON_DEPTH_MAX containers inside each other, JSON_CONTAINERS_MAX of
 * them, and JSON_VALUES_MAX values and names.  Stricter than the RFC in two
 * points, because C strings and UTF-8 can't hold it: no lone surrogate
 * ("\ud800"), and no NUL in the name of a member.
 *
 * Return: 0, with *members (may be NULL) the number of names; -EBADMSG, with a
 * message that has the byte's offset, when it is
 * not JSON or nested too deep; -E2BIG, with a message, when it is too much.
 */
int json_scan(const char *text, size_t n, size_t *members, struct error *err);

/* Likewise of what becomes the data of an envelope, which as a whole has to
 * pass json_scan() then.  Return: as json_scan(). */
int json_scan_data(const char *text, size_t n, struct error *err);

#endif
