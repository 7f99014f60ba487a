/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The handshake and one call, against a peer that follows a script. */
#include <config.h>

#include "host/link/rpc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/link/handshake.h"
#include "proto/limits.h"
#include "unit/host/link.h"
#include "unit/unit.h"
#include "util/clock.h"
#include "util/fd.h"

const char unit_name[] = "rpc";

/* --- the peer: a process that answers what it reads ---------------------- */

/* In the text of an answer: @ is the id of the request, and its length is
 * counted when Content-Length says #. */
struct script {
    const char *sync;    /* body of the answer to a sync; NULL: silence */
    const char *noise;   /* in front of it */
    const char *answers; /* to the request behind it; NULL: silence */
    bool deaf;           /* does not even read the request */
    bool leaves;         /* closes after what it says */
    int delay_ms;        /* before each piece of the answers */
    size_t piece;        /* bytes at a time; 0: all */
};

#define SYNC_BODY                                                        \
    "{\"version\":\"1.0\",\"code\":0,\"message\":\"success\",\"data\":{" \
    "\"id\":\"@\",\"session\":\"s\",\"boot_id\":\"boot\","               \
    "\"agent_version\":\"1.2.3\",\"auth\":true},\"timestamp\":1}"
#define HEAD "HTTP/1.1 200 OK\r\nX-Request-ID: @\r\nContent-Length: "
#define ANSWER(length, body) HEAD length "\r\n\r\n" body

static void say(int fd, const struct script *script, const char *bytes,
                size_t n)
{
    size_t piece = script->piece ? script->piece : n;

    for (size_t at = 0; at < n; at += piece) {
        if (script->delay_ms)
            usleep((useconds_t) script->delay_ms * 1000);
        fd_write_all(fd, bytes + at, n - at < piece ? n - at : piece);
    }
}

/* Replaces each @ by the id. */
static void say_with(int fd, const struct script *script, const char *text,
                     const char *id)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    buf_puts(&out, "");
    for (; *text; text++)
        if (*text == '@')
            buf_puts(&out, id);
        else
            buf_append(&out, text, 1);
    say(fd, script, (const char *) buf_data(&out), out.len);
    buf_free(&out);
}

/* One request: up to the empty line, and its body. */
static bool hear(int fd, char id[80], char *text, size_t size)
{
    size_t n = 0;
    const char *field;
    size_t length = 0;

    while (n < 4 || memcmp(text + n - 4, "\r\n\r\n", 4) != 0) {
        if (n + 1 >= size || read(fd, text + n, 1) != 1)
            return false;
        n++;
    }
    text[n] = '\0';
    field = strstr(text, "X-Request-ID: ");
    if (!field || sscanf(field, "X-Request-ID: %79s", id) != 1)
        return false;
    field = strstr(text, "Content-Length: ");
    if (field && sscanf(field, "Content-Length: %zu", &length) != 1)
        return false;
    for (char c; length > 0; length--)
        if (read(fd, &c, 1) != 1)
            return false;
    return true;
}

static void say_sync(int fd, const struct script *script, const char *id)
{
    char head[256];

    /* every @ in it becomes 32 characters */
    snprintf(head, sizeof(head), HEAD "%zu\r\n\r\n",
             strlen(script->sync)
                 + (strchr(script->sync, '@') ? strlen(id) - 1 : 0));
    say_with(fd, script, head, id);
    say_with(fd, script, script->sync, id);
}

static void __attribute__((noreturn)) play(int fd, const struct script *script)
{
    static char text[65536];
    struct script prompt = *script; /* a handshake has 400 ms */
    char id[80];

    prompt.delay_ms = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (hear(fd, id, text, sizeof(text)) && script->sync) {
        if (script->noise)
            say(fd, script, script->noise, strlen(script->noise));
        say_sync(fd, &prompt, id);
        if (!script->deaf && hear(fd, id, text, sizeof(text))
            && script->answers)
            say_with(fd, script, script->answers, id);
    }
    if (!script->leaves)
        for (;;)
            pause();
    _exit(0);
}

#define PEERS_MAX 64

static pid_t peers[PEERS_MAX];
static int n_peers;

