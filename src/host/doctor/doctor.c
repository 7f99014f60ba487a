/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The table of checks and the walk through it.  Behind a failure the checks
 * are not run, but still get their rows.
 */
#include <config.h>

#include "host/doctor/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/client/answer.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* Nobody of our kind keeps the channel for longer between two turns (ms). */
#define LOCK_MS 1000

static const struct doctor_check checks[] = {
    { "libvirt", DOCTOR_LIBVIRT,
      "systemctl restart libvirtd (virsh uri hangs, too?)", check_libvirt },
    { "domain", DOCTOR_LIBVIRT, "systemctl restart libvirtd", check_domain },
    { "state", DOCTOR_LIBVIRT, NULL, check_state },
    { "channel", DOCTOR_LIBVIRT, NULL, check_channel },
    { "port", DOCTOR_LIBVIRT, NULL, check_port },
    { "socket", DOCTOR_ANY, NULL, check_socket },
    { "client", DOCTOR_ANY, NULL, check_client },
    { "sync", DOCTOR_ANY, NULL, check_sync },
    { "version", DOCTOR_ANY, NULL, check_version },
    { "clock", DOCTOR_AGENT, NULL, check_clock },
    { "auth", DOCTOR_ANY, NULL, check_auth },
    { "abilities", DOCTOR_AGENT, NULL, check_abilities },
    { "kernel", DOCTOR_AGENT, NULL, check_kernel },
    { "policy", DOCTOR_AGENT, NULL, check_policy },
    { "limits", DOCTOR_AGENT, NULL, check_limits },
};

const struct doctor_check *doctor_table(size_t *n)
{
    *n = ARRAY_SIZE(checks);
    return checks;
}

const char *finding_word(enum finding_state state)
{
    static const char *const words[] = { "ok", "warn", "fail", "skipped" };

    return words[state];
}

void finding_set(struct finding *finding, enum finding_state state,
                 const char *format, ...)
{
    va_list args;

    finding->state = state;
    va_start(args, format);
    vsnprintf(finding->message, sizeof(finding->message), format, args);
    va_end(args);
}

void finding_mend(struct finding *finding, const char *format, ...)
{
    size_t used = strlen(finding->mend);
    va_list args;

    if (used > 0 && used + 1 < sizeof(finding->mend))
        finding->mend[used++] = '\n';
    va_start(args, format);
    vsnprintf(finding->mend + used, sizeof(finding->mend) - used, format,
              args);
    va_end(args);
}

void finding_fail(struct finding *finding, const struct error *err)
{
    finding_set(finding, FINDING_FAIL, "%s", err->message);
    if (*err->hint)
        finding_mend(finding, "%s", err->hint);
}

/* One row to the parent.  Return: as out_json(). */
static int row_write(const char *name, const struct finding *finding)
{
    AUTO_JSON struct json_object *row = json_object_new_object();

    if (!row || json_add_string(row, "check", name) < 0
        || json_add_string(row, "state", finding_word(finding->state)) < 0
        || json_add_string(row, "message", finding->message) < 0
        || json_add_string(row, "mend", *finding->mend ? finding->mend : NULL)
               < 0)
        return -ENOMEM;
    return out_json(STDOUT_FILENO, row);
}

static void doctor_init(struct doctor *doctor,
                        const struct client_setup *setup,
                        struct target *target, int64_t connect_ms)
{
    *doctor = (struct doctor) { .source = setup->source,
                                .target = target,
                                .config = *setup->config };
    doctor->config.max_retries = 0;
    if (doctor->config.connect_timeout > connect_ms)
        doctor->config.connect_timeout = connect_ms;
    doctor->setup = (struct client_setup) { .config = &doctor->config,
                                            .source = setup->source,
                                            .out = setup->out,
                                            .log = setup->log,
                                            .timeout = TIMEOUT_UNSET,
                                            .lock_wait = LOCK_MS };
    answer_init(&doctor->capabilities);
    client_init(&doctor->client, &doctor->setup, target);
}

static void doctor_free(struct doctor *doctor)
{
    answer_free(&doctor->capabilities);
    client_free(&doctor->client);
    virt_exam_free(&doctor->exam);
    virt_close(doctor->virt);
}

int doctor_walk(const struct client_setup *setup, struct target *target,
                int64_t connect_ms)
{
    bool by_socket = !target->name;
    struct doctor doctor;
    int status = EXIT_STATUS_OK;
    int r = 0;

    doctor_init(&doctor, setup, target, connect_ms);
    for (size_t i = 0; i < ARRAY_SIZE(checks) && r == 0; i++) {
        struct finding finding = { .state = FINDING_SKIPPED,
                                   .message = DOCTOR_BEHIND };

        if (by_socket && checks[i].needs == DOCTOR_LIBVIRT)
            continue;
        if (status == EXIT_STATUS_OK
            && (checks[i].needs != DOCTOR_AGENT
                || !doctor.client.rpc.peer.plain))
            checks[i].run(&doctor, &finding);
        if (finding.state == FINDING_FAIL)
            status = EXIT_STATUS_FAILED;
        r = row_write(checks[i].name, &finding);
    }
    doctor_free(&doctor);
    return r < 0 ? EXIT_STATUS_TRANSPORT : status;
}
