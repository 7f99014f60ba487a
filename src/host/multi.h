/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* One command for many targets. */
#ifndef VSRPC_HOST_MULTI_H
#define VSRPC_HOST_MULTI_H

#include "host/cmd/command.h"

/*
 * Runs a command for all targets, --parallel of them at a time, with the
 * domain's name in front of each line, and sums up on standard error.
 *
 * Return: the exit status: 0 when all succeeded, else 1.
 */
int multi_run(struct command_call *call, const struct targets *targets);

#endif
