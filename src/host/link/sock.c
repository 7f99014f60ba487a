/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A UNIX socket with deadlines and a wake descriptor.  EAGAIN of connect(2)
 * means that the listener's queue is full; that cannot be polled for, so that
 * it is tried again every 20 ms.  A refusal is explained by owner and mode.
 */
#include <config.h>

#include "host/link/sock.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/link/holder.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

/* A full queue cannot be polled for; this is how often we look again (ms). */
#define QUEUE_LOOK_MS 20

/* Somebody wants us to stop.  Asked before the bytes are: see transport.h. */
static bool sock_woken(const struct transport *transport)
{
    return transport->wake_fd >= 0
           && fd_wait(transport->wake_fd, POLLIN, 0) == 0;
}

int64_t sock_read(struct transport *transport, void *bytes, size_t n,
                  int64_t deadline)
{
    int fd = ((struct sock *) transport)->fd;

    if (sock_woken(transport))
        return -ECANCELED;
    for (;;) {
        ssize_t got = recv(fd, bytes, n, MSG_DONTWAIT);
        int r;

        if (got >= 0)
            return got;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        r = fd_wait_or(fd, POLLIN, transport->wake_fd, deadline);
        if (r < 0)
            return r;
    }
}

int64_t sock_write(struct transport *transport, const void *bytes, size_t n,
                   int64_t deadline)
{
    int fd = ((struct sock *) transport)->fd;

    if (sock_woken(transport))
        return -ECANCELED;
    for (;;) {
        /* SIGPIPE stays as it is for standard output; not for this. */
        ssize_t done = send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        int r;

        if (done > 0)
            return done;
        if (done < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        r = fd_wait_or(fd, POLLOUT, transport->wake_fd, deadline);
        if (r < 0)
            return r;
    }
}

static void sock_close(struct transport *transport)
{
    struct sock *sock = (struct sock *) transport;

    fd_close(&sock->fd);
    free(sock);
}

static const struct transport_ops sock_ops = {
    .read = sock_read,
    .write = sock_write,
    .close = sock_close,
};

/* Cuts path to the deepest folder that can be looked at. */
static int sock_closed_folder(char *path, struct stat *st)
{
    char *slash = strrchr(path, '/');

    while (slash && slash != path) {
        *slash = '\0';
        if (stat(path, st) == 0)
            return 0;
        slash = strrchr(path, '/');
    }
    return -ENOENT;
}

/* Says whose the door is that was shut. */
static int sock_denied(const char *path, struct error *err)
{
    AUTO_FREE char *folder = strdup(path);
    struct stat st;
    const struct passwd *user;
    const struct group *group;
    bool opens;

    error_set(err, -EACCES, "socket '%s': permission denied", path);
    error_status(err, STATUS_NO_PERMISSION);
    error_hint(err, "sudo vsrpc-virsh …");
    if (!folder
        || (stat(path, &st) < 0 && sock_closed_folder(folder, &st) < 0))
        return -EACCES;
    user = getpwuid(st.st_uid);
    group = getgrgid(st.st_gid);
    /* A folder is passed through, a socket written to. */
    opens = st.st_mode & (S_ISDIR(st.st_mode) ? S_IXGRP : S_IWGRP);
    error_hint(err, "run as root%s%s%s ('%s' belongs to %s:%s, mode %04o)",
               opens && group ? " or add yourself to group '" : "",
               opens && group ? group->gr_name : "", opens && group ? "'" : "",
               folder, user ? user->pw_name : "?",
               group ? group->gr_name : "?",
               (unsigned int) st.st_mode & 07777);
    return -EACCES;
}

static const struct {
    int code;
    const char *message;
    const char *hint;
} refusals[] = {
    { -ENOENT, " does not exist",
      "virsh list (the domain may have stopped, or restarted: the path "
      "changes then); without libvirt: path= of QEMU's -chardev socket" },
    { -ECONNREFUSED,
      ": nobody listens there (the domain has stopped, or lost its channel)",
      "virsh list --all" },
    { -ENOTSOCK, " is not a socket", NULL },
};

/* The queue stays full: somebody is connected, and others wait already. */
static int sock_busy(const char *path, struct error *err)
{
    struct holder holder = { 0 };
    char words[HOLDER_WORDS_MAX] = "another client";

    if (holder_find(path, -1, &holder) == HOLDER_OTHER)
        holder_words(&holder, words);
    error_set(err, -EBUSY, "socket '%s': busy: %s is connected to it", path,
              words);
    holder_advise(&holder, path, err);
    return -EBUSY;
}

static int sock_refused(const char *path, int code, struct error *err)
{
    struct stat st;

    /* connect(2) says the same of a socket without a listener. */
    if (code == -ECONNREFUSED && stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
        code = -ENOTSOCK;
    if (code == -EACCES || code == -EPERM)
        return sock_denied(path, err);
    if (code == -EBUSY)
        return sock_busy(path, err);
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        if (refusals[i].code != code)
            continue;
        error_set(err, code, "socket '%s'%s", path, refusals[i].message);
        error_status(err, STATUS_NO_SOCKET);
        if (refusals[i].hint)
            error_hint(err, "%s", refusals[i].hint);
        return code;
    }
    return error_errno(err, code, "socket '%s'", path);
}

/* connect(2) on a UNIX socket is done or refused at once; EAGAIN means that
 * the queue of the listener is full: QEMU accepts nobody while it has a
 * client. */
static int sock_enter(int fd, const struct sockaddr_un *address,
                      int64_t deadline)
{
    while (connect(fd, (const struct sockaddr *) address, sizeof(*address))
           < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return -errno;
        if (deadline_left(deadline) == 0)
            return -EBUSY;
        clock_sleep_ms(QUEUE_LOOK_MS);
    }
    return 0;
}

int sock_connect(const char *path, int64_t deadline,
                 struct transport **transport, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    AUTO_CLOSE int fd = -1;
    struct sock *sock;
    int r;

    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(err, -ENAMETOOLONG,
                         "socket '%s': longer than the %zu bytes that a "
                         "socket's path may have",
                         path, sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(err, -errno, "socket '%s'", path);
    r = sock_enter(fd, &address, deadline);
    if (r < 0)
        return sock_refused(path, r, err);
    sock = malloc(sizeof(*sock));
    if (!sock)
        return error_errno(err, -ENOMEM, "socket '%s'", path);
    *sock = (struct sock) { .base = { &sock_ops, -1 }, .fd = steal_fd(&fd) };
    *transport = &sock->base;
    return 0;
}
