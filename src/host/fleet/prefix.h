/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Output of many, told apart: whole lines with a name in front. */
#ifndef VSRPC_HOST_FLEET_PREFIX_H
#define VSRPC_HOST_FLEET_PREFIX_H

#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

struct prefix {
    const char *name; /* not owned */
    struct buf line;  /* what has not ended yet */
};

void prefix_init(struct prefix *prefix, const char *name);
void prefix_free(struct prefix *prefix);

/*
 * Takes bytes and writes the lines that are complete to fd.  A line without
 * an end is cut where it becomes too long to keep.
 *
 * Return: 0, -ENOMEM, as out_bytes().
 */
int prefix_feed(struct prefix *prefix, int fd, const uint8_t *bytes, size_t n);

/* Writes the last line if it has no line feed.  Return: as above. */
int prefix_end(struct prefix *prefix, int fd);

#endif
