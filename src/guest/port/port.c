/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Reads and writes the port without blocking.  A device without a client is
 * not polled; SIGIO tells of the next one, or a timer where there is no SIGIO.
 * What a client had sent before it left is discarded, or it might be taken for
 * the next one's requests.
 */
#include <config.h>

#include "guest/port/port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest/port/port_find.h"
#include "guest/port/session.h"
#include "util/cleanup.h"
#include "util/fd.h"

/* The kernel takes at most this much of a port per write(2). */
#define WRITE_STEP (32 * 1024)

/* Writes per turn of the loop: a fast reader must not keep it from the
 * rest. */
#define WRITES_PER_TURN 64

/* After a change in /dev the port's name may take a moment to be known. */
#define RETRY_MS 100
#define RETRIES 20

/* Looking for a client where the kernel does not tell of one. */
#define ASK_MS 200

/* Another agent holds the port: it may leave without a trace in /dev. */
#define BUSY_RETRY_MS 2000

static void port_wait(struct port *port);
static void port_look(struct port *port, bool fresh);

static void port_events(struct port *port)
{
    port->stream.events = port->connected ? POLLIN : 0;
    if (port->connected && session_output(port->session, NULL))
        port->stream.events |= POLLOUT;
}

/* Ports send SIGIO from Linux 2.6.37 on. */
static void port_ask_later(struct port *port)
{
    if (port->asks && !port->connected)
        loop_timer_start(port->loop, &port->ask, ASK_MS);
}

static void port_connected(struct port *port, bool fresh)
{
    port->connected = true;
    session_connected(port->session, fresh);
    port_events(port);
}

/* The client has left; on a device the next one comes by itself. */
static void port_hung_up(struct port *port)
{
    if (port->connected)
        session_hangup(port->session);
    port->connected = false;
    port_events(port);
    if (port->kind == PORT_DEVICE) {
        port_ask_later(port);
        return;
    }
    loop_fd_remove(port->loop, &port->stream);
    fd_close(&port->stream.fd);
    if (port->kind == PORT_FD)
        port->loop->stop = true;
    else
        port->listener.events = POLLIN; /* the next client */
}

/* The device itself has gone. */
static void port_lost(struct port *port)
{
    log_warning(port->log, "port %s: gone", port->path);
    port_hung_up(port);
    loop_fd_remove(port->loop, &port->stream);
    fd_close(&port->stream.fd);
    port_wait(port);
}

/* Sends what the session has, as far as the port takes it.  Done whenever the
 * loop has nothing else to do: an answer may come from any callback. */
static void port_flush(void *arg)
{
    struct port *port = arg;
    const uint8_t *bytes;
    size_t n;

    for (int i = 0; i < WRITES_PER_TURN && port->connected
                    && (n = session_output(port->session, &bytes)) > 0;
         i++) {
        ssize_t done = write(port->stream.fd, bytes,
                             n < WRITE_STEP ? n : WRITE_STEP);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) /* EAGAIN; EPIPE shows itself at the next read */
            break;
        session_sent(port->session, (size_t) done);
    }
    port_events(port);
}

/*
 * Reads what is there, up to one buffer: other descriptors get their turn
 * under a flood.  The kernel hands over at most 4 KiB per read(2), so they are
 * gathered: a file is then written and digested in larger pieces.
 *
 * Return: 0, or -1 at the end of the stream.
 */
static int port_read(struct port *port)
{
    size_t got = 0;
    ssize_t n;
    bool again;

    do {
        n = read(port->stream.fd, port->step + got, port->step_size - got);
        if (n > 0)
            got += (size_t) n;
    } while (n > 0 && got < port->step_size);
    again = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
    if (got)
        session_input(port->session, port->step, got);
    return again ? 0 : -1;
}

/* Is nobody on the host's side just now? */
static bool device_deserted(const struct port *port)
{
    struct pollfd now = { .fd = port->stream.fd, .events = POLLIN };

    return poll(&now, 1, 0) > 0 && (now.revents & POLLHUP);
}

/*
 * The client of a device has left, and some of its bytes may still be queued:
 * they are thrown away until the queue is empty or the next client is there.
 * To process them first would be to miss that it left, when the next one comes
 * before the queue is empty.
 */
