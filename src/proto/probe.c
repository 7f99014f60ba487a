/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Searches for the marker with memchr(3) and gives what follows to a message
 * machine of its own.  Of a raw body only the last KiB of each piece is looked
 * at, so that large ones cost next to nothing.
 */
#include <config.h>

#include "proto/probe.h"

#include <string.h>

#include "proto/route.h"

/* Longest head of a sync that is looked for at the end of a raw body; ours
 * has some 150 bytes. */
#define SYNC_MAX 1024

/* Bytes of a raw body that are gathered before they are looked at. */
#define PROBE_STEP 16

void probe_init(struct probe *probe)
{
    *probe = (struct probe) { .marked = false };
    msg_init(&probe->msg, HTTP_REQUEST);
}

void probe_free(struct probe *probe)
{
    msg_free(&probe->msg);
}

void probe_reset(struct probe *probe)
{
    msg_reset(&probe->msg);
    probe->marked = false;
}

static bool is_sync(const struct http_head *head)
{
    char allow[ROUTE_ALLOW_MAX];
    const struct route *route;
    const char *rest;

    return head->content_length <= 0 && !head->chunked
           && route_match(head->method, head->target, &route, &rest, allow)
                  == 0
           && route->id == ROUTE_SYNC;
}

size_t probe_feed(struct probe *probe, const uint8_t *bytes, size_t n,
                  bool *found)
{
    const uint8_t *marker;
    enum msg_event event;
    size_t used;

    *found = false;
    if (!probe->marked) {
        marker = memchr(bytes, RESET_BYTE, n);
        if (!marker)
            return n;
        probe->marked = true;
        return (size_t) (marker - bytes) + 1;
    }
    event = msg_feed(&probe->msg, bytes, n, &used);
    *found = event == MSG_HEAD && is_sync(&probe->msg.head);
    if (event == MSG_FAULT || (event == MSG_HEAD && !*found))
        probe_reset(probe);
    return used;
}

/* How a sync begins; one in absolute form is not looked for in raw bodies. */
static const char sync_start[] = "GET " API_PREFIX "/sync";
#define SYNC_START_LEN (sizeof(sync_start) - 1)

/* May what was gathered behind the marker become a sync? */
static bool probe_plausible(const struct probe *probe)
{
    size_t n = probe->msg.raw.len;

    if (n > SYNC_START_LEN)
        n = SYNC_START_LEN;
    return n == 0 || memcmp(buf_data(&probe->msg.raw), sync_start, n) == 0;
}

/* All but the end of a body is of no interest, and hardly any goes on as a
 * sync does behind a marker, so it costs next to nothing. */
void probe_raw(struct probe *probe, const uint8_t *bytes, size_t n)
{
    bool found;
    size_t at = !probe->marked && n > SYNC_MAX ? n - SYNC_MAX : 0;

    while (at < n) {
        size_t step = n - at;

        if (probe->marked && step > PROBE_STEP)
            step = PROBE_STEP;
        at += probe_feed(probe, bytes + at, step, &found);
        if (found || !probe_plausible(probe)) /* content after all */
            probe_reset(probe);
    }
}

bool probe_goes_on(const struct probe *probe, uint8_t byte)
{
    size_t n = probe->msg.raw.len;

    if (!probe->marked)
        return false;
    return n < SYNC_START_LEN ? byte == (uint8_t) sync_start[n]
                              : byte != RESET_BYTE;
}
