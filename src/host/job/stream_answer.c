/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Takes the answers of a job stream by their offsets: output that is known is
 * skipped, input that was not taken is sent again.  After a lost connection it
 * goes on only with the same agent (its "instance").
 */
#include <config.h>

#include "host/job/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/job/joblog.h"
#include "host/job/stream_priv.h"
#include "proto/status.h"

static int answer_senseless(struct error *err, const char *what)
{
    return error_set(err, -EPROTO, "the agent's answer makes no sense: %s",
                     what);
}

/* What the agent has received need not be kept.  What a program does not want
 * any more, neither. */
static int input_confirm(struct job_stream *stream, struct error *err)
{
    int64_t received = stream->status.stdin_received;

    if (received < stream->input_at
        || received > stream->input_at + (int64_t) stream->input.len)
        return error_set(err, -EPROTO,
                         "the agent has received other input than was sent");
    buf_consume(&stream->input, (size_t) (received - stream->input_at));
    stream->input_at = received;
    if (stream->input_sent < received)
        stream->input_sent = received;
    return 0;
}

/* Skips what was taken before: of two turns under way both may bring it. */
static int take_piece(struct job_stream *stream, int fd, int64_t at,
                      const uint8_t *bytes, size_t n, struct error *err)
{
    int64_t known = stream->output_at - at;

    if (known >= (int64_t) n)
        return 0;
    if (stream->output_end[fd - 1] >= 0
        && at + (int64_t) n > stream->output_end[fd - 1])
        return answer_senseless(err, "there is output of what was closed");
    stream->output_at = at + (int64_t) n;
    return stream->output(stream->context, fd, bytes + known,
                          n - (size_t) known, err);
}

static int take_output(struct job_stream *stream, struct joblog *log,
                       struct error *err)
{
    const uint8_t *bytes;
    size_t n;
    int r = 0;

    if (log->at > stream->output_at) /* another client has taken it */
        return error_set(err, -EPROTO,
                         "%" PRId64 " bytes of output are lost: another "
                         "client of this job took them",
                         log->at - stream->output_at);
    while (r == 0) {
        int64_t at = log->at;
        int fd = joblog_next(log, &bytes, &n);

        if (!fd)
            break;
        r = take_piece(stream, fd, at, bytes, n, err);
    }
    return r;
}

/* The answer of the agent is an error. */
static int take_error(const struct rpc_reply *reply, struct error *err)
{
    struct envelope envelope = { 0 };
    int r = envelope_parse((const char *) buf_data(&reply->body),
                           reply->body.len, &envelope, err);
    int code = r == 0 ? envelope.code : 0;

    if (r == 0)
        error_set(err, -EPROTO, "%s: %s", envelope.message,
                  envelope_detail(&envelope));
    envelope_free(&envelope);
    /* A session that ended, and bytes that changed on their way, are nothing
     * that another connection could not mend. */
    if (code == STATUS_SESSION_EXPIRED || code == STATUS_FILE_OPERATION_FAILED
        || code == STATUS_SERVICE_UNAVAILABLE)
        return 1;
    return -EPROTO;
}

static int take_status(struct job_stream *stream,
                       const struct job_status *status, struct error *err)
{
    int r = job_status_expect(status, stream->status.id, err);

    if (r < 0)
        return r;
    stream->status = *status;
    for (int i = 0; i < 2; i++)
        if (status->closed[i] && stream->output_end[i] < 0)
            stream->output_end[i] = status->output;
    return input_confirm(stream, err);
}

static int take_envelope(struct job_stream *stream,
                         const struct rpc_reply *reply, struct error *err)
{
    struct envelope envelope = { 0 };
    struct job_status status;
    int r = envelope_parse((const char *) buf_data(&reply->body),
                           reply->body.len, &envelope, err);

    if (r == 0)
        r = job_status_read(envelope.data, &status, err);
    if (r == 0)
        r = take_status(stream, &status, err);
    envelope_free(&envelope);
    return r < 0 ? -EPROTO : r;
}

static void signal_done(struct job_stream *stream)
{
    memmove(&stream->signals[0], &stream->signals[1],
            --stream->n_signals * sizeof(stream->signals[0]));
}

/* What a turn says: status, then output, from where it was asked for or later.
 */
