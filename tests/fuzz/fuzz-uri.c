/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Targets of requests: what is decoded and encoded again decodes to the same;
 * a member of the query lies in it; a route's rest lies in the target.
 */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/route.h"
#include "proto/status.h"
#include "proto/uri.h"
#include "util/cleanup.h"

static void decode(const char *text, size_t n)
{
    AUTO_FREE char *decoded = NULL;
    AUTO_FREE char *again = NULL;
    struct buf encoded;
    int r = uri_decode(text, n, &decoded);

    ck_assert(r == 0 || r == -EINVAL);
    if (r < 0)
        return;
    buf_init(&encoded, 3 * n + 1);
    ck_assert_int_eq(uri_encode(&encoded, decoded), 0);
    ck_assert_int_eq(
        uri_decode((const char *) buf_data(&encoded), encoded.len, &again), 0);
    ck_assert_str_eq(decoded, again);
    buf_free(&encoded);
}

static void query(const char *target)
{
    AUTO_FREE char *value = NULL;
    int r = uri_query(target, "path", &value);

    ck_assert(r == 0 || r == -EINVAL || r == -ENOENT);
    ck_assert(r == -ENOENT || strpbrk(strchr(target, '?'), "p%"));
    ck_assert(r < 0 || strlen(value) < strlen(target));
}

static void match(const char *target)
{
    static const char *const methods[] = { "GET", "POST", "DELETE", "X" };
    char allow[ROUTE_ALLOW_MAX];
    const struct route *route;
    const char *rest;

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        int r = route_match(methods[i], target, &route, &rest, allow);

        ck_assert(r == 0 || r == STATUS_ENDPOINT_NOT_FOUND
                  || r == STATUS_METHOD_NOT_ALLOWED);
        ck_assert(r != 0
                  || (rest >= target && rest <= target + strlen(target)));
        ck_assert(r != STATUS_METHOD_NOT_ALLOWED
                  || !strstr(allow, methods[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO_FREE char *target = strndup((const char *) bytes, n);

    decode((const char *) bytes, n);
    query(target);
    match(target);
    return 0;
}
