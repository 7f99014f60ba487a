/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The checks that ask libvirt: connection, domain, state, channel, port.  A
 * channel that only the stored configuration has is told from one that is
 * missing, because they are mended in different ways.
 */
#include <config.h>

#include "host/doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/domain/channel.h"
#include "host/domain/virshline.h"
#include "proto/limits.h"
#include "util/cleanup.h"
#include "util/text.h"

void check_libvirt(struct doctor *doctor, struct finding *finding)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *uri = NULL;

    if (virt_open(doctor->source->uri, &doctor->virt, &err) < 0) {
        finding_fail(finding, &err);
        return;
    }
    uri = virt_uri(doctor->virt);
    doctor->target->remote = uri && target_uri_is_remote(uri);
    finding_set(finding, FINDING_OK, "%s (read-only, which is enough)",
                uri ? uri : "reachable");
}

/* What the layers behind it need: the key file, say, goes by the name. */
static int domain_keep(struct target *target, const struct virt_exam *exam)
{
    char *name = strdup(exam->name);

    if (!name)
        return -ENOMEM;
    free(target->name);
    target->name = name;
    memcpy(target->uuid, exam->uuid, sizeof(target->uuid));
    return 0;
}

void check_domain(struct doctor *doctor, struct finding *finding)
{
    struct target *target = doctor->target;
    struct error err = ERROR_INIT;
    int r = virt_examine(doctor->virt,
                         *target->uuid ? target->uuid : target->name,
                         &doctor->exam, &err);

    if (r == 0 && domain_keep(target, &doctor->exam) < 0)
        r = error_errno(&err, -ENOMEM, "domain");
    if (r < 0)
        finding_fail(finding, &err);
    else
        finding_set(finding, FINDING_OK, "%s, %s%s", doctor->exam.name,
                    doctor->exam.uuid, doctor->exam.kept ? "" : ", transient");
}

void check_state(struct doctor *doctor, struct finding *finding)
{
    const struct virt_exam *exam = &doctor->exam;
    char line[VIRSH_LINE_MAX];

    finding_set(finding,
                exam->run_state == VIRT_RUNS ? FINDING_OK : FINDING_FAIL,
                "%s%s%s%s", exam->words, exam->reason ? " (" : "",
                exam->reason ? exam->reason : "", exam->reason ? ")" : "");
    if (exam->command) /* "virsh VERB", and the libvirt between the two */
        finding_mend(finding, "%s",
                     virsh_line(doctor->source->uri,
                                exam->command + strlen("virsh "), exam->name,
                                line));
}

/* --- the channel --------------------------------------------------------- */

static const char *wanted_name(const struct doctor *doctor)
{
    const char *wanted = doctor->source->channel;

    return wanted ? wanted : CHANNEL_DEFAULT;
}

static void mend_attach(const struct doctor *doctor, const char *flags,
                        struct finding *finding)
{
    char line[VIRSH_LINE_MAX];

    finding_mend(finding, "%s",
                 virsh_attach(doctor->source->uri, doctor->exam.name,
                              wanted_name(doctor), flags, line));
}

/* One line "WORDS COMMAND". */
static void mend_virsh(const struct doctor *doctor, const char *words,
                       const char *verb, struct finding *finding)
{
    char line[VIRSH_LINE_MAX];

    finding_mend(
        finding, "%s%s", words,
        virsh_line(doctor->source->uri, verb, doctor->exam.name, line));
}

/* Is it there, and only the running domain does not have it yet? */
static bool is_pending(const struct doctor *doctor)
{
    const struct channel *picked;
    struct channel_list kept;
    bool found = false;

    if (!doctor->exam.kept
        || domxml_channels(doctor->exam.kept, &kept, NULL) < 0)
        return false;
    for (size_t i = 0; i < kept.n && !found; i++) {
        picked = &kept.items[i];
        found = strcmp(picked->name, wanted_name(doctor)) == 0;
    }
    channel_list_free(&kept);
    return found;
}

static size_t count_free(const struct channel_list *list)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++)
        n += !channel_is_reserved(list->items[i].name);
    return n;
}

static void channel_pending(const struct doctor *doctor,
                            struct finding *finding)
{
    char line[VIRSH_LINE_MAX];

