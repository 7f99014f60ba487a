/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/range.h"

#include <errno.h>

#include "unit/unit.h"
#include "util/num.h"

const char unit_name[] = "range";

#define MAX_TEXT "9223372036854775807"

/* RFC 9110 section 14.1.2 and 14.2. */
static const struct {
    const char *header;
    int64_t total;
    int result;
    int64_t first, last;
} ranges[] = {
    { "bytes=0-0", 10, 0, 0, 0 },
    { "bytes=0-9", 10, 0, 0, 9 },
    { "bytes=3-5", 10, 0, 3, 5 },
    { "bytes=9-9", 10, 0, 9, 9 },
    { "bytes=0-10", 10, 0, 0, 9 },
    { "bytes=5-" MAX_TEXT, 10, 0, 5, 9 },
    { "bytes=0-", 10, 0, 0, 9 },
    { "bytes=9-", 10, 0, 9, 9 },
    { "bytes=-1", 10, 0, 9, 9 },
    { "bytes=-10", 10, 0, 0, 9 },
    { "bytes=-11", 10, 0, 0, 9 },
    { "bytes=-" MAX_TEXT, 10, 0, 0, 9 },
    { "bytes=007-008", 10, 0, 7, 8 },
    /* nothing of it is there */
    { "bytes=10-10", 10, -ERANGE, 0, 0 },
    { "bytes=10-", 10, -ERANGE, 0, 0 },
    { "bytes=-0", 10, -ERANGE, 0, 0 },
    { "bytes=0-", 0, -ERANGE, 0, 0 },
    { "bytes=0-0", 0, -ERANGE, 0, 0 },
    { "bytes=-1", 0, -ERANGE, 0, 0 },
    /* to be ignored */
    { "", 10, 1, 0, 0 },
    { "bytes", 10, 1, 0, 0 },
    { "bytes=", 10, 1, 0, 0 },
    { "bytes=-", 10, 1, 0, 0 },
    { "bytes=5", 10, 1, 0, 0 },
    { "bytes=5-3", 10, 1, 0, 0 },
    { "bytes=0-1,3-4", 10, 1, 0, 0 },
    { "bytes=-1,-2", 10, 1, 0, 0 },
    { "bytes=0-1 ", 10, 1, 0, 0 },
    { "bytes= 0-1", 10, 1, 0, 0 },
    { "bytes=0 -1", 10, 1, 0, 0 },
    { "bytes=+0-1", 10, 1, 0, 0 },
    { "bytes=0--1", 10, 1, 0, 0 },
    { "bytes=--1", 10, 1, 0, 0 },
    { "bytes=a-b", 10, 1, 0, 0 },
    { "bytes=0x1-2", 10, 1, 0, 0 },
    { "lines=0-1", 10, 1, 0, 0 },
    { "bytes 0-1", 10, 1, 0, 0 },
    { "bytes=9223372036854775808-", 10, 1, 0, 0 },
    { "bytes=0-9223372036854775808", 10, 1, 0, 0 },
    { "bytes=-99999999999999999999", 10, 1, 0, 0 },
};

START_TEST(range)
{
    struct range got = { -7, -7 };
    int r = range_parse(ranges[_i].header, ranges[_i].total, &got);

    ck_assert_msg(r == ranges[_i].result, "'%s' of %d: %d", ranges[_i].header,
                  (int) ranges[_i].total, r);
    if (r) { /* nothing is handed out that nobody asked for */
        ck_assert_int_eq(got.first, -7);
        return;
    }
    ck_assert_int_eq(got.first, ranges[_i].first);
    ck_assert_int_eq(got.last, ranges[_i].last);
}
END_TEST

static const struct {
    const char *header;
    int result;
    int64_t first, last, total;
} contents[] = {
    { "bytes 0-0/1", 0, 0, 0, 1 },
    { "bytes 0-9/10", 0, 0, 9, 10 },
    { "bytes 5-9/10", 0, 5, 9, 10 },
    { "bytes 5-8/10", 0, 5, 8, 10 },
    { "bytes 0-9223372036854775806/" MAX_TEXT, 0, 0, INT64_MAX - 1,
      INT64_MAX },
    { "bytes 0-10/10", -EINVAL, 0, 0, 0 },
    { "bytes 10-10/10", -EINVAL, 0, 0, 0 },
    { "bytes 5-4/10", -EINVAL, 0, 0, 0 },
    { "bytes 0-0/0", -EINVAL, 0, 0, 0 },
    { "bytes */10", -EINVAL, 0, 0, 0 },
    { "bytes 0-9/*", 0, 0, 9, -1 },
    { "bytes 0-9223372036854775807/*", -EINVAL, 0, 0, 0 },
    { "bytes 0-9/**", -EINVAL, 0, 0, 0 },
    { "bytes 0-9", -EINVAL, 0, 0, 0 },
    { "bytes 0-9/", -EINVAL, 0, 0, 0 },
    { "bytes 0-9/10 ", -EINVAL, 0, 0, 0 },
    { "bytes  0-9/10", -EINVAL, 0, 0, 0 },
    { "bytes=0-9/10", -EINVAL, 0, 0, 0 },
    { "bytes -9/10", -EINVAL, 0, 0, 0 },
    { "bytes 0-/10", -EINVAL, 0, 0, 0 },
    { "Bytes 0-9/10", -EINVAL, 0, 0, 0 },
    { "bytes -1-9/10", -EINVAL, 0, 0, 0 },
    { "bytes 0-9223372036854775807/9223372036854775808", -EINVAL, 0, 0, 0 },
    { "", -EINVAL, 0, 0, 0 },
};

START_TEST(content_range)
{
    struct range got = { 0, 0 };
    int64_t total = 0;
    int r = range_parse_content(contents[_i].header, &got, &total);

    ck_assert_msg(r == contents[_i].result, "'%s': %d", contents[_i].header,
                  r);
    if (r)
        return;
    ck_assert_int_eq(got.first, contents[_i].first);
    ck_assert_int_eq(got.last, contents[_i].last);
    ck_assert_int_eq(total, contents[_i].total);
}
END_TEST

START_TEST(hex_digit)
{
    int seen = 0;

    for (int c = -128; c < 128; c++) {
        int value = num_hex_digit((char) c);
        int want = c >= '0' && c <= '9'   ? c - '0'
                   : c >= 'a' && c <= 'f' ? c - 'a' + 10
                   : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                          : -1;

        ck_assert_msg(value == want, "0x%02x: %d", c & 0xFF, value);
        seen += value >= 0;
    }
    ck_assert_int_eq(seen, 22);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, range, 0, ARRAY_SIZE(ranges));
    tcase_add_loop_test(tcase, content_range, 0, ARRAY_SIZE(contents));
    tcase_add_test(tcase, hex_digit);
}