static void device_deserted_by(struct port *port)
{
    ssize_t n;

    port_hung_up(port);
    do {
        n = read(port->stream.fd, port->step, port->step_size);
    } while (n > 0 && device_deserted(port));
    /* Only an empty queue holds nothing of the old client's: else the content
     * of a file could become commands. */
    port_look(port, n <= 0);
    /* The next one may have begun before we looked. */
    if (n > 0 && port->connected)
        session_input(port->session, port->step, (size_t) n);
}

static void port_ready(void *arg, short revents)
{
    struct port *port = arg;

    if (port->kind == PORT_DEVICE && (revents & POLLHUP)) {
        if (revents & POLLIN)
            device_deserted_by(port);
        else
            port_lost(port);
        return;
    }
    if ((revents & (POLLIN | POLLHUP | POLLERR)) && port_read(port) < 0) {
        port_hung_up(port);
        return;
    }
}

/* Asks the device how it stands; after opening it and at each SIGIO. */
static void port_look(struct port *port, bool fresh)
{
    struct pollfd now = { .fd = port->stream.fd, .events = POLLIN };

    if (port->connected || poll(&now, 1, 0) < 0)
        return; /* poll() in the loop tells the rest */
    if ((now.revents & POLLHUP) && !(now.revents & POLLIN))
        port_lost(port);
    else if (!(now.revents & POLLHUP))
        port_connected(port, fresh);
}

static void port_signalled(void *arg)
{
    struct port *port = arg;

    if (port->stream.fd >= 0)
        port_look(port, true);
}

/* One that has come and gone since the last look may have left half a request:
 * only a sync tells where the next one's begins. */
static void ask_expired(void *arg)
{
    struct port *port = arg;

    if (port->stream.fd < 0)
        return;
    port_look(port, false);
    port_ask_later(port);
}

static int device_open(struct port *port)
{
    AUTO_CLOSE int fd = port_find(port->path);
    int flags;

    if (fd < 0)
        return steal_fd(&fd);
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETOWN, getpid()) < 0
        || fcntl(fd, F_SETFL, flags | O_ASYNC) < 0)
        return -errno;
    /* The kernel sets it where it will signal. */
    port->asks = !(fcntl(fd, F_GETFL) & O_ASYNC);
    port->stream.fd = steal_fd(&fd);
    loop_fd_add(port->loop, &port->stream);
    return 0;
}

/* Tries to open the device; on success stops waiting for it. */
static int device_try(struct port *port)
{
    int r = device_open(port);

    if (r < 0)
        return r;
    loop_timer_stop(port->loop, &port->retry);
    loop_fd_remove(port->loop, &port->watcher);
    fd_close(&port->watcher.fd);
    if (port->told_missing)
        log_info(port->log, "port %s: found", port->path);
    port->told_missing = false;
    if (port->asks)
        log_info(port->log,
                 "port %s: the kernel signals no clients (Linux 2.6.37); they "
                 "are looked for every %d ms, and are to begin with a sync",
                 port->path, ASK_MS);
    /* A client that is there already may be in the middle of anything. */
    port_look(port, false);
    port_ask_later(port);
    return 0;
}

static void retry_expired(void *arg)
{
    struct port *port = arg;
    int r = device_try(port);

    if (r == -EBUSY)
        loop_timer_start(port->loop, &port->retry, BUSY_RETRY_MS);
    else if (r < 0 && port->retries_left-- > 0)
        loop_timer_start(port->loop, &port->retry, RETRY_MS);
}

/* Something changed in /dev: look now, and a few times more. */
static void watcher_ready(void *arg, short revents)
{
    struct port *port = arg;

    (void) revents;
    port_watch_drain(port->watcher.fd);
    port_watch_add(port->watcher.fd, port->path);
    port->retries_left = RETRIES;
    retry_expired(port);
}

