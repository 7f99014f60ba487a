/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Starts a job and is it, to whoever started us: exec, shell. */
#ifndef VSRPC_HOST_CMD_ATTACH_H
#define VSRPC_HOST_CMD_ATTACH_H

#include "host/cmd/command.h"
#include "host/job/job.h"

/*
 * Runs a command in the guest; input is what it reads (-1: nothing), and the
 * terminal on standard input belongs to it when spec->tty is set.  With --json
 * its output is gathered and printed as an envelope.
 *
 * Return: the exit status.
 */
int attach_run(struct command_call *call, const struct job_spec *spec,
               int input);

/*
 * Tells what is to be told of a job that has ended, on standard error.
 *
 * Return: the exit status that is the job's.
 */
int attach_ended(const struct command_call *call,
                 const struct job_status *status, int64_t output_limit,
                 int64_t timeout);

#endif
