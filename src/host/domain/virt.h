/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * libvirt: looking up domains and their live XML.  With virt_stream.h the only
 * door to it.
 *
 * A read-only connection is all it takes, and needs the fewest rights.
 */
#ifndef VSRPC_HOST_DOMAIN_VIRT_H
#define VSRPC_HOST_DOMAIN_VIRT_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

struct virt; /* a connection; opaque */

/* A running domain. */
struct virt_domain {
    char *name;
    char *xml; /* live */
    char uuid[40];
    int id;
};

struct virt_domains {
    struct virt_domain *items;
    size_t n;
};

/*
 * Connects; uri NULL is what libvirt takes by itself.
 *
 * Return: 0 with *virt for virt_close(); -EACCES, -ECONNREFUSED with a
 * message that names the URI, and the next step.
 */
int virt_open(const char *uri, struct virt **virt, struct error *err);

/* Closes; NULL is allowed. */
void virt_close(struct virt *virt);
void virt_cleanup(struct virt **virt);

/* The URI that it is really connected to; to be freed; NULL: unknown. */
char *virt_uri(struct virt *virt);

/*
 * Finds a running domain as virsh does: by id if the operand is a number,
 * then by UUID, then by name.
 *
 * Return: 0 with *domain for virt_domain_free(); -ESRCH when there is none,
 * -ESHUTDOWN when it is not running, -EIO, -ENOMEM.
 */
int virt_lookup(struct virt *virt, const char *operand,
                struct virt_domain *domain, struct error *err);

/*
 * Tells whether a running domain can answer at all.
 *
 * Return: 0; -EHOSTUNREACH with a message when it is paused or suspended and
 * may go on; -ESHUTDOWN when it crashed.
 */
int virt_awake(struct virt *virt, const char *name, struct error *err);

/* Tells whether some domain, running or not, has exactly this name. */
bool virt_has_name(struct virt *virt, const char *name);

/* What a domain does, as far as talking to its guest goes. */
enum virt_run_state {
    VIRT_RUNS,
    VIRT_SLEEPS, /* it has an id, and nobody will answer */
    VIRT_OFF,
};

/* Everything libvirt has to say about one domain, running or not. */
struct virt_exam {
    char *name;
    char *live; /* XML; NULL unless it has an id */
    char *kept; /* XML that the next start takes; NULL when it is transient */
    char uuid[40];
    enum virt_run_state run_state;
    const char *words;   /* "paused", "shut off": static */
    const char *reason;  /* "I/O error", or NULL: static */
    const char *command; /* "virsh resume", or NULL: static */
};

/*
 * Reads all about a domain, found as virt_lookup() does.
 *
 * Return: 0 with *exam for virt_exam_free(); -ESRCH, -EIO, -ENOMEM.
 */
int virt_examine(struct virt *virt, const char *operand,
                 struct virt_exam *exam, struct error *err);

void virt_exam_free(struct virt_exam *exam);

/*
 * Lists the running domains in order of their names.
 *
 * Return: 0 with *domains for virt_domains_free(); -EIO, -ENOMEM.
 */
int virt_list(struct virt *virt, struct virt_domains *domains,
              struct error *err);

void virt_domain_free(struct virt_domain *domain);
void virt_domains_free(struct virt_domains *domains);

#endif
