/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The client of the specification's API, for one target. connect.h connects;
 * attempts.h has send_request, ping and get_system_info; exec_command is
 * job_create() of job/job.h, upload_file and download_file are upload_from()
 * and download_to() of copy/copy.h.
 *
 * Functions that talk give 0 when the agent answered, whatever its business
 * code says; the answer has it.  Negative errno is ours or the channel's.
 */
#ifndef VSRPC_HOST_CLIENT_CLIENT_H
#define VSRPC_HOST_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "host/client/retry.h"
#include "host/core/config.h"
#include "host/core/interrupt.h"
#include "host/domain/target.h"
#include "host/link/lock.h"
#include "host/link/rpc.h"
#include "host/term/out.h"
#include "util/log.h"

/* A time (ms) that nobody has named. */
#define TIMEOUT_UNSET INT64_C(-1)

/* Of a request: what the user set, or else as long as the agent gives signs of
 * life; as configured, where it does not know how to. */
#define TIMEOUT_ALIVE INT64_C(-2)

/* What a client needs and does not own. */
struct client_setup {
    const struct config *config;
    const struct target_source *source; /* to read the XML again */
    const struct out *out;              /* for notes */
    struct log *log;
    int64_t timeout;     /* ms, from --timeout; 0: none; TIMEOUT_UNSET */
    const char *user;    /* USER[:GROUP] with whose rights the guest's files
                          * are asked for; NULL: the agent's */
    int64_t lock_wait;   /* ms that another command may keep the channel */
    bool lockless_known; /* another one tells that there are no locks */
    char *const *line;   /* the user's command line, for hints; NULL: none */
    int operand;         /* … and where it leaves the global options */
};

struct client {
    struct client_setup setup;
    struct target *target; /* not owned; brought up to date on the way */
    struct rpc rpc;
    struct retry_policy policy;
    struct buf key;
    bool key_loaded;
    bool was_connected; /* at least once */
    bool gave_way;      /* to another command, from which it takes back */
    bool lockless_told; /* that there are no locks here */
    bool busy_told;     /* that the agent is waited for */
    bool user_known;    /* the agent can act as setup.user */
    int interrupted;    /* the number of the signal that ended a request */
    struct lock lock;
    struct interrupt interrupt; /* while a request must not be left alone */
};

/* Sets a client up; nothing is connected yet. */
void client_init(struct client *client, const struct client_setup *setup,
                 struct target *target);

/* Disconnects and frees. */
void client_free(struct client *client);

/* Ends the connection and lets others have the channel; the next request
 * connects anew. */
void client_disconnect(struct client *client);

/* Ends the connection, and keeps others out until the next one. */
void client_hang_up(struct client *client);

/* Between two parts of something long: lets those in who wait for the
 * channel.  The next request waits until they are done. */
void client_give_way(struct client *client);

/*
 * Looks what became of the domain behind a client that hears nothing.
 *
 * Return: 0 when it runs, or nobody knows; -EHOSTUNREACH with a message when
 * it is paused; -ESHUTDOWN or -ESRCH when it does not run any more;
 * -ECANCELED.
 */
int client_look(struct client *client, struct error *err);

/* Puts the domain or socket in front of a message that does not name it. */
void client_blame(const struct client *client, struct error *err);

/* Return: a message without what client_blame() puts in front. */
const char *client_unblamed(const struct client *client, const char *message);

/* The time that an answer may take (ms); 0: no limit. */
int64_t client_timeout(const struct client *client);

#endif
