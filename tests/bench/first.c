/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * How much slower the first request after a connect is than the next ones:
 *
 *   first SOCKET N   N connections, each with a gap before it
 *
 * Prints a word and seconds on each line:
 *   connect  from before connect(2) to the first answer
 *   first    from before the first byte of the first request to its answer,
 *            on a connection that was accepted before
 *   second   likewise of the request that follows
 *   steady   of those behind it
 * A plain client with plain requests: no sync, nothing of ours in between.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto/limits.h"
#include "util/clock.h"
#include "util/num.h"

#define STEADY 10
#define ANSWER_S 5

/* QEMU takes a client and the guest hears of it in less than one (ms). */
#define ACCEPTED_MS 20

static const char request[] = "GET /api/v1/ping HTTP/1.1\r\n"
                              "Host: virtio-rpc\r\n\r\n";

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static int enter(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval limit = { .tv_sec = ANSWER_S };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0
        || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Is a whole answer in text?  The body is one JSON object, whose end is the
 * end of the text. */
static int is_whole(const char *text, size_t n)
{
    return n > 0 && text[n - 1] == '}' && strstr(text, "\r\n\r\n");
}

static int ping(int fd)
{
    char text[4096];
    size_t n = 0;

    if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL)
        != (ssize_t) sizeof(request) - 1)
        return -1;
    do {
        ssize_t got = recv(fd, text + n, sizeof(text) - 1 - n, 0);

        if (got <= 0)
            return -1;
        n += (size_t) got;
        text[n] = '\0';
    } while (!is_whole(text, n));
    return strstr(text, "pong") ? 0 : -1;
}

static int timed(const char *word, int fd, double start)
{
    if (ping(fd) < 0)
        return -1;
    return printf("%s %.9f\n", word, now() - start) < 0 ? -1 : 0;
}

/* One connection; settled: wait until it is accepted. */
static int visit(const char *path, int settled)
{
    double start = now();
    int fd = enter(path);
    int r = fd < 0 ? -1 : 0;

    if (r == 0 && settled) {
        clock_sleep_ms(ACCEPTED_MS);
        start = now();
    }
    if (r == 0)
        r = timed(settled ? "first" : "connect", fd, start);
    if (r == 0)
        r = timed("second", fd, now());
    for (int i = 0; r == 0 && i < STEADY; i++)
        r = timed("steady", fd, now());
    if (fd >= 0)
        close(fd);
    return r;
}

int main(int argc, char **argv)
{
    int64_t n = 0;

    if (argc != 3 || num_parse(argv[2], 1, INT32_MAX, &n) < 0) {
        fprintf(stderr, "usage: first SOCKET N\n");
        return 2;
    }
    for (int64_t i = 0; i < 2 * n; i++) {
        clock_sleep_ms(RECONNECT_GAP_MS);
        if (visit(argv[1], i % 2 == 1) < 0) {
            fprintf(stderr, "first: connection %d: no answer\n", (int) i + 1);
            return 1;
        }
    }
    return 0;
}
