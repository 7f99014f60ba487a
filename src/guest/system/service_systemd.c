/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* systemd: systemctl(1).  "show" is made for programs: KEY=value lines, and
 * exit status 0 for units that do not exist. */
#include <config.h>

#include "guest/system/service.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/num.h"

static bool systemd_present(void)
{
    return access("/run/systemd/system", F_OK) == 0; /* sd_booted(3) */
}

static int systemd_action(enum service_action action, const char *service,
                          struct strlist *argv)
{
    static const char *const verbs[SERVICE_ACTIONS] = {
        [SERVICE_START] = "start",     [SERVICE_STOP] = "stop",
        [SERVICE_RESTART] = "restart", [SERVICE_RELOAD] = "reload",
        [SERVICE_ENABLE] = "enable",   [SERVICE_DISABLE] = "disable",
    };

    return service_words(argv, "systemctl", "--no-ask-password", verbs[action],
                         "--", service, NULL);
}

static int systemd_query(const char *service, struct strlist *argv)
{
    return service_words(argv, "systemctl", "show",
                         "--property=LoadState,ActiveState,MainPID,"
                         "UnitFileState",
                         "--", service, NULL);
}

/* Copies the value of KEY from "KEY=value" lines; "" when it is not there. */
static void property(const char *text, const char *key, char *value, size_t n)
{
    size_t length = strlen(key);

    value[0] = '\0';
    while (text && *text) {
        if (strncmp(text, key, length) == 0 && text[length] == '=') {
            text += length + 1;
            snprintf(value, n, "%.*s", (int) strcspn(text, "\n"), text);
            return;
        }
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
}

/* systemd's words for people. */
static const char *status_word(const char *active)
{
    static const struct {
        const char *active;
        const char *word;
    } words[] = {
        { "active", "running" },      { "reloading", "running" },
        { "inactive", "stopped" },    { "failed", "failed" },
        { "activating", "starting" }, { "deactivating", "stopping" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(active, words[i].active) == 0)
            return words[i].word;
    return "unknown";
}

static void systemd_parse(const char *service, struct child *child,
                          struct service_state *state)
{
    const char *text = buf_cstr(&child->output[0]);
    char value[64];

    (void) service;
    property(text, "LoadState", value, sizeof(value));
    state->found = *value && strcmp(value, "not-found") != 0;
    property(text, "ActiveState", value, sizeof(value));
    snprintf(state->status, sizeof(state->status), "%s", status_word(value));
    property(text, "MainPID", value, sizeof(value));
    if (num_parse(value, 1, INT32_MAX, &state->pid) < 0)
        state->pid = 0;
    property(text, "UnitFileState", state->boot, sizeof(state->boot));
}

const struct service_manager service_systemd = {
    .name = "systemd",
    .present = systemd_present,
    .action = systemd_action,
    .query = systemd_query,
    .parse = systemd_parse,
};
