/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* help, and the lists that completion reads: all made of the tables. */
#include <config.h>

#include "host/cmd/help.h"

#include <errno.h>
#include <unistd.h>

#include "proto/status.h"

#define TEXT_MAX (64 * 1024)

static int commands_help(struct buf *text)
{
    size_t n;
    const struct command *table = command_table(&n);
    int r = buf_puts(text, "\nCommands (help COMMAND tells more):\n");

    for (size_t i = 0; i < n && r == 0; i++)
        r = buf_printf(text, "  %-14s %s\n", table[i].name, table[i].help);
    return r;
}

static int program_help(struct buf *text)
{
    size_t n;
    const struct opt *opts = options_table(&n);
    int r = buf_puts(
        text,
        "Usage: " PROGRAM " [OPTIONS] DOMAIN COMMAND [ARGS…]\n"
        "       " PROGRAM " [OPTIONS] --socket PATH COMMAND [ARGS…]\n"
        "       " PROGRAM " [OPTIONS] --all COMMAND [ARGS…]\n"
        "       " PROGRAM " [OPTIONS] list\n"
        "\nRuns commands and copies files in KVM guests, over "
        "virtio-serial.\n"
        "DOMAIN is a name, UUID or id; 'web*' or 'web1,web2' are several.\n"
        "VIRTIO_SOCKET is used like --socket when no DOMAIN is given.\n"
        "\nOptions:\n");

    if (r == 0)
        r = opt_help(opts, n, text);
    return r == 0 ? commands_help(text) : r;
}

static int one_help(const struct command *command, struct buf *text)
{
    int r = buf_printf(text, "Usage: " PROGRAM " [OPTIONS] %s%s%s%s%s\n\n%s\n",
                       command->flags & COMMAND_NO_TARGET ? "" : "DOMAIN ",
                       command->name, command->n_opts ? " [OPTIONS]" : "",
                       *command->usage ? " " : "", command->usage,
                       command->help);

    if (r == 0 && command->n_opts)
        r = buf_puts(text, "\nOptions:\n");
    return r == 0 ? opt_help(command->opts, command->n_opts, text) : r;
}

/* Writes what a function puts together. */
static int show(int r, struct buf *text)
{
    if (r == 0)
        r = out_bytes(STDOUT_FILENO, buf_data(text), text->len);
    buf_free(text);
    return r < 0 ? command_output_status(r) : EXIT_STATUS_OK;
}

int help_program(void)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    return show(program_help(&text), &text);
}

int help_version(void)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    return show(buf_printf(&text, "%s %s\n", PROGRAM, PACKAGE_VERSION), &text);
}

int help_commands(void)
{
    struct buf text;
    size_t n;
    const struct command *table = command_table(&n);
    int r = 0;

    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < n && r == 0; i++)
        r = buf_printf(&text, "%s\n", table[i].name);
    return show(r, &text);
}

static int list_opts(const struct opt *opts, size_t n, const char *command,
                     struct buf *text)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++)
        r = buf_printf(text, "%s%s--%s%s%s\n", command, *command ? " " : "",
                       opts[i].name, opts[i].arg ? " " : "",
                       opts[i].arg ? opts[i].arg : "");
    return r;
}

int help_options(void)
{
    struct buf text;
    size_t n;
    size_t n_opts;
    const struct opt *opts = options_table(&n_opts);
    const struct command *table = command_table(&n);
    int r;

    buf_init(&text, TEXT_MAX);
    r = list_opts(opts, n_opts, "", &text);
    for (size_t i = 0; i < n && r == 0; i++)
        r = list_opts(table[i].opts, table[i].n_opts, table[i].name, &text);
    return show(r, &text);
}

int help_command(const struct command *command)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    return show(one_help(command, &text), &text);
}

int cmd_help(struct command_call *call)
{
    const struct command *command;
    struct error err = ERROR_INIT;

    if (call->n_args == 0)
        return help_program();
    command = command_find(call->args[0]);
    if (!command) {
        error_set(&err, -EINVAL, "no command '%s'", call->args[0]);
        error_hint(&err, PROGRAM " help");
        out_error(&err);
        return EXIT_STATUS_USAGE;
    }
    return help_command(command);
}
