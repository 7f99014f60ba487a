/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * jobs and job: list, status, output, signal, wait, remove.  Output of an
 * attached job is only peeked at, so that its own client gets it all the same.
 */
#include <config.h>

#include "host/cmd/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/cmd/attach.h"
#include "host/job/joblog.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* Others get the channel in between (ms). */
#define TURN_MS 1000

/* What may stand behind the job's id. */
struct verb {
    const char *name; /* NULL: nothing */
    int min, max;     /* words behind it */
    int (*run)(struct command_call *call);
};

static const struct verb *verb_find(const struct command_call *call);

/* --- looking -------------------------------------------------------------- */

static int show(struct command_call *call, const char *method)
{
    struct error err = ERROR_INIT;
    struct answer answer;
    int r;

    answer_init(&answer);
    r = job_request(call->client, method, call->args[0], "", NULL, &answer,
                    &err);
    r = command_report(call, r < 0 ? r : 0, &answer, &err);
    answer_free(&answer);
    return r;
}

static int job_show(struct command_call *call)
{
    return show(call, "GET");
}

static int job_remove(struct command_call *call)
{
    return show(call, "DELETE");
}

/* --- signals -------------------------------------------------------------- */

static int job_signal(struct command_call *call)
{
    AUTO_JSON struct json_object *body = json_object_new_object();
    struct job_status status = { .ended = false };
    struct error err = ERROR_INIT;
    struct answer answer;
    int r;

    answer_init(&answer);
    json_add_int(body, "signal", job_signal_number(call->args[2]));
    r = job_request(call->client, "POST", call->args[0], "/signal", body,
                    &answer, &err);
    if (r == 0)
        r = job_status_read(answer.envelope.data, &status, &err);
    if (r == 0)
        r = job_status_expect(&status, call->args[0], &err);
    if (r == 0 && status.ended && !call->out.json)
        r = error_set(&err, STATUS_JOB_NOT_FOUND, "job '%s' has ended already",
                      call->args[0]);
    if (call->out.json)
        r = command_report(call, r < 0 ? r : 0, &answer, &err);
    else
        r = r ? command_fail(call, &err) : EXIT_STATUS_OK;
    answer_free(&answer);
    return r;
}

/* --- output, and the end -------------------------------------------------- */

/* One look at a job's output, from an offset. */
struct look {
    struct command_call *call;
    struct job_status status;
    int64_t at;
    bool peek; /* somebody else's: it keeps what we have seen */
    bool print;
};

static int look_print(struct look *look, struct joblog *log, struct error *err)
{
    const uint8_t *bytes;
    size_t n;
    int stream;
    int r = 0;

    if (log->at > look->at)
        out_message(&look->call->out,
                    "%" PRId64 " bytes of output are no longer kept",
                    log->at - look->at);
    while (r == 0 && (stream = joblog_next(log, &bytes, &n)) > 0)
        r = out_bytes(stream, bytes, n);
    return r < 0 ? error_errno(err, r, "standard output") : 0;
}

static int look_take(struct look *look, const struct answer *answer,
                     struct error *err)
{
    struct joblog log;
    int r = joblog_read(&answer->reply, look->at, &log, err);

    if (r == 0)
        r = job_status_expect(&log.status, look->call->args[0], err);
    /* What is there is given: no reason to ask for ever. */
    if (r == 0 && answer->reply.body.len == 0 && log.at < log.status.output)
        r = error_set(err, -EPROTO,
                      ANSWER_DISAGREES "there is output, and it is not given");
    if (r < 0)
        return r;
    look->status = log.status;
    client_give_way(look->call->client); /* our reader may be slow */
    if (look->print)
        r = look_print(look, &log, err);
    look->at = log.at;
    return r;
}

/* Return: 0; the agent's code; negative errno. */
static int look_once(struct look *look, int wait_ms, struct error *err)
{
    struct client *client = look->call->client;
    char target[256];
    struct client_request request = { .method = "GET",
                                      .target = target,
                                      .read_ms = TIMEOUT_UNSET,
                                      .raw = true };
    struct answer answer;
    int r;

    snprintf(target, sizeof(target),
             API_PREFIX "/jobs/%s/output?offset=%" PRId64 "&wait_ms=%d%s",
             look->call->args[0], look->at, wait_ms,
             look->peek ? "&peek=1" : "");
    answer_init(&answer);
    r = client_send_request(client, &request, &answer, err);
    if (r == 0 && answer.envelope.root)
        r = answer_error(client, &answer, err);
    else if (r == 0)
        r = look_take(look, &answer, err);
    answer_free(&answer);
    return r;
}

