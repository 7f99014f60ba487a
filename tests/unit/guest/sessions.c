/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/guest/sessions.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

struct rig rig;

void session_setup(void)
{
    rig_start(&rig, NULL);
}

void session_teardown(void)
{
    rig_stop(&rig);
}

enum session_state state(void)
{
    return rig.agent.session.server.state;
}

int files(void)
{
    DIR *folder = opendir(rig.dir);
    int n = 0;

    for (struct dirent *entry; (entry = readdir(folder));)
        n += strcmp(entry->d_name, ".") != 0
             && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return n;
}

char *in_dir(const char *name)
{
    return unit_path(rig.dir, name);
}

char *format(const char *text, ...)
{
    char *made = NULL;
    va_list args;

    va_start(args, text);
    ck_assert_int_ge(vasprintf(&made, text, args), 0);
    va_end(args);
    return made;
}

char *with_dir(const char *text)
{
    const char *at = strchr(text, '@');

    return at ? format("%.*s%s%s", (int) (at - text), text, rig.dir, at + 1)
              : strdup(text);
}

char *exec_request(const char *command)
{
    AUTO_FREE char *body = format("{\"argv\":[\"/bin/sh\",\"-c\",\"%s\"]}",
                                  command);

    return rig_request("POST /api/v1/shell/exec", body);
}
