/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * service/control: runs the service manager's tool for the action, and then
 * the one that tells the state, which is in the answer to a failed action,
 * too.  To an action that only asks, the state is all.
 *
 * It may do what the policy lets the command do that people have for it:
 * systemctl ACTION NAME, or service NAME ACTION.
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/core/settings.h"
#include "guest/job/child_report.h"
#include "guest/job/command_rule.h"
#include "guest/policy/command_policy.h"
#include "guest/proc/environment.h"
#include "guest/proc/proc.h"
#include "guest/system/service.h"
#include "proto/param.h"
#include "util/cleanup.h"
#include "util/text.h"

#define OUTPUT_MAX (64 * 1024) /* of a service tool; it speaks in lines */

static const char *const actions[SERVICE_ACTIONS + 1] = {
    [SERVICE_START] = "start",           [SERVICE_STOP] = "stop",
    [SERVICE_RESTART] = "restart",       [SERVICE_RELOAD] = "reload",
    [SERVICE_ENABLE] = "enable",         [SERVICE_DISABLE] = "disable",
    [SERVICE_STATUS] = "status",         [SERVICE_IS_ACTIVE] = "is-active",
    [SERVICE_IS_ENABLED] = "is-enabled", NULL,
};

struct control {
    struct request *request;
    const struct service_manager *manager;
    enum service_action action;
    const char *name;
    struct child *child;
    struct strlist env;
    struct user user; /* by its rule; no name: the agent's own */
    int exit_code;    /* of the action */
    char said[1024];
};

static void control_drop(void *work)
{
    struct control *control = work;

    if (control->child)
        child_cancel(control->child);
    strlist_free(&control->env);
    user_free(&control->user);
    free(control);
}

static void control_end(void *work)
{
    const struct control *control = work;

    if (control->child)
        child_end(control->child);
}

/* The tool was not allowed to finish.  Return: true when it has been told. */
static bool control_broken(struct control *control, struct child *child)
{
    if (!child->timed_out && !child->ended)
        return false;
    request_fail(control->request,
                 child->ended ? STATUS_CMD_EXEC_FAILED : STATUS_CMD_TIMEOUT,
                 child->ended ? child_report(child) : NULL, "'%s %s' %s",
                 actions[control->action], control->name,
                 child->ended ? "was ended before its time"
                              : "did not end in time");
    return true;
}

static int control_spawn(struct control *control, struct strlist *argv,
                         void (*done)(void *, struct child *),
                         struct error *err)
{
    struct context *context = control->request->context;
    AUTO_FREE char *program = NULL;
    int r = program_find(argv->items[0], &program, err);
    const struct child_spec spec = {
        .program = program,
        .argv = argv->items,
        .envp = control->env.items,
        .user = control->user.name ? &control->user : NULL,
        .timeout_ms = context->settings->request_timeout,
        .output_max = OUTPUT_MAX,
    };

    /* SysV has no tool to ask: a service without a script is none. */
    if (r == STATUS_CMD_NOT_FOUND && argv->items[0][0] == '/')
        return error_set(err, STATUS_SERVICE_NOT_FOUND, "no service '%s' (%s)",
                         control->name, control->manager->name);
    if (r == STATUS_CMD_NOT_FOUND)
        return error_set(err, STATUS_CMD_EXEC_FAILED,
                         "%s: '%s' is needed for this and is not installed",
                         control->manager->name, argv->items[0]);
    if (r)
        return r;
    r = child_start(context->loop, context->procs, &spec, done, control,
                    &control->child);
    return r < 0 ? error_errno(err, r, "%s", program) : 0;
}

static struct json_object *control_json(const struct control *control,
                                        const struct service_state *state)
{
    struct json_object *data = json_object_new_object();

    if (!data)
        return NULL;
    json_add_string(data, "name", control->name);
    json_add_string(data, "action", actions[control->action]);
    json_add_string(data, "status", state->status);
    if (state->pid)
        json_add_int(data, "pid", state->pid);
    else
        json_add_string(data, "pid", NULL);
    if (*state->boot) {
        json_add_bool(data, "enabled",
                      strncmp(state->boot, "enabled", 7) == 0);
        json_add_string(data, "enabled_state", state->boot);
    }
    return data;
}

