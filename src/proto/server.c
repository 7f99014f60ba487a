/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A function for each state, and the ways in which a request is given up.  One
 * that stands behind another is read by a second message machine up to its
 * head; the two machines are swapped when it is its turn.
 */
#include <config.h>

#include "proto/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/crypto.h"
#include "util/num.h"

/* Internal: nothing to report, go on with the rest of the bytes. */
#define SERVER_GO_ON ((enum server_event) - 1)

void server_init(struct server *server)
{
    *server = (struct server) { .state = SESSION_RECEIVE };
    msg_init(&server->in, HTTP_REQUEST);
    msg_init(&server->next, HTTP_REQUEST);
    probe_init(&server->probe);
}

void server_free(struct server *server)
{
    msg_free(&server->in);
    msg_free(&server->next);
    probe_free(&server->probe);
}

/* --- from state to state ------------------------------------------------- */

static void swap(struct msg *a, struct msg *b)
{
    struct msg c = *a;

    *a = *b;
    *b = c;
}

/* Between two requests, with nothing of the first; what stood behind it is the
 * next. */
static void request_over(struct server *server)
{
    swap(&server->in, &server->next);
    msg_reset(&server->next);
    server->step = msg_has_head(&server->in) ? SERVER_STEP_FOUND
                                             : SERVER_STEP_HEAD;
    server->answered = false;
    server->raw = false;
    server->patient = false;
    server->crowded = false;
    server->adopted = false;
    server->state = SESSION_RECEIVE;
}

void server_quarantine(struct server *server)
{
    msg_reset(&server->next);
    request_over(server);
    server->state = SESSION_QUARANTINE;
}

/* Gives up what is being received, worked on or sent; what stands behind it is
 * another client's. */
static enum server_event give_up(struct server *server)
{
    bool working = server->state == SESSION_WORK;

    request_over(server);
    return working ? SERVER_ABANDON : SERVER_DROP;
}

/* Where the next request begins is unknown. */
static enum server_event lose(struct server *server, struct http_fault fault)
{
    bool answered = server->answered;

    server->fault = fault;
    server_quarantine(server);
    return answered ? SERVER_LOST : SERVER_FAULT;
}

enum server_event server_connected(struct server *server, bool fresh)
{
    enum server_event event = server_hangup(server);

    if (!fresh)
        server_quarantine(server);
    return event;
}

enum server_event server_hangup(struct server *server)
{
    server->token[0] = '\0';
    server->guarded = false;
    probe_reset(&server->probe);
    msg_reset(&server->next);
    return give_up(server);
}

enum server_event server_stalled(struct server *server)
{
    static const struct http_fault late = { 408,
                                            "the request did not arrive" };

    if (!server_deadline(server))
        return SERVER_NEED_MORE;
    if (server->state == SESSION_RECEIVE)
        return lose(server, late);
    if (server->state == SESSION_WORK) /* what stands behind it is late */
        return give_up(server);
    server_quarantine(server);
    return SERVER_DROP;
}

void server_answered(struct server *server)
{
    if (server->state == SESSION_WORK)
        server->state = SESSION_SEND;
    else if (server->step >= SERVER_STEP_TOLD)
        server->answered = true;
}

bool server_sent_all(struct server *server)
{
    if (server->state != SESSION_SEND)
        return false;
    request_over(server);
    return true;
}

void server_sent_before(struct server *server)
{
    server->crowded = false;
}

/* The client that sent this sync has the stream from here on. */
static enum server_event adopt(struct server *server)
{
    enum server_event event;

    swap(&server->next, &server->probe.msg);
    probe_reset(&server->probe);
    event = give_up(server);
    server->adopted = true;
    server->guarded = true;
    return event;
}

/* --- a request ----------------------------------------------------------- */

/* Return: enum route_flags; 0 when there is no such route. */
static unsigned int head_flags(const struct http_head *head)
{
    char allow[ROUTE_ALLOW_MAX];
    const struct route *route;
    const char *rest;

    return route_match(head->method, head->target, &route, &rest, allow) == 0
               ? route->flags
               : 0;
}

static enum server_event tell_head(struct server *server)
{
    unsigned int flags = head_flags(&server->in.head);

