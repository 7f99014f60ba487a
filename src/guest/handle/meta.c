/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* ping, sync, capabilities: about the agent itself. */
#include <config.h>

#include "guest/handle/handlers.h"

#include <stdio.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/core/endpoint.h"
#include "guest/core/settings.h"
#include "guest/file/transfer.h"
#include "guest/job/command_rule.h"
#include "guest/job/jobs.h"
#include "guest/port/session.h"
#include "guest/request/query.h"
#include "guest/system/kernel.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SYNC_ID_MAX 64

void ping_run(struct request *request)
{
    struct json_object *data = json_object_new_object();

    if (data) {
        json_add_int(data, "timestamp", clock_wall());
        json_add_int(data, "uptime", clock_ms() / 1000);
    }
    request_reply(request, STATUS_SUCCESS, "pong", data);
}

static struct json_object *sync_json(const struct context *context,
                                     const char *id, const char *token)
{
    struct json_object *data = json_object_new_object();

    if (!data)
        return NULL;
    json_add_string(data, "id", id);
    json_add_string(data, "session", token);
    json_add_string(data, "boot_id", context->boot_id);
    json_add_string(data, "instance", context->instance);
    json_add_string(data, "agent_version", PACKAGE_VERSION);
    json_add_int(data, "timestamp", clock_wall());
    json_add_bool(data, "auth", context->settings->enable_auth);
    json_add_bool(data, "heartbeat", true);
    return data;
}

struct sync_query {
    char *id;
};

static const struct query_row sync_rows[] = {
    QUERY_ROW(struct sync_query, id, QUERY_ID, .required = true,
              .max = SYNC_ID_MAX),
};

const struct query_form sync_query = QUERY_FORM(sync_rows, struct sync_query,
                                                NULL);

/* A new client introduces itself: it gets a session of its own. */
void sync_run(struct request *request)
{
    struct context *context = request->context;
    const struct sync_query *q = request->query;
    const char *token;

    transfers_leave(context->transfers);
    jobs_leave(context->jobs);
    token = session_handshake(context->session);
    if (token)
        request_ok(request, sync_json(context, q->id, token));
    else
        request_fail(request, STATUS_INTERNAL_ERROR, NULL, "no random bytes");
}

static struct json_object *json_list(const struct strlist *list)
{
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; array && i < list->n; i++)
        json_append(array, json_object_new_string(list->items[i]));
    return array;
}

static struct json_object *limits_json(const struct settings *settings)
{
    struct json_object *limits = json_object_new_object();

    if (!limits)
        return NULL;
    json_add_int(limits, "max_request_size", settings->max_request_size);
    json_add_int(limits, "max_output_size", settings->max_output_size);
    json_add_int(limits, "max_download_length", DOWNLOAD_JSON_MAX);
    json_add_int(limits, "requests_per_second", settings->per_second);
    json_add_int(limits, "requests_per_minute", settings->per_minute);
    json_add_int(limits, "max_concurrent", settings->max_concurrent);
    json_add_int(limits, "jobs", JOBS_MAX);
    json_add_int(limits, "job_output", JOB_OUTPUT_MAX);
    json_add_int(limits, "job_input", JOB_INPUT_MAX);
    json_add_int(limits, "jobs_keep", settings->jobs_keep / 1000);
    return limits;
}

static struct json_object *json_words(const char *const *words)
{
    struct json_object *array = json_object_new_array();

    for (; array && words && *words; words++)
        json_append(array, json_object_new_string(*words));
    return array;
}

/* Null: as the agent; "": as nobody, for there is no such user. */
static void add_user(struct json_object *object,
                     const struct settings *settings, const struct rule *rule)
{
    struct user user = { .name = NULL };
    int r = command_rule_user(settings, rule, &user, NULL);

    json_add_string(object, "user", r ? "" : user.name);
    user_free(&user);
}

