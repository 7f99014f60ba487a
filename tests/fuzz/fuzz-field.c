/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Values of header fields: ranges lie in what they are ranges of, and a digest
 * that is found is written as it was.  The first byte is the size of the whole.
 */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/digestfield.h"
#include "proto/range.h"
#include "proto/server.h"
#include "util/cleanup.h"
#include "util/num.h"

static void ranges(const char *text, int64_t total)
{
    struct range range;
    int r = range_parse(text, total, &range);

    ck_assert(r == 0 || r == 1 || r == -ERANGE);
    ck_assert(r != 0
              || (range.first >= 0 && range.first <= range.last
                  && range.last < total));
    if (range_parse_content(text, &range, &total) == 0)
        ck_assert(range.first >= 0 && range.first <= range.last
                  && (total == -1 || range.last < total));
}

static void digest(const char *text, enum digest_kind kind)
{
    char hex[DIGEST_HEX_MAX] = "";
    char field[DIGESTFIELD_MAX];
    int r = digestfield_find(text, kind, hex);

    ck_assert(r == 0 || r == -ENOENT || r == -EBADMSG);
    if (r < 0)
        return;
    digestfield_write(kind, hex, field);
    ck_assert_msg(strstr(text, field), "%s is not in %s", field, text);
}

static void numbers(const char *text)
{
    struct http_head head = { .fields = { { "X-Heartbeat", text } },
                              .n_fields = 1 };
    struct timespec time;
    unsigned int mode;
    int64_t value;

    if (server_heartbeat(&head, &value) == 0)
        ck_assert(value >= 1 && value <= HEARTBEAT_MAX_S);
    if (num_parse_size(text, 3, INT64_MAX, &value) == 0)
        ck_assert(value >= 3);
    if (num_parse_mode(text, &mode) == 0)
        ck_assert_uint_le(mode, 07777);
    if (num_parse_time(text, &time) == 0)
        ck_assert(time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO_FREE char *text = NULL;

    if (n == 0)
        return 0;
    text = strndup((const char *) bytes + 1, n - 1);
    ranges(text, bytes[0]);
    digest(text, DIGEST_MD5);
    digest(text, DIGEST_SHA256);
    numbers(text);
    return 0;
}
