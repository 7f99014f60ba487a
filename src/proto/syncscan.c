/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Keeps a window of what came and parses each head in it from scratch: answers
 * to a sync are small, and there is no state that foreign bytes could spoil.
 */
#include <config.h>

#include "proto/syncscan.h"

#include <errno.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/msg.h"

#define START "HTTP/1.1 "
#define END "\r\n\r\n"

/* The answer to a sync has some 250 bytes. */
#define BODY_MAX (64 * 1024)

/* Bytes looked at in one go; bounds the window. */
#define STEP (64 * 1024)

/* Internal to scan_answer(): these bytes are not the answer. */
#define SCAN_FOREIGN 100

void syncscan_init(struct syncscan *scan, const char *id)
{
    *scan = (struct syncscan) { .id = id };
    /* An answer that is almost complete, and one step. */
    buf_init(&scan->window, HTTP_HEAD_MAX + BODY_MAX + STEP);
    buf_init(&scan->body, BODY_MAX);
}

void syncscan_free(struct syncscan *scan)
{
    buf_free(&scan->window);
    buf_free(&scan->body);
}

static void scan_drop(struct syncscan *scan, size_t n)
{
    buf_consume(&scan->window, n);
    scan->discarded += (int64_t) n;
}

/* The last start of a head in n bytes, or n. */
static size_t scan_last_start(const uint8_t *bytes, size_t n)
{
    const size_t length = sizeof(START) - 1;

    for (size_t at = n; at-- > 0;)
        if (n - at >= length && memcmp(bytes + at, START, length) == 0)
            return at;
    return n;
}

static bool scan_is_ours(const struct syncscan *scan,
                         const struct http_head *head)
{
    const char *id = http_field_get(head, "X-Request-ID");

    return id && strcmp(id, scan->id) == 0 && head->status >= 200
           && head->content_length <= BODY_MAX;
}

/* What an event of the machine means for the scan; -1: go on. */
static int scan_event(struct syncscan *scan, struct msg *msg,
                      enum msg_event event)
{
    if (event == MSG_HEAD) {
        scan->status = msg->head.status;
        if (scan_is_ours(scan, &msg->head))
            return -1;
        scan->refused = scan->refused
                        || (msg->head.status >= 400
                            && !http_field_get(&msg->head, "X-Request-ID"));
        return SCAN_FOREIGN;
    }
    if (event == MSG_BODY)
        return buf_append(&scan->body, msg->piece, msg->piece_len) < 0
                   ? SCAN_FOREIGN
                   : -1;
    if (event == MSG_NEED_MORE)
        return SYNCSCAN_MORE;
    return event == MSG_END ? SYNCSCAN_FOUND : SCAN_FOREIGN;
}

/* Reads the window, which starts with a whole head, from scratch: answers to
 * a sync are small, and a state that is not kept cannot be wrong. */
static int scan_answer(struct syncscan *scan)
{
    const uint8_t *bytes = buf_data(&scan->window);
    size_t left = scan->window.len;
    struct msg msg;
    int r = -1;

    msg_init(&msg, HTTP_RESPONSE);
    buf_clear(&scan->body);
    while (r < 0) {
        size_t used;
        enum msg_event event = msg_feed(&msg, bytes, left, &used);

        bytes += used;
        left -= used;
        r = scan_event(scan, &msg, event);
    }
    msg_free(&msg);
    return r;
}

/* Looks through the window as far as it goes. */
static int scan_window(struct syncscan *scan)
{
    for (;;) {
        uint8_t *bytes = buf_data(&scan->window);
        size_t n = scan->window.len;
        uint8_t *end = n ? memmem(bytes, n, END, sizeof(END) - 1) : NULL;
        size_t head;
        size_t start;
        int r;

        if (!end) {
            if (n > HTTP_HEAD_MAX)
                scan_drop(scan, n - HTTP_HEAD_MAX);
            return SYNCSCAN_MORE;
        }
        head = (size_t) (end - bytes) + sizeof(END) - 1;
        start = scan_last_start(bytes, head);
        scan_drop(scan, start);
        if (start == head)
            continue;
        r = scan_answer(scan);
        if (r != SCAN_FOREIGN)
            return r;
        scan_drop(scan, head - start);
    }
}

int syncscan_feed(struct syncscan *scan, const uint8_t *bytes, size_t n)
{
    int r = SYNCSCAN_MORE;

    while (n > 0 && r == SYNCSCAN_MORE) {
        size_t step = n < STEP ? n : STEP;

        r = buf_append(&scan->window, bytes, step);
        if (r == -EMSGSIZE) /* ours, and it does not end */
            return SYNCSCAN_FLOOD;
        if (r < 0)
            return r;
        bytes += step;
        n -= step;
        r = scan_window(scan);
        if (r == SYNCSCAN_MORE && scan->discarded > SYNC_DISCARD_MAX)
            return SYNCSCAN_FLOOD;
    }
    return r;
}
