/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The table of global options.  Its last rows, for completion and tests, are
 * not in the help.
 */
#include <config.h>

#include "host/args/options.h"

#include "util/cleanup.h"

#define AT(member) offsetof(struct options, member)
#define HIDDEN 2 /* rows at the end that no user needs */

static const struct opt table[] = {
    { 'c', "connect", "URI", OPT_STRING, AT(uri),
      "libvirt to ask (default: as virsh)" },
    { 0, "channel", "NAME", OPT_STRING, AT(channel),
      "channel to use (default: the agent's)" },
    { 0, "socket", "PATH", OPT_STRING, AT(socket),
      "channel's socket; no domain, no libvirt" },
    { 0, "transport", "KIND", OPT_STRING, AT(transport),
      "road to the channel: auto, socket or stream" },
    { 0, "config", "FILE", OPT_STRING, AT(config), "configuration file" },
    { 0, "timeout", "SECONDS", OPT_SECONDS, AT(timeout),
      "of a command or an answer; 0: none" },
    { 0, "wait-lock", "SECONDS", OPT_SECONDS, AT(lock_wait),
      "for another command on the channel" },
    { 0, "all", NULL, OPT_FLAG, AT(all),
      "all running domains; no domain is given" },
    { 0, "parallel", "N", OPT_NUMBER, AT(parallel),
      "domains at the same time" },
    { 0, "json", NULL, OPT_FLAG, AT(json), "answer in JSON" },
    { 'q', "quiet", NULL, OPT_FLAG, AT(quiet), "no messages but errors" },
    { 'v', "verbose", NULL, OPT_FLAG, AT(verbose), "tell what is being done" },
    { 0, "log", "TARGET", OPT_STRING, AT(log),
      "log file, or stderr, journal, none" },
    { 'V', "version", NULL, OPT_FLAG, AT(version), "show the version" },
    { 'h', "help", NULL, OPT_FLAG, AT(help), "show this help" },
    { 0, "list-commands", NULL, OPT_FLAG, AT(list_commands), "" },
    { 0, "list-options", NULL, OPT_FLAG, AT(list_options), "" },
};

int options_parse(struct options *options, int argc, char **argv,
                  struct error *err)
{
    int r;

    *options = (struct options) { .timeout = TIMEOUT_UNSET,
                                  .lock_wait = TIMEOUT_UNSET,
                                  .line = argv };
    r = opt_parse(table, ARRAY_SIZE(table), argc, argv, options, err);
    options->operand = r;
    return r;
}

const struct opt *options_table(size_t *n)
{
    *n = ARRAY_SIZE(table) - HIDDEN;
    return table;
}
