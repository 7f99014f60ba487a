/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The input of a program: bytes that wait until it reads them. */
#ifndef VSRPC_GUEST_PROC_FEED_H
#define VSRPC_GUEST_PROC_FEED_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/core/loop.h"
#include "util/buf.h"

struct feed {
    struct loop *loop;
    struct loop_fd watch; /* fd -1: closed, or never open */
    struct buf bytes;
    bool tty;
    bool ends;                  /* no more comes */
    bool inside;                /* what came last is no end of a line */
    void (*changed)(void *arg); /* there is more room, or it is closed; may be
                                 * NULL */
    void *arg;
};

/* Prepares one that is closed; max: bytes that may wait, 0: none come but
 * those that feed_start() has. */
void feed_init(struct feed *feed, struct loop *loop, size_t max,
               void (*changed)(void *arg), void *arg);

/* Begins to write to a descriptor that does not block, which is taken over
 * (-1: there is none). first: what comes before all else, taken over; NULL:
 * nothing. tty: it is a terminal, which ends its input in another way. */
void feed_start(struct feed *feed, int fd, struct buf *first, bool tty);

/* Closes it; what waits is thrown away. */
void feed_close(struct feed *feed);

/* Does it take anything (more)? */
bool feed_open(const struct feed *feed);

/* Bytes that may be given now. */
size_t feed_room(const struct feed *feed);

/*
 * Gives n bytes, at most as many as there is room for.  When it is closed they
 * are thrown away.
 *
 * Return: 0 or -ENOMEM; nothing was taken then.
 */
int feed_add(struct feed *feed, const void *bytes, size_t n);

/* The input ends behind what was given. */
void feed_end(struct feed *feed);

#endif
