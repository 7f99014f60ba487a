/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/session.h"

#include <string.h>

#include "guest/admission.h"
#include "guest/agent.h"
#include "guest/handlers.h"
#include "guest/transfer.h"

/* File content kept ready for the port. */
#define STREAM_STEP (256 * 1024)

/* The output never holds more than a head and a small body, or one step. */
#define OUT_MAX (HTTP_HEAD_MAX + 2 * STREAM_STEP)

static void session_deadline(void *arg);

void session_init(struct session *session, struct agent *agent)
{
    *session = (struct session) {
        .agent = agent,
        .deadline = { .expired = session_deadline, .arg = session },
    };
    msg_init(&session->in, HTTP_REQUEST);
    msg_init(&session->probe.msg, HTTP_REQUEST);
    buf_init(&session->out, OUT_MAX);
}

static void progress(struct session *session)
{
    loop_timer_start(&session->agent->loop, &session->deadline,
                     session->agent->settings.request_timeout);
}

static void progress_over(struct session *session)
{
    loop_timer_stop(&session->agent->loop, &session->deadline);
}

static void forget_request(struct session *session)
{
    request_abandon(session->request);
    session->request = NULL;
}

/* Drops what is being received, worked on or sent. */
static void session_abandon(struct session *session)
{
    forget_request(session);
    buf_clear(&session->out);
    msg_reset(&session->in);
    progress_over(session);
    session->state = SESSION_RECEIVE;
}

static void probe_reset(struct probe *probe)
{
    msg_reset(&probe->msg);
    probe->marked = false;
}

static void session_quarantine(struct session *session)
{
    msg_reset(&session->in);
    probe_reset(&session->probe);
    progress_over(session);
    session->state = SESSION_QUARANTINE;
}

void session_free(struct session *session)
{
    if (!session->agent)
        return;
    session_abandon(session);
    msg_free(&session->in);
    msg_free(&session->probe.msg);
    buf_free(&session->out);
}

void session_connected(struct session *session, bool fresh)
{
    session_abandon(session);
    if (!fresh)
        session_quarantine(session);
    log_debug(&session->agent->log, "client connected%s",
              fresh ? "" : " before this agent was there");
}

void session_hangup(struct session *session)
{
    session_abandon(session);
    transfers_leave(&session->agent->transfers);
    log_debug(&session->agent->log, "client disconnected");
}

/* The request that is being received, worked on or sent has its answer. */
static void session_answered(void *arg)
{
    struct session *session = arg;

    if (session->state == SESSION_WORK) {
        session->state = SESSION_SEND;
        progress(session);
    }
}

static struct request *session_request(struct session *session,
                                       const struct http_head *head)
{
    return request_new(session->agent, head, &session->out, session_answered,
                       session);
}

/* Nothing happened for too long. */
static void session_deadline(void *arg)
{
    static const struct http_fault late = { 408,
                                            "the request did not arrive" };
    struct session *session = arg;

    if (session->state == SESSION_RECEIVE) {
        if (!session->request)
            session->request = session_request(session, NULL);
        if (session->request && !session->request->answered)
            request_fault(session->request, &late);
    } else {
        log_warning(&session->agent->log, "client does not read its answer");
        buf_clear(&session->out);
    }
    forget_request(session);
    session_quarantine(session);
}

/* Appends file content to the output.  A file that became shorter is filled
 * up with zeros, because the length has been announced: the digest, the ETag
 * and the log tell of it. */
static void stream_more(struct session *session)
{
    struct request *request = session->request;
    size_t want = STREAM_STEP;
    uint8_t *where;
    ssize_t got;

    if (request->stream_left < (int64_t) want)
        want = (size_t) request->stream_left;
    if (buf_reserve(&session->out, want, &where) < 0)
        return;
    got = pread(request->stream_fd, where, want, request->stream_at);
    if (got <= 0) {
        log_warning(&session->agent->log,
                    "file became shorter while it was sent");
        memset(where, 0, want);
        got = (ssize_t) want;
    }
    buf_commit(&session->out, (size_t) got);
    request->stream_at += got;
    request->stream_left -= got;
}

/* What follows behind the output buffer: a large text, or a file. */
static bool more_follows(const struct session *session)
{
    const struct request *request = session->request;

    return session->state == SESSION_SEND && request
           && (request->text_left > 0 || request->stream_left > 0);
}

size_t session_output(struct session *session, const uint8_t **bytes)
{
    struct request *request = session->request;

    if (session->out.len == 0 && more_follows(session)) {
        if (request->text_left > 0) {
            if (bytes)
                *bytes = (const uint8_t *) request->text;
            return request->text_left;
        }
        stream_more(session);
    }
    if (bytes && session->out.len)
        *bytes = buf_data(&session->out);
    return session->out.len;
}

void session_sent(struct session *session, size_t n)
{
    if (session->out.len > 0) {
        buf_consume(&session->out, n);
    } else if (session->request) {
        session->request->text += n;
        session->request->text_left -= n;
    }
    if (session->state != SESSION_SEND)
        return;
    if (session->out.len == 0 && !more_follows(session))
        session_abandon(session);
    else
        progress(session);
}

/* --- a new client among the bytes of an old one -------------------------- */

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

/*
 * Looks for the reset marker and a well-formed sync behind it.
 *
 * Return: the bytes looked at; *found when they end with the head of a sync,
 * which is in probe->msg then.
 */
