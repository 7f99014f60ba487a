/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * jobs/ID/output and jobs/ID/stdin: a job's output and input, counted in
 * offsets, so that what was lost with a connection can be read or sent again.
 * Much output at once is gathered for a few ms to make fewer answers.
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/handle/jobs.h"
#include "guest/job/jobs.h"
#include "guest/request/query.h"
#include "util/cleanup.h"

/* No such member is in the query. */
#define NONE INT64_C(-1)

/* What the query says, of output and of input. */
struct turn_query {
    int64_t offset; /* of output, or of input */
    int64_t output; /* offset of output beside input */
    int64_t wait_ms;
    int64_t max;
    int64_t room;
    bool peek, away, eof;
    char *md5; /* of the body; NULL: not told */
};

static const struct turn_query defaults = {
    .offset = NONE,
    .output = NONE,
    .max = JOB_ANSWER_MAX,
    .room = NONE,
};

#define ROW(...) QUERY_ROW(struct turn_query, __VA_ARGS__)

static const struct query_row rows[] = {
    ROW(offset, QUERY_NUMBER, .max = INT64_MAX),
    ROW(output, QUERY_NUMBER, .max = INT64_MAX),
    ROW(wait_ms, QUERY_NUMBER, .max = JOB_WAIT_MAX_MS),
    ROW(max, QUERY_NUMBER, .max = INT64_MAX),
    ROW(room, QUERY_NUMBER, .max = JOB_INPUT_MAX),
    ROW(peek, QUERY_BOOL),
    ROW(away, QUERY_BOOL),
    ROW(eof, QUERY_BOOL),
    ROW(md5, QUERY_HEX, .max = MD5_HEX),
};

const struct query_form job_turn_query = QUERY_FORM(rows, struct turn_query,
                                                    &defaults);

/* A turn: perhaps input, and perhaps output. */
struct turn {
    struct job_wait wait;    /* first */
    struct turn_query query; /* its text is the request's */
    struct buf body;
};

static void turn_drop(void *work)
{
    struct turn *turn = work;

    job_wait_drop(&turn->wait);
    buf_free(&turn->body);
    free(turn);
}

/* Return: the work, or NULL when it has been answered. */
static struct turn *turn_new(struct request *request)
{
    struct turn *turn = request_work(request, sizeof(*turn), turn_drop);

    if (!turn)
        return NULL;
    turn->wait.request = request;
    turn->query = *(const struct turn_query *) request->query;
    buf_init(&turn->body, JOB_INPUT_MAX);
    return turn;
}

/* --- output --------------------------------------------------------------- */

static int64_t first_byte(const struct turn *turn, const struct job *job)
{
    int64_t offset = turn->query.output;

    return offset > job->log.start ? offset : job->log.start;
}

/* A program that has printed so much at once has more to say: its output is
 * gathered until that is worth an answer, or for so long (ms). */
#define BULK_MIN (32 * 1024)
#define BULK_ENOUGH (JOB_ANSWER_MAX / 2)
#define BULK_MS 3

/* Who closes its outputs most often ends: one answer can tell of both (ms). */
#define CLOSED_MS 20

static bool is_bulk(int64_t bytes)
{
    return bytes >= BULK_MIN && bytes < BULK_ENOUGH;
}

static bool output_ready(struct job_wait *wait)
{
    const struct turn *turn = (const struct turn *) wait;
    const struct job *job = wait->job;
    int64_t room = turn->query.room;
    int64_t bytes = job->log.end - first_byte(turn, job);

    if (wait->over || job->state == JOB_ENDED)
        return true;
    if (is_bulk(bytes))
        job_wait_hurry(wait, BULK_MS);
    else if (bytes > 0)
        return true;
    if (job_closed(job) & ~job->closed)
        job_wait_hurry(wait, CLOSED_MS);
    return room != NONE
           && (!job_input_open(job) || (int64_t) job_input_room(job) >= room);
}

/* What an answer brings of the output. */
struct piece {
    const struct outlog *log;
    int64_t offset;
    size_t n;
};

static void piece_write(void *arg, uint8_t *where)
{
    const struct piece *piece = arg;

    outlog_copy(piece->log, piece->offset, where, piece->n);
}

static void output_send(struct turn *turn, struct job *job,
                        struct piece *piece, struct buf *segments)
{
    AUTO_JSON struct json_object *status = job_status(job);
    char offset[24];
    size_t n;
    const char *words = segments->len > 0 ? buf_cstr(segments) : NULL;
    const struct request_field fields[] = {
        { "X-Job-Status", json_whole(status) ? json_text(status, &n) : NULL },
        { "X-Output-Offset", offset },
        { words ? "X-Output-Segments" : NULL, words },
        { NULL, NULL },
    };

    snprintf(offset, sizeof(offset), "%lld", (long long) piece->offset);
    if (!fields[0].value || (segments->len > 0 && !words))
        request_error(turn->wait.request, -ENOMEM, &(struct error) ERROR_INIT);
    else
        request_bytes(turn->wait.request, 200, fields, piece->n, piece_write,
                      piece);
}