static struct link *connect_to(const struct script *script, size_t read_max,
                               size_t write_max)
{
    int ends[2];
    pid_t pid;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        close(ends[0]);
        play(ends[1], script);
    }
    close(ends[1]);
    ck_assert_int_lt(n_peers, PEERS_MAX);
    peers[n_peers++] = pid;
    return link_new(ends[0], read_max, write_max);
}

static void teardown(void)
{
    while (n_peers > 0) {
        kill(peers[--n_peers], SIGKILL);
        waitpid(peers[n_peers], NULL, 0);
    }
}

/* --- the handshake ------------------------------------------------------- */

/* Peers that follow the same script, until one of them is understood. */
struct peer_dialing {
    const struct script *script;
    size_t read_max, write_max;
    int left; /* connections that there will be */
};

static int dial_peer(void *context, int64_t deadline,
                     struct transport **transport, struct error *err)
{
    struct peer_dialing *dialing = context;

    (void) deadline;
    if (dialing->left-- == 0)
        return error_set(err, -ENXIO, "no further try");
    *transport = &connect_to(dialing->script, dialing->read_max,
                             dialing->write_max)
                      ->base;
    return 0;
}

/* A handshake has 400 ms, which a peer on a busy machine may miss: what is good
 * is good with a later one, too, and what is bad is bad at once.
 *
 * Return: 0; -ENXIO when no attempt was any good; -ECONNRESET. */
static int open_to(struct rpc *rpc, const struct script *script,
                   size_t read_max, size_t write_max, bool good)
{
    struct peer_dialing dialing = { script, read_max, write_max,
                                    good ? 16 : 1 };
    const struct rpc_dialer dialer = { .dial = dial_peer,
                                       .context = &dialing };

    return rpc_open(rpc, &dialer, 20000, NULL);
}

/* Connections that break are attempts, too, until one is answered. */
START_TEST(broken_attempts)
{
    static const struct script leaves = { .leaves = true };
    static const struct script stays = { .sync = SYNC_BODY };
    struct rpc rpc;

    rpc_init(&rpc);
    for (int i = 1; i < 5; i++) {
        ck_assert_int_eq(open_to(&rpc, &leaves, 4096, 4096, false),
                         -ECONNRESET);
        ck_assert_int_eq(rpc.broken, i);
    }
    ck_assert_int_eq(open_to(&rpc, &stays, 4096, 4096, true), 0);
    ck_assert_int_eq(rpc.broken, 0);
    rpc_free(&rpc);
}
END_TEST

static const struct {
    struct script script;
    int result;
} syncs[] = {
    { { .sync = SYNC_BODY }, 0 },
    { { .sync = SYNC_BODY, .piece = 1 }, 0 },
    { { .sync = SYNC_BODY, .noise = "rest of an answer\r\n\r\n" }, 0 },
    { { .sync = SYNC_BODY,
        .noise = "HTTP/1.1 200 OK\r\nX-Request-ID: foreign\r\n"
                 "Content-Length: 1000\r\n\r\n{\"code\":0}" },
      0 },
    { { .sync = SYNC_BODY, .noise = "HTTP/1.1 200 OK\r\nX-Re", .piece = 3 },
      0 },
    { { .sync = NULL }, -ENXIO },
    { { .sync = NULL, .leaves = true }, -ECONNRESET },
    { { .sync = "{}" }, -ENXIO },
    { { .sync = "not JSON" }, -ENXIO },
    { { .sync = "{\"version\":\"1.0\",\"code\":5001,\"message\":\"\","
                "\"data\":{\"id\":\"@\"},\"timestamp\":1}" },
      -ENXIO },
    /* somebody else's id inside, or none, or words of a wrong kind */
    { { .sync = "{\"version\":\"1.0\",\"code\":0,\"message\":\"\","
                "\"data\":{\"id\":\"x@\"},\"timestamp\":1}" },
      -ENXIO },
    { { .sync = "{\"version\":\"1.0\",\"code\":0,\"message\":\"\","
                "\"data\":{},\"timestamp\":1}" },
      -ENXIO },
    { { .sync = "{\"version\":\"1.0\",\"code\":0,\"message\":\"\","
                "\"data\":{\"id\":\"@\",\"auth\":\"no\"},\"timestamp\":1}" },
      -ENXIO },
    { { .sync = "{\"version\":\"1.0\",\"code\":0,\"message\":\"\","
                "\"data\":{\"id\":\"@\",\"boot_id\":7},\"timestamp\":1}" },
      -ENXIO },
    { { .sync = "{\"version\":\"1.0\",\"code\":0,\"message\":\"\","
                "\"data\":{\"id\":\"@\",\"timestamp\":-1},"
                "\"timestamp\":1}" },
      -ENXIO },
    { { .sync = "{\"version\":\"1.0\",\"code\":0,\"message\":\"\","
                "\"data\":{\"id\":\"@\"},\"timestamp\":1}" },
      0 },
};

