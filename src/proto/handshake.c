/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * States and times of the handshake, its request, and the agent's answer.
 * Members are checked for type and size; words that are sent back later are
 * taken whole or not at all, because a part of one would be another word.
 */
#include <config.h>

#include "proto/handshake.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* Clocks that differ by less are the same: the answer took time, too. */
#define CLOCK_SLACK_S 2

void handshake_init(struct handshake *handshake, int64_t limit)
{
    *handshake = (struct handshake) { .state = HANDSHAKE_CONNECT,
                                      .limit = limit };
}

static void handshake_end_scan(struct handshake *handshake)
{
    if (handshake->scanning)
        syncscan_free(&handshake->scan);
    handshake->scanning = false;
}

void handshake_free(struct handshake *handshake)
{
    handshake_end_scan(handshake);
}

static int handshake_request(const struct handshake *handshake,
                             struct buf *request)
{
    const uint8_t marker = RESET_BYTE;
    int r = handshake->bare ? 0 : buf_append(request, &marker, 1);

    if (r < 0)
        return r;
    return buf_printf(request,
                      "GET " API_PREFIX "/sync?id=%s HTTP/1.1\r\n"
                      "Host: virtio-rpc\r\nX-Request-ID: %s\r\n"
                      "X-Timestamp: %" PRId64 "\r\n\r\n",
                      handshake->id, handshake->id, handshake->wall);
}

/* The wait behind attempt number n, from 0 on. */
static int64_t handshake_gap(const struct handshake_pace *pace, int n)
{
    int64_t wait = n > 0 ? pace->wait_ms : 0;

    for (int i = 1; i < n && wait < pace->most_ms; i++)
        wait *= pace->factor;
    if (wait > pace->most_ms)
        wait = pace->most_ms;
    return wait > RECONNECT_GAP_MS ? wait : RECONNECT_GAP_MS;
}

/* How long attempt number n listens, from 0 on: longer each time, for an agent
 * that is slow, and instead of staying away it listens on. */
static int64_t handshake_span(const struct handshake_pace *pace, int n)
{
    int64_t span = SYNC_ATTEMPT_MS;

    if (n == 0)
        return SYNC_FIRST_MS;
    for (int i = 1; i < n && span < SYNC_LONGEST_MS; i++)
        span *= 2;
    return span + handshake_gap(pace, n) - RECONNECT_GAP_MS;
}

int handshake_connected(struct handshake *handshake, const char *id,
                        int64_t now, int64_t wall, struct buf *request)
{
    int64_t span = handshake_span(&handshake->pace, handshake->attempts);
    int64_t rest = handshake->limit - now;
    int64_t worth; /* time for another one, or there is none */

    handshake_end_scan(handshake);
    /* In the third one the agent has certainly seen us leave. */
    handshake->bare = handshake->refused
                      || (handshake->broken + handshake->attempts) % 3 == 2;
    snprintf(handshake->id, sizeof(handshake->id), "%s", id);
    syncscan_init(&handshake->scan, handshake->id);
    handshake->scanning = true;
    handshake->state = HANDSHAKE_SYNC;
    handshake->gap = handshake_gap(&handshake->pace, handshake->attempts);
    handshake->wall = wall;
    handshake->attempts++;
    /* The last one listens to the end.  Of the first three each has its cure;
     * from then on a shorter one would only miss a slow agent again. */
    worth = handshake->attempts < 3 ? SYNC_FIRST_MS : span;
    handshake->until = rest - span - RECONNECT_GAP_MS >= worth
                           ? now + span
                           : handshake->limit;
    handshake->peer = (struct handshake_peer) { 0 };
    return handshake_request(handshake, request);
}

bool handshake_refused(const struct handshake *handshake)
{
    return !handshake->bare
           && (handshake->refused
               || (handshake->scanning && handshake->scan.refused));
}

void handshake_lost(struct handshake *handshake, int64_t now)
{
    bool refused = handshake_refused(handshake);

    handshake->nameless = handshake->scanning && handshake->scan.refused;
    handshake->refused = handshake->refused || refused;
    if (refused || now >= handshake->until) /* which listened instead */
        handshake->gap = RECONNECT_GAP_MS;
    handshake_end_scan(handshake);
    handshake->state = handshake->limit - now > handshake->gap
                           ? HANDSHAKE_WAIT
                           : HANDSHAKE_GIVE_UP;
    handshake->until = now + handshake->gap;
}

