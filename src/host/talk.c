/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/talk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/talk_priv.h"
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

void talk_post_free(struct talk_post *post)
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
    talk_post_free(post);
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

void talk_target_output(const struct talk *talk, unsigned int flags,
                        struct talk_post *post)
{
    snprintf(post->target, sizeof(post->target),
             API_PREFIX "/jobs/%s/output?offset=%" PRId64, talk->status.id,
             talk->output_at);
    turn_wait(talk, post, flags);
}

static int post_turn(struct talk *talk, struct talk_post *post,
                     unsigned int flags)
{
    int r = 0;

    post->turn = true;
    post->mute = flags & TALK_MUTE;
    if (input_pending(talk)) {
        r = turn_input(talk, post);
        turn_wait(talk, post, flags);
    } else {
        post->wire.method = "GET";
        talk_target_output(talk, flags, post);
    }
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