START_TEST(sync_with)
{
    static const size_t steps[][2] = { { 65536, 65536 }, { 1, 1 }, { 7, 3 } };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct rpc rpc;
        int r;

        rpc_init(&rpc);
        r = open_to(&rpc, &syncs[_i].script, steps[i][0], steps[i][1],
                    syncs[_i].result == 0);
        ck_assert_msg(r == syncs[_i].result, "%zu: %d", i, r);
        ck_assert_int_eq(r == 0, rpc.transport != NULL);
        if (_i == 0) {
            ck_assert_str_eq(rpc.peer.boot_id, "boot");
            ck_assert_str_eq(rpc.peer.version, "1.2.3");
            ck_assert(rpc.peer.auth);
            ck_assert_int_eq(rpc.peer.clock_ahead, 0);
        }
        rpc_free(&rpc);
    }
}
END_TEST

START_TEST(clocks)
{
    static const int64_t aheads[] = { 0, 1, 2, -2, 3600, -3600, 3, -3 };

    for (size_t i = 0; i < ARRAY_SIZE(aheads); i++) {
        char body[512];
        struct script script = { .sync = body };
        int64_t before = clock_wall();
        int64_t passed;
        struct rpc rpc;

        snprintf(body, sizeof(body),
                 "{\"version\":\"1.0\",\"code\":0,\"message\":\"\",\"data\":"
                 "{\"id\":\"@\",\"timestamp\":%lld},\"timestamp\":1}",
                 (long long) (before + aheads[i]));
        rpc_init(&rpc);
        ck_assert_int_eq(open_to(&rpc, &script, 4096, 4096, true), 0);
        passed = clock_wall() - before;
        /* a second may pass in between, and more where the machine is busy */
        if (llabs(aheads[i]) > 3)
            ck_assert(llabs(rpc.peer.clock_ahead - aheads[i]) <= 2 + passed);
        else if (llabs(aheads[i]) < 2 && passed <= 1)
            ck_assert_int_eq(rpc.peer.clock_ahead, 0);
        rpc_free(&rpc);
    }
}
END_TEST

/* Words of the guest that are too long for their place. */
START_TEST(long_words)
{
    static char word[70000];

    for (size_t n = 126; n <= 60000; n = n < 129 ? n + 1 : n * 10) {
        static char body[80000];
        struct script script = { .sync = body };

        memset(word, 'w', n);
        word[n] = '\0';
        for (int i = 0; i < 2; i++) {
            struct rpc rpc;
            bool bad;
            int r;

            snprintf(body, sizeof(body),
                     "{\"version\":\"1.0\",\"code\":0,\"message\":\"\","
                     "\"data\":{\"id\":\"@\",\"%s\":\"%s\"},"
                     "\"timestamp\":1}",
                     i ? "boot_id" : "agent_version", word);
            rpc_init(&rpc);
            /* a boot-id is signed: cut, it would be another one */
            bad = i && n >= RPC_WORD_MAX;
            r = open_to(&rpc, &script, 4096, 4096, !bad);
            ck_assert_int_eq(r, bad ? -ENXIO : 0);
            ck_assert_uint_lt(strlen(rpc.peer.version), RPC_WORD_MAX);
            rpc_free(&rpc);
        }
    }
}
END_TEST

/* --- opening ------------------------------------------------------------- */

struct dialing {
    const struct script *scripts; /* one per attempt */
    int attempts;
    int error; /* of the dialer itself */
};

static int dial(void *context, int64_t deadline, struct transport **transport,
                struct error *err)
{
    struct dialing *dialing = context;

    (void) deadline;
    if (dialing->error)
        return error_set(err, dialing->error, "no road");
    *transport =
        &connect_to(&dialing->scripts[dialing->attempts++], 4096, 4096)->base;
    return 0;
}

