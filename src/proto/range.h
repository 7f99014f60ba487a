/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Byte ranges (RFC 9110 section 14), one at a time. */
#ifndef VSRPC_PROTO_RANGE_H
#define VSRPC_PROTO_RANGE_H

#include <stdint.h>

struct range {
    int64_t first;
    int64_t last; /* inclusive; first - 1 when nothing is in it */
};

/*
 * Reads a Range header for a representation of total bytes: "bytes=A-B",
 * "bytes=A-" or "bytes=-N".
 *
 * Return: 0 with the range cut to the representation; 1 when the header asks
 * for something else (several ranges, another unit) and is to be ignored;
 * -ERANGE when nothing of it is there.
 */
int range_parse(const char *header, int64_t total, struct range *range);

/*
 * Reads a Content-Range header: "bytes A-B/TOTAL"; *total is -1 for "*", when
 * nobody knows it yet.
 *
 * Return: 0, or -EINVAL.
 */
int range_parse_content(const char *header, struct range *range,
                        int64_t *total);

#endif
