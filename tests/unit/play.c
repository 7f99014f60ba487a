/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/play.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

void play_init(struct play *play, const char *token)
{
    *play = (struct play) { .begun = false };
    server_init(&play->server);
    buf_init(&play->said, 1 << 20);
    buf_init(&play->body, 1 << 20);
    if (token)
        server_begin(&play->server, token);
}

void play_free(struct play *play)
{
    server_free(&play->server);
    buf_free(&play->said);
    buf_free(&play->body);
}

static bool wants(const struct play *play, const char *word)
{
    return strstr(play->target, word);
}

static void over(struct play *play)
{
    play->begun = false;
    play->answered = false;
    buf_clear(&play->body);
}

static void answer(struct play *play)
{
    ck_assert(play->begun && !play->answered);
    play->answered = true;
    server_answered(&play->server);
}

void play_send(struct play *play)
{
    ck_assert(server_sent_all(&play->server));
    over(play);
}

static void send_all(struct play *play)
{
    if (!wants(play, "unsent"))
        play_send(play);
}

/* --- events -------------------------------------------------------------- */

/* Whether an error was there before its client was found to be gone depends
 * on the pieces; nobody gets it. */
static void unsay_error(struct play *play)
{
    static const char words[] = "MARKED\n";
    size_t n = sizeof(words) - 1;
    struct buf *said = &play->said;

    if (said->len >= n
        && memcmp(buf_data(said) + said->len - n, words, n) == 0)
        said->len -= n;
}

static void on_head(struct play *play)
{
    const struct http_head *head = server_head(&play->server);

    ck_assert(!play->begun);
    play->begun = true;
    snprintf(play->target, sizeof(play->target), "%s", head->target);
    buf_printf(&play->said, "HEAD %s %s\n", head->method, head->target);
    if (wants(play, "early"))
        answer(play);
}

static void on_continue(struct play *play)
{
    ck_assert(play->begun && !play->answered);
    buf_puts(&play->said, "CONTINUE\n");
}

static void on_body(struct play *play)
{
    size_t n;
    const uint8_t *bytes = server_body(&play->server, &n);

    ck_assert(play->begun && !play->answered);
    ck_assert_uint_gt(n, 0);
    buf_append(&play->body, bytes, n);
    ck_assert_int_eq(server_body_seen(&play->server),
                     (int64_t) play->body.len);
}

static void on_marked(struct play *play)
{
    buf_puts(&play->said, "MARKED\n");
    answer(play);
}

static void on_end(struct play *play)
{
    ck_assert(play->begun && !play->answered);
    play->n_ends++;
    buf_puts(&play->said, "END ");
    for (size_t i = 0; i < play->body.len; i++) {
        unsigned char c = buf_data(&play->body)[i];

        buf_printf(&play->said, c > 31 && c < 127 ? "%c" : "\\x%02X", c);
    }
    buf_puts(&play->said, "\n");
    ck_assert_int_eq(play->server.state, SESSION_WORK);
    if (wants(play, "stay"))
        return;
    answer(play);
    ck_assert_int_eq(play->server.state, SESSION_SEND);
    send_all(play);
}

static void on_drained(struct play *play)
{
    ck_assert(play->begun && play->answered);
    buf_puts(&play->said, "DRAINED\n");
    send_all(play);
}

static void on_fault(struct play *play)
{
    buf_printf(&play->said, "FAULT %d %s\n", play->server.fault.http,
               play->server.fault.detail);
    ck_assert(!play->answered);
    ck_assert_int_eq(play->server.state, SESSION_QUARANTINE);
    over(play);
}

static void on_lost(struct play *play)
{
    ck_assert(play->begun && play->answered);
    ck_assert_int_eq(play->server.state, SESSION_QUARANTINE);
    buf_puts(&play->said, "LOST\n");
    over(play);
}

static void on_urge(struct play *play)
{
    ck_assert(play->begun && !play->answered);
    ck_assert_int_eq(play->server.state, SESSION_WORK);
    ck_assert_str_eq(server_head(&play->server)->target, play->target);
    buf_puts(&play->said, "URGE\n");
    if (!wants(play, "deaf"))
        answer(play);
}

static void on_pass(struct play *play)
{
    ck_assert(play->begun && play->answered);
    ck_assert_int_eq(play->server.state, SESSION_RECEIVE);
    buf_puts(&play->said, "PASS\n");
    if (!wants(play, "slow"))
        server_sent_before(&play->server);
    over(play);
}

static void on_drop(struct play *play)
{
    unsay_error(play);
    buf_puts(&play->said, "DROP\n");
    over(play);
}