void handshake_tick(struct handshake *handshake, int64_t now)
{
    if (now < handshake->until)
        return;
    if (handshake->state == HANDSHAKE_SYNC)
        handshake_lost(handshake, now);
    else if (handshake->state == HANDSHAKE_WAIT)
        handshake->state = now < handshake->limit ? HANDSHAKE_CONNECT
                                                  : HANDSHAKE_GIVE_UP;
}

/* The agent's own words.  What is sent back is taken whole or not at all: cut
 * or changed it would be another one. */
static const struct {
    const char *name;
    size_t offset;
    bool sent_back;
} words[] = {
    { "agent_version", offsetof(struct handshake_peer, version), false },
    { "boot_id", offsetof(struct handshake_peer, boot_id), true },
    { "session", offsetof(struct handshake_peer, session), true },
    { "instance", offsetof(struct handshake_peer, instance), true },
};

static bool is_token(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static int handshake_take_word(struct json_object *data, size_t i,
                               struct handshake_peer *peer)
{
    const char *text = "";

    if (param_string(data, words[i].name, PARAM_OPTIONAL, &text, NULL) != 0)
        return -EBADMSG;
    if (words[i].sent_back
        && (strlen(text) >= HANDSHAKE_WORD_MAX || !is_token(text)))
        return -EBADMSG;
    snprintf((char *) peer + words[i].offset, HANDSHAKE_WORD_MAX, "%s", text);
    return 0;
}

/* Every member is the guest's word: checked for type and size.  The version
 * is only ever shown, and what shows it takes care of its characters. */
static int handshake_take(struct handshake *handshake,
                          const struct envelope *envelope)
{
    struct json_object *data = envelope->data;
    struct handshake_peer *peer = &handshake->peer;
    int64_t theirs = handshake->wall;
    const char *id = NULL;

    if (envelope->code != STATUS_SUCCESS
        || param_string(data, "id", PARAM_REQUIRED, &id, NULL) != 0 || !id
        || strcmp(id, handshake->id) != 0
        || param_int(data, "timestamp", PARAM_OPTIONAL, 0, INT32_MAX * 8LL,
                     &theirs, NULL)
               != 0
        || param_bool(data, "auth", PARAM_OPTIONAL, &peer->auth, NULL) != 0
        || param_bool(data, "heartbeat", PARAM_OPTIONAL, &peer->heartbeat,
                      NULL)
               != 0)
        return -EBADMSG;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (handshake_take_word(data, i, peer) < 0)
            return -EBADMSG;
    if (theirs > handshake->wall + CLOCK_SLACK_S
        || theirs < handshake->wall - CLOCK_SLACK_S)
        peer->clock_ahead = theirs - handshake->wall;
    return 0;
}

/* What a server answers a path that it does not know, or something that is no
 * request to it. */
static bool is_refusal(int status)
{
    return status == 400 || status == 404 || status == 405 || status == 501;
}

/* An answer that refuses the sync, or what was in front of it. */
static int handshake_refusal(struct handshake *handshake, int64_t now)
{
    int status = handshake->scan.status;

    if (handshake->bare || status == 404 || status == 405) {
        handshake_end_scan(handshake);
        handshake->peer.plain = true;
        handshake->state = HANDSHAKE_READY;
    } else {
        handshake->refused = true;
        handshake_lost(handshake, now);
    }
    return 0;
}

static int handshake_judge(struct handshake *handshake, int64_t now)
{
    const struct buf *body = &handshake->scan.body;
    struct envelope envelope;
    int r = envelope_parse((const char *) buf_data(body), body->len, &envelope,
                           NULL);

    if (r == 0)
        r = handshake_take(handshake, &envelope);
    envelope_free(&envelope);
    handshake_end_scan(handshake);
    if (r == -ENOMEM)
        return r;
    if (r == 0)
        handshake->state = HANDSHAKE_READY;
    else
        handshake_lost(handshake, now);
    return 0;
}

int handshake_feed(struct handshake *handshake, const uint8_t *bytes, size_t n,
                   int64_t now)
{
    int r;

    if (handshake->state != HANDSHAKE_SYNC)
        return 0;
    r = syncscan_feed(&handshake->scan, bytes, n);
    if (r < 0)
        return r;
    if (r == SYNCSCAN_FOUND && is_refusal(handshake->scan.status))
        return handshake_refusal(handshake, now);
    if (r == SYNCSCAN_FOUND)
        return handshake_judge(handshake, now);
    if (r == SYNCSCAN_FLOOD)
        handshake_lost(handshake, now);
    else
        handshake_tick(handshake,
                       now); /* a stream of noise never lets a read wait */
    return 0;
}
