/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Brings together the exit of a process and the end of its outputs, which come
 * in either order or, when a grandchild holds a pipe, not at all.  FIONREAD
 * tells what is still to be read of the program itself.
 */
#include <config.h>

#include "guest/proc/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest/proc/spawn.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

#define READ_STEP (64 * 1024) /* what a pipe holds */
#define KILL_GRACE_MS 2000    /* between TERM and KILL */
#define DRAIN_MS 200          /* for pipes that an orphan holds */
#define HOLD_MS 50            /* of our own ends of the pipes */

/* Reads of one pipe at the end: it holds 64 KiB unless it was enlarged; what
 * is left then is left to the loop. */
#define PIPE_TURNS 4

static void watch_end(struct child *child, struct loop_fd *watch)
{
    loop_fd_remove(child->loop, watch);
    fd_close(&watch->fd);
}

/* From here on the end of the outputs shows. */
static void release_pipes(struct child *child)
{
    loop_timer_stop(child->loop, &child->hold);
    fd_close(&child->held[0]);
    fd_close(&child->held[1]);
}

static void hold_expired(void *arg)
{
    release_pipes(arg);
}

static void child_free(struct child *child)
{
    feed_close(&child->input);
    watch_end(child, &child->streams[0]);
    watch_end(child, &child->streams[1]);
    watch_end(child, &child->start);
    release_pipes(child);
    cgroup_remove(child->cgroups, &child->cgroup);
    loop_timer_stop(child->loop, &child->deadline);
    loop_timer_stop(child->loop, &child->drain);
    buf_free(&child->output[0]);
    buf_free(&child->output[1]);
    free(child);
}

static void child_finish(struct child *child)
{
    if (!child->cancelled)
        child->done(child->arg, child);
    child_free(child);
}

/* Tells whoever wants to know. */
static void tell(struct child *child, void (*event)(void *arg))
{
    if (event && !child->cancelled)
        event(child->events.arg);
}

/* --- output -------------------------------------------------------------- */

static uint8_t step[READ_STEP];

/* Where nobody has room for it, it is read all the same. */
static size_t gather_space(void *arg, int stream, uint8_t **where)
{
    (void) arg;
    (void) stream;
    *where = step;
    return sizeof(step);
}

/* Keeps what fits under the common ceiling of both outputs. */
static void gather_took(void *arg, int stream, size_t n)
{
    struct child *child = arg;
    size_t used = child->output[0].len + child->output[1].len;
    size_t room = child->output_max > used ? child->output_max - used : 0;

    if (n > room) {
        child->overflown = true;
        child->truncated = true;
        n = room;
        if (child->output_whole)
            child_end(child);
    }
    if (buf_append(&child->output[stream], step, n) < 0)
        child->truncated = true;
}

/* Of what was there as the process ended. */
static void stream_took(struct child *child, int which, size_t n)
{
    size_t *unread = &child->unread[which];

    *unread -= n < *unread ? n : *unread;
}

