/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The table of commands and those of their options; and how all commands tell
 * errors: words, exit status, and with --json an envelope.
 */
#include <config.h>

#include "host/cmd/command.h"

#include <errno.h>
#include <string.h>

#include "host/client/answer.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define AT(member) offsetof(struct command_values, member)
#define INPUT_MAX (64L * 1024 * 1024) /* a request body typed by a user */
#define STATUS_SIGPIPE (EXIT_STATUS_SIGNAL + 13)

static const struct opt exec_opts[] = {
    { 0, "cwd", "DIR", OPT_STRING, AT(cwd), "folder to run in" },
    { 0, "env", "NAME=VALUE", OPT_ENV, AT(env),
      "variable to set; may be repeated" },
    { 0, "user", "USER[:GROUP]", OPT_USER, AT(user),
      "run as that user, with its groups" },
    { 0, "umask", "MODE", OPT_MODE, AT(umask), "octal umask (default: 022)" },
    { 0, "shell", NULL, OPT_FLAG, AT(shell),
      "let the user's shell in the guest run the operands" },
    { 'n', "no-stdin", NULL, OPT_FLAG, AT(no_stdin),
      "do not read standard input" },
    { 't', "tty", NULL, OPT_FLAG, AT(tty), "on a terminal, as with shell" },
    { 0, "timeout", "SECONDS", OPT_SECONDS, AT(timeout),
      "end the command after that; 0: never" },
    { 0, "output-limit", "SIZE", OPT_SIZE, AT(output_limit),
      "drop output beyond that" },
    { 0, "detach", NULL, OPT_FLAG, AT(detach),
      "leave it running, and print its id" },
};

static const struct opt shell_opts[] = {
    { 0, "cwd", "DIR", OPT_STRING, AT(cwd), "folder to begin in" },
    { 0, "env", "NAME=VALUE", OPT_ENV, AT(env),
      "variable to set; may be repeated" },
    { 0, "user", "USER[:GROUP]", OPT_USER, AT(user),
      "be that user, with its groups" },
};

static const struct opt job_opts[] = {
    { 'f', "follow", NULL, OPT_FLAG, AT(follow),
      "with output: go on until the job has ended" },
};

/* Of all that acts on the guest's files. */
#define USER_OPT                                             \
    {                                                        \
        0, "user", "USER[:GROUP]", OPT_USER, AT(user),       \
            "with the rights of that user, not of the agent" \
    }

static const struct opt file_opts[] = { USER_OPT };

/* Of both copies. */
#define COPY_OPTS                                                           \
    { 'r',      "recursive",   NULL,                                        \
      OPT_FLAG, AT(recursive), "copy folders with everything in them" },    \
        { 'p',      "preserve",   NULL,                                     \
          OPT_FLAG, AT(preserve), "keep mode and time of last change" },    \
        { 0,        "no-clobber",   NULL,                                   \
          OPT_FLAG, AT(no_clobber), "fail when the file exists" },          \
        { 0,        "resume",   NULL,                                       \
          OPT_FLAG, AT(resume), "go on with a copy that was broken off" },  \
        { 0,          "checksum",   "KIND",                                 \
          OPT_STRING, AT(checksum), "md5, sha256 or none (default: md5)" }, \
        { 0,        "limit-rate",   "SIZE",                                 \
          OPT_SIZE, AT(limit_rate), "bytes in a second, at most" },         \
        USER_OPT,                                                           \
    {                                                                       \
        0, "no-progress", NULL, OPT_FLAG, AT(no_progress),                  \
            "do not show how far it is"                                     \
    }

static const struct opt upload_opts[] = {
    { 0, "mode", "MODE", OPT_MODE, AT(mode),
      "octal mode of files (default: as cp)" },
    { 0, "owner", "USER", OPT_STRING, AT(owner), "owner in the guest" },
    { 0, "group", "GROUP", OPT_STRING, AT(group), "group in the guest" },
    COPY_OPTS,
};

static const struct opt download_opts[] = { COPY_OPTS };

