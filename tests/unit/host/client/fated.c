/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/host/client/fated.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/link/dial.h"
#include "proto/status.h"
#include "unit/unit.h"
#include "util/clock.h"
#include "util/fd.h"

/* --- the clock ------------------------------------------------------------- */

int64_t now;

int64_t __wrap_clock_ms(void);
int64_t __wrap_deadline_in(int64_t ms);
int __wrap_deadline_left(int64_t deadline);
void __wrap_clock_sleep_ms(int64_t ms);
int __wrap_fd_wait_or(int fd, short events, int wake_fd, int64_t deadline);

int64_t __wrap_clock_ms(void)
{
    return now;
}

int64_t __wrap_deadline_in(int64_t ms)
{
    return ms < 0 ? DEADLINE_NEVER : now + ms;
}

int __wrap_deadline_left(int64_t deadline)
{
    if (deadline == DEADLINE_NEVER)
        return -1;
    return deadline > now ? (int) (deadline - now) : 0;
}

void __wrap_clock_sleep_ms(int64_t ms)
{
    now += ms;
}

static int wait_until(int64_t deadline)
{
    ck_assert_msg(deadline < START + DAY_MS, "waits for ever");
    if (deadline > now)
        now = deadline;
    return -ETIMEDOUT;
}

int __wrap_fd_wait_or(int fd, short events, int wake_fd, int64_t deadline)
{
    (void) events;
    (void) wake_fd;
    ck_assert_int_eq(fd, -1);
    return wait_until(deadline);
}

/* --- the agent ------------------------------------------------------------- */

struct agent agent;

static void say(int http, const char *id, const char *fields, const char *json,
                size_t length)
{
    buf_printf(&agent.out,
               "HTTP/1.1 %d X\r\nX-Request-ID: %s\r\n%s"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
               "%s",
               http, id, fields, length, json);
}

static void sync_said(const char *id)
{
    char json[512];

    snprintf(json, sizeof(json),
             "{\"version\":\"1.0\",\"code\":0,\"message\":\"\",\"data\":{"
             "\"id\":\"%s\",\"boot_id\":\"b\",\"auth\":false%s},"
             "\"timestamp\":1}",
             id,
             agent.remembers
                 ? ",\"session\":\"s\",\"instance\":\"i\",\"heartbeat\":true"
                 : "");
    say(200, id, "", json, strlen(json));
}

static const struct {
    int http, code;
    const char *fields;
    const char *data; /* members; NULL: none */
} answers[] = {
    [FINE] = { 200, 0, "", NULL },
    [BEATING] = { 200, 0, "", NULL },
    [HALF] = { 200, 0, "", NULL },
    [FAILING] = { 500, STATUS_INTERNAL_ERROR, "", NULL },
#define BUSY_(fields, data)                           \
    {                                                 \
        503, STATUS_SERVICE_UNAVAILABLE, fields, data \
    }
    [BUSY] = BUSY_("Retry-After: 2\r\n", NULL),
    [BUSY_BODY] = BUSY_("", "\"retry_after\":1.5"),
    [BUSY_BOTH] = BUSY_("Retry-After: 2\r\n", "\"retry_after\":99"),
    [BUSY_MUTE] = BUSY_("", NULL),
    [BUSY_NEGATIVE] = BUSY_("Retry-After: -2\r\n", "\"retry_after\":-2.5"),
    [BUSY_ZERO] = BUSY_("Retry-After: 0\r\n", "\"retry_after\":0"),
    [BUSY_TEXT] = BUSY_("Retry-After: soon\r\n", "\"retry_after\":\"2\""),
    [BUSY_LIST] = BUSY_("", "\"retry_after\":[2]"),
    [BUSY_HUGE] = BUSY_("", "\"retry_after\":1e300"),
    [BUSY_LONG] = BUSY_("Retry-After: 45\r\n", NULL),
    [BUSY_HOUR] = BUSY_("Retry-After: 3600\r\n", NULL),
    [EXPIRED] = { 409, STATUS_SESSION_EXPIRED, "", NULL },
    [WRONG] = { 400, STATUS_INVALID_PARAMS, "", NULL },
    [DENIED] = { 403, STATUS_PERMISSION_DENIED, "", NULL },
};

static void request_said(const char *id)
{
    char json[256];
    size_t length;

    if (agent.fate == HANGING || agent.fate == FLOODING
        || (agent.fate == BEATING && agent.beats++ * BEAT_MS < BEATING_MS))
        return;
    snprintf(
        json, sizeof(json),
        "{\"version\":\"1.0\",\"code\":%d,\"message\":\"m\",\"data\":{%s},"
        "\"timestamp\":1}",
        answers[agent.fate].code,
        answers[agent.fate].data ? answers[agent.fate].data : "");
    length = strlen(json);
    if (agent.fate == HALF)
        json[length / 2] = '\0';
    say(answers[agent.fate].http, id, answers[agent.fate].fields, json,
        length);
}

