/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A command under the rule for its program: its words, and its user. */
#ifndef VSRPC_GUEST_JOB_COMMAND_RULE_H
#define VSRPC_GUEST_JOB_COMMAND_RULE_H

#include "guest/core/settings.h"
#include "guest/job/command.h"
#include "guest/policy/command_rules.h"
#include "guest/proc/user.h"
#include "util/error.h"

/*
 * Looks up the user of a rule.  user is zeroed before, and freed by the caller
 * in either case.
 *
 * Return: 0 with it, user->name NULL when that is the agent's own;
 * STATUS_PERMISSION_DENIED with a message when there is no such user, which
 * names the setting; -ENOMEM.
 */
int command_rule_user(const struct settings *settings, const struct rule *rule,
                      struct user *user, struct error *err);

/*
 * Judges what the agent does in its own way as the command that does the same:
 * words begin with the program's name and end with a NULL.  user is set as by
 * command_rule_user().
 *
 * Return: 0; STATUS_PERMISSION_DENIED with a message; -ENOMEM.
 */
int command_rule_judge(const struct settings *settings, char *const *words,
                       struct user *user, struct error *err);

/*
 * Judges the words of a command, whose program is known, by the rule for it;
 * adds those that the rule has, and sets the user.  Sets command->ruled when
 * there is a rule; the environment is then to be made anew.
 *
 * Return: 0; STATUS_PERMISSION_DENIED with a message; -ENOMEM.
 */
int command_rule_apply(struct command *command,
                       const struct settings *settings, struct error *err);

/*
 * Before anybody asks: are the users there whom the settings name, and are
 * they what they are for?  file is for the message.
 *
 * Return: 0; -EINVAL with a message when one is not there; -ENOMEM;
 * RULE_WARNING with a message when one reads what root does.
 */
#define RULE_WARNING 1
int command_rules_ready(const struct settings *settings, const char *file,
                        struct error *err);

#endif
