/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Reads the head fields of an answer with output.  The segments have to add up
 * to the body before a byte of it is used.
 */
#include <config.h>

#include "host/job/joblog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/client/answer.h"
#include "util/num.h"

/* Return: 0 with the first of the segments taken off, or -EPROTO. */
static int segment_take(const char **segments, int *stream, size_t *n)
{
    const char *at = *segments;
    char *end;
    long length;

    if ((at[0] != '1' && at[0] != '2') || at[1] != ':' || at[2] < '0'
        || at[2] > '9')
        return -EPROTO;
    length = strtol(at + 2, &end, 10);
    if (length <= 0 || length > RESPONSE_MAX || (*end && *end != ','))
        return -EPROTO;
    *stream = at[0] - '0';
    *n = (size_t) length;
    *segments = *end ? end + 1 : end;
    return 0;
}

/* Do they add up to what came? */
static bool segments_fit(const char *segments, size_t bytes)
{
    size_t sum = 0;

    while (*segments) {
        int stream;
        size_t n;

        if (segment_take(&segments, &stream, &n) < 0 || n > bytes - sum)
            return false;
        sum += n;
    }
    return sum == bytes;
}

int joblog_read(const struct rpc_reply *reply, int64_t asked,
                struct joblog *log, struct error *err)
{
    const char *status = http_field_get(reply->head, "X-Job-Status");
    const char *offset = http_field_get(reply->head, "X-Output-Offset");
    const char *segments = http_field_get(reply->head, "X-Output-Segments");
    const char *wrong = NULL;

    *log = (struct joblog) { .next = buf_data(&reply->body),
                             .segments = segments ? segments : "" };
    if (!status)
        wrong = "X-Job-Status is missing";
    else if (job_status_parse(status, strlen(status), &log->status, err) < 0)
        return err ? (err->code = -EPROTO) : -EPROTO;
    else if (!offset || num_parse(offset, 0, JOB_OFFSET_MAX, &log->at) < 0)
        wrong = "X-Output-Offset";
    else if (!segments_fit(log->segments, reply->body.len))
        wrong = "X-Output-Segments";
    if (wrong)
        return error_set(err, -EPROTO, "the agent's answer makes no sense: %s",
                         wrong);
    if (log->at < asked || log->at < log->status.output_start
        || log->at + (int64_t) reply->body.len > log->status.output)
        return error_set(err, -EPROTO,
                         ANSWER_DISAGREES "output from %" PRId64 " to %" PRId64
                                          ", asked for from %" PRId64
                                          " on, and there is that from "
                                          "%" PRId64 " to %" PRId64,
                         log->at, log->at + (int64_t) reply->body.len, asked,
                         log->status.output_start, log->status.output);
    return 0;
}

int joblog_next(struct joblog *log, const uint8_t **bytes, size_t *n)
{
    int stream;

    if (!*log->segments || segment_take(&log->segments, &stream, n) < 0)
        return 0;
    *bytes = log->next;
    log->next += *n;
    log->at += (int64_t) *n;
    return stream;
}
