/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the agent says about one file: file/info. */
#ifndef VSRPC_HOST_REMOTE_INFO_H
#define VSRPC_HOST_REMOTE_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "host/client/client.h"

/* What the agent says about a file. */
struct remote_info {
    bool exists;
    char type[16]; /* "file", "directory", … */
    int64_t size;
    char md5[33]; /* "" when there is none */
};

/*
 * Asks for a file's metadata.
 *
 * Return: 0; the agent's business code with a message; negative errno.
 */
int remote_info(struct client *client, const char *path,
                struct remote_info *info, struct error *err);

#endif