/* Return: true when a request was whole; *sync: it was that one. */
static bool hear(char id[RPC_ID_SIZE], bool *sync)
{
    const char *text = buf_cstr(&agent.in);
    const char *end = text ? strstr(text, "\r\n\r\n") : NULL;
    const char *length = end ? strstr(text, "Content-Length: ") : NULL;
    const char *at = end ? strstr(text, "X-Request-ID: ") : NULL;
    size_t body = length ? (size_t) atoll(length + 16) : 0;

    if (!at || agent.in.len < (size_t) (end + 4 - text) + body)
        return false;
    snprintf(id, RPC_ID_SIZE, "%.32s", at + 14);
    *sync = strstr(text, "/sync?") != NULL;
    buf_clear(&agent.in);
    return true;
}

static int64_t agent_write(struct transport *transport, const void *bytes,
                           size_t n, int64_t deadline)
{
    char id[RPC_ID_SIZE];
    bool sync;

    (void) transport;
    if (agent.fate == REFUSING)
        return -EPIPE;
    if (agent.fate == DEAF && agent.taken) {
        if (agent.taken >= DEAF_TAKES)
            return wait_until(deadline);
        if (n > DEAF_TAKES - agent.taken)
            n = DEAF_TAKES - agent.taken;
    }
    ck_assert_int_eq(buf_append(&agent.in, bytes, n), 0);
    if (agent.taken)
        agent.taken += n;
    if (!hear(id, &sync) || (sync && agent.fate == MUTE))
        return (int64_t) n;
    if (sync) {
        sync_said(id);
        agent.taken = agent.fate == DEAF ? 1 : 0;
        return (int64_t) n;
    }
    if (agent.requests < TIMES_MAX) {
        agent.asked[agent.requests] = now - START;
        snprintf(agent.ids[agent.requests], RPC_ID_SIZE, "%s", id);
    }
    agent.requests++;
    snprintf(agent.id, sizeof(agent.id), "%s", id);
    agent.beats = 0;
    if (agent.fate != LEAVING)
        request_said(id);
    return (int64_t) n;
}

static int64_t agent_read(struct transport *transport, void *bytes, size_t n,
                          int64_t deadline)
{
    size_t left = agent.out.len - agent.said;

    (void) transport;
    if (left == 0 && agent.requests
        && (agent.fate == FLOODING
            || (agent.fate == BEATING && deadline > now + BEAT_MS))) {
        now += agent.fate == FLOODING ? 1 : BEAT_MS;
        ck_assert_msg(now < START + DAY_MS, "waits for ever");
        buf_clear(&agent.out);
        agent.said = 0;
        request_said(agent.id);
        if (agent.said == agent.out.len)
            buf_printf(&agent.out,
                       "HTTP/1.1 102 Processing\r\n"
                       "X-Request-ID: %s\r\n\r\n",
                       agent.id);
        left = agent.out.len - agent.said;
    }
    if (left == 0 && agent.fate == LEAVING)
        return 0;
    if (left == 0)
        return wait_until(deadline);
    if (left < n)
        n = left;
    memcpy(bytes, buf_data(&agent.out) + agent.said, n);
    agent.said += n;
    return (int64_t) n;
}

static void agent_close(struct transport *transport)
{
    (void) transport;
    if (agent.connections <= TIMES_MAX)
        agent.left[agent.connections - 1] = now - START;
    buf_clear(&agent.in);
    buf_clear(&agent.out);
    agent.said = agent.taken = 0;
}

int __wrap_dial_target(const struct target_source *source,
                       struct target *target, int64_t deadline,
                       struct transport **transport, struct dialed *dialed,
                       struct error *err);

const enum fate *fates;

int __wrap_dial_target(const struct target_source *source,
                       struct target *target, int64_t deadline,
                       struct transport **transport, struct dialed *dialed,
                       struct error *err)
{
    static const struct transport_ops ops = { agent_read, agent_write,
                                              agent_close };

    (void) source;
    (void) target;
    (void) deadline;
    if (agent.connections < TIMES_MAX)
        agent.connected[agent.connections] = now - START;
    if (agent.connections > 0 && fates[1] != LAST)
        fates++;
    agent.connections++;
    agent.fate = fates[0];
    *dialed = (struct dialed) { .stream = false };
    if (agent.fate == ABSENT)
        return error_set(err, -ENOENT, "no socket");
    agent.base = (struct transport) { &ops, -1 };
    *transport = &agent.base;
    return 0;
}

/* --- around each test ------------------------------------------------------ */

void fated_begin(void)
{
    now = START;
    agent = (struct agent) { .fate = LAST };
    buf_init(&agent.in, 2 * 1024 * 1024);
    buf_init(&agent.out, 64 * 1024);
}

void fated_end(void)
{
    buf_free(&agent.in);
    buf_free(&agent.out);
}
