/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The command line of vsrpc-agent. */
#ifndef VSRPC_GUEST_OPTIONS_H
#define VSRPC_GUEST_OPTIONS_H

#include <stdbool.h>

#include "guest/agent.h"
#include "util/error.h"

enum options_mode {
    OPTIONS_RUN,
    OPTIONS_CHECK_CONFIG,
    OPTIONS_HELP,
    OPTIONS_VERSION,
};

struct options {
    enum options_mode mode;
    const char *config; /* NULL: SETTINGS_FILE, if it is there */
    struct agent_source source;
};

/* Return: 0, or -EINVAL with a message. */
int agent_options_parse(int argc, char **argv, struct options *options,
                        struct error *err);

/* Prints the help, made from the table of options, to standard output. */
void options_help(void);

#endif
