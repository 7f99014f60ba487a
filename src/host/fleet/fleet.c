/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Worker processes by fork(2); one poll(2) serves the pipes of them all.  They
 * get SIGTERM when the parent dies (PR_SET_PDEATHSIG), and SIGKILL when they
 * do not end within 5 s of a signal.
 */
#include <config.h>

#include "host/fleet/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/core/interrupt.h"
#include "host/fleet/spool.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

#define STREAMS 4        /* standard input, output and error; records */
#define STEP (64 * 1024) /* what a pipe holds */

/* The input is read so far ahead of the fastest worker: who has no end of it
 * (yes(1)) is not to fill a disk. */
#define AHEAD_MAX (1024L * 1024)

/* A worker that has to leave takes three seconds at most for that. */
#define LEAVE_MS 5000

struct worker {
    pid_t pid; /* 0: this slot is free */
    size_t i;
    int fds[STREAMS]; /* our ends, by the worker's descriptor; -1: closed */
    int64_t fed;      /* bytes of the input */
};

/* The state of one run. */
struct run {
    const struct fleet *fleet;
    struct worker *workers;
    struct pollfd *watch; /* STREAMS per worker, the signals, the input */
    struct interrupt interrupt;
    struct spool spool;
    int64_t fed;           /* bytes that the fastest worker had */
    struct sigaction pipe; /* what SIGPIPE did before */
    int interrupted;       /* the signal's number */
    int64_t kill_at;       /* when those that still run are killed */
    size_t slots;
    size_t started;
    size_t busy;
    int64_t deadline;
    bool expired;
    struct error *err;
};

/* The pipes of one worker, by its descriptors. */
struct pipes {
    int ours[STREAMS];
    int its[STREAMS];
};

static void pipes_close(struct pipes *pipes)
{
    for (int fd = 0; fd < STREAMS; fd++) {
        fd_close(&pipes->ours[fd]);
        fd_close(&pipes->its[fd]);
    }
}

/* What is to be read from the worker, or is written to it without waiting. */
static int pipes_open(struct pipes *pipes, bool input, bool records)
{
    *pipes = (struct pipes) { { -1, -1, -1, -1 }, { -1, -1, -1, -1 } };
    for (int fd = 0; fd < (records ? STREAMS : FLEET_RECORDS); fd++) {
        bool in = fd == STDIN_FILENO;
        int pair[2];

        if (in && !input) {
            pipes->its[fd] = open("/dev/null", O_RDONLY | O_CLOEXEC);
            if (pipes->its[fd] < 0)
                return -errno;
            continue;
        }
        if (pipe2(pair, O_CLOEXEC) < 0)
            return -errno;
        pipes->ours[fd] = pair[in];
        pipes->its[fd] = pair[!in];
    }
    return input ? fd_nonblock(pipes->ours[STDIN_FILENO]) : 0;
}

/* In the new process; never returns. */
static void worker_main(struct run *run, size_t i, pid_t parent,
                        struct pipes *pipes)
{
    const struct fleet *fleet = run->fleet;

    /* The parent may have died before this. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(EXIT_STATUS_TRANSPORT);
    interrupt_end(&run->interrupt);
    sigaction(SIGPIPE, &run->pipe, NULL);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (dup2(pipes->its[fd], fd) < 0)
            _exit(EXIT_STATUS_TRANSPORT);
    for (size_t s = 0; s < run->slots; s++) /* or their inputs have no end */
        fd_close(&run->workers[s].fds[STDIN_FILENO]);
    fd_close(&pipes->ours[STDIN_FILENO]);
    _exit(fleet->work(fleet->context, i, pipes->its[FLEET_RECORDS]));
}

static int worker_start(struct run *run, struct worker *worker)
{
    pid_t parent = getpid();
    struct pipes pipes;
    int r = pipes_open(&pipes, run->spool.fd >= 0, run->fleet->records);

    if (r == 0) {
        worker->pid = fork();
        r = worker->pid < 0 ? -errno : 0;
    }
    if (r < 0) {
        worker->pid = 0;
        pipes_close(&pipes);
        return error_errno(run->err, r, "starting a worker");
    }
    if (worker->pid == 0)
        worker_main(run, run->started, parent, &pipes);
    worker->i = run->started++;
    worker->fed = 0;
    for (int fd = 0; fd < STREAMS; fd++)
        worker->fds[fd] = steal_fd(&pipes.ours[fd]);
    pipes_close(&pipes);
    run->busy++;
    return 0;
}

