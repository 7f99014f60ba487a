/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Makes heads and bodies of answers.  Small bodies are copied, large ones sent
 * from the JSON text that has them, very large ones made while they are sent.
 * A constant answer is there for when memory is short.
 */
#include <config.h>

#include "guest/request/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/core/settings.h"
#include "guest/proc/user.h"
#include "guest/request/query.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/fd.h"
#include "util/log.h"

/* Bytes of an answer that are copied to the output. */
#define COPY_MAX (64 * 1024)

/* Fields that only some answers have. */
struct extras {
    const char *allow;     /* NULL: none */
    int64_t retry_after_s; /* 0: none */
    const char *range;     /* Content-Range; NULL: none */
};

/* The head of an answer and a body that is copied; output of a job always
 * is. */
#define OUT_MAX (HTTP_HEAD_MAX + COPY_MAX)

struct request *request_new(struct context *context,
                            const struct http_head *head,
                            void (*ready)(void *arg), void *ready_arg)
{
    struct request *request = calloc(1, sizeof(*request));
    const char *id = head ? http_field_get(head, "X-Request-ID") : NULL;

    if (!request)
        return NULL;
    request->head = head ? http_head_copy(head) : NULL;
    if (head && !request->head) {
        free(request);
        return NULL;
    }
    request->context = context;
    request->ready = ready;
    request->ready_arg = ready_arg;
    request->started_us = clock_us();
    request->stream.fd = -1;
    buf_init(&request->out, OUT_MAX);
    buf_init(&request->body,
             (size_t) request->context->settings->max_request_size);
    if (id)
        snprintf(request->id, sizeof(request->id), "%s", id);
    return request;
}

int64_t request_user(const struct request *request)
{
    return request->user ? (int64_t) request->user->uid : -1;
}

static void request_drop(struct request *request)
{
    void *work = request->work;

    request->work = NULL;
    if (work)
        request->drop(work);
}

void request_free(struct request *request)
{
    if (!request)
        return;
    request_drop(request);
    if (request->listener)
        request->listener->dropped(request);
    request_give_slot(request);
    fd_close(&request->stream.fd);
    buf_free(&request->body);
    query_free(request);
    if (request->user)
        user_free(request->user);
    free(request->user);
    json_object_put(request->params);
    json_object_put(request->answer);
    flow_end(&request->flow);
    digest_free(request->body_digest);
    free(request->copy);
    buf_free(&request->out);
    free(request->head);
    free(request);
}

/* Of the turns of a job there are many, and the job has lines of its own. */
static bool is_turn(const struct request *request)
{
    const unsigned int flags = ROUTE_FREE | ROUTE_WAITS;

    return request->route && (request->route->flags & flags) == flags;
}

static void request_log(const struct request *request, int code)
{
    const struct http_head *head = request->head;

    log_write(request->context->log,
              code == STATUS_SUCCESS && is_turn(request) ? LOG_LEVEL_DEBUG
                                                         : LOG_LEVEL_INFO,
              "%s %s code=%d ms=%lld id=%s",
              head && head->method ? head->method : "-",
              head && head->target ? head->target : "-", code,
              (long long) (clock_us() - request->started_us) / 1000,
              request->id[0] ? request->id : "-");
}

static int write_common(const struct request *request, struct buf *out,
                        int http)
{
    if (http_write_status(out, http) < 0)
        return -ENOMEM;
    if (request->id[0]
        && http_write_field(out, "X-Request-ID", "%s", request->id) < 0)
        return -ENOMEM;
    if (request->replayed && http_write_field(out, "X-Replayed", "1") < 0)
        return -ENOMEM;
    if (http_write_field(out, "X-Timestamp", "%lld", (long long) clock_wall())
        < 0)
        return -ENOMEM;
    return http_write_field(out, "X-Response-Time", "%lld",
                            (long long) (clock_us() - request->started_us)
                                / 1000);
}

static int write_json(const struct request *request, struct buf *out, int http,
                      const struct extras *extras, size_t length)
{
    int r = write_common(request, out, http);

    if (r == 0)
        r = http_write_field(out, "Content-Type", "application/json");
    if (r == 0 && extras->allow)
        r = http_write_field(out, "Allow", "%s", extras->allow);
    if (r == 0 && extras->retry_after_s)
        r = http_write_field(out, "Retry-After", "%lld",
                             (long long) extras->retry_after_s);
    if (r == 0 && extras->range)
        r = http_write_field(out, "Content-Range", "%s", extras->range);
    if (r == 0)
        r = http_write_field(out, "Content-Length", "%zu", length);
    if (r == 0)
        r = http_write_end(out);
    return r;
}

void request_last_resort(struct buf *out, const char *id)
{
    static const char body[] = "{\"version\":\"1.0\",\"code\":5001,"
                               "\"message\":\"Internal error\","
                               "\"data\":{\"error_type\":\"INTERNAL_ERROR\","
                               "\"detail\":\"out of memory\"},"
                               "\"timestamp\":0}";

    buf_printf(out,
               "HTTP/1.1 500 %s\r\n%s%s%sContent-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n%s",
               http_reason(500), id && *id ? "X-Request-ID: " : "",
               id ? id : "", id && *id ? "\r\n" : "", sizeof(body) - 1, body);
}

