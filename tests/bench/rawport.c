/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The guest's end of a port without a protocol: what the channel itself can
 * do, as the measure for what is built on it.  Orders come as lines:
 *
 *   echo     is sent back
 *   out N    sends N bytes
 *   in N     answers with a line, takes N bytes, answers with a line
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP (64 * 1024)
#define LINE 64
#define NOBODY_US 5000 /* read() gives 0 at once while no host is there */

static char step[STEP];

/* Return: bytes read, or -1. */
static ssize_t take(int fd, void *bytes, size_t n)
{
    ssize_t got;

    while ((got = read(fd, bytes, n)) == 0 || (got < 0 && errno == EINTR))
        usleep(NOBODY_US);
    return got;
}

static int give(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);

        if (done < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
        if (done > 0) {
            bytes += done;
            n -= (size_t) done;
        }
    }
    return 0;
}

static int give_many(int fd, long long n)
{
    int r = 0;

    for (; r == 0 && n > 0; n -= STEP)
        r = give(fd, step, n < STEP ? (size_t) n : STEP);
    return r;
}

static int take_many(int fd, long long n)
{
    if (give(fd, "go\n", 3) < 0)
        return -1;
    while (n > 0) {
        ssize_t got = take(fd, step, n < STEP ? (size_t) n : STEP);

        if (got < 0)
            return -1;
        n -= got;
    }
    return give(fd, "ok\n", 3);
}

static int obey(int fd, const char *line)
{
    long long n;

    if (sscanf(line, "out %lld", &n) == 1)
        return give_many(fd, n);
    if (sscanf(line, "in %lld", &n) == 1)
        return take_many(fd, n);
    return give(fd, line, strlen(line));
}

int main(int argc, char **argv)
{
    int fd = argc == 2 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    char line[LINE];
    size_t n = 0;

    if (fd < 0) {
        fprintf(stderr, "usage: rawport DEVICE\n");
        return 2;
    }
    for (;;) {
        ssize_t got = take(fd, line + n, sizeof(line) - 1 - n);

        if (got < 0)
            return 1;
        n += (size_t) got;
        line[n] = '\0';
        if (line[n - 1] != '\n' && n < sizeof(line) - 1)
            continue;
        if (obey(fd, line) < 0)
            return 1;
        n = 0;
    }
}
