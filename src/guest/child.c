/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

#define READ_STEP (64 * 1024) /* what a pipe holds */
#define KILL_GRACE_MS 2000    /* between TERM and KILL */
#define DRAIN_MS 200          /* for pipes that an orphan holds */
#define UMASK 022

/* Reads of one pipe at the end: it holds 64 KiB unless it was enlarged; what an
 * orphan goes on writing is left to the loop. */
#define PIPE_TURNS 4

/* The descriptors around one start. */
struct plumbing {
    int in[2];
    int out[2];
    int err[2];
    int start[2];
};

#define PLUMBING_NONE { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } }

static void plumbing_close(struct plumbing *p)
{
    int *all = &p->in[0];

    for (size_t i = 0; i < sizeof(*p) / sizeof(int); i++)
        fd_close(&all[i]);
}

static int plumbing_open(struct plumbing *p, bool with_input)
{
    if (with_input) {
        if (pipe2(p->in, O_CLOEXEC) < 0)
            return -errno;
    } else {
        p->in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (p->in[0] < 0)
            return -errno;
    }
    if (pipe2(p->out, O_CLOEXEC) < 0 || pipe2(p->err, O_CLOEXEC) < 0
        || pipe2(p->start, O_CLOEXEC) < 0)
        return -errno;
    return 0;
}

/* From here on the end of the outputs shows. */
static void release_pipes(struct child *child)
{
    fd_close(&child->held[0]);
    fd_close(&child->held[1]);
}

static void child_free(struct child *child)
{
    struct loop_fd *watches[] = { &child->in, &child->streams[0],
                                  &child->streams[1] };

    for (size_t i = 0; i < ARRAY_SIZE(watches); i++) {
        loop_fd_remove(child->loop, watches[i]);
        fd_close(&watches[i]->fd);
    }
    release_pipes(child);
    fd_close(&child->start_fd);
    loop_timer_stop(child->loop, &child->deadline);
    loop_timer_stop(child->loop, &child->drain);
    buf_free(&child->output[0]);
    buf_free(&child->output[1]);
    free(child);
}

static void child_finish(struct child *child)
{
    child->duration_us = clock_us() - child->started_us;
    if (!child->cancelled)
        child->done(child->arg, child);
    child_free(child);
}

/* Finished when the process is reaped and nobody holds a pipe. */
static void child_check(struct child *child)
{
    if (child->reaped && child->streams[0].fd < 0 && child->streams[1].fd < 0)
        child_finish(child);
}

static void watch_end(struct child *child, struct loop_fd *watch)
{
    loop_fd_remove(child->loop, watch);
    fd_close(&watch->fd);
}

/* Keeps what fits under the common ceiling of both outputs. */
static void child_keep(struct child *child, struct buf *output,
                       const uint8_t *bytes, size_t n)
{
    size_t used = child->output[0].len + child->output[1].len;
    size_t room = child->output_max > used ? child->output_max - used : 0;

    if (n > room) {
        child->truncated = true;
        n = room;
    }
    if (buf_append(output, bytes, n) < 0)
        child->truncated = true;
}

