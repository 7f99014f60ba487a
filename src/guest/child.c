/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest/spawn.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

#define READ_STEP (64 * 1024) /* what a pipe holds */
#define KILL_GRACE_MS 2000    /* between TERM and KILL */
#define DRAIN_MS 200          /* for pipes that an orphan holds */

/* Reads of one pipe at the end: it holds 64 KiB unless it was enlarged; what is
 * left then is left to the loop. */
#define PIPE_TURNS 4

static void watch_end(struct child *child, struct loop_fd *watch)
{
    loop_fd_remove(child->loop, watch);
    fd_close(&watch->fd);
}

/* From here on the end of the outputs shows. */
static void release_pipes(struct child *child)
{
    fd_close(&child->held[0]);
    fd_close(&child->held[1]);
}

static void child_free(struct child *child)
{
    watch_end(child, &child->in);
    watch_end(child, &child->streams[0]);
    watch_end(child, &child->streams[1]);
    watch_end(child, &child->start);
    release_pipes(child);
    loop_timer_stop(child->loop, &child->deadline);
    loop_timer_stop(child->loop, &child->drain);
    buf_free(&child->input);
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
        child->truncated = true;
        n = room;
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

static bool stream_said(const struct child *child, int which)
{
    return stream_over(child, which) || child->unread[which] == 0;
}

/* Finished when the process is reaped, what it said is read, and nobody holds
 * a pipe, or only orphans do. */
static void child_check(struct child *child)
{
    if (!child->reaped)
        return;
    if (stream_over(child, 0) && stream_over(child, 1)) {
        child_finish(child);
    } else if (!child->draining && stream_said(child, 0)
               && stream_said(child, 1)) {
        child->draining = true;
        loop_timer_start(child->loop, &child->drain, DRAIN_MS);
    }
}

static void stream_ready(struct child *child, int which)
{
    stream_read(child, which);
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

/* --- input --------------------------------------------------------------- */

/* That its reader has gone is seen when there is something for it: to be woken
 * for that alone would be for nothing when the program ends. */
static void input_watch(struct child *child)
{
    child->in.events = child->input.len > 0 ? POLLOUT : 0;
}

static void input_close(struct child *child)
{
    watch_end(child, &child->in);
    buf_free(&child->input);
}

/* Return: has anything changed? */
static bool input_write(struct child *child)
{
    ssize_t n = write(child->in.fd, buf_data(&child->input),
                      child->input.len);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n < 0) { /* EPIPE: the program reads no more */
        input_close(child);
        return true;
    }
    buf_consume(&child->input, (size_t) n);
    if (child->input.len == 0 && child->input_ends)
        input_close(child);
    return true;
}

static void stdin_ready(void *arg, short revents)
{
    struct child *child = arg;
    bool changed = input_write(child);

    (void) revents;
    input_watch(child);
    if (changed)
        tell(child, child->events.fed);
}

bool child_input_open(const struct child *child)
{
    return child->in.fd >= 0 && !child->input_ends;
}

size_t child_input_room(const struct child *child)
{
    return buf_room(&child->input);
}

int child_feed(struct child *child, const void *bytes, size_t n)
{
    bool waits = child->input.len > 0;
    int r;

    if (!child_input_open(child) || n == 0)
        return 0;
    r = buf_append(&child->input, bytes, n);
    if (r < 0)
        return -ENOMEM;
    if (!waits)
        input_write(child);
    input_watch(child);
    return 0;
}

void child_input_end(struct child *child)
{
    child->input_ends = true;
    if (child->input.len == 0)
        input_close(child);
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

static void child_exited(void *arg, int status)
{
    struct child *child = arg;

    child->reaped = true;
    child->status = status;
    child->duration_us = clock_us() - child->started_us;
    loop_timer_stop(child->loop, &child->deadline);
    input_close(child);
    if (child->cancelled) {
        child_finish(child);
        return;
    }
    /* Its time is over for all that it started.  While one of them lives no
     * other process can get the number. */
    if (child->terminated)
        kill(-child->group, SIGKILL);
    start_check(child);
    streams_finish(child);
    tell(child, child->events.exited);
    if (child->unwanted)
        loop_timer_start(child->loop, &child->drain, DRAIN_MS);
    child_check(child);
}

/* First TERM, then KILL until it is gone. */
static void terminate(struct child *child)
{
    proc_kill(&child->proc, child->terminated ? SIGKILL : SIGTERM);
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
    watch_start(child, &child->streams[0], ends->out[0], POLLIN,
                stdout_ready);
    watch_start(child, &child->streams[1], ends->out[1], POLLIN,
                stderr_ready);
    watch_start(child, &child->in, ends->in, 0, stdin_ready);
    input_watch(child);
    child->held[0] = ends->held[0];
    child->held[1] = ends->held[1];
    /* Most often it is known already, and is never watched. */
    child->start = (struct loop_fd) { .fd = ends->start,
                                      .events = POLLIN,
                                      .ready = start_ready,
                                      .arg = child };
    if (!start_check(child))
        loop_fd_add(child->loop, &child->start);
}

static struct child *child_new(struct loop *loop,
                               const struct child_spec *spec,
                               void (*done)(void *, struct child *),
                               void *arg)
{
    struct child *child = calloc(1, sizeof(*child));

    if (!child)
        return NULL;
    *child = (struct child) {
        .loop = loop,
        .proc = { .exited = child_exited, .arg = child },
        .in = { .fd = -1 },
        .streams = { { .fd = -1 }, { .fd = -1 } },
        .start = { .fd = -1 },
        .held = { -1, -1 },
        .deadline = { .expired = deadline_expired, .arg = child },
        .drain = { .expired = drain_expired, .arg = child },
        .input_ends = spec->input_max == 0,
        .output_max = spec->output_max,
        .events = { .space = gather_space, .took = gather_took, .arg = child },
        .started_us = clock_us(),
        .done = done,
        .arg = arg,
    };
    if (spec->events)
        child->events = *spec->events;
    buf_init(&child->input, spec->input_max);
    buf_init(&child->output[0], spec->output_max);
    buf_init(&child->output[1], spec->output_max);
    return child;
}

static void child_take_input(struct child *child, struct buf *input)
{
    if (!input)
        return;
    child->input = *input;
    buf_init(input, input->max);
}

int child_start(struct loop *loop, struct procs *procs,
                const struct child_spec *spec,
                void (*done)(void *arg, struct child *child), void *arg,
                struct child **child)
{
    struct child *made = child_new(loop, spec, done, arg);
    struct spawned ends;
    int r;

    if (!made)
        return -ENOMEM;
    r = spawn(procs, &made->proc, spec, &ends);
    made->group = made->proc.pid;
    if (r < 0) {
        child_free(made);
        return r;
    }
    child_take_input(made, spec->input);
    child_watch(made, &ends);
    if (spec->timeout_ms > 0)
        loop_timer_start(loop, &made->deadline, spec->timeout_ms);
    *child = made;
    return 0;
}

void child_signal(struct child *child, int number)
{
    proc_kill(&child->proc, number);
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
    proc_kill(&child->proc, SIGKILL);
    /* The caller's interest ends here; only the reaping is left. */
    input_close(child);
    watch_end(child, &child->streams[0]);
    watch_end(child, &child->streams[1]);
    watch_end(child, &child->start);
    loop_timer_stop(child->loop, &child->deadline);
    /* Reaped already and only waiting for its pipes: nobody will call. */
    if (child->reaped)
        child_free(child);
}
