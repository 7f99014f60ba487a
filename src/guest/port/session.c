/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Does what the events of proto/server.h ask for.  Output is fetched by the
 * port: file content and very large JSON are made piece by piece as the port
 * takes them, so that no answer has to be in memory as a whole.
 */
#include <config.h>

#include "guest/port/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/core/settings.h"
#include "guest/file/transfer.h"
#include "guest/job/jobs.h"
#include "guest/request/admission.h"
#include "guest/request/detached.h"
#include "proto/chunk.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/fd.h"
#include "util/log.h"

/* File content kept ready for the port. */
#define STREAM_STEP (256 * 1024)

/* The output never holds more than two answers with their bodies (one request
 * may stand behind another), or one step. */
#define OUT_MAX (2 * (HTTP_HEAD_MAX + JOB_ANSWER_MAX))

static void session_deadline(void *arg);
static void session_heartbeat(void *arg);

void session_init(struct session *session, struct context *context)
{
    *session = (struct session) {
        .context = context,
        .deadline = { .expired = session_deadline, .arg = session },
        .heartbeat = { .expired = session_heartbeat, .arg = session },
    };
    server_init(&session->server);
    buf_init(&session->out, OUT_MAX);
}

/* --- timers -------------------------------------------------------------- */

/* Bytes came or went, or the state has changed. */
static void progress(struct session *session)
{
    struct loop *loop = session->context->loop;

    if (server_deadline(&session->server))
        loop_timer_start(loop, &session->deadline,
                         session->context->settings->request_timeout);
    else
        loop_timer_stop(loop, &session->deadline);
}

/* Nobody who did not ask for it costs a timer. */
static void heartbeat_start(struct session *session)
{
    if (session->server.state == SESSION_WORK
        && session->request->heartbeat_s > 0)
        loop_timer_start(session->context->loop, &session->heartbeat,
                         session->request->heartbeat_s * 1000);
}

static void heartbeat_stop(struct session *session)
{
    loop_timer_stop(session->context->loop, &session->heartbeat);
}

/* A response on the way to the answer: all of it, or nothing. */
static void interim(struct session *session, int http)
{
    const char *id = session->request->id;
    struct buf line;
    int r;

    buf_init(&line, HTTP_HEAD_MAX);
    r = http_write_status(&line, http);
    if (r == 0 && *id)
        r = http_write_field(&line, "X-Request-ID", "%s", id);
    if (r == 0)
        r = http_write_end(&line);
    if (r == 0)
        buf_append(&session->out, buf_data(&line), line.len);
    buf_free(&line);
}

/* Whoever does not read the last sign of life needs no further one. */
static void session_heartbeat(void *arg)
{
    struct session *session = arg;

    if (session->out.len == 0)
        interim(session, 102);
    heartbeat_start(session);
}

/* --- requests ------------------------------------------------------------ */

/* NULL: none any more. */
static void serve(struct session *session, struct request *request)
{
    session->request = request;
    transfers_busy(session->context->transfers, request != NULL);
}

/* The request is nothing to this session any more. */
static void forget_request(struct session *session)
{
    heartbeat_stop(session);
    request_free(session->request);
    serve(session, NULL);
}

/* Head, and body if there is one that is to be copied: all, or nothing.  In
 * front of a stream that is its first chunk. */
static int take_answer(struct session *session, const struct request *request)
{
    const struct buf *head = &request->out;
    bool chunked = request->stream.left > 0;
    size_t before = chunked ? CHUNK_HEAD : 0;
    size_t n = request->write ? request->write_n : 0;
    size_t all = head->len + before + n + (chunked ? CHUNK_TAIL : 0);
    uint8_t *where;
    int r = buf_reserve(&session->out, all, &where);

    if (r < 0)
        return r;
    memcpy(where, buf_data(head), head->len);
    if (n > 0)
        request->write(request->write_arg, where + head->len + before);
    if (chunked)
        chunk_frame(where + head->len, n);
    buf_commit(&session->out, all);
    return 0;
}

/* The request has its answer, perhaps before it was whole. */
static void session_answered(void *arg)
{
    struct session *session = arg;
    struct request *request = session->request;

    if (take_answer(session, request) < 0) {
        log_error(session->context->log, "no memory to send an answer");
        request->text_left = 0;
        request->stream.left = 0;
        flow_end(&request->flow);
        request_last_resort(&session->out, request->id);
    }
    heartbeat_stop(session);
    server_answered(&session->server);
    progress(session);
}

