/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A command as a request describes it: what shell/exec and jobs have in
 * common.
 */
#ifndef VSRPC_GUEST_JOB_COMMAND_H
#define VSRPC_GUEST_JOB_COMMAND_H

#include <stdint.h>

#include "guest/proc/child.h"
#include "guest/proc/user.h"
#include "guest/request/request.h"
#include "util/text.h"

/* Strings that are not its own are the agent's or the request's. */
struct command {
    struct strlist argv;
    struct strlist patterns; /* of argv, for expand(); none: it has none */
    struct strlist env;
    char *program;           /* that is run */
    const char *working_dir; /* NULL: home */
    const char *home;
    bool as_user;          /* not as the agent's own */
    struct user user;      /* if so */
    const char *user_rule; /* the setting that it comes from; NULL: none */
    bool group_asked;      /* its group is not the user's own */
    bool ruled;            /* there is a rule for its program */
    bool umask_given;
    unsigned int umask;

    /* To be set before reading. */
    int64_t timeout_ms; /* the default; 0: none */
    const char *term;   /* of the terminal; NULL: there is none */
};

/*
 * Reads a command from a request's parameters, which must outlive it, and asks
 * the policy.  The rest of command is zeroed before; the caller frees it in
 * either case.
 *
 * Return: 0, positive enum status_code with a message, or -ENOMEM.
 */
int command_read(struct command *command, const struct request *request,
                 struct error *err);

/* What is to be started, as far as the command says it; valid as long as the
 * command is. */
struct child_spec command_spec(const struct command *command,
                               struct context *context);

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
