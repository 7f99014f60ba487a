/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The secret that requests to a domain are signed with. */
#ifndef VSRPC_HOST_CLIENT_KEYFILE_H
#define VSRPC_HOST_CLIENT_KEYFILE_H

#include "host/core/config.h"
#include "util/buf.h"
#include "util/error.h"

/*
 * Reads the key that is configured for a domain (NULL: a socket without one):
 * auth_key_file, else DOMAIN.key or default.key in auth_key_dir.  A line feed
 * at its end does not belong to it.
 *
 * Return: 0 with the key in *key; 1 when none is configured; -EACCES for a
 * file that others can read, -EINVAL for a key that is too short, or other
 * negative errno.
 */
int keyfile_load(const struct config *config, const char *domain,
                 struct buf *key, struct error *err);

#endif
