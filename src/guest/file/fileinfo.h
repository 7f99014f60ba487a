/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What is told of a file. */
#ifndef VSRPC_GUEST_FILE_FILEINFO_H
#define VSRPC_GUEST_FILE_FILEINFO_H

#include <sys/stat.h>

#include "guest/core/owner.h"
#include "util/buf.h"

/* Return: the word for a file's type; "unknown" for a mode without one. */
const char *file_type_name(mode_t mode);

/* An entry of a folder. */
struct file_entry {
    const char *name;
    struct stat st;     /* zeroed: it could not be looked at */
    const char *target; /* of a symbolic link; NULL: none */
};

/* Appends the JSON object of an entry.  Return: as buf_append(). */
int file_entry_write(struct buf *out, const struct file_entry *entry,
                     struct owner_cache *names);

#endif
