/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The host's end of the measurements that stay within one connection.  Each
 * prints seconds, one number per line:
 *
 *   channel echo SOCKET N     N round trips with rawport
 *   channel out SOCKET BYTES  from rawport
 *   channel in SOCKET BYTES   to rawport
 *   channel ping SOCKET N     N requests to the agent, with the shipped client
 *   channel exec SOCKET N     N times `true` in the same way
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/link/handshake.h"
#include "host/link/rpc.h"
#include "host/link/sock.h"
#include "proto/route.h"
#include "util/clock.h"
#include "util/num.h"

#define STEP (64 * 1024)
#define CONNECT_MS 5000
#define ANSWER_MS 60000

static uint8_t step[STEP];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static int took(double start)
{
    return printf("%.9f\n", now() - start) < 0 ? -1 : 0;
}

/* --- the raw port -------------------------------------------------------- */

static int give(struct transport *port, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    while (n > 0) {
        int64_t done = port->ops->write(port, p, n, deadline_in(ANSWER_MS));

        if (done <= 0)
            return -1;
        p += done;
        n -= (size_t) done;
    }
    return 0;
}

static int take(struct transport *port, int64_t n)
{
    while (n > 0) {
        size_t want = n < STEP ? (size_t) n : STEP;
        int64_t got = port->ops->read(port, step, want,
                                      deadline_in(ANSWER_MS));

        if (got <= 0)
            return -1;
        n -= got;
    }
    return 0;
}

static int order(struct transport *port, const char *verb, int64_t n)
{
    char line[64];
    int length = snprintf(line, sizeof(line), "%s %lld\n", verb,
                          (long long) n);

    return give(port, line, (size_t) length);
}

static int raw_echo(struct transport *port, int64_t n)
{
    int r = 0;

    for (int64_t i = 0; r == 0 && i < n; i++) {
        double start = now();

        r = give(port, "echo\n", 5);
        if (r == 0)
            r = take(port, 5);
        if (r == 0)
            r = took(start);
    }
    return r;
}

static int raw_out(struct transport *port, int64_t n)
{
    double start = now();

    if (order(port, "out", n) < 0 || take(port, n) < 0)
        return -1;
    return took(start);
}

static int raw_in(struct transport *port, int64_t n)
{
    double start;

    if (order(port, "in", n) < 0 || take(port, 3) < 0)
        return -1;
    start = now();
    for (int64_t left = n; left > 0; left -= STEP)
        if (give(port, step, left < STEP ? (size_t) left : STEP) < 0)
            return -1;
    if (take(port, 3) < 0)
        return -1;
    return took(start);
}

static int raw(int (*run)(struct transport *, int64_t), const char *path,
               int64_t n, struct error *err)
{
    struct transport *port = NULL;
    int r = sock_connect(path, deadline_in(CONNECT_MS), &port, err);

    if (r < 0)
        return r;
    r = run(port, n);
    port->ops->close(port);
    return r < 0 ? error_set(err, -EIO, "the raw port does not answer") : 0;
}

/* --- the agent ----------------------------------------------------------- */

static const char exec_true[] = "{\"argv\":[\"true\"]}";

static const struct rpc_request ping = {
    .method = "GET",
    .target = API_PREFIX "/ping",
    .read_ms = ANSWER_MS,
    .write_ms = ANSWER_MS,
};

static const struct rpc_request exec = {
    .method = "POST",
    .target = API_PREFIX "/shell/exec",
    .content_type = "application/json",
    .body = exec_true,
    .body_len = sizeof(exec_true) - 1,
    .read_ms = ANSWER_MS,
    .write_ms = ANSWER_MS,
};

static int dial(void *context, int64_t deadline, struct transport **transport,
                struct error *err)
{
    return sock_connect(context, deadline, transport, err);
}

static int ask(struct rpc *rpc, const struct rpc_request *request,
               struct error *err)
{
    double start = now();
    struct rpc_reply reply;
    bool sent;
    int r;

    rpc_reply_init(&reply);
    r = rpc_call(rpc, request, &reply, &sent, err);
    if (r == 0 && reply.http != 200)
        r = error_set(err, -EIO, "the agent answered with HTTP %d",
                      reply.http);
    if (r == 0)
        r = took(start);
    rpc_reply_free(&reply);
    return r;
}

static int agent(const struct rpc_request *request, char *path, int64_t n,
                 struct error *err)
{
    struct rpc_dialer dialer = { .dial = dial, .context = path };
    struct rpc rpc;
    int r;

    rpc_init(&rpc);
    r = rpc_open(&rpc, &dialer, CONNECT_MS, err);
    for (int64_t i = 0; r == 0 && i < n; i++)
        r = ask(&rpc, request, err);
    rpc_free(&rpc);
    return r;
}

static const struct {
    const char *name;
    int (*raw)(struct transport *port, int64_t n);
    const struct rpc_request *request;
} modes[] = {
    { "echo", raw_echo, NULL }, { "out", raw_out, NULL },
    { "in", raw_in, NULL },     { "ping", NULL, &ping },
    { "exec", NULL, &exec },
};

int main(int argc, char **argv)
{
    struct error err = ERROR_INIT;
    int64_t n = 0;
    size_t i = 0;
    int r;

    while (argc == 4 && i < sizeof(modes) / sizeof(modes[0])
           && strcmp(argv[1], modes[i].name) != 0)
        i++;
    if (argc != 4 || i == sizeof(modes) / sizeof(modes[0])
        || num_parse(argv[3], 1, INT32_MAX, &n) < 0) {
        fprintf(stderr, "usage: channel echo|out|in|ping|exec SOCKET N\n");
        return 2;
    }
    if (modes[i].raw)
        r = raw(modes[i].raw, argv[2], n, &err);
    else
        r = agent(modes[i].request, argv[2], n, &err);
    if (r < 0)
        fprintf(stderr, "channel: %s\n", err.message);
    return r < 0;
}
