/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/job/outlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "outlog";

enum { BLOCK = JOB_HOLD_MIN, BLOCKS = JOB_OUTPUT_MAX / JOB_HOLD_MIN };

static struct outpool pool;
static struct outlog outlog;

static void setup(void)
{
    pool = (struct outpool) { .left = OUTPOOL_BLOCKS };
    ck_assert_int_eq(outlog_init(&outlog, &pool, false), 0);
}

/* A log gives back what it had. */
static void teardown(void)
{
    outlog_free(&outlog);
    ck_assert_uint_eq(pool.left, OUTPOOL_BLOCKS);
    ck_assert_ptr_null(pool.spare);
}

static void keep_what_was_taken(void)
{
    outlog_free(&outlog);
    ck_assert_int_eq(outlog_init(&outlog, &pool, true), 0);
}

/* --- helpers -------------------------------------------------------------- */

/* Which byte is at an offset: none is like its neighbours, or like that of
 * another block. */
static uint8_t byte_at(int64_t offset)
{
    return (uint8_t) (offset % 251);
}

/* Writes at most n bytes in pieces of at most step.  Return: how many. */
static size_t put_some(int stream, size_t n, size_t step)
{
    size_t all = 0;

    while (all < n) {
        uint8_t *where;
        size_t room = outlog_space(&outlog, &where);
        size_t piece = n - all < step ? n - all : step;

        if (room == 0)
            break;
        if (piece > room)
            piece = room;
        for (size_t i = 0; i < piece; i++)
            where[i] = byte_at(outlog.end + (int64_t) i);
        outlog_add(&outlog, stream, piece);
        all += piece;
    }
    return all;
}

static void put(int stream, size_t n)
{
    ck_assert_uint_eq(put_some(stream, n, n), n);
}

/* Reads as an answer does.  Return: as outlog_pieces(). */
static int read_log(int64_t offset, size_t max, size_t max_segments,
                    struct buf *bytes, struct buf *text)
{
    size_t n = 0;
    uint8_t *where;
    int r = outlog_pieces(&outlog, offset, max, max_segments, text, &n);

    if (r == 0 && n > 0 && buf_reserve(bytes, n, &where) == 0) {
        outlog_copy(&outlog, offset, where, n);
        buf_commit(bytes, n);
    }
    return r;
}

/* What is read from an offset on has these segments, and the right bytes. */
static void expect(int64_t offset, size_t max, size_t max_segments,
                   const char *segments)
{
    struct buf bytes;
    struct buf text;

    buf_init(&bytes, max);
    buf_init(&text, 1 << 20);
    ck_assert_int_eq(read_log(offset, max, max_segments, &bytes, &text), 0);
    ck_assert_str_eq(buf_cstr(&text), segments);
    for (size_t i = 0; i < bytes.len; i++)
        ck_assert_msg(buf_data(&bytes)[i] == byte_at(offset + (int64_t) i),
                      "byte %zu behind %lld", i, (long long) offset);
    buf_free(&bytes);
    buf_free(&text);
}

/* --- one block ------------------------------------------------------------ */

START_TEST(empty)
{
    expect(0, 100, 10, "");
    outlog_take(&outlog, 0);
    ck_assert_int_eq(outlog.start, 0);
    ck_assert_int_eq(outlog.end, 0);
}
END_TEST

/* Bytes of one stream that follow one another are one piece. */
START_TEST(merges)
{
    put(0, 3);
    put(0, 4);
    put(1, 1);
    put(1, 1);
    put(0, 5);
    outlog_add(&outlog, 1, 0);
    expect(0, 100, 10, "1:7,2:2,1:5");
    ck_assert_int_eq(outlog.end, 14);
}
END_TEST

static const struct {
    int64_t offset;
    size_t max, segments;
    const char *want;
} parts[] = {
    /* of 1:7,2:2,1:5 */
    { 0, 7, 10, "1:7" },       { 0, 6, 10, "1:6" },
    { 0, 8, 10, "1:7,2:1" },   { 0, 14, 3, "1:7,2:2,1:5" },
    { 0, 14, 2, "1:7,2:2" },   { 0, 14, 1, "1:7" },
    { 0, 0, 10, "" },          { 3, 100, 10, "1:4,2:2,1:5" },
    { 7, 100, 10, "2:2,1:5" }, { 8, 100, 10, "2:1,1:5" },
    { 8, 2, 10, "2:1,1:1" },   { 9, 100, 10, "1:5" },
    { 13, 100, 10, "1:1" },    { 14, 100, 10, "" },
    { 3, 5, 1, "1:4" },
};

