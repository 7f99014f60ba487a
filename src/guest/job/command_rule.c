/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The user of a rule takes the place of the agent's own, and nothing takes its
 * place: where there is no such user nothing runs.  An agent that is not root
 * has no rights to give away.
 */
#include <config.h>

#include "guest/job/command_rule.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "guest/policy/command_policy.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/quote.h"

/* Who looks when the configuration does not say: the first of them that the
 * guest has.  The package makes one, and every system has the other. */
static const char *const lookers[] = { "vsrpc-look", "nobody" };

/* --- who ------------------------------------------------------------------ */

static int find(struct user *user, const char *name)
{
    user_free(user);
    return user_find(user, name, NULL, NULL);
}

static const char *setting_of(const struct rule *rule)
{
    return rule->looks ? "security.look_as" : "security.command_rules";
}

int command_rule_user(const struct settings *settings, const struct rule *rule,
                      struct user *user, struct error *err)
{
    const char *name = rule->looks ? settings->look_as : rule->user;
    int r = STATUS_INVALID_PARAMS;

    if (!rule->looks && !name)
        return 0;
    if (geteuid() != 0)
        return 0;
    if (name)
        r = find(user, name);
    for (size_t i = 0; !name && r > 0 && i < ARRAY_SIZE(lookers); i++)
        r = find(user, lookers[i]);
    if (r <= 0)
        return r;
    user_free(user);
    return error_set(err, STATUS_PERMISSION_DENIED,
                     "'%s' runs as the user '%s', whom this guest does not "
                     "have (%s in the configuration of the agent)",
                     rule->program, name ? name : lookers[0],
                     setting_of(rule));
}

/* A group that was asked for is one that the user is in; otherwise it might be
 * that of the disks. */
static int own_group(const struct user *asked, bool *own)
{
    struct user user = { .name = NULL };
    int r = find(&user, asked->name);

    *own = r == 0 && user_has_group(&user, asked->gid);
    user_free(&user);
    return r < 0 ? r : 0;
}

static int check_asked(const struct rule *rule, const struct command *command,
                       const struct user *user, struct error *err)
{
    const struct user *asked = &command->user;
    bool own = true;
    int r = command->group_asked ? own_group(asked, &own) : 0;

    if (r < 0 || (own && asked->uid != 0 && !user_power(asked)))
        return r;
    return error_set(err, STATUS_PERMISSION_DENIED,
                     "'%s' runs as the user '%s' or as another without "
                     "root's rights and with groups of its own; a rule with "
                     "its name would allow more (security.command_rules in "
                     "the configuration of the agent)",
                     rule->program, user->name);
}

static int take_user(struct command *command, const struct settings *settings,
                     const struct rule *rule, struct error *err)
{
    struct user user = { .name = NULL };
    int r = command_rule_user(settings, rule, &user, err);

    if (r == 0 && user.name && user.uid != geteuid() && !command->as_user) {
        command->as_user = true;
        command->user = user;
        command->user_rule = setting_of(rule);
        command->home = user.home;
        return 0;
    }
    if (r == 0 && user.name && user.uid != geteuid())
        r = check_asked(rule, command, &user, err);
    user_free(&user);
    return r;
}

/* --- what ----------------------------------------------------------------- */

/* Puts words behind the first of a list; blank: so many empty ones. */
static int insert(struct strlist *list, const char *const *words, bool blank)
{
    struct strlist old = *list;
    int r;

    *list = (struct strlist) { 0 };
    r = strlist_add(list, old.items[0]);
    for (; r == 0 && *words; words++)
        r = strlist_add(list, blank ? "" : *words);
    for (size_t i = 1; r == 0 && i < old.n; i++)
        r = strlist_add(list, old.items[i]);
    strlist_free(&old);
    return r;
}

/* What is judged is what runs: no patterns are expanded behind it. */
static int take_words(struct command *command, const struct rule *rule,
                      struct error *err)
{
    int r = command_rule_check(rule, command->argv.items, err);

