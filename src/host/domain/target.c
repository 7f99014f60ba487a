/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Makes targets of operands: names, lists, globs.  A domain whose own name has
 * a comma or a star in it is found first.  Of several targets each keeps its
 * own error, so that one wrong name does not stop the rest.
 */
#include <config.h>

#include "host/domain/target.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "host/domain/channel.h"
#include "host/domain/virt.h"
#include "util/cleanup.h"
#include "util/quote.h"

static void target_free(struct target *target)
{
    free(target->name);
    free(target->channel);
    free(target->socket);
    *target = (struct target) { 0 };
}

void targets_free(struct targets *targets)
{
    for (size_t i = 0; i < targets->n; i++)
        target_free(&targets->items[i]);
    free(targets->items);
    *targets = (struct targets) { 0 };
}

/* Appends; the list owns what is in the target afterwards. */
static int targets_add(struct targets *targets, struct target *target)
{
    struct target *items = realloc(targets->items,
                                   (targets->n + 1) * sizeof(*items));

    if (!items) {
        target_free(target);
        return -ENOMEM;
    }
    targets->items = items;
    items[targets->n++] = *target;
    *target = (struct target) { 0 };
    return 0;
}

bool target_uri_is_remote(const char *uri)
{
    size_t scheme = strcspn(uri, ":");
    const char *plus = memchr(uri, '+', scheme);
    const char *rest = uri + scheme;

    if (plus && strncmp(plus, "+unix:", 6) != 0)
        return true;
    return strncmp(rest, "://", 3) == 0 && rest[3] && rest[3] != '/'
           && rest[3] != '?';
}

/* Notes where libvirt is with all that it told. */
static void targets_place(struct virt *virt, struct targets *targets)
{
    AUTO_FREE char *uri = virt_uri(virt);
    bool remote = uri && target_uri_is_remote(uri);

    for (size_t i = 0; i < targets->n; i++)
        targets->items[i].remote = remote;
}

/* Finds the socket in the domain's XML. */
static int target_locate(const struct target_source *source,
                         const struct virt_domain *domain,
                         struct target *target, struct error *err)
{
    const struct channel *picked = NULL;
    struct channel_list channels;
    int r = domxml_channels(domain->xml, &channels, err);

    if (r == 0)
        r = channel_pick(&channels, source->channel, source->uri, domain->name,
                         &picked, err);
    if (r == 0) {
        target->channel = strdup(picked->name);
        target->socket = picked->path ? strdup(picked->path) : NULL;
        target->state = picked->state;
        if (!target->channel || (picked->path && !target->socket))
            r = error_errno(err, -ENOMEM, "domain '%s'", domain->name);
    }
    channel_list_free(&channels);
    return r;
}

static int target_of_domain(const struct target_source *source,
                            const struct virt_domain *domain,
                            struct target *target, struct error *err)
{
    *target = (struct target) { .name = strdup(domain->name),
                                .id = domain->id };
    memcpy(target->uuid, domain->uuid, sizeof(target->uuid));
    if (!target->name)
        return error_errno(err, -ENOMEM, "domain '%s'", domain->name);
    return target_locate(source, domain, target, err);
}

int targets_of_socket(const char *path, struct targets *targets,
                      struct error *err)
{
    struct target target = { .socket = strdup(path) };

    *targets = (struct targets) { 0 };
    if (!target.socket || targets_add(targets, &target) < 0)
        return error_errno(err, -ENOMEM, "socket '%s'", path);
    return 0;
}

static bool targets_have(const struct targets *targets, const char *name)
{
    for (size_t i = 0; i < targets->n; i++)
        if (targets->items[i].name
            && strcmp(targets->items[i].name, name) == 0)
            return true;
    return false;
}

/* Appends a domain once; what is wrong with it becomes its own error. */
static int add_domain(const struct target_source *source,
                      const struct virt_domain *domain,
                      struct targets *targets)
{
    struct target target;
    struct error err = ERROR_INIT;

    if (targets_have(targets, domain->name))
        return 0;
    target_of_domain(source, domain, &target, &err);
    if (!target.name)
        return -ENOMEM;
    target.err = err;
    return targets_add(targets, &target);
}

static int add_failed(const char *name, const struct error *why,
                      struct targets *targets)
{
    struct target target = { .name = strdup(name), .err = *why };

    return target.name ? targets_add(targets, &target) : -ENOMEM;
}

static bool is_glob(const char *word)
{
    return strpbrk(word, "*?[") != NULL;
}

static int add_glob(const struct target_source *source, struct virt *virt,
                    const char *pattern, struct targets *targets,
                    struct error *err)
{
    struct virt_domains domains;
    size_t matched = 0;
    int r = virt_list(virt, &domains, err);

    for (size_t i = 0; i < domains.n && r == 0; i++) {
        if (fnmatch(pattern, domains.items[i].name, 0) != 0)
            continue;
        matched++;
        r = add_domain(source, &domains.items[i], targets);
    }
    virt_domains_free(&domains);
    if (r == 0 && matched == 0) {
        AUTO_FREE char *uri = virt_uri(virt);

        error_set(err, -ESRCH, "no running domain matches '%s' at %s", pattern,
                  uri ? uri : "this libvirt");
        error_hint(err, "virsh list");
        return -ESRCH;
    }
    return r;
}

/* One name of several: an error stays with its target. */
static int add_name(const struct target_source *source, struct virt *virt,
                    const char *name, struct targets *targets)
{
    struct virt_domain domain;
    struct error why = ERROR_INIT;
    int r = virt_lookup(virt, name, &domain, &why);

    if (r < 0)
        return targets_have(targets, name) ? 0
                                           : add_failed(name, &why, targets);
    r = add_domain(source, &domain, targets);
    virt_domain_free(&domain);
    return r;
}

