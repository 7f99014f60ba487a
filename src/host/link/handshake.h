/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The handshake: connections and syncs, until one of them is answered. */
#ifndef VSRPC_HOST_LINK_HANDSHAKE_H
#define VSRPC_HOST_LINK_HANDSHAKE_H

#include <stdint.h>

#include "host/link/rpc.h"

/* How rpc_open() gets at a transport, once per attempt. */
struct rpc_dialer {
    int (*dial)(void *context, int64_t deadline, struct transport **transport,
                struct error *err);
    void *context;
    struct handshake_pace pace; /* of its attempts */
};

/*
 * Connects and syncs, in as many attempts as fit into connect_ms: the driver
 * of proto/handshake.h.  A connection that breaks is the end: it is the
 * caller's to make another one.
 *
 * Return: 0; -ECONNRESET; -EHOSTDOWN when the agent did not answer (message only
 * says so: the caller knows more); -EPROTO when answers have no X-Request-ID; the
 * dialer's error; -ECANCELED by the transport's wake_fd; -ENOMEM.
 */
int rpc_open(struct rpc *rpc, const struct rpc_dialer *dialer,
             int64_t connect_ms, struct error *err);

/*
 * Connects, for one request of a peer that is known to be plain; rpc_open()
 * does so itself when it finds that out.
 *
 * Return: 0; the dialer's error.
 */
int rpc_dial(struct rpc *rpc, const struct rpc_dialer *dialer,
             int64_t connect_ms, struct error *err);

#endif
