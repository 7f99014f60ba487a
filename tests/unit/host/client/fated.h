/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A clock that goes on only when somebody waits (the linker's --wrap puts it in
 * the place of the real one), and an agent that is a transport: each of its
 * connections has a fate.
 */
#ifndef VSRPC_TESTS_FATED_H
#define VSRPC_TESTS_FATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/link/rpc.h"
#include "host/link/transport.h"
#include "proto/limits.h"
#include "util/buf.h"

#define START 1000000 /* when each test begins */
#define DAY_MS (24 * 3600 * 1000)

extern int64_t now; /* ms */

/* What becomes of a connection, or of the request on it. */
enum fate {
    LAST, /* none: the one before it stays */
    FINE,
    ABSENT,        /* there is no socket */
    REFUSING,      /* it closes at once */
    MUTE,          /* it does not answer the handshake */
    DEAF,          /* the socket takes some of the request, and that is all */
    LEAVING,       /* it closes instead of answering */
    HANGING,       /* it does not answer */
    BEATING,       /* it gives signs of life, and answers after BEATING_MS */
    FLOODING,      /* it does so all the time, and never answers */
    HALF,          /* it answers with half of what it announces */
    FAILING,       /* 5001 */
    BUSY,          /* 5002, with Retry-After: 2 */
    BUSY_BODY,     /* … with data.retry_after alone, of 1.5 s */
    BUSY_BOTH,     /* … with both, of which the field counts */
    BUSY_MUTE,     /* … with neither */
    BUSY_NEGATIVE, /* … and so on, which are no times */
    BUSY_ZERO,
    BUSY_TEXT,
    BUSY_LIST,
    BUSY_HUGE, /* … a time for ever */
    BUSY_LONG, /* 5002, with Retry-After: 45 */
    BUSY_HOUR,
    EXPIRED, /* 4003 */
    WRONG,   /* 2001 */
    DENIED,  /* 4001 */
};

#define TIMES_MAX 8 /* that are noted */
#define DEAF_TAKES (200 * 1024)
#define BEATING_MS 100000
#define BEAT_MS (HEARTBEAT_S * 1000)

extern struct agent {
    struct transport base;
    enum fate fate;
    bool remembers; /* and gives signs of life, when it can */
    int connections, requests;
    /* when, since START */
    int64_t connected[TIMES_MAX], asked[TIMES_MAX], left[TIMES_MAX];
    char ids[TIMES_MAX][RPC_ID_SIZE];
    char id[RPC_ID_SIZE]; /* of the last one */
    int beats;            /* while it is worked on */
    size_t taken;         /* of what is no sync */
    struct buf in;        /* heard */
    struct buf out;
    size_t said;
} agent;

/* The fates of the connections, the last one for all that follow. */
extern const enum fate *fates;

/* Around each test. */
void fated_begin(void);
void fated_end(void);

#endif
