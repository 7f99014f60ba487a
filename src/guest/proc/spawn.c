/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Pipes or a terminal, and a table of the steps that the new process takes up
 * to execve(2); it may share the agent's memory (vfork(2)) and must not change
 * it.  A close-on-exec pipe tells which step failed, and why.
 */
#include <config.h>

#include "guest/proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/proc/expand.h"
#include "guest/proc/pty.h"
#include "guest/proc/user.h"
#include "proto/limits.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

#define UMASK 022

/* --- the descriptors around one start ------------------------------------- */

struct plumbing {
    int in[2];
    int out[2];
    int err[2];
    int tty[2]; /* instead of all three: the agent's end, the program's */
    int start[2];
};

#define PLUMBING_NONE                                   \
    {                                                   \
        { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }, \
        {                                               \
            -1, -1                                      \
        }                                               \
    }

static void plumbing_close(struct plumbing *p)
{
    int *all = &p->in[0];

    for (size_t i = 0; i < sizeof(*p) / sizeof(int); i++)
        fd_close(&all[i]);
}

static int open_input(struct plumbing *p, const struct child_spec *spec)
{
    if (spec->input_max > 0 || (spec->input && spec->input->len > 0))
        return pipe2(p->in, O_CLOEXEC) < 0 ? -errno : 0;
    p->in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return p->in[0] < 0 ? -errno : 0;
}

static int open_pipes(struct plumbing *p, const struct child_spec *spec)
{
    int r = open_input(p, spec);

    if (r == 0
        && (pipe2(p->out, O_CLOEXEC) < 0 || pipe2(p->err, O_CLOEXEC) < 0))
        r = -errno;
    return r;
}

/* What is typed goes in where what is shown comes out. */
static int open_tty(struct plumbing *p, const struct child_spec *spec)
{
    int r = pty_open(spec->tty, spec->user ? spec->user->uid : geteuid(),
                     &p->tty[0], &p->tty[1]);

    if (r < 0)
        return r;
    p->in[1] = fcntl(p->tty[0], F_DUPFD_CLOEXEC, 0);
    return p->in[1] < 0 ? -errno : 0;
}

/* Patterns need memory of their own, and take their time. */
static bool may_wait(const struct child_spec *spec)
{
    return spec->may_wait || spec->patterns;
}

/* Behind vfork(2) there is no waiting for the start pipe: execve(2) has begun,
 * or failed, and closes it a few instructions after the agent goes on. */
static int plumbing_open(struct plumbing *p, const struct child_spec *spec)
{
    int r = spec->tty ? open_tty(p, spec) : open_pipes(p, spec);

    if (r == 0
        && pipe2(p->start, O_CLOEXEC | (may_wait(spec) ? O_NONBLOCK : 0)) < 0)
        r = -errno;
    return r;
}

/* The agent's end of a fresh pipe, which has no other flag. */
static int keep_end(int *fd)
{
    if (*fd >= 0)
        fcntl(*fd, F_SETFL, O_NONBLOCK);
    return steal_fd(fd);
}

static void plumbing_keep(struct plumbing *p, bool tty, struct spawned *ends)
{
    *ends = (struct spawned) {
        .in = tty ? steal_fd(&p->in[1]) : keep_end(&p->in[1]),
        .out = { tty ? steal_fd(&p->tty[0]) : keep_end(&p->out[0]),
                 keep_end(&p->err[0]) },
        .held = { steal_fd(tty ? &p->tty[1] : &p->out[1]),
                  steal_fd(&p->err[1]) },
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
    const struct cgroup *enter; /* NULL: it is where it belongs */
    struct strlist *words;      /* what the patterns become: the new process
                                 * fills its own copy */
};

/* Better without than not at all. */
static int take_cgroup(const struct start *start)
{
    if (start->enter && cgroup_enter(start->enter) < 0)
        return 0;
    return 0;
}

static int take_descriptors(const struct start *start)
{
    const struct plumbing *p = start->plumbing;
    int tty = p->tty[1];

    if (tty >= 0 && pty_take(tty) < 0)
        return -1;
    if (dup2(tty >= 0 ? tty : p->in[0], STDIN_FILENO) < 0
        || dup2(tty >= 0 ? tty : p->out[1], STDOUT_FILENO) < 0
        || dup2(tty >= 0 ? tty : p->err[1], STDERR_FILENO) < 0)
        return -1;
    return 0;
}

static int take_groups(const struct start *start)
{
    return start->spec->user ? user_take_groups(start->spec->user) : 0;
}

static int take_group(const struct start *start)
{
    return start->spec->user ? user_take_group(start->spec->user) : 0;
}

static int take_id(const struct start *start)
{
    return start->spec->user ? user_take_id(start->spec->user) : 0;
}

/* A folder that was asked for must be there; a home need not. */
static int enter_folder(const struct start *start)
{
    const struct child_spec *spec = start->spec;

    if (spec->working_dir)
        return chdir(spec->working_dir);
    return spec->home && chdir(spec->home) == 0 ? 0 : chdir("/");
}

static int take_words(const struct start *start)
{
    const struct child_spec *spec = start->spec;
    int r = 0;

    if (spec->patterns)
        r = expand(spec->patterns, spec->argv, spec->tilde,
                   deadline_in(EXPAND_S * 1000), start->words);
    errno = -r;
    return r < 0 ? -1 : 0;
}

static int become_program(const struct start *start)
{
    const struct child_spec *spec = start->spec;

    return execve(spec->program,
                  spec->patterns ? start->words->items : spec->argv,
                  spec->envp);
}

/* In this order.  It may be the agent's own memory: nothing in it may be
 * changed, but where there are patterns. */
static const struct step {
    const char *name;                       /* told when it fails */
    int (*take)(const struct start *start); /* Return: 0, or -1 with errno */
} steps[] = {
    { "cgroup", take_cgroup },    { "descriptors", take_descriptors },
    { "setgroups", take_groups }, { "setgid", take_group },
    { "setuid", take_id },        { "working_dir", enter_folder },
    { "patterns", take_words },   { "execve", become_program },
};

static void __attribute__((noreturn)) run_program(const void *arg)
{
    const struct start *start = arg;
    const struct child_spec *spec = start->spec;
    struct failure failure = { .error = 0 };

    proc_child_reset();
    umask(spec->umask_given ? spec->umask : UMASK);
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

/* Where a process cannot be made in its group it goes there itself. */
static int make_process(struct procs *procs, struct proc *proc,
                        struct start *start, const struct cgroup *cgroup)
{
    bool waits = may_wait(start->spec);
    int r;

    if (cgroup->folder >= 0) {
        r = proc_exec(procs, proc, run_program, start, waits, cgroup);
        if (r == 0 || r == -EAGAIN || r == -ENOMEM)
            return r;
        start->enter = cgroup;
    }
    return proc_exec(procs, proc, run_program, start, waits, NULL);
}

int spawn(struct procs *procs, struct proc *proc,
          const struct child_spec *spec, const struct cgroup *cgroup,
          struct spawned *ends)
{
    struct plumbing p = PLUMBING_NONE;
    struct strlist words = { 0 };
    struct start start = { .plumbing = &p, .spec = spec, .words = &words };
    int r = plumbing_open(&p, spec);

    if (r == 0)
        r = make_process(procs, proc, &start, cgroup);
    if (r == 0)
        plumbing_keep(&p, spec->tty, ends);
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
