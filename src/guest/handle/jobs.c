/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * jobs: start, list, status, signal, size of the terminal, end.  A start can
 * wait for the first output and a moment longer for the end, so that a short
 * command takes one request.
 */
#include <config.h>

#include "guest/handle/jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/handle/handlers.h"
#include "guest/job/child_report.h"
#include "guest/job/jobs.h"
#include "proto/param.h"
#include "proto/signame.h"
#include "util/cleanup.h"
#include "util/log.h"

/* Between the first output and the end of a short command. */
#define MOMENT_MS 5

struct job *job_of(struct request *request)
{
    size_t n = strcspn(request->rest, "/?");
    struct job *job = jobs_find(request->context->jobs, request->rest, n);

    if (!job)
        request_fail(request, STATUS_JOB_NOT_FOUND, NULL,
                     "no job '%.*s': it ended and was forgotten, or the agent "
                     "was restarted since; what an agent that was killed had "
                     "started may still run",
                     (int) n, request->rest);
    return job;
}

/* --- start ---------------------------------------------------------------- */

struct start {
    struct job_wait wait; /* first */
    struct command command;
    struct pty_size tty;
    int64_t wait_ms;
};

static void start_drop(void *work)
{
    struct start *start = work;

    job_wait_drop(&start->wait);
    command_free(&start->command);
    free(start);
}

/* What has been started may be ended before it is answered. */
static void start_end(void *work)
{
    const struct start *start = work;

    if (start->wait.job)
        job_end(start->wait.job, "its request was taken back");
}

/* Most who say something have nothing else to do: the answer can tell of their
 * end, too. */
static bool start_ready(struct job_wait *wait)
{
    const struct job *job = wait->job;

    if (job->state == JOB_RUNNING && job->log.end > 0)
        job_wait_hurry(wait, job->tty ? 0 : MOMENT_MS);
    return job->state == JOB_ENDED
           || (job->state == JOB_RUNNING && wait->over);
}

static void start_answer(struct job_wait *wait, struct job *job)
{
    struct start *start = (struct start *) wait;

    if (job->start_errno) {
        command_not_started(wait->request, &start->command, job->start_step,
                            job->start_errno);
        return;
    }
    job->told = true;
    job->delivered = job->state == JOB_ENDED && !job->detached
                     && job->log.end == 0;
    request_ok(wait->request, job_status(job));
    if (wait->request->answer_lost) /* nobody knows of it */
        jobs_drop(job->context->jobs, job);
}

static int size_params(struct json_object *params, enum param_need need,
                       struct pty_size *size, struct error *err)
{
    int64_t rows = size->rows;
    int64_t columns = size->columns;
    int r = param_int(params, "rows", need, 1, UINT16_MAX, &rows, err);

    if (r == 0)
        r = param_int(params, "columns", need, 1, UINT16_MAX, &columns, err);
    *size = (struct pty_size) { (uint16_t) rows, (uint16_t) columns };
    return r;
}

/* A terminal is read and typed at, whatever is said of input. */
static int tty_params(struct start *start, struct job_spec *spec,
                      struct error *err)
{
    struct json_object *tty = NULL;
    int r = param_object(start->wait.request->params, "tty", PARAM_OPTIONAL,
                         &tty, err);

    if (r || !tty)
        return r;
    start->command.term = "dumb";
    start->tty = (struct pty_size) { .rows = 24, .columns = 80 };
    spec->tty = &start->tty;
    spec->has_input = true;
    r = param_string(tty, "term", PARAM_OPTIONAL, &start->command.term, err);
    return r ? r : size_params(tty, PARAM_OPTIONAL, &start->tty, err);
}

static int start_params(struct start *start, struct job_spec *spec,
                        struct error *err)
{
    struct json_object *params = start->wait.request->params;
    int r = param_int(params, "wait_ms", PARAM_OPTIONAL, 0, JOB_WAIT_MAX_MS,
                      &start->wait_ms, err);

    if (r == 0)
        r = param_bool(params, "stdin", PARAM_OPTIONAL, &spec->has_input, err);
    if (r == 0)
        r = tty_params(start, spec, err);
    if (r == 0)
        r = param_bool(params, "detach", PARAM_OPTIONAL, &spec->detached, err);
    if (r == 0)
        r = param_int(params, "output_limit", PARAM_OPTIONAL, 0, INT64_MAX,
                      &spec->output_limit, err);
    if (r == 0)
        r = command_read(&start->command, start->wait.request, err);
    return r;
}

/* Why there is no room, and what makes some. */
static const char *full(bool detached)
{
    return detached ? "too many detached commands run, or ended and were not "
                      "read: 'jobs' lists them, 'job ID' reads one"
                    : "too many jobs run, or wait for their clients";
}

