/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/fleet/record.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "unit/host/capture.h"
#include "unit/unit.h"

const char unit_name[] = "record";

#define HEAD "{\"domain\":\"we\\\"b\",\"exit_status\":7"

static const struct {
    const char *lines;  /* that it made */
    const char *output; /* of a guest, ... */
    size_t n;
    const char *written;
} texts[] = {
    { "", BYTES(""), HEAD "}\n" },
    { "{\"a\":1}\n", BYTES(""), HEAD ",\"a\":1}\n" },
    { "{\"a\":1}\n{\"b\":{}}\n", BYTES(""),
      HEAD ",\"a\":1}\n" HEAD ",\"b\":{}}\n" },
    { "{\"a\":1}\n{\"b\":", BYTES(""), HEAD ",\"a\":1}\n" },
    { "", BYTES("plain \"x\"\n"),
      HEAD ",\"output\":\"plain \\\"x\\\"\\n\"}\n" },
    { "", BYTES("x"), HEAD ",\"output\":\"x\"}\n" },
    { "", BYTES("\n"), HEAD ",\"output\":\"\\n\"}\n" },
    { "", BYTES("{\"domain\":\"x\"}\n"),
      HEAD ",\"output\":\"{\\\"domain\\\":\\\"x\\\"}\\n\"}\n" },
    { "{\"code\":1}\n", BYTES("abc"),
      HEAD ",\"output\":\"abc\"}\n" HEAD ",\"code\":1}\n" },
    { "", BYTES("\xFF\n"),
      HEAD ",\"output\":\"/wo=\",\"output_encoding\":\"base64\"}\n" },
};

static void feed(struct record *record, bool lines, const char *bytes,
                 size_t n, size_t step)
{
    for (size_t at = 0; at < n; at += step)
        ck_assert_int_eq(record_feed(record, lines,
                                     (const uint8_t *) bytes + at,
                                     n - at < step ? n - at : step),
                         0);
}

/* Every line is JSON, in however many pieces it came; and what a guest says is
 * never ours. */
START_TEST(whole_lines)
{
    for (size_t step = 1; step <= 20; step++) {
        struct record record;
        AUTO_FREE char *got = NULL;
        size_t n;

        record_init(&record, "we\"b");
        feed(&record, true, texts[_i].lines, strlen(texts[_i].lines), step);
        feed(&record, false, texts[_i].output, texts[_i].n, step);
        capture_start(1);
        ck_assert_int_eq(record_end(&record, 7), 0);
        got = capture_end(1, &n);
        ck_assert_str_eq(got, texts[_i].written);
        record_free(&record);
    }
}
END_TEST

/* However long. */
START_TEST(long_line)
{
    size_t n = 9 << 20;
    AUTO_FREE char *text = malloc(n + 1);
    AUTO_FREE char *got = NULL;
    struct json_object *value;
    struct record record;
    size_t length;

    memset(text, 'x', n);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + n - 3, "\"}\n", 4);
    record_init(&record, "w");
    feed(&record, true, text, n, 65536);
    capture_start(1);
    ck_assert_int_eq(record_end(&record, 0), 0);
    got = capture_end(1, &length);
    ck_assert_ptr_eq(strchr(got, '\n'), got + length - 1);
    value = json_tokener_parse(got);
    ck_assert_int_eq(json_object_object_length(value), 3);
    ck_assert_int_eq(
        json_object_get_string_len(json_object_object_get(value, "a")),
        (int) n - 9);
    json_object_put(value);
    record_free(&record);
}
END_TEST

START_TEST(nobody_reads)
{
    struct record record;
    int ends[2];
    int saved = dup(1);
    int r;

    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    record_init(&record, "w");
    dup2(ends[1], 1);
    r = record_end(&record, 0);
    dup2(saved, 1);
    ck_assert_int_eq(r, -EPIPE);
    record_free(&record);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, whole_lines, 0, ARRAY_SIZE(texts));
    tcase_add_test(tcase, long_line);
    tcase_add_test(tcase, nobody_reads);
}
