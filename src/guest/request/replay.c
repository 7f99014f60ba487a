/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Looks a request up when its head has come and once more when it is whole.
 * Two are the same by the SHA-256 of method, target and body; for a raw body
 * the announced digest stands in, because it is written as it comes.
 */
#include <config.h>

#include "guest/request/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/request/detached.h"
#include "guest/request/replay_cache.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/num.h"

/* --- waiting for another request ----------------------------------------- */

struct waiting {
    struct request *request;
    struct replay_entry *entry; /* NULL: over */
    struct loop_timer patience;
    replay_over *over;
};

/* Its client has gone, or it has its answer. */
static void waiting_drop(void *work)
{
    struct waiting *waiting = work;

    loop_timer_stop(waiting->request->context->loop, &waiting->patience);
    if (waiting->entry) {
        waiting->entry->waiter = NULL;
        detached_release(waiting->entry->runner);
    }
    free(waiting);
}

static void waiting_over(struct waiting *waiting,
                         const struct outcome *outcome)
{
    struct replay_entry *entry = waiting->entry;

    waiting->entry = NULL;
    entry->waiter = NULL;
    loop_timer_stop(waiting->request->context->loop, &waiting->patience);
    waiting->over(waiting->request, entry, outcome);
}

static void patience_over(void *arg)
{
    struct waiting *waiting = arg;

    detached_release(waiting->entry->runner);
    waiting_over(waiting, NULL);
}

/* Only one request at a time has a client: nobody else waits. */
bool replay_wait(struct request *request, struct replay_entry *entry,
                 int64_t patience_ms, replay_over *over)
{
    struct waiting *waiting = request_work(request, sizeof(*waiting),
                                           waiting_drop);

    if (!waiting)
        return false;
    *waiting = (struct waiting) {
        .request = request,
        .entry = entry,
        .patience = { .expired = patience_over, .arg = waiting },
        .over = over,
    };
    entry->waiter = request;
    detached_hold(entry->runner);
    if (patience_ms)
        loop_timer_start(request->context->loop, &waiting->patience,
                         patience_ms);
    return true;
}

/* --- answers from the cache ---------------------------------------------- */

static void answer_gone(struct request *request, const char *state,
                        const char *detail)
{
    struct json_object *extra = json_object_new_object();

    if (extra)
        json_add_string(extra, "state", state);
    request_fail(request, STATUS_REQUEST_GONE, extra, "%s", detail);
}

static void answer_brief(struct request *request,
                         const struct replay_entry *entry)
{
    struct json_object *data = NULL;

    if (json_parse(entry->brief, strlen(entry->brief), &data, NULL) == 0)
        json_add_bool(data, "truncated", true);
    request->replayed = true;
    request_reply(request, entry->code, NULL, data);
}

static void answer_entry(struct request *request,
                         const struct replay_entry *entry)
{
    if (entry->state != REPLAY_DONE)
        answer_gone(request, "unknown",
                    "the request was broken off; what it did is unknown");
    else if (entry->answer)
        request_replay(request, entry->http, entry->code, entry->answer,
                       entry->answer_len, NULL);
    else if (entry->brief)
        answer_brief(request, entry);
    else
        answer_gone(request, "done",
                    "the request was carried out; its answer is no longer "
                    "kept");
}

static void answer_pushed_out(struct request *request)
{
    answer_gone(request, "unknown",
                "the request may have been carried out; it is longer ago "
                "than this agent remembers");
}

/* The first one has ended; its whole answer is at hand, however large. */
static void answer_waiting(struct request *request,
                           const struct replay_entry *entry,
                           const struct outcome *outcome)
{
    if (outcome && outcome->text)
        request_replay(request, outcome->http, outcome->code, outcome->text,
                       outcome->n, outcome->root);
    else
        answer_entry(request, entry);
}

/* --- remembering --------------------------------------------------------- */

/* What is kept of an answer's data when the whole is not. */
static const char *const brief_members[] = {
    "exit_code", "signal", "duration_ms", "ended",      "path",
    "size",      "md5",    "received",    "error_type", "detail",
};