static const struct opt ls_opts[] = {
    { 'l', "long", NULL, OPT_FLAG, AT(details),
      "with mode, owner, group, size and time" },
    { 'a', "all", NULL, OPT_FLAG, AT(all),
      "also names that begin with a dot" },
    { 0, "json", NULL, OPT_FLAG, AT(json), "as JSON, one line for each PATH" },
    USER_OPT,
};

static const struct opt rm_opts[] = {
    { 'r', "recursive", NULL, OPT_FLAG, AT(recursive),
      "folders with everything in them" },
    { 'f', "force", NULL, OPT_FLAG, AT(force),
      "what is not there is no error" },
    USER_OPT,
};

static const struct opt mkdir_opts[] = {
    { 'p', "parents", NULL, OPT_FLAG, AT(parents),
      "also those above; one that is there is no error" },
    { 0, "mode", "MODE", OPT_MODE, AT(mode), "octal mode (default: 0755)" },
    USER_OPT,
};

/* Behind the command is where the hand writes it. */
static const struct opt list_opts[] = {
    { 0, "json", NULL, OPT_FLAG, AT(json), "as a JSON array" },
};

#define NO_OPTS NULL, 0
#define OPTS(table) table, ARRAY_SIZE(table)

static const struct command commands[] = {
    { "ping", "", "see whether the agent answers", NO_OPTS, 0, 0, 0, NULL,
      cmd_ping },
    { "info", "", "show the guest's system", NO_OPTS, 0, 0, 0, NULL,
      cmd_info },
    { "status", "", "show the guest's load, memory and disks", NO_OPTS, 0, 0,
      0, NULL, cmd_status },
    { "capabilities", "", "show the agent's version, limits and policy",
      NO_OPTS, 0, 0, 0, NULL, cmd_capabilities },
    { "exec", "\"COMMAND\" | [--] PROGRAM [ARG…]", "run a command",
      OPTS(exec_opts), 1, -1, COMMAND_EXEC, cmd_exec_prepare, cmd_exec },
    { "shell", "", "get a shell on a terminal", OPTS(shell_opts), 0, 0,
      COMMAND_EXEC, cmd_shell_prepare, cmd_shell },
    { "jobs", "", "list commands that run, or were left running", NO_OPTS, 0,
      0, 0, NULL, cmd_jobs },
    { "job", "ID [output [--follow] | signal SIGNAL | wait | remove]",
      "show a job, its output or its end", OPTS(job_opts), 1, 3, 0,
      cmd_job_prepare, cmd_job },
    { "upload", "LOCAL… REMOTE", "copy files to the guest", OPTS(upload_opts),
      2, -1, COMMAND_PATH_LAST, cmd_upload_prepare, cmd_upload },
    { "download", "REMOTE… LOCAL", "copy files from the guest",
      OPTS(download_opts), 2, -1, COMMAND_TO_FOLDER | COMMAND_PATHS_THERE,
      cmd_copy_prepare, cmd_download },
    { "cat", "PATH…", "print files of the guest", OPTS(file_opts), 1, -1,
      COMMAND_PATHS, NULL, cmd_cat },
    { "ls", "[PATH…]", "list folders of the guest", OPTS(ls_opts), 0, -1,
      COMMAND_PATHS, NULL, cmd_ls },
    { "rm", "PATH…", "remove files in the guest", OPTS(rm_opts), 1, -1,
      COMMAND_PATHS, NULL, cmd_rm },
    { "mkdir", "PATH…", "make folders in the guest", OPTS(mkdir_opts), 1, -1,
      COMMAND_PATHS, NULL, cmd_mkdir },
    { "edit", "PATH", "change a file of the guest in your editor",
      OPTS(file_opts), 1, 1, COMMAND_PATHS, cmd_edit_prepare, cmd_edit },
    { "stat", "PATH", "show a file's metadata", OPTS(file_opts), 1, 1,
      COMMAND_PATHS, NULL, cmd_stat },
    { "service",
      "NAME start|stop|restart|reload|status|is-active|is-enabled|enable|"
      "disable",
      "control a service, or ask about it", NO_OPTS, 2, 2, 0,
      cmd_service_prepare, cmd_service },
    { "call", "METHOD PATH [BODY | @FILE | -]", "send any request", NO_OPTS, 2,
      3, 0, cmd_call_prepare, cmd_call },
    { "doctor", "", "find out what keeps the agent from answering", NO_OPTS, 0,
      0, COMMAND_UNRESOLVED, NULL, cmd_doctor },
    { "list", "[DOMAIN…]", "list running domains and their agents",
      OPTS(list_opts), 0, -1, COMMAND_NO_TARGET, NULL, cmd_list },
    { "help", "[COMMAND]", "show help", NO_OPTS, 0, 1, COMMAND_NO_TARGET, NULL,
      cmd_help },
};