static void output_answer(struct job_wait *wait, struct job *job)
{
    struct turn *turn = (struct turn *) wait;
    size_t max = turn->query.max < JOB_ANSWER_MAX ? (size_t) turn->query.max
                                                  : JOB_ANSWER_MAX;
    struct piece piece = { .log = &job->log, .offset = first_byte(turn, job) };
    struct buf segments;

    if (!turn->query.peek)
        job->closed = job_closed(job);
    buf_init(&segments, HTTP_HEAD_MAX);
    if (outlog_pieces(&job->log, piece.offset, max, JOB_ANSWER_SEGMENTS,
                      &segments, &piece.n)
        < 0)
        request_error(wait->request, -ENOMEM, &(struct error) ERROR_INIT);
    else
        output_send(turn, job, &piece, &segments);
    /* Who is told the end has no reason to come back; should this answer get
     * lost, there is the grace. */
    if (job->state == JOB_ENDED
        && piece.offset + (int64_t) piece.n == job->log.end) {
        job->away = false;
        job->delivered = job->delivered || !turn->query.peek;
    }
    buf_free(&segments);
}

/* Return: false when it has been answered. */
static bool output_check(const struct turn *turn, const struct job *job)
{
    if (turn->query.output <= job->log.end)
        return true;
    request_fail(turn->wait.request, STATUS_INVALID_PARAMS, NULL,
                 "offset %lld is beyond the output, which has %lld bytes",
                 (long long) turn->query.output, (long long) job->log.end);
    return false;
}

/* What is before the offset has been taken. */
static void output_take(const struct turn *turn, struct job *job)
{
    struct jobs *jobs = job->context->jobs;

    if (turn->query.peek)
        return;
    jobs_use(jobs, job, turn->query.away);
    if (turn->query.output > job->log.taken) {
        outlog_take(&job->log, turn->query.output);
        jobs_resume(jobs);
    }
}

static void output_turn(struct turn *turn, struct job *job)
{
    output_take(turn, job);
    turn->wait.ready = output_ready;
    turn->wait.answer = output_answer;
    job_wait(&turn->wait, job, turn->query.wait_ms);
}

void job_output_run(struct request *request)
{
    struct job *job = job_of(request);
    struct turn *turn = job ? turn_new(request) : NULL;

    if (!turn)
        return;
    turn->query.output = turn->query.offset;
    if (output_check(turn, job))
        output_turn(turn, job);
}

/* --- input ---------------------------------------------------------------- */

static bool input_fits(struct request *request, int64_t n)
{
    if (n <= JOB_INPUT_MAX)
        return true;
    request_fail(request, STATUS_PAYLOAD_TOO_LARGE, NULL,
                 "more than %ld bytes of input at once", JOB_INPUT_MAX);
    return false;
}

void job_stdin_open(struct request *request)
{
    struct turn *turn;

    if (!job_of(request)
        || !input_fits(request, request->head->content_length))
        return;
    turn = turn_new(request);
    if (turn && turn->query.offset == NONE)
        request_fail(request, STATUS_MISSING_REQUIRED, NULL,
                     "'offset' is missing in the query");
}

void job_stdin_body(struct request *request, const uint8_t *bytes, size_t n)
{
    struct turn *turn = request->work;

    if (!input_fits(request, (int64_t) (turn->body.len + n)))
        return;
    if (buf_append(&turn->body, bytes, n) < 0)
        request_error(request, -ENOMEM, &(struct error) ERROR_INIT);
}

/* Its client may have been killed, and the next one's bytes completed the
 * body.  Return: false when it has been answered. */
static bool input_is_announced(const struct turn *turn)
{
    char md5[DIGEST_HEX_MAX];
    struct json_object *extra;

    if (!turn->query.md5)
        return true;
    if (digest_bytes(DIGEST_MD5, buf_data(&turn->body), turn->body.len, md5)
        < 0) {
        request_error(turn->wait.request, -ENOMEM, &(struct error) ERROR_INIT);
        return false;
    }
    if (strcmp(md5, turn->query.md5) == 0)
        return true;
    extra = json_object_new_object();
    if (extra)
        json_add_string(extra, "md5", md5);
    request_fail(turn->wait.request, STATUS_FILE_OPERATION_FAILED, extra,
                 "the input is not the one announced (MD5 %s)", md5);
    return false;
}

/* Takes what is new and has room.  Return: 0; STATUS_INVALID_PARAMS, -ENOMEM
 * with nothing taken. */
static int input_take(struct turn *turn, struct job *job, struct error *err)
{
    int64_t skip = job->received - turn->query.offset;
    const uint8_t *bytes = buf_data(&turn->body);
    size_t n = turn->body.len;
    int r;

    if (skip < 0)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "offset %lld leaves a gap: %lld bytes have come",
                         (long long) turn->query.offset,
                         (long long) job->received);
    if (skip > (int64_t) n)
        return 0;
    n -= (size_t) skip;
    if (n > 0 && !job->has_input)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "the job was started without 'stdin'");
    r = job_feed(job, bytes ? bytes + skip : NULL, &n);
    if (r == 0 && turn->query.eof
        && turn->query.offset + (int64_t) turn->body.len == job->received)
        job_input_end(job);
    return r;
}

void job_stdin_run(struct request *request)
{
    struct turn *turn = request->work;
    struct job *job = job_of(request);
    struct error err = ERROR_INIT;
    int r;

    if (!job || !input_is_announced(turn)
        || (turn->query.output != NONE && !output_check(turn, job)))
        return;
    r = input_take(turn, job, &err);
    if (r)
        request_error(request, r, &err);
    else if (turn->query.output != NONE)
        output_turn(turn, job);
    else {
        jobs_use(request->context->jobs, job, turn->query.away);
        request_ok(request, job_status(job));
    }
}
