/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * QEMU's guest agent as fast as it can be used through libvirt: in one
 * process, over one connection, by the function that `virsh
 * qemu-agent-command` calls, with large pieces.  Each prints seconds, one
 * number per line:
 *
 *   qemuga ping URI DOMAIN N
 *   qemuga exec URI DOMAIN N           guest-exec `true` and its status
 *   qemuga read URI DOMAIN GUEST-FILE HOST-FILE
 *   qemuga write URI DOMAIN HOST-FILE GUEST-FILE
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libvirt/libvirt-qemu.h>

#include "util/buf.h"
#include "util/crypto.h"
#include "util/fd.h"
#include "util/num.h"

#define FILE_MAX (256 * 1024 * 1024)
#define TIMEOUT_S 60

/* The fastest of all that were tried from 4 KiB on: more gains nothing, and a
 * command to write 256 KiB or more is never answered (qemu-ga 7.2). */
#define READ_PIECE (256 * 1024)
#define WRITE_PIECE (128 * 1024)

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

static char *call(virDomainPtr domain, const char *command)
{
    return virDomainQemuAgentCommand(domain, command, TIMEOUT_S, 0);
}

/* The text after "NAME": in an answer, whose form is the agent's and fixed.
 * Return: NULL when it is not there. */
static char *after(char *answer, const char *name)
{
    char *found = answer ? strstr(answer, name) : NULL;

    return found ? found + strlen(name) : NULL;
}

/* Calls and reads the number behind NAME, -1 when something is wrong. */
static long long call_number(virDomainPtr domain, const char *command,
                             const char *name)
{
    char *answer = call(domain, command);
    const char *number = after(answer, name);
    long long n = number ? strtoll(number, NULL, 10) : -1;

    free(answer);
    return n;
}

static int ping(virDomainPtr domain)
{
    char *answer = call(domain, "{\"execute\":\"guest-ping\"}");
    int r = answer ? 0 : -1;

    free(answer);
    return r;
}

/* The status is asked for until the command has ended. */
static int exec(virDomainPtr domain)
{
    char command[128];
    bool ended = false;
    long long pid = call_number(domain,
                                "{\"execute\":\"guest-exec\",\"arguments\":"
                                "{\"path\":\"true\",\"capture-output\":true}}",
                                "\"pid\":");

    snprintf(
        command, sizeof(command),
        "{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":%lld}}",
        pid);
    while (pid >= 0 && !ended) {
        char *answer = call(domain, command);

        ended = after(answer, "\"exited\":true");
        if (!answer)
            pid = -1;
        free(answer);
    }
    return ended ? 0 : -1;
}

static int repeat(virDomainPtr domain, const char *count,
                  int (*run)(virDomainPtr))
{
    int64_t n = 0;
    int r = num_parse(count, 1, INT32_MAX, &n);

    for (int64_t i = 0; r == 0 && i < n; i++) {
        double start = now();

        r = run(domain);
        if (r == 0)
            r = took(start);
    }
    return r;
}

static long long file_open(virDomainPtr domain, const char *path,
                           const char *mode)
{
    char command[512];

    snprintf(command, sizeof(command),
             "{\"execute\":\"guest-file-open\",\"arguments\":"
             "{\"path\":\"%s\",\"mode\":\"%s\"}}",
             path, mode);
    return call_number(domain, command, "\"return\":");
}

static int file_close(virDomainPtr domain, long long handle)
{
    char command[128];
    char *answer;

    snprintf(command, sizeof(command),
             "{\"execute\":\"guest-file-close\",\"arguments\":"
             "{\"handle\":%lld}}",
             handle);
    answer = call(domain, command);
    free(answer);
    return answer ? 0 : -1;
}

/* Return: bytes read, 0 at the end, negative when something is wrong. */
static int64_t read_piece(virDomainPtr domain, long long handle,
                          struct buf *into)
{
    char command[128];
    char *answer;
    char *text;
    size_t before = into->len;
    int64_t r = -1;

    snprintf(command, sizeof(command),
             "{\"execute\":\"guest-file-read\",\"arguments\":"
             "{\"handle\":%lld,\"count\":%d}}",
             handle, READ_PIECE);
    answer = call(domain, command);
    text = after(answer, "\"buf-b64\":\"");
    if (text && base64_decode(into, text, strcspn(text, "\"")) == 0)
        r = (int64_t) (into->len - before);
    free(answer);
    return r;
}

static int file_read(virDomainPtr domain, const char *from, const char *to)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    double start = now();
    long long handle = file_open(domain, from, "r");
    struct buf bytes;
    int64_t got;

    buf_init(&bytes, FILE_MAX);
    do {
        buf_clear(&bytes);
        got = handle < 0 ? -1 : read_piece(domain, handle, &bytes);
        if (got > 0 && fd_write_all(fd, buf_data(&bytes), bytes.len) < 0)
            got = -1;
    } while (got > 0);
    buf_free(&bytes);
    close(fd);
    if (got < 0 || file_close(domain, handle) < 0)
        return -1;
    return took(start);
}

static int write_piece(virDomainPtr domain, long long handle,
                       const uint8_t *bytes, size_t n, struct buf *command)
{
    long long count;

    buf_clear(command);
    if (buf_printf(command,
                   "{\"execute\":\"guest-file-write\",\"arguments\":"
                   "{\"handle\":%lld,\"buf-b64\":\"",
                   handle)
            < 0
        || base64_encode(command, bytes, n) < 0
        || buf_puts(command, "\"}}") < 0)
        return -1;
    count = call_number(domain, buf_cstr(command), "\"count\":");
    return count == (long long) n ? 0 : -1;
}

static int file_write(virDomainPtr domain, const char *from, const char *to)
{
    struct buf bytes;
    struct buf command;
    double start = now();
    long long handle = file_open(domain, to, "w");
    int r;

    buf_init(&bytes, FILE_MAX);
    buf_init(&command, FILE_MAX);
    r = handle < 0 ? -1 : fd_slurp(from, &bytes);
    for (size_t at = 0; r == 0 && at < bytes.len; at += WRITE_PIECE) {
        size_t left = bytes.len - at;

        r = write_piece(domain, handle, buf_data(&bytes) + at,
                        left < WRITE_PIECE ? left : WRITE_PIECE, &command);
    }
    if (r == 0)
        r = file_close(domain, handle);
    buf_free(&command);
    buf_free(&bytes);
    return r < 0 ? r : took(start);
}

static int run(virDomainPtr domain, int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "ping") == 0)
        return repeat(domain, argv[4], ping);
    if (argc == 5 && strcmp(argv[1], "exec") == 0)
        return repeat(domain, argv[4], exec);
    if (argc == 6 && strcmp(argv[1], "read") == 0)
        return file_read(domain, argv[4], argv[5]);
    if (argc == 6 && strcmp(argv[1], "write") == 0)
        return file_write(domain, argv[4], argv[5]);
    fprintf(stderr, "usage: qemuga ping|exec|read|write URI DOMAIN …\n");
    return -1;
}

int main(int argc, char **argv)
{
    virConnectPtr connection = argc > 3 ? virConnectOpen(argv[2]) : NULL;
    virDomainPtr domain = connection
                              ? virDomainLookupByName(connection, argv[3])
                              : NULL;
    int r;

    if (connection && !domain)
        r = -1;
    else
        r = run(domain, argc, argv);
    if (domain)
        virDomainFree(domain);
    if (connection)
        virConnectClose(connection);
    return r < 0;
}
