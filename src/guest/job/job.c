/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Joins a program (proc/child.h) with its output log: output is read straight
 * into the log and not read while that is full, which holds the program back.
 * What is past output_limit is read and dropped.
 */
#include <config.h>

#include "guest/job/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/job/child_report.h"
#include "guest/proc/environment.h"
#include "guest/proc/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/text.h"

/* Where output beyond output_limit goes. */
static uint8_t dropped[64 * 1024];

void job_changed(struct job *job)
{
    if (job->waits)
        loop_timer_start(job->context->loop, &job->wake, 0);
}

static void wake_waits(void *arg)
{
    job_waits_wake(arg);
}

/* --- what its program does ------------------------------------------------ */

static bool is_past_limit(const struct job *job)
{
    return job->log.end >= job->output_limit;
}

static size_t output_space(void *arg, int stream, uint8_t **where)
{
    struct job *job = arg;
    int64_t may = job->output_limit - job->log.end;
    size_t room;

    (void) stream;
    if (is_past_limit(job)) {
        *where = dropped;
        return sizeof(dropped);
    }
    room = outlog_space(&job->log, where);
    return (int64_t) room < may ? room : (size_t) may;
}

static void output_took(void *arg, int stream, size_t n)
{
    struct job *job = arg;

    if (is_past_limit(job))
        job->truncated = true;
    else
        outlog_add(&job->log, stream, n);
    job_changed(job);
}

static void program_started(void *arg)
{
    struct job *job = arg;

    job->state = JOB_RUNNING;
    job_changed(job);
}

static void output_closed(void *arg)
{
    job_changed(arg);
}

static void input_fed(void *arg)
{
    job_changed(arg);
}

static void program_exited(void *arg)
{
    struct job *job = arg;

    job->exited = true;
    if (job->listener)
        job->listener->exited(job);
}

static void give_slot(struct job *job)
{
    if (job->counted)
        job->context->running--;
    job->counted = false;
}

/* A shell's, for what could not be started. */
static int job_exit_code(const struct job *job)
{
    if (job->start_errno)
        return job->start_errno == ENOENT ? EXIT_STATUS_NOT_FOUND
                                          : EXIT_STATUS_DENIED;
    return status_exit_code(job->status);
}

static void program_done(void *arg, struct child *child)
{
    struct job *job = arg;

    job->child = NULL;
    job->state = JOB_ENDED;
    job->start_errno = child->start_errno;
    job->start_step = child->start_step;
    job->status = child->status;
    job->timed_out = child->timed_out;
    job->ended = child->ended;
    job->orphans = child->orphans;
    job->truncated = job->truncated || child->truncated;
    job->duration_ms = child->duration_us / 1000;
    job->ended_ms = clock_ms();
    log_info(job->context->log,
             "job=%s ended, exit_code=%d ms=%lld bytes=%lld", job->id,
             job_exit_code(job), (long long) job->duration_ms,
             (long long) job->log.end);
    give_slot(job);
    job_changed(job);
    if (job->listener)
        job->listener->ended(job);
}

/* --- its start and its end ------------------------------------------------ */

static struct json_object *argv_json(const struct strlist *argv)
{
    struct json_object *words = json_object_new_array();
    size_t left = JOB_WORDS_MAX;

    for (size_t i = 0; i < argv->n && left > 0; i++) {
        size_t n = strlen(argv->items[i]);

        if (n > left)
            n = left;
        json_append(words, json_name(argv->items[i], n));
        left -= n < left ? n + 1 : n; /* an empty word is one, too */
    }
    if (json_whole(words))
        return words;
    json_object_put(words);
    return NULL;
}

static struct json_object *user_json(const struct context *context,
                                     const struct command *command)
{
    const char *name = command->as_user
                           ? command->user.name
                           : environment_get(context->environment, "USER");

    return json_name(name, strlen(name));
}

static int job_spawn(struct job *job, const struct job_spec *spec)
{
    struct context *context = job->context;
    struct child_spec what = command_spec(spec->command, context);
    int r;

    what.input_max = spec->has_input ? JOB_INPUT_MAX : 0;
    what.events = &job->events;
    what.tty = spec->tty;
    what.name = job->id;
    r = child_start(context->loop, context->procs, &what, program_done, job,
                    &job->child);
    if (r < 0)
        return r;
    job->pid = job->child->group;
    if (job->child->running)
        job->state = JOB_RUNNING;
    return 0;
}