START_TEST(reads_parts)
{
    put(0, 7);
    put(1, 2);
    put(0, 5);
    expect(parts[_i].offset, parts[_i].max, parts[_i].segments,
           parts[_i].want);
}
END_TEST

START_TEST(takes)
{
    put(0, 7);
    put(1, 2);
    outlog_take(&outlog, 3);
    ck_assert_int_eq(outlog.start, 3);
    expect(3, 100, 10, "1:4,2:2");
    outlog_take(&outlog, 8);
    expect(8, 100, 10, "2:1");
    outlog_take(&outlog, 2); /* again: that was taken */
    ck_assert_int_eq(outlog.start, 8);
    outlog_take(&outlog, 9);
    expect(9, 100, 10, "");
    put(1, 4);
    expect(9, 100, 10, "2:4");
    ck_assert_int_eq(outlog.end, 13);
}
END_TEST

/* --- many blocks ---------------------------------------------------------- */

START_TEST(over_blocks)
{
    put(0, BLOCK - 1);
    put(1, 2 * BLOCK);
    expect(0, JOB_OUTPUT_MAX, 10, "1:65535,2:131072");
    expect(BLOCK - 2, 5, 10, "1:1,2:4");
    outlog_take(&outlog, 2 * BLOCK);
    expect(2 * BLOCK, JOB_OUTPUT_MAX, 10, "2:65535");
    put(0, BLOCK);
    expect(2 * BLOCK, JOB_OUTPUT_MAX, 10, "2:65535,1:65536");
    expect(3 * BLOCK - 1, JOB_OUTPUT_MAX, 10, "1:65536");
}
END_TEST

/* No more than a job may hold; when some was taken it goes on. */
START_TEST(holds_back)
{
    uint8_t *where;

    ck_assert_uint_eq(put_some(0, 2 * JOB_OUTPUT_MAX, 4096), JOB_OUTPUT_MAX);
    ck_assert_uint_eq(outlog_space(&outlog, &where), 0);
    outlog_take(&outlog, BLOCK - 1);
    ck_assert_uint_eq(outlog_space(&outlog, &where), 0);
    outlog_take(&outlog, BLOCK);
    ck_assert_uint_eq(outlog_space(&outlog, &where), BLOCK);
    put(1, BLOCK);
    ck_assert_uint_eq(outlog_space(&outlog, &where), 0);
    outlog_take(&outlog, outlog.end);
    put(1, JOB_OUTPUT_MAX);
}
END_TEST

/* Through a reader that takes odd amounts. */
START_TEST(goes_on)
{
    int64_t total = 5 * JOB_OUTPUT_MAX + 12345;
    int64_t at = 0;

    for (int turn = 0; at < total; turn++) {
        size_t step = (size_t) (turn * 7919 % 200000) + 1;
        int64_t next = at + (int64_t) step;

        if (outlog.end < total)
            put_some(turn % 3 == 0,
                     (size_t) (total - outlog.end) < step
                         ? (size_t) (total - outlog.end)
                         : step,
                     5000);
        at = next < outlog.end ? next : outlog.end;
        outlog_take(&outlog, at);
        if (turn % 50 == 0) {
            struct buf bytes;
            struct buf text;

            buf_init(&bytes, 3000);
            buf_init(&text, 1 << 16);
            ck_assert_int_eq(read_log(at, 3000, 9, &bytes, &text), 0);
            for (size_t i = 0; i < bytes.len; i++)
                ck_assert_uint_eq(buf_data(&bytes)[i],
                                  byte_at(at + (int64_t) i));
            buf_free(&bytes);
            buf_free(&text);
        }
    }
    ck_assert_int_eq(outlog.end, total);
    ck_assert_uint_eq(outlog.n_blocks, 1);
    ck_assert_uint_eq(outlog.segments.len, 0);
}
END_TEST

