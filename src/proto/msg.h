/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The message machine: bytes in, events out.  It reads requests on one side
 * and responses on the other, keeps no more than a head, and has never heard
 * of a file descriptor.
 *
 * Feed it what arrived and act on the event; it says how many bytes it took.
 * Whatever it did not take belongs to what comes next.
 */
#ifndef VSRPC_PROTO_MSG_H
#define VSRPC_PROTO_MSG_H

#include "proto/http.h"

enum msg_event {
    MSG_NEED_MORE, /* all bytes taken, nothing complete */
    MSG_HEAD,      /* msg->head is there; valid until the next msg_reset() */
    MSG_BODY,  /* a piece of the body: msg->piece, inside the bytes given */
    MSG_END,   /* the message is complete; msg_reset() before the next */
    MSG_RESET, /* the reset marker, where no body is: the message so far is
                * void (machine is already reset) */
    MSG_FAULT, /* malformed: msg->fault; where the message ends is unknown.
                * Only msg_reset() leads out */
};

enum msg_state {
    MSG_STATE_HEAD,
    MSG_STATE_SIZED, /* body with Content-Length */
    MSG_STATE_CHUNK_SIZE,
    MSG_STATE_CHUNK_DATA,
    MSG_STATE_CHUNK_END, /* the CRLF behind the data */
    MSG_STATE_TRAILER,
    MSG_STATE_DONE,
    MSG_STATE_FAULT,
};

struct msg {
    enum http_role role;
    enum msg_state state;
    struct buf raw; /* the head's bytes; head points into them */
    struct http_head head;
    struct http_fault fault;
    bool
        broken; /* a fault that is meant: the sender could not go on (chunk.h),
                  * and why is in the fault's detail */
    const uint8_t *piece; /* at MSG_BODY */
    size_t piece_len;
    int64_t left;      /* of the body, or of this chunk */
    int64_t body_seen; /* body bytes so far, for the caller's limits */
    char line[HTTP_CHUNK_LINE_MAX]; /* chunk-size or trailer line */
    size_t line_len;
    size_t trailer_len;
};

void msg_init(struct msg *msg, enum http_role role);
void msg_free(struct msg *msg);

/* Forgets the message so far and waits for the next head. */
void msg_reset(struct msg *msg);

/*
 * Takes bytes; *used says how many.  After MSG_HEAD, MSG_BODY and MSG_RESET
 * call it again with the rest, even when the rest is empty: MSG_END needs no
 * bytes.
 *
 * Return: the event.
 */
enum msg_event msg_feed(struct msg *msg, const uint8_t *bytes, size_t n,
                        size_t *used);

/* At MSG_HEAD: no body follows, whatever is announced; the request was a HEAD
 * (RFC 9112 section 6.3). */
void msg_no_body(struct msg *msg);

/* Is it between two messages, with nothing half received? */
bool msg_idle(const struct msg *msg);

/* Is its head there, and nothing wrong behind it so far? */
bool msg_has_head(const struct msg *msg);

#endif
