/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Transfers that span several requests: the parts of one upload, and the
 * pieces of one download (which only matter to the rate limit: a transfer is
 * one operation, however many turns it takes).
 */
#ifndef VSRPC_GUEST_TRANSFER_H
#define VSRPC_GUEST_TRANSFER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest/loop.h"
#include "guest/upload.h"

#define TRANSFER_ID_MAX 64

/* Uploads that may be open at once; a session has one, more are those of
 * clients that are between two parts, or changed their mind. */
#define TRANSFERS_MAX 8

struct agent;

struct transfer {
    char id[TRANSFER_ID_MAX + 1]; /* "": free */
    struct upload *upload;
    int64_t total;
    int64_t used_at; /* boot clock, ms */
    int64_t left_at; /* since when nobody can go on with it; 0: somebody can */
};

struct transfers {
    struct agent *agent;
    struct loop_timer grace;
    struct transfer uploads[TRANSFERS_MAX];
    char reading[PATH_MAX]; /* path of the last counted download */
};

void transfers_init(struct transfers *transfers, struct agent *agent);

/* Finds an upload by its id; whoever knows that goes on with it.  Return: it,
 * or NULL. */
struct transfer *transfer_find(struct transfers *transfers, const char *id);

/* Makes room for a new upload, at the cost of the one unused longest.
 * Return: a slot with this id and no upload. */
struct transfer *transfer_add(struct transfers *transfers, const char *id,
                              int64_t total);

/* Ends one: removes the file unless it was handed out by setting upload to
 * NULL before. */
void transfer_end(struct transfer *transfer);

/*
 * The session is over.  What is half-done stays for the agent's grace, so that
 * its client, or another that knows the id, can go on with it.  While somebody
 * else has the channel the time stands still: nobody could come back then.
 */
void transfers_leave(struct transfers *transfers);

/* The agent ends: nothing half-done stays. */
void transfers_drop(struct transfers *transfers);

/*
 * Does a read of path at offset go on with the download before it?  Notes the
 * path when it does not.
 */
bool transfer_reading(struct transfers *transfers, const char *path,
                      int64_t offset);

#endif
