/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What a program has said and nobody has taken yet: both outputs in the order
 * in which they were read, counted by one offset.
 *
 * The bytes are in blocks.  Each log always has one, so that no log can keep
 * another from going on; further ones are lent by a pool that all logs share.
 * A log without room says so, and its program is held back.
 */
#ifndef VSRPC_GUEST_JOB_OUTLOG_H
#define VSRPC_GUEST_JOB_OUTLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"
#include "util/buf.h"

struct outblock;

/* Blocks that all logs have together, besides their first ones. */
struct outpool {
    size_t left;
    /* Asked when none is left: has a log given one back now?  May be NULL. */
    bool (*reclaim)(void *arg);
    void *arg;
    struct outblock *spare; /* those that are not used */
    size_t n_spare;
    size_t logs; /* that there are */
};

#define OUTPOOL_BLOCKS (JOBS_POOL / JOB_HOLD_MIN)

struct outlog {
    struct outpool *pool;
    struct outblock *first, *last;
    size_t n_blocks;
    struct buf segments; /* of struct outlog_segment; the last one grows */
    int64_t start;       /* offset of the first byte that is kept */
    int64_t taken;       /* what is before was taken, and may be forgotten */
    int64_t end;         /* offset behind the last byte */
    bool keeps;          /* what was taken is kept while there is room */
};

/* So many bytes of one stream. */
struct outlog_segment {
    uint32_t n;
    uint8_t stream;
};

/*
 * Starts an empty log; all that it needs to go on is allocated here.  keeps:
 * what was taken is forgotten only when its place is needed.
 *
 * Return: 0 or -ENOMEM.
 */
int outlog_init(struct outlog *log, struct outpool *pool, bool keeps);

/* Frees the memory and gives the blocks back. */
void outlog_free(struct outlog *log);

/*
 * Where the next bytes of either stream go.
 *
 * Return: how many there is room for, at *where; 0: none now.
 */
size_t outlog_space(struct outlog *log, uint8_t **where);

/* n bytes of a stream were written to where outlog_space() said. */
void outlog_add(struct outlog *log, int stream, size_t n);

/* Everything before offset (at most end) has been taken. */
void outlog_take(struct outlog *log, int64_t offset);

/* Forgets what was taken.  Return: is there a block more for others now? */
bool outlog_forget(struct outlog *log);

/*
 * Names what follows from offset (start..end) on, at most max bytes and
 * max_segments pieces: appends "1:120,2:30", the streams from 1.
 *
 * Return: 0 with *n, the bytes of all of them; as buf_append().
 */
int outlog_pieces(const struct outlog *log, int64_t offset, size_t max,
                  size_t max_segments, struct buf *segments, size_t *n);

/* Copies n bytes from offset on, which are there. */
void outlog_copy(const struct outlog *log, int64_t offset, uint8_t *where,
                 size_t n);

#endif
