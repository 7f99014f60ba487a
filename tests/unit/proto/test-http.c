/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/http.h"

#include <errno.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "http";

/* The parsing of heads is tested through the message machine: test-msg.c. */

START_TEST(fields_are_found_in_any_case)
{
    char bytes[] = "GET /p?q=1 HTTP/1.1\r\nHost: virtio-rpc\r\n"
                   "X-One:1\r\nx-two: \t two words \t\r\nX-Empty:\r\n"
                   "X-One: again\r\n\r\n";
    struct http_fault fault;
    struct http_head head;

    ck_assert_int_eq(
        http_head_parse(HTTP_REQUEST, bytes, sizeof(bytes) - 1, &head, &fault),
        0);
    ck_assert_str_eq(head.method, "GET");
    ck_assert_str_eq(head.target, "/p?q=1");
    ck_assert_uint_eq(head.n_fields, 5);
    ck_assert_str_eq(http_field_get(&head, "HOST"), "virtio-rpc");
    ck_assert_str_eq(http_field_get(&head, "x-one"), "1");
    ck_assert_str_eq(http_field_get(&head, "X-Two"), "two words");
    ck_assert_str_eq(http_field_get(&head, "X-Empty"), "");
    ck_assert_ptr_null(http_field_get(&head, "X-On"));
    ck_assert_int_eq(head.content_length, -1);
}
END_TEST

/* Bytes without their empty line are refused, never read over the end. */
START_TEST(heads_cut_short)
{
    static const char whole[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct http_fault fault;
    struct http_head head;

    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        struct guarded copy = guarded_copy(whole, n);

        ck_assert_int_eq(http_head_parse(HTTP_REQUEST, (char *) copy.bytes, n,
                                         &head, &fault),
                         -EBADMSG);
        ck_assert_int_eq(fault.http, 400);
        guarded_free(&copy);
    }
}
END_TEST

START_TEST(writes_heads)
{
    struct buf out;

    buf_init(&out, 4096);
    ck_assert_int_eq(http_write_request(&out, "PUT", "/x"), 0);
    ck_assert_int_eq(http_write_field(&out, "Content-Length", "%d", 5), 0);
    ck_assert_int_eq(http_write_end(&out), 0);
    ck_assert_str_eq(buf_cstr(&out), "PUT /x HTTP/1.1\r\nHost: virtio-rpc\r\n"
                                     "Content-Length: 5\r\n\r\n");
    buf_clear(&out);
    ck_assert_int_eq(http_write_status(&out, 206), 0);
    ck_assert_str_eq(buf_cstr(&out), "HTTP/1.1 206 Partial Content\r\n");
    ck_assert_str_eq(http_reason(299), "Unknown");
    buf_free(&out);
}
END_TEST

/* No value can end its field: header injection. */
START_TEST(values_cannot_break_out)
{
    struct buf out;

    buf_init(&out, 4096);
    http_write_field(&out, "X-Request-ID", "%s",
                     "a\r\nEvil: 1\x7F\x01\xFF\tb\xC3\xA9");
    ck_assert_str_eq(buf_cstr(&out),
                     "X-Request-ID: a??Evil: 1???\tb\xC3\xA9\r\n");
    buf_free(&out);
    buf_init(&out, 10);
    ck_assert_int_eq(http_write_field(&out, "X-Long", "%s", "12345"),
                     -EMSGSIZE);
    ck_assert_uint_eq(out.len, 0);
    buf_free(&out);
}
END_TEST

/* The bytes that were parsed are gone, the copy stays. */
START_TEST(copy_of_a_head)
{
    char bytes[] = "GET /p?q=1 HTTP/1.1\r\nHost: virtio-rpc\r\n"
                   "X-Empty:\r\nContent-Length: 7\r\n\r\n";
    struct http_fault fault;
    struct http_head head;
    AUTO_FREE struct http_head *copy = NULL;

    ck_assert_int_eq(
        http_head_parse(HTTP_REQUEST, bytes, sizeof(bytes) - 1, &head, &fault),
        0);
    copy = http_head_copy(&head);
    memset(bytes, 'x', sizeof(bytes) - 1);
    memset(&head, 0, sizeof(head));
    ck_assert_ptr_nonnull(copy);
    ck_assert_str_eq(copy->method, "GET");
    ck_assert_str_eq(copy->target, "/p?q=1");
    ck_assert_uint_eq(copy->n_fields, 3);
    ck_assert_str_eq(http_field_get(copy, "Host"), "virtio-rpc");
    ck_assert_str_eq(http_field_get(copy, "X-Empty"), "");
    ck_assert_int_eq(copy->content_length, 7);
}
END_TEST

START_TEST(copy_of_a_response)
{
    struct http_head head = { .status = 204, .content_length = -1 };
    AUTO_FREE struct http_head *copy = http_head_copy(&head);

    ck_assert_ptr_nonnull(copy);
    ck_assert_ptr_null(copy->method);
    ck_assert_ptr_null(copy->target);
    ck_assert_int_eq(copy->status, 204);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, fields_are_found_in_any_case);
    tcase_add_test(tcase, heads_cut_short);
    tcase_add_test(tcase, writes_heads);
    tcase_add_test(tcase, values_cannot_break_out);
    tcase_add_test(tcase, copy_of_a_head);
    tcase_add_test(tcase, copy_of_a_response);
}
