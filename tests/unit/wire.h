/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The three-way runner of parser cases.  The same bytes go through the
 * message machine whole, byte by byte, cut in two at every place, and each of
 * these pieces ends at a page nobody may touch; what the machine says has to
 * be the same every time.
 */
#ifndef VSRPC_TESTS_WIRE_H
#define VSRPC_TESTS_WIRE_H

#include "proto/msg.h"

/*
 * One case.  The transcript has one line per event:
 *   HEAD GET /target [len=N] [chunked] [continue] fields=N
 *   HEAD 200 …                      for a response
 *   BODY bytes                      the whole body, bytes above 126 and below
 *                                   32 as \xNN; only in front of END
 *   END | RESET | FAULT http detail
 *   MORE                            at the end, when a message is half there
 */
struct wire_case {
    const char *name;
    enum http_role role;
    const char *bytes;
    size_t n;
    const char *transcript;
};

/* Runs a case all ways; fails the test when a transcript differs. */
void wire_check(const struct wire_case *one);

/* The transcript of bytes fed in pieces of step; to be freed. */
char *wire_transcript(const struct wire_case *one, size_t step);

#endif
