/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * requests/ID: the state of a request as the replay cache has it, and ending
 * one that runs.  DELETE waits some seconds for that end, so that it can tell
 * the result.
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <string.h>

#include "guest/core/context.h"
#include "guest/job/jobs.h"
#include "guest/request/detached.h"
#include "guest/request/replay.h"
#include "guest/request/replay_cache.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/num.h"

/* For what cannot be asked to end; that is committing a file. */
#define WAIT_MS 2000

/* For commands: between TERM and KILL there are two seconds, and a process
 * that is stuck in the kernel outlives both. */
#define WAIT_COMMAND_MS 5000

static const char *const state_names[] = {
    [REPLAY_RUNNING] = "running",
    [REPLAY_DONE] = "done",
    [REPLAY_LOST] = "gone",
};

static struct json_object *entry_json(const struct replay_entry *entry)
{
    struct json_object *data = NULL;

    if (!entry->brief
        || json_parse(entry->brief, strlen(entry->brief), &data, NULL) != 0)
        data = json_object_new_object();
    if (!data)
        return NULL;
    json_add_string(data, "id", entry->id);
    json_add_string(data, "state", state_names[entry->state]);
    if (entry->state == REPLAY_DONE)
        json_add_int(data, "code", entry->code);
    return data;
}

/* With X-Request-Age it can be told for sure more often. */
static const char *absent_state(const struct request *request)
{
    const char *text = http_field_get(request->head, "X-Request-Age");
    int64_t age = AGE_NONE;

    if (text && num_parse(text, 0, AGE_MAX, &age) < 0)
        age = AGE_NONE;
    return replay_cache_pushed_since(request->context->replay_cache, age,
                                     clock_ms())
               ? "gone"
               : "none";
}

static void answer_absent(struct request *request, const char *id)
{
    struct json_object *data = json_object_new_object();

    if (data) {
        json_add_string(data, "id", id);
        json_add_string(data, "state", absent_state(request));
    }
    request_ok(request, data);
}

/* Return: the id that the path names, to be freed; NULL when it has been
 * answered. */
static char *id_of(struct request *request)
{
    AUTO_FREE char *id = NULL;

    if (uri_decode(request->rest, strcspn(request->rest, "?"), &id) == 0
        && strlen(id) <= REQUEST_ID_MAX)
        return steal_ptr(&id);
    request_fail(request, STATUS_INVALID_PARAMS, NULL, "the id is malformed");
    return NULL;
}

/* Return: its entry; NULL when it has been answered. */
static struct replay_entry *find(struct request *request, const char *id)
{
    struct replay_cache *cache = request->context->replay_cache;
    struct replay_entry *entry;

    replay_cache_expire(cache, clock_ms());
    entry = replay_cache_find(cache, id);
    if (!entry)
        answer_absent(request, id);
    return entry;
}

void request_get_run(struct request *request)
{
    AUTO_FREE char *id = id_of(request);
    const struct replay_entry *entry = id ? find(request, id) : NULL;

    if (entry)
        request_ok(request, entry_json(entry));
}

static void ended(struct request *request, const struct replay_entry *entry,
                  const struct outcome *outcome)
{
    (void) outcome;
    request_ok(request, entry_json(entry));
}

static void end_runner(struct request *request, struct replay_entry *entry)
{
    bool command = entry->runner->end != NULL;

    if (replay_wait(request, entry, command ? WAIT_COMMAND_MS : WAIT_MS, ended)
        && command)
        detached_end(entry->runner);
}

void request_delete_run(struct request *request)
{
    AUTO_FREE char *id = id_of(request);
    struct replay_entry *entry = id ? find(request, id) : NULL;
    struct job *job = id ? jobs_find_request(request->context->jobs, id)
                         : NULL;

    if (entry && entry->state == REPLAY_RUNNING)
        end_runner(request, entry);
    else if (entry)
        request_ok(request, entry_json(entry));
    /* The job goes on when the request that started it has its answer. */
    if (job)
        job_end(job, "its request was taken back");
}
