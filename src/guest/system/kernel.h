/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What newer kernels have that the agent would use, and what it costs that this
 * one has not.  The way around each is in the file that makes the call.
 */
#ifndef VSRPC_GUEST_SYSTEM_KERNEL_H
#define VSRPC_GUEST_SYSTEM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

/* A call, a flag or a file system. */
struct kernel_part {
    const char *name;
    const char *since;   /* the Linux from which on the agent can use it */
    const char *without; /* what is worse without it */
    bool (*is_there)(void);
};

struct kernel {
    char release[65];     /* uname(2) */
    unsigned int missing; /* a bit for each part */
};

/* Tries each part, without effect. */
void kernel_look(struct kernel *kernel);

/* The part with the number, when it is missing.  Return: it, or NULL. */
const struct kernel_part *kernel_missing(const struct kernel *kernel,
                                         size_t number);

/* How many parts there are. */
size_t kernel_parts(void);

#endif
