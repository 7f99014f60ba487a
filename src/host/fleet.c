/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/fleet.h"

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

#include "host/interrupt.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

#define STREAMS 2             /* standard output, standard error */
#define STEP (64 * 1024)      /* what a pipe holds */

/* A worker that has to leave takes three seconds at most for that. */
#define LEAVE_MS 5000

struct worker {
    pid_t pid; /* 0: this slot is free */
    size_t i;
    int fds[STREAMS];
};

/* The state of one run. */
struct run {
    const struct fleet *fleet;
    struct worker *workers;
    struct pollfd *watch; /* STREAMS per worker, and the signals */
    struct interrupt interrupt;
    int interrupted;      /* the signal's number */
    int64_t kill_at;      /* when those that still run are killed */
    size_t slots;
    size_t started;
    size_t busy;
    int64_t deadline;
    bool expired;
    struct error *err;
};

/* In the new process; never returns. */
static void worker_main(struct run *run, size_t i, pid_t parent,
                        const int ends[STREAMS])
{
    const struct fleet *fleet = run->fleet;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    /* The parent may have died before this. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(EXIT_STATUS_TRANSPORT);
    interrupt_end(&run->interrupt);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0
        || dup2(ends[0], STDOUT_FILENO) < 0
        || dup2(ends[1], STDERR_FILENO) < 0)
        _exit(EXIT_STATUS_TRANSPORT);
    _exit(fleet->work(fleet->context, i));
}

static int worker_start(struct run *run, struct worker *worker)
{
    AUTO_CLOSE int out_read = -1;
    AUTO_CLOSE int out_write = -1;
    AUTO_CLOSE int err_read = -1;
    AUTO_CLOSE int err_write = -1;
    pid_t parent = getpid();
    int pair[2];

    if (pipe2(pair, O_CLOEXEC) < 0)
        return error_errno(run->err, -errno, "starting a worker");
    out_read = pair[0];
    out_write = pair[1];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return error_errno(run->err, -errno, "starting a worker");
    err_read = pair[0];
    err_write = pair[1];
    worker->pid = fork();
    if (worker->pid < 0) {
        worker->pid = 0;
        return error_errno(run->err, -errno, "starting a worker");
    }
    if (worker->pid == 0)
        worker_main(run, run->started, parent,
                    (const int[STREAMS]) { out_write, err_write });
    worker->i = run->started++;
    worker->fds[0] = steal_fd(&out_read);
    worker->fds[1] = steal_fd(&err_read);
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
        return run->fleet->output(run->fleet->context, worker->i, stream + 1,
                                  step, (size_t) got);
    fd_close(&worker->fds[stream]);
    if (worker->fds[0] < 0 && worker->fds[1] < 0)
        return worker_reap(run, worker);
    return 0;
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

static void run_watch(struct run *run, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        const struct worker *worker = &run->workers[k / STREAMS];

        run->watch[k] = (struct pollfd) {
            .fd = worker->pid ? worker->fds[k % STREAMS] : -1,
            .events = POLLIN,
        };
    }
    run->watch[n] = (struct pollfd) { .fd = run->interrupt.fd,
                                      .events = POLLIN };
}

static int run_wait(struct run *run)
{
    size_t n = run->slots * STREAMS;
    int r = 0;

    run_watch(run, n);
    if (poll(run->watch, n + 1,
             deadline_left(deadline_min(run->kill_at, run->deadline)))
        < 0)
        return errno == EINTR ? 0
                              : error_errno(run->err, -errno, "waiting");
    run->expired = deadline_left(run->deadline) == 0;
    for (size_t k = 0; k < n && r == 0; k++)
        if (run->watch[k].revents)
            r = worker_read(run, &run->workers[k / STREAMS],
                            (int) (k % STREAMS));
    if (r == 0 && run->watch[n].revents)
        r = run_interrupted(run);
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
        fd_close(&worker->fds[0]);
        fd_close(&worker->fds[1]);
    }
    free(run->workers);
    free(run->watch);
    interrupt_end(&run->interrupt);
}

int fleet_run(const struct fleet *fleet, struct error *err)
{
    struct run run = { .fleet = fleet,
                       .interrupt = INTERRUPT_INIT,
                       .kill_at = DEADLINE_NEVER,
                       .deadline = fleet->limit_ms
                                       ? deadline_in(fleet->limit_ms)
                                       : DEADLINE_NEVER,
                       .err = err };
    int r = 0;

    run.slots = fleet->n < (size_t) fleet->parallel
                    ? fleet->n
                    : (size_t) fleet->parallel;
    run.workers = calloc(run.slots + 1, sizeof(*run.workers));
    run.watch = calloc(run.slots * STREAMS + 1, sizeof(*run.watch));
    if (!run.workers || !run.watch)
        r = error_errno(err, -ENOMEM, "workers");
    if (r == 0)
        r = interrupt_begin(&run.interrupt);
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
