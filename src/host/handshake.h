/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The first words on a connection: the reset marker and a sync, so that both
 * ends agree where a message starts (DESIGN 3.4).
 */
#ifndef VSRPC_HOST_HANDSHAKE_H
#define VSRPC_HOST_HANDSHAKE_H

#include <stdint.h>

#include "host/rpc.h"

/*
 * Syncs once and fills in what the agent says about itself.  Everything that
 * is not the answer is dropped.
 *
 * Return: 0; -ETIMEDOUT, -ECONNRESET, -EBADMSG (a flood, or an answer that
 * makes no sense) when another connection may do better; -ENOMEM.
 */
int handshake(struct transport *transport, int64_t deadline,
              struct rpc_peer *peer);

#endif
