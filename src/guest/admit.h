/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Shared by the session and the handlers of files. */
#ifndef VSRPC_GUEST_ADMIT_H
#define VSRPC_GUEST_ADMIT_H

#include <stdbool.h>

#include "guest/path_policy.h"
#include "guest/request.h"

/* Counts a request against the rate limit.  Return: true when it may go on;
 * otherwise it has been answered. */
bool request_admit(struct request *request);

/*
 * Opens a regular file for reading, under the policy; found tells of it.
 *
 * Return: 0 with *fd to be closed; as path_find() otherwise.
 */
int file_open(struct request *request, const char *path,
              struct path_found *found, int *fd, struct error *err);

#endif
