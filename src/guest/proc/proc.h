/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Processes of the agent: forking, reaping, and two uses of it.
 *
 * A child runs another program with pipes around it (commands, service tools,
 * custom handlers).  A worker is a fork of the agent that does one slow thing
 * to files (fsync, digest) and reports a few bytes, because the loop itself
 * never blocks.  child.h and worker.h stand on this one.
 */
#ifndef VSRPC_GUEST_PROC_PROC_H
#define VSRPC_GUEST_PROC_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "guest/core/loop.h"
#include "guest/proc/cgroup.h"

struct proc {
    pid_t pid; /* 0: none */
    void (*exited)(void *arg, int status);
    void *arg;
    struct proc *next;
};

/* All processes that have not been reaped yet. */
struct procs {
    struct proc *list;
};

/* Starts to listen for SIGCHLD; all other signals get their defaults, but
 * SIGPIPE, which is ignored.  Return: 0 or negative errno. */
int procs_init(struct procs *procs, struct loop *loop);

/*
 * Forks and registers the process; exited is called from the loop with what
 * waitpid(2) says.
 *
 * Return: 0 in the child, the process id in the parent, negative errno.
 */
pid_t proc_fork(struct procs *procs, struct proc *proc);

/* What a new process does; it becomes another program or ends itself, and
 * never returns. */
typedef void proc_program(const void *arg);

/*
 * Starts a process that only prepares itself and calls execve(2); otherwise
 * as proc_fork().  It borrows the agent's memory until then, because copying
 * that costs more than all the rest: program() must change nothing that the
 * agent uses.  The agent waits meanwhile; with may_wait (the program may have
 * to wait for a file system that does not answer) the memory is copied after
 * all.  It is copied, too, when the process is to begin in a control group
 * (NULL: in the agent's).
 *
 * Return: 0 or negative errno.
 */
int proc_exec(struct procs *procs, struct proc *proc, proc_program *program,
              const void *arg, bool may_wait, const struct cgroup *cgroup);

/* It is nobody's any more: exited is not called, and nobody reaps it. */
void proc_forget(struct procs *procs, struct proc *proc);

/* In a fresh child: a session of its own, nothing ignored, nothing blocked. */
void proc_child_reset(void);

/* Signals the process group that proc_child_reset() made; no-op when the
 * process is gone. */
void proc_kill(const struct proc *proc, int signal_number);

#endif
