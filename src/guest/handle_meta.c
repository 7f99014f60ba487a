/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* ping, sync, capabilities: about the agent itself. */
#include <config.h>

#include "guest/handlers.h"

#include <stdio.h>
#include <string.h>

#include "guest/agent.h"
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

static struct json_object *sync_json(const struct agent *agent,
                                     const char *id, const char *token)
{
    struct json_object *data = json_object_new_object();

    if (!data)
        return NULL;
    json_add_string(data, "id", id);
    json_add_string(data, "session", token);
    json_add_string(data, "boot_id", agent->boot_id);
    json_add_string(data, "instance", agent->instance);
    json_add_string(data, "agent_version", PACKAGE_VERSION);
    json_add_int(data, "timestamp", clock_wall());
    json_add_bool(data, "auth", agent->settings.enable_auth);
    json_add_bool(data, "heartbeat", true);
    return data;
}

/* A new client introduces itself: it gets a session of its own. */
void sync_run(struct request *request)
{
    struct agent *agent = request->agent;
    AUTO_FREE char *id = NULL;
    const char *token;

    if (uri_query(request->head->target, "id", &id) < 0
        || strlen(id) > SYNC_ID_MAX) {
        request_fail(request, STATUS_INVALID_PARAMS, NULL,
                     "'id' is missing or malformed");
        return;
    }
    transfers_leave(&agent->transfers);
    jobs_leave(&agent->jobs);
    token = session_begin(&agent->session);
    if (token)
        request_ok(request, sync_json(agent, id, token));
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

static struct json_object *policy_json(const struct settings *settings)
{
    struct json_object *policy = json_object_new_object();

    if (!policy)
        return NULL;
    json_add(policy, "allowed_commands",
             json_list(&settings->allowed_commands));
    json_add_bool(policy, "shell", settings->shell);
    json_add(policy, "allowed_paths", json_list(&settings->allowed_paths));
    json_add(policy, "readonly_paths", json_list(&settings->readonly_paths));
    json_add(policy, "forbidden_paths",
             json_list(&settings->forbidden_paths));
    return policy;
}

static struct json_object *endpoints_json(void)
{
    struct json_object *array = json_object_new_array();
    const struct route *routes;
    size_t n;

    routes = route_table(&n);
    for (size_t i = 0; array && i < n; i++) {
        char line[128];

        snprintf(line, sizeof(line), "%s %s",
                 routes[i].method ? routes[i].method : "*", routes[i].path);
        json_append(array, json_object_new_string(line));
    }
    return array;
}

void capabilities_run(struct request *request)
{
    const struct settings *settings = &request->agent->settings;
    struct json_object *data = json_object_new_object();

    if (data) {
        json_add_string(data, "agent_version", PACKAGE_VERSION);
        json_add_string(data, "protocol", ENVELOPE_VERSION);
        json_add_bool(data, "auth", settings->enable_auth);
        json_add(data, "endpoints", endpoints_json());
        json_add(data, "limits", limits_json(settings));
        json_add(data, "policy", policy_json(settings));
    }
    request_ok(request, data);
}
