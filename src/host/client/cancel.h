/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Taking a request back when a signal tells us to leave. */
#ifndef VSRPC_HOST_CLIENT_CANCEL_H
#define VSRPC_HOST_CLIENT_CANCEL_H

#include "host/client/client.h"

#include "host/client/attempts.h"

#define CANCEL_UNKNOWN "outcome unknown: the request may have been carried out"

struct cancelled {
    const struct client_request *request;
    const char *id;  /* NULL: it cannot have arrived as a whole */
    int64_t since;   /* when it was sent first */
    bool remembered; /* the agent can be asked about it */
};

/*
 * Takes the signal that came, hangs up, and asks the agent to end what it
 * does for this request, which takes CANCEL_MS at most.  A second signal ends
 * the process at once.
 *
 * err gets what became of it, with the code -ECANCELED, or
 * STATUS_OUTCOME_UNKNOWN when that is not known.
 */
void cancel(struct client *client, const struct cancelled *what,
            struct error *err);

#endif
