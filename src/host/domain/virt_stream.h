/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A channel through libvirt (virDomainOpenChannel): the part that calls
 * libvirt.  It runs in a process of its own; see stream.h for why.
 */
#ifndef VSRPC_HOST_DOMAIN_VIRT_STREAM_H
#define VSRPC_HOST_DOMAIN_VIRT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/* Which channel; strings are not owned. */
struct virt_channel {
    const char *uri;     /* NULL: libvirt's default */
    const char *uuid;    /* of the domain */
    const char *channel; /* its target name */
    bool remote;         /* watch the connection with signs of life */
};

struct virt_stream; /* opaque */

/*
 * Opens the channel over a read-write connection of its own, without force: a
 * channel that another stream has is waited for until the deadline, or until
 * fd ends.  Everything in here may block for as long as libvirt likes.
 *
 * Return: 0 with *stream; -EBUSY, -EACCES, -ESHUTDOWN, -ESRCH, -EOPNOTSUPP,
 * -EIO, -ECANCELED (fd ended); as virt_open().
 */
int virt_stream_open(const struct virt_channel *channel, int fd,
                     int64_t deadline, struct virt_stream **stream,
                     struct error *err);

/* Carries bytes between the channel and fd, both ways, until either ends. */
void virt_stream_relay(struct virt_stream *stream, int fd);

/* Ends the stream and the connection; returns when the channel is free. */
void virt_stream_close(struct virt_stream *stream);

#endif
