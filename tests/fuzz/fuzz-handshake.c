/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The host's handshake: whole and in pieces it comes to the same end and knows
 * the same of the agent, whose words may be sent back.  The first byte: odd when
 * the rest is the body of an answer to the sync; the rest of it is the size of
 * the pieces.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/handshake.h"
#include "unit/guarded.h"

#define ID "11111111111111111111111111111111"
#define TIME 1700000000

static void play(struct handshake *handshake, const struct buf *stream,
                 size_t step)
{
    struct buf request;

    buf_init(&request, 1024);
    handshake_init(handshake, 10000);
    ck_assert_int_eq(handshake_connected(handshake, ID, 1, TIME, &request), 0);
    buf_free(&request);
    for (size_t at = 0; at < stream->len; at += step) {
        size_t n = stream->len - at < step ? stream->len - at : step;
        struct guarded piece = guarded_copy(buf_data(stream) + at, n);

        ck_assert_int_eq(handshake_feed(handshake, piece.bytes, n, 1), 0);
        guarded_free(&piece);
    }
    handshake_free(handshake);
}

static void check_word(const char *word)
{
    ck_assert_ptr_nonnull(memchr(word, '\0', HANDSHAKE_WORD_MAX));
    for (; *word; word++)
        ck_assert(*word > ' ' && *word <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct handshake whole;
    struct handshake pieces;
    struct buf stream;

    if (n < 2)
        return 0;
    buf_init(&stream, n + 256);
    if (bytes[0] & 1)
        buf_printf(&stream,
                   "HTTP/1.1 200 OK\r\nX-Request-ID: " ID
                   "\r\nContent-Length: %zu\r\n\r\n",
                   n - 1);
    ck_assert_int_eq(buf_append(&stream, bytes + 1, n - 1), 0);
    play(&whole, &stream, stream.len);
    play(&pieces, &stream, (size_t) bytes[0] / 2 + 1);
    ck_assert_int_eq(whole.state, pieces.state);
    ck_assert_mem_eq(&whole.peer, &pieces.peer, sizeof(whole.peer));
    if (whole.state == HANDSHAKE_READY) {
        check_word(whole.peer.boot_id);
        check_word(whole.peer.session);
        check_word(whole.peer.instance);
    }
    buf_free(&stream);
    return 0;
}
