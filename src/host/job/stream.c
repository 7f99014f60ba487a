/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Makes the requests of a job stream: first signals, then a size, then a turn.
 * What is on its way counts as taken from the room that the job has, so that
 * no more input is sent than it takes.
 */
#include <config.h>

#include "host/job/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/client/silence.h"
#include "host/job/stream_priv.h"
#include "proto/limits.h"
#include "proto/route.h"
#include "util/clock.h"
#include "util/crypto.h"

/* A turn waits so long (ms) for something to happen.  That is also how late a
 * command learns of another that wants the channel, should lock_watch() not
 * work, and how often the guest gives a sign of life. */
#define TURN_MS 2000

/* A job that was short of room is worth a turn when it has so much again. */
#define ROOM_ENOUGH (JOB_INPUT_MAX / 2)

void job_stream_init(struct job_stream *stream, struct client *client,
                     const struct job_status *status)
{
    const struct handshake_peer *peer = &client->rpc.peer;

    *stream = (struct job_stream) { .client = client,
                                    .status = *status,
                                    .output_end = { -1, -1 },
                                    .silence = SILENCE_INIT(client) };
    memcpy(stream->instance, peer->instance, sizeof(stream->instance));
    memcpy(stream->boot_id, peer->boot_id, sizeof(stream->boot_id));
    buf_init(&stream->input, JOB_INPUT_MAX);
}

void job_stream_post_free(struct job_stream_post *post)
{
    rpc_reply_free(&post->reply);
    json_object_put(post->body);
    post->body = NULL;
}

/* It is not answered.  A size is said again, unless there is a newer one. */
static void post_drop(struct job_stream *stream, struct job_stream_post *post)
{
    if (stream->rows == 0) {
        stream->rows = post->rows;
        stream->columns = post->columns;
    }
    job_stream_post_free(post);
}

static void job_stream_forget_posts(struct job_stream *stream)
{
    for (size_t i = 0; i < stream->n_posts; i++)
        post_drop(stream, &stream->posts[i]);
    stream->n_posts = 0;
    stream->input_sent = stream->input_at;
    stream->eof_sent = false;
}

void job_stream_free(struct job_stream *stream)
{
    job_stream_forget_posts(stream);
    buf_free(&stream->input);
}

void job_stream_hang_up(struct job_stream *stream)
{
    job_stream_forget_posts(stream);
    client_hang_up(stream->client);
}

bool job_stream_over(const struct job_stream *stream)
{
    return stream->status.ended && stream->n_posts == 0
           && stream->output_at >= stream->status.output;
}

bool job_stream_closed(const struct job_stream *stream, int fd)
{
    int64_t end = stream->output_end[fd - 1];

    return end >= 0 && stream->output_at >= end;
}

/* --- input ---------------------------------------------------------------- */

size_t job_stream_input_room(const struct job_stream *stream)
{
    return stream->input_eof ? 0 : buf_room(&stream->input);
}

static size_t input_unsent(const struct job_stream *stream)
{
    return stream->input.len
           - (size_t) (stream->input_sent - stream->input_at);
}

/* Bytes that the job takes now; what is on its way has used up some room. */
static size_t input_ready(const struct job_stream *stream)
{
    int64_t room = stream->status.stdin_received + stream->status.stdin_room
                   - stream->input_sent;
    size_t unsent = input_unsent(stream);

    if (room <= 0)
        return 0;
    return unsent < (size_t) room ? unsent : (size_t) room;
}

static bool eof_ready(const struct job_stream *stream)
{
    return stream->input_eof && !stream->eof_sent
           && input_ready(stream) == input_unsent(stream);
}

static bool input_pending(const struct job_stream *stream)
{
    return stream->status.stdin_open
           && (input_ready(stream) > 0 || eof_ready(stream));
}

/* There is more input than the job, or we, can hold: the wait is for room. */
static bool short_of_room(const struct job_stream *stream)
{
    return stream->status.stdin_open
           && (input_unsent(stream) > 0
               || (!stream->input_eof
                   && buf_room(&stream->input) < ROOM_ENOUGH));
}

/* The turn that waits would not see that there is room: it was not short of it
 * when it was sent. */
static bool waits_past_room(const struct job_stream *stream)
{
    return stream->n_posts == 1 && stream->posts[0].turn
           && !stream->posts[0].room && short_of_room(stream);
}

bool job_stream_pending(const struct job_stream *stream)
{
    return stream->n_signals > 0 || stream->rows > 0 || input_pending(stream)
           || waits_past_room(stream);
}

/* --- requests ------------------------------------------------------------- */

void job_stream_signal(struct job_stream *stream, int number)
{
    struct job_stream_signal *signal = &stream->signals[stream->n_signals];

    if (stream->n_signals == JOB_STREAM_SIGNALS_MAX)
        return;
    *signal = (struct job_stream_signal) { .number = number };
    if (rpc_new_id(signal->id) == 0)
        stream->n_signals++;
}

bool job_stream_may_post(const struct job_stream *stream)
{
    /* Only behind one that waits: see rpc_post(). */
    return stream->n_posts == 0
           || (stream->n_posts == 1 && stream->posts[0].turn);
}

