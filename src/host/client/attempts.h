/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A request, in as many attempts as it takes and is safe. */
#ifndef VSRPC_HOST_CLIENT_ATTEMPTS_H
#define VSRPC_HOST_CLIENT_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/client/answer.h"
#include "host/client/client.h"

/* What was asked for; strings are not owned. */
struct client_request {
    const char *method;
    const char *target;       /* "/api/v1/…" with query */
    const char *content_type; /* NULL: no body */
    const void *body;
    size_t body_len;
    const struct rpc_body *stream; /* as in rpc_request */
    const char *range_field;
    const char *range;
    const char *condition_field;
    const char *condition;
    int64_t read_ms;         /* 0: no limit; TIMEOUT_UNSET: as set up;
                              * TIMEOUT_ALIVE */
    bool raw;                /* an answer without an envelope is fine */
    const char *beyond;      /* what of it the specification has not; NULL */
    const char *if_unknown;  /* said when it was sent and not answered */
    const char *if_not_done; /* said when it is known to have done nothing */
    bool partial;            /* without what follows it did nothing */
    bool no_cancel;          /* a signal just ends the process */
    bool again;              /* no GET, and may be made again all the same */
    bool underway;           /* it goes on with what runs in the guest: that
                              * is worth some patience */
    int64_t age_ms;          /* of what it asks about; 0: nothing */
    /* Asked when a signal comes while the answer is waited for, which then is
     * not taken back; see rpc_request.  NULL: it is. */
    int (*woken)(void *context, struct error *err);
    void *context;
};

/*
 * Sends a request and takes the answer.  It is made again where that is safe:
 * because it changes nothing, or was not carried out, or because the agent
 * remembers what it did.
 *
 * While a request may change something, signals do not end the process: it
 * is taken back, and the caller has to leave.
 *
 * Return: 0; -ECONNRESET, -ETIMEDOUT, -EBADMSG, -EMSGSIZE, -ENOMEM, -ECANCELED
 * when client->interrupted, and those of client_connect().  When nobody knows
 * what became of it, err->code is STATUS_OUTCOME_UNKNOWN.
 */
int client_send_request(struct client *client,
                        const struct client_request *request,
                        struct answer *answer, struct error *err);

/* Return: each as client_send_request(). */
int client_ping(struct client *client, struct answer *answer,
                struct error *err);
int client_get_system_info(struct client *client, struct answer *answer,
                           struct error *err);

#endif