START_TEST(opened_at_last)
{
    static const struct script scripts[] = {
        { .sync = NULL },
        { .sync = "nonsense" },
        { .sync = SYNC_BODY },
    };
    struct dialing dialing = { .scripts = scripts };
    const struct rpc_dialer dialer = { .dial = dial, .context = &dialing };
    struct rpc rpc;
    struct error err = ERROR_INIT;

    rpc_init(&rpc);
    ck_assert_msg(rpc_open(&rpc, &dialer, 20000, &err) == 0, "%s",
                  err.message);
    ck_assert_int_eq(dialing.attempts, 3);
    ck_assert_str_eq(rpc.peer.boot_id, "boot");
    rpc_free(&rpc);
}
END_TEST

START_TEST(not_opened)
{
    static const struct script silent[8];
    struct dialing dialing = { .scripts = silent };
    const struct rpc_dialer dialer = { .dial = dial, .context = &dialing };
    struct error err = ERROR_INIT;
    struct rpc rpc;
    int64_t before = clock_ms();

    rpc_init(&rpc);
    ck_assert_int_eq(rpc_open(&rpc, &dialer, 300, &err), -EHOSTDOWN);
    ck_assert_int_ge(clock_ms() - before, 200);
    ck_assert_int_lt(clock_ms() - before, 10000);
    ck_assert_ptr_null(rpc.transport);
    dialing.error = -EACCES;
    ck_assert_int_eq(rpc_open(&rpc, &dialer, 300, &err), -EACCES);
    ck_assert_str_eq(err.message, "no road");
    rpc_free(&rpc);
}
END_TEST

/* --- calls --------------------------------------------------------------- */

static const struct {
    const char *answers;
    int result;
    const char *body;
    bool leaves;
} calls[] = {
    { ANSWER("4", "body"), 0, "body", false },
    { ANSWER("0", ""), 0, "", false },
    { ANSWER("4", "\xFF\x01"
                  "ab"),
      0,
      "\xFF\x01"
      "ab",
      false },
    { HEAD "4\r\nContent-Type: application/json\r\n\r\n1234", 0, "1234",
      false },
    { "HTTP/1.1 200 OK\r\nX-Request-ID: @\r\n"
      "Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
      0, "body", false },
    { "HTTP/1.1 100 Continue\r\n\r\n" ANSWER("4", "body"), 0, "body", false },
    { "HTTP/1.1 204 No Content\r\nX-Request-ID: @\r\n\r\n", 0, "", false },
    /* of somebody else: dropped */
    { "HTTP/1.1 200 OK\r\nX-Request-ID: other\r\nContent-Length: 4\r\n\r\n"
      "them" ANSWER("4", "body"),
      0, "body", false },
    { "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nthem" ANSWER("4", "body"),
      0, "body", false },
    { "HTTP/1.1 200 OK\r\nX-Request-ID: other\r\nContent-Length: 4\r\n\r\n"
      "them",
      -ETIMEDOUT, NULL, false },
    { "HTTP/1.1 200 OK\r\nX-Request-ID: @@\r\nContent-Length: 4\r\n\r\n"
      "them",
      -ETIMEDOUT, NULL, false },
    /* nothing, half, and the end */
    { NULL, -ETIMEDOUT, NULL, false },
    { "", -ETIMEDOUT, NULL, false },
    { "HTTP/1.1 200 OK\r\nX-Req", -ETIMEDOUT, NULL, false },
    { ANSWER("4", "bod"), -ETIMEDOUT, NULL, false },
    { NULL, -ECONNRESET, NULL, true },
    { ANSWER("4", "bod"), -ECONNRESET, NULL, true },
    /* not HTTP */
    { "garbage\r\n\r\n", -EBADMSG, NULL, false },
    { "HTTP/1.1 200 OK\nX: y\n\n", -EBADMSG, NULL, false },
    { "\xFF" ANSWER("4", "body"), -ECONNRESET, NULL, false },
    { "HTTP/1.1 200 OK\r\nX-Request-ID: @\r\n\r\n", -EBADMSG, NULL, false },
    { "HTTP/1.1 200 OK\r\nX-Request-ID: @\r\nContent-Length: 1\r\n"
      "Content-Length: 2\r\n\r\n",
      -EBADMSG, NULL, false },
    { "HTTP/1.1 200 OK\r\nX-Request-ID: @\r\n"
      "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
      -EBADMSG, NULL, false },
    { "HTTP/1.1 200 OK\r\nX-Request-ID: @\r\nContent-Length: -1\r\n\r\n",
      -EBADMSG, NULL, false },
    /* more than anybody takes */
    { ANSWER("268435457", "x"), -EMSGSIZE, NULL, false },
    { ANSWER("9223372036854775807", "x"), -EMSGSIZE, NULL, false },
};

