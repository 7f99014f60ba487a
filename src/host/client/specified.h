/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What a server that knows only the specification answers. */
#ifndef VSRPC_HOST_CLIENT_SPECIFIED_H
#define VSRPC_HOST_CLIENT_SPECIFIED_H

#include "host/client/answer.h"
#include "util/error.h"

/*
 * Checks the data of an answer that is a success: each member that the
 * specification shows for the request has to be there, and of its kind.
 * Who reads them then need not look again.
 *
 * Return: 0, also for what is no request of the specification; -EBADMSG with a
 * message that names the member.
 */
int specified_check(const char *method, const char *target,
                    const struct answer *answer, struct error *err);

#endif
