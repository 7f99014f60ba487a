/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The way out of the guest's terminal, however the keys come. */
#include <config.h>

#include "host/job/escape.h"

#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "escape";

#define TYPED_MAX 64

static const struct {
    const char *typed;
    const char *out; /* for the guest */
    bool leave;
} cases[] = {
    { "", "", false },
    { "ls\r", "ls\r", false },
    /* at the beginning, and of each line; Enter is \r in raw mode */
    { "~.", "", true },
    { "~.x", "", true },
    { "ls\r~.", "ls\r", true },
    { "ls\n~.", "ls\n", true },
    { "\r\r~.", "\r\r", true },
    /* not within a line */
    { "a~.", "a~.", false },
    { " ~.", " ~.", false },
    { "ls\ra~.", "ls\ra~.", false },
    { ".", ".", false },
    { "..", "..", false },
    /* one tilde that is meant */
    { "~~", "~", false },
    { "~~.", "~.", false },
    { "~~~.", "~~.", false },
    { "~~\r~.", "~\r", true },
    { "x\r~~/f\r", "x\r~/f\r", false },
    /* a tilde that is held back comes with the next key */
    { "~", "", false },
    { "~/bin/x\r", "~/bin/x\r", false },
    { "~x~.", "~x~.", false },
    { "~x\r~.", "~x\r", true },
    { "~\r", "~\r", false },
    { "~\r~.", "~\r", true },
    { "\r~\r~\r~~", "\r~\r~\r~", false },
    /* what is no character is a key like others */
    { "\x03~.", "\x03~.", false },
    { "~\x03", "~\x03", false },
    { "\xFF\r~\xFF", "\xFF\r~\xFF", false },
};

/* Types n bytes, from and to memory that has not a byte more than is due. */
static size_t type(struct escape *escape, const char *typed, size_t n,
                   char *out, bool *leave)
{
    struct guarded in = guarded_copy(typed, n);
    struct guarded room = guarded_copy(memset(out, '?', n + 1), n + 1);
    size_t kept;

    kept = escape_filter(escape, (const char *) in.bytes, n,
                         (char *) room.bytes, leave);
    ck_assert_uint_le(kept, n + 1);
    memcpy(out, room.bytes, kept);
    guarded_free(&in);
    guarded_free(&room);
    return kept;
}

/* Types it in two, nothing behind the way out; the rest byte by byte. */
static void check(const char *typed, size_t cut, size_t step,
                  const char *expected, bool leaves)
{
    struct escape escape = ESCAPE_INIT;
    char out[2 * TYPED_MAX] = "";
    size_t length = strlen(typed);
    size_t kept = 0;
    bool leave = false;

    for (size_t at = 0; at < length && !leave;) {
        size_t n = at < cut ? cut : step;

        n = n < length - at ? n : length - at;
        kept += type(&escape, typed + at, n, out + kept, &leave);
        at += n;
    }
    out[kept] = '\0';
    ck_assert_msg(strcmp(out, expected) == 0, "'%s', cut %zu, step %zu: '%s'",
                  typed, cut, step, out);
    ck_assert_int_eq(leave, leaves);
}

START_TEST(rules)
{
    const char *typed = cases[_i].typed;

    check(typed, strlen(typed), 1, cases[_i].out, cases[_i].leave);
    for (size_t cut = 0; cut < strlen(typed); cut++) {
        check(typed, cut, TYPED_MAX, cases[_i].out, cases[_i].leave);
        check(typed, cut, 1, cases[_i].out, cases[_i].leave);
    }
}
END_TEST

/* NUL is a key, too (Ctrl-@). */
START_TEST(nul)
{
    struct escape escape = ESCAPE_INIT;
    char out[8];
    bool leave = false;

    ck_assert_uint_eq(escape_filter(&escape, "~\0\r~", 4, out, &leave), 3);
    ck_assert_mem_eq(out, "~\0\r", 3);
    ck_assert(!leave);
    ck_assert_uint_eq(escape_filter(&escape, ".", 1, out, &leave), 0);
    ck_assert(leave);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, rules, 0, ARRAY_SIZE(cases));
    tcase_add_test(tcase, nul);
}
