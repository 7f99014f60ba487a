/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Finds the service manager (systemd first: its guests may have the files of
 * the others), and the state of an init script by its exit status and the pid
 * file in /run.
 */
#include <config.h>

#include "guest/system/service.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/num.h"

const struct service_manager *service_manager_find(void)
{
    /* In this order: a systemd guest may have OpenRC's and SysV's files. */
    static const struct service_manager *const all[] = {
        &service_systemd,
        &service_openrc,
        &service_sysv,
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i]->present())
            return all[i];
    return NULL;
}

int service_words(struct strlist *argv, const char *word, ...)
{
    va_list args;
    int r = 0;

    va_start(args, word);
    for (; r == 0 && word; word = va_arg(args, const char *))
        r = strlist_add(argv, word);
    va_end(args);
    return r;
}

/* The process id in a pid file, 0 when there is none that lives. */
static int64_t pid_file_read(const char *service)
{
    char path[SERVICE_NAME_MAX + 32];
    struct buf text;
    int64_t pid = 0;
    char *line;

    snprintf(path, sizeof(path), "/run/%s.pid", service);
    buf_init(&text, 64);
    if (fd_slurp(path, &text) == 0 && (line = buf_cstr(&text))) {
        line[strcspn(line, " \n")] = '\0';
        if (num_parse(line, 1, INT32_MAX, &pid) < 0
            || kill((pid_t) pid, 0) < 0)
            pid = 0;
    }
    buf_free(&text);
    return pid;
}

void service_script_state(const char *service, const struct child *child,
                          const struct service_word *words, size_t n_words,
                          struct service_state *state)
{
    char script[SERVICE_NAME_MAX + 32];

    snprintf(script, sizeof(script), "/etc/init.d/%s", service);
    state->found = access(script, X_OK) == 0;
    snprintf(state->status, sizeof(state->status), "unknown");
    for (size_t i = 0; i < n_words; i++)
        if (!child->start_errno && WIFEXITED(child->status)
            && WEXITSTATUS(child->status) == words[i].exit)
            snprintf(state->status, sizeof(state->status), "%s",
                     words[i].status);
    if (strcmp(state->status, "running") == 0)
        state->pid = pid_file_read(service);
}
