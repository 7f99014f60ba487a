/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Forks and reaps.  A SIGCHLD may stand for several processes, so that each is
 * asked with waitpid(2); where possible it is vfork(2), because copying the
 * agent's page tables costs more than all the rest of a start.
 */
#include <config.h>

#include "guest/proc/proc.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* One SIGCHLD may stand for several processes: ask each. */
static void procs_reap(void *arg)
{
    struct procs *procs = arg;
    struct proc **at = &procs->list;

    while (*at) {
        struct proc *proc = *at;
        int status;

        if (waitpid(proc->pid, &status, WNOHANG) != proc->pid) {
            at = &proc->next;
            continue;
        }
        *at = proc->next;
        proc->pid = 0;
        proc->exited(proc->arg, status); /* may free proc, may fork anew */
        at = &procs->list;
    }
}

int procs_init(struct procs *procs, struct loop *loop)
{
    /* What is ignored stays so in every program that is started: undo what we
     * were started with, once.  KILL and STOP refuse, which does no harm. */
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    procs->list = NULL;
    return loop_signal_add(loop, SIGCHLD, procs_reap, procs);
}

static void procs_add(struct procs *procs, struct proc *proc, pid_t pid)
{
    proc->pid = pid;
    proc->next = procs->list;
    procs->list = proc;
}

pid_t proc_fork(struct procs *procs, struct proc *proc)
{
    pid_t pid = fork();

    if (pid < 0)
        return -errno;
    if (pid > 0)
        procs_add(procs, proc, pid);
    return pid;
}

int proc_exec(struct procs *procs, struct proc *proc, proc_program *program,
              const void *arg, bool may_wait, const struct cgroup *cgroup)
{
    pid_t pid;

    if (cgroup)
        pid = cgroup_fork(cgroup, !may_wait);
    else if (may_wait)
        pid = fork();
    else
        pid = vfork();
    if (pid < 0)
        return cgroup ? pid : -errno;
    if (pid == 0)
        program(arg);
    procs_add(procs, proc, pid);
    return 0;
}

void proc_forget(struct procs *procs, struct proc *proc)
{
    for (struct proc **at = &procs->list; *at; at = &(*at)->next) {
        if (*at == proc) {
            *at = proc->next;
            break;
        }
    }
    proc->pid = 0;
}

void proc_child_reset(void)
{
    sigset_t none;

    setsid();
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void proc_kill(const struct proc *proc, int signal_number)
{
    if (!proc->pid)
        return;
    /* The group may not exist yet, when the child has not run so far. */
    if (kill(-proc->pid, signal_number) < 0)
        kill(proc->pid, signal_number);
}
