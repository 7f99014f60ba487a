/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* OpenRC: rc-service(8) and rc-update(8). */
#include <config.h>

#include "guest/system/service.h"

#include <stdio.h>
#include <unistd.h>

#include "util/cleanup.h"

static bool openrc_present(void)
{
    return access("/run/openrc", F_OK) == 0;
}

static int openrc_action(enum service_action action, const char *service,
                         struct strlist *argv)
{
    static const char *const verbs[SERVICE_ACTIONS] = {
        [SERVICE_START] = "start",
        [SERVICE_STOP] = "stop",
        [SERVICE_RESTART] = "restart",
        [SERVICE_RELOAD] = "reload",
    };

    if (action == SERVICE_ENABLE)
        return service_words(argv, "rc-update", "add", service, "default",
                             NULL);
    if (action == SERVICE_DISABLE)
        return service_words(argv, "rc-update", "delete", service, "default",
                             NULL);
    return service_words(argv, "rc-service", "--", service, verbs[action],
                         NULL);
}

static int openrc_query(const char *service, struct strlist *argv)
{
    return service_words(argv, "rc-service", "--", service, "status", NULL);
}

/* Exit statuses of openrc-run(8)'s status. */
static void openrc_parse(const char *service, struct child *child,
                         struct service_state *state)
{
    static const struct service_word words[] = {
        { 0, "running" },  { 3, "stopped" },  { 4, "stopping" },
        { 8, "starting" }, { 16, "stopped" }, { 32, "failed" },
    };
    char link[SERVICE_NAME_MAX + 32];

    service_script_state(service, child, words, ARRAY_SIZE(words), state);
    snprintf(link, sizeof(link), "/etc/runlevels/default/%s", service);
    snprintf(state->boot, sizeof(state->boot), "%s",
             access(link, F_OK) == 0 ? "enabled" : "disabled");
}

const struct service_manager service_openrc = {
    .name = "openrc",
    .present = openrc_present,
    .action = openrc_action,
    .query = openrc_query,
    .parse = openrc_parse,
};
