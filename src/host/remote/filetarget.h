/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Request targets of the agent's file routes: a path and what else is said. */
#ifndef VSRPC_HOST_REMOTE_FILETARGET_H
#define VSRPC_HOST_REMOTE_FILETARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

/*
 * Begins a target anew: "/api/v1/file/WHAT?path=PATH", and "&transfer=ID" when
 * the request belongs to a copy (NULL: it does not).
 *
 * Return: 0 or negative errno with a message.
 */
int filetarget_begin(struct buf *target, const char *what, const char *path,
                     const char *transfer, struct error *err);

/* Adds "&NAME=VALUE"; a NULL value adds nothing.  Return: 0 or negative
 * errno. */
int filetarget_add(struct buf *target, const char *name, const char *value);
int filetarget_add_int(struct buf *target, const char *name, int64_t value);

/* Adds "&NAME=true" when it is set.  Return: as filetarget_add(). */
int filetarget_add_flag(struct buf *target, const char *name, bool set);

#endif
