/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/environment.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/command_policy.h"
#include "util/cleanup.h"

int environment_add(struct strlist *env, const char *name, const char *value)
{
    AUTO_FREE char *entry = NULL;

    if (asprintf(&entry, "%s=%s", name, value) < 0) {
        entry = NULL;
        return -ENOMEM;
    }
    return strlist_add(env, entry);
}

int environment_base(struct strlist *env)
{
    const struct passwd *user = getpwuid(geteuid());
    const char *name = user ? user->pw_name : "root";
    const char *shell = user && *user->pw_shell ? user->pw_shell : "/bin/sh";
    int r = environment_add(env, "PATH", COMMAND_PATH);

    if (r == 0)
        r = environment_add(env, "HOME",
                            user && *user->pw_dir ? user->pw_dir : "/");
    if (r == 0)
        r = environment_add(env, "USER", name);
    if (r == 0)
        r = environment_add(env, "LOGNAME", name);
    if (r == 0)
        r = environment_add(env, "SHELL", shell);
    if (r == 0)
        r = environment_add(env, "LANG", "C.UTF-8");
    return r;
}

int environment_copy(struct strlist *env, const struct strlist *from)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < from->n; i++)
        r = strlist_add(env, from->items[i]);
    return r;
}

/* Is a later entry of the same name there? */
static bool replaced(const struct strlist *env, size_t at)
{
    size_t n = strcspn(env->items[at], "=") + 1;

    for (size_t i = at + 1; i < env->n; i++)
        if (strncmp(env->items[i], env->items[at], n) == 0)
            return true;
    return false;
}

int environment_merge(struct strlist *env)
{
    size_t kept = 0;

    for (size_t i = 0; i < env->n; i++) {
        if (replaced(env, i))
            free(env->items[i]);
        else
            env->items[kept++] = env->items[i];
    }
    env->n = kept;
    if (env->items)
        env->items[kept] = NULL;
    return 0;
}

const char *environment_get(const struct strlist *env, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = env->n; i > 0; i--)
        if (strncmp(env->items[i - 1], name, n) == 0
            && env->items[i - 1][n] == '=')
            return env->items[i - 1] + n + 1;
    return NULL;
}
