/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Who has a channel.  A channel has one client at a time, and a second one
 * would take its place (the last writer wins), so clients of this kind ask
 * each other first: an advisory flock(2) on a file that stands for the
 * channel.  Its content says who holds it; only the lock itself counts.
 */
#ifndef VSRPC_HOST_LINK_LOCK_H
#define VSRPC_HOST_LINK_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "host/term/out.h"
#include "util/error.h"

#define LOCK_DIR "/run/vsrpc" /* where it is there; see lock_take() */

struct lock {
    int fd;     /* -1: not held */
    int watch;  /* an inotify(7) descriptor; -1: nobody watches */
    char *name; /* of what is locked; owned; NULL when not held */
};

#define LOCK_INIT             \
    {                         \
        .fd = -1, .watch = -1 \
    }

/* How a lock is taken; strings are not owned. */
struct lock_terms {
    const char *dir;       /* NULL: the usual one */
    int64_t wait_ms;       /* 0: not at all; DEADLINE_NEVER: for ever */
    int wake_fd;           /* readable: give up; -1: none */
    const struct out *out; /* told for whom we wait; NULL: nobody */
};

/*
 * Takes the lock of a channel, by the path of its socket; links in it are
 * followed, so that two names of one socket are one lock.  One that is held
 * for the same name already is kept; for another name it is released first.
 *
 * The usual folder is LOCK_DIR, which root makes when it is not there; others
 * take $XDG_RUNTIME_DIR/vsrpc then.
 *
 * Return: 0; 1 when no lock can be had here, with the reason in err (the
 * caller goes on without); -EBUSY with a message that names the holder;
 * -ECANCELED by wake_fd; -ENOMEM.
 */
int lock_take(struct lock *lock, const char *name,
              const struct lock_terms *terms, struct error *err);

/* Does somebody wait for this lock?  Cheap: one system call. */
bool lock_wanted(const struct lock *lock);

/*
 * Watches for somebody who begins to wait for this lock, which is held.
 *
 * Return: a descriptor that becomes readable then, and now and then without a
 * reason (lock_wanted() knows, after lock_watched()); it is the lock's and
 * goes with it. -1 where that cannot be had.
 */
int lock_watch(struct lock *lock);

/* Takes what has made the descriptor readable. */
void lock_watched(const struct lock *lock);

/* Releases it; not held is allowed. */
void lock_release(struct lock *lock);

/* Releases it and stays away until a waiter has it, half a second at most. */
void lock_yield(struct lock *lock);

#endif
