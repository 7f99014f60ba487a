/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The process that calls libvirt, and its end of a socket pair.  It keeps no
 * other descriptor, has its memory bounded, because libvirt queues without a
 * limit, and is not killed before the channel is open.
 */
#include <config.h>

#include "host/link/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/link/sock.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

/* The process gives up at the deadline itself, with words; this much later we
 * stop waiting for them (ms). */
#define WORDS_MS 500

/* Giving the channel back is one round trip to libvirtd (ms). */
#define CLOSE_MS 1000

/* libvirt queues what a guest sends faster than we take it, without a limit
 * of its own; a guest that floods us ends its own connection.  The shadow of
 * AddressSanitizer counts as data and is larger by far. */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_MAX RLIM_INFINITY
#else
#define MEMORY_MAX (512UL * 1024 * 1024)
#endif

/* Whoever cannot open a channel for so long (s) is stuck in libvirt for good,
 * and ends: no heap of processes beside a hanging libvirtd. */
#define OPEN_MAX_S 300

/* Descriptors above are none of ours. */
#define FD_MAX_LOOK 1024

struct stream {
    struct sock sock; /* first: it is one, to readers and writers */
    pid_t pid;
};

/* --- in the process of its own -------------------------------------------- */

/* Only the descriptor is left: another's lock or pipe would be held open.  We
 * end when our parent does, in our own time, so no signal to its group may
 * end us; but ssh(1), which a remote libvirt may need, has to stay in the
 * terminal's group to ask for a password. */
static void child_settle(int fd, bool remote)
{
    static const int ignored[] = { SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE };
    const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        _exit(EXIT_FAILURE);
    if (!remote)
        setsid();
    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
        signal(ignored[i], SIG_IGN);
    for (int k = 0; k < FD_MAX_LOOK; k++)
        if (k <= STDERR_FILENO)
            dup2(null, k);
        else if (k != fd)
            close(k);
    setrlimit(RLIMIT_DATA, &memory);
    alarm(OPEN_MAX_S);
}

/* From now on libvirtd knows whose channel it is and cleans up by itself:
 * what blocks us must not hold it longer than our parent lives. */
static void child_opened(pid_t parent, int fd)
{
    alarm(0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* It may be dead already: then the descriptor has to say so. */
    if (getppid() != parent)
        shutdown(fd, SHUT_RDWR);
}

static void __attribute__((noreturn))
child_main(const struct virt_channel *channel, int fd, int64_t deadline,
           pid_t parent)
{
    struct virt_stream *stream = NULL;
    struct error err = ERROR_INIT;
    int r = virt_stream_open(channel, fd, deadline, &stream, &err);

    if (r == 0)
        child_opened(parent, fd);
    /* Our parent is the same program: it can be told as it is. */
    if (fd_write_all(fd, &err, sizeof(err)) < 0 && r == 0)
        r = -EPIPE;
    if (r == 0)
        virt_stream_relay(stream, fd);
    if (stream)
        virt_stream_close(stream);
    _exit(EXIT_SUCCESS);
}

/* --- on our side ---------------------------------------------------------- */

/* Reads and drops until the other side has ended. */
static int stream_drain(struct stream *stream, int64_t deadline)
{
    char bytes[16 * 1024];
    int64_t got;

    do
        got = sock_read(&stream->sock.base, bytes, sizeof(bytes), deadline);
    while (got > 0 && deadline_left(deadline) > 0);
    return got > 0 ? -ETIMEDOUT : (int) got;
}

/* Not before it is open: see stream.h.  It ends by itself, then. */
static void stream_leave(struct stream *stream)
{
    fd_close(&stream->sock.fd);
    waitpid(stream->pid, NULL, WNOHANG);
    free(stream);
}

static void stream_close(struct transport *transport)
{
    struct stream *stream = (struct stream *) transport;

    /* Whoever comes next wants the channel to be free; an interrupt does not
     * change that. */
    transport->wake_fd = -1;
    shutdown(stream->sock.fd, SHUT_WR);
    if (stream_drain(stream, deadline_in(CLOSE_MS)) == -ETIMEDOUT)
        kill(stream->pid, SIGKILL);
    fd_close(&stream->sock.fd);
    while (waitpid(stream->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    free(stream);
}

static const struct transport_ops stream_ops = {
    .read = sock_read,
    .write = sock_write,
    .close = stream_close,
};

static int stream_start(struct stream *stream,
                        const struct virt_channel *channel, int64_t deadline)
{
    pid_t parent = getpid();
    int ends[2];
    int end;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    stream->pid = fork();
    if (stream->pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return -errno;
    }
    if (stream->pid == 0) {
        /* out of the way of the standard ones */
        end = fcntl(ends[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        child_settle(end, channel->remote);
        free(stream); /* our parent's business */
        child_main(channel, end, deadline, parent);
    }
    close(ends[1]);
    stream->sock.fd = ends[0];
    return 0;
}

/* Hears how it went. */
static int stream_verdict(struct stream *stream, int64_t deadline,
                          struct error *err)
{
    struct error said = ERROR_INIT;
    size_t have = 0;

    while (have < sizeof(said)) {
        int64_t got = sock_read(&stream->sock.base, (char *) &said + have,
                                sizeof(said) - have, deadline);

        if (got == -ETIMEDOUT)
            return error_set(err, -ETIMEDOUT,
                             "libvirt does not open the channel in time");
        if (got <= 0)
            return error_set(err, -ECONNRESET, "libvirt: connection lost");
        have += (size_t) got;
    }
    if (said.code < 0 && err)
        *err = said;
    return said.code;
}

int stream_connect(const struct virt_channel *channel, int64_t deadline,
                   struct transport **transport, struct error *err)
{
    struct stream *stream = calloc(1, sizeof(*stream));
    int r;

    if (!stream)
        return error_errno(err, -ENOMEM, "channel '%s'", channel->channel);
    stream->sock = (struct sock) { { &stream_ops, -1 }, -1 };
    r = stream_start(stream, channel, deadline);
    if (r < 0) {
        free(stream);
        return error_errno(err, r, "channel '%s'", channel->channel);
    }
    r = stream_verdict(
        stream, deadline == DEADLINE_NEVER ? deadline : deadline + WORDS_MS,
        err);
    if (r < 0) {
        stream_leave(stream);
        return r;
    }
    *transport = &stream->sock.base;
    return 0;
}
