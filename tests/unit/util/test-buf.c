/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "util/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "buf";

START_TEST(appends_and_consumes)
{
    struct buf buf;

    buf_init(&buf, 64);
    ck_assert_int_eq(buf_puts(&buf, "hello "), 0);
    ck_assert_int_eq(buf_printf(&buf, "%s %d", "world", 42), 0);
    ck_assert_str_eq(buf_cstr(&buf), "hello world 42");
    ck_assert_uint_eq(buf.len, 14);
    buf_consume(&buf, 6);
    ck_assert_str_eq(buf_cstr(&buf), "world 42");
    ck_assert_uint_eq(buf_room(&buf), 56);
    buf_consume(&buf, 100);
    ck_assert_uint_eq(buf.len, 0);
    ck_assert_str_eq(buf_cstr(&buf), "");
    buf_free(&buf);
    ck_assert_uint_eq(buf.max, 64);
    ck_assert_int_eq(buf_puts(&buf, "again"), 0);
    buf_free(&buf);
}
END_TEST

START_TEST(empty_buffer_may_be_looked_at)
{
    struct buf buf;

    buf_init(&buf, 8);
    ck_assert_ptr_null(buf_data(&buf));
    ck_assert_int_eq(buf_append(&buf, NULL, 0), 0);
    ck_assert_int_eq(buf_printf(&buf, "%s", ""), 0);
    ck_assert_str_eq(buf_cstr(&buf), "");
    buf_free(&buf);
}
END_TEST

/* Exactly at the ceiling and one above, by each way in. */
START_TEST(ceiling_holds)
{
    struct buf buf;
    uint8_t *where;

    buf_init(&buf, 1000);
    ck_assert_int_eq(buf_reserve(&buf, 1001, &where), -EMSGSIZE);
    ck_assert_int_eq(buf_reserve(&buf, 1000, &where), 0);
    memset(where, 'x', 1000);
    buf_commit(&buf, 1000);
    ck_assert_int_eq(buf_puts(&buf, "y"), -EMSGSIZE);
    ck_assert_int_eq(buf_printf(&buf, "y"), -EMSGSIZE);
    ck_assert_int_eq(buf_reserve(&buf, SIZE_MAX, &where), -EMSGSIZE);
    ck_assert_uint_eq(buf.len, 1000);
    ck_assert_uint_eq(strlen(buf_cstr(&buf)), 1000);
    buf_consume(&buf, 1);
    ck_assert_int_eq(buf_puts(&buf, "y"), 0);
    ck_assert_int_eq(buf_puts(&buf, "y"), -EMSGSIZE);
    ck_assert_str_eq(buf_cstr(&buf) + 998, "xy");
    buf_free(&buf);
}
END_TEST

START_TEST(no_ceiling_too_large_to_count)
{
    struct buf buf;
    uint8_t *where;

    buf_init(&buf, SIZE_MAX);
    ck_assert_int_eq(buf_reserve(&buf, SIZE_MAX / 2 + 2, &where), -ENOMEM);
    ck_assert_int_eq(buf_puts(&buf, "still usable"), 0);
    buf_free(&buf);
}
END_TEST

/* A byte is always spare, for the NUL of vsnprintf() and buf_cstr(). */
START_TEST(keeps_a_byte_spare)
{
    for (int n = 250; n < 260; n++) {
        struct buf buf;

        buf_init(&buf, 1000);
        ck_assert_int_eq(buf_printf(&buf, "%*s", n, ""), 0);
        ck_assert_uint_gt(buf.cap, buf.len);
        buf_free(&buf);
    }
}
END_TEST

/* A model in plain memory against random appends and consumes. */
START_TEST(behaves_like_its_model)
{
    char model[4096];
    size_t len = 0;
    struct buf buf;

    buf_init(&buf, sizeof(model));
    srand(7);
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t) rand() % 600;
        char bytes[600];

        if (rand() % 2) {
            memset(bytes, 'a' + i % 26, n);
            if (len + n > sizeof(model)) {
                ck_assert_int_eq(buf_append(&buf, bytes, n), -EMSGSIZE);
                continue;
            }
            ck_assert_int_eq(buf_append(&buf, bytes, n), 0);
            memcpy(model + len, bytes, n);
            len += n;
        } else {
            n = n < len ? n : len;
            memmove(model, model + n, len - n);
            len -= n;
            buf_consume(&buf, n);
        }
        ck_assert_uint_eq(buf.len, len);
        if (len)
            ck_assert_mem_eq(buf_data(&buf), model, len);
    }
    buf_free(&buf);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, appends_and_consumes);
    tcase_add_test(tcase, empty_buffer_may_be_looked_at);
    tcase_add_test(tcase, ceiling_holds);
    tcase_add_test(tcase, no_ceiling_too_large_to_count);
    tcase_add_test(tcase, keeps_a_byte_spare);
    tcase_add_test(tcase, behaves_like_its_model);
}