static struct json_object *rule_json(const struct settings *settings,
                                     const char *program,
                                     const struct rule *rule)
{
    struct json_object *object = json_object_new_object();

    if (!object)
        return NULL;
    json_add_string(object, "program", program);
    add_user(object, settings, rule);
    json_add(object, "always", json_words(rule->always));
    json_add_bool(object, "restricted", command_rule_restricts(rule));
    json_add(object, "options", json_words(rule->options));
    json_add(object, "arguments", json_words(rule->arguments));
    return object;
}

/* The rules that hold, for what is allowed. */
static struct json_object *rules_json(const struct settings *settings)
{
    const struct strlist *allowed = &settings->allowed_commands;
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; array && i < allowed->n; i++) {
        struct rule rule;

        if (command_rule_find(settings, allowed->items[i], &rule))
            json_append(array, rule_json(settings, allowed->items[i], &rule));
    }
    return array;
}

static struct json_object *policy_json(const struct settings *settings)
{
    struct json_object *policy = json_object_new_object();

    if (!policy)
        return NULL;
    json_add(policy, "allowed_commands",
             json_list(&settings->allowed_commands));
    json_add(policy, "command_rules", rules_json(settings));
    json_add(policy, "allowed_env", json_list(&settings->allowed_env));
    json_add_bool(policy, "shell", settings->shell);
    json_add_bool(policy, "allow_setid",
                  settings->allow_setid || settings_any_program(settings));
    json_add(policy, "allowed_paths", json_list(&settings->allowed_paths));
    json_add(policy, "readonly_paths", json_list(&settings->readonly_paths));
    json_add(policy, "forbidden_paths", json_list(&settings->forbidden_paths));
    return policy;
}

/* Ours, and those of the configuration. */
static struct json_object *endpoints_json(const struct settings *settings)
{
    struct json_object *array = json_object_new_array();
    const struct route *routes;
    size_t n;

    routes = route_table(&n);
    for (size_t i = 0; array && i < n; i++) {
        char words[ROUTE_WORDS_MAX];

        json_append(array,
                    json_object_new_string(route_words(&routes[i], words)));
    }
    for (size_t i = 0; array && i < settings->handlers.n; i++) {
        const struct endpoint *endpoint = endpoint_get(&settings->handlers, i);
        char words[ENDPOINT_WORDS_MAX];

        json_append(array,
                    json_object_new_string(endpoint_words(endpoint, words)));
    }
    return array;
}

static struct json_object *abilities_json(void)
{
    struct json_object *array = json_object_new_array();

    for (int id = 0; array && id < ABILITY_COUNT; id++)
        json_append(array, json_object_new_string(ability_get(id)->name));
    return array;
}

/* What the kernel has not, and what that costs. */
static struct json_object *missing_json(const struct kernel *kernel)
{
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; array && i < kernel_parts(); i++) {
        const struct kernel_part *part = kernel_missing(kernel, i);
        struct json_object *object = part ? json_object_new_object() : NULL;

        if (!object)
            continue;
        json_add_string(object, "name", part->name);
        json_add_string(object, "since", part->since);
        json_add_string(object, "without", part->without);
        json_append(array, object);
    }
    return array;
}

static struct json_object *kernel_json(const struct kernel *kernel)
{
    struct json_object *object = json_object_new_object();

    if (!object)
        return NULL;
    json_add_string(object, "release", kernel->release);
    json_add(object, "missing", missing_json(kernel));
    return object;
}

void capabilities_run(struct request *request)
{
    const struct settings *settings = request->context->settings;
    struct json_object *data = json_object_new_object();

    if (data) {
        json_add_string(data, "agent_version", PACKAGE_VERSION);
        json_add_string(data, "protocol", ENVELOPE_VERSION);
        json_add_bool(data, "auth", settings->enable_auth);
        json_add(data, "abilities", abilities_json());
        json_add(data, "endpoints", endpoints_json(settings));
        json_add(data, "limits", limits_json(settings));
        json_add(data, "policy", policy_json(settings));
        json_add(data, "kernel", kernel_json(request->context->kernel));
    }
    request_ok(request, data);
}
