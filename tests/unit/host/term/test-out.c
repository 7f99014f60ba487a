/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/term/out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/host/capture.h"
#include "unit/unit.h"
#include "util/fd.h"

const char unit_name[] = "out";

/* What steers a terminal: C0, DEL, C1 in UTF-8, a direction, a tag. */
#define EVIL                                   \
    "a\x1B[2J\x07\x08\r\t\x7F\xC2\x80\xC2\x9B" \
    "31m\xC2\x9F\x01\xC2\xA0z"                 \
    "\xE2\x80\xAE\xF3\xA0\x81\x81"
#define TAME            \
    "a?[2J???????"      \
    "??31m???\xC2\xA0z" \
    "???????"

static bool is_tame(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char) text[i];
        unsigned char next = (unsigned char) text[i + 1];

        if (strncmp(text + i, "\xE2\x80\xAE", 3) == 0
            || strncmp(text + i, "\xF3\xA0\x81\x81", 4) == 0)
            return false;
        if ((c < 0x20 && c != '\n') || c == 0x7F
            || (c == 0xC2 && next >= 0x80 && next < 0xA0))
            return false;
    }
    return true;
}

START_TEST(line)
{
    AUTO_FREE char *got = NULL;
    size_t n;

    capture_start(1);
    ck_assert_int_eq(out_line("%s %d", EVIL "\n\nx", 5), 0);
    got = capture_end(1, &n);
    ck_assert_str_eq(got, TAME "??x 5\n");
    ck_assert(is_tame(got, n));
}
END_TEST

/* Whatever the length, it is one line and ends. */
START_TEST(long_line)
{
    for (size_t size = 4090; size < 4100; size++) {
        AUTO_FREE char *text = calloc(1, size + 1);
        AUTO_FREE char *got = NULL;
        size_t n;

        memset(text, 'x', size);
        text[size - 1] = '\n';
        capture_start(1);
        ck_assert_int_eq(out_line("%s", text), 0);
        got = capture_end(1, &n);
        ck_assert_uint_le(n, 4096);
        ck_assert_ptr_eq(strchr(got, '\n'), got + n - 1);
    }
}
END_TEST

static const struct out quiet = { .quiet = true };
static const struct out plain = { .quiet = false };
static const struct out verbose = { .verbose = true };

START_TEST(messages)
{
    AUTO_FREE char *got = NULL;
    size_t n;

    capture_start(2);
    out_message(&quiet, "no");
    out_message(&plain, "yes %s", EVIL);
    out_note(&plain, "no");
    out_note(&verbose, "note %s", EVIL);
    got = capture_end(2, &n);
    ck_assert_str_eq(got, "vsrpc-virsh: yes " TAME "\n"
                          "vsrpc-virsh: note: note " TAME "\n");
}
END_TEST

START_TEST(errors)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *got = NULL;
    size_t n;

    capture_start(2);
    error_set(&err, -EIO, "guest says %s", EVIL);
    out_error(&err);
    error_hint(&err, "type %s", EVIL "\n");
    out_error(&err);
    error_set(&err, -EPIPE, "nobody reads");
    out_error(&err);
    got = capture_end(2, &n);
    ck_assert_str_eq(got, "vsrpc-virsh: guest says " TAME "\n"
                          "vsrpc-virsh: guest says " TAME "\n"
                          "  try: type " TAME "?\n");
}
END_TEST

START_TEST(table)
{
    struct strlist cells = { 0 };
    static const char *const words[] = { "NAME", "STATE",         "web1",
                                         EVIL,   "a longer name", "x\ny" };
    AUTO_FREE char *got = NULL;
    size_t n;

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        ck_assert_int_eq(strlist_add(&cells, words[i]), 0);
    capture_start(1);
    ck_assert_int_eq(out_table(&cells, 2), 0);
    got = capture_end(1, &n);
    ck_assert_str_eq(got, "NAME           STATE\n"
                          "web1           " TAME "\n"
                          "a longer name  x?y\n");
    ck_assert_int_eq(out_table(&cells, 17), -EINVAL);
    strlist_free(&cells);
}
END_TEST

/* --- JSON ---------------------------------------------------------------- */

