/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A run from options to exit status: configuration, operands, command,
 * targets.  It decides which operand is the domain; one that is called like a
 * command is recognised by the command behind it.
 */
#include <config.h>

#include "host/app.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/args/options.h"
#include "host/cmd/help.h"
#include "host/core/interrupt.h"
#include "host/domain/target.h"
#include "host/link/dial.h"
#include "host/local/tempfile.h"
#include "host/multi.h"
#include "host/single.h"
#include "host/term/out.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/quote.h"

/* Everything that main() would have as locals. */
struct app {
    struct options options;
    struct config config;
    struct log log;
    struct command_call call;
    const char *socket;  /* NULL: by domain */
    const char *operand; /* the domain or domains; NULL: socket or all */
    char **words;        /* the command and what follows */
    int n_words;
    struct error err;
};

static int app_usage(struct app *app, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int app_usage(struct app *app, const char *format, ...)
{
    char message[256];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    error_set(&app->err, -EINVAL, "%s", message);
    error_hint(&app->err, PROGRAM " --help");
    return -EINVAL;
}

static int app_unknown(struct app *app, const char *word)
{
    const char *names[64];
    const char *nearest;
    size_t n;
    const struct command *table = command_table(&n);

    for (size_t i = 0; i < n && i < ARRAY_SIZE(names); i++)
        names[i] = table[i].name;
    nearest = text_nearest(word, names, n);
    if (*word == '-')
        return app_usage(
            app, "option '%s': options stand in front of the domain", word);
    app_usage(app, "no command '%s'", word);
    if (nearest)
        error_hint(&app->err, PROGRAM " --help (did you mean '%s'?)", nearest);
    return -EINVAL;
}

static int app_hint_word(struct buf *line, const char *word,
                         const char *before)
{
    int r = buf_puts(line, before);

    return r < 0 ? r : quote_word(line, word);
}

/* The line as it was meant, with the word in front that is the domain; NULL: none
 * of them is. */
static void app_hint_order(struct app *app, char **domain)
{
    struct buf line;
    int r;

    buf_init(&line, sizeof(app->err.hint));
    r = buf_puts(&line, PROGRAM);
    if (r == 0 && app->options.uri)
        r = app_hint_word(&line, app->options.uri, " -c ");
    if (r == 0)
        r = app_hint_word(&line, domain ? *domain : "DOMAIN", " ");
    for (int i = 0; r == 0 && i < app->n_words; i++)
        if (app->words + i != domain)
            r = app_hint_word(&line, app->words[i], " ");
    if (r == 0)
        error_hint(&app->err, "%s", buf_cstr(&line));
    buf_free(&line);
}

static bool is_command(const char *word)
{
    return word && command_find(word);
}

static bool is_targeted(const char *word)
{
    const struct command *command = word ? command_find(word) : NULL;

    return command && !(command->flags & COMMAND_NO_TARGET);
}

/* The socket that is meant when no domain is given. */
static const char *app_default_socket(const struct app *app)
{
    const char *socket = getenv("VIRTIO_SOCKET");

    return socket && *socket ? socket : app->config.socket_path;
}

/* A wrong word is the command line's fault only when it stands there. */
static int app_transport(struct app *app, struct target_source *source)
{
    const char *option = app->options.transport;
    int r = dial_kind_parse(option ? option : app->config.transport,
                            &source->transport, &app->err);

    if (r < 0 && !option) {
        error_prefix(&app->err, "connection.transport");
        return -EIO;
    }
    if (r == 0 && app->options.socket && option
        && source->transport == TRANSPORT_STREAM)
        return app_usage(app, "--socket and --transport stream exclude each "
                              "other");
    return r;
}

/* As virsh: an option, then the environment (which libvirt reads itself),
 * then what is configured. */
static int app_source(struct app *app)
{
    const char *environment = getenv("LIBVIRT_DEFAULT_URI");
    struct target_source *source = &app->call.source;

    source->uri = app->options.uri;
    if (!source->uri && !(environment && *environment))
        source->uri = app->config.uri;
    source->channel = app->options.channel ? app->options.channel
                                           : app->config.channel;
    return app_transport(app, source);
}

/* Nobody is asked about each of very many words. */
#define ORDER_MAX 16

/* No domain stands in front: one of the operands may be it. */
static int app_order(struct app *app)
{
    char **domain = NULL;
    bool able = app_source(app) == 0;

    for (int i = 1; able && !domain && i < app->n_words && i < ORDER_MAX; i++)
        if (target_is_domain(&app->call.source, app->words[i]))
            domain = app->words + i;
    if (domain)
        app_usage(app, "'%s' is a domain, which comes before the command",
                  *domain);
    else
        app_usage(app, "%s: no domain is given", app->words[0]);
    app_hint_order(app, domain);
    return -EINVAL;
}

/*
 * Which of the operands is the domain.  A domain that is called like a
 * command can be named as long as a command follows it.
 */
static int app_operands(struct app *app, char **words, int n)
{
    const struct options *options = &app->options;
    bool alone = is_command(words[0]) && !is_targeted(words[0])
                 && !(n > 1 && is_targeted(words[1])
                      && strcmp(words[0], "help") != 0);

    app->words = words;
    app->n_words = n;
    if (options->socket && !*options->socket)
        return app_usage(app, "--socket: the path is empty");
    if (options->socket && options->all)
        return app_usage(app, "--socket and --all exclude each other");
    app->socket = options->socket;
    if (alone || options->socket || options->all)
        return 0;
    if (is_targeted(words[0]) && app_default_socket(app)) {
        app->socket = app_default_socket(app);
        return 0;
    }
    if (n < 2 && is_command(words[0]))
        return app_usage(app, "%s: no domain is given", words[0]);
    if (n >= 2 && is_targeted(words[0]) && !is_command(words[1]))
        return app_order(app);
    if (n < 2)
        return app_usage(app, "domain '%s': no command is given", words[0]);
    app->operand = words[0];
    app->words++;
    app->n_words--;
    return 0;
}

static int app_command(struct app *app)
{
    struct command_call *call = &app->call;

    call->command = command_find(app->words[0]);
    if (!call->command)
        return app_unknown(app, app->words[0]);
    call->options = &app->options;
    call->domain = app->operand;
    call->config = &app->config;
    call->log = &app->log;
    call->out = (struct out) { .json = app->options.json,
                               .records = STDOUT_FILENO,
                               .quiet = app->options.quiet,
                               .verbose = app->options.verbose };
    return command_parse(call, app->n_words, app->words, &app->err);
}

/* The operand that is a domain: the first one, or of local files one that is not
 * there.  Return: NULL: there is none. */
static char **app_domain_among(const struct app *app)
{
    const struct command_call *call = &app->call;
    bool local = call->command && (call->command->flags & COMMAND_PATH_LAST);

    for (int i = 0; i < call->n_args && (i == 0 || local); i++)
        if ((i == 0 || access(call->args[i], F_OK) < 0)
            && target_is_domain(&call->source, call->args[i]))
            return call->args + i;
    return NULL;
}

/* Who has a default socket and names a domain all the same means that, wherever
 * it stands: the guest behind the socket is another one. */
static int app_misplaced(struct app *app)
{
    bool may_be = app->socket && !app->options.socket && !app->call.dashes;
    char **domain = may_be ? app_domain_among(app) : NULL;

    if (!domain)
        return 0;
    app_usage(app, "'%s' is a domain, which comes before the command",
              *domain);
    app_hint_order(app, domain);
    return -EINVAL;
}

/* Users without rights to the system's log go without, unless they asked. */
static int app_log(struct app *app)
{
    const char *target = app->options.log ? app->options.log
                                          : app->config.log_file;
    struct error why = ERROR_INIT;
    int r = log_open(&app->log, PROGRAM, target, app->config.log_level,
                     app->config.log_max_size, (int) app->config.log_backups,
                     &why);

    if (r == 0)
        return 0;
    log_close(&app->log);
    if (app->options.log) {
        app->err = why;
        return r;
    }
    if (r == -EACCES || r == -EPERM || r == -EROFS)
        out_note(&app->call.out, "%s; not logging", why.message);
    else
        out_message(&app->call.out, "%s; not logging", why.message);
    return 0;
}

/* One name is not enough for the files of several domains. */
static int app_folder(struct app *app)
{
    const struct command_call *call = &app->call;
    const char *local = call->args[call->n_args - 1];
    struct stat st;

    if (!(call->command->flags & COMMAND_TO_FOLDER) || strcmp(local, "-") == 0
        || tempfile_descriptor(local) == STDOUT_FILENO
        || (stat(local, &st) == 0 && S_ISDIR(st.st_mode)))
        return 0;
    app_usage(app, "%s: '%s' is not a folder, and several domains are meant",
              call->command->name, local);
    quote_hint(&app->err, "mkdir %s (each file becomes DOMAIN.NAME in it)",
               local);
    return -EINVAL;
}

/* What makes sense for several domains. */
static int app_many(struct app *app)
{
    if (!app->call.one_only)
        return app_folder(app);
    return app_usage(app, "%s: one domain at a time", app->call.command->name);
}

static int app_targets(struct app *app, struct targets *targets)
{
    const struct target_source *source = &app->call.source;
    bool unresolved = app->call.command->flags & COMMAND_UNRESOLVED;
    size_t skipped = 0;
    int r;

    if (app->socket)
        return targets_of_socket(app->socket, targets, &app->err);
    if (app->operand && unresolved)
        return targets_of_word(source, app->operand, targets, &app->err);
    if (app->operand)
        return targets_of_operand(source, app->operand, targets, &app->err);
    r = targets_of_all(source, unresolved, targets, &skipped, &app->err);
    if (r == 0 && targets->n == 0) {
        error_set(&app->err, -ESRCH, "no running domain%s",
                  skipped ? " has a channel for an agent" : "");
        error_hint(&app->err,
                   skipped ? PROGRAM " --all doctor" : "virsh list --all");
        return -ESRCH;
    }
    if (r == 0 && skipped)
        out_note(&app->call.out, "%zu domain%s without a channel left out",
                 skipped, skipped == 1 ? "" : "s");
    return r;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* "--help" right behind the domain or the command, wherever people type it.
 * Return: the exit status, or -1 when nobody asked. */
static int app_late_help(int n, char **words)
{
    const struct command *command = NULL;

    for (int i = 0; i < n && i < 3; i++) {
        if (is_help(words[i]))
            return command ? help_command(command) : help_program();
        if (command || strcmp(words[i], "--") == 0)
            return -1;
        command = command_find(words[i]);
    }
    return -1;
}

/* Errors of the command line are 2, but exec leaves that to the guest's
 * commands; all others of ours are 125. */
static int app_fail(const struct app *app, int r)
{
    const struct command *command = app->words && app->n_words > 0
                                        ? command_find(app->words[0])
                                        : NULL;
    bool exec = command && (command->flags & COMMAND_EXEC);

    out_error(&app->err);
    return r == -EINVAL && !exec ? EXIT_STATUS_USAGE : EXIT_STATUS_TRANSPORT;
}

/* Return: the exit status. */
static int app_execute(struct app *app)
{
    struct command_call *call = &app->call;
    struct targets targets = { 0 };
    int status;

    if (call->command->flags & COMMAND_NO_TARGET)
        return call->command->run(call);
    if (app_targets(app, &targets) < 0)
        status = command_fail(call, &app->err);
    else if (targets.many && app_many(app) < 0)
        status = app_fail(app, -EINVAL);
    else if (targets.many)
        status = multi_run(call, &targets);
    else
        status = single_run(call, &targets.items[0]);
    targets_free(&targets);
    return status;
}

/* An operand that is wrong may be a domain in the wrong place. */
static int app_words(struct app *app)
{
    int r = app_command(app);
    struct error wrong = app->err;

    if (r == 0)
        return 0;
    if (app_source(app) == 0 && app_misplaced(app) < 0)
        return -EINVAL;
    app->err = wrong;
    return r;
}

static int app_prepare(struct app *app, int argc, char **argv, int first)
{
    int r = config_load(&app->config, app->options.config, &app->err);

    if (r < 0)
        return -EIO; /* whatever it was: not the command line */
    if (first == argc)
        return app_usage(app, "no domain and no command");
    r = app_operands(app, argv + first, argc - first);
    if (r == 0)
        r = app_words(app);
    if (r == 0)
        r = app_log(app);
    if (r == 0)
        r = app_source(app);
    return r == 0 ? app_misplaced(app) : r;
}

/* Options that are the whole of what is asked.  Return: the exit status, or
 * -1 when there is none. */
static int app_answer(const struct options *options)
{
    if (options->help)
        return help_program();
    if (options->version)
        return help_version();
    if (options->list_commands)
        return help_commands();
    return options->list_options ? help_options() : -1;
}

static void app_free(struct app *app)
{
    command_call_free(&app->call);
    log_close(&app->log);
    config_free(&app->config);
}

int app_run(int argc, char **argv)
{
    struct app app = { .log = { .fd = -1 } };
    int status;
    int r = options_parse(&app.options, argc, argv, &app.err);

    status = r < 0 ? -1 : app_answer(&app.options);
    if (r >= 0 && status < 0)
        status = app_late_help(argc - r, argv + r);
    if (status < 0) {
        if (r >= 0)
            r = app_prepare(&app, argc, argv, r);
        status = r < 0 ? app_fail(&app, r) : app_execute(&app);
    }
    app_free(&app);
    if (app.call.interrupted)
        interrupt_die(app.call.interrupted);
    return status;
}