/* Whose job it is decides whether our look takes its output. */
static int look_begin(struct look *look, struct error *err)
{
    struct answer answer;
    int r;

    answer_init(&answer);
    r = job_request(look->call->client, "GET", look->call->args[0], "", NULL,
                    &answer, err);
    if (r == 0)
        r = job_status_read(answer.envelope.data, &look->status, err);
    if (r == 0)
        r = job_status_expect(&look->status, look->call->args[0], err);
    answer_free(&answer);
    look->peek = !look->status.detached || !look->print;
    return r;
}

static bool look_over(const struct look *look)
{
    return look->at >= look->status.output;
}

static int job_output(struct command_call *call)
{
    struct look look = { .call = call, .print = true };
    bool follow = call->values.follow || call->n_args > 2;
    struct error err = ERROR_INIT;
    bool more = true;
    int r;

    command_content(call);
    r = look_begin(&look, &err);
    while (r == 0 && more) {
        r = look_once(&look, follow ? TURN_MS : 0, &err);
        more = !look_over(&look) || (follow && !look.status.ended);
    }
    client_disconnect(call->client);
    return r ? command_fail(call, &err) : EXIT_STATUS_OK;
}

static int job_wait(struct command_call *call)
{
    struct look look = { .call = call };
    struct error err = ERROR_INIT;
    int r = look_begin(&look, &err);

    while (r == 0 && !look.status.ended) {
        look.at = look.status.output; /* only for the end */
        r = look_once(&look, TURN_MS, &err);
    }
    if (r)
        return command_not_run(command_fail(call, &err));
    if (call->out.json)
        return show(call, "GET");
    return attach_ended(call, &look.status, look.status.output,
                        look.status.duration_ms);
}

/* --- the commands --------------------------------------------------------- */

static const struct verb verbs[] = {
    { NULL, 0, 0, job_show },       { "output", 0, 1, job_output },
    { "signal", 1, 1, job_signal }, { "wait", 0, 0, job_wait },
    { "remove", 0, 0, job_remove },
};

static const struct verb *verb_find(const struct command_call *call)
{
    const char *word = call->n_args > 1 ? call->args[1] : NULL;

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (word ? verbs[i].name && strcmp(word, verbs[i].name) == 0
                 : !verbs[i].name)
            return &verbs[i];
    return NULL;
}

static bool is_id(const char *text)
{
    size_t n = strspn(text, "0123456789abcdef");

    return n > 0 && n <= JOB_ID_MAX && !text[n];
}

static bool is_follow(const char *word)
{
    return strcmp(word, "--follow") == 0 || strcmp(word, "-f") == 0;
}

int cmd_job_prepare(struct command_call *call, struct error *err)
{
    const struct verb *verb = verb_find(call);
    int words = call->n_args - 2;

    if (!is_id(call->args[0])) {
        error_set(err, -EINVAL, "job: '%s' is not the id of a job",
                  call->args[0]);
        error_hint(err, PROGRAM " DOMAIN jobs lists them");
        return -EINVAL;
    }
    if (!verb)
        return error_set(err, -EINVAL,
                         "job: '%s' is none of output, signal, wait, remove",
                         call->args[1]);
    if (verb->name && (words < verb->min || words > verb->max))
        return error_set(err, -EINVAL, "job: %s %s", verb->name,
                         words < verb->min ? "needs an operand"
                                           : "takes no such operand");
    if (verb->run == job_output && words > 0 && !is_follow(call->args[2]))
        return error_set(err, -EINVAL, "job: '%s' is not --follow",
                         call->args[2]);
    if (verb->run == job_signal && job_signal_number(call->args[2]) < 0)
        return error_set(err, -EINVAL, "job: '%s' is not a signal",
                         call->args[2]);
    return 0;
}

int cmd_job(struct command_call *call)
{
    return verb_find(call)->run(call);
}

/* --- the list ------------------------------------------------------------- */

#define COLUMNS 6