static bool is_brief(struct json_object *value, int string_max)
{
    return json_object_is_type(value, json_type_int)
           || json_object_is_type(value, json_type_boolean)
           || (json_object_is_type(value, json_type_string)
               && json_object_get_string_len(value) <= string_max);
}

static struct json_object *brief_make(struct json_object *data, int string_max)
{
    AUTO_JSON struct json_object *brief = json_object_new_object();
    struct json_object *value;

    for (size_t i = 0; brief && i < ARRAY_SIZE(brief_members); i++)
        if (json_object_object_get_ex(data, brief_members[i], &value)
            && is_brief(value, string_max))
            json_add(brief, brief_members[i], json_object_get(value));
    return brief && json_object_object_length(brief) > 0 ? steal_ptr(&brief)
                                                         : NULL;
}

/* With the path and the words when there is room, else without. */
static struct json_object *brief_of(struct json_object *data)
{
    AUTO_JSON struct json_object *brief = brief_make(data, REPLAY_BRIEF_MAX);
    size_t n = 0;

    if (brief && json_text(brief, &n) && n > REPLAY_BRIEF_MAX) {
        json_object_put(brief);
        brief = brief_make(data, 32);
    }
    return steal_ptr(&brief);
}

static void remember(struct request *request, struct replay_entry *entry,
                     const struct outcome *outcome)
{
    AUTO_JSON struct json_object *brief = brief_of(outcome->data);
    size_t n;
    const struct replay_answer answer = {
        .http = outcome->http,
        .code = outcome->code,
        .text = outcome->text,
        .n = outcome->n,
        .brief = brief ? json_text(brief, &n) : NULL,
    };

    replay_cache_done(request->context->replay_cache, entry, &answer,
                      clock_ms());
}

static void replay_answered(struct request *request,
                            const struct outcome *outcome)
{
    struct replay_entry *entry = steal_ptr(&request->entry);
    bool refused = outcome->code == STATUS_SERVICE_UNAVAILABLE;

    if (!entry)
        return;
    if (!refused)
        remember(request, entry, outcome);
    if (entry->waiter)
        waiting_over(entry->waiter->work, outcome);
    if (refused) /* there was no place for it: it did not begin */
        replay_cache_forget(request->context->replay_cache, entry);
}

static void replay_dropped(struct request *request)
{
    struct replay_entry *entry = steal_ptr(&request->entry);

    if (!entry)
        return;
    replay_cache_lost(request->context->replay_cache, entry, clock_ms());
    if (entry->waiter)
        waiting_over(entry->waiter->work, NULL);
}

static const struct request_listener listener = {
    .answered = replay_answered,
    .dropped = replay_dropped,
};

/* --- looking up ---------------------------------------------------------- */

/* What a handler of the administrator does nobody knows, also by GET. */
bool replay_applies(const struct request *request)
{
    return request->id[0]
           && (strcmp(request->head->method, "GET") != 0
               || request->route->id == ROUTE_CUSTOM)
           && !(request->route->flags & ROUTE_SAFE);
}

static const char *field_or_empty(const struct request *request,
                                  const char *name)
{
    const char *value = http_field_get(request->head, name);

    return value ? value : "";
}

/* What makes two requests the same.  The digest of a raw body is not known
 * before it has come, and then it has been written. */
static int fingerprint(const struct request *request, char hex[DIGEST_HEX_MAX])
{
    const struct http_head *head = request->head;
    bool raw = request->route->flags & ROUTE_RAW;
    struct buf text;
    int r;

    buf_init(&text, 2 * HTTP_HEAD_MAX);
    r = buf_printf(&text, "%s\n%s\n%lld\n%s\n%s", head->method, head->target,
                   raw ? (long long) head->content_length : 0LL,
                   raw ? field_or_empty(request, "X-Content-SHA256")
                       : request->body_sha256,
                   raw ? field_or_empty(request, "Content-Range") : "");
    if (r == 0)
        r = digest_bytes(DIGEST_SHA256, buf_data(&text), text.len, hex);
    buf_free(&text);
    return r;
}