/* Instead of an answer that was begun. */
static void no_memory(struct request *request)
{
    log_error(request->context->log, "no memory for an answer");
    request->answer_lost = true;
    buf_clear(&request->out);
    request_last_resort(&request->out, request->id);
}

/* Return: does a body go with the answer? (RFC 9110 section 9.3.2) */
static bool request_has_body(const struct request *request)
{
    return !request->head || strcmp(request->head->method, "HEAD") != 0;
}

/* A small body goes behind its head; a large one stays in the JSON object,
 * which the request keeps then, and a very large one is not all in the text:
 * its length is n. */
static int write_body(struct request *request, struct buf *out,
                      struct json_object **root, const char *text, size_t n)
{
    if (!request_has_body(request))
        return 0;
    if (n > REPLAY_ANSWER_MAX && *root) {
        flow_begin(&request->flow, *root);
        return 0;
    }
    if (n <= COPY_MAX)
        return buf_append(out, text, n);
    request->text = text;
    request->text_left = n;
    request->answer = steal_ptr(root);
    return 0;
}

/* Every answer ends here. */
static void request_done(struct request *request, int code)
{
    request->answered = true;
    request_log(request, code);
    if (request->ready)
        request->ready(request->ready_arg);
}

/* Every JSON answer comes through here. */
static void request_send(struct request *request, int http, int code,
                         const char *message, struct json_object *data,
                         const struct extras *extras)
{
    struct buf *out = &request->out;
    /* A success without data is one for which there was no memory. */
    AUTO_JSON struct json_object *root = data || code != STATUS_SUCCESS
                                             ? envelope_build(code, message,
                                                              data,
                                                              clock_wall())
                                             : NULL;
    size_t n = 0;
    size_t length = 0;
    const char *text = root ? flow_text(root, &n, &length) : NULL;

    if (length > RESPONSE_MAX)
        text = NULL;
    if (request->listener)
        request->listener->answered(
            request,
            &(struct outcome) { http, code, text, length, root, data });
    if (!request->detached
        && (!text || write_json(request, out, http, extras, length) < 0
            || write_body(request, out, &root, text, length) < 0))
        no_memory(request);
    request_done(request, code);
}

/* As write_body(), for a text that nobody keeps for us. */
static int write_copy(struct request *request, struct buf *out,
                      const char *text, size_t n)
{
    if (n > COPY_MAX) {
        request->copy = malloc(n);
        if (!request->copy)
            return -ENOMEM;
        memcpy(request->copy, text, n);
        text = request->copy;
    }
    return write_body(request, out, &(struct json_object *) { NULL }, text, n);
}

void request_replay(struct request *request, int http, int code,
                    const char *text, size_t n, struct json_object *root)
{
    struct buf *out = &request->out;
    AUTO_JSON struct json_object *held = json_object_get(root);
    int r;

    request->replayed = true;
    r = write_json(request, out, http, &(struct extras) { 0 }, n);
    if (r == 0)
        r = root ? write_body(request, out, &held, text, n)
                 : write_copy(request, out, text, n);
    if (r < 0)
        no_memory(request);
    request_done(request, code);
}

void request_reply(struct request *request, int code, const char *message,
                   struct json_object *data)
{
    AUTO_JSON struct json_object *owned = data;
    const struct status *status = status_get(code);

    request_send(request, status->http, code,
                 message ? message : status->message, owned,
                 &(struct extras) { 0 });
}

void request_ok(struct request *request, struct json_object *data)
{
    request_reply(request, STATUS_SUCCESS, NULL, data);
}

/* extra with error_type and detail in it; made when there is none. */
static struct json_object *error_data(int code, struct json_object *extra,
                                      const char *detail)
{
    struct json_object *data = extra ? extra : json_object_new_object();

    if (data) {
        json_add_string(data, "error_type", status_get(code)->name);
        json_add_string(data, "detail", detail);
    }
    return data;
}

void request_fail(struct request *request, int code, struct json_object *extra,
                  const char *format, ...)
{
    char detail[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    request_reply(request, code, NULL, error_data(code, extra, detail));
}

/* Which code an errno of a file operation is reported as. */
static int code_of_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return STATUS_FILE_NOT_FOUND;
    case EACCES:
    case EPERM:
        return STATUS_PERMISSION_DENIED;
    case EINVAL:
        return STATUS_INVALID_PARAMS;
    case ENOMEM:
    case EAGAIN:
        return STATUS_INTERNAL_ERROR;
    default:
        return STATUS_FILE_OPERATION_FAILED;
    }
}

void request_error_with(struct request *request, int result,
                        struct json_object *extra, const struct error *err)
{
    int code = result > 0 ? result : code_of_errno(-result);

    request_fail(request, code, extra, "%s",
                 err->message[0] ? err->message : strerror(-result));
}

void request_error(struct request *request, int result,
                   const struct error *err)
{
    request_error_with(request, result, NULL, err);
}

