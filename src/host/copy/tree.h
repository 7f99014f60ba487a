/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Copies of several files: folders with everything in them, in both
 * directions.  What cannot be copied is told, and the rest goes on.
 */
#ifndef VSRPC_HOST_COPY_TREE_H
#define VSRPC_HOST_COPY_TREE_H

#include "host/copy/copy.h"
#include "host/local/localtree.h"
#include "host/remote/remote.h"

struct tree {
    struct copy *copy;
    struct remote remote; /* its client and its id */
    const struct out *out;
    struct remote_budget budget;
    mode_t mask;   /* the process's umask */
    int64_t files; /* what was copied */
    int64_t folders;
    int64_t links;
    int64_t bytes;
    int64_t failed;     /* what was not */
    struct error first; /* why; code 0: nothing */
    bool ended;         /* there is no use in going on */
    void *named;        /* the operands so far, … */
    void *made;         /* … and what they have become here or there */
    bool only_folder;   /* the target ends with a slash and is not there: a
                         * folder may be made of it, a file not */
};

/* Sets up for a copy that has begun. */
void tree_init(struct tree *tree, struct copy *copy, const struct out *out);

/* How many files, folders and links were made so far. */
int64_t tree_made(const struct tree *tree);

/* Frees what it has learned. */
void tree_free(struct tree *tree);

/*
 * Notes an operand, and tells when it was one before: as with cp(1), that is a
 * mistake which does no harm.
 *
 * Return: is it a new one?
 */
bool tree_name(struct tree *tree, const char *source);

/* Notes that an operand has become something at a place, which no other one is
 * to replace: two of the same name are meant to be two. */
void tree_note_made(struct tree *tree, const char *place);

/* Was something made at a place of which source is to be a file now?  Tells it,
 * and counts it as an error. */
bool tree_is_made(struct tree *tree, const char *source, const char *place);

/* Tells an error about a path and counts it; path NULL: it names it itself,
 * and keeps its hint, which one about each of many files does not. */
void tree_fail(struct tree *tree, const char *path, const struct error *err);

/* Tells that something is left out, and why. */
void tree_skip(struct tree *tree, const char *path, const char *kind);

/*
 * Copies a file or folder of the guest to name below the folder dir; name
 * NULL: what is in the folder goes into dir itself.  Errors are in tree.
 */
void tree_download(struct tree *tree, const char *source, int dir,
                   const char *name);

/* Copies a local file or folder to a path in the guest.  Errors are in
 * tree. */
void tree_upload(struct tree *tree, const char *source, const char *target);

#endif
