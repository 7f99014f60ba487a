/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/handshake.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/syncscan.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/clock.h"
#include "util/crypto.h"

#define ID_BYTES 16
#define STEP (16 * 1024)

/* Clocks that differ by less are the same: the answer took time, too. */
#define CLOCK_SLACK_S 2

static int handshake_send(struct transport *transport, const char *id,
                          int64_t deadline)
{
    char text[512];
    int n = snprintf(text, sizeof(text),
                     "%cGET " API_PREFIX "/sync?id=%s HTTP/1.1\r\n"
                     "Host: virtio-rpc\r\nX-Request-ID: %s\r\n"
                     "X-Timestamp: %" PRId64 "\r\n\r\n",
                     RESET_BYTE, id, id, clock_wall());

    for (int at = 0; at < n;) {
        int64_t wrote = transport->ops->write(transport, text + at,
                                              (size_t) (n - at), deadline);

        if (wrote <= 0)
            return wrote ? (int) wrote : -ECONNRESET;
        at += (int) wrote;
    }
    return 0;
}

static int handshake_read(struct transport *transport, struct syncscan *scan,
                          int64_t deadline)
{
    uint8_t step[STEP];
    int r = SYNCSCAN_MORE;

    while (r == SYNCSCAN_MORE) {
        int64_t got = transport->ops->read(transport, step, sizeof(step),
                                           deadline);

        if (got <= 0)
            return got ? (int) got : -ECONNRESET;
        r = syncscan_feed(scan, step, (size_t) got);
        /* A flood never lets a read run into the deadline. */
        if (r == SYNCSCAN_MORE && deadline_left(deadline) == 0)
            return -ETIMEDOUT;
    }
    if (r == SYNCSCAN_FLOOD)
        return -EBADMSG;
    return r < 0 ? r : 0;
}

static void word_copy(char word[RPC_WORD_MAX], const char *text)
{
    snprintf(word, RPC_WORD_MAX, "%s", text);
}

/* A word that we send back in a head; another one is as none. */
static void token_copy(char word[RPC_WORD_MAX], const char *text)
{
    static const char plain[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";
    size_t n = strlen(text);

    word_copy(word, n < RPC_WORD_MAX && strspn(text, plain) == n ? text : "");
}

/* Every member is the guest's word: checked for type, size and, since it may
 * be shown or signed, for nothing but printing characters (by its use). */
static int handshake_take(const struct envelope *envelope, const char *id,
                          struct rpc_peer *peer)
{
    const char *answered = NULL;
    const char *boot_id = "";
    const char *version = "";
    const char *session = "";
    const char *instance = "";
    int64_t now = clock_wall();
    int64_t theirs = now;
    struct json_object *data = envelope->data;

    if (envelope->code != STATUS_SUCCESS
        || param_string(data, "id", PARAM_REQUIRED, &answered, NULL)
        || param_string(data, "boot_id", PARAM_OPTIONAL, &boot_id, NULL)
        || param_string(data, "agent_version", PARAM_OPTIONAL, &version, NULL)
        || param_string(data, "session", PARAM_OPTIONAL, &session, NULL)
        || param_string(data, "instance", PARAM_OPTIONAL, &instance, NULL)
        || param_bool(data, "heartbeat", PARAM_OPTIONAL, &peer->heartbeat,
                      NULL)
        || param_int(data, "timestamp", PARAM_OPTIONAL, 0, INT32_MAX * 8LL,
                     &theirs, NULL)
        || param_bool(data, "auth", PARAM_OPTIONAL, &peer->auth, NULL)
        || !answered || strcmp(answered, id) != 0
        || strlen(boot_id) >= RPC_WORD_MAX)
        return -EBADMSG;
    word_copy(peer->boot_id, boot_id);
    word_copy(peer->version, version);
    token_copy(peer->session, session);
    token_copy(peer->instance, instance);
    if (theirs > now + CLOCK_SLACK_S || theirs < now - CLOCK_SLACK_S)
        peer->clock_ahead = theirs - now;
    return 0;
}

static int handshake_judge(const struct buf *body, const char *id,
                           struct rpc_peer *peer)
{
    struct envelope envelope;
    int r = envelope_parse((const char *) buf_data(body), body->len,
                           &envelope, NULL);

    if (r == 0)
        r = handshake_take(&envelope, id, peer);
    envelope_free(&envelope);
    return r;
}

int handshake(struct transport *transport, int64_t deadline,
              struct rpc_peer *peer)
{
    char id[2 * ID_BYTES + 1];
    struct syncscan scan;
    int r = crypto_random_hex(id, ID_BYTES);

    *peer = (struct rpc_peer) { 0 };
    if (r < 0)
        return r;
    syncscan_init(&scan, id);
    r = handshake_send(transport, id, deadline);
    if (r == 0)
        r = handshake_read(transport, &scan, deadline);
    if (r == 0)
        r = handshake_judge(&scan.body, id, peer);
    syncscan_free(&scan);
    return r;
}
