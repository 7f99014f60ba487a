/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/syncscan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "unit/unit.h"

const char unit_name[] = "syncscan";

#define ID "00112233445566778899aabbccddeeff"
#define ANSWER(id, length, body)                  \
    "HTTP/1.1 200 OK\r\nX-Request-ID: " id "\r\n" \
    "Content-Length: " length "\r\n\r\n" body
#define OURS ANSWER(ID, "4", "ours")
#define CHUNKED                                   \
    "HTTP/1.1 200 OK\r\nX-Request-ID: " ID "\r\n" \
    "Transfer-Encoding: chunked\r\n\r\n2\r\nou\r\n2\r\nrs\r\n0\r\n\r\n"

/* What stands in front of the answer, or instead of it. */
static const struct {
    const char *bytes;
    size_t n;
    bool found;
} streams[] = {
    { BYTES(OURS), true },
    { BYTES(CHUNKED), true },
    { BYTES("\r\n\r\n" OURS), true },
    { BYTES("noise" OURS), true },
    { BYTES("noise \r\n\r\n noise" OURS), true },
    { BYTES("\0\xFF\0\xFF" OURS), true },
    { BYTES(ANSWER("other", "4", "them") OURS), true },
    { BYTES(ANSWER("other", "1000000", "them") OURS), true },
    { BYTES(ANSWER("other", "0", "") CHUNKED), true },
    { BYTES("HTTP/1.1 200 OK\r\nX-Requ" OURS), true },
    { BYTES("HTTP/1.1 200 OK\r\nX-Request-ID: " ID OURS), true },
    { BYTES("HTTP/1.1 200 OK\r\n\r\n" OURS), true },
    { BYTES("HTTP/1.1 " OURS), true },
    { BYTES("HTTP/1.1 HTTP/1.1 200 OK\r\n\r\n" OURS), true },
    { BYTES("HTTP/1.1 200"
            "HTTP/1.1 100 Continue\r\n\r\n" OURS),
      true },
    { BYTES("HTTP/1.1 garbage\r\n\r\n" OURS), true },
    { BYTES(ANSWER("other", "4", "H") OURS), true },
    { BYTES("HTTP/1.1 200 OK\r\nX-Request-ID: " ID "\r\n"
            "Content-Length: x\r\n\r\n" OURS),
      true },
    { BYTES("HTTP/1.1 100 Continue\r\nX-Request-ID: " ID "\r\n\r\n" OURS),
      true },
    /* ours by its id, and larger than an answer to a sync may be */
    { BYTES(ANSWER(ID, "65537", "x") OURS), true },
    { BYTES(OURS "\r\nmore" OURS), true },
    { BYTES(""), false },
    { BYTES(ANSWER(ID, "4", "our")), false },
    { BYTES(ANSWER("other", "4", "ours")), false },
    { BYTES(ANSWER(ID "0", "4", "ours")), false },
    { BYTES("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nours"), false },
    { BYTES("HTTP/1.0 200 OK\r\nX-Request-ID: " ID "\r\n"
            "Content-Length: 4\r\n\r\nours"),
      false },
    { BYTES("HTTP/1.1 200 OK\r\nX-Request-ID: " ID "\r\n\r\n"), false },
};

/* Feeds a stream in steps; the answer has to be found at its very end, or
 * nothing at all. */
static void feed(size_t at, size_t step)
{
    struct syncscan scan;
    int r = SYNCSCAN_MORE;

    syncscan_init(&scan, ID);
    for (size_t i = 0; i < streams[at].n && r == SYNCSCAN_MORE; i += step) {
        size_t n = streams[at].n - i < step ? streams[at].n - i : step;
        struct guarded piece = guarded_copy(streams[at].bytes + i, n);

        r = syncscan_feed(&scan, piece.bytes, n);
        guarded_free(&piece);
    }
    ck_assert_msg((r == SYNCSCAN_FOUND) == streams[at].found,
                  "stream %zu by %zu: %d", at, step, r);
    if (streams[at].found)
        ck_assert_str_eq(buf_cstr(&scan.body), "ours");
    syncscan_free(&scan);
}

START_TEST(stream)
{
    size_t at = (size_t) _i;

    feed(at, streams[at].n + 1);
    feed(at, 1);
    feed(at, 2);
    feed(at, 7);
}
END_TEST

