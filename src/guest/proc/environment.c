/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Lists of NAME=VALUE.  A later entry counts, so that those of a request,
 * added last, replace the user's.
 */
#include <config.h>

#include "guest/proc/environment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/policy/command_policy.h"
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
        { "PATH", COMMAND_PATH }, { "HOME", user->home },
        { "USER", user->name },   { "LOGNAME", user->name },
        { "SHELL", user->shell }, { "LANG", "C.UTF-8" },
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

/* A variable and where it stands. */
struct setting {
    char *text;
    size_t name_len; /* with the '=' */
    size_t at;
};

/* By name; of one name the last comes last. */
static int setting_compare(const void *a, const void *b)
{
    const struct setting *one = a;
    const struct setting *two = b;
    size_t n = one->name_len < two->name_len ? one->name_len : two->name_len;
    int order = memcmp(one->text, two->text, n);

    if (order != 0)
        return order;
    if (one->name_len != two->name_len)
        return one->name_len < two->name_len ? -1 : 1;
    return one->at < two->at ? -1 : 1;
}

static bool same_name(const struct setting *one, const struct setting *two)
{
    return one->name_len == two->name_len
           && memcmp(one->text, two->text, one->name_len) == 0;
}

int environment_merge(struct strlist *env)
{
    AUTO_FREE struct setting *settings = calloc(env->n + 1, sizeof(*settings));
    size_t kept = 0;

    if (!settings)
        return -ENOMEM;
    for (size_t i = 0; i < env->n; i++)
        settings[i] = (struct setting) {
            .text = env->items[i],
            .name_len = strcspn(env->items[i], "=") + 1,
            .at = i,
        };
    /* A client may send very many: no search for each. */
    qsort(settings, env->n, sizeof(*settings), setting_compare);
    for (size_t i = 0; i + 1 < env->n; i++)
        if (same_name(&settings[i], &settings[i + 1])) {
            env->items[settings[i].at] = NULL;
            free(settings[i].text);
        }
    for (size_t i = 0; i < env->n; i++)
        if (env->items[i])
            env->items[kept++] = env->items[i];
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
