/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "util/num.h"

#include <errno.h>

#include "unit/unit.h"

const char unit_name[] = "num";

static const struct {
    const char *text;
    int64_t min, max;
    int result;
    int64_t value;
} numbers[] = {
    { "0", 0, 10, 0, 0 },
    { "10", 0, 10, 0, 10 },
    { "007", 0, 10, 0, 7 },
    { "11", 0, 10, -ERANGE, 0 },
    { "4", 5, 10, -ERANGE, 0 },
    { "9223372036854775807", 0, INT64_MAX, 0, INT64_MAX },
    { "9223372036854775808", 0, INT64_MAX, -ERANGE, 0 },
    { "99999999999999999999999", 0, INT64_MAX, -ERANGE, 0 },
    { "", 0, 10, -EINVAL, 0 },
    { " 1", 0, 10, -EINVAL, 0 },
    { "1 ", 0, 10, -EINVAL, 0 },
    { "+1", 0, 10, -EINVAL, 0 },
    { "-1", -5, 10, -EINVAL, 0 },
    { "0x1", 0, 10, -EINVAL, 0 },
    { "1.0", 0, 10, -EINVAL, 0 },
    { "1e1", 0, 10, -EINVAL, 0 },
    { "\xD9\xA1", 0, 10, -EINVAL, 0 }, /* an Arabic digit */
};

START_TEST(number)
{
    int64_t value = -1;
    int r = num_parse(numbers[_i].text, numbers[_i].min, numbers[_i].max,
                      &value);

    ck_assert_msg(r == numbers[_i].result, "'%s': %d", numbers[_i].text, r);
    ck_assert_int_eq(value, r ? -1 : numbers[_i].value);
}
END_TEST

static const struct {
    const char *text;
    int64_t max;
    int result;
    int64_t value;
} sizes[] = {
    { "0", INT64_MAX, 0, 0 },
    { "65536", INT64_MAX, 0, 65536 },
    { "5B", INT64_MAX, 0, 5 },
    { "64K", INT64_MAX, 0, 65536 },
    { "64k", INT64_MAX, 0, 65536 },
    { "64KB", INT64_MAX, 0, 65536 },
    { "64KiB", INT64_MAX, 0, 65536 },
    { "10MB", INT64_MAX, 0, 10485760 },
    { "10mib", INT64_MAX, 0, 10485760 },
    { "10 MB", INT64_MAX, 0, 10485760 },
    { "3G", INT64_MAX, 0, 3221225472 },
    { "2TB", INT64_MAX, 0, 2199023255552 },
    { "8388607T", INT64_MAX, 0, 9223370937343148032 },
    { "8388608T", INT64_MAX, -ERANGE, 0 },
    { "1025", 1024, -ERANGE, 0 },
    { "1K", 1024, 0, 1024 },
    { "2K", 1024, -ERANGE, 0 },
    { "", INT64_MAX, -EINVAL, 0 },
    { "K", INT64_MAX, -EINVAL, 0 },
    { "-1K", INT64_MAX, -EINVAL, 0 },
    { "1.5K", INT64_MAX, -EINVAL, 0 },
    { "1Kb ", INT64_MAX, -EINVAL, 0 },
    { "10 ", INT64_MAX, -EINVAL, 0 },
    { "10  MB", INT64_MAX, -EINVAL, 0 },
    { "1P", INT64_MAX, -EINVAL, 0 },
    { "1KK", INT64_MAX, -EINVAL, 0 },
};

START_TEST(size)
{
    int64_t value = -1;
    int r = num_parse_size(sizes[_i].text, 0, sizes[_i].max, &value);

    ck_assert_msg(r == sizes[_i].result, "'%s': %d", sizes[_i].text, r);
    ck_assert_int_eq(value, r ? -1 : sizes[_i].value);
}
END_TEST

static const struct {
    const char *text;
    int result;
    unsigned int mode;
} modes[] = {
    { "0", 0, 0 },
    { "644", 0, 0644 },
    { "0644", 0, 0644 },
    { "7777", 0, 07777 },
    { "07777", 0, 07777 },
    { "10000", -EINVAL, 0 },
    { "000644", -EINVAL, 0 },
    { "", -EINVAL, 0 },
    { "648", -EINVAL, 0 },
    { "-644", -EINVAL, 0 },
    { "0o644", -EINVAL, 0 },
    { "644 ", -EINVAL, 0 },
    { "u+x", -EINVAL, 0 },
};

START_TEST(mode)
{
    unsigned int value = 99;
    int r = num_parse_mode(modes[_i].text, &value);

    ck_assert_msg(r == modes[_i].result, "'%s': %d", modes[_i].text, r);
    ck_assert_uint_eq(value, r ? 99 : modes[_i].mode);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, number, 0, ARRAY_SIZE(numbers));
    tcase_add_loop_test(tcase, size, 0, ARRAY_SIZE(sizes));
    tcase_add_loop_test(tcase, mode, 0, ARRAY_SIZE(modes));
}
