/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The agent's stream when nothing happens but bytes: what the machine says does
 * not depend on how they are cut, and the content of a file is nothing else.
 * The first byte is the size of the pieces, less one.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "unit/play.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

static void cut(const char *bytes, size_t n, size_t step)
{
    struct play whole;
    struct play pieces;

    play_init(&whole, TOKEN);
    play_init(&pieces, TOKEN);
    play_feed(&whole, bytes, n);
    play_steps(&pieces, bytes, n, step);
    ck_assert_int_eq(whole.server.state, pieces.server.state);
    play_expect(&whole, pieces.said.len ? buf_cstr(&pieces.said) : "");
    play_free(&whole);
    play_free(&pieces);
}

static void content(const char *bytes, size_t n, size_t step)
{
    char head[128];
    struct play play;
    int length = snprintf(head, sizeof(head), PUT("", "%zu"), n);

    play_init(&play, NULL);
    play_feed(&play, head, (size_t) length);
    play_steps(&play, bytes, n, step);
    ck_assert_int_eq(play.n_ends, 1);
    ck_assert(!strstr(buf_cstr(&play.said), "\nHEAD "));
    ck_assert(play.server.state == SESSION_RECEIVE
              && msg_idle(&play.server.in));
    play_free(&play);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 2)
        return 0;
    cut((const char *) bytes + 1, n - 1, (size_t) bytes[0] + 1);
    content((const char *) bytes + 1, n - 1, (size_t) bytes[0] + 1);
    return 0;
}