static struct request *session_request(struct session *session,
                                       const struct http_head *head)
{
    return request_new(session->context, head, session_answered, session);
}

/* There is none for the request: it is answered all the same, and drained. */
static void no_memory(struct session *session)
{
    const struct http_head *head = server_head(&session->server);

    log_error(session->context->log, "no memory for a request");
    request_last_resort(&session->out, http_field_get(head, "X-Request-ID"));
    server_answered(&session->server);
}

static void on_head(struct session *session)
{
    serve(session, session_request(session, server_head(&session->server)));
    if (session->request)
        admission_begin(session->request);
    else
        no_memory(session);
}

static void on_continue(struct session *session)
{
    interim(session, 100);
}

static void on_body(struct session *session)
{
    struct request *request = session->request;
    size_t n;
    const uint8_t *bytes = server_body(&session->server, &n);

    if (request->body_digest)
        digest_update(request->body_digest, bytes, n);
    if (request->route->flags & ROUTE_RAW)
        admission_body(request, bytes, n);
    else if (admission_size(request, server_body_seen(&session->server))
             && buf_append(&request->body, bytes, n) < 0)
        request_fail(request, STATUS_INTERNAL_ERROR, NULL, "out of memory");
}

static void on_marked(struct session *session)
{
    request_fail(session->request, STATUS_JSON_PARSE_ERROR, NULL,
                 "byte 0xFF in a body that is not a file's: send it as "
                 "base64");
}

static void on_end(struct session *session)
{
    admission_run(session->request);
    heartbeat_start(session);
}

/* The answer may have gone out while its request was drained. */
static void on_drained(struct session *session)
{
    if (session_output(session, NULL) == 0
        && server_sent_all(&session->server))
        forget_request(session);
}

static void on_fault(struct session *session)
{
    struct http_fault fault = session->server.fault;

    if (!session->request)
        serve(session, session_request(session, NULL));
    if (session->request)
        request_fault(session->request, &fault);
    forget_request(session);
}

/* Another request stands behind this one, which only waits. */
static void on_urge(struct session *session)
{
    struct request *request = session->request;

    if (request->urge)
        request->urge(request->work);
}

static void on_pass(struct session *session)
{
    forget_request(session);
    session->passed = session->out.len;
}

static void on_drop(struct session *session)
{
    forget_request(session);
    buf_clear(&session->out);
    session->passed = 0;
}

/* The one place where a request loses its client while it is carried out.
 * From here on it belongs to detached.c. */
static void on_abandon(struct session *session)
{
    struct request *request = session->request;

    serve(session, NULL);
    on_drop(session);
    detached_take(request);
}

static void on_event(struct session *session, enum server_event event)
{
    static void (*const handlers[])(struct session *) = {
        [SERVER_HEAD] = on_head,   [SERVER_CONTINUE] = on_continue,
        [SERVER_BODY] = on_body,   [SERVER_MARKED] = on_marked,
        [SERVER_END] = on_end,     [SERVER_DRAINED] = on_drained,
        [SERVER_FAULT] = on_fault, [SERVER_LOST] = forget_request,
        [SERVER_URGE] = on_urge,   [SERVER_PASS] = on_pass,
        [SERVER_DROP] = on_drop,   [SERVER_ABANDON] = on_abandon,
    };

    if (event != SERVER_NEED_MORE)
        handlers[event](session);
    progress(session);
}

/* --- who comes and goes -------------------------------------------------- */

void session_free(struct session *session)
{
    if (!session->context)
        return;
    on_drop(session);
    loop_timer_stop(session->context->loop, &session->deadline);
    server_free(&session->server);
    buf_free(&session->out);
}

/* Whoever was there before this agent may wait for the last one's answer. */
static void say_reset(struct session *session)
{
    static const uint8_t reset = RESET_BYTE;

    buf_append(&session->out, &reset, 1);
}

void session_connected(struct session *session, bool fresh)
{
    on_event(session, server_connected(&session->server, fresh));
    if (!fresh)
        say_reset(session);
    jobs_connected(session->context->jobs);
    log_debug(session->context->log, "client connected%s",
              fresh ? "" : " before this agent was there");
}

void session_hangup(struct session *session)
{
    on_event(session, server_hangup(&session->server));
    transfers_leave(session->context->transfers);
    jobs_hangup(session->context->jobs);
    buf_free(&session->out); /* after a large answer it is that large */
    log_debug(session->context->log, "client disconnected");
}

/* What random numbers are made of goes back with a guest to its snapshot, and
 * may then give the same ones again.  The nanosecond of a sync does not. */
