/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Calls of libvirt's API.  Its errors are sorted by what the user can do about
 * them (rights, URI, daemon), and its own messages on standard error are
 * switched off.
 */
#include <config.h>

#include "host/domain/virt.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "host/domain/target.h"
#include "host/domain/virt_priv.h"
#include "host/term/out.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/num.h"
#include "util/quote.h"
#include "util/text.h"

struct virt {
    virConnectPtr connection;
};

static void domain_cleanup(virDomainPtr *domain)
{
    if (*domain)
        virDomainFree(*domain);
}

#define AUTO_DOMAIN CLEANUP(domain_cleanup)

/* libvirt prints to standard error by itself unless it is told not to. */
static void silence(void *context, virErrorPtr error)
{
    (void) context;
    (void) error;
}

const char *virt_words(void)
{
    const char *words = virGetLastErrorMessage();

    return words ? words : "unknown error";
}

bool virt_denied(void)
{
    const virError *last = virGetLastError();

    return last
           && (last->code == VIR_ERR_AUTH_FAILED
               || last->code == VIR_ERR_AUTH_CANCELLED
               || last->code == VIR_ERR_AUTH_UNAVAILABLE
               || last->code == VIR_ERR_ACCESS_DENIED
               || (last->code == VIR_ERR_SYSTEM_ERROR
                   && (last->int1 == EACCES || last->int1 == EPERM)));
}

/* What is the matter with the URI itself, or with what libvirt is made of.
 * That a socket is not there, which is the daemon's, is said by
 * VIR_FROM_RPC. */
static bool virt_senseless(void)
{
    const virError *last = virGetLastError();

    return last
           && (last->code == VIR_ERR_NO_CONNECT
               || last->code == VIR_ERR_NO_SUPPORT
               || last->code == VIR_ERR_CONFIG_UNSUPPORTED
               || last->code == VIR_ERR_INVALID_ARG
               || last->code == VIR_ERR_CONF_SYNTAX
               || last->code == VIR_ERR_XML_ERROR
               || last->code == VIR_ERR_INTERNAL_ERROR
               || (last->code == VIR_ERR_SYSTEM_ERROR
                   && last->domain != VIR_FROM_RPC));
}

static int virt_unreachable(const char *uri, struct error *err)
{
    const char *where = uri ? uri : "the default URI";

    if (virt_denied()) {
        error_set(err, -EACCES, "libvirt: no permission to use %s: %s", where,
                  virt_words());
        error_hint(err, "run as root, or add yourself to group 'libvirt'");
        error_status(err, STATUS_NO_PERMISSION);
        return -EACCES;
    }
    error_set(err, -ECONNREFUSED, "libvirt: cannot connect to %s: %s", where,
              virt_words());
    error_status(err, STATUS_LIBVIRT_FAILED);
    if (uri && target_uri_is_remote(uri))
        error_hint(err, "virsh list (does it work from this shell? is the "
                        "host's name right?)");
    else if (virt_senseless())
        error_hint(err, "choose another URI: " PROGRAM " -c qemu:///system …");
    else
        error_hint(err, "systemctl start libvirtd (or virtqemud)");
    return -ECONNREFUSED;
}

int virt_connect(const char *uri, bool read_only, virConnectPtr *connection,
                 struct error *err)
{
    virSetErrorFunc(NULL, silence);
    *connection = read_only ? virConnectOpenReadOnly(uri)
                            : virConnectOpen(uri);
    return *connection ? 0 : virt_unreachable(uri, err);
}

int virt_open(const char *uri, struct virt **virt, struct error *err)
{
    struct virt *opened = calloc(1, sizeof(*opened));
    int r;

    if (!opened)
        return error_errno(err, -ENOMEM, "libvirt");
    r = virt_connect(uri, true, &opened->connection, err);
    if (r < 0) {
        free(opened);
        return r;
    }
    *virt = opened;
    return 0;
}

char *virt_uri(struct virt *virt)
{
    return virConnectGetURI(virt->connection);
}

void virt_close(struct virt *virt)
{
    if (!virt)
        return;
    virConnectClose(virt->connection);
    free(virt);
}

void virt_cleanup(struct virt **virt)
{
    virt_close(*virt);
}

void virt_domain_free(struct virt_domain *domain)
{
    free(domain->name);
    free(domain->xml);
    *domain = (struct virt_domain) { 0 };
}

void virt_domains_free(struct virt_domains *domains)
{
    for (size_t i = 0; i < domains->n; i++)
        virt_domain_free(&domains->items[i]);
    free(domains->items);
    *domains = (struct virt_domains) { 0 };
}

/* A user's own libvirt, which is the default one of those who are not root,
 * has none of the system's domains. */
static void virt_suggest_system(const char *uri, struct error *err)
{
    size_t n = uri ? strcspn(uri, "?#") : 0;
    static const char session[] = "/session";
    size_t tail = sizeof(session) - 1;

    if (n > tail && strncmp(uri + n - tail, session, tail) == 0)
        error_hint(err,
                   PROGRAM " -c %.*s/system … (%s has domains of your "
                           "own only)",
                   (int) (n - tail), uri, uri);
}

