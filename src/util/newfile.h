/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A file in the making that takes its name in one step, when it is whole:
 * whoever looks under that name sees the old file or the new one.
 *
 * Until then it has no name at all, so that nothing is left of it whatever
 * happens, or a hidden one where the file system knows no files without a name
 * (open(2), O_TMPFILE); or, on request, a name under which it can be found
 * again and gone on with.
 */
#ifndef VSRPC_UTIL_NEWFILE_H
#define VSRPC_UTIL_NEWFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct newfile {
    int dir;                 /* the folder; not owned */
    int fd;                  /* to read and write; -1: none */
    char temp[NAME_MAX + 1]; /* its name beside the target; "": none */
    bool unnamed;            /* it does not have that name (yet) */
    bool kept;               /* a part: newfile_close() leaves it there */
};

#define NEWFILE_INIT        \
    {                       \
        .dir = -1, .fd = -1 \
    }

/*
 * Begins a file in a folder; its mode is 0600.
 *
 * Return: 0 or negative errno.
 */
int newfile_open(struct newfile *file, int dir);

/* Does the kernel know files without a name, on some file systems? */
bool newfile_may_be_unnamed(void);

/*
 * Begins a file that stays when it is closed before it took its place, or goes
 * on with the one that was left so.  Only what nobody else can have a hand in
 * is gone on with: a regular file of ours with one name.
 *
 * Return: 0 with *size the bytes that are there; negative errno.
 */
int newfile_open_part(struct newfile *file, int dir, const char *name,
                      int64_t *size);

/*
 * Opens a part that was left, to look at it.
 *
 * Return: a descriptor to read; -ENOENT when there is none; negative errno.
 */
int newfile_find_part(int dir, const char *name, int64_t *size);

/*
 * Gives it its name.  Without overwrite an existing file is -EEXIST.
 *
 * Return: 0 or negative errno, and then nothing has changed.
 */
int newfile_place(struct newfile *file, const char *name, bool overwrite);

/*
 * Will it be found again?
 *
 * Return: true for a part that has bytes, and still has a name: its folder may
 * have been removed with everything in it.
 */
bool newfile_stays(const struct newfile *file);

/* Closes; what did not take its place is removed, unless it is a part with
 * something in it. */
void newfile_close(struct newfile *file);

/* Closes, and removes a part, too. */
void newfile_drop(struct newfile *file);

#endif