static int add_list(const struct target_source *source, struct virt *virt,
                    const char *operand, struct targets *targets,
                    struct error *err)
{
    AUTO_FREE char *words = strdup(operand);
    char *rest = words;
    int r = words ? 0 : -ENOMEM;

    targets->many = true;
    while (r == 0 && rest) {
        const char *word = strsep(&rest, ",");

        if (!*word)
            continue;
        if (is_glob(word))
            r = add_glob(source, virt, word, targets, err);
        else
            r = add_name(source, virt, word, targets);
    }
    if (r == 0 && targets->n == 0)
        return error_set(err, -ESRCH, "no domain in '%s'", operand);
    if (r == -ENOMEM)
        error_errno(err, r, "list of domains");
    return r;
}

static int add_single(const struct target_source *source, struct virt *virt,
                      const char *operand, struct targets *targets,
                      struct error *err)
{
    struct virt_domain domain;
    struct target target = { 0 };
    int r = virt_lookup(virt, operand, &domain, err);

    if (r < 0)
        return r;
    r = target_of_domain(source, &domain, &target, err);
    virt_domain_free(&domain);
    if (r < 0) {
        target_free(&target);
        return r;
    }
    r = targets_add(targets, &target);
    return r < 0 ? error_errno(err, r, "domain '%s'", operand) : 0;
}

/* A domain whose own name holds a comma or a star is that domain. */
static bool is_multi(struct virt *virt, const char *operand)
{
    return (strchr(operand, ',') || is_glob(operand))
           && !virt_has_name(virt, operand);
}

int targets_of_operand(const struct target_source *source, const char *operand,
                       struct targets *targets, struct error *err)
{
    CLEANUP(virt_cleanup) struct virt *virt = NULL;
    int r;

    *targets = (struct targets) { 0 };
    r = virt_open(source->uri, &virt, err);
    if (r < 0)
        return r;
    r = is_multi(virt, operand)
            ? add_list(source, virt, operand, targets, err)
            : add_single(source, virt, operand, targets, err);
    if (r < 0)
        targets_free(targets);
    else
        targets_place(virt, targets);
    return r;
}

/* Does a word of an operand lead to a domain?  One may be mistyped. */
static bool is_known(const struct target_source *source, struct virt *virt,
                     const char *operand)
{
    struct targets targets = { 0 };
    struct error ignored = ERROR_INIT;
    bool known = false;

    add_list(source, virt, operand, &targets, &ignored);
    for (size_t i = 0; i < targets.n; i++)
        known = known || targets.items[i].err.code != -ESRCH;
    targets_free(&targets);
    return known;
}

bool target_is_domain(const struct target_source *source, const char *word)
{
    CLEANUP(virt_cleanup) struct virt *virt = NULL;

    return *word && !strchr(word, '/')
           && virt_open(source->uri, &virt, NULL) == 0
           && (virt_has_name(virt, word) || is_known(source, virt, word));
}

int targets_of_word(const struct target_source *source, const char *operand,
                    struct targets *targets, struct error *err)
{
    struct target target = { 0 };

    if (strchr(operand, ',') || is_glob(operand))
        return targets_of_operand(source, operand, targets, err);
    *targets = (struct targets) { 0 };
    target.name = strdup(operand);
    if (!target.name || targets_add(targets, &target) < 0)
        return error_errno(err, -ENOMEM, "domain '%s'", operand);
    return 0;
}

static bool lacks_channel(const struct target *target)
{
    return target->err.code == -ENXIO;
}

/* Takes the last target out again when it has no channel. */
static void skip_last(struct targets *targets, size_t *skipped)
{
    if (targets->n == 0 || !lacks_channel(&targets->items[targets->n - 1]))
        return;
    target_free(&targets->items[--targets->n]);
    (*skipped)++;
}

int targets_of_all(const struct target_source *source, bool without_channel,
                   struct targets *targets, size_t *skipped, struct error *err)
{
    CLEANUP(virt_cleanup) struct virt *virt = NULL;
    struct virt_domains domains = { 0 };
    int r;

    *targets = (struct targets) { .many = true };
    *skipped = 0;
    r = virt_open(source->uri, &virt, err);
    if (r == 0)
        r = virt_list(virt, &domains, err);
    for (size_t i = 0; i < domains.n && r == 0; i++) {
        r = add_domain(source, &domains.items[i], targets);
        if (r == 0 && !without_channel)
            skip_last(targets, skipped);
    }
    virt_domains_free(&domains);
    if (r < 0)
        targets_free(targets);
    else
        targets_place(virt, targets);
    return r;
}

int target_refresh(const struct target_source *source, struct target *target,
                   struct error *err)
{
    struct targets fresh = { 0 };
    CLEANUP(virt_cleanup) struct virt *virt = NULL;
    struct target_source same = *source;
    int r = virt_open(source->uri, &virt, err);

    if (r < 0)
        return r;
    /* Whoever is behind another channel has not heard of what was begun. */
    if (target->channel)
        same.channel = target->channel;
    /* By name when the domain was defined anew under another UUID. */
    r = add_single(&same, virt, target->uuid, &fresh, err);
    if (r == -ESRCH)
        r = add_single(&same, virt, target->name, &fresh, err);
    if (r == -ESHUTDOWN) {
        error_set(err, r, "domain '%s': not running", target->name);
        quote_hint(err, "virsh start %s", target->name);
    }
    if (r == 0)
        r = virt_awake(virt, fresh.items[0].name, err);
    if (r < 0) {
        targets_free(&fresh);
        return r;
    }
    targets_place(virt, &fresh);
    target_free(target);
    *target = fresh.items[0];
    fresh.items[0] = (struct target) { 0 };
    targets_free(&fresh);
    return 0;
}