static int run_fill(struct run *run)
{
    for (size_t s = 0; s < run->slots && run->started < run->fleet->n; s++) {
        int r;

        if (run->workers[s].pid)
            continue;
        r = worker_start(run, &run->workers[s]);
        if (r < 0)
            return r;
    }
    return 0;
}

static int run_done(const struct run *run, size_t i, int status, bool killed)
{
    const struct fleet *fleet = run->fleet;
    int r = killed && fleet->killed ? fleet->killed(fleet->context, i) : 0;

    return r < 0 ? r : fleet->done(fleet->context, i, status);
}

static int worker_reap(struct run *run, struct worker *worker)
{
    bool killed;
    int status = 0;

    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        ;
    fd_close(&worker->fds[STDIN_FILENO]);
    worker->pid = 0;
    run->busy--;
    killed = run->interrupted && WIFSIGNALED(status);
    status = WIFEXITED(status) ? WEXITSTATUS(status)
                               : EXIT_STATUS_SIGNAL + WTERMSIG(status);
    return run_done(run, worker->i, status, killed);
}

/* Takes what one pipe has. */
static int worker_read(struct run *run, struct worker *worker, int stream)
{
    uint8_t step[STEP];
    ssize_t got = read(worker->fds[stream], step, sizeof(step));

    if (got < 0 && errno == EINTR)
        return 0;
    if (got > 0)
        return run->fleet->output(run->fleet->context, worker->i, stream, step,
                                  (size_t) got);
    fd_close(&worker->fds[stream]);
    if (worker->fds[STDOUT_FILENO] < 0 && worker->fds[STDERR_FILENO] < 0
        && worker->fds[FLEET_RECORDS] < 0)
        return worker_reap(run, worker);
    return 0;
}

/* Gives a worker more of the input, or its end.  One that has closed it does
 * not want more. */
static int worker_feed(struct run *run, struct worker *worker)
{
    int *fd = &worker->fds[STDIN_FILENO];
    uint8_t step[STEP];
    int64_t n = spool_read(&run->spool, worker->fed, step, sizeof(step));
    ssize_t done;

    if (n < 0)
        return error_errno(run->err, (int) n, "standard input");
    if (n == 0 && spool_over(&run->spool))
        fd_close(fd);
    if (n == 0)
        return 0;
    done = write(*fd, step, (size_t) n);
    if (done < 0 && errno != EAGAIN && errno != EINTR)
        fd_close(fd);
    if (done > 0)
        worker->fed += done;
    if (worker->fed > run->fed)
        run->fed = worker->fed;
    return 0;
}

static int worker_serve(struct run *run, struct worker *worker, int stream)
{
    return stream == STDIN_FILENO ? worker_feed(run, worker)
                                  : worker_read(run, worker, stream);
}

static void run_kill(const struct run *run, int number)
{
    for (size_t s = 0; s < run->slots; s++)
        if (run->workers[s].pid)
            kill(run->workers[s].pid, number);
}

/* Passes a signal on; a second one, too, which ends workers at once. */
static int run_interrupted(struct run *run)
{
    int number = interrupt_take(&run->interrupt);

    if (!number)
        return 0;
    if (!run->interrupted) {
        run->interrupted = number;
        run->kill_at = deadline_in(LEAVE_MS);
    }
    run_kill(run, number);
    for (; run->started < run->fleet->n; run->started++) {
        int r = run_done(run, run->started,
                         EXIT_STATUS_SIGNAL + run->interrupted, true);

        if (r < 0)
            return r;
    }
    return 0;
}

/* Is there some of the input, or its end, that the worker has not had? */
static bool worker_lacks(const struct run *run, const struct worker *worker)
{
    return worker->fed < run->spool.n || spool_over(&run->spool);
}