/* Return: false when there is nothing more to read just now. */
static bool stream_read(struct child *child, int which)
{
    struct loop_fd *watch = &child->streams[which];
    uint8_t *where;
    size_t room = child->events.space(child->events.arg, which, &where);
    ssize_t n;

    if (room == 0) {
        watch->events = 0;
        return false;
    }
    n = read(watch->fd, where, room);
    if (n > 0) {
        child->events.took(child->events.arg, which, (size_t) n);
        stream_took(child, which, (size_t) n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        /* a terminal that is left says EIO */
        child->truncated = child->truncated || (n < 0 && !child->tty);
        watch_end(child, watch);
    }
    return n > 0;
}

/* What the program has left behind in a pipe. */
static void stream_rest(struct child *child, int which)
{
    int n = 0;

    if (child->streams[which].fd < 0
        || ioctl(child->streams[which].fd, FIONREAD, &n) < 0 || n < 0)
        n = 0;
    child->unread[which] = (size_t) n;
}

/* The process has ended: most often all that it said is here. */
static void streams_finish(struct child *child)
{
    release_pipes(child);
    for (int i = 0; i < 2; i++) {
        for (int turn = 0; turn < PIPE_TURNS; turn++)
            if (child->streams[i].fd < 0 || !stream_read(child, i))
                break;
        stream_rest(child, i);
    }
}

static bool stream_over(const struct child *child, int which)
{
    return child->streams[which].fd < 0;
}

/* A terminal does not tell how much it holds, but by EIO behind all of it. */
static bool stream_said(const struct child *child, int which)
{
    bool held = child->streams[which].events == 0;

    return stream_over(child, which)
           || (child->unread[which] == 0 && !(child->tty && held));
}

/* Without room for more nothing is read, nor the end that may be next. */
static void stream_see_end(struct child *child, int which)
{
    struct loop_fd *watch = &child->streams[which];
    struct pollfd now = { .fd = watch->fd, .events = POLLIN };

    if (watch->fd >= 0 && watch->events == 0 && poll(&now, 1, 0) == 1
        && (now.revents & (POLLIN | POLLHUP)) == POLLHUP)
        watch_end(child, watch);
}

/* Finished when the process is reaped, what it said is read, and nobody holds
 * a pipe, or only orphans do. */
static void child_check(struct child *child)
{
    if (!child->reaped)
        return;
    stream_see_end(child, 0);
    stream_see_end(child, 1);
    if (stream_over(child, 0) && stream_over(child, 1)) {
        child_finish(child);
    } else if (!child->draining && stream_said(child, 0)
               && stream_said(child, 1)) {
        child->draining = true;
        loop_timer_start(child->loop, &child->drain, DRAIN_MS);
    }
}

bool child_closed(const struct child *child, int which)
{
    return !child->tty && !child->reaped && stream_over(child, which);
}

static void stream_ready(struct child *child, int which)
{
    stream_read(child, which);
    if (child_closed(child, which))
        tell(child, child->events.closed);
    child_check(child);
}

static void stdout_ready(void *arg, short revents)
{
    (void) revents;
    stream_ready(arg, 0);
}

static void stderr_ready(void *arg, short revents)
{
    (void) revents;
    stream_ready(arg, 1);
}

void child_resume(struct child *child)
{
    child->streams[0].events = POLLIN;
    child->streams[1].events = POLLIN;
}

/* Orphans hold the pipes: take what is there and let go. */
static void drain_expired(void *arg)
{
    struct child *child = arg;

    child->orphans = child->draining;
    watch_end(child, &child->streams[0]);
    watch_end(child, &child->streams[1]);
    child_check(child);
}

/* --- signals -------------------------------------------------------------- */

/* The group that has the terminal; 0: none, or there is no terminal. */
static pid_t foreground(const struct child *child)
{
    return child->tty && child->streams[0].fd >= 0
               ? pty_foreground(child->streams[0].fd)
               : 0;
}

void child_signal(struct child *child, int number)
{
    pid_t group = foreground(child);

    if (group)
        kill(-group, number);
    else
        proc_kill(&child->proc, number);
}

/* Everything of it that can be found; each once. */
static void signal_all(struct child *child, int number)
{
    pid_t group = foreground(child);

    proc_kill(&child->proc, number);
    if (group && group != child->group && child->cgroup.folder < 0)
        kill(-group, number);
    if (number == SIGKILL)
        cgroup_kill(&child->cgroup);
    else
        cgroup_signal(&child->cgroup, number, child->group);
}

int child_resize(struct child *child, const struct pty_size *size)
{
    if (!child->tty)
        return -ENOTTY;
    return child->streams[0].fd < 0 ? 0
                                    : pty_resize(child->streams[0].fd, size);
}

/* --- its start and its end ----------------------------------------------- */

/* Return: is it known now how the start went? */
static bool start_check(struct child *child)
{
    int r = child->running || child->start_errno
                ? 0
                : spawn_failure(child->start.fd, &child->start_step);

    if (r == -EAGAIN)
        return false;
    if (r > 0)
        child->start_errno = r;
    child->running = child->start_errno == 0;
    watch_end(child, &child->start);
    return true;
}

static void start_ready(void *arg, short revents)
{
    struct child *child = arg;

    (void) revents;
    if (start_check(child) && child->running)
        tell(child, child->events.started);
}

/* Its time is over for all that it started.  While one of them lives no other
 * process can get the number of the group. */
static void kill_rest(struct child *child)
{
    kill(-child->group, SIGKILL);
    cgroup_kill(&child->cgroup);
}

static void child_exited(void *arg, int status)
{
    struct child *child = arg;

    child->reaped = true;
    child->status = status;
    child->duration_us = clock_us() - child->started_us;
    loop_timer_stop(child->loop, &child->deadline);
    feed_close(&child->input);
    if (child->cancelled) {
        child_finish(child);
        return;
    }
    if (child->terminated)
        kill_rest(child);
    start_check(child);
    streams_finish(child);
    tell(child, child->events.exited);
    if (child->unwanted)
        loop_timer_start(child->loop, &child->drain, DRAIN_MS);
    child_check(child);
}

/* First TERM, then KILL until it is gone.  A terminal hangs up: an interactive
 * shell does not hear TERM. */
static void terminate(struct child *child)
{
    if (child->tty && !child->terminated)
        signal_all(child, SIGHUP);
    signal_all(child, child->terminated ? SIGKILL : SIGTERM);
    child->terminated = true;
    loop_timer_start(child->loop, &child->deadline, KILL_GRACE_MS);
}

static void deadline_expired(void *arg)
{
    struct child *child = arg;

    if (!child->terminated)
        child->timed_out = true;
    terminate(child);
}

static void watch_start(struct child *child, struct loop_fd *watch, int fd,
                        short events, void (*ready)(void *, short))
{
    *watch = (struct loop_fd) {
        .fd = fd, .events = events, .ready = ready, .arg = child
    };
    if (fd >= 0)
        loop_fd_add(child->loop, watch);
}

static void child_watch(struct child *child, const struct spawned *ends)
{
    watch_start(child, &child->streams[0], ends->out[0], POLLIN, stdout_ready);
    watch_start(child, &child->streams[1], ends->out[1], POLLIN, stderr_ready);
    child->held[0] = ends->held[0];
    child->held[1] = ends->held[1];
    if (!child->tty)
        loop_timer_start(child->loop, &child->hold, HOLD_MS);
    child->start = (struct loop_fd) {
        .fd = ends->start, .events = POLLIN, .ready = start_ready, .arg = child
    };
    if (!start_check(child))
        loop_fd_add(child->loop, &child->start);
}

static struct child *child_new(struct loop *loop, struct procs *procs,
                               const struct child_spec *spec,
                               void (*done)(void *, struct child *), void *arg)
{
    struct child *child = calloc(1, sizeof(*child));

    if (!child)
        return NULL;
    *child = (struct child) {
        .loop = loop,
        .procs = procs,
        .proc = { .exited = child_exited, .arg = child },
        .cgroups = spec->cgroups,
        .cgroup = CGROUP_NONE,
        .tty = spec->tty,
        .streams = { { .fd = -1 }, { .fd = -1 } },
        .start = { .fd = -1 },
        .held = { -1, -1 },
        .deadline = { .expired = deadline_expired, .arg = child },
        .drain = { .expired = drain_expired, .arg = child },
        .hold = { .expired = hold_expired, .arg = child },
        .output_max = spec->output_max,
        .output_whole = spec->output_whole,
        .events = { .space = gather_space, .took = gather_took, .arg = child },
        .started_us = clock_us(),
        .done = done,
        .arg = arg,
    };
    if (spec->events)
        child->events = *spec->events;
    feed_init(&child->input, loop, spec->input_max, child->events.fed,
              child->events.arg);
    buf_init(&child->output[0], spec->output_max);
    buf_init(&child->output[1], spec->output_max);
    return child;
}

int child_start(struct loop *loop, struct procs *procs,
                const struct child_spec *spec,
                void (*done)(void *arg, struct child *child), void *arg,
                struct child **child)
{
    struct child *made = child_new(loop, procs, spec, done, arg);
    struct spawned ends;
    int r;

    if (!made)
        return -ENOMEM;
    if (spec->cgroups)
        cgroup_make(spec->cgroups, spec->name, &made->cgroup);
    r = spawn(procs, &made->proc, spec, &made->cgroup, &ends);
    made->group = made->proc.pid;
    if (r < 0) {
        child_free(made);
        return r;
    }
    feed_start(&made->input, ends.in, spec->input, made->tty);
    child_watch(made, &ends);
    if (spec->timeout_ms > 0)
        loop_timer_start(loop, &made->deadline, spec->timeout_ms);
    *child = made;
    return 0;
}

void child_end(struct child *child)
{
    if (child->unwanted)
        return;
    child->unwanted = true;
    if (child->reaped) {
        if (!child->draining)
            loop_timer_start(child->loop, &child->drain, 0);
    } else if (!child->terminated) {
        child->ended = true;
        terminate(child);
    }
}

void child_cancel(struct child *child)
{
    child->cancelled = true;
    signal_all(child, SIGKILL);
    /* The caller's interest ends here; only the reaping is left. */
    feed_close(&child->input);
    watch_end(child, &child->streams[0]);
    watch_end(child, &child->streams[1]);
    watch_end(child, &child->start);
    loop_timer_stop(child->loop, &child->deadline);
    /* Reaped already and only waiting for its pipes: nobody will call. */
    if (child->reaped)
        child_free(child);
}

void child_release(struct child *child)
{
    proc_forget(child->procs, &child->proc);
    child_free(child);
}
