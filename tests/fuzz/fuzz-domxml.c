/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A domain's XML: each channel has a name, and an error leaves none. */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "host/domain/domxml.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO_FREE char *xml = strndup((const char *) bytes, n);
    struct channel_list list;
    struct error err = ERROR_INIT;
    int r = domxml_channels(xml, &list, &err);

    ck_assert(r == 0 || (r == -EBADMSG && err.message[0] && list.n == 0));
    for (size_t i = 0; i < list.n; i++)
        ck_assert(list.items[i].name && list.items[i].state <= 2);
    channel_list_free(&list);
    return 0;
}
