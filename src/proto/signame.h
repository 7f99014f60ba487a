/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Signals by name, as they go over the wire.  Both ends are Linux, and x86 and
 * arm have the same numbers. */
#ifndef VSRPC_PROTO_SIGNAME_H
#define VSRPC_PROTO_SIGNAME_H

/* "SIGTERM" for a number (signal(7)).  Return: the name; NULL: it has none. */
const char *signame_get(int number);

/* The number of a signal by its name, with or without SIG.
 * Return: the number; 0: there is no such signal. */
int signame_find(const char *name);

#endif
