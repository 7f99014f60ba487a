/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Exit code, signal and outputs as JSON.  The outputs are added as bytes that
 * are encoded while they are sent (proto/flow.h), because they may be large.
 */
#include <config.h>

#include "guest/job/child_report.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "proto/envelope.h"
#include "proto/flow.h"
#include "proto/signame.h"
#include "proto/status.h"
#include "util/cleanup.h"

void json_add_signal(struct json_object *data, int status)
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    char text[16];

    if (!number)
        return;
    snprintf(text, sizeof(text), "%d", number);
    json_add_string(data, "signal",
                    signame_get(number) ? signame_get(number) : text);
}

int status_exit_code(int status)
{
    if (WIFSIGNALED(status))
        return EXIT_STATUS_SIGNAL + WTERMSIG(status);
    return WEXITSTATUS(status);
}

int child_exit_code(const struct child *child)
{
    return status_exit_code(child->status);
}

struct json_object *child_report(struct child *child)
{
    AUTO_JSON struct json_object *data = json_object_new_object();

    if (!data || json_add_int(data, "exit_code", child_exit_code(child)) < 0
        || flow_add_bytes(data, "stdout", &child->output[0]) < 0
        || flow_add_bytes(data, "stderr", &child->output[1]) < 0
        || json_add_int(data, "duration_ms", child->duration_us / 1000) < 0)
        return NULL;
    json_add_signal(data, child->status);
    if (child->ended)
        json_add_bool(data, "ended", true);
    if (child->truncated)
        json_add_bool(data, "truncated", true);
    if (child->orphans)
        json_add_bool(data, "orphans", true);
    return steal_ptr(&data);
}
