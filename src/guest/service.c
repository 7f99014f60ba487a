/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/service.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int64_t service_pid_file(const char *service)
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