/* The place belongs to the job from here on. */
static void start_own(struct start *start, struct job *job)
{
    struct request *request = start->wait.request;

    job->counted = request->counted_running;
    request->counted_running = false;
    snprintf(job->request_id, sizeof(job->request_id), "%s", request->id);
    jobs_add(request->context->jobs, job);
    log_info(request->context->log, "job=%s pid=%d %s", job->id,
             (int) job->pid, start->command.program);
}

static void start_begin(struct start *start, const struct job_spec *spec)
{
    struct request *request = start->wait.request;
    struct context *context = request->context;
    char id[JOB_ID_LEN + 1];
    const char *step = NULL;
    struct job *job = NULL;
    int r = jobs_new_id(context->jobs, id);

    if (r == 0)
        r = job_start(context, id, spec, &job, &step);
    if (r > 0) {
        command_not_started(request, &start->command, step, r);
    } else if (r == -ENOMEM) {
        request_error(request, r, &(struct error) ERROR_INIT);
    } else if (r < 0) {
        command_not_started(request, &start->command, "start", -r);
    } else {
        start_own(start, job);
        job_wait(&start->wait, job, start->wait_ms);
    }
}

void job_start_run(struct request *request)
{
    struct start *start = request_work(request, sizeof(*start), start_drop);
    struct job_spec spec = { .output_limit = INT64_MAX };
    struct error err = ERROR_INIT;
    int r;

    if (!start)
        return;
    start->wait = (struct job_wait) { .request = request,
                                      .ready = start_ready,
                                      .answer = start_answer };
    request->end = start_end;
    spec.command = &start->command;
    r = start_params(start, &spec, &err);
    if (r)
        command_refuse(request, r, &err);
    else if (!request_take_slot(request))
        return;
    else if (!jobs_room(request->context->jobs, spec.detached))
        request_busy(request, 1000, full(spec.detached));
    else
        start_begin(start, &spec);
}

/* --- looking -------------------------------------------------------------- */

void job_list_run(struct request *request)
{
    struct json_object *data = json_object_new_object();
    struct json_object *list = json_object_new_array();

    for (struct job *job = request->context->jobs->first; job; job = job->next)
        if (job->state != JOB_STARTING)
            json_append(list, job_json(job));
    json_add(data, "jobs", list);
    request_ok(request, data);
}

void job_get_run(struct request *request)
{
    const struct job *job = job_of(request);

    if (job)
        request_ok(request, job_json(job));
}

/* --- ending --------------------------------------------------------------- */

void job_delete_run(struct request *request)
{
    struct job *job = job_of(request);

    if (!job)
        return;
    request_ok(request, job_status(job));
    if (job->state == JOB_ENDED)
        jobs_forget(request->context->jobs, job);
    else
        jobs_drop(request->context->jobs, job);
}

/* "INT", "SIGINT" or 2. */
static int signal_param(struct json_object *params, int *number,
                        struct error *err)
{
    struct json_object *value = NULL;
    const char *name = NULL;
    int64_t given = 0;
    int r;

    json_object_object_get_ex(params, "signal", &value);
    if (json_object_is_type(value, json_type_int)) {
        r = param_int(params, "signal", PARAM_REQUIRED, 1, SIGNAL_MAX, &given,
                      err);
        *number = (int) given;
        return r;
    }
    r = param_string(params, "signal", PARAM_REQUIRED, &name, err);
    if (r)
        return r;
    *number = signame_find(name);
    if (*number == 0)
        return param_wrong("signal", "the name of a signal", name, err);
    return 0;
}

void job_signal_run(struct request *request)
{
    struct job *job = job_of(request);
    struct error err = ERROR_INIT;
    int number = 0;
    int r;

    if (!job)
        return;
    r = signal_param(request->params, &number, &err);
    if (r == 0 && job->child)
        child_signal(job->child, number);
    if (r)
        request_error(request, r, &err);
    else
        request_ok(request, job_status(job));
}

void job_resize_run(struct request *request)
{
    const struct job *job = job_of(request);
    struct pty_size size = { 0 };
    struct error err = ERROR_INIT;
    int r;

    if (!job)
        return;
    r = size_params(request->params, PARAM_REQUIRED, &size, &err);
    if (r == 0 && !job->tty)
        r = error_set(&err, STATUS_INVALID_PARAMS, "the job has no terminal");
    if (r == 0 && job->child)
        r = child_resize(job->child, &size);
    if (r)
        request_error(request, r, &err);
    else
        request_ok(request, job_status(job));
}
