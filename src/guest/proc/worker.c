/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A fork with a pipe for its report.  It gets SIGKILL when the agent dies
 * (PR_SET_PDEATHSIG), so that nobody goes on writing to files then.
 */
#include <config.h>

#include "guest/proc/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

struct worker {
    struct proc proc;
    worker_done *done; /* NULL: cancelled */
    void *arg;
    int report_fd;
};

/* The report is in the pipe as a whole when the process has ended. */
static void worker_exited(void *arg, int status)
{
    struct worker *worker = arg;
    uint8_t report[WORKER_REPORT_MAX];
    bool whole = WIFEXITED(status) && WEXITSTATUS(status) == 0
                 && fd_read_full(worker->report_fd, report, sizeof(report))
                        == (int64_t) sizeof(report);

    fd_close(&worker->report_fd);
    if (worker->done)
        worker->done(worker->arg, whole ? report : NULL);
    free(worker);
}

static void __attribute__((noreturn))
worker_child(int fd, worker_main *main, void *arg)
{
    uint8_t report[WORKER_REPORT_MAX] = { 0 };

    proc_child_reset();
    /* An agent that is killed must leave nobody who goes on writing. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    main(arg, report);
    _exit(fd_write_all(fd, report, sizeof(report)) < 0);
}

int worker_start(struct procs *procs, worker_main *main, worker_done *done,
                 void *arg, struct worker **worker)
{
    struct worker *made = calloc(1, sizeof(*made));
    int ends[2];
    pid_t pid;

    if (!made)
        return -ENOMEM;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        free(made);
        return -errno;
    }
    *made = (struct worker) { .proc = { .exited = worker_exited, .arg = made },
                              .done = done,
                              .arg = arg,
                              .report_fd = ends[0] };
    pid = proc_fork(procs, &made->proc);
    if (pid == 0)
        worker_child(ends[1], main, arg);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        free(made);
        return pid;
    }
    *worker = made;
    return 0;
}

void worker_cancel(struct worker *worker)
{
    worker->done = NULL; /* freed when it is reaped */
    worker_kill(worker);
}

void worker_kill(struct worker *worker)
{
    proc_kill(&worker->proc, SIGKILL);
}
