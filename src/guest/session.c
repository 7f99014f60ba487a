/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/admit.h"
#include "guest/agent.h"
#include "guest/handlers.h"
#include "guest/transfer.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/crypto.h"

/* File content kept ready for the port. */
#define STREAM_STEP (256 * 1024)

/* A buffer that grew past this for one answer is given back after it. */
#define KEEP_MAX (1024 * 1024)

static void session_deadline(void *arg);

void session_init(struct session *session, struct agent *agent)
{
    *session = (struct session) {
        .agent = agent,
        .deadline = { .expired = session_deadline, .arg = session },
    };
    msg_init(&session->in, HTTP_REQUEST);
    buf_init(&session->out, RESPONSE_MAX + HTTP_HEAD_MAX);
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
    request_free(session->request);
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

static void session_quarantine(struct session *session)
{
    msg_reset(&session->in);
    progress_over(session);
    session->state = SESSION_QUARANTINE;
}

void session_free(struct session *session)
{
    if (!session->agent)
        return;
    session_abandon(session);
    msg_free(&session->in);
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
    transfers_drop(&session->agent->transfers);
    log_debug(&session->agent->log, "client disconnected");
}

/* Nothing happened for too long. */
static void session_deadline(void *arg)
{
    static const struct http_fault late = { 408,
                                            "the request did not arrive" };
    struct session *session = arg;

    if (session->state == SESSION_RECEIVE) {
        if (!session->request)
            session->request = request_new(session, NULL);
        if (session->request && !session->request->answered)
            request_fault(session->request, &late);
    } else {
        log_warning(&session->agent->log, "client does not read its answer");
        buf_clear(&session->out);
    }
    forget_request(session);
    session_quarantine(session);
}

struct buf *session_begin_answer(struct session *session)
{
    return &session->out;
}

void session_answered(struct session *session)
{
    if (session->state == SESSION_WORK) {
        session->state = SESSION_SEND;
        progress(session);
    }
    port_kick(&session->agent->port);
}

/* The answer has left; the next request may come. */
static void session_next(struct session *session)
{
    size_t grown = session->out.cap;

    session_abandon(session);
    if (grown > KEEP_MAX)
        buf_free(&session->out);
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

size_t session_output(struct session *session, const uint8_t **bytes)
{
    struct request *request = session->request;

    if (session->out.len == 0 && request && request->stream_left > 0
        && session->state == SESSION_SEND)
        stream_more(session);
    if (bytes && session->out.len)
        *bytes = buf_data(&session->out);
    return session->out.len;
}

void session_sent(struct session *session, size_t n)
{
    buf_consume(&session->out, n);
    if (session->state != SESSION_SEND)
        return;
    if (session->out.len == 0
        && (!session->request || session->request->stream_left == 0))
        session_next(session);
    else
        progress(session);
}

/* --- a request begins ---------------------------------------------------- */

/* Which reads and parts go on with an operation that was counted before. */
static bool goes_on(struct request *request)
{
    struct transfers *transfers = &request->agent->transfers;
    const char *range = http_field_get(request->head, "Range");
    bool inside = range && strncmp(range, "bytes=0-", 8) != 0;
    AUTO_FREE char *value = NULL;

    if (request->route->id == ROUTE_CONTENT_PUT)
        return uri_query(request->head->target, "transfer", &value) == 0
               && transfer_find(transfers, value);
    if (request->route->id == ROUTE_CONTENT_GET)
        return uri_query(request->head->target, "path", &value) == 0
               && transfer_reading(transfers, value, inside);
    return false;
}

bool request_admit(struct request *request)
{
    int64_t wait = rate_take(&request->agent->rate, clock_ms());

    if (wait)
        request_busy(request, wait, "rate limit (rate_limit in the "
                                    "configuration of the agent)");
    return wait == 0;
}

static bool rate_check(struct request *request)
{
    /* A JSON download tells only in its body whether it goes on. */
    if ((request->route->flags & ROUTE_FREE)
        || request->route->id == ROUTE_FILE_DOWNLOAD || goes_on(request))
        return true;
    return request_admit(request);
}

static bool route_check(struct request *request)
{
    char allow[ROUTE_ALLOW_MAX];
    int r = route_match(request->head->method, request->head->target,
                        &request->route, &request->rest, allow);

    if (r == STATUS_METHOD_NOT_ALLOWED)
        request_not_allowed(request, allow);
    else if (r)
        request_fail(request, r, NULL, "no endpoint '%s %s'",
                     request->head->method, request->head->target);
    else
        request->handler = handler_get(request->route->id);
    return r == 0;
}

static void fail_auth(struct request *request, const struct error *err)
{
    struct json_object *extra = json_object_new_object();

    if (extra) {
        json_add_int(extra, "timestamp", clock_wall());
        json_add_string(extra, "boot_id", request->agent->boot_id);
    }
    request_fail(request, STATUS_AUTH_FAILED, extra, "%s", err->message);
}

static bool auth_needed(const struct request *request)
{
    return request->agent->settings.enable_auth
           && !(request->route->flags & ROUTE_OPEN);
}

static bool auth_verify(struct request *request, const char *body_sha256)
{
    struct error err = ERROR_INIT;

    if (auth_check_request(&request->agent->auth, request->head, body_sha256,
                           request->agent->boot_id, &err)
        == 0)
        return true;
    fail_auth(request, &err);
    return false;
}

/* A raw body is signed by its announced digest, so that nothing of an
 * unsigned one is written; the digest itself is compared at the end. */
static bool auth_check_raw(struct request *request)
{
    const char *claimed = http_field_get(request->head, "X-Content-SHA256");
    struct error err = ERROR_INIT;

    if (!claimed) {
        error_set(&err, STATUS_AUTH_FAILED, "X-Content-SHA256 is required");
        fail_auth(request, &err);
        return false;
    }
    request->body_digest = digest_new(DIGEST_SHA256);
    return request->body_digest && auth_verify(request, claimed);
}

static bool auth_check_raw_end(struct request *request)
{
    const char *claimed = http_field_get(request->head, "X-Content-SHA256");
    struct error err = ERROR_INIT;
    char hex[DIGEST_HEX_MAX];

    digest_hex(request->body_digest, hex);
    if (strcmp(hex, claimed) == 0)
        return true;
    error_set(&err, STATUS_AUTH_FAILED, "the body is not the signed one");
    fail_auth(request, &err);
    return false;
}

static bool auth_check_json(struct request *request)
{
    char hex[DIGEST_HEX_MAX];

    if (digest_bytes(DIGEST_SHA256, buf_data(&request->body),
                     request->body.len, hex)
        < 0)
        return false;
    return auth_verify(request, hex);
}

static bool size_check(struct request *request, int64_t n)
{
    int64_t max = request->agent->settings.max_request_size;

    if ((request->route->flags & ROUTE_RAW) || n <= max)
        return true;
    request_fail(request, STATUS_PAYLOAD_TOO_LARGE, NULL,
                 "the body is larger than server.max_request_size "
                 "(%lld bytes)",
                 (long long) max);
    return false;
}

/* Everything that can be said before the body has come. */
static void request_begin(struct request *request)
{
    bool raw;

    if (!route_check(request))
        return;
    raw = request->route->flags & ROUTE_RAW;
    if (!size_check(request, request->head->content_length))
        return;
    if (raw && auth_needed(request) && !auth_check_raw(request))
        return;
    if (!rate_check(request))
        return;
    if (raw)
        request->handler->open(request);
}

static void on_head(struct session *session)
{
    struct request *request = request_new(session, &session->in.head);

    session->request = request;
    if (!request) {
        session_quarantine(session);
        return;
    }
    request_begin(request);
    session->in.raw_body = request->route
                           && (request->route->flags & ROUTE_RAW);
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

/* --- its body ------------------------------------------------------------ */

static void on_body(struct session *session)
{
    struct request *request = session->request;
    const struct msg *in = &session->in;

    if (request->answered || !in->piece_len) /* an early error: drain */
        return;
    if (request->body_digest)
        digest_update(request->body_digest, in->piece, in->piece_len);
    if (in->raw_body)
        request->handler->body(request, in->piece, in->piece_len);
    else if (size_check(request, in->body_seen)
             && buf_append(&request->body, in->piece, in->piece_len) < 0)
        request_fail(request, STATUS_INTERNAL_ERROR, NULL, "out of memory");
}

/* The parameters of a JSON request.  Return: true when they are there;
 * otherwise it has been answered. */
static bool params_parse(struct request *request)
{
    struct error err = ERROR_INIT;
    int r = request_parse((const char *) buf_data(&request->body),
                          request->body.len, &request->params, &err);

    if (r)
        request_error(request, r, &err);
    return r == 0;
}

static void request_run(struct request *request)
{
    const struct route *route = request->route;

    if (auth_needed(request)) {
        bool fine = route->flags & ROUTE_RAW ? auth_check_raw_end(request)
                                             : auth_check_json(request);

        if (!fine)
            return;
    }
    if ((route->flags & ROUTE_JSON) && !params_parse(request))
        return;
    request->handler->run(request);
}

static void on_end(struct session *session)
{
    struct request *request = session->request;

    if (request->answered) { /* early, and now its body is drained */
        if (session->out.len == 0) {
            session_next(session);
        } else {
            session->state = SESSION_SEND;
            progress(session);
        }
        return;
    }
    session->state = SESSION_WORK;
    progress_over(session);
    request_run(request);
}

static void on_fault(struct session *session)
{
    struct http_fault fault = session->in.fault;

    if (!session->request)
        session->request = request_new(session, NULL);
    if (session->request && !session->request->answered)
        request_fault(session->request, &fault);
    forget_request(session);
    session_quarantine(session);
}

static size_t input_receive(struct session *session, const uint8_t *bytes,
                            size_t n)
{
    size_t used;

    progress(session);
    switch (msg_feed(&session->in, bytes, n, &used)) {
    case MSG_HEAD:
        on_head(session);
        break;
    case MSG_BODY:
        on_body(session);
        break;
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
    const uint8_t *marker = memchr(bytes, RESET_BYTE, n);

    if (!marker)
        return n;
    msg_reset(&session->in);
    session->state = SESSION_PROBE;
    return (size_t) (marker - bytes) + 1;
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

/* Behind a marker: only a well-formed sync leads out. */
static size_t input_probe(struct session *session, const uint8_t *bytes,
                          size_t n)
{
    size_t used;
    enum msg_event event = msg_feed(&session->in, bytes, n, &used);

    if (event == MSG_FAULT
        || (event == MSG_HEAD && !is_sync(&session->in.head))) {
        session_quarantine(session);
    } else if (event == MSG_HEAD) {
        buf_clear(&session->out); /* of the client before this one */
        session->state = SESSION_RECEIVE;
        on_head(session);
    }
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
        [SESSION_PROBE] = input_probe,
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
