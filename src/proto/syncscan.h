/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Finding the answer to a sync in whatever arrives on a fresh connection:
 * rests of answers to others, file content, half a head.  A pure function of
 * bytes; it has never heard of a descriptor.
 *
 * It never trusts the length that a foreign answer announces, because that
 * answer may be cut anywhere.  It looks for heads: the last "HTTP/1.1 " in
 * front of an empty line.  Only an answer with our own random id counts.
 */
#ifndef VSRPC_PROTO_SYNCSCAN_H
#define VSRPC_PROTO_SYNCSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

enum syncscan_verdict {
    SYNCSCAN_MORE,  /* not there yet */
    SYNCSCAN_FOUND, /* scan->body holds the answer's body */
    SYNCSCAN_FLOOD, /* more than SYNC_DISCARD_MAX bytes that are not it */
};

struct syncscan {
    const char *id;    /* the X-Request-ID that is ours; not owned */
    struct buf window; /* what may still be part of the answer */
    struct buf body;   /* of the answer */
    int64_t discarded; /* bytes thrown away so far */
    int status;        /* HTTP's, of the answer */
    bool refused;      /* an error came that is to nobody's request */
};

/* Starts a scan for one id, which must outlive it. */
void syncscan_init(struct syncscan *scan, const char *id);
void syncscan_free(struct syncscan *scan);

/*
 * Takes n bytes.  Bytes behind the answer are dropped: nobody has asked for
 * anything else yet.
 *
 * Return: the verdict, or -ENOMEM.
 */
int syncscan_feed(struct syncscan *scan, const uint8_t *bytes, size_t n);

#endif
