/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Removing a folder with all that is in it, by descriptors: no link is ever
 * followed, and what is put in the place of something that was looked at is
 * removed in its stead or found to be something else.
 */
#ifndef VSRPC_GUEST_FILE_REMOVE_H
#define VSRPC_GUEST_FILE_REMOVE_H

#include <stdint.h>

/* Folders that are open at once.  What lies deeper is moved to the top of the
 * tree and taken from there, so there is no limit to the depth. */
#define REMOVE_DEPTH 64

/* How it went; small enough for the report of a worker. */
struct remove_report {
    int code;        /* 0, or negative errno of the first thing that could not
                      * be removed, and then nothing more was */
    int64_t removed; /* files and folders */
    char message[1024];
};

/*
 * Removes the folder name in the folder dir; real is where it is, for
 * messages and to look for mount points in it, with which nothing is removed.
 * The report is zeroed before.  It may take long.
 */
void remove_tree(int dir, const char *name, const char *real,
                 struct remove_report *report);

#endif