static struct pollfd worker_watch(const struct run *run,
                                  const struct worker *worker, int stream)
{
    bool in = stream == STDIN_FILENO;
    bool idle = !worker->pid || (in && !worker_lacks(run, worker));

    return (struct pollfd) { .fd = idle ? -1 : worker->fds[stream],
                             .events = in ? POLLOUT : POLLIN };
}

static void run_watch(struct run *run, size_t n)
{
    bool ahead = run->spool.n >= run->fed + AHEAD_MAX;

    for (size_t k = 0; k < n; k++)
        run->watch[k] = worker_watch(run, &run->workers[k / STREAMS],
                                     (int) (k % STREAMS));
    run->watch[n] = (struct pollfd) { .fd = run->interrupt.fd,
                                      .events = POLLIN };
    run->watch[n + 1] = (struct pollfd) { .fd = ahead ? -1 : run->spool.source,
                                          .events = POLLIN };
}

static int run_wait(struct run *run)
{
    size_t n = run->slots * STREAMS;
    int r = 0;

    run_watch(run, n);
    if (poll(run->watch, n + 2,
             deadline_left(deadline_min(run->kill_at, run->deadline)))
        < 0)
        return errno == EINTR ? 0 : error_errno(run->err, -errno, "waiting");
    run->expired = deadline_left(run->deadline) == 0;
    for (size_t k = 0; k < n && r == 0; k++)
        if (run->watch[k].revents && run->workers[k / STREAMS].pid)
            r = worker_serve(run, &run->workers[k / STREAMS],
                             (int) (k % STREAMS));
    if (r == 0 && run->watch[n].revents)
        r = run_interrupted(run);
    if (r == 0 && run->watch[n + 1].revents)
        r = spool_fill(&run->spool, run->err);
    if (deadline_left(run->kill_at) == 0) {
        run_kill(run, SIGKILL);
        run->kill_at = DEADLINE_NEVER; /* their pipes end now */
    }
    return r;
}

static void run_end(struct run *run)
{
    for (size_t s = 0; run->workers && s < run->slots; s++) {
        struct worker *worker = &run->workers[s];

        if (!worker->pid)
            continue;
        /* Who had its time may be stuck with SIGTERM blocked. */
        kill(worker->pid, run->expired ? SIGKILL : SIGTERM);
        waitpid(worker->pid, NULL, 0);
        for (int fd = 0; fd < STREAMS; fd++)
            fd_close(&worker->fds[fd]);
    }
    free(run->workers);
    free(run->watch);
    spool_end(&run->spool);
    interrupt_end(&run->interrupt);
    sigaction(SIGPIPE, &run->pipe, NULL);
}

/* A worker that has closed its input is no reason to die. */
static int run_begin(struct run *run)
{
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    int r;

    sigaction(SIGPIPE, &ignore, &run->pipe);
    run->workers = calloc(run->slots + 1, sizeof(*run->workers));
    run->watch = calloc(run->slots * STREAMS + 2, sizeof(*run->watch));
    if (!run->workers || !run->watch)
        return error_errno(run->err, -ENOMEM, "workers");
    for (size_t s = 0; s < run->slots; s++)
        for (int fd = 0; fd < STREAMS; fd++)
            run->workers[s].fds[fd] = -1;
    r = spool_begin(&run->spool, run->fleet->input, run->err);
    return r < 0 ? r : interrupt_begin(&run->interrupt);
}

int fleet_run(const struct fleet *fleet, struct error *err)
{
    struct run run = { .fleet = fleet,
                       .interrupt = INTERRUPT_INIT,
                       .spool = SPOOL_INIT,
                       .kill_at = DEADLINE_NEVER,
                       .deadline = fleet->limit_ms
                                       ? deadline_in(fleet->limit_ms)
                                       : DEADLINE_NEVER,
                       .err = err };
    int r;

    run.slots = fleet->n < (size_t) fleet->parallel ? fleet->n
                                                    : (size_t) fleet->parallel;
    r = run_begin(&run);
    while (r == 0 && (run.busy || run.started < fleet->n)) {
        r = run_fill(&run);
        if (r == 0)
            r = run_wait(&run);
        if (r == 0 && run.expired)
            r = -ETIMEDOUT;
    }
    run_end(&run);
    return r == 0 ? run.interrupted : r;
}