static int call(const struct script *script, size_t read_max, size_t write_max,
                const struct rpc_request *request, struct rpc_reply *reply,
                bool *sent)
{
    struct error err = ERROR_INIT;
    struct rpc rpc;
    int r;

    rpc_init(&rpc);
    ck_assert_int_eq(open_to(&rpc, script, read_max, write_max, true), 0);
    r = rpc_call(&rpc, request, reply, sent, &err);
    ck_assert_int_eq(r == 0, err.message[0] == '\0');
    rpc_free(&rpc);
    return r;
}

START_TEST(call_with)
{
    static const size_t steps[][2] = { { 65536, 65536 }, { 1, 1 }, { 5, 2 } };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        const struct script script = { .sync = SYNC_BODY,
                                       .answers = calls[_i].answers,
                                       .leaves = calls[_i].leaves };
        const struct rpc_request request = {
            .method = "POST",
            .target = "/api/v1/x",
            .content_type = "application/json",
            .body = "{}",
            .body_len = 2,
            .read_ms = calls[_i].result == -ETIMEDOUT ? 150 : 20000,
            .write_ms = 20000,
        };
        struct rpc_reply reply;
        bool sent = false;
        int r;

        rpc_reply_init(&reply);
        r = call(&script, steps[i][0], steps[i][1], &request, &reply, &sent);
        ck_assert_msg(r == calls[_i].result, "%zu: %d", i, r);
        ck_assert(sent);
        if (r == 0) {
            ck_assert_uint_eq(reply.body.len, strlen(calls[_i].body));
            ck_assert_str_eq(buf_cstr(&reply.body), calls[_i].body);
        }
        rpc_reply_free(&reply);
    }
}
END_TEST

START_TEST(fields_of_a_reply)
{
    static const struct script script = {
        .sync = SYNC_BODY,
        .answers = "HTTP/1.1 503 Busy\r\nX-Request-ID: @\r\n"
                   "retry-after: 7\r\nETag: \"e\"\r\n"
                   "Content-Range: bytes 0-1/2\r\n"
                   "Content-Type: application/json\r\n"
                   "Content-Length: 2\r\n\r\n{}",
    };
    static const struct script lies = {
        .sync = SYNC_BODY,
        .answers = "HTTP/1.1 200 OK\r\nX-Request-ID: @\r\n"
                   "Retry-After: -7\r\nContent-Type: text/html\r\n"
                   "Content-Length: 0\r\n\r\n",
    };
    static const struct script huge = {
        .sync = SYNC_BODY,
        .answers = "HTTP/1.1 503 Busy\r\nX-Request-ID: @\r\n"
                   "Retry-After: 99999999999999999999999\r\n"
                   "Content-Length: 0\r\n\r\n",
    };
    const struct rpc_request request = { .method = "GET",
                                         .target = "/x",
                                         .read_ms = 20000 };
    struct rpc_reply reply;
    bool sent;

    rpc_reply_init(&reply);
    ck_assert_int_eq(call(&huge, 99, 99, &request, &reply, &sent), 0);
    ck_assert_int_eq(reply.retry_after, INT32_MAX);
    ck_assert_int_eq(call(&script, 99, 99, &request, &reply, &sent), 0);
    ck_assert_int_eq(reply.http, 503);
    ck_assert_int_eq(reply.retry_after, 7);
    ck_assert_str_eq(reply.etag, "\"e\"");
    ck_assert_str_eq(reply.content_range, "bytes 0-1/2");
    ck_assert(reply.json);
    ck_assert_int_eq(call(&lies, 99, 99, &request, &reply, &sent), 0);
    ck_assert_int_eq(reply.retry_after, -1);
    ck_assert_str_eq(reply.etag, "");
    ck_assert(!reply.json);
    ck_assert_uint_eq(reply.body.len, 0);
    rpc_reply_free(&reply);
}
END_TEST