    if (r == 0 && command_rule_restricts(rule))
        strlist_free(&command->patterns);
    if (r == 0 && rule->always)
        r = insert(&command->argv, rule->always, false);
    if (r == 0 && rule->always && command->patterns.n > 0)
        r = insert(&command->patterns, rule->always, true);
    return r;
}

int command_rule_apply(struct command *command,
                       const struct settings *settings, struct error *err)
{
    struct rule rule;
    int r;

    if (!command_rule_find(settings, command->argv.items[0], &rule))
        return 0;
    command->ruled = true;
    r = take_words(command, &rule, err);
    if (r == 0)
        r = take_user(command, settings, &rule, err);
    return r;
}

int command_rule_judge(const struct settings *settings, char *const *words,
                       struct user *user, struct error *err)
{
    const char *entry = command_listed(&settings->allowed_commands, words[0],
                                       err);
    struct rule rule;
    int r;

    if (!entry)
        return STATUS_PERMISSION_DENIED;
    if (!command_rule_find(settings, entry, &rule))
        return 0;
    r = command_rule_check(&rule, words, err);
    return r ? r : command_rule_user(settings, &rule, user, err);
}

/* --- before anybody asks -------------------------------------------------- */

/* What the user is or has that reads what root does.  Root is that by whatever
 * name; a rule that says "root" means it. */
static const char *power_of(const struct user *user, const char *name,
                            bool looks)
{
    if (user->uid == 0)
        return looks || strcmp(name, "root") != 0 ? "" : NULL;
    return user_power(user);
}

/* setting: what names the user; looks: it is the one for all that only looks. */
static int user_ready(const char *name, const char *setting, bool looks,
                      struct error *err)
{
    struct user user = { .name = NULL };
    int r = find(&user, name);
    const char *power = r == 0 ? power_of(&user, name, looks) : NULL;

    user_free(&user);
    if (r > 0) {
        error_set(err, -EINVAL, "%s: no such user: '%s'", setting, name);
        quote_hint(err, "useradd -r %s", name);
        return -EINVAL;
    }
    if (r < 0 || !power)
        return r;
    if (!*power)
        return error_set(err, RULE_WARNING,
                         "%s: the user '%s' is root itself (uid 0)", setting,
                         name);
    return error_set(err, RULE_WARNING,
                     "%s: the user '%s' is in the group '%s', which reads "
                     "what root does",
                     setting, name, power);
}

/* The default is not there: nothing looks. */
static int lookers_ready(const struct settings *settings, struct error *err)
{
    int r = -EINVAL;

    for (size_t i = 0; r == -EINVAL && i < ARRAY_SIZE(lookers); i++)
        r = user_ready(lookers[i], "security.look_as", true, err);
    if (r != -EINVAL || strlist_has(&settings->allowed_commands, "*"))
        return r == -EINVAL ? 0 : r;
    return error_set(err, RULE_WARNING,
                     "security.look_as: this guest has neither '%s' nor '%s': "
                     "programs that look are refused",
                     lookers[0], lookers[1]);
}

/* The first one of whom this is to be said. */
static int find_unready(const struct settings *settings, const char *file,
                        int wanted, struct error *err)
{
    const struct command_rule *rules = settings->command_rules.items;
    int r = settings->look_as
                ? user_ready(settings->look_as, "security.look_as", true, err)
                : lookers_ready(settings, err);

    if (r == wanted || r == -ENOMEM) {
        error_prefix(err, "%s", file);
        return r;
    }
    for (size_t i = 0; i < settings->command_rules.n; i++) {
        r = 0;
        if (rules[i].user)
            r = user_ready(rules[i].user, "security.command_rules.user", false,
                           err);
        if (r == wanted || r == -ENOMEM) {
            error_prefix(err, "%s:%zu", file, rules[i].at.line);
            return r;
        }
    }
    return 0;
}

int command_rules_ready(const struct settings *settings, const char *file,
                        struct error *err)
{
    int r = find_unready(settings, file, -EINVAL, err);

    return r ? r : find_unready(settings, file, RULE_WARNING, err);
}
