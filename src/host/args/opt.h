/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Options by table: one row says how an option is spelt, what it takes, where
 * its value goes and what the help says.  Used for the global options and for
 * those of each command; help and completion read the same rows.
 */
#ifndef VSRPC_HOST_ARGS_OPT_H
#define VSRPC_HOST_ARGS_OPT_H

#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

enum opt_kind {
    OPT_FLAG,    /* bool: set */
    OPT_STRING,  /* const char *: the argument itself */
    OPT_SECONDS, /* int64_t, milliseconds; fractions are allowed */
    OPT_NUMBER,  /* int64_t from 1 to 1024 */
    OPT_SIZE,    /* int64_t, bytes; with a unit, 1 to a petabyte */
    OPT_MODE,    /* const char *: the argument, checked to be octal */
    OPT_USER,    /* const char *: the argument, checked to be USER[:GROUP] */
    OPT_ENV,     /* struct strlist: NAME=VALUE is appended */
};

struct opt {
    char letter;      /* or 0 */
    const char *name; /* of the long form */
    const char *arg;  /* what the help calls its argument; NULL: none */
    enum opt_kind kind;
    size_t offset; /* offsetof() in the target struct */
    const char *help;
};

/*
 * Reads options up to the first operand.  Long ones may be shortened.
 *
 * Return: the index of the first operand, or -EINVAL with a message.
 */
int opt_parse(const struct opt *opts, size_t n, int argc, char **argv,
              void *target, struct error *err);

/* Appends one help line per option.  Return: as buf_append(). */
int opt_help(const struct opt *opts, size_t n, struct buf *text);

#endif