/* --- pieces --------------------------------------------------------------- */

/* A program that says a byte on each in turn is held back, too. */
START_TEST(segments_have_a_limit)
{
    uint8_t *where;
    int64_t n = 0;

    while (outlog_space(&outlog, &where) > 0)
        put((int) (n++ % 2), 1);
    ck_assert_int_eq(n, JOB_SEGMENTS_MAX);
    outlog_take(&outlog, 1);
    ck_assert_uint_gt(outlog_space(&outlog, &where), 0);
    put(0, 1);
    ck_assert_uint_eq(outlog_space(&outlog, &where), 0);
    expect(1, 100, 3, "2:1,1:1,2:1");
}
END_TEST

/* --- the pool ------------------------------------------------------------- */

START_TEST(pool_is_shared)
{
    uint8_t *where;

    put(0, BLOCK);
    pool.left = 2;
    ck_assert_uint_eq(put_some(0, JOB_OUTPUT_MAX, 4096), 2 * BLOCK);
    ck_assert_uint_eq(pool.left, 0);
    outlog_take(&outlog, BLOCK + 1);
    ck_assert_uint_eq(pool.left, 1);
    put(0, BLOCK);
    ck_assert_uint_eq(outlog_space(&outlog, &where), 0);
    outlog_take(&outlog, outlog.end);
    ck_assert_uint_eq(pool.left, 2);
    /* The one that it always has. */
    pool.left = 0;
    put(1, BLOCK);
    ck_assert_uint_eq(outlog_space(&outlog, &where), 0);
    outlog_take(&outlog, outlog.end);
    put(1, BLOCK);
    pool.left = OUTPOOL_BLOCKS;
}
END_TEST

/* --- what was taken is kept ----------------------------------------------- */

START_TEST(keeps)
{
    char all[32];

    keep_what_was_taken();
    put(0, 3 * BLOCK);
    put(1, 5);
    outlog_take(&outlog, 3 * BLOCK + 2);
    ck_assert_int_eq(outlog.start, 0);
    expect(0, JOB_OUTPUT_MAX, 10, "1:196608,2:5");
    /* … until there is no other room. */
    ck_assert_uint_eq(put_some(1, 2 * JOB_OUTPUT_MAX, 4096),
                      JOB_OUTPUT_MAX - 5);
    ck_assert_int_eq(outlog.start, 3 * BLOCK + 2);
    snprintf(all, sizeof(all), "2:%ld", JOB_OUTPUT_MAX - 2);
    expect(outlog.start, JOB_OUTPUT_MAX, 10, all);
}
END_TEST

static bool give_back(void *arg)
{
    return outlog_forget(arg);
}

/* … or others need it. */
START_TEST(gives_back)
{
    struct outlog other;
    uint8_t *where;

    keep_what_was_taken();
    pool.left = 3;
    pool.reclaim = give_back;
    pool.arg = &outlog;
    ck_assert_int_eq(outlog_init(&other, &pool, false), 0);
    put(0, 4 * BLOCK);
    outlog_take(&outlog, 2 * BLOCK + 1);
    ck_assert_uint_eq(pool.left, 0);
    outlog_add(&other, 0, outlog_space(&other, &where));
    ck_assert_uint_eq(outlog_space(&other, &where), BLOCK);
    ck_assert_uint_eq(pool.left, 1);
    ck_assert_int_eq(outlog.start, 2 * BLOCK + 1);
    expect(outlog.start, JOB_OUTPUT_MAX, 10, "1:131071");
    outlog_free(&other);
    ck_assert_uint_eq(pool.left, 2);
    pool.left = OUTPOOL_BLOCKS - 1;
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, empty);
    tcase_add_test(tcase, merges);
    tcase_add_loop_test(tcase, reads_parts, 0, ARRAY_SIZE(parts));
    tcase_add_test(tcase, takes);
    tcase_add_test(tcase, over_blocks);
    tcase_add_test(tcase, holds_back);
    tcase_add_test(tcase, goes_on);
    tcase_add_test(tcase, segments_have_a_limit);
    tcase_add_test(tcase, pool_is_shared);
    tcase_add_test(tcase, keeps);
    tcase_add_test(tcase, gives_back);
}
