/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One request in work, and how handlers answer it.
 *
 * A handler answers exactly once: at once, or later from a callback of a
 * process.  Until then it may leave something in work, with a function that
 * drops it; that is called when the client has gone or the request has been
 * answered, whichever comes first.
 */
#ifndef VSRPC_GUEST_REQUEST_REQUEST_H
#define VSRPC_GUEST_REQUEST_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/core/loop.h"
#include "proto/envelope.h"
#include "proto/flow.h"
#include "proto/http.h"
#include "proto/limits.h"
#include "proto/route.h"
#include "proto/status.h"
#include "proto/uri.h"
#include "util/buf.h"
#include "util/crypto.h"
#include "util/error.h"

struct context;
struct digest;
struct query_form;
struct replay_entry;
struct user;
struct download;
struct request;

/* What is behind a route. */
struct handler {
    /* All of it acts with the rights of the user that the request names: in a
     * row QUERY_USER of the form, or as a parameter. */
    bool as_user;
    /* What its query may have, read into request->query before anything of the
     * handler is called; NULL: it is not looked at. */
    const struct query_form *query;
    /* ROUTE_RAW only: the head is there, the body comes.  May answer. */
    void (*open)(struct request *request);
    /* ROUTE_RAW only: a piece of the body.  May answer. */
    void (*body)(struct request *request, const uint8_t *bytes, size_t n);
    /* The whole request is there, and was not answered yet. */
    void (*run)(struct request *request);
};

/* A body that is a piece of a file, behind what of it is there already.  It is
 * sent in chunks, for a failure has to show. */
struct request_stream {
    int fd; /* -1: none */
    int64_t at;
    int64_t left;
    struct download *download; /* told what is sent; NULL: nobody is */
};

/* An answer as it is made. */
struct outcome {
    int http;
    int code;
    const char *text; /* the body, owned by root; NULL: no memory */
    size_t n; /* its bytes; above REPLAY_ANSWER_MAX not all are in text */
    struct json_object *root;
    struct json_object *data; /* part of root; may be NULL */
};

/* Hears what becomes of a request. */
struct request_listener {
    /* It is answered; called once, before anything of the answer is sent. */
    void (*answered)(struct request *request, const struct outcome *outcome);
    /* It is freed, answered or not. */
    void (*dropped)(struct request *request);
};

/* All of it is the request's own: it stays whole when the session that began
 * it has given it up. */
struct request {
    struct context *context;
    struct buf out; /* head of the answer, and a body that is
                     * copied */
    const struct request_listener *listener; /* NULL: none */
    void (*ready)(void *arg); /* the answer is there; NULL: nobody waits */
    void *ready_arg;
    struct http_head *head; /* NULL when there was no readable one */
    const struct route *route;
    const struct handler *handler;
    const char *rest;            /* of the path, for ROUTE_PREFIX */
    void *query;                 /* object of the handler's form */
    struct user *user;           /* whose rights it has; NULL: the agent's */
    char id[REQUEST_ID_MAX + 1]; /* X-Request-ID, "" for none */
    int64_t started_us;
    struct buf body;            /* of a JSON request */
    struct json_object *params; /* its parameters, once parsed */
    struct digest *body_digest; /* of a raw body, when it is announced */
    int64_t heartbeat_s;        /* between signs of life; 0: none */
    bool answered;
    bool answer_lost; /* … but there was no memory for the answer */
    bool counted_running;

    void *work;
    void (*drop)(void *work);
    /* Asks the work to end soon, with an answer; NULL: it cannot be asked. */
    void (*end)(void *work);
    /* ROUTE_WAITS only: ends the wait.  It has been answered on return, and
     * all of the answer is in out. */
    void (*urge)(void *work);

    /* Never twice (replay.h, detached.h). */
    char body_sha256[DIGEST_HEX_MAX]; /* "": not made */
    struct replay_entry *entry;       /* of this request, while it runs */
    bool recalled;                    /* its id was known when its head came */
    bool replayed;           /* the answer is that to an earlier one */
    bool detached;           /* it goes on without its client */
    bool ending;             /* it was asked to end */
    struct loop_timer grace; /* of a detached one */
    struct request *next_detached;

    /* An answer too large to be copied, sent behind the head from where its
     * JSON is. */
    struct json_object *answer;
    const char *text;
    size_t text_left;
    char *copy; /* text, when it is no JSON's */