/* Cut at every place, each half at the edge of its memory. */
START_TEST(every_cut)
{
    static const char bytes[] = "HTTP/1.1 200 OK\r\nX-Requ" ANSWER(
        "other", "9", "them") CHUNKED;
    size_t n = sizeof(bytes) - 1;

    for (size_t cut = 1; cut < n; cut++) {
        struct guarded one = guarded_copy(bytes, cut);
        struct guarded two = guarded_copy(bytes + cut, n - cut);
        struct syncscan scan;

        syncscan_init(&scan, ID);
        ck_assert_int_eq(syncscan_feed(&scan, one.bytes, cut), SYNCSCAN_MORE);
        ck_assert_int_eq(syncscan_feed(&scan, two.bytes, n - cut),
                         SYNCSCAN_FOUND);
        ck_assert_str_eq(buf_cstr(&scan.body), "ours");
        syncscan_free(&scan);
        guarded_free(&one);
        guarded_free(&two);
    }
}
END_TEST

/* Noise of several kinds, up to the bound: the answer behind it is found, and
 * what is kept of the noise is bounded, too. */
START_TEST(much_noise)
{
    static const char *const noises[] = {
        "x",
        "\r\n\r\n",
        "HTTP/1.1 ",
        "HTTP/1.1 200 OK\r\n\r\n",
        ANSWER("other", "100", "x"),
        "\r\n\r\r\n\n",
    };
    size_t n = strlen(noises[_i]);
    AUTO_FREE uint8_t *block = malloc(100000);
    struct syncscan scan;
    int64_t fed = 0;

    for (size_t i = 0; i < 100000; i++)
        block[i] = (uint8_t) noises[_i][i % n];
    syncscan_init(&scan, ID);
    while (fed < 8 * 1024 * 1024) {
        ck_assert_int_eq(syncscan_feed(&scan, block, 100000), SYNCSCAN_MORE);
        fed += 100000;
        ck_assert_uint_le(scan.window.len, HTTP_HEAD_MAX + 128 * 1024);
    }
    ck_assert_int_eq(
        syncscan_feed(&scan, (const uint8_t *) OURS, sizeof(OURS) - 1),
        SYNCSCAN_FOUND);
    ck_assert_str_eq(buf_cstr(&scan.body), "ours");
    syncscan_free(&scan);
}
END_TEST

START_TEST(flood)
{
    AUTO_FREE uint8_t *block = calloc(1, 1024 * 1024);
    struct syncscan scan;
    int64_t fed = 0;
    int r = SYNCSCAN_MORE;

    syncscan_init(&scan, ID);
    while (r == SYNCSCAN_MORE && fed < 2 * SYNC_DISCARD_MAX) {
        r = syncscan_feed(&scan, block, 1024 * 1024);
        fed += 1024 * 1024;
    }
    ck_assert_int_eq(r, SYNCSCAN_FLOOD);
    ck_assert_int_gt(fed, SYNC_DISCARD_MAX);
    ck_assert_int_le(fed, SYNC_DISCARD_MAX + 2 * 1024 * 1024);
    syncscan_free(&scan);
}
END_TEST

/* With the right id and without an end: the kinds of too much. */
START_TEST(ours_without_end)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nX-Request-ID: " ID "\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    static const char *const chunks[] = { "1\r\nx\r\n", "1;extension\r\nx\r\n",
                                          "000001\r\nx\r\n" };
    const uint8_t *chunk = (const uint8_t *) chunks[_i];
    struct syncscan scan;
    int r;

    syncscan_init(&scan, ID);
    r = syncscan_feed(&scan, (const uint8_t *) head, sizeof(head) - 1);
    ck_assert_int_eq(r, SYNCSCAN_MORE);
    {
        /* enough in one go, for the time that many small ones would take */
        size_t n = strlen(chunks[_i]);
        size_t size = n * (SYNC_DISCARD_MAX / 64 / n);
        AUTO_FREE uint8_t *block = malloc(size);

        for (size_t i = 0; i < size; i++)
            block[i] = chunk[i % n];
        for (int i = 0; i < 70 && r == SYNCSCAN_MORE; i++)
            r = syncscan_feed(&scan, block, size);
    }
    ck_assert_int_eq(r, SYNCSCAN_FLOOD);
    syncscan_free(&scan);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, stream, 0, ARRAY_SIZE(streams));
    tcase_add_test(tcase, every_cut);
    tcase_add_loop_test(tcase, much_noise, 0, 6);
    tcase_add_test(tcase, flood);
    tcase_add_loop_test(tcase, ours_without_end, 0, 3);
}