/* A peer that takes nothing: the request runs into its own deadline. */
START_TEST(nobody_takes_it)
{
    static const struct script script = { .sync = SYNC_BODY, .deaf = true };
    size_t n = 8 * 1024 * 1024;
    AUTO_FREE char *body = calloc(1, n);
    const struct rpc_request request = {
        .method = "PUT",
        .target = "/x",
        .content_type = "x/y",
        .body = body,
        .body_len = n,
        .read_ms = 20000,
        .write_ms = 200,
    };
    struct rpc_reply reply;
    int64_t before = clock_ms();
    bool sent = false;

    rpc_reply_init(&reply);
    ck_assert_int_eq(call(&script, 65536, 65536, &request, &reply, &sent),
                     -ETIMEDOUT);
    ck_assert(!sent); /* half a request is none */
    ck_assert_int_lt(clock_ms() - before, 15000);
    rpc_reply_free(&reply);
}
END_TEST

/* A trickle is slower than any stream that is not called stalled. */
START_TEST(trickle)
{
    static const struct script script = {
        .sync = SYNC_BODY,
        .delay_ms = 20,
        .piece = 16,
        .answers = ANSWER("400", "0123456789012345678901234567890123456789"
                                 "0123456789012345678901234567890123456789"
                                 "0123456789012345678901234567890123456789"
                                 "0123456789012345678901234567890123456789"
                                 "0123456789012345678901234567890123456789"),
    };
    const struct rpc_request request = { .method = "GET",
                                         .target = "/x",
                                         .read_ms = 150 };
    struct rpc_reply reply;
    bool sent;

    rpc_reply_init(&reply);
    ck_assert_int_eq(call(&script, 4096, 4096, &request, &reply, &sent),
                     -ETIMEDOUT);
    rpc_reply_free(&reply);
}
END_TEST

/* The start of an answer may be waited for without end, its rest not. */
START_TEST(rest_has_a_limit)
{
    static const struct script script = { .sync = SYNC_BODY,
                                          .answers = ANSWER("4", "bod") };
    const struct rpc_request request = { .method = "GET",
                                         .target = "/x",
                                         .rest_ms = 150 };
    struct rpc_reply reply;
    bool sent;

    rpc_reply_init(&reply);
    ck_assert_int_eq(call(&script, 4096, 4096, &request, &reply, &sent),
                     -ETIMEDOUT);
    rpc_reply_free(&reply);
}
END_TEST

/* --- silence ------------------------------------------------------------- */

/* What is said about the first, second … silence. */
struct silences {
    int verdicts[4];
    int n;
};

static int silent(void *context, struct error *err)
{
    struct silences *silences = context;
    int verdict = silences->verdicts[silences->n++];

    return verdict < 0 ? error_set(err, verdict, "enough") : verdict;
}

static const struct {
    struct silences silences;
    int64_t read_ms; /* 0: no limit */
    int result;
    int asked;
} quiet[] = {
    { { { -ESHUTDOWN }, 0 }, 0, -ESHUTDOWN, 1 },
    { { { 0, 1, -ECONNRESET }, 0 }, 0, -ECONNRESET, 3 },
    /* the limit stands, unless the time does not count */
    { { { 0, 0, -ESHUTDOWN }, 0 }, 120, -ETIMEDOUT, 2 },
    { { { 1, 1, -ESHUTDOWN }, 0 }, 120, -ESHUTDOWN, 3 },
};

START_TEST(silence)
{
    static const struct script scripts[] = {
        { .sync = SYNC_BODY }, { .sync = SYNC_BODY, .deaf = true }
    };
    size_t n = 8 * 1024 * 1024;
    AUTO_FREE char *body = calloc(1, n);

    /* What the socket takes moves the limit of sending away. */
    for (int deaf = 0; deaf < (quiet[_i].read_ms ? 1 : 2); deaf++) {
        struct silences silences = quiet[_i].silences;
        const struct rpc_request request = {
            .method = "PUT",
            .target = "/x",
            .content_type = "x/y",
            .body = body,
            .body_len = deaf ? n : 0,
            .read_ms = quiet[_i].read_ms,
            .write_ms = quiet[_i].read_ms,
            .silence_ms = 50,
            .silent = silent,
            .context = &silences,
        };
        struct rpc_reply reply;
        bool sent;

        rpc_reply_init(&reply);
        ck_assert_int_eq(
            call(&scripts[deaf], 65536, 65536, &request, &reply, &sent),
            quiet[_i].result);
        ck_assert_int_eq(sent, !deaf);
        /* a slow machine may not get to each of them in time */
        if (quiet[_i].result == -ETIMEDOUT)
            ck_assert_int_le(silences.n, quiet[_i].asked);
        else
            ck_assert_int_eq(silences.n, quiet[_i].asked);
        rpc_reply_free(&reply);
    }
}
END_TEST