    server->raw = flags & ROUTE_RAW;
    server->patient = flags & ROUTE_WAITS;
    probe_reset(&server->probe);
    server->step = SERVER_STEP_TOLD;
    return SERVER_HEAD;
}

/* The driver has seen the head, and has answered it or not. */
static enum server_event head_told(struct server *server)
{
    static const struct http_fault unsure = {
        417, "whether a body follows is unknown"
    };

    server->step = SERVER_STEP_BODY;
    if (!server->in.head.expect_continue)
        return SERVER_GO_ON;
    if (!server->answered)
        return SERVER_CONTINUE;
    /* Told to stop, the client may or may not send its body. */
    return server->in.state == MSG_STATE_DONE ? SERVER_GO_ON
                                              : lose(server, unsure);
}

/* A piece of the body; marked: with a marker in it, or behind one. */
static enum server_event on_body(struct server *server, bool marked)
{
    if (server->in.piece_len == 0 || server->answered) /* drain */
        return SERVER_GO_ON;
    return marked ? SERVER_MARKED : SERVER_BODY;
}

static enum server_event on_end(struct server *server)
{
    if (server->answered) {
        server->state = SESSION_SEND;
        return SERVER_DRAINED;
    }
    server->state = SESSION_WORK;
    return SERVER_END;
}

/* --- sessions ------------------------------------------------------------ */

void server_begin(struct server *server, const char *token)
{
    snprintf(server->token, sizeof(server->token), "%s", token);
}

/* Is there a session, and is this its token (NULL: none)? */
static bool token_is(const struct server *server, const char *given)
{
    size_t n = strlen(server->token);

    return n > 0 && given && strlen(given) == n
           && crypto_equal(given, server->token, n);
}

bool server_session_fits(const struct server *server,
                         const struct route *route, const char *given)
{
    if (route->id == ROUTE_SYNC)
        return true;
    return given ? token_is(server, given) : !server->guarded;
}

/* --- a request that stands behind another -------------------------------- */

/* Does it come from the same client? */
static bool next_belongs(const struct server *server)
{
    return token_is(server, http_field_get(&server->next.head, "X-Session"));
}

/* It takes over: the one before has its answer, or could not be urged. */
static enum server_event pass(struct server *server)
{
    if (server->state == SESSION_WORK)
        return give_up(server);
    request_over(server);
    server->crowded = true;
    return SERVER_PASS;
}

/* --- bytes, by state ----------------------------------------------------- */

/*
 * Looks for a new client in the n bytes that the message has taken.  Once
 * there was a marker in a body, the bytes behind it may be a sync wherever the
 * message sees them: in the body, in its framing, or behind it, where the
 * killed client's body was almost complete.  A raw body is only looked at for
 * that last case, and not where a request may stand behind it: that would go
 * on with it in the same way, and its content is announced.
 *
 * Return: is there one?  *used is where it ends then.  *marked: a marker.
 */
static bool probe_taken(struct server *server, const uint8_t *bytes, size_t n,
                        size_t *used, bool *marked)
{
    struct probe *probe = &server->probe;
    bool found = false;
    size_t at = 0;

    *marked = false;
    if (!probe->marked && server->in.piece_len == 0)
        return false;
    if (server->raw && !server->patient)
        probe_raw(probe, bytes, n);
    if (server->raw)
        return false;
    while (at < n && !found) {
        at += probe_feed(probe, bytes + at, n - at, &found);
        *marked = *marked || probe->marked;
    }
    if (found)
        *used = at;
    return found;
}

/* What came of the request. */
static enum server_event on_message(struct server *server,
                                    enum msg_event event, bool marked)
{
    switch (event) {
    case MSG_HEAD:
        return tell_head(server);
    case MSG_BODY:
        return on_body(server, marked);
    case MSG_END:
        return on_end(server);
    case MSG_FAULT:
        return lose(server, server->in.fault);
    default:
        return SERVER_NEED_MORE;
    }
}

