/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/child_report.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "proto/envelope.h"
#include "proto/flow.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* POSIX's names; sigabbrev_np(3) is too young for old guests. */
static const struct {
    int number;
    const char *name;
} signals[] = {
    { SIGHUP, "SIGHUP" },   { SIGINT, "SIGINT" },   { SIGQUIT, "SIGQUIT" },
    { SIGILL, "SIGILL" },   { SIGTRAP, "SIGTRAP" }, { SIGABRT, "SIGABRT" },
    { SIGBUS, "SIGBUS" },   { SIGFPE, "SIGFPE" },   { SIGKILL, "SIGKILL" },
    { SIGUSR1, "SIGUSR1" }, { SIGSEGV, "SIGSEGV" }, { SIGUSR2, "SIGUSR2" },
    { SIGPIPE, "SIGPIPE" }, { SIGALRM, "SIGALRM" }, { SIGTERM, "SIGTERM" },
    { SIGXCPU, "SIGXCPU" }, { SIGXFSZ, "SIGXFSZ" }, { SIGSYS, "SIGSYS" },
};

static void add_signal(struct json_object *data, int number)
{
    char name[16];

    snprintf(name, sizeof(name), "%d", number);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        if (signals[i].number == number)
            snprintf(name, sizeof(name), "%s", signals[i].name);
    json_add_string(data, "signal", name);
}

int child_exit_code(const struct child *child)
{
    if (WIFSIGNALED(child->status))
        return EXIT_STATUS_SIGNAL + WTERMSIG(child->status);
    return WEXITSTATUS(child->status);
}

struct json_object *child_report(struct child *child)
{
    AUTO_JSON struct json_object *data = json_object_new_object();

    if (!data || json_add_int(data, "exit_code", child_exit_code(child)) < 0
        || flow_add_bytes(data, "stdout", &child->output[0]) < 0
        || flow_add_bytes(data, "stderr", &child->output[1]) < 0
        || json_add_int(data, "duration_ms", child->duration_us / 1000) < 0)
        return NULL;
    if (WIFSIGNALED(child->status))
        add_signal(data, WTERMSIG(child->status));
    if (child->ended)
        json_add_bool(data, "ended", true);
    if (child->truncated)
        json_add_bool(data, "truncated", true);
    if (child->orphans)
        json_add_bool(data, "orphans", true);
    return steal_ptr(&data);
}
