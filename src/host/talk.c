/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/talk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/joblog.h"
#include "proto/limits.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/clock.h"
#include "util/crypto.h"

/* A turn waits so long (ms) for something to happen.  That is also how late a
 * command learns of another that wants the channel, should lock_watch() not
 * work, and how often the guest gives a sign of life. */
#define TURN_MS 2000

/* A job that was short of room is worth a turn when it has so much again. */
#define ROOM_ENOUGH (JOB_INPUT_MAX / 2)

void talk_init(struct talk *talk, struct client *client,
               const struct job_status *status)
{
    const struct hello_peer *peer = &client->rpc.peer;

    *talk = (struct talk) { .client = client,
                            .status = *status,
                            .silence = SILENCE_INIT(client) };
    memcpy(talk->instance, peer->instance, sizeof(talk->instance));
    memcpy(talk->boot_id, peer->boot_id, sizeof(talk->boot_id));
    buf_init(&talk->input, JOB_INPUT_MAX);
}

static void post_free(struct talk_post *post)
{
    rpc_reply_free(&post->reply);
    json_object_put(post->body);
    post->body = NULL;
}

/* It is not answered.  A size is said again, unless there is a newer one. */
static void post_drop(struct talk *talk, struct talk_post *post)
{
    if (talk->rows == 0) {
        talk->rows = post->rows;
        talk->columns = post->columns;
    }
    post_free(post);
}

static void talk_forget_posts(struct talk *talk)
{
    for (size_t i = 0; i < talk->n_posts; i++)
        post_drop(talk, &talk->posts[i]);
    talk->n_posts = 0;
    talk->input_sent = talk->input_at;
    talk->eof_sent = false;
}

void talk_free(struct talk *talk)
{
    talk_forget_posts(talk);
    buf_free(&talk->input);
}

void talk_hang_up(struct talk *talk)
{
    talk_forget_posts(talk);
    client_hang_up(talk->client);
}

bool talk_over(const struct talk *talk)
{
    return talk->status.ended && talk->n_posts == 0
           && talk->output_at >= talk->status.output;
}

/* --- input ---------------------------------------------------------------- */

size_t talk_input_room(const struct talk *talk)
{
    return talk->input_eof ? 0 : buf_room(&talk->input);
}

static size_t input_unsent(const struct talk *talk)
{
    return talk->input.len
           - (size_t) (talk->input_sent - talk->input_at);
}

/* Bytes that the job takes now; what is on its way has used up some room. */
static size_t input_ready(const struct talk *talk)
{
    int64_t room = talk->status.stdin_received + talk->status.stdin_room
                   - talk->input_sent;
    size_t unsent = input_unsent(talk);

    if (room <= 0)
        return 0;
    return unsent < (size_t) room ? unsent : (size_t) room;
}

static bool eof_ready(const struct talk *talk)
{
    return talk->input_eof && !talk->eof_sent
           && input_ready(talk) == input_unsent(talk);
}

static bool input_pending(const struct talk *talk)
{
    return talk->status.stdin_open
           && (input_ready(talk) > 0 || eof_ready(talk));
}

