/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/guest/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/envelope.h"
#include "proto/msg.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"

#define GOT_MAX (256 * 1024 * 1024)

static void list_set(struct strlist *list, const char *only)
{
    strlist_free(list);
    if (only)
        ck_assert_int_eq(strlist_add(list, only), 0);
}

void rig_start(struct rig *rig, void (*change)(struct settings *settings))
{
    struct agent_source source = { .fd = -1 };
    struct settings settings;
    struct error err = ERROR_INIT;
    AUTO_FREE char *made = unit_tmpdir();
    int ends[2];

    *rig = (struct rig) { .dir = realpath(made, NULL) };
    buf_init(&rig->got, GOT_MAX);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    rig->peer = ends[0];
    source.fd = ends[1];
    ck_assert_int_eq(settings_init(&settings), 0);
    list_set(&settings.allowed_commands, "*");
    list_set(&settings.allowed_paths, rig->dir);
    list_set(&settings.readonly_paths, NULL);
    list_set(&settings.forbidden_paths, NULL);
    settings.per_second = settings.per_minute = 0;
    free(settings.log_file);
    settings.log_file = strdup("none");
    if (change)
        change(&settings);
    ck_assert_msg(agent_init(&rig->agent, &settings, &source, &err) == 0, "%s",
                  err.message);
    rig->agent.loop.turn_over = NULL; /* the test asks for the output */
}

void rig_stop(struct rig *rig)
{
    session_hangup(&rig->agent.session);
    detached_free(&rig->agent.detached);
    ck_assert(spin_until(&rig->agent.loop, spin_childless, NULL));
    agent_free(&rig->agent);
    close(rig->peer);
    buf_free(&rig->got);
    unit_rmtree(rig->dir);
}

/* Each call's bytes end at a page that nobody may touch. */
void rig_feed(struct rig *rig, const void *bytes, size_t n)
{
    struct guarded copy = guarded_copy(bytes, n);

    session_input(&rig->agent.session, copy.bytes, n);
    guarded_free(&copy);
}

void rig_puts(struct rig *rig, const char *text)
{
    rig_feed(rig, text, strlen(text));
}

/* A port that takes odd amounts. */
void rig_collect(struct rig *rig)
{
    static const size_t steps[] = { 1, 7, 4096, 100000, 32768 };
    struct session *session = &rig->agent.session;
    const uint8_t *bytes = NULL;
    size_t i = 0;
    size_t n;

    while ((n = session_output(session, &bytes)) > 0) {
        size_t step = steps[i++ % ARRAY_SIZE(steps)];

        ck_assert_ptr_nonnull(bytes);
        if (n > step)
            n = step;
        ck_assert_int_eq(buf_append(&rig->got, bytes, n), 0);
        session_sent(session, n);
    }
}

static bool has_output(void *arg)
{
    struct rig *rig = arg;

    return session_output(&rig->agent.session, NULL) > 0;
}

void rig_wait(struct rig *rig)
{
    ck_assert_msg(spin_until(&rig->agent.loop, has_output, rig), "no answer");
    rig_collect(rig);
}

static void answer_head(struct rig_answer *answer,
                        const struct http_head *head)
{
    const char *id = http_field_get(head, "X-Request-ID");
    const char *replayed = http_field_get(head, "X-Replayed");

    answer->http = head->status;
    answer->head = http_head_copy(head);
    ck_assert_ptr_nonnull(answer->head);
    snprintf(answer->id, sizeof(answer->id), "%s", id ? id : "");
    answer->replayed = replayed && strcmp(replayed, "1") == 0;
}

static void answer_body(struct rig_answer *answer, struct buf *body)
{
    AUTO_JSON struct json_object *root = NULL;
    struct json_object *member;

    answer->body_len = body->len;
    answer->body = calloc(1, body->len + 1);
    ck_assert_ptr_nonnull(answer->body);
    if (body->len)
        memcpy(answer->body, buf_data(body), body->len);
    if (body->len == 0
        || json_parse(answer->body, answer->body_len, &root, NULL) != 0
        || !json_object_object_get_ex(root, "code", &member))
        return;
    answer->code = json_object_get_int(member);
    if (json_object_object_get_ex(root, "data", &member))
        answer->data = json_object_get(member);
}

void rig_answer(struct rig *rig, struct rig_answer *answer)
{
    struct msg msg;
    struct buf body;
    enum msg_event event = MSG_NEED_MORE;

    *answer = (struct rig_answer) { .code = -1 };
    msg_init(&msg, HTTP_RESPONSE);
    buf_init(&body, GOT_MAX);
    while (event != MSG_END) {
        size_t used;

        event = msg_feed(&msg, buf_data(&rig->got), rig->got.len, &used);
        ck_assert_msg(event != MSG_FAULT && event != MSG_RESET
                          && event != MSG_NEED_MORE,
                      "no whole answer (event %d) in %zu bytes: '%.200s'",
                      (int) event, rig->got.len, buf_cstr(&rig->got));
        if (event == MSG_HEAD)
            answer_head(answer, &msg.head);
        if (event == MSG_BODY)
            buf_append(&body, msg.piece, msg.piece_len);
        buf_consume(&rig->got, used);
    }
    answer_body(answer, &body);
    buf_free(&body);
    msg_free(&msg);
}

void rig_answer_free(struct rig_answer *answer)
{
    free(answer->body);
    free(answer->head);
    json_object_put(answer->data);
}

void rig_expect(struct rig *rig, int http, int code)
{
    struct rig_answer answer;

    rig_wait(rig);
    rig_answer(rig, &answer);
    ck_assert_msg(answer.http == http && answer.code == code,
                  "HTTP %d, code %d: %.500s", answer.http, answer.code,
                  answer.body);
    ck_assert_msg(rig->got.len == 0, "more: '%.200s'", buf_cstr(&rig->got));
    rig_answer_free(&answer);
}

void rig_come(struct rig *rig)
{
    static const uint8_t reset = RESET_BYTE;

    session_connected(&rig->agent.session, false);
    rig_collect(rig);
    ck_assert_uint_eq(rig->got.len, 1);
    ck_assert_mem_eq(buf_data(&rig->got), &reset, 1);
    buf_clear(&rig->got);
}

void rig_expect_silence(struct rig *rig)
{
    rig_collect(rig);
    ck_assert_msg(rig->got.len == 0, "'%.200s'", buf_cstr(&rig->got));
    ck_assert_int_ne(rig->agent.session.server.state, SESSION_WORK);
}

char *rig_request(const char *line, const char *body)
{
    return rig_request_with(line, "", body);
}

char *rig_request_with(const char *line, const char *fields, const char *body)
{
    char *text = NULL;
    int n;

    if (body)
        n = asprintf(&text,
                     "%s HTTP/1.1\r\nHost: virtio-rpc\r\n%s"
                     "Content-Length: %zu\r\n\r\n%s",
                     line, fields, strlen(body), body);
    else
        n = asprintf(&text, "%s HTTP/1.1\r\nHost: virtio-rpc\r\n%s\r\n", line,
                     fields);
    ck_assert_int_gt(n, 0);
    return text;
}
