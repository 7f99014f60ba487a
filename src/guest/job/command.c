/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Reads a command from JSON, member by member.  The environment is read before
 * the program, because its PATH may decide which file that is.  A shell gets
 * its name as from login(1), with a '-' when it is a login.
 */
#include <config.h>

#include "guest/job/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/core/settings.h"
#include "guest/job/command_rule.h"
#include "guest/policy/command_policy.h"
#include "guest/policy/env_policy.h"
#include "guest/proc/cgroup.h"
#include "guest/proc/environment.h"
#include "guest/proc/expand.h"
#include "guest/proc/shellsplit.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/num.h"
#include "util/text.h"

#define TIMEOUT_MAX_MS (INT64_C(30) * 86400 * 1000)

/* --- who ------------------------------------------------------------------ */

static int read_user(struct command *command, const struct context *context,
                     struct json_object *params, struct error *err)
{
    const char *name = NULL;
    const char *group = NULL;
    int r = param_string(params, "user", PARAM_OPTIONAL, &name, err);

    command->home = environment_get(context->environment, "HOME");
    if (r == 0)
        r = param_string(params, "group", PARAM_OPTIONAL, &group, err);
    if (r || (!name && !group))
        return r;
    command->as_user = true;
    command->group_asked = group != NULL;
    r = user_find(&command->user, name, group, err);
    command->home = command->user.home;
    return r;
}

static int read_umask(struct command *command, struct json_object *params,
                      struct error *err)
{
    const char *text = NULL;
    int r = param_string(params, "umask", PARAM_OPTIONAL, &text, err);

    if (r || !text)
        return r;
    command->umask_given = true;
    if (num_parse_mode(text, &command->umask) < 0 || command->umask > 0777)
        return param_wrong("umask", "an octal number such as \"022\"", text,
                           err);
    return 0;
}

static int read_folder(struct command *command, struct json_object *params,
                       struct error *err)
{
    int r = param_string(params, "working_dir", PARAM_OPTIONAL,
                         &command->working_dir, err);

    if (r == 0 && command->working_dir && command->working_dir[0] != '/')
        r = param_wrong("working_dir", "an absolute path",
                        command->working_dir, err);
    return r;
}

/* --- bytes that are not UTF-8 --------------------------------------------- */

/* What is behind the first from bytes of a string becomes what it is the
 * base64 of.  Return: 0, -EINVAL or -ENOMEM. */
static int decode(char **item, size_t from)
{
    const char *text = *item + from;
    char *decoded = NULL;
    struct buf bytes;
    int r;

    buf_init(&bytes, strlen(*item));
    r = buf_append(&bytes, *item, from);
    if (r == 0)
        r = base64_decode(&bytes, text, strlen(text));
    if (r == 0) {
        decoded = buf_cstr(&bytes) ? strdup(buf_cstr(&bytes)) : NULL;
        r = decoded ? 0 : -ENOMEM;
    }
    if (r == 0 && strlen(decoded) != bytes.len)
        r = -EINVAL;
    buf_free(&bytes);
    if (r < 0) {
        free(decoded);
        return r;
    }
    free(*item);
    *item = decoded;
    return 0;
}

/* Decodes the items from the first on, if that is what NAME_encoding says;
 * entries: only the values of NAME=VALUE. */
static int decode_list(struct strlist *list, size_t first, bool entries,
                       struct json_object *params, const char *name,
                       struct error *err)
{
    bool encoded = false;
    int r = param_encoded(params, name, &encoded, err);

    for (size_t i = first; r == 0 && encoded && i < list->n; i++)
        r = decode(&list->items[i],
                   entries ? strcspn(list->items[i], "=") + 1 : 0);
    if (r == -EINVAL)
        return param_wrong(name, "base64 of bytes without NUL", NULL, err);
    return r;
}

/* A shell does what it is told to, as any program may where all are allowed.
 * (The policy refuses a shell later where it may not be asked for.) */
static bool is_trusted(const struct context *context,
                       struct json_object *params)
{
    bool shell = false;

    return strlist_has(&context->settings->allowed_commands, "*")
           || (param_bool(params, "shell", PARAM_OPTIONAL, &shell, NULL) == 0
               && shell);
}

/* Those of the request, from the first on. */
static int check_environment(const struct strlist *env, size_t first,
                             const struct context *context,
                             struct json_object *params, struct error *err)
{
    bool trusted = is_trusted(context, params);
    int r = 0;

    for (size_t i = first; r == 0 && i < env->n; i++)
        r = env_check(env->items[i], trusted, &context->settings->allowed_env,
                      err);
    return r;
}