/* Names of all domains, for "did you mean". */
static void virt_suggest(struct virt *virt, const char *operand,
                         const char *uri, struct error *err)
{
    const char **names;
    const char *nearest = NULL;
    virDomainPtr *all = NULL;
    int n = virConnectListAllDomains(virt->connection, &all, 0);

    error_hint(err, "virsh list --all");
    virt_suggest_system(uri, err);
    if (n < 0)
        return;
    names = calloc((size_t) n + 1, sizeof(*names));
    for (int i = 0; names && i < n; i++)
        names[i] = virDomainGetName(all[i]);
    if (names)
        nearest = text_nearest(operand, names, (size_t) n);
    if (nearest)
        error_hint(err, "virsh list --all (did you mean '%s'?)", nearest);
    for (int i = 0; i < n; i++)
        virDomainFree(all[i]);
    free(all);
    free(names);
}

/* States in which a domain has an id and answers nobody. */
static const struct {
    int state;
    int code;
    const char *words;
    const char *verb; /* of virsh */
} sleeping[] = {
    { VIR_DOMAIN_PAUSED, -EHOSTUNREACH, "paused", "resume" },
    { VIR_DOMAIN_PMSUSPENDED, -EHOSTUNREACH,
      "suspended by its power management", "dompmwakeup" },
    { VIR_DOMAIN_CRASHED, -ESHUTDOWN, "crashed", "reset" },
};

/* Reads what we need of a domain while it runs. */
static int virt_take(virDomainPtr found, struct virt_domain *domain)
{
    unsigned int id = virDomainGetID(found);
    const char *name = virDomainGetName(found);

    *domain = (struct virt_domain) { .id = (int) id };
    if (id == (unsigned int) -1)
        return -ESHUTDOWN;
    domain->xml = virDomainGetXMLDesc(found, 0);
    if (!domain->xml)
        return -EIO;
    domain->name = name ? strdup(name) : NULL;
    virDomainGetUUIDString(found, domain->uuid);
    return domain->name ? 0 : -ENOMEM;
}

static virDomainPtr virt_find(struct virt *virt, const char *operand)
{
    virDomainPtr found = NULL;
    int64_t id;

    if (num_parse(operand, 0, INT_MAX, &id) == 0)
        found = virDomainLookupByID(virt->connection, (int) id);
    if (!found)
        found = virDomainLookupByUUIDString(virt->connection, operand);
    if (!found)
        found = virDomainLookupByName(virt->connection, operand);
    return found;
}

static int virt_missing(struct virt *virt, const char *operand,
                        struct error *err)
{
    const virError *last = virGetLastError();
    AUTO_FREE char *uri = NULL;

    if (last && last->code != VIR_ERR_NO_DOMAIN)
        return error_set(err, -EIO, "libvirt: looking for domain '%s': %s",
                         operand, virt_words());
    uri = virt_uri(virt);
    error_set(err, -ESRCH, "no domain '%s' at %s", operand,
              uri ? uri : "this libvirt");
    virt_suggest(virt, operand, uri, err);
    return -ESRCH;
}

int virt_lookup(struct virt *virt, const char *operand,
                struct virt_domain *domain, struct error *err)
{
    AUTO_DOMAIN virDomainPtr found = virt_find(virt, operand);
    int r;

    if (!found)
        return virt_missing(virt, operand, err);
    r = virt_take(found, domain);
    if (r == -ESHUTDOWN) {
        error_set(err, r, "domain '%s': not running", operand);
        quote_hint(err, "virsh start %s", operand);
    } else if (r == -EIO) {
        error_set(err, r, "domain '%s': %s", operand, virt_words());
    } else if (r < 0) {
        error_errno(err, r, "domain '%s'", operand);
    }
    if (r < 0)
        virt_domain_free(domain);
    return r;
}

int virt_awake(struct virt *virt, const char *name, struct error *err)
{
    AUTO_DOMAIN virDomainPtr found = virDomainLookupByName(virt->connection,
                                                           name);
    int state = VIR_DOMAIN_NOSTATE;

    /* Who cannot ask may still be able to talk to the guest. */
    if (!found || virDomainGetState(found, &state, NULL, 0) < 0)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(sleeping); i++) {
        if (state != sleeping[i].state)
            continue;
        error_set(err, sleeping[i].code, "domain '%s': %s", name,
                  sleeping[i].words);
        quote_hint(err, "virsh %s %s", sleeping[i].verb, name);
        return sleeping[i].code;
    }
    return 0;
}

bool virt_has_name(struct virt *virt, const char *name)
{
    AUTO_DOMAIN virDomainPtr found = virDomainLookupByName(virt->connection,
                                                           name);

    return found != NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct virt_domain *) a)->name,
                  ((const struct virt_domain *) b)->name);
}