const struct command *command_table(size_t *n)
{
    *n = ARRAY_SIZE(commands);
    return commands;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int command_check_count(const struct command_call *call,
                               struct error *err)
{
    const struct command *command = call->command;

    if (call->n_args >= command->min
        && (command->max < 0 || call->n_args <= command->max))
        return 0;
    error_set(err, -EINVAL, "%s: %s", command->name,
              call->n_args < command->min ? "an operand is missing"
                                          : "too many operands");
    error_hint(err, PROGRAM " %s%s%s%s",
               command->flags & COMMAND_NO_TARGET ? "" : "DOMAIN ",
               command->name, *command->usage ? " " : "", command->usage);
    return -EINVAL;
}

/* Before anything is done: one that is not a path may be a domain that is in
 * the wrong place, and the next one is not meant for this guest then. */
static int command_check_paths(const struct command_call *call,
                               struct error *err)
{
    unsigned int flags = call->command->flags;
    int first = flags & COMMAND_PATH_LAST ? call->n_args - 1 : 0;
    int end = flags & COMMAND_PATHS_THERE ? call->n_args - 1 : call->n_args;

    if (!(flags & (COMMAND_PATHS | COMMAND_PATHS_THERE | COMMAND_PATH_LAST)))
        return 0;
    for (int i = first; i < end; i++)
        if (call->args[i][0] != '/')
            return error_set(err, -EINVAL, "%s: path '%s' is not absolute",
                             call->command->name, call->args[i]);
    return 0;
}

int command_parse(struct command_call *call, int n, char **words,
                  struct error *err)
{
    const struct command *command = call->command;
    int first;
    int r;

    call->values = (struct command_values) { .timeout = TIMEOUT_UNSET };
    buf_init(&call->input, INPUT_MAX);
    first = opt_parse(command->opts, command->n_opts, n, words, &call->values,
                      err);
    if (first < 0) {
        error_prefix(err, "%s", command->name);
        return first;
    }
    call->out.json = call->out.json || call->values.json; /* also behind it */
    call->args = words + first;
    call->n_args = n - first;
    call->dashes = strcmp(words[first - 1], "--") == 0;
    r = command_check_count(call, err);
    if (r == 0)
        r = command_check_paths(call, err);
    if (r == 0 && command->prepare)
        r = command->prepare(call, err);
    return r;
}

void command_call_free(struct command_call *call)
{
    strlist_free(&call->values.env);
    buf_free(&call->input);
}

int command_output_status(int r)
{
    struct error err = ERROR_INIT;

    if (r == -EPIPE) /* whoever read it has enough: no words */
        return STATUS_SIGPIPE;
    error_errno(&err, r, "standard output");
    out_error(&err);
    return EXIT_STATUS_TRANSPORT;
}

/* What the errors of the layers between us and an agent are to users.  They have
 * errnos of their own; the same of a file is our own trouble. */
static const struct {
    int code;
    enum status_code status;
} conditions[] = {
    { -ETIMEDOUT, STATUS_READ_TIMEOUT },
    { -ECONNRESET, STATUS_CONNECTION_LOST },
    { -EPIPE, STATUS_CONNECTION_LOST },
    { -ESTALE, STATUS_CONNECTION_LOST },
    { -ESRCH, STATUS_DOMAIN_NOT_FOUND },
    { -ESHUTDOWN, STATUS_DOMAIN_NOT_RUNNING },
    { -EHOSTUNREACH, STATUS_DOMAIN_PAUSED },
    { -ENXIO, STATUS_NO_CHANNEL },
    { -EHOSTDOWN, STATUS_AGENT_SILENT },
    { -EBUSY, STATUS_CHANNEL_BUSY },
    { -EBADMSG, STATUS_BAD_ANSWER },
    { -ECANCELED, STATUS_INTERRUPTED },
};

int command_condition(const struct error *err)
{
    if (err->code >= 0 || err->status)
        return err->code > 0 ? err->code : err->status;
    for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
        if (conditions[i].code == err->code)
            return conditions[i].status;
    return STATUS_LOCAL_FAILED;
}

int command_json(const struct command_call *call, int code,
                 struct json_object *data)
{
    AUTO_JSON struct json_object *root = NULL;
    const struct status *status = status_get(code);

    root = envelope_build(status->code, status->message, data, clock_wall());
    return root ? out_json(call->out.records, root) : -ENOMEM;
}

struct json_object *command_failure(const struct error *err)
{
    const struct status *status = status_get(command_condition(err));
    AUTO_JSON struct json_object *data = json_object_new_object();

    json_add_string(data, "error_type", status->name);
    json_add_string(data, "detail", err->message);
    if (err->hint[0])
        json_add_string(data, "hint", err->hint);
    return json_whole(data) ? envelope_build(status->code, status->message,
                                             data, clock_wall())
                            : NULL;
}

static void fail_json(const struct command_call *call, const struct error *err)
{
    AUTO_JSON struct json_object *root = command_failure(err);

    if (root)
        out_json(call->out.records, root);
}

/* virsh has to look where we did: it gets the URI that we were given. */
static void place_hint(const struct command_call *call, struct error *err)
{
    static const char virsh[] = "virsh ";
    char rest[sizeof(err->hint)];
    const char *uri = call->source.uri;
    const char *quote = uri && strpbrk(uri, "?&=#*[];()$ ") ? "'" : "";

    if (!uri || strncmp(err->hint, virsh, sizeof(virsh) - 1) != 0
        || strncmp(err->hint + sizeof(virsh) - 1, "-c ", 3) == 0)
        return;
    memcpy(rest, err->hint + sizeof(virsh) - 1,
           sizeof(rest) - sizeof(virsh) + 1);
    error_hint(err, "%s-c %s%s%s %s", virsh, quote, uri, quote, rest);
}

int command_status(const struct error *err)
{
    return err->code < 0 && !err->status
               ? EXIT_STATUS_TRANSPORT
               : status_get(command_condition(err))->exit;
}

void command_content(struct command_call *call)
{
    if (call->out.records == STDOUT_FILENO)
        call->out.records = STDERR_FILENO;
}

void command_show(const struct command_call *call, const struct error *err)
{
    struct error placed = *err;

    place_hint(call, &placed);
    out_error(&placed);
}

int command_not_run(int status)
{
    return status == EXIT_STATUS_FAILED ? EXIT_STATUS_TRANSPORT : status;
}

int command_fail(const struct command_call *call, const struct error *err)
{
    struct error placed = *err;

    if (err->code == -EPIPE)
        return command_output_status(err->code);
    place_hint(call, &placed);
    if (call->out.json)
        fail_json(call, &placed);
    if (!call->out.json || call->out.records != STDERR_FILENO)
        out_error(&placed);
    return command_status(err);
}

int command_report(const struct command_call *call, int r,
                   const struct answer *answer, const struct error *err)
{
    return r < 0 ? command_fail(call, err)
                 : command_report_as(call, answer, answer->envelope.root);
}

int command_report_as(const struct command_call *call,
                      const struct answer *answer, struct json_object *shown)
{
    struct error said = ERROR_INIT;
    int r;

    client_disconnect(call->client); /* the reader of our output may be slow */
    r = shown ? out_json(call->out.records, shown) : -ENOMEM;
    if (r < 0)
        return command_output_status(r);
    if (!call->out.json && answer_error(call->client, answer, &said))
        out_error(&said);
    return status_get(answer->envelope.code)->exit;
}