static int take_turn(struct job_stream *stream, const struct rpc_reply *reply,
                     int64_t asked, bool mute, struct error *err)
{
    struct joblog log;
    bool nothing;
    int r = joblog_read(reply, asked, &log, err);

    if (r == 0)
        r = take_status(stream, &log.status, err);
    if (r < 0)
        return r;
    nothing = !*log.segments;
    r = take_output(stream, &log, err);
    /* A job that has ended has no reason to keep its output back. */
    if (r == 0 && !mute && nothing && stream->status.ended
        && stream->output_at < stream->status.output)
        r = answer_senseless(err, "there is output, and it is not given");
    return r;
}

/* Less was taken than there was said to be room for: the rest goes once more;
 * what is on its way behind it leaves a gap, and the connection with it. */
static int input_again(struct job_stream *stream,
                       const struct job_stream_post *post, struct error *err)
{
    if (post->input_end <= stream->input_at || !stream->status.stdin_open)
        return 0;
    if (stream->input_at <= post->input_end - (int64_t) post->wire.body_len)
        return answer_senseless(err, "there is room, and nothing is taken");
    if (stream->n_posts > 1 && stream->posts[1].input_end) {
        error_set(err, -ECONNRESET, "the agent took a part of the input only");
        return 1;
    }
    stream->input_sent = stream->input_at;
    stream->eof_sent = false;
    return 0;
}

static int take_reply(struct job_stream *stream,
                      const struct job_stream_post *post, struct error *err)
{
    const struct rpc_reply *reply = &post->reply;
    int r;

    if (reply->http >= 400 || (post->turn && reply->json))
        return take_error(reply, err);
    if (post->turn) {
        r = take_turn(stream, reply, post->asked, post->mute, err);
        return r ? r : input_again(stream, post, err);
    }
    r = take_envelope(stream, reply, err);
    if (r == 0 && post->signal)
        signal_done(stream);
    return r;
}

/* A connection that was lost, and one that brings nothing but nonsense, can be
 * made anew. */
static bool is_lost(int r)
{
    return r == -ECONNRESET || r == -EPIPE || r == -ETIMEDOUT || r == -EBADMSG;
}

int job_stream_take(struct job_stream *stream, struct error *err)
{
    struct job_stream_post *post = &stream->posts[0];
    int r = rpc_take(&stream->client->rpc, &post->wire, &post->reply, err);

    if (r == -ECANCELED)
        return r;
    if (r < 0)
        return is_lost(r) ? 1 : r;
    r = take_reply(stream, post, err);
    job_stream_post_free(post);
    if (--stream->n_posts > 0) {
        *post = stream->posts[1];
        post->wire.target = post->target;
        post->wire.id = post->id;
    }
    return r;
}

/* --- another connection --------------------------------------------------- */

/* Is this still the agent that has the job? */
static int job_stream_recognise(const struct job_stream *stream,
                                struct error *err)
{
    const struct handshake_peer *peer = &stream->client->rpc.peer;

    if (strcmp(peer->instance, stream->instance) == 0)
        return 0;
    return error_set(err, -ESTALE, "%s",
                     strcmp(peer->boot_id, stream->boot_id) != 0
                         ? "the guest rebooted"
                         : "the agent was restarted");
}

int job_stream_resume(struct job_stream *stream, unsigned int flags,
                      struct error *err)
{
    bool mute = flags & JOB_STREAM_MUTE;
    struct job_stream_post turn;
    struct client_request request = { .method = "GET",
                                      .target = turn.target,
                                      .read_ms = TIMEOUT_UNSET,
                                      .raw = true,
                                      .underway = true };
    struct answer answer;
    int r;

    job_stream_hang_up(stream);
    job_stream_target_output(stream, flags & JOB_STREAM_MUTE, &turn);
    answer_init(&answer);
    r = client_send_request(stream->client, &request, &answer, err);
    if (r == 0)
        r = job_stream_recognise(stream, err);
    if (r == 0)
        r = answer.envelope.root ? take_error(&answer.reply, err)
                                 : take_turn(stream, &answer.reply,
                                             stream->output_at, mute, err);
    answer_free(&answer);
    return r > 0 ? -EPROTO : r;
}