/* "4s", "12m", "3h": what a person wants to know of an age. */
static void age_text(int64_t ms, char text[24])
{
    static const struct {
        int64_t ms;
        char unit;
    } units[] = { { 86400000, 'd' }, { 3600000, 'h' }, { 60000, 'm' } };

    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (ms >= 2 * units[i].ms) {
            snprintf(text, 24, "%" PRId64 "%c", ms / units[i].ms,
                     units[i].unit);
            return;
        }
    snprintf(text, 24, "%.1fs", (double) ms / 1000);
}

static void result_text(const struct job_status *status, char text[32])
{
    if (!status->ended)
        snprintf(text, 32, "%s", "running");
    else if (status->timed_out)
        snprintf(text, 32, "%s", "timeout");
    else if (*status->signal)
        snprintf(text, 32, "%s", status->signal);
    else
        snprintf(text, 32, "exit %" PRId64, status->exit_code);
}

/* The words with blanks between them: to recognise it, not to repeat it. */
static int command_text(struct json_object *job, struct buf *text)
{
    struct json_object *argv;
    size_t n;
    int r = 0;

    if (!json_object_object_get_ex(job, "argv", &argv)
        || !json_object_is_type(argv, json_type_array))
        return buf_puts(text, "?");
    n = json_object_array_length(argv);
    for (size_t i = 0; r == 0 && i < n && text->len < 200; i++)
        r = buf_printf(
            text, "%s%.200s", i ? " " : "",
            json_object_get_string(json_object_array_get_idx(argv, i)));
    return r;
}

static int add_job(struct strlist *cells, struct json_object *job,
                   struct error *err)
{
    const char *user = "?";
    struct job_status status;
    struct buf command;
    char age[24];
    char result[32];
    int r = job_status_read(job, &status, err);

    if (r < 0)
        return r;
    param_string(job, "user", PARAM_OPTIONAL, &user, NULL);
    age_text(status.duration_ms, age);
    result_text(&status, result);
    buf_init(&command, 1024);
    command_text(job, &command);
    if (strlist_add(cells, status.id) < 0 || strlist_add(cells, result) < 0
        || strlist_add(cells, age) < 0 || strlist_add(cells, user) < 0
        || strlist_add(cells, status.detached ? "yes" : "no") < 0
        || strlist_add(cells, buf_cstr(&command) ? buf_cstr(&command) : "?")
               < 0)
        r = error_errno(err, -ENOMEM, "jobs");
    buf_free(&command);
    return r;
}

static int print_jobs(struct json_object *data, struct error *err)
{
    static const char *const titles[COLUMNS] = {
        "ID", "STATE", "TIME", "USER", "DETACHED", "COMMAND"
    };
    struct strlist cells = { 0 };
    struct json_object *jobs;
    int r = 0;

    if (!json_object_object_get_ex(data, "jobs", &jobs)
        || !json_object_is_type(jobs, json_type_array))
        return error_set(err, -EBADMSG,
                         "the agent's answer makes no sense: no list of jobs");
    for (size_t i = 0; r == 0 && i < COLUMNS; i++)
        r = strlist_add(&cells, titles[i]);
    for (size_t i = 0; r == 0 && i < json_object_array_length(jobs); i++)
        r = add_job(&cells, json_object_array_get_idx(jobs, i), err);
    if (r == 0)
        r = out_table(&cells, COLUMNS);
    strlist_free(&cells);
    return r < 0 && !err->code ? error_errno(err, r, "standard output") : r;
}

int cmd_jobs(struct command_call *call)
{
    struct client_request request = { .method = "GET",
                                      .target = API_PREFIX "/jobs",
                                      .read_ms = TIMEOUT_UNSET };
    struct error err = ERROR_INIT;
    struct answer answer;
    int r;

    answer_init(&answer);
    r = client_send_request(call->client, &request, &answer, &err);
    client_disconnect(call->client);
    if (r == 0 && !call->out.json)
        r = answer_error(call->client, &answer, &err);
    if (r == 0 && !call->out.json)
        r = print_jobs(answer.envelope.data, &err);
    if (call->out.json)
        r = command_report(call, r, &answer, &err);
    else
        r = r ? command_fail(call, &err) : EXIT_STATUS_OK;
    answer_free(&answer);
    return r;
}