    /* One with parts that are too large to be made a text at once. */
    struct flow flow;

    /* A body that is not in out, for ready() to fetch; NULL: there is none. */
    void (*write)(void *arg, uint8_t *where);
    void *write_arg;
    size_t write_n;

    struct request_stream stream; /* sent behind all of that */
};

/*
 * Starts a request; ready is called once, when the answer is there: its head
 * and perhaps a small body in request->out, a large body behind it in text, in
 * the flow or in the stream.  head is copied and may be NULL.
 *
 * Return: the request, or NULL without memory.
 */
struct request *request_new(struct context *context,
                            const struct http_head *head,
                            void (*ready)(void *arg), void *ready_arg);

/* Frees a request and drops its work.  NULL is allowed. */
void request_free(struct request *request);

/*
 * Makes the zeroed object that a handler keeps while it works; drop frees it
 * and ends what it has under way.
 *
 * Return: the object, owned by the request; NULL without memory, and then the
 * request has been answered.
 */
void *request_work(struct request *request, size_t size,
                   void (*drop)(void *work));

/*
 * Answers with an envelope.  data is taken over; it may be NULL for an error,
 * and for a success it means that there was no memory.  message NULL means
 * the words of the code.
 */
void request_reply(struct request *request, int code, const char *message,
                   struct json_object *data);

/* Answers code 0, "success". */
void request_ok(struct request *request, struct json_object *data);

/*
 * Appends the answer for when there is no memory for the right one: whoever
 * waits must get one.  id is the request's; NULL or "" where there is none.
 */
void request_last_resort(struct buf *out, const char *id);

/*
 * Answers with an error: data.error_type, data.detail, and the members of
 * extra (taken over, may be NULL).
 */
void request_fail(struct request *request, int code, struct json_object *extra,
                  const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Answers with what a function returned: a positive enum status_code, or a
 * negative errno, which is translated; the detail is the error's message. */
void request_error(struct request *request, int result,
                   const struct error *err);

/* The same with the members of extra (taken over, may be NULL). */
void request_error_with(struct request *request, int result,
                        struct json_object *extra, const struct error *err);

/* Answers a message that could not be understood as HTTP says. */
void request_fault(struct request *request, const struct http_fault *fault);

/* Answers that the path is there but not for this method; allow lists those
 * that are. */
void request_not_allowed(struct request *request, const char *allow);

/* Answers that a limit was passed; wait_ms: when to come back. */
void request_busy(struct request *request, int64_t wait_ms,
                  const char *detail);

/*
 * Answers with the body of an earlier answer, n bytes.  They are copied,
 * unless root is the JSON object that owns them.
 */
void request_replay(struct request *request, int http, int code,
                    const char *text, size_t n, struct json_object *root);

struct request_field {
    const char *name;
    const char *value;
};

/*
 * Answers with n bytes (at most JOB_ANSWER_MAX), and fields (ends with a NULL
 * name) in its head.  write is called at most once, before this returns, to
 * put them where they are sent from.
 */
void request_bytes(struct request *request, int http,
                   const struct request_field *fields, size_t n,
                   void (*write)(void *arg, uint8_t *where), void *arg);

/* Answers with a head alone (HEAD, 304); length is that of the content. */
void request_head_only(struct request *request, int http,
                       const struct request_field *fields, int64_t length);

/*
 * Answers with a piece of a file in chunks: the first has n bytes, as in
 * request_bytes(), and the stream, which is not empty and whose descriptor is
 * taken over, follows.
 */
void request_send_stream(struct request *request, int http,
                         const struct request_field *fields, size_t n,
                         void (*write)(void *arg, uint8_t *where), void *arg,
                         const struct request_stream *stream);

/* Answers that a file of total bytes does not have the range asked for (RFC
 * 9110 section 15.5.17). */
void request_unsatisfiable(struct request *request, int64_t total);

/* Return: the number of the user with whose rights it acts; -1: none, but the
 * agent's. */
int64_t request_user(const struct request *request);

/*
 * Takes one of the slots for commands and tools, or answers that there is
 * none.  It is given back when the request is freed.
 *
 * Return: true when there was one.
 */
bool request_take_slot(struct request *request);

/* Gives the slot back, if one was taken. */
void request_give_slot(struct request *request);

#endif
