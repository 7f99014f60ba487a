/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The port: where bytes come from and go to.  A virtio-serial device, an open
 * descriptor, or a UNIX socket to which one client at a time connects (for
 * tests and debugging).
 *
 * How a virtio port behaves (drivers/char/virtio_console.c): with no host
 * client poll() reports POLLIN|POLLHUP at once and read() gives 0, so polling
 * it would spin; SIGIO tells of connect, disconnect and unplugging.  An
 * unplugged port reports POLLHUP alone.
 */
#ifndef VSRPC_GUEST_PORT_PORT_H
#define VSRPC_GUEST_PORT_PORT_H

#include <stdbool.h>

#include "guest/core/loop.h"
#include "util/error.h"
#include "util/log.h"

struct session;

enum port_kind {
    PORT_DEVICE,
    PORT_FD,
    PORT_LISTEN,
};

struct port {
    enum port_kind kind;
    struct loop *loop;
    struct session *session;
    struct log *log;
    char *path;            /* of the device or the socket */
    char *name;            /* shown to people */
    struct loop_fd stream; /* the bytes; fd -1 while there is none */
    struct loop_fd listener;
    struct loop_fd watcher; /* inotify, while the device is missing */
    struct loop_timer retry;
    int retries_left;
    struct loop_timer ask;
    bool asks;         /* the kernel does not signal: clients are looked for */
    bool connected;    /* somebody is on the host's side */
    bool told_missing; /* the log says already that it is missing */
    uint8_t *step;     /* one read */
    size_t step_size;
};

/* Prepares a port without a source.  step: bytes per read.
 * Return: 0 or -ENOMEM. */
int port_init(struct port *port, struct loop *loop, struct session *session,
              struct log *log, size_t step);

/* Serves a device.  When it is missing, waits for it to appear; so it does
 * when it is unplugged later.  Return: 0 or negative errno. */
int port_device(struct port *port, const char *path, struct error *err);

/* Serves an open stream; the agent ends when it does. */
int port_use_fd(struct port *port, int fd, struct error *err);

/* Serves clients of a UNIX socket, made with mode 0600. */
int port_listen(struct port *port, const char *path, struct error *err);

/* For messages.  Owned by the port. */
const char *port_name(const struct port *port);

void port_free(struct port *port);

#endif