static void bad_http(struct request *request, const struct http_fault *fault,
                     const struct extras *extras)
{
    AUTO_JSON struct json_object *data = error_data(STATUS_BAD_HTTP, NULL,
                                                    fault->detail);

    request_send(request, fault->http, STATUS_BAD_HTTP,
                 status_get(STATUS_BAD_HTTP)->message, data, extras);
}

void request_fault(struct request *request, const struct http_fault *fault)
{
    bad_http(request, fault, &(struct extras) { 0 });
}

void request_unsatisfiable(struct request *request, int64_t total)
{
    static const struct http_fault fault = { 416,
                                             "the range is not in the file" };
    char range[48];

    snprintf(range, sizeof(range), "bytes */%lld", (long long) total);
    bad_http(request, &fault, &(struct extras) { .range = range });
}

void request_busy(struct request *request, int64_t wait_ms, const char *detail)
{
    AUTO_JSON struct json_object *data = error_data(STATUS_SERVICE_UNAVAILABLE,
                                                    NULL, detail);
    const struct status *status = status_get(STATUS_SERVICE_UNAVAILABLE);
    struct extras extras = { .retry_after_s = (wait_ms + 999) / 1000 };
    char seconds[32];

    if (extras.retry_after_s < 1)
        extras.retry_after_s = 1;
    /* json-c would print 0.907 with 17 digits. */
    snprintf(seconds, sizeof(seconds), "%.3f", (double) wait_ms / 1000);
    if (data)
        json_add(data, "retry_after",
                 json_object_new_double_s((double) wait_ms / 1000, seconds));
    request_send(request, status->http, status->code, status->message, data,
                 &extras);
}

void request_not_allowed(struct request *request, const char *allow)
{
    AUTO_JSON struct json_object *data = error_data(
        STATUS_METHOD_NOT_ALLOWED, NULL,
        "the path is there, the method is not");
    const struct status *status = status_get(STATUS_METHOD_NOT_ALLOWED);

    if (data)
        json_add_string(data, "allow", allow);
    request_send(request, status->http, status->code, status->message, data,
                 &(struct extras) { .allow = allow });
}

/* The head of an answer whose body is bytes; fields end with a NULL name.  A
 * length of -1: it comes in chunks. */
static int write_bytes_head(const struct request *request, struct buf *out,
                            int http, const struct request_field *fields,
                            int64_t length)
{
    int r = write_common(request, out, http);

    if (r == 0)
        r = http_write_field(out, "Content-Type", "application/octet-stream");
    for (; r == 0 && fields->name; fields++)
        r = http_write_field(out, fields->name, "%s", fields->value);
    if (r == 0 && length < 0)
        r = http_write_field(out, "Transfer-Encoding", "chunked");
    else if (r == 0)
        r = http_write_field(out, "Content-Length", "%lld",
                             (long long) length);
    if (r == 0)
        r = http_write_end(out);
    return r;
}

/* An answer of bytes has been written, or r says that it has not. */
static void bytes_done(struct request *request, int r)
{
    if (r < 0)
        no_memory(request);
    request_done(request, r < 0 ? STATUS_INTERNAL_ERROR : STATUS_SUCCESS);
}

/* With the n bytes that go with the head; r as in bytes_done(). */
static void bytes_send(struct request *request, int r, size_t n,
                       void (*write)(void *arg, uint8_t *where), void *arg)
{
    if (r == 0 && n > 0) {
        request->write = write;
        request->write_arg = arg;
        request->write_n = n;
    }
    bytes_done(request, r);
    request->write = NULL;
}

void request_bytes(struct request *request, int http,
                   const struct request_field *fields, size_t n,
                   void (*write)(void *arg, uint8_t *where), void *arg)
{
    int r = write_bytes_head(request, &request->out, http, fields,
                             (int64_t) n);

    bytes_send(request, r, n, write, arg);
}

void request_head_only(struct request *request, int http,
                       const struct request_field *fields, int64_t length)
{
    bytes_done(request,
               write_bytes_head(request, &request->out, http, fields, length));
}

void request_send_stream(struct request *request, int http,
                         const struct request_field *fields, size_t n,
                         void (*write)(void *arg, uint8_t *where), void *arg,
                         const struct request_stream *stream)
{
    int r = write_bytes_head(request, &request->out, http, fields, -1);

    request->stream = *stream;
    if (r < 0)
        request->stream.left = 0;
    bytes_send(request, r, n, write, arg);
}

void *request_work(struct request *request, size_t size,
                   void (*drop)(void *work))
{
    request->work = calloc(1, size);
    request->drop = drop;
    if (!request->work)
        request_error(request, -ENOMEM, &(struct error) ERROR_INIT);
    return request->work;
}

void request_give_slot(struct request *request)
{
    if (request->counted_running)
        request->context->running--;
    request->counted_running = false;
}

bool request_take_slot(struct request *request)
{
    struct context *context = request->context;

    if (context->settings->max_concurrent
        && context->running >= context->settings->max_concurrent) {
        request_busy(request, 1000,
                     "too many commands are running "
                     "(rate_limit.max_concurrent)");
        return false;
    }
    context->running++;
    request->counted_running = true;
    return true;
}
