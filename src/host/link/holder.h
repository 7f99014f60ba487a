/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Who is connected to a channel's socket.  QEMU takes one client at a time;
 * others connect, wait in the listener's queue and hear nothing, which looks
 * just like a dead agent.  The kernel knows the difference (unix_diag(7)-style
 * netlink, as ss(8) uses it).
 *
 * It sees the network namespace that we are in, and sockets by the path that
 * their listener was bound to: a client in a container may stay unseen.
 */
#ifndef VSRPC_HOST_LINK_HOLDER_H
#define VSRPC_HOST_LINK_HOLDER_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

#define HOLDER_PROGRAM_MAX 32 /* the kernel keeps 15 bytes */
#define HOLDER_WORDS_MAX 80

/* A client. */
struct holder {
    pid_t pid;                        /* 0: not known */
    uid_t uid;                        /* of the process, if it is known */
    char program[HOLDER_PROGRAM_MAX]; /* printable; "" likewise */
};

enum holder_verdict {
    HOLDER_NOBODY, /* no client has been accepted */
    HOLDER_US,     /* the client is the socket that was given */
    HOLDER_OTHER,  /* *holder tells who */
};

/*
 * Finds the client that the listener at a path has accepted.  fd is our own
 * connected socket, -1 for none.  Looks through /proc for the process, which
 * for others' processes takes their rights.
 *
 * Return: a verdict, or negative errno where the kernel does not tell (no
 * unix_diag, no netlink in a sandbox).
 */
int holder_find(const char *path, int fd, struct holder *holder);

/* Is it libvirt's daemon, on behalf of somebody's stream? */
bool holder_is_libvirt(const struct holder *holder);

/* "'socat' (pid 123)", or "another client" when that is all that is known.
 * Return: words. */
const char *holder_words(const struct holder *holder,
                         char words[HOLDER_WORDS_MAX]);

/* Adds to an error what to do about the client of the socket at path. */
void holder_advise(const struct holder *holder, const char *path,
                   struct error *err);

#endif
