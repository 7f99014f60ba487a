/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* From a target to a connection that the agent has answered: key, lock, road,
 * handshake; and why not. */
#ifndef VSRPC_HOST_CLIENT_CONNECT_H
#define VSRPC_HOST_CLIENT_CONNECT_H

#include "host/client/client.h"

/*
 * Takes the channel's lock, connects and syncs; requests do so by themselves
 * when needed.
 *
 * Return: 0; -EBUSY when another command keeps the channel; negative errno
 * with a message that names the domain.
 */
int client_connect(struct client *client, struct error *err);

#endif
