/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Service managers behind one interface: each says which program does an
 * action, which one tells the state, and how to read what that one said.
 */
#ifndef VSRPC_GUEST_SYSTEM_SERVICE_H
#define VSRPC_GUEST_SYSTEM_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/proc/child.h"
#include "util/text.h"

#define SERVICE_NAME_MAX 255

enum service_action {
    SERVICE_START,
    SERVICE_STOP,
    SERVICE_RESTART,
    SERVICE_RELOAD,
    SERVICE_ENABLE,
    SERVICE_DISABLE,
    SERVICE_STATUS, /* this and what follows only ask */
    SERVICE_IS_ACTIVE,
    SERVICE_IS_ENABLED,
    SERVICE_ACTIONS,
};

struct service_state {
    bool found;
    char status[32]; /* running, stopped, failed, starting, stopping, … */
    int64_t pid;     /* 0: none */
    char boot[32];   /* does the boot start it, in systemd's words: enabled,
                      * disabled, static, masked, …; "": nobody knows */
};

struct service_manager {
    const char *name;

    /* Does this manager run the guest? */
    bool (*present)(void);

    /* Appends program and arguments for an action that does something.
     * Return: 0 or -ENOMEM. */
    int (*action)(enum service_action action, const char *service,
                  struct strlist *argv);

    /* Appends program and arguments that tell the state. */
    int (*query)(const char *service, struct strlist *argv);

    /* Reads what that program said. */
    void (*parse)(const char *service, struct child *child,
                  struct service_state *state);
};

extern const struct service_manager service_systemd;
extern const struct service_manager service_openrc;
extern const struct service_manager service_sysv;

/* The manager of this guest.  Return: it, or NULL when there is none. */
const struct service_manager *service_manager_find(void);

/* Whether a runlevel with users starts a script, by its links in etc/rcN.d.
 * Return: "enabled", "disabled"; "" when the guest has no such folder. */
const char *service_sysv_boot(const char *etc, const char *service);

/* Appends strings up to a NULL.  Return: 0 or -ENOMEM. */
int service_words(struct strlist *argv, const char *word, ...)
    __attribute__((sentinel));

/* What an exit status of a script's "status" means. */
struct service_word {
    int exit;
    const char *status;
};

/*
 * The state of a service that is a script in /etc/init.d, from what its
 * "status" said; the process is looked up in its pid file.
 */
void service_script_state(const char *service, const struct child *child,
                          const struct service_word *words, size_t n_words,
                          struct service_state *state);

#endif
