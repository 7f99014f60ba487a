/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What all parts of the agent share: pointers to the one of each, so that a
 * part includes what it uses and nothing else.  agent.c owns what they point
 * to; all of it is there from agent_init() to agent_free().
 */
#ifndef VSRPC_GUEST_CORE_CONTEXT_H
#define VSRPC_GUEST_CORE_CONTEXT_H

#include <stdint.h>

struct auth_check;
struct cgroups;
struct copies;
struct handler;
struct jobs;
struct kernel;
struct log;
struct loop;
struct replay_cache;
struct detached_requests;
struct outpool;
struct path_policy;
struct procs;
struct rate;
struct server;
struct session;
struct settings;
struct strlist;
struct transfers;

#define BOOT_ID_MAX 64
#define INSTANCE_LEN 32 /* hex digits */

struct context {
    struct settings *settings;
    struct log *log;
    struct loop *loop;
    struct procs *procs;
    struct session *session;
    const struct server *server;    /* the session's */
    const struct handler *handlers; /* by enum route_id */
    struct rate *rate;
    struct copies *copies;
    struct auth_check *auth;
    struct path_policy *paths;
    struct transfers *transfers;
    struct replay_cache *replay_cache;
    struct detached_requests *detached;
    struct jobs *jobs;
    struct outpool *outpool; /* from which their logs borrow */
    struct cgroups *cgroups;
    const struct kernel *kernel;
    struct strlist *environment; /* that commands start with */
    int64_t grace_ms;            /* SESSION_GRACE_MS; shorter in tests */
    int64_t running;             /* commands, handlers and service tools now */
    char boot_id[BOOT_ID_MAX];
    char instance[INSTANCE_LEN + 1]; /* random: it names the replay cache */
};

#endif
