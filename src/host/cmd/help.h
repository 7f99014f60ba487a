/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Help and lists for completion, as answers to options. */
#ifndef VSRPC_HOST_CMD_HELP_H
#define VSRPC_HOST_CMD_HELP_H

#include "host/cmd/command.h"

/* The help of the whole program.  Return: the exit status. */
int help_program(void);

/* Shows the version.  Return: as help_program(). */
int help_version(void);

/* The help of one command.  Return: the exit status. */
int help_command(const struct command *command);

/* The names of all commands, one per line.  Return: the exit status. */
int help_commands(void);

/* All options, one per line: "--NAME [ARG]", those of a command behind its
 * name.  Return: the exit status. */
int help_options(void);

#endif
