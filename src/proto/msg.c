/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A function for each state.  Line ends are checked byte by byte, so that
 * garbage is refused at once and not at a deadline.  A response without a
 * length is malformed, because the stream never ends.
 */
#include <config.h>

#include "proto/msg.h"

#include <errno.h>
#include <string.h>

#include "proto/chunk.h"
#include "util/num.h"

void msg_init(struct msg *msg, enum http_role role)
{
    *msg = (struct msg) { .role = role };
    buf_init(&msg->raw, HTTP_HEAD_MAX);
}

void msg_free(struct msg *msg)
{
    buf_free(&msg->raw);
}

void msg_reset(struct msg *msg)
{
    buf_clear(&msg->raw);
    msg->state = MSG_STATE_HEAD;
    msg->body_seen = 0;
    msg->line_len = 0;
    msg->trailer_len = 0;
    msg->broken = false;
}

void msg_no_body(struct msg *msg)
{
    msg->state = MSG_STATE_DONE;
}

bool msg_idle(const struct msg *msg)
{
    return msg->state == MSG_STATE_HEAD && msg->raw.len == 0;
}

bool msg_has_head(const struct msg *msg)
{
    return msg->state != MSG_STATE_HEAD && msg->state != MSG_STATE_FAULT;
}

static enum msg_event msg_fault(struct msg *msg, int http, const char *detail)
{
    msg->fault = (struct http_fault) { http, detail };
    msg->state = MSG_STATE_FAULT;
    return MSG_FAULT;
}

static bool msg_bodiless_status(int status)
{
    return status < 200 || status == 204 || status == 304;
}

/* Where the message goes after its head (RFC 9112 section 6.3).  A response
 * that ends with the connection is malformed here: ours never ends. */
static enum msg_event msg_head_done(struct msg *msg)
{
    const struct http_head *head = &msg->head;

    msg->left = head->content_length;
    if (msg->role == HTTP_RESPONSE && msg_bodiless_status(head->status))
        msg->state = MSG_STATE_DONE; /* whatever length it may announce */
    else if (head->chunked)
        msg->state = MSG_STATE_CHUNK_SIZE;
    else if (head->content_length > 0)
        msg->state = MSG_STATE_SIZED;
    else if (head->content_length < 0 && msg->role == HTTP_RESPONSE)
        return msg_fault(msg, 400, "response without a length");
    else
        msg->state = MSG_STATE_DONE;
    return MSG_HEAD;
}

/* Does the head end with this byte?  Line ends are judged as they arrive, so
 * that garbage is refused at once instead of at a deadline. */
static bool head_complete(const struct buf *raw)
{
    return raw->len >= 4
           && memcmp(buf_data(raw) + raw->len - 4, "\r\n\r\n", 4) == 0;
}

/* The first byte that can be in no head; NULL when this one may stay. */
static const char *head_byte_fault(const struct buf *raw, uint8_t byte)
{
    bool after_cr = raw->len > 0 && buf_data(raw)[raw->len - 1] == '\r';

    if (after_cr != (byte == '\n'))
        return "CR and LF only come as a pair";
    if (byte == '\0')
        return "NUL in a head";
    if (raw->len == 0 && byte == '\r')
        return "empty line in front of a message";
    return NULL;
}

static enum msg_event feed_head(struct msg *msg, const uint8_t *bytes,
                                size_t n, size_t *used)
{
    for (size_t i = 0; i < n; i++) {
        const char *wrong = head_byte_fault(&msg->raw, bytes[i]);

        *used = i + 1;
        if (bytes[i] == RESET_BYTE) {
            msg_reset(msg);
            return MSG_RESET;
        }
        if (wrong)
            return msg_fault(msg, 400, wrong);
        if (buf_append(&msg->raw, &bytes[i], 1) < 0)
            return msg_fault(msg, 431, "head too large");
        if (!head_complete(&msg->raw))
            continue;
        if (http_head_parse(msg->role, (char *) buf_data(&msg->raw),
                            msg->raw.len, &msg->head, &msg->fault)
            < 0) {
            msg->state = MSG_STATE_FAULT;
            return MSG_FAULT;
        }
        return msg_head_done(msg);
    }
    return MSG_NEED_MORE;
}

/* Hands out a piece of the body; next is the state when it is over. */
static enum msg_event feed_data(struct msg *msg, const uint8_t *bytes,
                                size_t n, size_t *used, enum msg_state next)
{
    if (n == 0)
        return MSG_NEED_MORE;
    if ((int64_t) n > msg->left)
        n = (size_t) msg->left;
    msg->piece = bytes;
    msg->piece_len = n;
    msg->left -= (int64_t) n;
    msg->body_seen += (int64_t) n;
    if (msg->left == 0)
        msg->state = next;
    *used = n;
    return MSG_BODY;
}

static enum msg_event feed_sized(struct msg *msg, const uint8_t *bytes,
                                 size_t n, size_t *used)
{
    return feed_data(msg, bytes, n, used, MSG_STATE_DONE);
}

