/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The result of a program as JSON. */
#ifndef VSRPC_GUEST_JOB_CHILD_REPORT_H
#define VSRPC_GUEST_JOB_CHILD_REPORT_H

#include <json-c/json.h>

#include <signal.h>

#include "guest/proc/child.h"

#define SIGNAL_MAX (NSIG - 1)

/* The exit code of a program that ran, by what waitpid(2) says; 128+N when
 * signal N ended it. */
int status_exit_code(int status);
int child_exit_code(const struct child *child);

/* Adds the name of the signal that ended a program, if one did. */
void json_add_signal(struct json_object *data, int status);

/*
 * exit_code, stdout, stderr and duration_ms, as the specification has them;
 * signal, ended, truncated and orphans where they apply.  Takes the outputs
 * out of the child, so that they are not in memory twice.
 *
 * Return: an object to be freed, or NULL without memory.
 */
struct json_object *child_report(struct child *child);

#endif
