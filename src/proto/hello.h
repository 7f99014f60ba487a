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
 * It has no descriptor, no clock and no randomness: connections, bytes, the
 * time (ms on any clock that does not jump, the same in all calls) and the ids
 * come in, states and the bytes to send go out.  rpc.c drives it.
 */
#ifndef VSRPC_PROTO_HELLO_H
#define VSRPC_PROTO_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/syncscan.h"
#include "util/buf.h"

#define HELLO_WORD_MAX 128 /* of a peer's word that we keep: ids, versions */
#define HELLO_ID_MAX 33    /* of an attempt: 32 hex digits and a NUL */

/* What the agent said about itself in its sync.  A word that it did not say
 * is "". */
struct hello_peer {
    char version[HELLO_WORD_MAX];
    char boot_id[HELLO_WORD_MAX];  /* goes into signatures */
    char session[HELLO_WORD_MAX];  /* token of this sync, for X-Session */
    char instance[HELLO_WORD_MAX]; /* of the agent's memory */
    int64_t clock_ahead;           /* seconds its clock is ahead of ours */
    bool auth;                     /* it wants signed requests */
    bool heartbeat;                /* it gives signs of life when asked */
};

enum hello_state {
    HELLO_CONNECT, /* make a connection, then hello_connected() */
    HELLO_SYNC,    /* send what is to be sent, feed what comes */
    HELLO_WAIT,    /* close, stay away until hello_until() */
    HELLO_READY,   /* hello->peer is filled in */
    HELLO_GIVE_UP, /* close; no attempt fits into the limit any more */
};

struct hello {
    enum hello_state state;
    int64_t limit;  /* when all attempts must be over */
    int64_t until;  /* end of this attempt, or of the gap */
    int64_t wall;   /* seconds since the epoch when the sync was sent */
    int attempts;   /* begun so far */
    char id[HELLO_ID_MAX];
    bool scanning;  /* scan is to be freed */
    struct syncscan scan;
    struct hello_peer peer;
};

/* Starts in HELLO_CONNECT; limit is a time (ms). */
void hello_init(struct hello *hello, int64_t limit);
void hello_free(struct hello *hello);

/*
 * A connection is there: HELLO_SYNC until the attempt's end.  id is random,
 * of at most 32 characters, and another one for each attempt, so that a late
 * answer to an earlier attempt is known to be that.  wall is the wall clock
 * (s).  Appends what is to be sent to request.
 *
 * Return: 0, -ENOMEM, -EMSGSIZE (request is too small).
 */
int hello_connected(struct hello *hello, const char *id, int64_t now,
                    int64_t wall, struct buf *request);

/*
 * Takes what came.  The answer leads to HELLO_READY; an answer that makes no
 * sense, a flood, and the attempt's end lead to HELLO_WAIT or HELLO_GIVE_UP.
 * Bytes behind the answer are dropped: nobody has asked for anything yet.
 *
 * Return: 0 or -ENOMEM.
 */
int hello_feed(struct hello *hello, const uint8_t *bytes, size_t n,
               int64_t now);

/* The connection broke, or an attempt's time is over. */
void hello_lost(struct hello *hello, int64_t now);

/* Time has passed: what ends at hello->until ends now. */
void hello_tick(struct hello *hello, int64_t now);

#endif
