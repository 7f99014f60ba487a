/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A file that appears under its name only when it is complete (newfile.h), and
 * of which nothing is left when anything fails, also on SIGINT, SIGTERM and
 * SIGHUP; unless it is a part that is to be gone on with.
 *
 * One at a time: what a signal has to remove is the one piece of state of
 * this program that is not passed around.
 */
#ifndef VSRPC_HOST_LOCAL_TEMPFILE_H
#define VSRPC_HOST_LOCAL_TEMPFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "util/error.h"
#include "util/newfile.h"

struct tempfile {
    int fd;     /* to write to, once it was begun; not owned */
    int direct; /* standard output, a device, a pipe; -1: a file */
    int dir;    /* its folder */
    char *name; /* in it */
    char *path; /* what messages call it */
    bool firm;  /* a part that a signal does not remove, either */
    struct newfile file;
};

#define TEMPFILE_INIT                                           \
    {                                                           \
        .fd = -1, .direct = -1, .dir = -1, .file = NEWFILE_INIT \
    }

/* How a file is to be when it is complete. */
struct tempfile_options {
    bool keep_old;      /* an existing file is not replaced */
    bool durable;       /* it has to survive the loss of power */
    const mode_t *mode; /* NULL: that of a new file */
    bool own_mode; /* … for a new file alone: a replaced one keeps its own */
    const struct timespec *mtime; /* NULL: now */
};

/*
 * Which of our descriptors a path means: "-", "/dev/stdout", "/dev/fd/3", …, or
 * a link to one of these.  What is written there goes on where it stands; the
 * file behind it is not ours to replace.
 *
 * Return: its number, whether it is open or not; -1: none.
 */
int tempfile_descriptor(const char *path);

/* Is what stands there written into, and not replaced? */
bool tempfile_is_direct(const char *path);

/*
 * Finds the place for a file at path.  Symbolic links are followed, unless they
 * lead to nothing, which is an error; what exists and is no regular file (a
 * device, a pipe), and a descriptor of ours, is written into directly.
 *
 * Return: 0, negative errno with a message.  tempfile_close() in any case.
 */
int tempfile_find(struct tempfile *file, const char *path, struct error *err);

/*
 * The place is a name in a folder; what is there is not followed, and is not
 * replaced when it is a device or the like.  path is for messages.
 *
 * Return: as tempfile_find().
 */
int tempfile_find_at(struct tempfile *file, int dir, const char *name,
                     const char *path, struct error *err);

/*
 * Begins the file there.  As a part it stays when it is closed, and *there
 * tells how many bytes are left of an earlier one.
 *
 * Return: 0, negative errno with a message.
 */
int tempfile_begin(struct tempfile *file, bool part, int64_t *there,
                   struct error *err);

/*
 * Puts the file in its place.
 *
 * Return: 0, negative errno with a message.
 */
int tempfile_commit(struct tempfile *file,
                    const struct tempfile_options *options, struct error *err);

/* Is something under the name?  Return: true when it is. */
bool tempfile_exists(const struct tempfile *file);

/* The mode that the process gives to a new file. */
mode_t tempfile_new_mode(void);

/* Closes, and removes what was not committed and is no part. */
void tempfile_close(struct tempfile *file);

/* Closes, and removes a part, too. */
void tempfile_drop(struct tempfile *file);

#endif
