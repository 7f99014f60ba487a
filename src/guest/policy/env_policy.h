/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Which variables a request may give its command.  An allowed program is only
 * as harmless as its environment: LD_PRELOAD makes any program of it, PATH
 * whatever a script calls.
 */
#ifndef VSRPC_GUEST_POLICY_ENV_POLICY_H
#define VSRPC_GUEST_POLICY_ENV_POLICY_H

#include <stdbool.h>

#include "util/error.h"
#include "util/text.h"

/* Longest value of a variable that is known to be harmless. */
#define ENV_VALUE_MAX 255

/*
 * Judges one NAME=VALUE.  trusted: the command may be any program, so that
 * everything passes but what would change the loader of a setuid program;
 * otherwise only what is known to be harmless does.  allowed has names besides
 * (security.allowed_env), a trailing '*' for all that begin so; a variable of
 * the loader has to be there with its whole name.
 *
 * Return: 0, or STATUS_PERMISSION_DENIED with a message that names the
 * variable and the setting.
 */
int env_check(const char *entry, bool trusted, const struct strlist *allowed,
              struct error *err);

#endif
