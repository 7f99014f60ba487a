/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the agent answers in a talk, and going on with it after a loss. */
#include <config.h>

#include "host/talk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/joblog.h"
#include "host/talk_priv.h"
#include "proto/status.h"

static int answer_senseless(struct error *err, const char *what)
{
    return error_set(err, -EPROTO, "the agent's answer makes no sense: %s",
                     what);
}

/* What the agent has received need not be kept.  What a program does not want
 * any more, neither. */
static int input_confirm(struct talk *talk, struct error *err)
{
    int64_t received = talk->status.stdin_received;

    if (received < talk->input_at
        || received > talk->input_at + (int64_t) talk->input.len)
        return error_set(err, -EPROTO,
                         "the agent has received other input than was sent");
    buf_consume(&talk->input, (size_t) (received - talk->input_at));
    talk->input_at = received;
    if (talk->input_sent < received)
        talk->input_sent = received;
    return 0;
}

/* Skips what was taken before: of two turns under way both may bring it. */
static int take_piece(struct talk *talk, int stream, int64_t at,
                      const uint8_t *bytes, size_t n, struct error *err)
{
    int64_t known = talk->output_at - at;

    if (known >= (int64_t) n)
        return 0;
    talk->output_at = at + (int64_t) n;
    return talk->output(talk->context, stream, bytes + known,
                        n - (size_t) known, err);
}

static int take_output(struct talk *talk, struct joblog *log,
                       struct error *err)
{
    const uint8_t *bytes;
    size_t n;
    int r = 0;

    if (log->at > talk->output_at) /* another client has taken it */
        return error_set(err, -EPROTO,
                         "%" PRId64 " bytes of output are lost: another "
                         "client of this job took them",
                         log->at - talk->output_at);
    while (r == 0) {
        int64_t at = log->at;
        int stream = joblog_next(log, &bytes, &n);

        if (!stream)
            break;
        r = take_piece(talk, stream, at, bytes, n, err);
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

static int take_status(struct talk *talk, const struct job_status *status,
                       struct error *err)
{
    if (strcmp(status->id, talk->status.id) != 0)
        return error_set(err, -EPROTO,
                         "the agent's answer is about another job");
    talk->status = *status;
    return input_confirm(talk, err);
}

static int take_envelope(struct talk *talk, const struct rpc_reply *reply,
                         struct error *err)
{
    struct envelope envelope = { 0 };
    struct job_status status;
    int r = envelope_parse((const char *) buf_data(&reply->body),
                           reply->body.len, &envelope, err);

    if (r == 0)
        r = job_status_read(envelope.data, &status, err);
    if (r == 0)
        r = take_status(talk, &status, err);
    envelope_free(&envelope);
    return r < 0 ? -EPROTO : r;
}

static void signal_done(struct talk *talk)
{
    memmove(&talk->signals[0], &talk->signals[1],
            --talk->n_signals * sizeof(talk->signals[0]));
}

/* What a turn says: status, then output. */
static int take_turn(struct talk *talk, const struct rpc_reply *reply,
                     bool mute, struct error *err)
{
    struct joblog log;
    bool nothing;
    int r = joblog_read(reply, &log, err);

    if (r == 0)
        r = take_status(talk, &log.status, err);
    if (r < 0)
        return r;
    nothing = !*log.segments;
    r = take_output(talk, &log, err);
    /* A job that has ended has no reason to keep its output back. */
    if (r == 0 && !mute && nothing && talk->status.ended
        && talk->output_at < talk->status.output)
        r = answer_senseless(err, "there is output, and it is not given");
    return r;
}

/* Less was taken than there was said to be room for: the rest goes once more;
 * what is on its way behind it leaves a gap, and the connection with it. */
static int input_again(struct talk *talk, const struct talk_post *post,
                       struct error *err)
{
    if (post->input_end <= talk->input_at || !talk->status.stdin_open)
        return 0;
    if (talk->input_at <= post->input_end - (int64_t) post->wire.body_len)
        return answer_senseless(err, "there is room, and nothing is taken");
    if (talk->n_posts > 1 && talk->posts[1].input_end) {
        error_set(err, -ECONNRESET, "the agent took a part of the input only");
        return 1;
    }
    talk->input_sent = talk->input_at;
    talk->eof_sent = false;
    return 0;
}

static int take_reply(struct talk *talk, const struct talk_post *post,
                      struct error *err)
{
    const struct rpc_reply *reply = &post->reply;
    int r;

    if (reply->http >= 400 || (post->turn && reply->json))
        return take_error(reply, err);
    if (post->turn) {
        r = take_turn(talk, reply, post->mute, err);
        return r ? r : input_again(talk, post, err);
    }
    r = take_envelope(talk, reply, err);
    if (r == 0 && post->signal)
        signal_done(talk);
    return r;
}

/* A connection that was lost, and one that brings nothing but nonsense, can be
 * made anew. */
static bool is_lost(int r)
{
    return r == -ECONNRESET || r == -EPIPE || r == -ETIMEDOUT || r == -EBADMSG;
}

int talk_take(struct talk *talk, struct error *err)
{
    struct talk_post *post = &talk->posts[0];
    int r = rpc_take(&talk->client->rpc, &post->wire, &post->reply, err);

    if (r == -ECANCELED)
        return r;
    if (r < 0)
        return is_lost(r) ? 1 : r;
    r = take_reply(talk, post, err);
    talk_post_free(post);
    if (--talk->n_posts > 0) {
        *post = talk->posts[1];
        post->wire.target = post->target;
        post->wire.id = post->id;
    }
    return r;
}

/* --- another connection --------------------------------------------------- */

/* Is this still the agent that has the job? */
static int talk_recognise(const struct talk *talk, struct error *err)
{
    const struct hello_peer *peer = &talk->client->rpc.peer;

    if (strcmp(peer->instance, talk->instance) == 0)
        return 0;
    return error_set(err, -ESTALE, "%s",
                     strcmp(peer->boot_id, talk->boot_id) != 0
                         ? "the guest rebooted"
                         : "the agent was restarted");
}

int talk_resume(struct talk *talk, unsigned int flags, struct error *err)
{
    bool mute = flags & TALK_MUTE;
    struct talk_post turn;
    struct client_request request = { .method = "GET",
                                      .target = turn.target,
                                      .read_ms = TIMEOUT_UNSET,
                                      .raw = true,
                                      .underway = true };
    struct answer answer;
    int r;

    talk_hang_up(talk);
    talk_target_output(talk, flags & TALK_MUTE, &turn);
    answer_init(&answer);
    r = client_send_request(talk->client, &request, &answer, err);
    if (r == 0)
        r = talk_recognise(talk, err);
    if (r == 0)
        r = answer.envelope.root ? take_error(&answer.reply, err)
                                 : take_turn(talk, &answer.reply, mute, err);
    answer_free(&answer);
    return r > 0 ? -EPROTO : r;
}
