/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* --user: in whose name the guest's files are asked for. */
#ifndef VSRPC_HOST_CLIENT_AS_USER_H
#define VSRPC_HOST_CLIENT_AS_USER_H

#include "host/client/attempts.h"
#include "util/buf.h"

/*
 * Adds the client's user to a request for a file route; any other is left as
 * it is.  The new target is in a buffer of the caller's, and has to stay while
 * the request is used.
 *
 * Return: 0; -EPROTONOSUPPORT with a message when the agent would not heed it;
 * as client_send_request() when that cannot be found out.
 */
int as_user_name(struct client *client, struct client_request *request,
                 struct buf *target, struct error *err);

#endif