/* Return: false when there is nothing more to read just now. */
static bool stream_read(struct child *child, size_t which)
{
    struct loop_fd *watch = &child->streams[which];
    uint8_t bytes[READ_STEP];
    ssize_t n = read(watch->fd, bytes, sizeof(bytes));

    if (n > 0)
        child_keep(child, &child->output[which], bytes, (size_t) n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        watch_end(child, watch);
    return n > 0;
}

static void stream_ready(struct child *child, size_t which)
{
    stream_read(child, which);
    child_check(child);
}

/* What the pipes hold when the process has ended. */
static void streams_finish(struct child *child)
{
    release_pipes(child);
    for (size_t i = 0; i < ARRAY_SIZE(child->streams); i++)
        for (int turn = 0; turn < PIPE_TURNS; turn++)
            if (child->streams[i].fd < 0 || !stream_read(child, i))
                break;
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

static void stdin_ready(void *arg, short revents)
{
    struct child *child = arg;
    ssize_t n = write(child->in.fd, child->input, child->input_len);

    (void) revents;
    if (n >= 0) {
        child->input += n;
        child->input_len -= (size_t) n;
    } else if (errno == EAGAIN || errno == EINTR) {
        return;
    } else {
        child->input_len = 0; /* EPIPE: the program reads no more */
    }
    if (child->input_len == 0)
        watch_end(child, &child->in);
}

/* The start pipe tells why execve(2), or what comes before it, failed; it is
 * empty when a program was started. */
struct start_failure {
    int error;
    char step[16];
};

static const char *start_step_name(const char *step)
{
    return strncmp(step, "chdir", 5) == 0 ? "working_dir" : "execve";
}

static void start_finish(struct child *child)
{
    struct start_failure failure;
    ssize_t n = read(child->start_fd, &failure, sizeof(failure));

    if (n == (ssize_t) sizeof(failure)) {
        child->start_errno = failure.error;
        child->start_step = start_step_name(failure.step);
    }
    fd_close(&child->start_fd);
}

/* Orphans hold the pipes: take what is there and let go. */
static void drain_expired(void *arg)
{
    struct child *child = arg;

    child->orphans = true;
    watch_end(child, &child->streams[0]);
    watch_end(child, &child->streams[1]);
    child_check(child);
}

static void child_exited(void *arg, int status)
{
    struct child *child = arg;

    child->reaped = true;
    child->status = status;
    loop_timer_stop(child->loop, &child->deadline);
    watch_end(child, &child->in);
    if (child->cancelled) {
        child_finish(child);
        return;
    }
    /* Its time is over for all that it started.  While one of them lives no
     * other process can get the number. */
    if (child->terminated)
        kill(-child->group, SIGKILL);
    start_finish(child);
    streams_finish(child);
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

static void __attribute__((noreturn))
start_failed(int fd, const char *step)
{
    struct start_failure failure = { .error = errno };

    strncpy(failure.step, step, sizeof(failure.step) - 1);
    fd_write_all(fd, &failure, sizeof(failure));
    _exit(127);
}

/* What the new process needs to become the program. */
struct start {
    const struct plumbing *plumbing;
    const struct child_spec *spec;
};

/* A folder that was asked for must be there; a home need not. */
static int enter_folder(const struct child_spec *spec)
{
    if (spec->working_dir)
        return chdir(spec->working_dir);
    return spec->home && chdir(spec->home) == 0 ? 0 : chdir("/");
}

static void __attribute__((noreturn)) run_program(const void *arg)
{
    const struct start *start = arg;
    const struct plumbing *p = start->plumbing;
    const struct child_spec *spec = start->spec;

    proc_child_reset();
    umask(UMASK);
    if (dup2(p->in[0], STDIN_FILENO) < 0 || dup2(p->out[1], STDOUT_FILENO) < 0
        || dup2(p->err[1], STDERR_FILENO) < 0)
        start_failed(p->start[1], "dup2");
    if (enter_folder(spec) < 0)
        start_failed(p->start[1], "chdir");
    execve(spec->program, spec->argv, spec->envp);
    start_failed(p->start[1], "execve");
}

static void watch_start(struct child *child, struct loop_fd *watch, int *fd,
                        short events, void (*ready)(void *, short))
{
    fcntl(*fd, F_SETFL, O_NONBLOCK); /* a fresh pipe has no other flag */
    *watch = (struct loop_fd) { .fd = steal_fd(fd),
                                .events = events,
                                .ready = ready,
                                .arg = child };
    loop_fd_add(child->loop, watch);
}

static void child_watch(struct child *child, struct plumbing *p)
{
    watch_start(child, &child->streams[0], &p->out[0], POLLIN, stdout_ready);
    watch_start(child, &child->streams[1], &p->err[0], POLLIN, stderr_ready);
    child->held[0] = steal_fd(&p->out[1]);
    child->held[1] = steal_fd(&p->err[1]);
    child->start_fd = steal_fd(&p->start[0]);
    fcntl(child->start_fd, F_SETFL, O_NONBLOCK);
    if (p->in[1] >= 0)
        watch_start(child, &child->in, &p->in[1], POLLOUT, stdin_ready);
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
        .held = { -1, -1 },
        .start_fd = -1,
        .deadline = { .expired = deadline_expired, .arg = child },
        .drain = { .expired = drain_expired, .arg = child },
        .input = spec->input,
        .input_len = spec->input_len,
        .output_max = spec->output_max,
        .started_us = clock_us(),
        .done = done,
        .arg = arg,
    };
    buf_init(&child->output[0], spec->output_max);
    buf_init(&child->output[1], spec->output_max);
    return child;
}

int child_start(struct loop *loop, struct procs *procs,
                const struct child_spec *spec,
                void (*done)(void *arg, struct child *child), void *arg,
                struct child **child)
{
    struct child *made = child_new(loop, spec, done, arg);
    struct plumbing p = PLUMBING_NONE;
    const struct start start = { &p, spec };
    int r;

    if (!made)
        return -ENOMEM;
    r = plumbing_open(&p, spec->input_len > 0);
    if (r == 0)
        r = proc_exec(procs, &made->proc, run_program, &start,
                      spec->may_wait);
    made->group = made->proc.pid;
    if (r < 0) {
        plumbing_close(&p);
        child_free(made);
        return r;
    }
    child_watch(made, &p);
    plumbing_close(&p);
    if (spec->timeout_ms > 0)
        loop_timer_start(loop, &made->deadline, spec->timeout_ms);
    *child = made;
    return 0;
}

void child_end(struct child *child)
{
    if (child->terminated || child->reaped)
        return;
    child->ended = true;
    terminate(child);
}

void child_cancel(struct child *child)
{
    child->cancelled = true;
    proc_kill(&child->proc, SIGKILL);
    /* The caller's input and interest end here; only the reaping is left. */
    watch_end(child, &child->in);
    watch_end(child, &child->streams[0]);
    watch_end(child, &child->streams[1]);
    loop_timer_stop(child->loop, &child->deadline);
    /* Reaped already and only waiting for its pipes: nobody will call. */
    if (child->reaped)
        child_free(child);
}