static void on_abandon(struct play *play)
{
    ck_assert(play->begun && !play->answered);
    buf_puts(&play->said, "ABANDON\n");
    over(play);
}

void play_event(struct play *play, enum server_event event)
{
    static void (*const handlers[])(struct play *) = {
        [SERVER_HEAD] = on_head,   [SERVER_CONTINUE] = on_continue,
        [SERVER_BODY] = on_body,   [SERVER_MARKED] = on_marked,
        [SERVER_END] = on_end,     [SERVER_DRAINED] = on_drained,
        [SERVER_FAULT] = on_fault, [SERVER_LOST] = on_lost,
        [SERVER_URGE] = on_urge,   [SERVER_PASS] = on_pass,
        [SERVER_DROP] = on_drop,   [SERVER_ABANDON] = on_abandon,
    };

    if (event == SERVER_NEED_MORE)
        return;
    ck_assert_uint_lt(event, ARRAY_SIZE(handlers));
    handlers[event](play);
}

/* --- bytes --------------------------------------------------------------- */

/* The deadline is that of the answer, or of the request that is half there. */
void play_check_rest(const struct play *play)
{
    const struct server *server = &play->server;
    bool behind = !msg_idle(&server->next);

    ck_assert(!msg_has_head(&server->next));
    ck_assert(play->begun || !server->patient);
    switch (server->state) {
    case SESSION_RECEIVE:
        ck_assert(server_deadline(server) || !play->begun);
        ck_assert(!server_owes(server) && !behind);
        break;
    case SESSION_WORK:
        ck_assert(play->begun && !play->answered);
        ck_assert(server_deadline(server) == behind && server_owes(server));
        break;
    case SESSION_SEND:
        ck_assert(play->begun && play->answered);
        ck_assert(server_deadline(server) && server_owes(server));
        break;
    case SESSION_QUARANTINE:
        ck_assert(!play->begun && !behind && msg_idle(&server->in));
        ck_assert(!server_deadline(server) && !server_owes(server));
        break;
    }
}

void play_feed(struct play *play, const char *text, size_t n)
{
    struct guarded copy = guarded_copy(text, n);
    const uint8_t *bytes = copy.bytes;
    enum server_event event;

    do {
        size_t used = SIZE_MAX;

        event = server_feed(&play->server, bytes, n, &used);
        ck_assert_uint_le(used, n);
        play_event(play, event);
        bytes += used;
        n -= used;
    } while (event != SERVER_NEED_MORE);
    ck_assert_uint_eq(n, 0);
    play_check_rest(play);
    guarded_free(&copy);
}

void play_steps(struct play *play, const char *text, size_t n, size_t step)
{
    for (size_t at = 0; at < n; at += step)
        play_feed(play, text + at, n - at < step ? n - at : step);
}

void play_stall(struct play *play)
{
    enum server_event event;

    do {
        event = server_stalled(&play->server);
        play_event(play, event);
    } while (event != SERVER_NEED_MORE);
    play_check_rest(play);
}

/* --- checks -------------------------------------------------------------- */

void play_expect(struct play *play, const char *words)
{
    const char *said = play->said.len ? buf_cstr(&play->said) : "";

    ck_assert_msg(strcmp(said, words) == 0, "said\n%s\ninstead of\n%s", said,
                  words);
    buf_clear(&play->said);
}

bool play_sync_comes(struct play *play, size_t step)
{
    int ends = play->n_ends;

    play_steps(play, BYTES(MARK SYNC), step);
    return play->n_ends == ends + 1
           && strcmp(play->target, "/api/v1/sync?id=abc") == 0
           && play->server.state == SESSION_RECEIVE
           && !server_deadline(&play->server);
}

void play_expect_ping(struct play *play)
{
    int ends = play->n_ends;

    play_feed(play, BYTES(PING));
    ck_assert_int_eq(play->n_ends, ends + 1);
    ck_assert_str_eq(play->target, "/api/v1/ping");
    ck_assert_int_eq(play->server.state, SESSION_RECEIVE);
}

static void expect_rule(struct play *play, const struct play_rule *rule)
{
    play_expect(play, rule->said);
    ck_assert_int_eq(play->server.state, rule->state);
    play_free(play);
}

void play_check(const struct play_rule *rule, const char *token)
{
    static const size_t steps[] = { 10000, 1, 2, 3, 7 };
    struct play play;

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        play_init(&play, token);
        play_steps(&play, rule->text, rule->n, steps[i]);
        expect_rule(&play, rule);
    }
    for (size_t cut = 1; cut < rule->n; cut++) {
        play_init(&play, token);
        play_feed(&play, rule->text, cut);
        play_feed(&play, rule->text + cut, rule->n - cut);
        expect_rule(&play, rule);
    }
}
