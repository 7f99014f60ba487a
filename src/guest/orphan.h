/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Orphans: requests that go on without their client, because it may come back
 * for their answer.  They have a moment to end by themselves, then they are
 * asked to; what cannot be asked is dropped.  Their answers go into the memory
 * only.
 */
#ifndef VSRPC_GUEST_ORPHAN_H
#define VSRPC_GUEST_ORPHAN_H

#include <stddef.h>

struct agent;
struct request;

/* The agent's orphans, the oldest first. */
struct orphans {
    struct request *first;
};

/* Takes over a request that has an entry in the memory.  When there are too
 * many orphans the oldest is ended for it. */
void orphans_add(struct agent *agent, struct request *request);

/* Ends an orphan before its time; one that cannot be asked is freed. */
void orphan_end(struct request *request);

/* Somebody waits for an orphan: it has all the time in the world. */
void orphan_hold(struct request *request);

/* Nobody waits any more: its grace begins again. */
void orphan_release(struct request *request);

/* Drops and frees all. */
void orphans_free(struct orphans *orphans);

#endif