static void post_begin(struct job_stream *stream, struct job_stream_post *post)
{
    const struct client *client = stream->client;

    *post = (struct job_stream_post) { .turn = false };
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
        .context = &stream->silence,
    };
}

static int post_json(struct job_stream_post *post, struct json_object *body)
{
    post->body = body;
    post->wire.content_type = "application/json";
    post->wire.body = json_whole(body) ? json_text(body, &post->wire.body_len)
                                       : NULL;
    return post->wire.body ? 0 : -ENOMEM;
}

static int post_signal(struct job_stream *stream, struct job_stream_post *post)
{
    struct job_stream_signal *signal = &stream->signals[0];
    struct json_object *body = json_object_new_object();

    json_add_int(body, "signal", signal->number);
    snprintf(post->target, sizeof(post->target), API_PREFIX "/jobs/%s/signal",
             stream->status.id);
    memcpy(post->id, signal->id, sizeof(post->id));
    if (signal->first)
        post->wire.age_ms = clock_ms() - signal->first + 1;
    else
        signal->first = clock_ms();
    post->signal = true;
    return post_json(post, body);
}

static int post_size(struct job_stream *stream, struct job_stream_post *post)
{
    struct json_object *body = json_object_new_object();

    post->rows = stream->rows;
    post->columns = stream->columns;
    json_add_int(body, "rows", stream->rows);
    json_add_int(body, "columns", stream->columns);
    snprintf(post->target, sizeof(post->target), API_PREFIX "/jobs/%s/resize",
             stream->status.id);
    stream->rows = 0;
    return post_json(post, body);
}

static void target_add(struct job_stream_post *post, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void target_add(struct job_stream_post *post, const char *format, ...)
{
    size_t used = strlen(post->target);
    va_list args;

    va_start(args, format);
    vsnprintf(post->target + used, sizeof(post->target) - used, format, args);
    va_end(args);
}

static void turn_wait(const struct job_stream *stream,
                      struct job_stream_post *post, unsigned int flags)
{
    if (flags & JOB_STREAM_WAIT)
        target_add(post, "&wait_ms=%d", TURN_MS);
    if (flags & JOB_STREAM_AWAY)
        target_add(post, "&away=1");
    if (flags & JOB_STREAM_MUTE)
        target_add(post, "&max=0");
    post->room = short_of_room(stream);
    if (post->room)
        target_add(post, "&room=%ld", ROOM_ENOUGH);
}

static int turn_input(struct job_stream *stream, struct job_stream_post *post)
{
    size_t n = input_ready(stream);
    const uint8_t *bytes = buf_data(&stream->input)
                           + (stream->input_sent - stream->input_at);
    bool eof = eof_ready(stream);
    char md5[DIGEST_HEX_MAX];

    if (n > 0 && digest_bytes(DIGEST_MD5, bytes, n, md5) < 0)
        return -ENOMEM;
    snprintf(post->target, sizeof(post->target),
             API_PREFIX "/jobs/%s/stdin?offset=%" PRId64 "&output=%" PRId64
                        "%s%s%s",
             stream->status.id, stream->input_sent, stream->output_at,
             eof ? "&eof=1" : "", n ? "&md5=" : "", n ? md5 : "");
    post->wire.content_type = "application/octet-stream";
    post->wire.body = n ? (const void *) bytes : "";
    post->wire.body_len = n;
    stream->input_sent += (int64_t) n;
    post->input_end = stream->input_sent;
    stream->eof_sent = stream->eof_sent || eof;
    return 0;
}

void job_stream_target_output(const struct job_stream *stream,
                              unsigned int flags, struct job_stream_post *post)
{
    snprintf(post->target, sizeof(post->target),
             API_PREFIX "/jobs/%s/output?offset=%" PRId64, stream->status.id,
             stream->output_at);
    turn_wait(stream, post, flags);
}

static int post_turn(struct job_stream *stream, struct job_stream_post *post,
                     unsigned int flags)
{
    int r = 0;

    post->turn = true;
    post->asked = stream->output_at;
    post->mute = flags & JOB_STREAM_MUTE;
    if (input_pending(stream)) {
        r = turn_input(stream, post);
        turn_wait(stream, post, flags);
    } else {
        post->wire.method = "GET";
        job_stream_target_output(stream, flags, post);
    }
    return r;
}

/* One thing at a time; a signal is more urgent than the rest. */
static int post_what(struct job_stream *stream, struct job_stream_post *post,
                     unsigned int flags)
{
    if (stream->n_signals > 0)
        return post_signal(stream, post);
    if (stream->rows > 0)
        return post_size(stream, post);
    return post_turn(stream, post, flags);
}

int job_stream_post(struct job_stream *stream, unsigned int flags,
                    struct error *err)
{
    struct job_stream_post *post = &stream->posts[stream->n_posts];
    bool sent;
    int r;

    post_begin(stream, post);
    r = rpc_new_id(post->id);
    if (r == 0)
        r = post_what(stream, post, flags);
    if (r < 0)
        error_errno(err, r, "request");
    else
        r = rpc_post(&stream->client->rpc, &post->wire, &sent, err);
    if (r < 0)
        post_drop(stream, post);
    else
        stream->n_posts++;
    return r;
}
