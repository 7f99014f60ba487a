/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * JSON: what the scanner passes json-c has to take, and what json-c makes of it
 * is text that the scanner passes again, and that stays the same from then on.
 * The readers of requests and answers agree with it.
 */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/envelope.h"
#include "proto/jsonscan.h"
#include "proto/param.h"
#include "proto/status.h"

static void parse_again(struct json_object *object)
{
    AUTO_JSON struct json_object *again = NULL;
    size_t n;
    size_t n_again;
    const char *text = json_text(object, &n);
    const char *text_again;

    ck_assert_int_eq(json_parse(text, n, &again, NULL), 0);
    text_again = json_text(again, &n_again);
    ck_assert_msg(n == n_again && memcmp(text, text_again, n) == 0,
                  "%s becomes %s", text, text_again);
}

/* Members of each kind, by names of one letter; frees them. */
static void read_members(struct json_object *params)
{
    struct strlist list = { 0 };
    const char *text = "";
    int64_t number = 5;
    bool flag;

    param_string(params, "s", PARAM_OPTIONAL, &text, NULL);
    ck_assert(!strchr(text, '\xFF'));
    param_int(params, "i", PARAM_REQUIRED, -3, 1000, &number, NULL);
    ck_assert(number >= -3 && number <= 1000);
    param_seconds(params, "t", PARAM_REQUIRED, 1, 60000, &number, NULL);
    ck_assert(number >= -3 && number <= 60000);
    param_bool(params, "b", PARAM_OPTIONAL, &flag, NULL);
    param_strings(params, "l", PARAM_OPTIONAL, &list, NULL);
    param_env(params, "e", PARAM_OPTIONAL, &list, NULL);
    strlist_free(&list);
    json_object_put(params);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *text = (const char *) bytes;
    struct error err = ERROR_INIT;
    AUTO_JSON struct json_object *object = NULL;
    struct json_object *params = NULL;
    struct envelope envelope;
    int r = json_scan(text, n, NULL, &err);
    int request;

    ck_assert(r == 0 || ((r == -EBADMSG || r == -E2BIG) && err.message[0]));
    ck_assert_int_eq(json_parse(text, n, &object, NULL), r);
    if (r == 0)
        parse_again(object);
    if (envelope_parse(text, n, &envelope, NULL) == 0)
        ck_assert(r == 0 && envelope_detail(&envelope));
    envelope_free(&envelope);
    request = request_parse(text, n, &params, &err);
    ck_assert((request == STATUS_JSON_PARSE_ERROR) == (r == -EBADMSG));
    ck_assert((request == STATUS_PAYLOAD_TOO_LARGE) == (r == -E2BIG));
    if (request == 0)
        read_members(params);
    return 0;
}
