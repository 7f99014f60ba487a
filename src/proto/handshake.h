/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The host's half of agreeing where messages start: reset marker and sync, in
 * attempts on connections of their own, as a pure state machine.
 *
 *     CONNECT -> SYNC -> READY
 *        ^         |
 *        +- WAIT <-+-> GIVE_UP
 *
 * A server that knows only the specification has no sync, and what it makes of
 * the marker nobody can say.  404 is its answer to the one; when it refuses all
 * of it, says nothing, or hangs up, another attempt is made without the other.
 *
 * It has no descriptor, no clock and no randomness: connections, bytes, the
 * time (ms on any clock that does not jump, the same in all calls) and the ids
 * come in, states and the bytes to send go out.  rpc.c drives it.
 */
#ifndef VSRPC_PROTO_HANDSHAKE_H
#define VSRPC_PROTO_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/syncscan.h"
#include "util/buf.h"

#define HANDSHAKE_WORD_MAX \
    128                     /* of a peer's word that we keep: ids, versions */
#define HANDSHAKE_ID_MAX 33 /* of an attempt: 32 hex digits and a NUL */

/* What the agent said about itself in its sync.  A word that it did not say
 * is "". */
struct handshake_peer {
    char version[HANDSHAKE_WORD_MAX];
    char boot_id[HANDSHAKE_WORD_MAX];  /* goes into signatures */
    char session[HANDSHAKE_WORD_MAX];  /* token of this sync, for X-Session */
    char instance[HANDSHAKE_WORD_MAX]; /* of the agent's replay cache */
    int64_t clock_ahead;               /* seconds its clock is ahead of ours */
    bool auth;                         /* it wants signed requests */
    bool heartbeat;                    /* it gives signs of life when asked */
    bool plain; /* it knows no sync: there is no session, and none of these */
};

enum handshake_state {
    HANDSHAKE_CONNECT, /* make a connection, then handshake_connected() */
    HANDSHAKE_SYNC,    /* send what is to be sent, feed what comes */
    HANDSHAKE_WAIT,    /* close, stay away until handshake->until */
    HANDSHAKE_READY,   /* handshake->peer is filled in */
    HANDSHAKE_GIVE_UP, /* close; no attempt fits into the limit any more */
};

/* The waits between two connections from the second one on: what the second is
 * for is a client's leaving that the agent has missed, and whoever does not
 * answer that either is not there yet, or slow.  An attempt that is not answered
 * listens through its wait, but for RECONNECT_GAP_MS; one that broke stays away
 * for it.  All 0: RECONNECT_GAP_MS. */
struct handshake_pace {
    int64_t wait_ms; /* the first of them */
    int64_t factor;  /* each further one is this many times the last, … */
    int64_t most_ms; /* … and no longer than this */
};

struct handshake {
    enum handshake_state state;
    struct handshake_pace pace; /* may be set after handshake_init() */
    int64_t limit;              /* when all attempts must be over */
    int64_t until;              /* end of this attempt, or of the gap */
    int64_t gap;                /* ms from this attempt to the next one */
    int64_t wall; /* seconds since the epoch when the sync was sent */
    int attempts; /* begun so far */
    int broken;   /* attempts of handshakes before that a break ended; may be
                   * set after handshake_init() */
    char id[HANDSHAKE_ID_MAX];
    bool scanning; /* scan is to be freed */
    bool bare;     /* this attempt's request has no marker in front */
    bool refused;  /* an earlier one was answered as if it made no sense */
    bool nameless; /* in the last one an error came without X-Request-ID */
    struct syncscan scan;
    struct handshake_peer peer;
};

/* Starts in HANDSHAKE_CONNECT; limit is a time (ms). */
void handshake_init(struct handshake *handshake, int64_t limit);
void handshake_free(struct handshake *handshake);

/*
 * A connection is there:  HANDSHAKE_SYNC until the attempt's end. id is
 * random, of at most 32 characters, and another one for each attempt, so that
 * a late answer to an earlier attempt is known to be that. wall is the wall
 * clock (s).  Appends what is to be sent to request.
 *
 * Return: 0, -ENOMEM, -EMSGSIZE (request is too small).
 */
int handshake_connected(struct handshake *handshake, const char *id,
                        int64_t now, int64_t wall, struct buf *request);

/*
 * Takes what came.  The answer leads to HANDSHAKE_READY; an answer that makes
 * no sense, a flood, and the attempt's end lead to HANDSHAKE_WAIT or
 * HANDSHAKE_GIVE_UP.  Bytes behind the answer are dropped: nobody has asked
 * for anything yet.
 *
 * Return: 0 or -ENOMEM.
 */
int handshake_feed(struct handshake *handshake, const uint8_t *bytes, size_t n,
                   int64_t now);

/* The connection broke, or an attempt's time is over. */
void handshake_lost(struct handshake *handshake, int64_t now);

/* Was the marker refused, so that an attempt without it may do better? */
bool handshake_refused(const struct handshake *handshake);

/* Time has passed: what ends at handshake->until ends now. */
void handshake_tick(struct handshake *handshake, int64_t now);

#endif
