/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Mode, owner and time that a request wants a file to have. */
#ifndef VSRPC_GUEST_FILE_ATTRIBUTES_H
#define VSRPC_GUEST_FILE_ATTRIBUTES_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "util/error.h"
#include "util/opath.h"

/* As a request has them; NULL: left as it is. */
struct attributes_text {
    const char *mode;  /* octal */
    const char *owner; /* name or number */
    const char *group;
    const char *mtime; /* seconds since 1970, and perhaps '.' and at most nine
                        * digits of a fraction that is added */
};

struct attributes {
    bool has_mode;
    unsigned int mode;
    int64_t uid; /* -1: as it is */
    int64_t gid;
    bool has_mtime;
    struct timespec mtime;
};

/*
 * Understands them.
 *
 * Return: 0; -EINVAL with a message.
 */
int attributes_parse(struct attributes *attributes,
                     const struct attributes_text *text, struct error *err);

/*
 * Gives them to a file; to a symbolic link itself, which has no mode.
 *
 * Return: 0; negative errno with a message, which calls it path.
 */
int attributes_apply(const struct attributes *attributes,
                     const struct opath *file, const char *path,
                     struct error *err);

#endif
