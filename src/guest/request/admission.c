/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The checks in their order, before and after the body.  A raw body is signed
 * by its announced digest, so that nothing of an unsigned one is written; of
 * the requests of a copy few count against the rate limit.
 */
#include <config.h>

#include "guest/request/admission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/core/endpoint.h"
#include "guest/core/settings.h"
#include "guest/file/transfer.h"
#include "guest/policy/auth_check.h"
#include "guest/policy/copies.h"
#include "guest/policy/rate.h"
#include "guest/proc/as_user.h"
#include "guest/request/query.h"
#include "guest/request/replay.h"
#include "proto/param.h"
#include "proto/server.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/crypto.h"

/* From where on a request wants something: of a file, or of a listing. */
static int64_t offset_of(const struct request *request)
{
    static const struct {
        const char *name, *before;
    } fields[] = { { "Range", "bytes=" }, { "Content-Range", "bytes " } };
    static const char *const members[] = { "cursor", "first" };
    long long offset = 0;

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        const char *text = http_field_get(request->head, fields[i].name);
        size_t n = strlen(fields[i].before);

        if (text && strncmp(text, fields[i].before, n) == 0)
            offset = strtoll(text + n, NULL, 10);
    }
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        AUTO_FREE char *text = NULL;

        if (uri_query(request->head->target, members[i], &text) == 0)
            offset = strtoll(text, NULL, 10);
    }
    return offset > 0 ? offset : 0; /* "bytes=-N" is the end of something */
}

/* Counts an operation.  Return: 0; the ms until it may begin, and it has been
 * answered. */
static int64_t count(struct request *request)
{
    int64_t wait = rate_take(request->context->rate, clock_ms());

    if (wait)
        request_busy(request, wait,
                     "rate limit (rate_limit in the "
                     "configuration of the agent)");
    return wait;
}

/* A copy is few operations, however many files and turns it takes.  Return: as
 * count(). */
static int64_t count_step(struct request *request,
                          const struct copy_step *step)
{
    struct copies *copies = request->context->copies;
    int64_t wait;

    if (copies_go_on(copies, step))
        return 0;
    wait = count(request);
    if (wait == 0)
        copies_note(copies, step);
    return wait;
}

bool admission_read(struct request *request, const char *path, int64_t offset)
{
    return count_step(request,
                      &(struct copy_step) { .id = "",
                                            .path = path,
                                            .what = request->route->id,
                                            .offset = offset })
           == 0;
}

/* Of several that a copy may have.  Its half of a file outlives the wait. */
static bool copy_check(struct request *request)
{
    const char *target = request->head->target;
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    int64_t wait;

    if (uri_query(target, "path", &path) < 0)
        return count(request) == 0;
    if (uri_query(target, "transfer", &id) < 0)
        return request->route->id == ROUTE_CONTENT_GET
                   ? admission_read(request, path, offset_of(request))
                   : count(request) == 0;
    if (!transfer_id_valid(id))
        return count(request) == 0;
    wait = count_step(request,
                      &(struct copy_step) { .id = id,
                                            .path = path,
                                            .what = request->route->id,
                                            .offset = offset_of(request) });
    if (wait)
        transfer_put_off(request->context->transfers, id, wait);
    return wait == 0;
}

static bool rate_check(struct request *request)
{
    /* A JSON download tells only in its body whether it goes on. */
    if ((request->route->flags & ROUTE_FREE)
        || request->route->id == ROUTE_FILE_DOWNLOAD)
        return true;
    return request->route->flags & ROUTE_COPY ? copy_check(request)
                                              : count(request) == 0;
}

/* Where nothing is ours something of server.handlers may be, which belongs to
 * the handler of custom/NAME, also when its methods are others. */
static int route_find(struct request *request, char *allow)
{
    const struct http_head *head = request->head;
    const struct endpoint *endpoint = NULL;
    int r = route_match(head->method, head->target, &request->route,
                        &request->rest, allow);

    if (r != STATUS_ENDPOINT_NOT_FOUND
        || endpoint_match(&request->context->settings->handlers, head->method,
                          head->target, &endpoint, allow)
               == STATUS_ENDPOINT_NOT_FOUND)
        return r;
    request->route = route_get(ROUTE_CUSTOM);
    request->rest = head->target;
    return 0;
}

static bool route_check(struct request *request)
{
    char allow[ROUTE_ALLOW_MAX];
    int r = route_find(request, allow);

    if (r == STATUS_METHOD_NOT_ALLOWED)
        request_not_allowed(request, allow);
    else if (r)
        request_fail(request, r, NULL, "no endpoint '%s %s'",
                     request->head->method, request->head->target);
    else
        request->handler = &request->context->handlers[request->route->id];
    return r == 0;
}

/* What the host repeats when its session is over must not have been done. */
static bool session_check(struct request *request)
{
    const char *given = http_field_get(request->head, "X-Session");

    if (server_session_fits(request->context->server, request->route, given))
        return true;
    request_fail(request, STATUS_SESSION_EXPIRED, NULL,
                 "X-Session is not the session that runs: sync, and send the "
                 "request again");
    return false;
}

static bool heartbeat_check(struct request *request)
{
    if (server_heartbeat(request->head, &request->heartbeat_s) == 0)
        return true;
    request_fail(request, STATUS_INVALID_PARAMS, NULL,
                 "X-Heartbeat is a number of seconds from 1 to %d",
                 HEARTBEAT_MAX_S);
    return false;
}

static void fail_auth(struct request *request, const struct error *err)
{
    struct json_object *extra = json_object_new_object();

    if (extra) {
        json_add_int(extra, "timestamp", clock_wall());
        json_add_string(extra, "boot_id", request->context->boot_id);
    }
    request_fail(request, err->code, extra, "%s", err->message);
}