static void expect_json(const char *bytes, size_t size, const char *want)
{
    struct json_object *value = json_object_new_string_len(bytes, (int) size);
    AUTO_FREE char *got = NULL;
    struct json_object *again;
    size_t n;

    capture_start(1);
    ck_assert_int_eq(out_json(STDOUT_FILENO, value), 0);
    got = capture_end(1, &n);
    ck_assert_msg(is_tame(got, n), "%s", got);
    ck_assert_ptr_eq(strchr(got, '\n'), got + n - 1);
    if (want)
        ck_assert_str_eq(got, want);
    again = json_tokener_parse(got);
    ck_assert_msg(again != NULL, "no JSON: %s", got);
    if (want) {
        ck_assert_int_eq(json_object_get_string_len(again), (int) size);
        ck_assert_mem_eq(json_object_get_string(again), bytes, size);
    }
    json_object_put(again);
    json_object_put(value);
}

/* Nothing steers a terminal, and nothing is lost. */
START_TEST(json)
{
    expect_json(BYTES("plain/\"\\"), "\"plain/\\\"\\\\\"\n");
    expect_json(BYTES("\x7F"), "\"\\u007f\"\n");
    expect_json(BYTES("\xC2\x80\xC2\x9F"), "\"\\u0080\\u009f\"\n");
    expect_json(BYTES("\xC2\xA0\xC3\x80"), "\"\xC2\xA0\xC3\x80\"\n");
    expect_json(BYTES("a\0\x1B[m\r\n\t"), "\"a\\u0000\\u001b[m\\r\\n\\t\"\n");
}
END_TEST

/* Should a string that is not UTF-8 ever come here, the text stays JSON. */
START_TEST(json_broken_string)
{
    expect_json(BYTES("\xC2\""), NULL);
    expect_json(BYTES("\xC2\\"), NULL);
    expect_json(BYTES("\xC2"), NULL);
    expect_json(BYTES("\xC2\x7F"), NULL);
    expect_json(BYTES("\xC2\x1B[2J"), NULL);
}
END_TEST

/* --- bytes --------------------------------------------------------------- */

START_TEST(bytes)
{
    AUTO_FREE char *got = NULL;
    size_t n;

    capture_start(1);
    ck_assert_int_eq(out_bytes(1, "a\0\x1B\xFF", 4), 0);
    ck_assert_int_eq(out_bytes(1, "", 0), 0);
    got = capture_end(1, &n);
    ck_assert_uint_eq(n, 4);
    ck_assert_mem_eq(got, "a\0\x1B\xFF", 4);
}
END_TEST

/* Waits until a pipe takes no more. */
static void fills_up(int end)
{
    struct pollfd room = { .fd = end, .events = POLLOUT };

    while (poll(&room, 1, 0) > 0)
        usleep(100); /* the step of a poll: POLLOUT has no opposite */
}

/* A pipe that does not block and whose reader is slow. */
START_TEST(slow_reader)
{
    enum { SIZE = 1000000 };
    AUTO_FREE char *sent = malloc(SIZE);
    AUTO_FREE char *got = malloc(SIZE);
    int ends[2];
    pid_t pid;

    for (int i = 0; i < SIZE; i++)
        sent[i] = (char) (i * 7);
    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        fd_nonblock(ends[1]);
        _exit(out_bytes(ends[1], sent, SIZE) != 0);
    }
    fills_up(ends[1]);
    close(ends[1]);
    ck_assert_int_eq(fd_read_full(ends[0], got, SIZE), SIZE);
    ck_assert_mem_eq(got, sent, SIZE);
}
END_TEST

START_TEST(nobody_reads)
{
    int ends[2];

    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    ck_assert_int_eq(out_bytes(ends[1], "x", 1), -EPIPE);
    close(ends[1]);
    ck_assert_int_eq(out_bytes(ends[1], "x", 1), -EBADF);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, line);
    tcase_add_test(tcase, long_line);
    tcase_add_test(tcase, messages);
    tcase_add_test(tcase, errors);
    tcase_add_test(tcase, table);
    tcase_add_test(tcase, json);
    tcase_add_test(tcase, json_broken_string);
    tcase_add_test(tcase, bytes);
    tcase_add_test(tcase, slow_reader);
    tcase_add_test(tcase, nobody_reads);
}
