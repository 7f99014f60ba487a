/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The global options: those in front of the domain. */
#ifndef VSRPC_HOST_ARGS_OPTIONS_H
#define VSRPC_HOST_ARGS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/args/opt.h"
#include "host/client/client.h"

/* All strings belong to the command line. */
struct options {
    const char *uri;
    const char *channel;
    const char *socket;
    const char *transport;
    const char *config;
    const char *log;
    int64_t timeout;   /* ms; 0: none; TIMEOUT_UNSET */
    int64_t lock_wait; /* ms; TIMEOUT_UNSET: as configured */
    int64_t parallel;  /* 0: as configured */
    bool all;
    bool json;
    bool quiet;
    bool verbose;
    bool version;
    bool help;
    bool list_commands; /* for completion and the lint tests */
    bool list_options;
    char **line; /* all of it, … */
    int operand; /* … and where these options end */
};

/*
 * Reads the global options.
 *
 * Return: the index of the first operand, or -EINVAL with a message.
 */
int options_parse(struct options *options, int argc, char **argv,
                  struct error *err);

/* The table without the hidden rows at its end.  Return: rows, *n of them. */
const struct opt *options_table(size_t *n);

#endif
