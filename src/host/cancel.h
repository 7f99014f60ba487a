/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Taking a request back when a signal tells us to leave. */
#ifndef VSRPC_HOST_CANCEL_H
#define VSRPC_HOST_CANCEL_H

#include "host/client.h"

#define CANCEL_DOUBT                                                         \
    "outcome unknown: the request may have been carried out"

/*
 * Takes the signal that came, hangs up, and asks the agent to end what it
 * does for this request, which takes CANCEL_MS at most.  A second signal ends
 * the process at once.
 *
 * id is NULL when the request cannot have arrived as a whole: then nothing is
 * asked, nor when the agent remembers nothing.  err gets what became of it, with the code -ECANCELED, or
 * STATUS_OUTCOME_UNKNOWN when that is not known.
 */
void cancel(struct client *client, const struct client_request *request,
            const char *id, bool remembers, struct error *err);

#endif
