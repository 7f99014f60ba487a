/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What tests/unit/play.c and wire.c need of Check and of guarded.c, for
 * millions of rounds: an assertion that aborts, and memory that costs no system
 * call because AddressSanitizer sees to its end.  Check's header is not
 * included, for its prototypes differ from release to release.
 */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/guarded.h"

void _mark_point(const char *file, int line);
void _ck_assert_failed(const char *file, int line, const char *expr, ...);

void _mark_point(const char *file, int line)
{
    (void) file;
    (void) line;
}

void _ck_assert_failed(const char *file, int line, const char *expr, ...)
{
    const char *format;
    va_list args;

    va_start(args, expr);
    format = va_arg(args, const char *);
    fprintf(stderr, "%s:%d: ", file, line);
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* clang's */
    vfprintf(stderr, format ? format : expr, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

struct guarded guarded_copy(const void *bytes, size_t n)
{
    struct guarded guarded = { .map = malloc(n ? n : 1), .map_size = n };

    if (!guarded.map)
        abort();
    if (n)
        memcpy(guarded.map, bytes, n);
    guarded.bytes = guarded.map;
    return guarded;
}

void guarded_free(struct guarded *guarded)
{
    free(guarded->map);
}