static size_t probe_feed(struct probe *probe, const uint8_t *bytes, size_t n,
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

static void on_head(struct session *session);

/* The client that sent this sync has the stream from here on. */
static void session_adopt(struct session *session)
{
    struct msg sync = session->probe.msg;

    session_abandon(session);
    session->probe.msg = session->in;
    session->in = sync;
    on_head(session);
}

/* --- a request ----------------------------------------------------------- */

static bool body_is_raw(const struct request *request)
{
    return request->route && (request->route->flags & ROUTE_RAW);
}

static void on_head(struct session *session)
{
    struct request *request = session_request(session, &session->in.head);

    session->request = request;
    if (!request) {
        session_quarantine(session);
        return;
    }
    admission_begin(request);
    probe_reset(&session->probe);
    if (!session->in.head.expect_continue)
        return;
    if (!request->answered) {
        http_write_status(&session->out, 100);
        http_write_end(&session->out);
    } else if (session->in.state != MSG_STATE_DONE) {
        /* Told to stop, the client may or may not send its body. */
        forget_request(session);
        session_quarantine(session);
    }
}

static void body_take(struct session *session)
{
    struct request *request = session->request;
    const struct msg *in = &session->in;

    if (request->answered || !in->piece_len) /* an early error: drain */
        return;
    if (request->body_digest)
        digest_update(request->body_digest, in->piece, in->piece_len);
    if (body_is_raw(request))
        request->handler->body(request, in->piece, in->piece_len);
    else if (admission_size(request, in->body_seen)
             && buf_append(&request->body, in->piece, in->piece_len) < 0)
        request_fail(request, STATUS_INTERNAL_ERROR, NULL, "out of memory");
}

/*
 * Looks for a new client in a body that cannot hold the marker.
 *
 * Return: NULL, or what stands behind the sync that was found.
 */
static const uint8_t *body_probe(struct session *session)
{
    const uint8_t *at = session->in.piece;
    const uint8_t *end = at + session->in.piece_len;
    struct request *request = session->request;
    bool found = false;
    bool wrong = false;

    while (at < end && !found) {
        at += probe_feed(&session->probe, at, (size_t) (end - at), &found);
        wrong = wrong || session->probe.marked;
    }
    if (wrong && !found && !request->answered)
        request_fail(request, STATUS_JSON_PARSE_ERROR, NULL,
                     "byte 0xFF in a body that is not raw");
    return found ? at : NULL;
}

/* Return: where the input goes on; NULL: behind this piece. */
static const uint8_t *on_body(struct session *session)
{
    const uint8_t *rest = NULL;

    if (!body_is_raw(session->request))
        rest = body_probe(session);
    if (rest)
        session_adopt(session);
    else
        body_take(session);
    return rest;
}

static void on_end(struct session *session)
{
    struct request *request = session->request;

    if (request->answered) { /* early, and now its body is drained */
        if (session->out.len == 0) {
            session_abandon(session);
        } else {
            session->state = SESSION_SEND;
            progress(session);
        }
        return;
    }
    session->state = SESSION_WORK;
    progress_over(session);
    admission_run(request);
}

static void on_fault(struct session *session)
{
    struct http_fault fault = session->in.fault;

    if (!session->request)
        session->request = session_request(session, NULL);
    if (session->request && !session->request->answered)
        request_fault(session->request, &fault);
    forget_request(session);
    session_quarantine(session);
}

static size_t input_receive(struct session *session, const uint8_t *bytes,
                            size_t n)
{
    const uint8_t *rest;
    size_t used;

    progress(session);
    switch (msg_feed(&session->in, bytes, n, &used)) {
    case MSG_HEAD:
        on_head(session);
        break;
    case MSG_BODY:
        rest = on_body(session);
        return rest ? (size_t) (rest - bytes) : used;
    case MSG_END:
        on_end(session);
        break;
    case MSG_RESET: /* the machine has reset itself */
        session_abandon(session);
        break;
    case MSG_FAULT:
        on_fault(session);
        break;
    case MSG_NEED_MORE:
        break;
    }
    return used;
}

static size_t input_quarantine(struct session *session, const uint8_t *bytes,
                               size_t n)
{
    bool found;
    size_t used = probe_feed(&session->probe, bytes, n, &found);

    if (found)
        session_adopt(session);
    return used;
}

/* Bytes while an answer is owed: its client is gone, this is another one. */
static size_t input_interrupt(struct session *session, const uint8_t *bytes,
                              size_t n)
{
    (void) bytes;
    (void) n;
    log_info(&session->agent->log,
             "new request before the answer to the last: that one is dropped");
    session_abandon(session);
    return 0;
}

void session_input(struct session *session, const uint8_t *bytes, size_t n)
{
    static size_t (*const inputs[])(struct session *, const uint8_t *,
                                    size_t) = {
        [SESSION_RECEIVE] = input_receive,
        [SESSION_WORK] = input_interrupt,
        [SESSION_SEND] = input_interrupt,
        [SESSION_QUARANTINE] = input_quarantine,
    };

    while (n > 0) {
        size_t used = inputs[session->state](session, bytes, n);

        bytes += used;
        n -= used;
    }
    /* The end of a message needs no bytes. */
    if (session->state == SESSION_RECEIVE && session->request)
        input_receive(session, NULL, 0);
    if (session->state == SESSION_RECEIVE && msg_idle(&session->in))
        progress_over(session);
}
