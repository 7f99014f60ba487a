/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* exec with a server that knows only the specification. */
#ifndef VSRPC_HOST_CMD_PLAIN_H
#define VSRPC_HOST_CMD_PLAIN_H

#include "host/cmd/command.h"
#include "host/job/job.h"

/*
 * Runs a command by shell/exec, in one request: its output is printed when it
 * has ended.  Without a time limit of its own it has connection.read_timeout.
 * What needs a job is refused before anything is sent.
 *
 * Return: the exit status, as attach_run().
 */
int plain_exec(const struct command_call *call, const struct job_spec *spec);

#endif
