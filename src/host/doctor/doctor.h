/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * doctor: walks the layers between a domain's name and its agent, each with
 * one check, until one of them fails.
 *
 * The walk runs in a process of its own, because some layers can only be
 * asked in calls that have no time limit (libvirt, the name service): whoever
 * is stuck in one is ended, and its row says so.  A row is one JSON object per
 * line through a pipe.
 */
#ifndef VSRPC_HOST_DOCTOR_DOCTOR_H
#define VSRPC_HOST_DOCTOR_DOCTOR_H

#include <stddef.h>

#include "host/client/answer.h"
#include "host/client/client.h"
#include "host/domain/virt.h"

/* The message of a check behind one that failed. */
#define DOCTOR_BEHIND "not looked at"

enum finding_state {
    FINDING_OK,
    FINDING_WARN,    /* works, or may, and somebody should know */
    FINDING_FAIL,    /* nothing behind this can work */
    FINDING_SKIPPED, /* not looked at, or nothing to look at */
};

/* What one check found out. */
struct finding {
    enum finding_state state;
    char message[1024];
    char mend[1024]; /* what to type or change, in lines; may be empty */
};

/* One walk.  Pointers are not owned unless that is said. */
struct doctor {
    const struct target_source *source;
    struct target *target; /* may have nothing but a name, or a socket */
    struct config config;  /* the user's, with shorter times; a view */
    struct virt *virt;     /* owned */
    struct virt_exam exam; /* owned */
    struct client_setup setup;
    struct client client; /* owned */
    struct error key;     /* why the key file cannot be used */
    bool has_key;
    bool by_stream;             /* the socket will not do */
    struct answer capabilities; /* owned; once auth was checked */
};

/* Without what a check is left out. */
enum doctor_needs {
    DOCTOR_ANY,
    DOCTOR_LIBVIRT, /* for domains: not with --socket */
    DOCTOR_AGENT,   /* what a server that knows only the specification does
                     * not tell */
};

struct doctor_check {
    const char *name;
    enum doctor_needs needs;
    const char *hung; /* the mend when it never ended; NULL: none */
    void (*run)(struct doctor *doctor, struct finding *finding);
};

/* The checks, in the order of the layers.  Return: rows, *n of them. */
const struct doctor_check *doctor_table(size_t *n);

/*
 * Walks, in the process that may get stuck, and writes its rows to standard
 * output.  connect_ms bounds what can be bounded from inside; of setup the
 * times are not used.
 *
 * Return: the exit status.
 */
int doctor_walk(const struct client_setup *setup, struct target *target,
                int64_t connect_ms);

/* The words for a state in JSON: "ok", "warn", "fail", "skipped". */
const char *finding_word(enum finding_state state);

/* Fill in a finding; the mend is optional and may be appended to. */
void finding_set(struct finding *finding, enum finding_state state,
                 const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void finding_mend(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Fails with an error's message and hint. */
void finding_fail(struct finding *finding, const struct error *err);

/* The checks, by file. */
void check_libvirt(struct doctor *doctor, struct finding *finding);
void check_domain(struct doctor *doctor, struct finding *finding);
void check_state(struct doctor *doctor, struct finding *finding);
void check_channel(struct doctor *doctor, struct finding *finding);
void check_port(struct doctor *doctor, struct finding *finding);
void check_socket(struct doctor *doctor, struct finding *finding);
void check_client(struct doctor *doctor, struct finding *finding);
void check_sync(struct doctor *doctor, struct finding *finding);
void check_version(struct doctor *doctor, struct finding *finding);
void check_clock(struct doctor *doctor, struct finding *finding);
void check_auth(struct doctor *doctor, struct finding *finding);
void check_abilities(struct doctor *doctor, struct finding *finding);
void check_kernel(struct doctor *doctor, struct finding *finding);
void check_policy(struct doctor *doctor, struct finding *finding);
void check_limits(struct doctor *doctor, struct finding *finding);

#endif