static struct job *job_new(struct context *context, const char *id,
                           const struct job_spec *spec)
{
    struct job *job = calloc(1, sizeof(*job));

    if (!job)
        return NULL;
    *job = (struct job) {
        .context = context,
        .state = JOB_STARTING,
        .output_limit = spec->output_limit,
        .detached = spec->detached,
        .has_input = spec->has_input,
        .tty = spec->tty,
        .started = clock_wall(),
        .started_ms = clock_ms(),
        .wake = { .expired = wake_waits, .arg = job },
        .events = { .space = output_space,
                    .took = output_took,
                    .started = program_started,
                    .closed = output_closed,
                    .fed = input_fed,
                    .exited = program_exited,
                    .arg = job },
    };
    snprintf(job->id, sizeof(job->id), "%s", id);
    job->words = argv_json(&spec->command->argv);
    job->user = user_json(context, spec->command);
    job->user_rule = spec->command->user_rule;
    if (job->words && job->user
        && outlog_init(&job->log, context->outpool, spec->detached) == 0)
        return job;
    job_free(job);
    return NULL;
}

int job_start(struct context *context, const char *id,
              const struct job_spec *spec, struct job **job, const char **step)
{
    struct job *made = job_new(context, id, spec);
    int r = made ? job_spawn(made, spec) : -ENOMEM;

    if (r == 0 && made->child->start_errno) {
        r = made->child->start_errno;
        *step = made->child->start_step;
    }
    if (r) {
        job_free(made);
        return r;
    }
    *job = made;
    return 0;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    job_waits_end(job);
    /* What could not be started goes on nowhere, and has to be reaped. */
    if (job->child && job->detached && !job->child->start_errno)
        child_release(job->child);
    else if (job->child)
        child_cancel(job->child);
    give_slot(job);
    loop_timer_stop(job->context->loop, &job->timer);
    loop_timer_stop(job->context->loop, &job->wake);
    json_object_put(job->words);
    json_object_put(job->user);
    outlog_free(&job->log);
    free(job);
}

void job_end(struct job *job, const char *why)
{
    if (!job->child || job->child->unwanted)
        return;
    log_info(job->context->log, "job=%s is ended: %s", job->id, why);
    child_end(job->child);
}

/* --- input ---------------------------------------------------------------- */

bool job_input_open(const struct job *job)
{
    return job->child && feed_open(&job->child->input);
}

size_t job_input_room(const struct job *job)
{
    return job_input_open(job) ? feed_room(&job->child->input) : 0;
}

int job_feed(struct job *job, const uint8_t *bytes, size_t *n)
{
    if (job_input_open(job)) {
        size_t room = feed_room(&job->child->input);

        if (*n > room)
            *n = room;
        if (feed_add(&job->child->input, bytes, *n) < 0)
            return -ENOMEM;
    }
    job->received += (int64_t) *n;
    return 0;
}

void job_input_end(struct job *job)
{
    job->input_over = true;
    if (job_input_open(job))
        feed_end(&job->child->input);
}

/* --- what is told of it --------------------------------------------------- */

static void add_true(struct json_object *data, const char *name, bool value)
{
    if (value)
        json_add_bool(data, name, true);
}

unsigned int job_closed(const struct job *job)
{
    unsigned int closed = 0;

    for (int i = 0; job->child && i < 2; i++)
        if (child_closed(job->child, i))
            closed |= 1U << i;
    if (job->has_input && !job->input_over && !job_input_open(job))
        closed |= 4;
    return closed;
}

/* What is only told of one that has ended. */
static void add_end(struct json_object *data, const struct job *job)
{
    json_add_int(data, "exit_code", job_exit_code(job));
    json_add_signal(data, job->status);
    add_true(data, "timed_out", job->timed_out);
    add_true(data, "orphans", job->orphans);
    add_true(data, "ended", job->ended);
    if (!job->user_rule)
        return;
    json_add(data, "user", json_object_get(job->user));
    json_add_string(data, "user_rule", job->user_rule);
}

struct json_object *job_status(const struct job *job)
{
    struct json_object *data = json_object_new_object();
    bool over = job->state == JOB_ENDED;
    unsigned int closed = job_closed(job);

    if (!data)
        return NULL;
    json_add_string(data, "id", job->id);
    json_add_string(data, "state", over ? "ended" : "running");
    add_true(data, "detached", job->detached);
    add_true(data, "tty", job->tty);
    json_add_int(data, "output", job->log.end);
    json_add_int(data, "output_start", job->log.start);
    json_add_int(data, "duration_ms",
                 over ? job->duration_ms : clock_ms() - job->started_ms);
    json_add_int(data, "stdin_received", job->received);
    json_add_int(data, "stdin_room", (int64_t) job_input_room(job));
    json_add_bool(data, "stdin_open", job_input_open(job));
    add_true(data, "stdout_closed", closed & 1);
    add_true(data, "stderr_closed", closed & 2);
    add_true(data, "truncated", job->truncated);
    if (over)
        add_end(data, job);
    return data;
}

struct json_object *job_json(const struct job *job)
{
    struct json_object *data = job_status(job);

    if (!data)
        return NULL;
    json_add(data, "argv", json_object_get(job->words));
    json_add_int(data, "pid", job->pid);
    json_add_int(data, "started", job->started);
    json_add(data, "user", json_object_get(job->user));
    return data;
}
