/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/virt.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "util/cleanup.h"
#include "util/num.h"
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

static const char *virt_words(void)
{
    const char *words = virGetLastErrorMessage();

    return words ? words : "unknown error";
}

/* Is the last error one of rights? */
static bool virt_denied(void)
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

static int virt_unreachable(const char *uri, struct error *err)
{
    const char *where = uri ? uri : "the default URI";

    if (virt_denied()) {
        error_set(err, -EACCES, "libvirt: no permission to use %s: %s",
                  where, virt_words());
        error_hint(err, "run as root, or add yourself to group 'libvirt'");
        return -EACCES;
    }
    error_set(err, -ECONNREFUSED, "libvirt: cannot connect to %s: %s", where,
              virt_words());
    error_hint(err, "systemctl start libvirtd (or choose another with "
                    "--connect URI)");
    return -ECONNREFUSED;
}

int virt_open(const char *uri, struct virt **virt, struct error *err)
{
    struct virt *opened = calloc(1, sizeof(*opened));

    if (!opened)
        return error_errno(err, -ENOMEM, "libvirt");
    virSetErrorFunc(NULL, silence);
    opened->connection = virConnectOpenReadOnly(uri);
    if (!opened->connection) {
        free(opened);
        return virt_unreachable(uri, err);
    }
    *virt = opened;
    return 0;
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

/* Names of all domains, for "did you mean". */
static void virt_suggest(struct virt *virt, const char *operand,
                         struct error *err)
{
    const char **names;
    const char *nearest = NULL;
    virDomainPtr *all = NULL;
    int n = virConnectListAllDomains(virt->connection, &all, 0);

    error_hint(err, "virsh list --all");
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
    const char *command;
} sleeping[] = {
    { VIR_DOMAIN_PAUSED, -EHOSTUNREACH, "paused", "virsh resume" },
    { VIR_DOMAIN_PMSUSPENDED, -EHOSTUNREACH,
      "suspended by its power management", "virsh dompmwakeup" },
    { VIR_DOMAIN_CRASHED, -ESHUTDOWN, "crashed", "virsh reset" },
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

    if (last && last->code != VIR_ERR_NO_DOMAIN)
        return error_set(err, -EIO, "libvirt: looking for domain '%s': %s",
                         operand, virt_words());
    error_set(err, -ESRCH, "no domain '%s'", operand);
    virt_suggest(virt, operand, err);
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
        error_hint(err, "virsh start %s", operand);
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
    AUTO_DOMAIN virDomainPtr found
        = virDomainLookupByName(virt->connection, name);
    int state = VIR_DOMAIN_NOSTATE;

    /* Who cannot ask may still be able to talk to the guest. */
    if (!found || virDomainGetState(found, &state, NULL, 0) < 0)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(sleeping); i++) {
        if (state != sleeping[i].state)
            continue;
        error_set(err, sleeping[i].code, "domain '%s': %s", name,
                  sleeping[i].words);
        error_hint(err, "%s %s", sleeping[i].command, name);
        return sleeping[i].code;
    }
    return 0;
}

bool virt_has_name(struct virt *virt, const char *name)
{
    AUTO_DOMAIN virDomainPtr found
        = virDomainLookupByName(virt->connection, name);

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
