/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Which road leads to a target: the channel's socket, or a stream through
 * libvirt.
 */
#ifndef VSRPC_HOST_LINK_DIAL_H
#define VSRPC_HOST_LINK_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "host/domain/target.h"
#include "host/link/transport.h"
#include "util/error.h"

/*
 * Reads "auto", "socket" or "stream"; NULL is auto.
 *
 * Return: 0 with *kind; -EINVAL with a message.
 */
int dial_kind_parse(const char *word, enum target_transport *kind,
                    struct error *err);

/* Which road was taken. */
struct dialed {
    bool stream;      /* it is libvirt's stream */
    char reason[256]; /* why; "" for the socket of a socket */
};

/*
 * Connects, by the road that source->transport asks for.  Auto is the socket;
 * it is the stream when libvirt is on another machine, when the channel has no
 * socket here, and when the socket may not be entered or is not there although
 * the domain runs.  The target is brought up to date on the way.
 *
 * Return: 0 with *transport and *dialed; as sock_connect(), stream_connect()
 * and target_refresh().
 */
int dial_target(const struct target_source *source, struct target *target,
                int64_t deadline, struct transport **transport,
                struct dialed *dialed, struct error *err);

#endif
