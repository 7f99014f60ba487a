/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The words for file types, and the JSON of a folder's entry.  That is written
 * as text and not built of json-c objects, because there are many entries.
 */
#include <config.h>

#include "guest/file/fileinfo.h"

#include <stdio.h>
#include <string.h>

#include "proto/jsonraw.h"
#include "util/cleanup.h"

const char *file_type_name(mode_t mode)
{
    static const struct {
        mode_t type;
        const char *name;
    } types[] = {
        { S_IFREG, "file" },    { S_IFDIR, "directory" },
        { S_IFLNK, "symlink" }, { S_IFBLK, "block" },
        { S_IFCHR, "char" },    { S_IFIFO, "fifo" },
        { S_IFSOCK, "socket" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if ((mode & S_IFMT) == types[i].type)
            return types[i].name;
    return "unknown";
}

/* What is no text: all of it in one piece, because there are many entries. */
static int write_numbers(struct buf *out, const struct stat *st)
{
    char numbers[320];
    int n = snprintf(numbers, sizeof(numbers),
                     ",\"type\":\"%s\",\"size\":%lld,\"mode\":\"%04o\","
                     "\"uid\":%u,\"gid\":%u,\"mtime\":%lld,"
                     "\"mtime_ns\":%ld,\"allocated\":%lld",
                     file_type_name(st->st_mode), (long long) st->st_size,
                     (unsigned int) st->st_mode & 07777,
                     (unsigned int) st->st_uid, (unsigned int) st->st_gid,
                     (long long) st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
                     (long long) st->st_blocks * 512);

    return buf_append(out, numbers, (size_t) n);
}

static int write_text(struct buf *out, const char *before, const char *name,
                      const char *text)
{
    int r = buf_puts(out, before);

    return r < 0 ? r : jsonraw_bytes(out, name, text, strlen(text));
}

int file_entry_write(struct buf *out, const struct file_entry *entry,
                     struct owner_cache *names)
{
    const struct stat *st = &entry->st;
    int r = write_text(out, "{", "name", entry->name);

    if (r == 0)
        r = write_numbers(out, st);
    if (r == 0)
        r = write_text(out, ",", "owner",
                       owner_name(&names->users, st->st_uid));
    if (r == 0)
        r = write_text(out, ",", "group",
                       owner_group(&names->groups, st->st_gid));
    if (r == 0 && entry->target)
        r = write_text(out, ",", "target", entry->target);
    return r < 0 ? r : buf_puts(out, "}");
}
