/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What copying in both directions (download.h, upload.h) has in common.
 *
 * A file goes in turns.  Between two of them others may have the channel, so a
 * turn is as long as fits into a fraction of what they are promised.
 */
#ifndef VSRPC_HOST_COPY_COPY_H
#define VSRPC_HOST_COPY_COPY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "host/client/client.h"
#include "host/copy/throttle.h"
#include "host/remote/remote.h"
#include "host/term/progress.h"
#include "util/crypto.h"

#define COPY_ID_SIZE 33

/* How files are to be copied; strings are not owned. */
struct copy_options {
    const char *mode;  /* octal, in the guest; NULL: as the local file */
    const char *owner; /* in the guest; NULL: as the old file, else root */
    const char *group;
    const char *checksum; /* "md5", "sha256", "none"; NULL: md5 */
    const char *if_match; /* etag that the guest's file has to have; NULL */
    bool create;          /* … or that there is to be none yet */
    bool no_clobber;
    bool resume;
    bool preserve;
    int64_t limit_rate; /* bytes/s; 0: none */
};

/* What a copy did. */
struct copy_result {
    char *path;   /* where the file is now; owned */
    int64_t size; /* bytes */
    char md5[33]; /* hex, or "" when it was not made */
    char sha256[65];
    char etag[RPC_WORD_MAX]; /* of what was downloaded; "" */
};

/* Frees what a result holds. */
void copy_result_free(struct copy_result *result);

/* One copy: a command's, of however many files. */
#define COPY_LAST_WORDS_MAX 1024

struct copy {
    struct client *client;
    const struct copy_options *options;
    struct progress *progress;
    struct throttle throttle;
    char id[COPY_ID_SIZE]; /* by which the agent counts it once */
    bool digested;
    enum digest_kind kind;
    bool tree;    /* many files: made durable together, at the end */
    int64_t turn; /* bytes that the next turn may have */
    bool has_last_words;
    char last_words[COPY_LAST_WORDS_MAX];
};

/*
 * Begins a copy; options and progress (which may be NULL) have to outlive it.
 *
 * Return: 0; -EINVAL when --checksum is none we know; -EIO without random
 * numbers.
 */
int copy_begin(struct copy *copy, struct client *client,
               const struct copy_options *options, struct progress *progress,
               struct error *err);

/* --- for download.c and upload.c ------------------------------------------ */

/* A copy of this size or more that breaks leaves what has come, so that it can
 * be gone on with: a minute at a tenth of the usual speed. */
#define COPY_KEEP_MIN (64L * 1024 * 1024)

/* How many of the bytes that are left the next turn may have. */
int64_t copy_turn(const struct copy *copy, int64_t left);

/* A turn of n bytes took ms: learns from that, keeps to the rate that is
 * allowed, and lets others have the channel. */
void copy_turn_done(struct copy *copy, int64_t n, int64_t ms, bool more);

/*
 * With --resume a signal that ends the process says from now on that a part of a
 * file may be left, and where (" in the guest" or ""); without it none is.  Only
 * the first call does something, and none if the name is as long as the words.
 */
void copy_last_words(struct copy *copy, const char *name, const char *where);

/* … and says nothing any more. */
void copy_no_last_words(struct copy *copy);

/* What the agent says of a span of a file. */
struct copy_span {
    int64_t size;   /* of the file */
    int64_t length; /* of the span that is there */
    char digest[DIGEST_HEX_MAX];
};

/*
 * Asks for the digest of a span of the guest's file, or of the part that was
 * left of it.
 *
 * Return: as download_to().
 */
int copy_span(struct copy *copy, const char *remote, bool part, int64_t first,
              int64_t length, struct copy_span *span, struct error *err);

/*
 * How much of the first n bytes is the same here and there?  Those go into
 * *digest, too (which may be another one then; NULL: none).
 *
 * Return: the bytes; negative errno with a message; *code is the agent's
 * business code, if it had one (and then the return value is 0).
 */
int64_t copy_same(struct copy *copy, const char *remote, bool part, int fd,
                  int64_t n, struct digest **digest, int *code,
                  struct error *err);

/* The digest that a copy makes of what it moves.  Return: it; NULL when there
 * is none to make, or, with a note, none to be had. */
struct digest *copy_digest(struct copy *copy);

/* Notes a file's digest, hex or "", for who asked for the copy. */
void copy_result_fill(const struct copy *copy, const char *path, int64_t size,
                      const char *hex, struct copy_result *result);

#endif
