/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/hello.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* Clocks that differ by less are the same: the answer took time, too. */
#define CLOCK_SLACK_S 2

void hello_init(struct hello *hello, int64_t limit)
{
    *hello = (struct hello) { .state = HELLO_CONNECT, .limit = limit };
}

static void hello_end_scan(struct hello *hello)
{
    if (hello->scanning)
        syncscan_free(&hello->scan);
    hello->scanning = false;
}

void hello_free(struct hello *hello)
{
    hello_end_scan(hello);
}

static int hello_request(const struct hello *hello, struct buf *request)
{
    const uint8_t marker = RESET_BYTE;
    int r = buf_append(request, &marker, 1);

    if (r < 0)
        return r;
    return buf_printf(request,
                      "GET " API_PREFIX "/sync?id=%s HTTP/1.1\r\n"
                      "Host: virtio-rpc\r\nX-Request-ID: %s\r\n"
                      "X-Timestamp: %" PRId64 "\r\n\r\n",
                      hello->id, hello->id, hello->wall);
}

int hello_connected(struct hello *hello, const char *id, int64_t now,
                    int64_t wall, struct buf *request)
{
    int64_t end = now + (hello->attempts ? SYNC_ATTEMPT_MS : SYNC_FIRST_MS);

    hello_end_scan(hello);
    snprintf(hello->id, sizeof(hello->id), "%s", id);
    syncscan_init(&hello->scan, hello->id);
    hello->scanning = true;
    hello->state = HELLO_SYNC;
    hello->until = end < hello->limit ? end : hello->limit;
    hello->wall = wall;
    hello->attempts++;
    hello->peer = (struct hello_peer) { 0 };
    return hello_request(hello, request);
}

void hello_lost(struct hello *hello, int64_t now)
{
    hello_end_scan(hello);
    hello->state = hello->limit - now > RECONNECT_GAP_MS ? HELLO_WAIT
                                                         : HELLO_GIVE_UP;
    hello->until = now + RECONNECT_GAP_MS;
}

void hello_tick(struct hello *hello, int64_t now)
{
    if (now < hello->until)
        return;
    if (hello->state == HELLO_SYNC)
        hello_lost(hello, now);
    else if (hello->state == HELLO_WAIT)
        hello->state = now < hello->limit ? HELLO_CONNECT : HELLO_GIVE_UP;
}

/* The agent's own words.  What is sent back is taken whole or not at all: cut
 * or changed it would be another one. */
static const struct {
    const char *name;
    size_t offset;
    bool sent_back;
} words[] = {
    { "agent_version", offsetof(struct hello_peer, version), false },
    { "boot_id", offsetof(struct hello_peer, boot_id), true },
    { "session", offsetof(struct hello_peer, session), true },
    { "instance", offsetof(struct hello_peer, instance), true },
};

static bool is_token(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static int hello_take_word(struct json_object *data, size_t i,
                           struct hello_peer *peer)
{
    const char *text = "";

    if (param_string(data, words[i].name, PARAM_OPTIONAL, &text, NULL) != 0)
        return -EBADMSG;
    if (words[i].sent_back
        && (strlen(text) >= HELLO_WORD_MAX || !is_token(text)))
        return -EBADMSG;
    snprintf((char *) peer + words[i].offset, HELLO_WORD_MAX, "%s", text);
    return 0;
}

/* Every member is the guest's word: checked for type and size.  The version
 * is only ever shown, and what shows it takes care of its characters. */
static int hello_take(struct hello *hello, const struct envelope *envelope)
{
    struct json_object *data = envelope->data;
    struct hello_peer *peer = &hello->peer;
    int64_t theirs = hello->wall;
    const char *id = NULL;

    if (envelope->code != STATUS_SUCCESS
        || param_string(data, "id", PARAM_REQUIRED, &id, NULL) != 0
        || !id || strcmp(id, hello->id) != 0
        || param_int(data, "timestamp", PARAM_OPTIONAL, 0, INT32_MAX * 8LL,
                     &theirs, NULL) != 0
        || param_bool(data, "auth", PARAM_OPTIONAL, &peer->auth, NULL) != 0
        || param_bool(data, "heartbeat", PARAM_OPTIONAL, &peer->heartbeat,
                      NULL) != 0)
        return -EBADMSG;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (hello_take_word(data, i, peer) < 0)
            return -EBADMSG;
    if (theirs > hello->wall + CLOCK_SLACK_S
        || theirs < hello->wall - CLOCK_SLACK_S)
        peer->clock_ahead = theirs - hello->wall;
    return 0;
}

static int hello_judge(struct hello *hello, int64_t now)
{
    const struct buf *body = &hello->scan.body;
    struct envelope envelope;
    int r = envelope_parse((const char *) buf_data(body), body->len,
                           &envelope, NULL);

    if (r == 0)
        r = hello_take(hello, &envelope);
    envelope_free(&envelope);
    hello_end_scan(hello);
    if (r == -ENOMEM)
        return r;
    if (r == 0)
        hello->state = HELLO_READY;
    else
        hello_lost(hello, now);
    return 0;
}

int hello_feed(struct hello *hello, const uint8_t *bytes, size_t n,
               int64_t now)
{
    int r;

    if (hello->state != HELLO_SYNC)
        return 0;
    r = syncscan_feed(&hello->scan, bytes, n);
    if (r < 0)
        return r;
    if (r == SYNCSCAN_FOUND)
        return hello_judge(hello, now);
    if (r == SYNCSCAN_FLOOD)
        hello_lost(hello, now);
    else
        hello_tick(hello, now); /* a stream of noise never lets a read wait */
    return 0;
}