static void queried(void *arg, struct child *child)
{
    struct control *control = arg;
    struct service_state state = { 0 };

    control->child = NULL;
    control->manager->parse(control->name, child, &state);
    if (control_broken(control, child))
        return;
    if (!state.found)
        request_fail(control->request, STATUS_SERVICE_NOT_FOUND, NULL,
                     "no service '%s' (%s)", control->name,
                     control->manager->name);
    else if (control->exit_code) {
        struct json_object *extra = control_json(control, &state);

        if (extra)
            json_add_int(extra, "exit_code", control->exit_code);
        request_fail(control->request, STATUS_CMD_EXEC_FAILED, extra, "%s",
                     control->said);
    } else
        request_ok(control->request, control_json(control, &state));
}

static int control_query(struct control *control, struct error *err)
{
    struct strlist argv = { 0 };
    int r = control->manager->query(control->name, &argv);

    if (r == 0)
        r = control_spawn(control, &argv, queried, err);
    strlist_free(&argv);
    return r;
}

/* Keeps what the tool said on standard error, without the line's end. */
static void control_note(struct control *control, struct child *child)
{
    const char *text = buf_cstr(&child->output[1]);

    control->exit_code = child_exit_code(child);
    snprintf(control->said, sizeof(control->said), "%s",
             text && *text ? text : "the service tool failed");
    control->said[strcspn(control->said, "\n")] = '\0';
}

static void acted(void *arg, struct child *child)
{
    struct control *control = arg;
    struct error err = ERROR_INIT;
    int r;

    control->child = NULL;
    if (control_broken(control, child))
        return;
    control_note(control, child);
    r = control_query(control, &err);
    if (r)
        request_error(control->request, r, &err);
}

static int control_act(struct control *control, struct error *err)
{
    struct strlist argv = { 0 };
    int r = control->manager->action(control->action, control->name, &argv);

    if (r == 0)
        r = control_spawn(control, &argv, acted, err);
    strlist_free(&argv);
    return r;
}

/* What a unit or a script may be called; nothing a tool could take for an
 * option or a path. */
static bool name_is_valid(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "abcdefghijklmnopqrstuvwxyz0123456789:_.@\\-");

    return n > 0 && n <= SERVICE_NAME_MAX && !name[n] && name[0] != '-'
           && name[0] != '.';
}

static int control_params(struct control *control, struct error *err)
{
    struct json_object *params = control->request->params;
    int action = 0;
    int r = param_string(params, "name", PARAM_REQUIRED, &control->name, err);

    if (r == 0)
        r = param_word(params, "action", PARAM_REQUIRED, actions, &action,
                       err);
    if (r)
        return r;
    if (!name_is_valid(control->name))
        return param_wrong("name", "the name of a service", control->name,
                           err);
    control->action = (enum service_action) action;
    return 0;
}

/* service(8) has one word for what only asks. */
static int control_judge(struct control *control, struct error *err)
{
    const struct settings *settings = control->request->context->settings;
    const char *action = actions[control->action];
    struct strlist words = { 0 };
    int r;

    if (control->manager == &service_systemd)
        r = service_words(&words, "systemctl", action, control->name, NULL);
    else
        r = service_words(&words, "service", control->name,
                          control->action >= SERVICE_STATUS
                              ? actions[SERVICE_STATUS]
                              : action,
                          NULL);
    if (r == 0)
        r = command_rule_judge(settings, words.items, &control->user, err);
    if (r > 0)
        error_prefix(err, "service/control");
    strlist_free(&words);
    return r;
}

static int control_env(struct control *control)
{
    return control->user.name
               ? environment_user(&control->env, &control->user)
               : environment_copy(&control->env,
                                  control->request->context->environment);
}

static int control_start(struct control *control, struct error *err)
{
    int r = control_params(control, err);

    if (r)
        return r;
    control->manager = service_manager_find();
    if (!control->manager)
        return error_set(err, STATUS_CMD_EXEC_FAILED,
                         "the guest has none of systemd, OpenRC and SysV");
    r = control_judge(control, err);
    if (r == 0)
        r = control_env(control);
    if (r)
        return r;
    return control->action >= SERVICE_STATUS ? control_query(control, err)
                                             : control_act(control, err);
}

void service_control_run(struct request *request)
{
    struct control *control;
    struct error err = ERROR_INIT;
    int r;

    if (!request_take_slot(request))
        return;
    control = request_work(request, sizeof(*control), control_drop);
    if (!control)
        return;
    control->request = request;
    request->end = control_end;
    r = control_start(control, &err);
    if (r)
        request_error(request, r, &err);
}
