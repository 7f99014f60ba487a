/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The one clean-up shape of this project: initialise every variable, let the
 * attribute close or free it, and hand ownership out with "assign, then NULL"
 * (steal_ptr, steal_fd).  The attribute is a gcc and clang extension.
 */
#ifndef VSRPC_UTIL_CLEANUP_H
#define VSRPC_UTIL_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

static inline void cleanup_free(void *pointer)
{
    free(*(void **) pointer);
}

static inline void cleanup_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* A pointer freed, or a descriptor closed, when its scope ends. */
#define AUTO_FREE CLEANUP(cleanup_free)
#define AUTO_CLOSE CLEANUP(cleanup_close)

/* Moves a descriptor out of an AUTO_CLOSE variable. */
static inline int steal_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

static inline void *steal_pointer(void *pointer)
{
    void **slot = pointer;
    void *taken = *slot;

    *slot = NULL;
    return taken;
}

/* Moves a pointer out of an AUTO_FREE (or like) variable, type kept. */
#define steal_ptr(pointer) ((__typeof__(*(pointer))) steal_pointer(pointer))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
