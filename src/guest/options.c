/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The table of the agent's options, of which both the arrays for
 * getopt_long(3) and the help are made.
 */
#include <config.h>

#include "guest/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/num.h"

static int take_config(struct options *options, const char *value)
{
    options->config = value;
    return 0;
}

static int take_device(struct options *options, const char *value)
{
    options->source.device = value;
    return 0;
}

static int take_listen(struct options *options, const char *value)
{
    options->source.listen = value;
    return 0;
}

static int take_fd(struct options *options, const char *value)
{
    int64_t fd;
    int r = num_parse(value, 0, 1 << 20, &fd);

    options->source.fd = (int) fd;
    return r;
}

static int take_check(struct options *options, const char *value)
{
    (void) value;
    options->mode = OPTIONS_CHECK_CONFIG;
    return 0;
}

static int take_version(struct options *options, const char *value)
{
    (void) value;
    options->mode = OPTIONS_VERSION;
    return 0;
}

static int take_help(struct options *options, const char *value)
{
    (void) value;
    options->mode = OPTIONS_HELP;
    return 0;
}

static const struct option_row {
    char letter; /* '\0': none */
    const char *name;
    const char *value; /* NULL: none */
    const char *help;
    int (*take)(struct options *options, const char *value);
} rows[] = {
    { 'c', "config", "FILE", "configuration (" SETTINGS_FILE ")",
      take_config },
    { 'd', "device", "PATH", "virtio-serial port instead of the configured",
      take_device },
    { '\0', "fd", "N", "serve the open stream N, then end", take_fd },
    { '\0', "listen", "PATH", "serve clients of a UNIX socket (for tests)",
      take_listen },
    { '\0', "check-config", NULL, "read the configuration, say if it is fine",
      take_check },
    { 'V', "version", NULL, "print the version", take_version },
    { 'h', "help", NULL, "print this help", take_help },
};

#define LONG_BASE 256 /* getopt_long(3) values that are no letters */

static void build_long(struct option longs[ARRAY_SIZE(rows) + 1],
                       char shorts[2 * ARRAY_SIZE(rows) + 2])
{
    char *s = shorts;

    *s++ = ':';
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        longs[i] = (struct option) { rows[i].name,
                                     rows[i].value ? required_argument
                                                   : no_argument,
                                     NULL, LONG_BASE + (int) i };
        if (rows[i].letter) {
            *s++ = rows[i].letter;
            if (rows[i].value)
                *s++ = ':';
        }
    }
    longs[ARRAY_SIZE(rows)] = (struct option) { 0 };
    *s = '\0';
}

static const struct option_row *row_find(int value)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (value == LONG_BASE + (int) i || value == rows[i].letter)
            return &rows[i];
    return NULL;
}

int agent_options_parse(int argc, char **argv, struct options *options,
                        struct error *err)
{
    struct option longs[ARRAY_SIZE(rows) + 1];
    char shorts[2 * ARRAY_SIZE(rows) + 2];
    int value;

    *options = (struct options) { .source = { .fd = -1 } };
    build_long(longs, shorts);
    opterr = 0;
    while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct option_row *row = row_find(value);

        if (!row)
            return error_set(err, -EINVAL, "%s '%s'",
                             value == ':' ? "a value is missing behind"
                                          : "unknown option",
                             argv[optind - 1]);
        if (row->take(options, optarg) < 0)
            return error_set(err, -EINVAL, "--%s: '%s' is not a number",
                             row->name, optarg);
    }
    if (optind < argc)
        return error_set(err, -EINVAL, "unexpected word '%s'", argv[optind]);
    if (!!options->source.device + !!options->source.listen
            + (options->source.fd >= 0)
        > 1)
        return error_set(err, -EINVAL,
                         "--device, --fd and --listen exclude each other");
    return 0;
}

void options_help(void)
{
    puts("Usage: vsrpc-agent [OPTION]...\n"
         "Answers the host's requests on a virtio-serial port.\n");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char left[64];

        snprintf(left, sizeof(left), "--%s%s%s", rows[i].name,
                 rows[i].value ? " " : "", rows[i].value ? rows[i].value : "");
        printf("  %c%c%c %-18s %s\n", rows[i].letter ? '-' : ' ',
               rows[i].letter ? rows[i].letter : ' ',
               rows[i].letter ? ',' : ' ', left, rows[i].help);
    }
    puts("\nManual: vsrpc-agent(8), virtio-rpc-guest(5).");
}