    finding_set(finding, FINDING_FAIL,
                "channel '%s' is in the domain's configuration, but the "
                "running domain does not have it",
                wanted_name(doctor));
    mend_attach(doctor, "--live", finding);
    mend_virsh(doctor,
               "or, with a restart (a reboot is not enough): ", "shutdown",
               finding);
    virsh_line(doctor->source->uri, "domstate", doctor->exam.name, line);
    finding_mend(finding, "wait until this says that it is off: %s", line);
    mend_virsh(doctor, "and then: ", "start", finding);
}

static void channel_missing(const struct doctor *doctor,
                            const struct channel_list *list,
                            const struct error *err, struct finding *finding)
{
    const char *wanted = doctor->source->channel;

    finding_fail(finding, err);
    if (wanted && channel_is_reserved(wanted))
        return;
    if (is_pending(doctor)) {
        finding->mend[0] = '\0';
        channel_pending(doctor, finding);
        return;
    }
    if (count_free(list) > 0) { /* the hint is a choice among them */
        finding_mend(finding, "or:");
    } else {
        finding->mend[0] = '\0';
    }
    mend_attach(doctor, doctor->exam.kept ? "--live --config" : "--live",
                finding);
    finding_mend(finding, "(a domain without a virtio-serial controller takes "
                          "it without --live, at its next start)");
}

/* Appends the names that are reserved, or those that are not, but one. */
static void join(const struct channel_list *list, bool reserved,
                 const char *but, const char *head, struct finding *finding)
{
    size_t used = strlen(finding->message);

    for (size_t i = 0; i < list->n; i++) {
        const char *name = list->items[i].name;

        if (channel_is_reserved(name) != reserved || strcmp(name, but) == 0)
            continue;
        used = strlen(finding->message);
        snprintf(finding->message + used, sizeof(finding->message) - used,
                 "%s%s", head, name);
        head = ", ";
    }
}

/* Why this one, and what is beside it. */
static void channel_found(const struct doctor *doctor,
                          const struct channel_list *list,
                          const struct channel *picked,
                          struct finding *finding)
{
    const char *why = "the only one that can be meant";

    if (doctor->source->channel)
        why = "as asked for";
    else if (strcmp(picked->name, CHANNEL_DEFAULT) == 0)
        why = "our own name";
    finding_set(finding, FINDING_OK, "%s (%s)", picked->name, why);
    join(list, false, picked->name, "; also there: ", finding);
    join(list, true, picked->name, "; left to their owners: ", finding);
}

static int channel_keep(struct target *target, const struct channel *picked)
{
    char *name = strdup(picked->name);
    char *path = picked->path ? strdup(picked->path) : NULL;

    if (!name || (picked->path && !path)) {
        free(name);
        free(path);
        return -ENOMEM;
    }
    free(target->channel);
    free(target->socket);
    target->channel = name;
    target->socket = path;
    target->state = picked->state;
    return 0;
}

void check_channel(struct doctor *doctor, struct finding *finding)
{
    const struct channel *picked = NULL;
    struct error err = ERROR_INIT;
    struct channel_list list;
    int r = domxml_channels(doctor->exam.live, &list, &err);

    if (r == 0)
        r = channel_pick(&list, doctor->source->channel, doctor->source->uri,
                         doctor->exam.name, &picked, &err);
    if (r == 0)
        r = channel_keep(doctor->target, picked);
    if (r == -ENOMEM)
        error_errno(&err, r, "channels");
    if (r == -ENXIO && !picked)
        channel_missing(doctor, &list, &err, finding);
    else if (r < 0)
        finding_fail(finding, &err);
    else
        channel_found(doctor, &list, picked, finding);
    channel_list_free(&list);
}

void check_port(struct doctor *doctor, struct finding *finding)
{
    switch (doctor->target->state) {
    case CHANNEL_CONNECTED:
        finding_set(finding, FINDING_OK, "open in the guest");
        return;
    case CHANNEL_DISCONNECTED:
        finding_set(finding, FINDING_FAIL,
                    "nobody in the guest has the port '%s' open: the agent "
                    "does not run, or the guest has not booted that far",
                    doctor->target->channel);
        finding_mend(finding, "in the guest: systemctl start virtio-rpc");
        finding_mend(finding, "(not installed there? package vsrpc-agent, or "
                              "./configure --disable-host && make install)");
        return;
    case CHANNEL_UNKNOWN:
        finding_set(finding, FINDING_SKIPPED,
                    "libvirt does not say whether the guest has it open");
        return;
    }
}
