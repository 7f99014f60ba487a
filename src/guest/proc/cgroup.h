/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Control groups, version 2, for one purpose: to find all processes of a
 * command, also those that left its process group, when it has to be killed.
 *
 * Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst (cgroup.procs,
 * cgroup.kill), cgroups(7), clone(2) for CLONE_INTO_CGROUP, and systemd's
 * CGROUP_DELEGATION for whose groups are whose.
 *
 * A group per command is made below the agent's own, "job-" and the command's
 * name, and removed when the command has ended.  Where that is impossible, no
 * cgroup2 or nothing to be written there, commands do without.
 */
#ifndef VSRPC_GUEST_PROC_CGROUP_H
#define VSRPC_GUEST_PROC_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

struct cgroups {
    int own;        /* the agent's folder; -1: there are none here */
    bool unremoved; /* one could not be removed, because processes are in it */
    unsigned int made; /* that have numbers for a name */
};

/* A command's group. */
struct cgroup {
    int folder; /* -1: none */
    char name[32];
};

#define CGROUP_NONE  \
    {                \
        .folder = -1 \
    }

/* Finds the agent's own, and removes empty ones of an agent before it. */
void cgroups_init(struct cgroups *cgroups);
void cgroups_free(struct cgroups *cgroups);

/* Makes a group (name NULL: any); it is none when that fails.  Who may not
 * make one does not try again. */
void cgroup_make(struct cgroups *cgroups, const char *name,
                 struct cgroup *cgroup);

/*
 * Forks into a group: the new process begins there.  To move it afterwards
 * takes a grace period of the kernel, 10 to 25 ms.  wait: the agent stands
 * still until it has become another program or ended.
 *
 * Return: as fork(2), but negative errno.
 */
pid_t cgroup_fork(const struct cgroup *cgroup, bool wait);

/* Does the kernel know cgroup2, whether it is mounted or not; and can it fork into
 * a group? */
bool cgroup_is_known(void);
bool cgroup_forks(void);

/* Of a new process where that failed: moves itself.  System calls only.
 * Return: 0, or -1 with errno. */
int cgroup_enter(const struct cgroup *cgroup);

/* Signals the processes in it, but those of a process group, which its caller
 * signals at once.  Where there is none nothing happens, here and below. */
void cgroup_signal(const struct cgroup *cgroup, int number, pid_t but);

/* Kills every process in it, also those that are made meanwhile. */
void cgroup_kill(const struct cgroup *cgroup);

/* Removes it, now or when nobody is in it any more. */
void cgroup_remove(struct cgroups *cgroups, struct cgroup *cgroup);

#endif
