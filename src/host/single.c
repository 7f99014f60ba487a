/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Runs a command with a client of its own, and takes over the signal that
 * ended its last request: the process is to die of it. */
#include <config.h>

#include "host/single.h"

#include "host/client/client.h"
#include "proto/status.h"

static int64_t lock_wait(const struct command_call *call)
{
    return call->options->lock_wait == TIMEOUT_UNSET
               ? call->config->lock_wait
               : call->options->lock_wait;
}

/* That of a command that runs goes with its job. */
static const char *file_user(const struct command_call *call)
{
    return call->command->flags & COMMAND_EXEC ? NULL : call->values.user;
}

int single_run(struct command_call *call, struct target *target)
{
    struct client_setup setup = { .config = call->config,
                                  .source = &call->source,
                                  .out = &call->out,
                                  .log = call->log,
                                  .timeout = call->options->timeout,
                                  .user = file_user(call),
                                  .lock_wait = lock_wait(call),
                                  .lockless_known = call->lockless_known,
                                  .line = call->options->line,
                                  .operand = call->options->operand };
    struct client client;
    int status;

    if (target->err.code < 0 && !(call->command->flags & COMMAND_UNRESOLVED))
        return command_fail(call, &target->err);
    client_init(&client, &setup, target);
    call->client = &client;
    status = call->command->run(call);
    call->client = NULL;
    client_free(&client);
    if (!client.interrupted)
        return status;
    call->interrupted = client.interrupted;
    return EXIT_STATUS_SIGNAL + client.interrupted;
}
