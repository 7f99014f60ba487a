/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The one poll(2) loop: descriptors, timers and signals, each with a
 * callback.  The objects belong to the caller and are linked into the loop;
 * nothing is allocated per event.
 *
 * With nothing to do the loop sleeps in poll() without a timeout: an idle
 * agent makes no system call at all.
 */
#ifndef VSRPC_GUEST_CORE_LOOP_H
#define VSRPC_GUEST_CORE_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pollfd;

/* A watched descriptor.  fd -1 or events 0: linked, but not polled (poll
 * would report a hang-up even with no events asked for). */
struct loop_fd {
    int fd;
    short events;
    void (*ready)(void *arg, short revents);
    void *arg;
    struct loop_fd *next; /* the loop's */
    bool linked;
};

/* A one-shot timer. */
struct loop_timer {
    int64_t due; /* on the boot clock, ms */
    void (*expired)(void *arg);
    void *arg;
    struct loop_timer *next;
    bool linked;
};

#define LOOP_SIGNALS 8 /* kinds of signals that one program handles */

struct loop_signal {
    int number;
    void (*arrived)(void *arg);
    void *arg;
};

struct loop {
    struct loop_fd *fds;
    struct loop_timer *timers;
    struct loop_signal signals[LOOP_SIGNALS];
    struct loop_fd signal_watch;
    sigset_t signal_set;
    struct loop_fd **snapshot; /* whom this turn's events are for */
    struct pollfd *polled;
    size_t capacity;
    size_t n_polled;
    void (*turn_over)(void *arg); /* before the loop sleeps; may be NULL */
    void *turn_arg;
    bool stop;
};

/* Starts an empty loop.  Return: 0 or negative errno. */
int loop_init(struct loop *loop);

/* Frees the loop's own memory; linked objects stay their owners'. */
void loop_free(struct loop *loop);

/* Links a descriptor; fill in fd, events, ready and arg first. */
void loop_fd_add(struct loop *loop, struct loop_fd *watch);

/* Unlinks; safe inside any callback, also its own, and when not linked. */
void loop_fd_remove(struct loop *loop, struct loop_fd *watch);

/* (Re)starts a timer ms milliseconds from now. */
void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t ms);

/* Stops a timer; safe when it is not running. */
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);

/*
 * Routes a signal to a callback.  It is blocked for the process and read from
 * a signalfd; children get the original mask back (proc_child_reset()).
 *
 * Return: 0 or negative errno.
 */
int loop_signal_add(struct loop *loop, int number, void (*arrived)(void *),
                    void *arg);

/* Runs until loop->stop.  Return: 0 or negative errno. */
int loop_run(struct loop *loop);

#endif
