/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A command as a request describes it: what shell/exec and jobs have in
 * common.
 */
#ifndef VSRPC_GUEST_COMMAND_H
#define VSRPC_GUEST_COMMAND_H

#include <stdint.h>

#include "guest/child.h"
#include "guest/request.h"
#include "util/text.h"

struct command {
    struct strlist argv;
    struct strlist env;
    char *program;           /* that is run */
    const char *working_dir; /* of the request's parameters; NULL: none */
    const char *home;
    int64_t timeout_ms;      /* 0: none; set the default before reading */
};

/*
 * Reads a command from a request's parameters, which must outlive it, and asks
 * the policy.  command is zeroed before but for its defaults, and freed by the
 * caller in either case.
 *
 * Return: 0, positive enum status_code with a message, or -ENOMEM.
 */
int command_read(struct command *command, const struct request *request,
                 struct error *err);

/* What is to be started, as far as the command says it; valid as long as the
 * command is. */
struct child_spec command_spec(const struct command *command);

void command_free(struct command *command);

/* Answers with what command_read() or child_start() returned. */
void command_refuse(struct request *request, int result,
                    const struct error *err);

/* Answers that a command could not be started: what failed (struct child), and
 * with which positive errno. */
void command_not_started(struct request *request,
                         const struct command *command, const char *step,
                         int error);

#endif
