/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What an allowed program may be asked to do, and as whom: rules for those of
 * the default list, and the administrator's over them, member by member
 * (security.command_rules).  Where every program is allowed there are none,
 * for any other would do what a rule forbids.
 *
 * Only what is listed passes.  Options are compared as getopt_long(3) reads
 * them, but for abbreviations: those are not in the list.
 */
#ifndef VSRPC_GUEST_POLICY_COMMAND_RULES_H
#define VSRPC_GUEST_POLICY_COMMAND_RULES_H

#include <stdbool.h>

#include "guest/core/settings.h"
#include "util/error.h"

/* The rule for one program.  Lists end with a NULL; NULL: the rule has none.
 * All belongs to the settings or is static. */
struct rule {
    const char *program;          /* its name */
    const char *const *always;    /* words in front of the request's */
    const char *const *options;   /* that are allowed: "-x", "--long", and
                                    * with a pattern for the value "-x V",
                                    * "--long V" */
    const char *const *arguments; /* forms of what is no option: patterns
                                    * for one word each; the last may end in
                                    * "..." and be there any number of times */
    const char *user;             /* NULL: the agent's own */
    bool looks;                   /* the user is that of security.look_as */
};

/* Finds the rule for a program, by its path or its name.  Return: false when
 * there is none. */
bool command_rule_find(const struct settings *settings, const char *program,
                       struct rule *rule);

/* Does it hold options and arguments at all? */
bool command_rule_restricts(const struct rule *rule);

/*
 * Judges an argument vector.
 *
 * Return: 0; STATUS_PERMISSION_DENIED with a message; -ENOMEM.
 */
int command_rule_check(const struct rule *rule, char *const *argv,
                       struct error *err);

/*
 * Does a word match one of the patterns, with '|' between them, and none of
 * those behind a '!'?  (With a '!' nor does a word that is a pattern.)  "*" is any
 * run of characters but slashes and blanks, "**" of any.  At the beginning of
 * a pattern they match no '-', with which an option begins, and "*" no '.'
 * either; a word with a component ".." they do not match at all.
 */
bool command_rule_match(const char *patterns, const char *word);

#endif
