/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What upload and download share with what copies several files. */
#ifndef VSRPC_HOST_CMD_COPY_H
#define VSRPC_HOST_CMD_COPY_H

#include "host/cmd/command.h"
#include "host/copy/copy.h"

/* The options of a call; strings stay the call's. */
struct copy_options cmd_copy_options(const struct command_call *call);

/* The progress of a call, for which there has to be somebody to see it; what the
 * call says goes around its line.  Return: for cmd_copy_progress_end(); may be
 * NULL. */
struct progress *cmd_copy_progress(struct command_call *call);
void cmd_copy_progress_end(struct command_call *call);

/* A copy of several files or whole folders.  Return: the exit status. */
int cmd_upload_many(struct command_call *call);
int cmd_download_many(struct command_call *call);

#endif
