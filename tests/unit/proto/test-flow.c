/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/status.h"
#include "unit/unit.h"

const char unit_name[] = "flow";

#define LARGE ((size_t) REPLAY_ANSWER_MAX + 1001)

/* n bytes that repeat a pattern. */
static struct buf filled(size_t n, const void *pattern, size_t length)
{
    struct buf bytes;
    uint8_t *where;

    buf_init(&bytes, n);
    ck_assert_int_eq(buf_reserve(&bytes, n, &where), 0);
    for (size_t i = 0; i < n; i++)
        where[i] = ((const uint8_t *) pattern)[i % length];
    buf_commit(&bytes, n);
    return bytes;
}

static struct json_object *envelope_of(struct json_object *data)
{
    struct json_object *root = envelope_build(STATUS_SUCCESS, "success", data,
                                              1);

    json_object_put(data);
    ck_assert_ptr_nonnull(root);
    return root;
}

/* The whole text, written in steps, none of which may be larger. */
static struct buf written(struct json_object *root, size_t step)
{
    struct flow flow;
    struct buf whole;
    size_t left;

    buf_init(&whole, 64 * LARGE);
    flow_begin(&flow, root);
    for (left = flow.left; flow.left > 0; left = flow.left) {
        size_t before = whole.len;

        ck_assert_int_eq(flow_more(&flow, &whole, step), 0);
        ck_assert_uint_gt(whole.len, before);
        ck_assert_uint_le(whole.len - before, step);
        ck_assert_uint_eq(flow.left, left - (whole.len - before));
    }
    ck_assert_int_eq(flow_more(&flow, &whole, step), 0);
    flow_end(&flow);
    return whole;
}

/* What json-c makes of the same at once. */
static struct json_object *at_once(const struct buf *out,
                                   const struct buf *err)
{
    struct json_object *data = json_object_new_object();

    json_add_int(data, "exit_code", 0);
    json_add_bytes(data, "stdout", buf_data(out), out->len);
    json_add_bytes(data, "stderr", buf_data(err), err->len);
    json_add_bool(data, "truncated", true);
    return envelope_of(data);
}

static struct json_object *in_steps(struct buf *out, struct buf *err)
{
    struct json_object *data = json_object_new_object();

    json_add_int(data, "exit_code", 0);
    ck_assert_int_eq(flow_add_bytes(data, "stdout", out), 0);
    ck_assert_int_eq(flow_add_bytes(data, "stderr", err), 0);
    json_add_bool(data, "truncated", true);
    ck_assert_uint_eq(out->len + err->len, 0);
    return envelope_of(data);
}

static const struct {
    const void *bytes;
    size_t length;
    size_t n;
} kinds[] = {
    { BYTES("x"), 0 },
    { BYTES("plain text, \xC3\xA9\n"), 100 },
    { BYTES("x"), REPLAY_ANSWER_MAX },
    { BYTES("x"), LARGE },
    { BYTES("\n"), LARGE },
    { BYTES("\"\\/\b\f\r\t"), LARGE },
    { BYTES("0123456789012345678901\x1B\x7F"), LARGE },
    { BYTES("\0"), LARGE },
    { BYTES("\0"), LARGE + 1 },
    { BYTES("\0"), LARGE + 2 },
    { BYTES("\xFF\0x"), LARGE },
};

/* Which of them standard error is, beside all of them in standard output. */
static const size_t beside[] = { 0, 4, 10 };

/* The text is the same, whatever is large in it. */
START_TEST(same_as_at_once)
{
    static const size_t steps[] = { 65, 4096, 256 * 1024 };
    size_t a = (size_t) _i % ARRAY_SIZE(kinds);
    size_t b = beside[(size_t) _i / ARRAY_SIZE(kinds)];
    struct buf out = filled(kinds[a].n, kinds[a].bytes, kinds[a].length);
    struct buf err = filled(kinds[b].n, kinds[b].bytes, kinds[b].length);
    struct json_object *expected = at_once(&out, &err);
    struct json_object *root = in_steps(&out, &err);
    struct buf text = written(root, steps[_i % 3]);
    size_t n;
    size_t part;
    size_t whole;
    const char *right = json_text(expected, &n);

    ck_assert_ptr_nonnull(flow_text(root, &part, &whole));
    ck_assert_uint_eq(whole, n);
    ck_assert_uint_eq(text.len, n);
    ck_assert(memcmp(buf_data(&text), right, n) == 0);
    buf_free(&text);
    json_object_put(expected);
    json_object_put(root);
}
END_TEST

/* What is large is not in the JSON object's own text: no copy was made. */
START_TEST(no_copy)
{
    struct buf out = filled(LARGE, BYTES("x"));
    struct buf err = filled(3, BYTES("abc"));
    struct json_object *root = in_steps(&out, &err);
    size_t part;
    size_t whole;

    ck_assert_ptr_nonnull(flow_text(root, &part, &whole));
    ck_assert_uint_lt(part, 200);
    ck_assert_uint_gt(whole, LARGE);
    json_object_put(root);
}
END_TEST

/* The client has gone in the middle of it, and the next one wants it again. */
START_TEST(given_up)
{
    struct buf out = filled(LARGE, BYTES("x"));
    struct buf err = filled(0, BYTES("x"));
    struct json_object *root = in_steps(&out, &err);
    struct flow flow;
    struct buf some;
    struct buf all;

    buf_init(&some, LARGE);
    flow_begin(&flow, root);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(flow_more(&flow, &some, 1000), 0);
    flow_end(&flow);
    flow_end(&flow);
    ck_assert_uint_eq(flow.left, 0);
    all = written(root, 65536);
    ck_assert(memcmp(buf_data(&all), buf_data(&some), some.len) == 0);
    buf_free(&some);
    buf_free(&all);
    json_object_put(root);
}
END_TEST

START_TEST(no_room)
{
    struct buf out = filled(LARGE, BYTES("x"));
    struct buf err = filled(0, BYTES("x"));
    struct json_object *root = in_steps(&out, &err);
    struct flow flow;
    struct buf small;

    buf_init(&small, 10);
    flow_begin(&flow, root);
    ck_assert_int_eq(flow_more(&flow, &small, 4096), -EMSGSIZE);
    flow_end(&flow);
    buf_free(&small);
    json_object_put(root);
}
END_TEST

void unit_cases(TCase *tcase)
{
    int n = (int) (ARRAY_SIZE(kinds) * ARRAY_SIZE(beside));

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, same_as_at_once, 0, n);
    tcase_add_test(tcase, no_copy);
    tcase_add_test(tcase, given_up);
    tcase_add_test(tcase, no_room);
}
