/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The road to an agent, as a small interface: what rpc.c needs of a UNIX
 * socket and could just as well get from a libvirt stream or from a test.
 */
#ifndef VSRPC_HOST_LINK_TRANSPORT_H
#define VSRPC_HOST_LINK_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

struct transport;

struct transport_ops {
    /* Reads at least one byte.  Return: the bytes, 0 at the end of the
     * stream, -ETIMEDOUT at the deadline, -ECANCELED as soon as wake_fd is
     * readable (even when there is something to read: a guest that talks
     * without end must not keep the user from leaving), other negative
     * errno. */
    int64_t (*read)(struct transport *transport, void *bytes, size_t n,
                    int64_t deadline);
    /* Writes at least one byte.  Return: as read, never 0. */
    int64_t (*write)(struct transport *transport, const void *bytes, size_t n,
                     int64_t deadline);
    /* Ends the connection and frees the object. */
    void (*close)(struct transport *transport);
};

/* First member of every kind of transport. */
struct transport {
    const struct transport_ops *ops;
    int wake_fd; /* polled beside; -1: none (to begin with); not owned */
};

#endif
