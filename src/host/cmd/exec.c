/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * exec and shell: from options and operands to the description of a job.  An
 * input that is /dev/null is not passed on, which saves a request.
 */
#include <config.h>

#include "host/cmd/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/cmd/attach.h"
#include "host/term/terminal.h"
#include "proto/status.h"
#include "util/cleanup.h"

#define COMMAND_MAX (1024L * 1024) /* of a string made of operands */

/* There is no one to type, and no one to look at it. */
static int check_terminal(const struct command_call *call, struct error *err)
{
    if (isatty(STDIN_FILENO))
        return 0;
    error_set(err, -EINVAL, "%s: standard input is no terminal",
              call->command->name);
    error_hint(err, PROGRAM " DOMAIN exec -- … for commands without one");
    return -EINVAL;
}

/* Who was started without an input needs a round trip less. */
static bool has_input(const struct command_call *call)
{
    struct stat st;

    if (call->values.no_stdin || call->values.detach
        || fstat(STDIN_FILENO, &st) < 0)
        return false;
    return !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3);
}

/* Not left to the guest: a server that knows only the specification may take
 * it for a success.  To a shell it is one. */
static bool is_empty(const struct command_call *call)
{
    const char *first = call->n_args > 0 ? call->args[0] : NULL;

    if (!first || call->values.shell)
        return false;
    return call->n_args > 1 || call->dashes ? !*first
                                            : !first[strspn(first, " \t\n")];
}

int cmd_exec_prepare(struct command_call *call, struct error *err)
{
    const struct command_values *values = &call->values;

    if (values->detach && values->tty)
        return error_set(err, -EINVAL,
                         "exec: --detach and --tty exclude each other");
    if (is_empty(call))
        return error_set(err, -EINVAL, "exec: the command is empty");
    call->one_only = values->tty;
    /* Nobody types the same for several. */
    call->reads_input = has_input(call) && !isatty(STDIN_FILENO);
    return values->tty ? check_terminal(call, err) : 0;
}

int cmd_shell_prepare(struct command_call *call, struct error *err)
{
    call->one_only = true;
    return check_terminal(call, err);
}

/* What stands in the command line and is the same for all of them. */
static struct job_spec spec_of(const struct command_call *call)
{
    const struct command_values *values = &call->values;
    struct job_spec spec = {
        .working_dir = values->cwd,
        .env = &values->env,
        .user = values->user,
        .umask = values->umask,
        .detach = values->detach,
        .output_limit = values->output_limit,
        .tty = values->tty,
        .term = getenv("TERM"),
    };

    if (values->timeout != TIMEOUT_UNSET)
        spec.timeout = values->timeout;
    if (spec.tty)
        terminal_size(&spec.rows, &spec.columns);
    return spec;
}

/* As ssh(1) does it: a string for a shell is made of all operands. */
static int join(const struct command_call *call, struct buf *command)
{
    int r = 0;

    for (int i = 0; r == 0 && i < call->n_args; i++)
        r = buf_printf(command, "%s%s", i > 0 ? " " : "", call->args[i]);
    return r == 0 && !buf_cstr(command) ? -ENOMEM : r;
}

static int detached(struct command_call *call, const struct job_spec *spec)
{
    struct job_status status;
    struct error err = ERROR_INIT;
    struct answer answer;
    int r;

    answer_init(&answer);
    r = job_create(call->client, spec, 0, NULL, NULL, &answer, &status, &err);
    client_disconnect(call->client);
    if (call->out.json && r >= 0)
        r = command_not_run(command_report(call, 0, &answer, &err));
    else if (r)
        r = command_not_run(command_fail(call, &err));
    else
        r = out_line("%s", status.id);
    answer_free(&answer);
    if (r >= 0)
        return r;
    out_message(&call->out, "the command runs, as job %s", status.id);
    return command_output_status(r);
}

static int exec_run(struct command_call *call, struct job_spec *spec)
{
    spec->input = has_input(call);
    if (spec->detach)
        return detached(call, spec);
    return attach_run(call, spec, spec->input ? STDIN_FILENO : -1);
}

int cmd_exec(struct command_call *call)
{
    struct job_spec spec = spec_of(call);
    int64_t timeout = call->options->timeout;
    struct error err = ERROR_INIT;
    struct buf command;
    int r = 0;

    /* In front of the domain it is for an answer or a command. */
    if (call->values.timeout == TIMEOUT_UNSET && timeout > 0)
        spec.timeout = timeout;
    buf_init(&command, COMMAND_MAX);
    spec.shell = call->values.shell;
    if (spec.shell || (call->n_args == 1 && !call->dashes)) {
        r = join(call, &command);
        spec.command = buf_cstr(&command);
    } else {
        spec.argv = call->args;
    }
    if (r < 0)
        error_errno(&err, r, "command");
    r = r < 0 ? command_fail(call, &err) : exec_run(call, &spec);
    buf_free(&command);
    return r;
}

int cmd_shell(struct command_call *call)
{
    struct job_spec spec = spec_of(call);

    spec.shell = true;
    spec.tty = true;
    spec.input = true;
    terminal_size(&spec.rows, &spec.columns);
    out_note(&call->out, "~. at the beginning of a line leaves");
    return attach_run(call, &spec, STDIN_FILENO);
}