/* Waits for the device to appear, without looking at intervals. */
static void port_wait(struct port *port)
{
    int r;

    port->watcher.fd = port_watch_open();
    port_watch_add(port->watcher.fd, port->path);
    port->watcher.events = POLLIN;
    loop_fd_add(port->loop, &port->watcher);
    /* It may have come before the watch did. */
    r = device_try(port);
    if (r == 0)
        return;
    if (!port->told_missing)
        log_warning(port->log, "port %s: %s; waiting for it", port->path,
                    strerror(-r));
    port->told_missing = true;
    port->retries_left = RETRIES;
    loop_timer_start(port->loop, &port->retry,
                     r == -EBUSY ? BUSY_RETRY_MS : RETRY_MS);
}

int port_init(struct port *port, struct loop *loop, struct session *session,
              struct log *log, size_t step)
{
    *port = (struct port) {
        .loop = loop,
        .session = session,
        .log = log,
        .stream = { .fd = -1, .ready = port_ready, .arg = port },
        .listener = { .fd = -1, .arg = port },
        .watcher = { .fd = -1, .ready = watcher_ready, .arg = port },
        .retry = { .expired = retry_expired, .arg = port },
        .ask = { .expired = ask_expired, .arg = port },
        .step = malloc(step),
        .step_size = step,
    };
    loop->turn_over = port_flush;
    loop->turn_arg = port;
    return port->step ? 0 : -ENOMEM;
}

int port_device(struct port *port, const char *path, struct error *err)
{
    int r = loop_signal_add(port->loop, SIGIO, port_signalled, port);

    port->kind = PORT_DEVICE;
    port->path = strdup(path);
    if (r == 0 && !port->path)
        r = -ENOMEM;
    if (r < 0)
        return error_errno(err, r, "port %s", path);
    port_wait(port);
    return 0;
}

int port_use_fd(struct port *port, int fd, struct error *err)
{
    int r = fd_nonblock(fd);

    if (r < 0)
        return error_errno(err, r, "--fd %d", fd);
    port->kind = PORT_FD;
    if (asprintf(&port->name, "descriptor %d", fd) < 0)
        port->name = NULL;
    port->stream.fd = fd;
    loop_fd_add(port->loop, &port->stream);
    port_connected(port, true);
    return 0;
}

static void listener_ready(void *arg, short revents)
{
    struct port *port = arg;
    int fd = accept4(port->listener.fd, NULL, NULL,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void) revents;
    if (fd < 0)
        return;
    port->listener.events = 0; /* one at a time, as the device has it */
    port->stream.fd = fd;
    loop_fd_add(port->loop, &port->stream);
    port_connected(port, true);
}

/* A socket that nobody serves any more is in the way of a new one. */
static void remove_stale(const char *path, const struct sockaddr_un *address)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)
        && connect(fd, (const struct sockaddr *) address, sizeof(*address)) < 0
        && errno == ECONNREFUSED)
        unlink(path);
}

static int listener_open(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    AUTO_CLOSE int fd = -1;
    mode_t old;
    int r;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    remove_stale(path, &address);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    old = umask(0177);
    r = bind(fd, (const struct sockaddr *) &address, sizeof(address));
    umask(old);
    if (r < 0 || listen(fd, 1) < 0)
        return -errno;
    return steal_fd(&fd);
}

int port_listen(struct port *port, const char *path, struct error *err)
{
    AUTO_FREE char *own = strdup(path);
    int fd = own ? listener_open(path) : -ENOMEM;

    if (fd < 0)
        return error_errno(err, fd, "socket '%s'", path);
    port->kind = PORT_LISTEN;
    port->path = steal_ptr(&own); /* from here on it is ours to remove */
    port->listener.fd = fd;
    port->listener.events = POLLIN;
    port->listener.ready = listener_ready;
    loop_fd_add(port->loop, &port->listener);
    return 0;
}

const char *port_name(const struct port *port)
{
    if (port->path)
        return port->path;
    return port->name ? port->name : "a descriptor";
}

void port_free(struct port *port)
{
    if (port->kind == PORT_LISTEN && port->path)
        unlink(port->path);
    fd_close(&port->stream.fd);
    fd_close(&port->listener.fd);
    fd_close(&port->watcher.fd);
    free(port->path);
    free(port->name);
    free(port->step);
}
