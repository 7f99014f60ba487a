/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The transport through libvirt: works without rights on the socket, and on
 * other machines.
 *
 * libvirt's calls have no deadlines: connecting may hang, and even a
 * non-blocking virStreamSend() was seen to sleep for 30 s when the guest takes
 * nothing (libvirtd stops reading; libvirt's client waits for its socket).  So
 * they are made in a process of their own, which carries bytes between the
 * channel and a socket pair.  Here it is a descriptor like any other, with
 * deadlines and wake_fd.
 *
 * That process outlives us for a moment when we are killed, and gives the
 * channel back: libvirtd 9.0 was seen to keep a channel for ever whose client
 * vanished while it was being opened.
 */
#ifndef VSRPC_HOST_LINK_STREAM_H
#define VSRPC_HOST_LINK_STREAM_H

#include <stdint.h>

#include "host/domain/virt_stream.h"
#include "host/link/transport.h"
#include "util/error.h"

/*
 * Opens the channel.  One that another stream has is waited for until the
 * deadline.
 *
 * Return: 0 with *transport, which its own close operation frees; -EBUSY,
 * -EACCES, -ESHUTDOWN, -ESRCH, -EOPNOTSUPP, -ETIMEDOUT or other negative errno
 * with a message.
 */
int stream_connect(const struct virt_channel *channel, int64_t deadline,
                   struct transport **transport, struct error *err);

#endif
