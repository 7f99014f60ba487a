/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Detached requests: those that go on without their client, because it may
 * come back for their answer.  They have a moment to end by themselves, then
 * they are asked to; what cannot be asked is dropped.  Their answers go into
 * the replay cache only.
 */
#ifndef VSRPC_GUEST_REQUEST_DETACHED_H
#define VSRPC_GUEST_REQUEST_DETACHED_H

#include <stddef.h>

struct context;
struct request;

/* The detached requests, the oldest first. */
struct detached_requests {
    struct request *first;
};

/*
 * Takes over a request that is whole and not answered yet, and whose client
 * is gone.  One that can be urged is, for the cache; any other goes on
 * detached when that client can come back for it (it has an id and changes
 * something), and is dropped otherwise.  The caller knows it no more
 * afterwards, nor does it call its ready.
 */
void detached_take(struct request *request);

/* Ends a detached request before its time; one that cannot be asked is
 * freed. */
void detached_end(struct request *request);

/* Somebody waits for one: no time is set for it. */
void detached_hold(struct request *request);

/* Nobody waits any more: its grace begins again. */
void detached_release(struct request *request);

/* Drops and frees all. */
void detached_free(struct detached_requests *detached);

#endif
