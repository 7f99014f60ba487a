/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * From a description of a program to its process: the pipes, what the new
 * process does before it becomes the program, and how it tells that it could
 * not.
 */
#ifndef VSRPC_GUEST_PROC_SPAWN_H
#define VSRPC_GUEST_PROC_SPAWN_H

#include "guest/proc/child.h"

/* The agent's ends of what is around a program; -1: none.  Input and outputs
 * do not block. */
struct spawned {
    int in;
    int out[2];  /* standard output, standard error; of a terminal only one */
    int start;   /* for spawn_failure() */
    int held[2]; /* the program's ends of the outputs */
};

/*
 * Makes the process, in a control group where there is one; proc->exited tells
 * of its end, also when it never became the program.
 *
 * Return: 0 or negative errno.
 */
int spawn(struct procs *procs, struct proc *proc,
          const struct child_spec *spec, const struct cgroup *cgroup,
          struct spawned *ends);

/*
 * Asks the start descriptor how the start went.
 *
 * Return: 0 when the program runs; the positive errno of what failed, with
 * the *step; -EAGAIN when it is not known yet, which only is with may_wait.
 */
int spawn_failure(int start, const char **step);

#endif