static enum msg_event feed_chunk_data(struct msg *msg, const uint8_t *bytes,
                                      size_t n, size_t *used)
{
    return feed_data(msg, bytes, n, used, MSG_STATE_CHUNK_END);
}

/*
 * Gathers one CRLF line into msg->line.
 *
 * Return: MSG_END when the line is there (without its CRLF, with a NUL),
 * MSG_NEED_MORE, MSG_RESET or MSG_FAULT.
 */
static enum msg_event feed_line(struct msg *msg, const uint8_t *bytes,
                                size_t n, size_t *used)
{
    for (size_t i = 0; i < n; i++) {
        *used = i + 1;
        if (bytes[i] == RESET_BYTE) {
            msg_reset(msg);
            return MSG_RESET;
        }
        if (msg->line_len > 0 && msg->line[msg->line_len - 1] == '\r') {
            if (bytes[i] != '\n')
                return msg_fault(msg, 400, "CR without LF in a chunked body");
            msg->line[msg->line_len - 1] = '\0';
            msg->line_len = 0;
            return MSG_END;
        }
        if (bytes[i] == '\n' || bytes[i] == '\0')
            return msg_fault(msg, 400, "stray LF or NUL in a chunked body");
        if (msg->line_len == sizeof(msg->line))
            return msg_fault(msg, 400, "line too long in a chunked body");
        msg->line[msg->line_len++] = (char) bytes[i];
    }
    return MSG_NEED_MORE;
}

/* chunk-size [ chunk-ext ]; extensions are ignored (RFC 9112 section 7.1.1).
 * Return: the size, or -1. */
static int64_t chunk_size_parse(const char *line)
{
    int64_t size = 0;
    int digits = 0;

    for (; num_hex_digit(*line) >= 0; line++) {
        if (++digits > 15) /* below 2^60: no overflow */
            return -1;
        size = size * 16 + num_hex_digit(*line);
    }
    if (digits == 0 || (*line && *line != ';'))
        return -1;
    return size;
}

static enum msg_event feed_chunk_size(struct msg *msg, const uint8_t *bytes,
                                      size_t n, size_t *used)
{
    enum msg_event event = feed_line(msg, bytes, n, used);

    if (event != MSG_END)
        return event;
    msg->left = chunk_size_parse(msg->line);
    if (msg->left < 0) {
        const char *why = chunk_broken(msg->line);

        msg->broken = why != NULL;
        return msg_fault(msg, 400, why ? why : "malformed chunk size");
    }
    msg->state = msg->left ? MSG_STATE_CHUNK_DATA : MSG_STATE_TRAILER;
    return MSG_BODY; /* an empty piece: go on */
}

static enum msg_event feed_chunk_end(struct msg *msg, const uint8_t *bytes,
                                     size_t n, size_t *used)
{
    enum msg_event event = feed_line(msg, bytes, n, used);

    if (event != MSG_END)
        return event;
    if (msg->line[0])
        return msg_fault(msg, 400, "chunk longer than its size");
    msg->state = MSG_STATE_CHUNK_SIZE;
    return MSG_BODY;
}

/* Trailer fields are read over; no field of ours may come there. */
static enum msg_event feed_trailer(struct msg *msg, const uint8_t *bytes,
                                   size_t n, size_t *used)
{
    enum msg_event event = feed_line(msg, bytes, n, used);

    if (event != MSG_END)
        return event;
    msg->trailer_len += strlen(msg->line);
    if (msg->trailer_len > HTTP_TRAILER_MAX)
        return msg_fault(msg, 431, "trailer too large");
    if (!msg->line[0])
        msg->state = MSG_STATE_DONE;
    else if (!http_field_named(msg->line))
        return msg_fault(msg, 400, "malformed trailer");
    return MSG_BODY;
}

static enum msg_event feed_done(struct msg *msg, const uint8_t *bytes,
                                size_t n, size_t *used)
{
    (void) msg;
    (void) bytes;
    (void) n;
    (void) used;
    return MSG_END;
}

static enum msg_event feed_fault(struct msg *msg, const uint8_t *bytes,
                                 size_t n, size_t *used)
{
    (void) msg;
    (void) bytes;
    *used = n;
    return MSG_FAULT;
}

enum msg_event msg_feed(struct msg *msg, const uint8_t *bytes, size_t n,
                        size_t *used)
{
    static enum msg_event (*const feeders[])(struct msg *, const uint8_t *,
                                             size_t, size_t *) = {
        [MSG_STATE_HEAD] = feed_head,
        [MSG_STATE_SIZED] = feed_sized,
        [MSG_STATE_CHUNK_SIZE] = feed_chunk_size,
        [MSG_STATE_CHUNK_DATA] = feed_chunk_data,
        [MSG_STATE_CHUNK_END] = feed_chunk_end,
        [MSG_STATE_TRAILER] = feed_trailer,
        [MSG_STATE_DONE] = feed_done,
        [MSG_STATE_FAULT] = feed_fault,
    };

    *used = 0;
    msg->piece_len = 0;
    return feeders[msg->state](msg, bytes, n, used);
}
