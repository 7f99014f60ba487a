/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/fleet/prefix.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/host/capture.h"
#include "unit/unit.h"

const char unit_name[] = "prefix";

static const struct {
    const char *bytes;
    size_t n;
    const char *lines;
    size_t length;
} texts[] = {
    { BYTES(""), BYTES("") },
    { BYTES("a\n"), BYTES("w: a\n") },
    { BYTES("a"), BYTES("w: a\n") },
    { BYTES("\n"), BYTES("w: \n") },
    { BYTES("\n\n"), BYTES("w: \nw: \n") },
    { BYTES("a\nb\n"), BYTES("w: a\nw: b\n") },
    { BYTES("a\nb"), BYTES("w: a\nw: b\n") },
    { BYTES("a\r\nb\tc"), BYTES("w: a\r\nw: b\tc\n") },
    { BYTES("a\0b\n\xFF"), BYTES("w: a\0b\nw: \xFF\n") },
    { BYTES("%s %n\n"), BYTES("w: %s %n\n") },
};

START_TEST(whole_lines)
{
    for (size_t step = 1; step <= texts[_i].n + 1; step++) {
        struct prefix prefix;
        AUTO_FREE char *got = NULL;
        size_t n;

        prefix_init(&prefix, "w");
        capture_start(1);
        for (size_t at = 0; at < texts[_i].n; at += step) {
            size_t piece = texts[_i].n - at < step ? texts[_i].n - at : step;
            struct guarded copy = guarded_copy(texts[_i].bytes + at, piece);

            ck_assert_int_eq(prefix_feed(&prefix, 1, copy.bytes, piece), 0);
            guarded_free(&copy);
        }
        ck_assert_int_eq(prefix_end(&prefix, 1), 0);
        ck_assert_int_eq(prefix_end(&prefix, 1), 0); /* once only */
        got = capture_end(1, &n);
        prefix_free(&prefix);
        ck_assert_uint_eq(n, texts[_i].length);
        ck_assert_mem_eq(got, texts[_i].lines, n);
    }
}
END_TEST

/* Only whole lines are written: those of several stay apart. */
START_TEST(nothing_before_its_end)
{
    struct prefix prefix;
    AUTO_FREE char *got = NULL;
    size_t n;

    prefix_init(&prefix, "w");
    capture_start(2);
    ck_assert_int_eq(prefix_feed(&prefix, 2, (const uint8_t *) "a\nbc", 4), 0);
    got = capture_end(2, &n);
    ck_assert_str_eq(got, "w: a\n");
    ck_assert_uint_eq(prefix.line.len, 2);
    prefix_free(&prefix);
}
END_TEST

#define MIB (1024 * 1024)

/* A line without an end is cut, and nothing of it is lost or doubled. */
START_TEST(long_lines)
{
    static const struct {
        size_t n, lines;
        bool feed;
    } sizes[] = {
        { MIB - 1, 1, true }, { MIB - 1, 1, false },     { MIB, 1, true },
        { MIB, 1, false },    { MIB + 1, 2, true },      { 3 * MIB, 3, false },
        { 3 * MIB, 3, true }, { 3 * MIB + 5, 4, false },
    };
    static const size_t steps[] = { 4 * MIB, 65536, MIB, 1000 };

    for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(steps); i++) {
        size_t size = sizes[i / ARRAY_SIZE(steps)].n;
        size_t step = steps[i % ARRAY_SIZE(steps)];
        bool feed = sizes[i / ARRAY_SIZE(steps)].feed;
        size_t total = size + feed;
        AUTO_FREE uint8_t *bytes = malloc(total);
        AUTO_FREE char *got = NULL;
        struct prefix prefix;
        size_t lines = 0;
        size_t n;

        memset(bytes, 'x', size);
        if (feed)
            bytes[size] = '\n';
        prefix_init(&prefix, "w");
        capture_start(1);
        for (size_t at = 0; at < total; at += step)
            ck_assert_int_eq(
                prefix_feed(&prefix, 1, bytes + at,
                            total - at < step ? total - at : step),
                0);
        ck_assert_uint_le(prefix.line.cap, 4 * MIB);
        ck_assert_int_eq(prefix_end(&prefix, 1), 0);
        got = capture_end(1, &n);
        prefix_free(&prefix);
        for (const char *p = got; (p = strchr(p, '\n')); p++)
            lines++;
        ck_assert_msg(lines == sizes[i / ARRAY_SIZE(steps)].lines,
                      "%zu by %zu: %zu lines", size, step, lines);
        ck_assert_uint_eq(n, size + lines * strlen("w: \n"));
    }
}
END_TEST

START_TEST(nobody_reads)
{
    struct prefix prefix;
    int ends[2];
    int saved = dup(1);
    int r;

    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    prefix_init(&prefix, "w");
    dup2(ends[1], 1);
    r = prefix_feed(&prefix, 1, (const uint8_t *) "a\n", 2);
    dup2(saved, 1);
    ck_assert_int_eq(r, -EPIPE);
    prefix_free(&prefix);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, whole_lines, 0, ARRAY_SIZE(texts));
    tcase_add_test(tcase, nothing_before_its_end);
    tcase_add_test(tcase, long_lines);
    tcase_add_test(tcase, nobody_reads);
}
