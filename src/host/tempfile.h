/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A file that appears under its name only when it is complete: written beside
 * it, renamed at the end, and gone when anything fails, also on SIGINT,
 * SIGTERM and SIGHUP.
 *
 * One at a time: what a signal has to remove is the one piece of state of
 * this program that is not passed around.
 */
#ifndef VSRPC_HOST_TEMPFILE_H
#define VSRPC_HOST_TEMPFILE_H

#include <stdbool.h>

#include "util/error.h"

struct tempfile {
    int fd;
    char *path;  /* where the bytes go now; NULL: straight into the target */
    char *final; /* where they belong */
};

#define TEMPFILE_INIT { .fd = -1 }

/*
 * Starts a file for path.  Symbolic links are followed; what exists and is no
 * regular file (a device, a pipe) is written into directly, and "-" is
 * standard output.
 *
 * Return: 0, negative errno with a message.
 */
int tempfile_open(struct tempfile *file, const char *path, struct error *err);

/*
 * Puts the file in its place, with the mode that a new file has.
 *
 * Return: 0, negative errno with a message.
 */
int tempfile_commit(struct tempfile *file, struct error *err);

/* Closes, and removes what was not committed. */
void tempfile_close(struct tempfile *file);

#endif
