/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The agent's stream, by the driver of the unit tests, which checks the order of
 * events.  The first SCRIPT bytes say how the rest is cut: the lower five bits
 * of each how long a piece is, the upper three what happens behind it.  Whatever
 * came, after the deadline a new client is heard, and so is one that connects.
 */
#include <config.h>

#include "fuzz/fuzz.h"
#include "unit/play.h"

#define SCRIPT 8
#define TOKEN "0123456789abcdef0123456789abcdef"

/* More than the heads of the three messages, doubled. */
#define MEMORY_MAX (6 * HTTP_HEAD_MAX)

static void nothing(struct play *play)
{
    (void) play;
}

/* Silence never says where the next request begins. */
static void stall(struct play *play)
{
    bool lost = server_deadline(&play->server)
                || play->server.state == SESSION_QUARANTINE;

    play_stall(play);
    ck_assert(!lost || play->server.state == SESSION_QUARANTINE);
}

static void answer(struct play *play)
{
    if (!play->begun || play->answered
        || play->server.state == SESSION_RECEIVE)
        return;
    play->answered = true;
    server_answered(&play->server);
}

static void send_out(struct play *play)
{
    server_sent_before(&play->server);
    if (play->server.state == SESSION_SEND)
        play_send(play);
}

static void hang_up(struct play *play)
{
    play_event(play, server_hangup(&play->server));
}

static void connect_late(struct play *play)
{
    play_event(play, server_connected(&play->server, false));
}

static void begin(struct play *play)
{
    server_begin(&play->server, TOKEN);
}

static void (*const steps[8])(struct play *play) = {
    nothing, stall, answer, send_out, hang_up, connect_late, begin, nothing,
};

static void feed(struct play *play, const uint8_t *script,
                 const uint8_t *bytes, size_t n)
{
    for (size_t turn = 0; n > 0; turn++) {
        size_t piece = (size_t) (script[turn % SCRIPT] & 31) + 1;

        piece = piece < n ? piece : n;
        play_feed(play, (const char *) bytes, piece);
        bytes += piece;
        n -= piece;
        steps[script[turn % SCRIPT] >> 5](play);
        play_check_rest(play);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct play play;

    if (n < SCRIPT)
        return 0;
    play_init(&play, TOKEN);
    feed(&play, bytes, bytes + SCRIPT, n - SCRIPT);
    ck_assert_uint_le(play.server.in.raw.cap + play.server.next.raw.cap
                          + play.server.probe.msg.raw.cap,
                      MEMORY_MAX);
    stall(&play);
    ck_assert(play_sync_comes(&play, (size_t) (bytes[0] & 31) + 1));
    play_event(&play, server_connected(&play.server, true));
    play_expect_ping(&play);
    play_free(&play);
    return 0;
}