static int request_age(const struct request *request, int64_t *age)
{
    const char *text = http_field_get(request->head, "X-Request-Age");

    *age = AGE_NONE;
    return text ? num_parse(text, 0, AGE_MAX, age) : 0;
}

/*
 * Judges a request; hex is its fingerprint, NULL while that is not known.
 *
 * Return: true with the verdict; false when it has been answered.
 */
static bool judge(struct request *request, const char *hex,
                  enum replay_verdict *verdict, struct replay_entry **entry)
{
    int64_t age;

    if (request_age(request, &age) < 0) {
        request_fail(request, STATUS_INVALID_PARAMS, NULL,
                     "X-Request-Age is not a number of milliseconds");
        return false;
    }
    *verdict = replay_cache_look(request->context->replay_cache, request->id,
                                 hex, age, clock_ms(), entry);
    if (*verdict != REPLAY_OTHER)
        return true;
    request_fail(request, STATUS_INVALID_PARAMS, NULL,
                 "X-Request-ID was used for another request");
    return false;
}

static void drain(struct request *request, const uint8_t *bytes, size_t n)
{
    (void) request;
    (void) bytes;
    (void) n;
}

static void drain_open(struct request *request)
{
    (void) request;
}

/* Stands in for the handler of a raw body that came before; replay_begin() has
 * its answer. */
static const struct handler drain_handler = {
    .open = drain_open,
    .body = drain,
};

bool replay_look(struct request *request)
{
    char hex[DIGEST_HEX_MAX];
    bool raw = request->route->flags & ROUTE_RAW;
    enum replay_verdict verdict;
    struct replay_entry *entry;

    if (!replay_applies(request))
        return true;
    /* What was cut off could be the difference. */
    if (strlen(field_or_empty(request, "X-Request-ID")) > REQUEST_ID_MAX) {
        request_fail(request, STATUS_INVALID_PARAMS, NULL,
                     "X-Request-ID is longer than %d bytes", REQUEST_ID_MAX);
        return false;
    }
    if (raw && fingerprint(request, hex) < 0) {
        request_error(request, -ENOMEM, &(struct error) ERROR_INIT);
        return false;
    }
    if (!judge(request, raw ? hex : NULL, &verdict, &entry))
        return false;
    request->recalled = verdict != REPLAY_NEW;
    if (raw && request->recalled)
        request->handler = &drain_handler;
    return true;
}

/* Return: true when the request is noted; otherwise it has been answered. */
static bool note(struct request *request, const char *hex)
{
    request->entry = replay_cache_add(request->context->replay_cache,
                                      request->id, hex, clock_ms());
    if (!request->entry) {
        request_busy(request, 1000, "no memory to remember the request");
        return false;
    }
    request->entry->runner = request;
    request->listener = &listener;
    return true;
}

static void recall(struct request *request, struct replay_entry *entry)
{
    if (entry->state == REPLAY_RUNNING)
        replay_wait(request, entry, 0, answer_waiting);
    else
        answer_entry(request, entry);
}

bool replay_begin(struct request *request)
{
    char hex[DIGEST_HEX_MAX];
    enum replay_verdict verdict;
    struct replay_entry *entry;

    if (!replay_applies(request))
        return true;
    if (fingerprint(request, hex) < 0) {
        request_error(request, -ENOMEM, &(struct error) ERROR_INIT);
        return false;
    }
    if (!judge(request, hex, &verdict, &entry))
        return false;
    /* A body that was drained cannot run, whatever was pushed out since. */
    if (verdict == REPLAY_GONE
        || (verdict == REPLAY_NEW && request->handler == &drain_handler))
        answer_pushed_out(request);
    else if (verdict == REPLAY_KNOWN)
        recall(request, entry);
    else
        return note(request, hex);
    return false;
}