static bool auth_needed(const struct request *request)
{
    return request->context->settings->enable_auth
           && !(request->route->flags & ROUTE_OPEN);
}

/* A request that nobody signed spends nobody's share of the rate limit; whether
 * it is signed is known when its body is there, of a raw one before. */
static bool is_counted_late(const struct request *request)
{
    return auth_needed(request) && !(request->route->flags & ROUTE_RAW);
}

static bool auth_verify(struct request *request, const char *body_sha256)
{
    struct error err = ERROR_INIT;

    if (auth_check_request(request->context->auth, request->head, body_sha256,
                           request->context->boot_id, &err)
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

    if (claimed)
        return auth_verify(request, claimed);
    error_set(&err, STATUS_AUTH_FAILED, "X-Content-SHA256 is required");
    fail_auth(request, &err);
    return false;
}

/* Whoever says what a raw body will be is held to it, signed or not. */
static bool content_expect(struct request *request)
{
    if (!http_field_get(request->head, "X-Content-SHA256"))
        return true;
    request->body_digest = digest_new(DIGEST_SHA256);
    if (!request->body_digest)
        request_error(request, -ENOMEM, &(struct error) ERROR_INIT);
    return request->body_digest != NULL;
}

static bool content_check(struct request *request)
{
    const char *claimed = http_field_get(request->head, "X-Content-SHA256");
    struct json_object *extra;
    char hex[DIGEST_HEX_MAX];

    if (!request->body_digest)
        return true;
    digest_hex(request->body_digest, hex);
    if (strcmp(hex, claimed) == 0)
        return true;
    extra = json_object_new_object();
    if (extra)
        json_add_string(extra, "sha256", hex);
    request_fail(request, STATUS_FILE_OPERATION_FAILED, extra,
                 "the content is not the one announced (SHA-256 %s)", hex);
    return false;
}

bool admission_size(struct request *request, int64_t n)
{
    int64_t max = request->context->settings->max_request_size;

    if ((request->route->flags & ROUTE_RAW) || n <= max)
        return true;
    request_fail(request, STATUS_PAYLOAD_TOO_LARGE, NULL,
                 "the body is larger than server.max_request_size "
                 "(%lld bytes)",
                 (long long) max);
    return false;
}

/* --- with whose rights ---------------------------------------------------- */

/* Whom the request names.  Return: true; false when it has been answered. */
static bool user_look(struct request *request)
{
    const char *text = NULL;
    struct error err = ERROR_INIT;
    int r = 0;

    if (!request->handler->as_user)
        return true;
    if (request->params)
        r = param_string(request->params, "user", PARAM_OPTIONAL, &text, &err);
    else
        text = query_user(request);
    if (r == 0 && text) {
        request->user = calloc(1, sizeof(*request->user));
        r = request->user ? user_find_text(request->user, text, &err)
                          : -ENOMEM;
    }
    if (r)
        request_error(request, r, &err);
    return r == 0;
}

/* A function of the handler; the request may be gone behind it. */
static void act(struct request *request, void (*step)(struct request *request))
{
    struct error err = ERROR_INIT;
    struct as_user before;
    int r = as_user_begin(&before, request->user, &err);

    if (r)
        request_error(request, r, &err);
    else
        step(request);
    as_user_end(&before);
}

void admission_body(struct request *request, const uint8_t *bytes, size_t n)
{
    struct error err = ERROR_INIT;
    struct as_user before;
    int r = as_user_begin(&before, request->user, &err);

    if (r)
        request_error(request, r, &err);
    else
        request->handler->body(request, bytes, n);
    as_user_end(&before);
}

/* --- in their order ------------------------------------------------------- */

void admission_begin(struct request *request)
{
    bool raw;

    if (!route_check(request) || !session_check(request)
        || !heartbeat_check(request))
        return;
    raw = request->route->flags & ROUTE_RAW;
    if (!admission_size(request, request->head->content_length))
        return;
    if (raw && auth_needed(request) && !auth_check_raw(request))
        return;
    if (raw && !content_expect(request))
        return;
    if (!replay_look(request))
        return;
    if (!request->recalled && !is_counted_late(request)
        && !rate_check(request))
        return;
    if (raw && query_read(request) && user_look(request))
        act(request, request->handler->open);
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

/* The digest of a body that is in memory, when somebody asks for it. */
static bool body_digest(struct request *request)
{
    int r;

    if ((request->route->flags & ROUTE_RAW)
        || (!auth_needed(request) && !replay_applies(request)))
        return true;
    r = digest_bytes(DIGEST_SHA256, buf_data(&request->body),
                     request->body.len, request->body_sha256);
    if (r < 0)
        request_error(request, r, &(struct error) ERROR_INIT);
    return r == 0;
}

void admission_run(struct request *request)
{
    const struct route *route = request->route;

    if (!body_digest(request))
        return;
    if (!content_check(request))
        return;
    if (auth_needed(request) && !(request->route->flags & ROUTE_RAW)
        && !auth_verify(request, request->body_sha256))
        return;
    if (!request->recalled && is_counted_late(request) && !rate_check(request))
        return;
    if (!replay_begin(request))
        return;
    /* It was to be answered from the replay cache, and was pushed out
     * meanwhile. */
    if (request->recalled && !rate_check(request))
        return;
    if ((route->flags & ROUTE_JSON) && !params_parse(request))
        return;
    if (!(route->flags & ROUTE_RAW)
        && (!query_read(request) || !user_look(request)))
        return;
    act(request, request->handler->run);
}
