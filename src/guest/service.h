/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Service managers behind one interface: each says which program does an
 * action, which one tells the state, and how to read what that one said.
 */
#ifndef VSRPC_GUEST_SERVICE_H
#define VSRPC_GUEST_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/child.h"
#include "util/text.h"

#define SERVICE_NAME_MAX 255

enum service_action {
    SERVICE_START,
    SERVICE_STOP,
    SERVICE_RESTART,
    SERVICE_STATUS,
    SERVICE_ENABLE,
    SERVICE_DISABLE,
    SERVICE_ACTIONS,
};

struct service_state {
    bool found;
    char status[32];  /* running, stopped, failed, starting, stopping, … */
    int64_t pid;      /* 0: none */
    int enabled;      /* 1, 0; -1: the manager does not tell */
};

struct service_manager {
    const char *name;

    /* Does this manager run the guest? */
    bool (*present)(void);

    /* Appends program and arguments for an action.  Return: 0 or -ENOMEM. */
    int (*action)(enum service_action action, const char *service,
                  struct strlist *argv);

    /* Appends program and arguments that tell the state. */
    int (*query)(const char *service, struct strlist *argv);

    /* Reads what that program said. */
    void (*parse)(const char *service, const struct child *child,
                  struct service_state *state);
};

extern const struct service_manager service_systemd;
extern const struct service_manager service_openrc;
extern const struct service_manager service_sysv;

/* The manager of this guest.  Return: it, or NULL when there is none. */
const struct service_manager *service_manager_find(void);

/* Appends strings up to a NULL.  Return: 0 or -ENOMEM. */
int service_words(struct strlist *argv, const char *word, ...)
    __attribute__((sentinel));

/* The process id in a pid file, 0 when there is none that lives. */
int64_t service_pid_file(const char *service);

#endif
