/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Looks for a new client among the bytes of an old one: the reset marker, and
 * a whole sync behind it.
 */
#ifndef VSRPC_PROTO_PROBE_H
#define VSRPC_PROTO_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

struct probe {
    struct msg msg; /* what stands behind the marker */
    bool marked;    /* a marker was seen, and nothing wrong behind it */
};

void probe_init(struct probe *probe);
void probe_free(struct probe *probe);

/* Forgets what it has seen. */
void probe_reset(struct probe *probe);

/*
 * Looks for the marker and a well-formed sync behind it; called again with
 * the rest.
 *
 * Return: the bytes looked at; *found when they end with the head of a sync,
 * which is in probe->msg then.
 */
size_t probe_feed(struct probe *probe, const uint8_t *bytes, size_t n,
                  bool *found);

/* Looks whether a raw body, of which this is a piece, ends with a marker and
 * the beginning of a sync; for probe_goes_on(). */
void probe_raw(struct probe *probe, const uint8_t *bytes, size_t n);

/* Does this byte go on with the sync that a body ended with? */
bool probe_goes_on(const struct probe *probe, uint8_t byte);

#endif