const char *session_handshake(struct session *session)
{
    char seed[SESSION_TOKEN_LEN + 64];
    char token[DIGEST_HEX_MAX];
    struct timespec now;
    int n;

    if (crypto_random_hex(token, SESSION_TOKEN_LEN / 2) < 0)
        return NULL;
    clock_boot(&now);
    n = snprintf(seed, sizeof(seed), "%s %lld %ld", token,
                 (long long) now.tv_sec, now.tv_nsec);
    if (digest_bytes(DIGEST_SHA256, seed, (size_t) n, token) < 0)
        return NULL;
    token[SESSION_TOKEN_LEN] = '\0';
    server_begin(&session->server, token);
    return session->server.token;
}

/* Nothing happened for too long. */
static void session_deadline(void *arg)
{
    struct session *session = arg;
    enum server_event event;

    if (session->server.state == SESSION_SEND)
        log_warning(session->context->log, "client does not read its answer");
    do {
        event = server_stalled(&session->server);
        on_event(session, event);
    } while (event != SERVER_NEED_MORE);
}

static bool is_loss(enum server_event event)
{
    return event == SERVER_DROP || event == SERVER_ABANDON;
}

void session_input(struct session *session, const uint8_t *bytes, size_t n)
{
    enum server_event event;

    do {
        bool owed = server_owes(&session->server);
        size_t used;

        event = server_feed(&session->server, bytes, n, &used);
        if (owed && is_loss(event))
            log_info(session->context->log, "new request before the answer to "
                                            "the last: that one is dropped");
        on_event(session, event);
        bytes += used;
        n -= used;
    } while (event != SERVER_NEED_MORE);
}

/* --- output -------------------------------------------------------------- */

/* The content ends too early: the client sees that, and nothing more comes. */
static void stream_break(struct session *session, int error)
{
    const struct request_stream *stream = &session->request->stream;

    log_error(session->context->log,
              "a file that is sent cannot be read on at byte %lld: %s",
              (long long) stream->at,
              error ? strerror(error) : "it became shorter");
    chunk_break(&session->out, stream->at, error);
    server_quarantine(&session->server);
    forget_request(session);
}

/* Appends a chunk of file content to the output, and what ends the last. */
static void stream_more(struct session *session)
{
    struct request_stream *stream = &session->request->stream;
    size_t want = STREAM_STEP;
    uint8_t *where;
    int64_t got;

    if (stream->left < (int64_t) want)
        want = (size_t) stream->left;
    got = buf_reserve(&session->out, CHUNK_HEAD + want + CHUNK_TAIL, &where);
    if (got == 0)
        got = fd_pread_full(stream->fd, where + CHUNK_HEAD, want, stream->at);
    if (got <= 0) {
        stream_break(session, (int) -got);
        return;
    }
    chunk_frame(where, (size_t) got);
    buf_commit(&session->out, CHUNK_HEAD + (size_t) got + CHUNK_TAIL);
    download_take(stream->download, where + CHUNK_HEAD, (size_t) got);
    stream->at += got;
    stream->left -= got;
    if (stream->left > 0)
        return;
    chunk_end(&session->out);
    download_pause(session->context->transfers, stream->download, stream->fd);
}

/* What follows behind the output buffer: a large text, at once or made on the
 * way, or a file. */
static bool more_follows(const struct session *session)
{
    const struct request *request = session->request;

    return session->server.state == SESSION_SEND && request
           && (request->text_left > 0 || request->flow.left > 0
               || request->stream.left > 0);
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
        if (request->flow.left > 0)
            flow_more(&request->flow, &session->out, STREAM_STEP);
        else
            stream_more(session);
    }
    if (bytes && session->out.len)
        *bytes = buf_data(&session->out);
    return session->out.len;
}

/* n bytes of the output were sent, perhaps the last of an answer before. */
static void sent_before(struct session *session, size_t n)
{
    if (session->passed == 0)
        return;
    session->passed -= n < session->passed ? n : session->passed;
    if (session->passed == 0)
        server_sent_before(&session->server);
}

void session_sent(struct session *session, size_t n)
{
    if (session->out.len > 0) {
        sent_before(session, n);
        buf_consume(&session->out, n);
    } else if (session->request) {
        session->request->text += n;
        session->request->text_left -= n;
    }
    if (session->server.state != SESSION_SEND)
        return;
    if (session->out.len == 0 && !more_follows(session)
        && server_sent_all(&session->server))
        forget_request(session);
    progress(session);
}
