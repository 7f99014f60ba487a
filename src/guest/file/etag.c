/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * ETags of device, inode, size and ctime (in ns), and their lists in If-Match.
 * The ctime is used because, unlike the mtime, no program can set it back.
 */
#include <config.h>

#include "guest/file/etag.h"

#include <stdio.h>
#include <string.h>

void etag_make(const struct stat *st, char etag[ETAG_MAX])
{
    snprintf(etag, ETAG_MAX, "\"%llx-%llx-%llx-%llx\"",
             (unsigned long long) st->st_dev, (unsigned long long) st->st_ino,
             (unsigned long long) st->st_size,
             (unsigned long long) st->st_ctim.tv_sec * 1000000000
                 + (unsigned long long) st->st_ctim.tv_nsec);
}

bool etag_listed(const char *field, const char *etag)
{
    size_t n = etag ? strlen(etag) : 0;

    if (!etag)
        return false;
    if (strcmp(field, "*") == 0)
        return true;
    for (const char *p = field; (p = strstr(p, etag)); p += n)
        if ((p == field || strchr(", \t/", p[-1]))
            && (!p[n] || strchr(", \t", p[n])))
            return true;
    return false;
}
