/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Which requests go on with an operation that the rate limit has counted: those
 * of a copy, by the id that its client chose, and a file that is read in pieces
 * without one.
 *
 * An id is the client's word, and lifts no limit: it holds for the path that
 * was counted and what is below it, for so many requests, and not for the same
 * one again.
 */
#ifndef VSRPC_GUEST_POLICY_COPIES_H
#define VSRPC_GUEST_POLICY_COPIES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* Copies that were counted and may go on; the one unused longest is forgotten
 * for another. */
#define COPIES_MAX 16

#define COPY_ID_MAX 64

/* Requests of a copy for each that is counted.  With the default limits 25,600
 * small files go in a minute; a large file, which takes at most 25 a second, is
 * counted every ten seconds. */
#define COPY_REQUESTS 256

struct copy_row {
    char id[COPY_ID_MAX + 1]; /* "": that without one */
    char root[PATH_MAX];      /* what it was counted for */
    char path[PATH_MAX];      /* of the last request, with … */
    int what;
    int64_t offset;
    int left;     /* requests that are not counted */
    int64_t used; /* when, by copies.clock; 0: the row is free */
};

struct copies {
    struct copy_row rows[COPIES_MAX];
    int64_t clock; /* one more with each request */
};

/* A request; strings are not owned. */
struct copy_step {
    const char *id; /* "": none; it reads on in one file, if anything */
    const char *path;
    int what;       /* is done with it: its route */
    int64_t offset; /* from where on, in a file or a listing */
};

/* Is it part of what was counted?  Takes it from what that may ask for.
 * Return: it is; false: it has to be counted, and then noted. */
bool copies_go_on(struct copies *copies, const struct copy_step *step);

/* Notes one that was counted: a copy begins with it, or goes on. */
void copies_note(struct copies *copies, const struct copy_step *step);

#endif
