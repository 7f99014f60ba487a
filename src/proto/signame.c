/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A table of names: sigabbrev_np(3) is missing in the C libraries of old
 * guests.
 */
#include <config.h>

#include "proto/signame.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "util/cleanup.h"

/* sigabbrev_np(3) is too young for old guests. */
static const char *const signals[] = {
    [SIGHUP] = "SIGHUP",       [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT",
    [SIGILL] = "SIGILL",       [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT",
    [SIGBUS] = "SIGBUS",       [SIGFPE] = "SIGFPE",   [SIGKILL] = "SIGKILL",
    [SIGUSR1] = "SIGUSR1",     [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
    [SIGPIPE] = "SIGPIPE",     [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",
    [SIGCHLD] = "SIGCHLD",     [SIGCONT] = "SIGCONT", [SIGSTOP] = "SIGSTOP",
    [SIGTSTP] = "SIGTSTP",     [SIGTTIN] = "SIGTTIN", [SIGTTOU] = "SIGTTOU",
    [SIGURG] = "SIGURG",       [SIGXCPU] = "SIGXCPU", [SIGXFSZ] = "SIGXFSZ",
    [SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF", [SIGWINCH] = "SIGWINCH",
    [SIGIO] = "SIGIO",         [SIGPWR] = "SIGPWR",   [SIGSYS] = "SIGSYS",
#ifdef SIGSTKFLT
    [SIGSTKFLT] = "SIGSTKFLT",
#endif
};

const char *signame_get(int number)
{
    return number > 0 && number < (int) ARRAY_SIZE(signals) ? signals[number]
                                                            : NULL;
}

int signame_find(const char *name)
{
    size_t prefix = strncmp(name, "SIG", 3) == 0 ? 0 : 3;

    for (size_t i = 1; i < ARRAY_SIZE(signals); i++)
        if (signals[i] && strcmp(signals[i] + prefix, name) == 0)
            return (int) i;
    return 0;
}
