/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/environment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int environment_user(struct strlist *env, const struct user *user)
{
    const char *const pairs[][2] = {
        { "PATH", COMMAND_PATH },   { "HOME", user->home },
        { "USER", user->name },     { "LOGNAME", user->name },
        { "SHELL", user->shell },   { "LANG", "C.UTF-8" },
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(pairs); i++)
        r = environment_add(env, pairs[i][0], pairs[i][1]);
    return r;
}

int environment_base(struct strlist *env)
{
    struct user user = { .name = NULL };
    int r = user_find(&user, NULL, NULL, NULL);

    if (r == 0)
        r = environment_user(env, &user);
    user_free(&user);
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
