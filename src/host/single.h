/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* One command for one target. */
#ifndef VSRPC_HOST_SINGLE_H
#define VSRPC_HOST_SINGLE_H

#include "host/cmd/command.h"

/*
 * Runs a command for one target, in this process.
 *
 * Return: its exit status.
 */
int single_run(struct command_call *call, struct target *target);

#endif
