/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Builds targets in a buffer; all values are percent-encoded. */
#include <config.h>

#include "host/remote/filetarget.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "proto/route.h"
#include "proto/uri.h"

int filetarget_begin(struct buf *target, const char *what, const char *path,
                     const char *transfer, struct error *err)
{
    int r;

    buf_clear(target);
    r = buf_printf(target, API_PREFIX "/file/%s?path=", what);
    if (r == 0)
        r = uri_encode(target, path);
    if (r == 0)
        r = filetarget_add(target, "transfer", transfer);
    return r < 0 ? error_errno(err, r, "path '%.200s'", path) : 0;
}

int filetarget_add(struct buf *target, const char *name, const char *value)
{
    int r;

    if (!value)
        return 0;
    r = buf_printf(target, "&%s=", name);
    return r < 0 ? r : uri_encode(target, value);
}

int filetarget_add_int(struct buf *target, const char *name, int64_t value)
{
    return buf_printf(target, "&%s=%" PRId64, name, value);
}

int filetarget_add_flag(struct buf *target, const char *name, bool set)
{
    return set ? buf_printf(target, "&%s=true", name) : 0;
}
