/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The transport over a UNIX socket: what QEMU offers for a channel. */
#ifndef VSRPC_HOST_LINK_SOCK_H
#define VSRPC_HOST_LINK_SOCK_H

#include <stdint.h>

#include "host/link/transport.h"
#include "util/error.h"

/* A transport over a connected descriptor.  Others may start with it. */
struct sock {
    struct transport base;
    int fd; /* non-blocking or not; owned */
};

/* The operations of transport_ops for whatever starts with a struct sock. */
int64_t sock_read(struct transport *transport, void *bytes, size_t n,
                  int64_t deadline);
int64_t sock_write(struct transport *transport, const void *bytes, size_t n,
                   int64_t deadline);

/*
 * Connects without blocking.  A full queue (others wait for the same channel)
 * is waited out until the deadline.
 *
 * Return: 0 with *transport, which its own close operation frees; -ENOENT,
 * -ECONNREFUSED, -EACCES, -ENAMETOOLONG, -ETIMEDOUT or other negative errno
 * with a message and, where there is one, the next step.
 */
int sock_connect(const char *path, int64_t deadline,
                 struct transport **transport, struct error *err);

#endif