/* Domains that stop between the list and their XML are left out. */
static int virt_take_all(virDomainPtr *all, int n,
                         struct virt_domains *domains)
{
    domains->items = calloc((size_t) n + 1, sizeof(*domains->items));
    if (!domains->items)
        return -ENOMEM;
    for (int i = 0; i < n; i++) {
        struct virt_domain *slot = &domains->items[domains->n];
        int r = virt_take(all[i], slot);

        if (r == 0)
            domains->n++;
        else
            virt_domain_free(slot);
        if (r == -ENOMEM)
            return r;
    }
    qsort(domains->items, domains->n, sizeof(*domains->items), by_name);
    return 0;
}

int virt_list(struct virt *virt, struct virt_domains *domains,
              struct error *err)
{
    virDomainPtr *all = NULL;
    int n = virConnectListAllDomains(virt->connection, &all,
                                     VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    int r;

    *domains = (struct virt_domains) { 0 };
    if (n < 0)
        return error_set(err, -EIO, "libvirt: listing domains: %s",
                         virt_words());
    r = virt_take_all(all, n, domains);
    for (int i = 0; i < n; i++)
        virDomainFree(all[i]);
    free(all);
    if (r < 0) {
        virt_domains_free(domains);
        return error_errno(err, r, "libvirt: listing domains");
    }
    return 0;
}

/* --- an examination ------------------------------------------------------ */

static const struct {
    int state;
    enum virt_run_state run_state;
    const char *words;
    const char *command;
} run_states[] = {
    { VIR_DOMAIN_RUNNING, VIRT_RUNS, "running", NULL },
    { VIR_DOMAIN_BLOCKED, VIRT_RUNS, "running", NULL },
    { VIR_DOMAIN_PAUSED, VIRT_SLEEPS, "paused", "virsh resume" },
    { VIR_DOMAIN_PMSUSPENDED, VIRT_SLEEPS, "suspended by its power management",
      "virsh dompmwakeup" },
    { VIR_DOMAIN_SHUTDOWN, VIRT_SLEEPS, "shutting down", NULL },
    { VIR_DOMAIN_SHUTOFF, VIRT_OFF, "not running", "virsh start" },
};

/* What resuming alone does not cure, or what ends by itself. */
static const struct {
    int state;
    int reason;
    const char *words;
} reasons[] = {
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, "it migrates" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE, "it is being saved" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_DUMP, "it is being dumped" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SNAPSHOT,
      "a snapshot is being taken" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP, "it starts" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR,
      "an I/O error: is a disk of the host full?" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG, "its watchdog bit" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED, "the guest crashed" },
    { VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED, "it crashed" },
    { VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED, "its start failed" },
};

static void exam_run_state(virDomainPtr found, struct virt_exam *exam)
{
    int state = VIR_DOMAIN_NOSTATE;
    int reason = 0;

    /* Who may not ask may still talk to the guest; an id says it runs. */
    exam->run_state = exam->live ? VIRT_RUNS : VIRT_OFF;
    exam->words = exam->live ? "running" : "not running";
    if (virDomainGetState(found, &state, &reason, 0) < 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(run_states); i++) {
        if (run_states[i].state != state)
            continue;
        exam->run_state = run_states[i].run_state;
        exam->words = run_states[i].words;
        exam->command = run_states[i].command;
    }
    if (state == VIR_DOMAIN_CRASHED) { /* kept for a look, or gone */
        exam->run_state = exam->live ? VIRT_SLEEPS : VIRT_OFF;
        exam->words = "crashed";
        exam->command = exam->live ? "virsh reset" : "virsh start";
    }
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reasons[i].state == state && reasons[i].reason == reason)
            exam->reason = reasons[i].words;
    if (exam->run_state == VIRT_OFF
        && virDomainHasManagedSaveImage(found, 0) == 1)
        exam->words = "saved and not running";
}

int virt_examine(struct virt *virt, const char *operand,
                 struct virt_exam *exam, struct error *err)
{
    AUTO_DOMAIN virDomainPtr found = virt_find(virt, operand);
    const char *name;

    *exam = (struct virt_exam) { 0 };
    if (!found)
        return virt_missing(virt, operand, err);
    name = virDomainGetName(found);
    exam->name = name ? strdup(name) : NULL;
    if (!exam->name)
        return error_errno(err, -ENOMEM, "domain '%s'", operand);
    virDomainGetUUIDString(found, exam->uuid);
    if (virDomainGetID(found) != (unsigned int) -1)
        exam->live = virDomainGetXMLDesc(found, 0);
    if (virDomainIsPersistent(found) == 1)
        exam->kept = virDomainGetXMLDesc(found, VIR_DOMAIN_XML_INACTIVE);
    if (!exam->live && !exam->kept) {
        virt_exam_free(exam);
        return error_set(err, -EIO, "domain '%s': %s", operand, virt_words());
    }
    exam_run_state(found, exam);
    return 0;
}

void virt_exam_free(struct virt_exam *exam)
{
    free(exam->name);
    free(exam->live);
    free(exam->kept);
    *exam = (struct virt_exam) { 0 };
}
