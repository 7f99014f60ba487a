/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The agent: owns everything that lives as long as the process. */
#ifndef VSRPC_GUEST_AGENT_H
#define VSRPC_GUEST_AGENT_H

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/core/settings.h"
#include "guest/file/transfer.h"
#include "guest/job/jobs.h"
#include "guest/policy/auth_check.h"
#include "guest/policy/copies.h"
#include "guest/policy/path_policy.h"
#include "guest/policy/rate.h"
#include "guest/port/port.h"
#include "guest/port/session.h"
#include "guest/proc/cgroup.h"
#include "guest/proc/proc.h"
#include "guest/request/detached.h"
#include "guest/request/replay_cache.h"
#include "guest/system/kernel.h"
#include "util/log.h"

struct agent {
    struct context context; /* points to what follows */
    struct settings settings;
    struct log log;
    struct loop loop;
    struct procs procs;
    struct port port;
    struct session session;
    struct rate rate;
    struct copies copies;
    struct auth_check auth;
    struct path_policy paths;
    struct transfers transfers;
    struct replay_cache replay_cache;
    struct detached_requests detached;
    struct jobs jobs;
    struct cgroups cgroups;
    struct kernel kernel;
    struct strlist environment;
};

/* Where the bytes come from; exactly one of them, else the settings'. */
struct agent_source {
    const char *device; /* path of a port */
    const char *listen; /* path of a UNIX socket to make */
    int fd;             /* an open stream, or -1 */
};

/*
 * Sets up an agent from settings, which it takes over.
 *
 * Return: 0, or negative errno with a message; agent_free() in either case.
 */
int agent_init(struct agent *agent, struct settings *settings,
               const struct agent_source *source, struct error *err);

/* Works until a signal asks it to end.  Return: 0 or negative errno. */
int agent_run(struct agent *agent);

void agent_free(struct agent *agent);

#endif
