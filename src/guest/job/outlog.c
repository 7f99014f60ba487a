/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Blocks of bytes, and segments that say which stream they are of.  The blocks
 * are from mmap(2), so that they leave no holes in the heap; spare ones are
 * kept, because fresh pages cost more than what is read into them.
 */
#include <config.h>

#include "guest/job/outlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK_SIZE ((size_t) JOB_HOLD_MIN)
#define BLOCKS_MAX ((size_t) JOB_OUTPUT_MAX / BLOCK_SIZE)

/* Pieces that there is room for whatever happens. */
#define SEGMENTS_MIN 64

#define SEGMENT_SIZE sizeof(struct outlog_segment)

struct outblock {
    struct outblock *next;
    size_t used; /* bytes of it that were forgotten */
    size_t n;    /* bytes of it that were written */
    uint8_t bytes[];
};

/* --- blocks -------------------------------------------------------------- */

static bool pool_has(const struct outpool *pool)
{
    return pool->left > 0 || (pool->reclaim && pool->reclaim(pool->arg));
}

/* Not from malloc(3): blocks come and go between what is remembered of
 * requests for ten minutes, and every one that went would leave a hole. */
static struct outblock *block_new(struct outpool *pool)
{
    struct outblock *block = pool->spare;

    if (block) {
        pool->spare = block->next;
        pool->n_spare--;
    } else {
        block = mmap(NULL, sizeof(*block) + BLOCK_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    if (block == MAP_FAILED)
        return NULL;
    *block = (struct outblock) { .next = NULL };
    return block;
}

static void block_unmap(struct outblock *block)
{
    munmap(block, sizeof(*block) + BLOCK_SIZE);
}

/* As many stay as one log can have: fresh memory costs more than what is read
 * into it. */
static void block_free(struct outpool *pool, struct outblock *block)
{
    if (pool->n_spare == BLOCKS_MAX) {
        block_unmap(block);
        return;
    }
    block->next = pool->spare;
    pool->spare = block;
    pool->n_spare++;
}

/* Nobody needs them. */
static void pool_clear(struct outpool *pool)
{
    while (pool->spare) {
        struct outblock *block = pool->spare;

        pool->spare = block->next;
        block_unmap(block);
    }
    pool->n_spare = 0;
}

static bool block_add(struct outlog *log)
{
    struct outblock *block;

    if (log->n_blocks > 0 && !pool_has(log->pool))
        return false;
    block = block_new(log->pool);
    if (!block)
        return false;
    if (log->n_blocks++ > 0)
        log->pool->left--;
    if (log->last)
        log->last->next = block;
    else
        log->first = block;
    log->last = block;
    return true;
}

/* The first one goes; the next takes its part, that of the one which does not
 * count. */
static void block_remove(struct outlog *log)
{
    struct outblock *block = log->first;

    log->first = block->next;
    if (!log->first)
        log->last = NULL;
    if (--log->n_blocks > 0)
        log->pool->left++;
    block_free(log->pool, block);
}

int outlog_init(struct outlog *log, struct outpool *pool, bool keeps)
{
    uint8_t *where;

    *log = (struct outlog) { .pool = pool, .keeps = keeps };
    pool->logs++;
    buf_init(&log->segments, JOB_SEGMENTS_MAX * SEGMENT_SIZE);
    if (block_add(log)
        && buf_reserve(&log->segments, SEGMENTS_MIN * SEGMENT_SIZE, &where)
               == 0)
        return 0;
    outlog_free(log);
    return -ENOMEM;
}

void outlog_free(struct outlog *log)
{
    while (log->first)
        block_remove(log);
    buf_free(&log->segments);
    if (log->pool && --log->pool->logs == 0)
        pool_clear(log->pool);
    log->pool = NULL;
}

/* --- segments ------------------------------------------------------------ */

static struct outlog_segment *segments_first(const struct outlog *log)
{
    return (void *) buf_data(&log->segments);
}

static size_t segments_n(const struct outlog *log)
{
    return log->segments.len / SEGMENT_SIZE;
}

/* Is there room for one piece more? */
static bool segments_room(struct outlog *log)
{
    uint8_t *where;

    return buf_reserve(&log->segments, SEGMENT_SIZE, &where) == 0;
}

static void segments_add(struct outlog *log, int stream, size_t n)
{
    const struct outlog_segment more = { (uint32_t) n, (uint8_t) stream };
    struct outlog_segment *last = segments_first(log);

    if (log->segments.len > 0) {
        last += segments_n(log) - 1;
        if (last->stream == more.stream) {
            last->n += more.n;
            return;
        }
    }
    buf_append(&log->segments, &more, SEGMENT_SIZE); /* there is room */
}

static void segments_forget(struct outlog *log, int64_t n)
{
    struct outlog_segment *first;

    while (n > 0 && (first = segments_first(log))) {
        if (n < first->n) {
            first->n -= (uint32_t) n;
            return;
        }
        n -= first->n;
        buf_consume(&log->segments, SEGMENT_SIZE);
    }
}

/* --- writing ------------------------------------------------------------- */

static size_t block_room(const struct outblock *block)
{
    return BLOCK_SIZE - block->n;
}

/* What can be had without forgetting anything. */
static bool has_space(struct outlog *log)
{
    if (!segments_room(log))
        return false;
    return block_room(log->last) > 0
           || (log->n_blocks < BLOCKS_MAX && block_add(log));
}

size_t outlog_space(struct outlog *log, uint8_t **where)
{
    if (!has_space(log)) {
        outlog_forget(log);
        if (!has_space(log))
            return 0;
    }
    *where = log->last->bytes + log->last->n;
    return block_room(log->last);
}

void outlog_add(struct outlog *log, int stream, size_t n)
{
    if (n == 0)
        return;
    segments_add(log, stream, n);
    log->last->n += n;
    log->end += (int64_t) n;
}

/* --- taking -------------------------------------------------------------- */

/* The last block stays, and is written from its beginning again. */
static void blocks_forget(struct outlog *log, size_t n)
{
    while (n > 0) {
        struct outblock *block = log->first;
        size_t has = block->n - block->used;

        if (n < has) {
            block->used += n;
            return;
        }
        n -= has;
        if (block->next)
            block_remove(log);
        else
            block->used = block->n = 0;
    }
}

bool outlog_forget(struct outlog *log)
{
    size_t blocks = log->n_blocks;
    int64_t n = log->taken - log->start;

    segments_forget(log, n);
    blocks_forget(log, (size_t) n);
    log->start = log->taken;
    return log->n_blocks < blocks;
}

void outlog_take(struct outlog *log, int64_t offset)
{
    if (offset > log->taken)
        log->taken = offset;
    if (!log->keeps)
        outlog_forget(log);
}

/* --- reading ------------------------------------------------------------- */

/*
 * Names the pieces from skip bytes behind the first on.
 *
 * Return: 0 with *n, which was the most, the bytes of all; as buf_printf().
 */
static int segments_read(const struct outlog *log, size_t skip,
                         size_t max_segments, struct buf *text, size_t *n)
{
    const struct outlog_segment *segment = segments_first(log);
    size_t count = segments_n(log);
    size_t max = *n;
    int r = 0;

    *n = 0;
    for (; count > 0 && skip >= segment->n; count--)
        skip -= segment++->n;
    for (; r == 0 && count > 0 && *n < max && max_segments > 0; count--) {
        size_t piece = segment->n - skip;

        if (piece > max - *n)
            piece = max - *n;
        r = buf_printf(text, "%s%d:%zu", *n ? "," : "", segment->stream + 1,
                       piece);
        *n += piece;
        skip = 0;
        segment++;
        max_segments--;
    }
    return r;
}

int outlog_pieces(const struct outlog *log, int64_t offset, size_t max,
                  size_t max_segments, struct buf *segments, size_t *n)
{
    *n = max;
    return segments_read(log, (size_t) (offset - log->start), max_segments,
                         segments, n);
}

void outlog_copy(const struct outlog *log, int64_t offset, uint8_t *where,
                 size_t n)
{
    size_t skip = (size_t) (offset - log->start);

    for (const struct outblock *block = log->first; n > 0;
         block = block->next) {
        size_t has = block->n - block->used;

        if (skip >= has) {
            skip -= has;
            continue;
        }
        has -= skip;
        if (has > n)
            has = n;
        memcpy(where, block->bytes + block->used + skip, has);
        where += has;
        skip = 0;
        n -= has;
    }
}