bool talk_pending(const struct talk *talk)
{
    return talk->n_signals > 0 || talk->rows > 0 || input_pending(talk);
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

/* --- requests ------------------------------------------------------------- */

void talk_signal(struct talk *talk, int number)
{
    struct talk_signal *signal = &talk->signals[talk->n_signals];

    if (talk->n_signals == TALK_SIGNALS_MAX)
        return;
    *signal = (struct talk_signal) { .number = number };
    if (rpc_new_id(signal->id) == 0)
        talk->n_signals++;
}

bool talk_may_post(const struct talk *talk)
{
    /* Only behind one that waits: see rpc_post(). */
    return talk->n_posts == 0 || (talk->n_posts == 1 && talk->posts[0].turn);
}

static void post_begin(struct talk *talk, struct talk_post *post)
{
    const struct client *client = talk->client;

    *post = (struct talk_post) { .turn = false };
    rpc_reply_init(&post->reply);
    post->wire = (struct rpc_request) {
        .method = "POST",
        .target = post->target,
        .id = post->id,
        .write_ms = client->setup.config->write_timeout,
        .read_ms = TURN_MS + client->setup.config->read_timeout,
        .rest_ms = client->setup.config->read_timeout,
        .silence_ms = client->rpc.peer.heartbeat ? SILENCE_MS : 0,
        .silent = silence_judge,
        .context = &talk->silence,
    };
}

static int post_json(struct talk_post *post, struct json_object *body)
{
    post->body = body;
    post->wire.content_type = "application/json";
    post->wire.body = json_whole(body)
                          ? json_text(body, &post->wire.body_len)
                          : NULL;
    return post->wire.body ? 0 : -ENOMEM;
}

static int post_signal(struct talk *talk, struct talk_post *post)
{
    struct talk_signal *signal = &talk->signals[0];
    struct json_object *body = json_object_new_object();

    json_add_int(body, "signal", signal->number);
    snprintf(post->target, sizeof(post->target),
             API_PREFIX "/jobs/%s/signal", talk->status.id);
    memcpy(post->id, signal->id, sizeof(post->id));
    if (signal->first)
        post->wire.age_ms = clock_ms() - signal->first + 1;
    else
        signal->first = clock_ms();
    post->signal = true;
    return post_json(post, body);
}

static int post_size(struct talk *talk, struct talk_post *post)
{
    struct json_object *body = json_object_new_object();

    post->rows = talk->rows;
    post->columns = talk->columns;
    json_add_int(body, "rows", talk->rows);
    json_add_int(body, "columns", talk->columns);
    snprintf(post->target, sizeof(post->target),
             API_PREFIX "/jobs/%s/resize", talk->status.id);
    talk->rows = 0;
    return post_json(post, body);
}

static void target_add(struct talk_post *post, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void target_add(struct talk_post *post, const char *format, ...)
{
    size_t used = strlen(post->target);
    va_list args;

    va_start(args, format);
    vsnprintf(post->target + used, sizeof(post->target) - used, format, args);
    va_end(args);
}

/* There is more input than the job, or we, can hold: the wait is for room. */
static bool short_of_room(const struct talk *talk)
{
    return talk->status.stdin_open
           && (input_unsent(talk) > 0
               || (!talk->input_eof
                   && buf_room(&talk->input) < ROOM_ENOUGH));
}

static void turn_wait(const struct talk *talk, struct talk_post *post,
                      unsigned int flags)
{
    if (flags & TALK_WAIT)
        target_add(post, "&wait_ms=%d", TURN_MS);
    if (flags & TALK_AWAY)
        target_add(post, "&away=1");
    if (flags & TALK_MUTE)
        target_add(post, "&max=0");
    if (short_of_room(talk))
        target_add(post, "&room=%ld", ROOM_ENOUGH);
}

static int turn_input(struct talk *talk, struct talk_post *post)
{
    size_t n = input_ready(talk);
    const uint8_t *bytes = buf_data(&talk->input)
                           + (talk->input_sent - talk->input_at);
    bool eof = eof_ready(talk);
    char md5[DIGEST_HEX_MAX];

    if (n > 0 && digest_bytes(DIGEST_MD5, bytes, n, md5) < 0)
        return -ENOMEM;
    snprintf(post->target, sizeof(post->target),
             API_PREFIX "/jobs/%s/stdin?offset=%" PRId64 "&output=%" PRId64
                        "%s%s%s",
             talk->status.id, talk->input_sent, talk->output_at,
             eof ? "&eof=1" : "", n ? "&md5=" : "", n ? md5 : "");
    post->wire.content_type = "application/octet-stream";
    post->wire.body = n ? (const void *) bytes : "";
    post->wire.body_len = n;
    talk->input_sent += (int64_t) n;
    post->input_end = talk->input_sent;
    talk->eof_sent = talk->eof_sent || eof;
    return 0;
}

static int post_turn(struct talk *talk, struct talk_post *post,
                     unsigned int flags)
{
    int r = 0;

    post->turn = true;
    post->mute = flags & TALK_MUTE;
    if (input_pending(talk)) {
        r = turn_input(talk, post);
    } else {
        post->wire.method = "GET";
        snprintf(post->target, sizeof(post->target),
                 API_PREFIX "/jobs/%s/output?offset=%" PRId64,
                 talk->status.id, talk->output_at);
    }
    turn_wait(talk, post, flags);
    return r;
}

/* One thing at a time; a signal is more urgent than the rest. */
static int post_what(struct talk *talk, struct talk_post *post,
                     unsigned int flags)
{
    if (talk->n_signals > 0)
        return post_signal(talk, post);
    if (talk->rows > 0)
        return post_size(talk, post);
    return post_turn(talk, post, flags);
}

int talk_post(struct talk *talk, unsigned int flags, struct error *err)
{
    struct talk_post *post = &talk->posts[talk->n_posts];
    bool sent;
    int r;

    post_begin(talk, post);
    r = rpc_new_id(post->id);
    if (r == 0)
        r = post_what(talk, post, flags);
    if (r < 0)
        error_errno(err, r, "request");
    else
        r = rpc_post(&talk->client->rpc, &post->wire, &sent, err);
    if (r < 0)
        post_drop(talk, post);
    else
        talk->n_posts++;
    return r;
}

/* --- answers -------------------------------------------------------------- */

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

/* A job that has ended has no reason to keep its output back. */
static bool is_withheld(const struct talk *talk, const struct joblog *log)
{
    return log->status.ended && !*log->segments
           && talk->output_at < log->status.output;
}

/* What a turn says: status, then output. */
static int take_turn(struct talk *talk, const struct rpc_reply *reply,
                     bool mute, struct error *err)
{
    struct joblog log;
    bool withheld;
    int r = joblog_read(reply, &log, err);

    if (r == 0)
        r = take_status(talk, &log.status, err);
    if (r < 0)
        return -EPROTO;
    withheld = !mute && is_withheld(talk, &log);
    r = take_output(talk, &log, err);
    if (r == 0 && withheld)
        r = error_set(err, -EPROTO, "the agent keeps output of a job that "
                                    "has ended");
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
        return error_set(err, -EPROTO,
                         "the agent has room for input, and takes none");
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
    post_free(post);
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
    turn.target[0] = '\0';
    target_add(&turn, API_PREFIX "/jobs/%s/output?offset=%" PRId64,
               talk->status.id, talk->output_at);
    turn_wait(talk, &turn, flags & TALK_MUTE);
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