/* A pager asks a person what to run.  Whose program has a rule gets none. */
static int add_no_pager(struct strlist *env)
{
    static const char *const names[] = { "SYSTEMD_PAGER", "PAGER" };
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++)
        r = environment_add(env, names[i], "cat");
    return r;
}

static int read_environment(struct command *command,
                            const struct context *context,
                            struct json_object *params, struct error *err)
{
    struct strlist *env = &command->env;
    int r = command->as_user ? environment_user(env, &command->user)
                             : environment_copy(env, context->environment);
    size_t own;
    size_t first;

    if (r == 0 && command->ruled)
        r = add_no_pager(env);
    own = env->n;
    if (r == 0 && command->term)
        r = environment_add(env, "TERM", command->term);
    first = env->n;
    if (r == 0)
        r = param_env(params, "env", PARAM_OPTIONAL, env, err);
    if (r == 0)
        r = decode_list(env, first, true, params, "env", err);
    if (r == 0)
        r = check_environment(env, own, context, params, err);
    if (r == 0)
        r = environment_merge(env);
    return r;
}

/* --- what ----------------------------------------------------------------- */

static const char *tilde(const struct command *command)
{
    return environment_get(&command->env, "HOME");
}

/* What is judged is what runs: a pattern may match something else then. */
static int split_program(struct command *command, struct error *err)
{
    char **word = &command->argv.items[0];
    char **pattern = &command->patterns.items[0];
    char *expanded = NULL;
    int r;

    if (pattern_is_glob(*pattern))
        return error_set(err, STATUS_INVALID_PARAMS,
                         "the program of 'command' is a pattern: '%s'; name "
                         "it, or quote it",
                         *word);
    if (!**pattern)
        return 0;
    r = expand_tilde(*pattern, tilde(command), &expanded);
    if (r < 0)
        return r;
    free(*word);
    *word = expanded;
    **pattern = '\0';
    return 0;
}

static int split_command(struct command *command, const char *text,
                         struct error *err)
{
    struct strlist *patterns = &command->patterns;
    bool any = false;
    int r = command_check_string(text, err);

    if (r == 0)
        r = shell_split(text, &command->argv, patterns, err);
    if (r == 0)
        r = split_program(command, err);
    for (size_t i = 0; r == 0 && i < patterns->n; i++)
        any = any || *patterns->items[i];
    if (!any)
        strlist_free(patterns);
    return r;
}

/* The rule may have another user, whose environment it is then.  What it refuses
 * is refused whether the program is there or not. */
static int obey_rule(struct command *command, const struct context *context,
                     struct json_object *params, struct error *err)
{
    int r = command_rule_apply(command, context->settings, err);

    if (r || !command->ruled)
        return r;
    strlist_free(&command->env);
    return read_environment(command, context, params, err);
}

/* "argv" is taken as it is; "command" is checked and split, and what is in it
 * for a shell to expand is expanded when its process is made. */
static int read_words(struct command *command, const struct context *context,
                      struct json_object *params, struct error *err)
{
    struct strlist *argv = &command->argv;
    const char *text = NULL;
    int found = 0;
    int r = param_strings(params, "argv", PARAM_OPTIONAL, argv, err);

    if (r == 0)
        r = decode_list(argv, 0, false, params, "argv", err);
    if (r == 0)
        r = param_string(params, "command",
                         argv->n == 0 ? PARAM_REQUIRED : PARAM_OPTIONAL, &text,
                         err);
    if (r == 0 && argv->n == 0)
        r = split_command(command, text, err);
    if (r == 0)
        r = found = command_resolve(
            &context->settings->allowed_commands, argv->items[0],
            environment_get(&command->env, "PATH"), &command->program, err);
    if (r == 0 || found == STATUS_CMD_NOT_FOUND)
        r = obey_rule(command, context, params, err);
    return r ? r : found;
}

/* Its last component, and for a login a '-' before it: so a shell knows
 * (login(1), bash(1)). */
static int add_shell_name(struct strlist *argv, const char *shell, bool login)
{
    const char *slash = strrchr(shell, '/');
    AUTO_FREE char *name = NULL;

    if (asprintf(&name, "%s%s", login ? "-" : "", slash ? slash + 1 : shell)
        < 0) {
        name = NULL;
        return -ENOMEM;
    }
    return strlist_add(argv, name);
}

/* "command" is for the user's shell; without one it is a login. */
static int read_shell(struct command *command, const struct context *context,
                      struct json_object *params, struct error *err)
{
    const char *shell = command->as_user
                            ? command->user.shell
                            : environment_get(context->environment, "SHELL");
    const char *text = NULL;
    int r = param_string(params, "command", PARAM_OPTIONAL, &text, err);

