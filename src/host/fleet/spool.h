/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What comes from one descriptor, for many readers who are not equally fast: it
 * is read once, and kept in a file that has no name.  A regular file is kept
 * already.
 */
#ifndef VSRPC_HOST_FLEET_SPOOL_H
#define VSRPC_HOST_FLEET_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct spool {
    int source;   /* -1: there is none, or it has ended */
    int fd;       /* where its bytes are; -1: there is no spool */
    int64_t base; /* in fd, of the first byte */
    int64_t n; /* bytes that are there; INT64_MAX: as many as the file has */
};

#define SPOOL_INIT             \
    {                          \
        .source = -1, .fd = -1 \
    }

/*
 * Begins one.  source stays the caller's; -1: nothing comes.
 *
 * Return: 0; negative errno with a message.  spool_end() in either case.
 */
int spool_begin(struct spool *spool, int source, struct error *err);

void spool_end(struct spool *spool);

/*
 * Takes some of what the source has now; at its end the spool has all of it.
 *
 * Return: 0; negative errno with a message.
 */
int spool_fill(struct spool *spool, struct error *err);

/*
 * Reads at most n bytes from the at'th on.
 *
 * Return: how many; 0: none yet, or the end when spool_over(); negative errno.
 */
int64_t spool_read(const struct spool *spool, int64_t at, void *bytes,
                   size_t n);

/* Does nothing more come than what is there? */
bool spool_over(const struct spool *spool);

#endif
