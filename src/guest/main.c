/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * main() of the agent: options, configuration, --check-config.  It fixes the
 * threshold from which malloc(3) uses mmap(2), so that the memory of large
 * answers goes back to the kernel.
 */
#include <config.h>

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "guest/agent.h"
#include "guest/handle/custom.h"
#include "guest/job/command_rule.h"
#include "guest/options.h"
#include "util/fd.h"

#define EXIT_USAGE 2

/* Allocations from this size on are mappings of their own and go back to the
 * kernel when they are freed; left to itself malloc(3) learns from one large
 * answer to keep 32 MB. */
#define MMAP_THRESHOLD (128 * 1024)

static int complain(const struct error *err)
{
    fprintf(stderr, "vsrpc-agent: %s\n", err->message);
    if (err->hint[0])
        fprintf(stderr, "  try: %s\n", err->hint);
    return 1;
}

static void complain_of(void *arg, const struct error *err)
{
    (void) arg;
    complain(err);
}

/* A missing file is fine unless it was asked for. */
static int load(const struct options *options, struct settings *settings,
                struct error *err)
{
    const char *file = options->config ? options->config : SETTINGS_FILE;
    int r = settings_init(settings);

    if (r < 0)
        return error_errno(err, r, "configuration");
    if (!options->config && access(file, F_OK) < 0)
        return 0;
    return settings_load(settings, file, err);
}

/* As far as it can be known without starting.  Of handlers all is said at once,
 * and nothing is left in err. */
static int check(const struct options *options,
                 const struct settings *settings, struct error *err)
{
    const char *file = options->config ? options->config : SETTINGS_FILE;
    struct auth_check auth = { .key_len = 0 };
    int r = 0;

    if (settings->enable_auth)
        r = auth_check_init(&auth, settings->auth_key_file, err);
    auth_check_free(&auth);
    if (r == 0)
        r = custom_check(settings, file, complain_of, NULL);
    if (r == 0)
        r = command_rules_ready(settings, file, err);
    if (r == RULE_WARNING) {
        fprintf(stderr, "vsrpc-agent: warning: %s\n", err->message);
        r = 0;
    }
    if (r == 0)
        printf("%s: %s\n", file,
               access(file, F_OK) < 0 ? "does not exist; the defaults hold"
                                      : "fine");
    return r;
}

/* Who starts the agent by hand, or asks systemctl(1), sees that it runs, though
 * it logs to a file. */
static void greet(const struct agent *agent)
{
    if (agent->log.sink == LOG_SINK_FILE && agent->log.fd >= 0)
        fprintf(stderr,
                "[INFO] VirtioRPC Server started on %s, logging to "
                "%s\n",
                port_name(&agent->port), agent->log.path);
}

static int serve(const struct options *options, struct settings *settings,
                 struct error *err)
{
    struct agent agent;
    int r = agent_init(&agent, settings, &options->source, err);

    if (r == 0) {
        greet(&agent);
        r = agent_run(&agent);
        if (r < 0)
            error_errno(err, r, "event loop");
    }
    agent_free(&agent);
    return r;
}

/* Return: the exit status of what was only to be printed. */
static int printed(void)
{
    struct error err = ERROR_INIT;

    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    error_errno(&err, errno ? -errno : -EIO, "standard output");
    return complain(&err);
}

static int run(const struct options *options)
{
    struct error err = ERROR_INIT;
    struct settings settings = { 0 };
    int r = load(options, &settings, &err);

    if (r == 0 && options->mode == OPTIONS_CHECK_CONFIG)
        r = check(options, &settings, &err);
    else if (r == 0)
        r = serve(options, &settings, &err);
    settings_free(&settings);
    if (r < 0)
        return err.message[0] ? complain(&err) : 1;
    return printed();
}

int main(int argc, char **argv)
{
    struct error err = ERROR_INIT;
    struct options options;

    if (fd_standard() < 0)
        return 1;
    fd_keep_inherited();
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    if (agent_options_parse(argc, argv, &options, &err) < 0) {
        complain(&err);
        fputs("  try: vsrpc-agent --help\n", stderr);
        return EXIT_USAGE;
    }
    if (options.mode == OPTIONS_HELP) {
        options_help();
        return printed();
    }
    if (options.mode == OPTIONS_VERSION) {
        puts("vsrpc-agent " PACKAGE_VERSION);
        return printed();
    }
    return run(&options);
}
