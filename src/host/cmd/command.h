/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Commands: one table, from which dispatch, help and completion are made.
 */
#ifndef VSRPC_HOST_CMD_COMMAND_H
#define VSRPC_HOST_CMD_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "host/args/opt.h"
#include "host/args/options.h"
#include "host/client/answer.h"
#include "host/client/client.h"

enum command_flags {
    COMMAND_NO_TARGET = 1,  /* stands in front, without a domain */
    COMMAND_EXEC = 2,       /* usage errors are 125: 2 could be the guest's */
    COMMAND_UNRESOLVED = 4, /* wants also targets that cannot be talked to:
                             * it looks itself what is wrong with them */
    COMMAND_TO_FOLDER = 8,  /* of several domains the last operand is a folder
                             * here, or "-": one name is not for two files */
    COMMAND_PATHS = 16,     /* its operands are paths in the guest, … */
    COMMAND_PATHS_THERE = 32, /* … but for the last one, or … */
    COMMAND_PATH_LAST = 64,   /* … only the last one */
};

/* Values of the options of all commands. */
struct command_values {
    const char *cwd;
    struct strlist env;
    int64_t timeout; /* ms; TIMEOUT_UNSET */
    const char *mode;
    const char *owner;
    const char *group;
    bool no_clobber;
    const char *checksum;
    int64_t limit_rate; /* bytes in a second; 0: none */
    bool resume;
    bool preserve;
    bool recursive;
    bool no_progress;
    bool parents;
    bool force;
    bool all;
    bool details;
    bool json;
    bool no_stdin;
    bool detach;
    bool shell;
    bool tty;
    bool follow;
    const char *user;
    const char *umask;
    int64_t output_limit; /* bytes; 0: none */
};

/* One call of a command, for one target. */
struct command_call {
    const struct command *command;
    const struct options *options;
    const struct config *config;
    struct target_source source;
    struct out out;
    struct log *log;
    struct client *client; /* NULL for COMMAND_NO_TARGET */
    const char *domain;    /* what stood in front of the command; NULL */
    struct command_values values;
    char **args; /* operands, ends with a NULL */
    int n_args;
    bool multi;       /* one of many: see struct targets */
    bool reads_input; /* standard input is for the guest: of many, for each */
    bool one_only;    /* makes sense for one domain */
    bool lockless_known; /* another one tells that there are no locks */
    bool dashes;         /* "--" stood in front of the operands */
    struct buf input;    /* what prepare() has read */
    int interrupted;     /* the number of the signal to die of; 0: none */
};

struct command {
    const char *name;
    const char *usage; /* of the operands */
    const char *help;  /* one line */
    const struct opt *opts;
    size_t n_opts;
    int min, max; /* number of operands; max -1: any */
    unsigned int flags;
    /* Checks the operands before anything is contacted, once for all
     * targets; may be NULL.  Return: 0; -EINVAL, with a message, is wrong
     * usage; other negative errno. */
    int (*prepare)(struct command_call *call, struct error *err);
    /* Return: the exit status. */
    int (*run)(struct command_call *call);
};

/* The table.  Return: the rows, *n of them. */
const struct command *command_table(size_t *n);

/* Finds a command.  Return: its row or NULL. */
const struct command *command_find(const char *name);

/*
 * Reads a command's options and checks its operands; words[0] is its name.
 *
 * Return: 0; as prepare().  command_call_free() in either case.
 */
int command_parse(struct command_call *call, int n, char **words,
                  struct error *err);

void command_call_free(struct command_call *call);

/* Shows an error (with --json also as an envelope on standard output).
 * Return: the exit status: what the code's row says, or 125. */
int command_fail(const struct command_call *call, const struct error *err);

/* The exit status when no command ran: 1 would be taken for the command's. */
int command_not_run(int status);

/*
 * Prints an answer's envelope as one line, or the error r of getting it.
 *
 * Return: the exit status.
 */
int command_report(const struct command_call *call, int r,
                   const struct answer *answer, const struct error *err);

/* Likewise of an answer whose envelope is shown as another value; NULL: there
 * was no memory for that. */
int command_report_as(const struct command_call *call,
                      const struct answer *answer, struct json_object *shown);

/* Shows an error, with virsh's commands in its hint for the place where we
 * looked. */
void command_show(const struct command_call *call, const struct error *err);

/* What an error is to users: an enum status_code.  (err->code is not 0.) */
int command_condition(const struct error *err);

/* The exit status that an error stands for. */
int command_status(const struct error *err);

/* Standard output is for content from here on: with --json, what else there is to
 * say goes to standard error, in the place of words.  Of several domains each has
 * both in its record. */
void command_content(struct command_call *call);

/* The envelope that an agent would have sent, had there been one.  Return: owned;
 * NULL: no memory. */
struct json_object *command_failure(const struct error *err);

/*
 * Prints an envelope as an agent would have sent it, with what was done; code
 * is an enum status_code.  data is not taken over.
 *
 * Return: as out_json().
 */
int command_json(const struct command_call *call, int code,
                 struct json_object *data);

/* The exit status of output that failed: 141 when nobody reads it (as a
 * shell has it), or 125. */
int command_output_status(int r);

/* Run functions and option tables, by file. */
int cmd_ping(struct command_call *call);
int cmd_info(struct command_call *call);
int cmd_status(struct command_call *call);
int cmd_capabilities(struct command_call *call);
int cmd_stat(struct command_call *call);
int cmd_exec_prepare(struct command_call *call, struct error *err);
int cmd_exec(struct command_call *call);
int cmd_shell_prepare(struct command_call *call, struct error *err);
int cmd_shell(struct command_call *call);
int cmd_jobs(struct command_call *call);
int cmd_job_prepare(struct command_call *call, struct error *err);
int cmd_job(struct command_call *call);
int cmd_copy_prepare(struct command_call *call, struct error *err);
int cmd_upload_prepare(struct command_call *call, struct error *err);
int cmd_upload(struct command_call *call);
int cmd_download(struct command_call *call);
int cmd_cat(struct command_call *call);
int cmd_ls(struct command_call *call);
int cmd_rm(struct command_call *call);
int cmd_mkdir(struct command_call *call);
int cmd_edit_prepare(struct command_call *call, struct error *err);
int cmd_edit(struct command_call *call);
int cmd_service_prepare(struct command_call *call, struct error *err);
int cmd_service(struct command_call *call);
int cmd_call_prepare(struct command_call *call, struct error *err);
int cmd_call(struct command_call *call);
int cmd_doctor(struct command_call *call);
int cmd_list(struct command_call *call);
int cmd_help(struct command_call *call);

#endif
