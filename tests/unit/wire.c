/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

#define TRANSCRIPT_MAX (1024 * 1024)

/* Every cut of longer inputs would cost more than it finds. */
#define CUT_MAX 512

struct run {
    const struct wire_case *one;
    struct msg msg;
    struct buf body;
    struct buf transcript;
    bool over; /* after a fault nothing more is fed */
};

static void note_head(struct run *run)
{
    const struct http_head *head = &run->msg.head;
    struct buf *out = &run->transcript;

    if (run->one->role == HTTP_REQUEST)
        buf_printf(out, "HEAD %s %s", head->method, head->target);
    else
        buf_printf(out, "HEAD %d", head->status);
    if (head->content_length >= 0)
        buf_printf(out, " len=%lld", (long long) head->content_length);
    buf_puts(out, head->chunked ? " chunked" : "");
    buf_puts(out, head->expect_continue ? " continue" : "");
    buf_printf(out, " fields=%zu\n", head->n_fields);
}

static void note_end(struct run *run)
{
    if (run->body.len)
        buf_puts(&run->transcript, "BODY ");
    for (size_t i = 0; i < run->body.len; i++) {
        uint8_t c = buf_data(&run->body)[i];

        buf_printf(&run->transcript, c < 32 || c > 126 ? "\\x%02X" : "%c", c);
    }
    buf_puts(&run->transcript, run->body.len ? "\nEND\n" : "END\n");
    ck_assert_int_eq(run->msg.body_seen, (int64_t) run->body.len);
    buf_clear(&run->body);
    msg_reset(&run->msg);
}

static void note_reset(struct run *run)
{
    buf_puts(&run->transcript, "RESET\n");
    buf_clear(&run->body);
    ck_assert_msg(msg_idle(&run->msg), "idle after a reset");
}

/* Feeds one piece until the machine wants more. */
static void run_piece(struct run *run, const uint8_t *bytes, size_t n)
{
    while (!run->over) {
        size_t used = SIZE_MAX;
        enum msg_event event = msg_feed(&run->msg, bytes, n, &used);

        ck_assert_msg(used <= n, "took %zu of %zu bytes", used, n);
        if (event == MSG_HEAD)
            note_head(run);
        if (event == MSG_BODY) {
            ck_assert(
                run->msg.piece_len == 0
                || (run->msg.piece >= bytes
                    && run->msg.piece + run->msg.piece_len <= bytes + used));
            buf_append(&run->body, run->msg.piece, run->msg.piece_len);
        }
        if (event == MSG_RESET)
            note_reset(run);
        if (event == MSG_FAULT) {
            buf_printf(&run->transcript, "FAULT %d %s\n", run->msg.fault.http,
                       run->msg.fault.detail);
            run->over = true;
        }
        if (event == MSG_END)
            note_end(run);
        bytes += used;
        n -= used;
        if (event == MSG_NEED_MORE) {
            ck_assert_msg(n == 0, "MSG_NEED_MORE left %zu bytes", n);
            return;
        }
        if (n == 0 && msg_idle(&run->msg))
            return;
    }
}

static void run_guarded(struct run *run, const char *bytes, size_t n)
{
    struct guarded piece = guarded_copy(bytes, n);

    run_piece(run, piece.bytes, n);
    guarded_free(&piece);
}

static void run_start(struct run *run, const struct wire_case *one)
{
    *run = (struct run) { .one = one };
    msg_init(&run->msg, one->role);
    buf_init(&run->body, TRANSCRIPT_MAX);
    buf_init(&run->transcript, TRANSCRIPT_MAX);
}

static char *run_finish(struct run *run)
{
    char *text;

    if (!run->over && !msg_idle(&run->msg))
        buf_puts(&run->transcript, "MORE\n");
    text = strdup(buf_cstr(&run->transcript));
    msg_free(&run->msg);
    buf_free(&run->body);
    buf_free(&run->transcript);
    return text;
}

char *wire_transcript(const struct wire_case *one, size_t step)
{
    struct run run;

    run_start(&run, one);
    for (size_t at = 0; at < one->n; at += step)
        run_guarded(&run, one->bytes + at,
                    one->n - at < step ? one->n - at : step);
    return run_finish(&run);
}

static char *transcript_cut(const struct wire_case *one, size_t cut)
{
    struct run run;

    run_start(&run, one);
    run_guarded(&run, one->bytes, cut);
    run_guarded(&run, one->bytes + cut, one->n - cut);
    return run_finish(&run);
}

static void expect(const struct wire_case *one, const char *way, size_t at,
                   char *got)
{
    ck_assert_msg(strcmp(got, one->transcript) == 0,
                  "%s, %s %zu:\n got: %s\nwant: %s", one->name, way, at, got,
                  one->transcript);
    free(got);
}

void wire_check(const struct wire_case *one)
{
    expect(one, "whole", one->n, wire_transcript(one, one->n));
    expect(one, "byte by byte", 1, wire_transcript(one, 1));
    for (size_t cut = 1; cut < one->n && one->n <= CUT_MAX; cut++)
        expect(one, "cut at", cut, transcript_cut(one, cut));
}
