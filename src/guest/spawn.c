/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

#define UMASK 022

/* --- the descriptors around one start ------------------------------------- */

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
        || pipe2(p->start, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

/* The agent's end of a fresh pipe, which has no other flag. */
static int keep_end(int *fd)
{
    if (*fd >= 0)
        fcntl(*fd, F_SETFL, O_NONBLOCK);
    return steal_fd(fd);
}

static void plumbing_keep(struct plumbing *p, struct spawned *ends)
{
    *ends = (struct spawned) {
        .in = keep_end(&p->in[1]),
        .out = { keep_end(&p->out[0]), keep_end(&p->err[0]) },
        .held = { steal_fd(&p->out[1]), steal_fd(&p->err[1]) },
        .start = steal_fd(&p->start[0]),
    };
}

/* --- what the new process does -------------------------------------------- */

/* The start pipe tells why execve(2), or what comes before it, failed; it is
 * empty and closed when a program was started. */
struct failure {
    int error;
    char step[16];
};

/* What the new process needs to become the program. */
struct start {
    const struct plumbing *plumbing;
    const struct child_spec *spec;
};

static int take_descriptors(const struct start *start)
{
    const struct plumbing *p = start->plumbing;

    if (dup2(p->in[0], STDIN_FILENO) < 0 || dup2(p->out[1], STDOUT_FILENO) < 0
        || dup2(p->err[1], STDERR_FILENO) < 0)
        return -1;
    return 0;
}

/* A folder that was asked for must be there; a home need not. */
static int enter_folder(const struct start *start)
{
    const struct child_spec *spec = start->spec;

    if (spec->working_dir)
        return chdir(spec->working_dir);
    return spec->home && chdir(spec->home) == 0 ? 0 : chdir("/");
}

static int become_program(const struct start *start)
{
    const struct child_spec *spec = start->spec;

    return execve(spec->program, spec->argv, spec->envp);
}

/* In this order.  It may be the agent's own memory: nothing in it may be
 * changed. */
static const struct step {
    const char *name; /* told when it fails */
    int (*take)(const struct start *start); /* Return: 0, or -1 with errno */
} steps[] = {
    { "dup2", take_descriptors },
    { "working_dir", enter_folder },
    { "execve", become_program },
};

static void __attribute__((noreturn)) run_program(const void *arg)
{
    const struct start *start = arg;
    struct failure failure = { .error = 0 };

    proc_child_reset();
    umask(UMASK);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        if (steps[i].take(start) == 0)
            continue;
        failure.error = errno;
        strncpy(failure.step, steps[i].name, sizeof(failure.step) - 1);
        fd_write_all(start->plumbing->start[1], &failure, sizeof(failure));
        break;
    }
    _exit(127);
}

/* --- the agent's side ----------------------------------------------------- */

int spawn(struct procs *procs, struct proc *proc,
          const struct child_spec *spec, struct spawned *ends)
{
    struct plumbing p = PLUMBING_NONE;
    const struct start start = { &p, spec };
    int r = plumbing_open(&p, spec->input_max > 0
                                  || (spec->input && spec->input->len > 0));

    if (r == 0)
        r = proc_exec(procs, proc, run_program, &start, spec->may_wait);
    if (r == 0)
        plumbing_keep(&p, ends);
    plumbing_close(&p);
    return r;
}

static const char *step_name(const struct failure *failure)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (strncmp(steps[i].name, failure->step, sizeof(failure->step)) == 0)
            return steps[i].name;
    return "start";
}

int spawn_failure(int start, const char **step)
{
    struct failure failure;
    ssize_t n;

    do {
        n = read(start, &failure, sizeof(failure));
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -EAGAIN;
    if (n < (ssize_t) sizeof(failure)) /* a pipe gives all or nothing */
        return 0;
    *step = step_name(&failure);
    return failure.error;
}