    if (r == 0 && json_object_object_get_ex(params, "argv", NULL))
        r = error_set(err, STATUS_INVALID_PARAMS,
                      "'shell' takes 'command', not 'argv'");
    if (r == 0)
        r = add_shell_name(&command->argv, shell, !text);
    if (r == 0 && text)
        r = strlist_add(&command->argv, "-c");
    if (r == 0 && text)
        r = strlist_add(&command->argv, text);
    if (r)
        return r;
    command->program = strdup(shell);
    return command->program ? 0 : -ENOMEM;
}

static int read_program(struct command *command, const struct context *context,
                        struct json_object *params, struct error *err)
{
    bool shell = false;
    int r = param_bool(params, "shell", PARAM_OPTIONAL, &shell, err);

    if (r)
        return r;
    if (!shell)
        return read_words(command, context, params, err);
    if (!context->settings->shell)
        return error_set(err, STATUS_PERMISSION_DENIED,
                         "no shell may be run (security.shell in the "
                         "configuration of the agent)");
    return read_shell(command, context, params, err);
}

/* --- all of it ------------------------------------------------------------ */

int command_read(struct command *command, const struct request *request,
                 struct error *err)
{
    const struct context *context = request->context;
    struct json_object *params = request->params;
    int r = param_seconds(params, "timeout", PARAM_OPTIONAL, 0, TIMEOUT_MAX_MS,
                          &command->timeout_ms, err);

    if (r == 0)
        r = read_folder(command, params, err);
    if (r == 0)
        r = read_umask(command, params, err);
    if (r == 0)
        r = read_user(command, context, params, err);
    if (r == 0)
        r = read_environment(command, context, params, err);
    if (r == 0)
        r = read_program(command, context, params, err);
    return r;
}

/* Another user's home may be where nothing answers, too. */
struct child_spec command_spec(const struct command *command,
                               struct context *context)
{
    return (struct child_spec) {
        .program = command->program,
        .argv = command->argv.items,
        .patterns = command->patterns.n ? &command->patterns : NULL,
        .tilde = tilde(command),
        .envp = command->env.items,
        .working_dir = command->working_dir,
        .home = command->home,
        .may_wait = command->working_dir || command->as_user,
        .user = command->as_user ? &command->user : NULL,
        .umask_given = command->umask_given,
        .umask = command->umask,
        .timeout_ms = command->timeout_ms,
        .cgroups = context->cgroups,
    };
}

void command_free(struct command *command)
{
    strlist_free(&command->argv);
    strlist_free(&command->patterns);
    strlist_free(&command->env);
    free(command->program);
    command->program = NULL;
    user_free(&command->user);
}

/* The exit code that a shell has for what it could not run. */
static struct json_object *shell_code(int code)
{
    struct json_object *extra = json_object_new_object();

    if (extra)
        json_add_int(extra, "exit_code",
                     code == STATUS_CMD_NOT_FOUND ? EXIT_STATUS_NOT_FOUND
                                                  : EXIT_STATUS_DENIED);
    return extra;
}

/* "command not found" is an answer with the shell's exit code. */
void command_refuse(struct request *request, int result,
                    const struct error *err)
{
    if (result == STATUS_CMD_NOT_FOUND)
        request_fail(request, result, shell_code(result), "%s", err->message);
    else
        request_error(request, result, err);
}

void command_not_started(struct request *request,
                         const struct command *command, const char *step,
                         int error)
{
    bool program = strcmp(step, "execve") == 0;
    bool folder = strcmp(step, "working_dir") == 0;
    bool patterns = strcmp(step, "patterns") == 0;
    int code = program && error == ENOENT ? STATUS_CMD_NOT_FOUND
                                          : STATUS_CMD_EXEC_FAILED;

    if (folder)
        request_fail(request, code, shell_code(code), "%s '%s': %s", step,
                     command->working_dir, strerror(error));
    else if (patterns && error == E2BIG)
        request_fail(request, code, shell_code(code),
                     "the patterns of 'command' match more than %d words, or "
                     "%d bytes of them: let find or a shell run it",
                     ARGV_MAX, EXPAND_MAX);
    else if (patterns && error == ETIMEDOUT)
        request_fail(request, code, shell_code(code),
                     "the patterns of 'command' took more than %d s: let find "
                     "or a shell look",
                     EXPAND_S);
    else
        request_fail(request, code, shell_code(code), "%s: %s%s%s",
                     command->program, program ? "" : step,
                     program ? "" : ": ", strerror(error));
}