/* Signs of life are bytes and no answer. */
START_TEST(signs_of_life)
{
#define SIGN "HTTP/1.1 102 Processing\r\nX-Request-ID: @\r\n\r\n"
    static const struct script script = {
        .sync = SYNC_BODY,
        .delay_ms = 25,
        .piece = 8,
        .answers = SIGN SIGN SIGN SIGN SIGN SIGN SIGN SIGN SIGN SIGN ANSWER(
            "4", "body"),
    };
    struct silences silences = { .verdicts = { -ESHUTDOWN } };
    const struct rpc_request request = {
        .method = "POST",
        .target = "/x",
        .read_ms = 20000,
        .silence_ms = 1000,
        .silent = silent,
        .context = &silences,
    };
    int64_t before = clock_ms();
    struct rpc_reply reply;
    bool sent;

    rpc_reply_init(&reply);
    ck_assert_int_eq(call(&script, 4096, 4096, &request, &reply, &sent), 0);
    ck_assert_int_gt(clock_ms() - before, request.silence_ms);
    ck_assert_int_eq(reply.http, 200);
    ck_assert_int_eq(silences.n, 0);
    rpc_reply_free(&reply);
}
END_TEST

START_TEST(woken)
{
    static const struct script script = { .sync = SYNC_BODY };
    const struct rpc_request request = { .method = "POST", .target = "/x" };
    struct error err = ERROR_INIT;
    struct rpc_reply reply;
    struct rpc rpc;
    bool sent;
    int wake[2];

    ck_assert_int_eq(pipe(wake), 0);
    ck_assert_int_eq(write(wake[1], "x", 1), 1);
    rpc_init(&rpc);
    rpc_reply_init(&reply);
    rpc.transport = &connect_to(&script, 4096, 4096)->base;
    rpc_set_wake(&rpc, wake[0]);
    ck_assert_int_eq(rpc_call(&rpc, &request, &reply, &sent, &err),
                     -ECANCELED);
    rpc_reply_free(&reply);
    rpc_free(&rpc);
    close(wake[0]);
    close(wake[1]);
}
END_TEST

/* Nothing was sent: the caller may say so. */
START_TEST(head_too_large)
{
    static const struct script script = { .sync = SYNC_BODY };
    AUTO_FREE char *target = calloc(1, HTTP_HEAD_MAX + 1);
    const struct rpc_request request = { .method = "GET",
                                         .target = target,
                                         .read_ms = 1000 };
    struct rpc_reply reply;
    bool sent = true;

    memset(target, '/', HTTP_HEAD_MAX);
    rpc_reply_init(&reply);
    ck_assert_int_eq(call(&script, 4096, 4096, &request, &reply, &sent),
                     -EMSGSIZE);
    ck_assert(!sent);
    rpc_reply_free(&reply);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_loop_test(tcase, sync_with, 0, ARRAY_SIZE(syncs));
    tcase_add_test(tcase, broken_attempts);
    tcase_add_test(tcase, clocks);
    tcase_add_test(tcase, long_words);
    tcase_add_test(tcase, opened_at_last);
    tcase_add_test(tcase, not_opened);
    tcase_add_loop_test(tcase, call_with, 0, ARRAY_SIZE(calls));
    tcase_add_test(tcase, fields_of_a_reply);
    tcase_add_test(tcase, nobody_takes_it);
    tcase_add_test(tcase, trickle);
    tcase_add_test(tcase, rest_has_a_limit);
    tcase_add_loop_test(tcase, silence, 0, ARRAY_SIZE(quiet));
    tcase_add_test(tcase, signs_of_life);
    tcase_add_test(tcase, woken);
    tcase_add_test(tcase, head_too_large);
}