/* What came of the one behind it, of which no more than the head is taken. */
static enum server_event on_next(struct server *server, enum msg_event event)
{
    if (event == MSG_NEED_MORE)
        return SERVER_NEED_MORE;
    if (event != MSG_HEAD || !next_belongs(server))
        return give_up(server);
    return server->state == SESSION_WORK ? SERVER_URGE : pass(server);
}

static enum server_event feed_message(struct server *server, struct msg *msg,
                                      const uint8_t *bytes, size_t n,
                                      size_t *used)
{
    enum msg_event event = msg_feed(msg, bytes, n, used);
    bool marked;

    if (event == MSG_RESET) { /* a sync behind it needs no probe */
        probe_reset(&server->probe);
        return give_up(server);
    }
    if (probe_taken(server, bytes, *used, used, &marked))
        return adopt(server);
    return msg == &server->next ? on_next(server, event)
                                : on_message(server, event, marked);
}

static enum server_event feed_receive(struct server *server,
                                      const uint8_t *bytes, size_t n,
                                      size_t *used)
{
    if (server->step == SERVER_STEP_FOUND)
        return tell_head(server);
    if (server->step == SERVER_STEP_TOLD)
        return head_told(server);
    if (server->in.state == MSG_STATE_FAULT) /* it stood behind another */
        return lose(server, server->in.fault);
    return feed_message(server, &server->in, bytes, n, used);
}

/* Its client is gone, this is another one. */
static enum server_event feed_another(struct server *server, uint8_t first)
{
    bool adopted = server->adopted;
    bool completed = server->state == SESSION_WORK
                     && probe_goes_on(&server->probe, first);
    enum server_event event = give_up(server);

    if (adopted)
        server_quarantine(server);
    return completed ? SERVER_DROP : event;
}

/* Bytes while an answer is owed. */
static enum server_event feed_owing(struct server *server,
                                    const uint8_t *bytes, size_t n,
                                    size_t *used)
{
    if (msg_has_head(&server->next)) /* it was urged */
        return pass(server);
    if (n == 0)
        return SERVER_NEED_MORE;
    if (server->patient && !server->crowded)
        return feed_message(server, &server->next, bytes, n, used);
    return feed_another(server, bytes[0]);
}

static enum server_event feed_quarantine(struct server *server,
                                         const uint8_t *bytes, size_t n,
                                         size_t *used)
{
    bool found;

    if (n == 0)
        return SERVER_NEED_MORE;
    *used = probe_feed(&server->probe, bytes, n, &found);
    return found ? adopt(server) : SERVER_GO_ON;
}

enum server_event server_feed(struct server *server, const uint8_t *bytes,
                              size_t n, size_t *used)
{
    static enum server_event (*const feeders[])(
        struct server *, const uint8_t *, size_t, size_t *) = {
        [SESSION_RECEIVE] = feed_receive,
        [SESSION_WORK] = feed_owing,
        [SESSION_SEND] = feed_owing,
        [SESSION_QUARANTINE] = feed_quarantine,
    };
    enum server_event event;

    *used = 0;
    do {
        size_t step = 0;

        event = feeders[server->state](server, bytes, n - *used, &step);
        *used += step;
        if (step > 0) /* bytes may be NULL when there are none */
            bytes += step;
    } while (event == SERVER_GO_ON);
    return event;
}

/* --- questions ----------------------------------------------------------- */

const struct http_head *server_head(const struct server *server)
{
    return &server->in.head;
}

const uint8_t *server_body(const struct server *server, size_t *n)
{
    *n = server->in.piece_len;
    return server->in.piece;
}

int64_t server_body_seen(const struct server *server)
{
    return server->in.body_seen;
}

bool server_deadline(const struct server *server)
{
    return server->state == SESSION_SEND
           || (server->state == SESSION_RECEIVE && !msg_idle(&server->in))
           || !msg_idle(&server->next);
}

bool server_owes(const struct server *server)
{
    return server->state == SESSION_WORK || server->state == SESSION_SEND;
}

int server_heartbeat(const struct http_head *head, int64_t *seconds)
{
    const char *value = http_field_get(head, "X-Heartbeat");

    *seconds = 0;
    return value ? num_parse(value, 1, HEARTBEAT_MAX_S, seconds) : 0;
}
