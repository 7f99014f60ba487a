/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * HTTP messages: the machine says the same of bytes that come whole, one by one
 * and in pieces.  The first byte: odd for responses; the rest of it is the size
 * of the pieces.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "unit/wire.h"

static void same(const struct wire_case *one, size_t step, const char *whole)
{
    char *pieces = wire_transcript(one, step);

    ck_assert_msg(strcmp(pieces, whole) == 0,
                  "in pieces of %zu bytes:\n%s\nwhole:\n%s", step, pieces,
                  whole);
    free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct wire_case one = { .bytes = (const char *) bytes + 1, .n = n - 1 };
    char *whole;

    if (n < 2)
        return 0;
    one.role = bytes[0] & 1 ? HTTP_RESPONSE : HTTP_REQUEST;
    whole = wire_transcript(&one, one.n);
    same(&one, 1, whole);
    same(&one, 2 + bytes[0] / 2, whole);
    free(whole);
    return 0;
}
