/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The agent: everything that lives as long as the process. */
#ifndef VSRPC_GUEST_AGENT_H
#define VSRPC_GUEST_AGENT_H

#include "guest/auth_check.h"
#include "guest/cgroup.h"
#include "guest/jobs.h"
#include "guest/loop.h"
#include "guest/memory.h"
#include "guest/orphan.h"
#include "guest/path_policy.h"
#include "guest/port.h"
#include "guest/proc.h"
#include "guest/rate.h"
#include "guest/session.h"
#include "guest/settings.h"
#include "guest/transfer.h"
#include "util/log.h"

#define BOOT_ID_MAX 64
#define INSTANCE_LEN 32 /* hex digits */

struct agent {
    struct settings settings;
    struct log log;
    struct loop loop;
    struct procs procs;
    struct port port;
    struct session session;
    struct rate rate;
    struct auth_check auth;
    struct path_policy paths;
    struct transfers transfers;
    struct memory memory;
    struct orphans orphans;
    struct jobs jobs;
    struct cgroups cgroups;
    int64_t grace_ms; /* SESSION_GRACE_MS; a test may be in a hurry */
    struct strlist environment; /* that commands start with */
    int64_t running; /* commands, handlers and service tools now */
    char boot_id[BOOT_ID_MAX];
    char instance[INSTANCE_LEN + 1]; /* random: another one, another memory */
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
