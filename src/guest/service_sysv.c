/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* SysV: the scripts in /etc/init.d, with the exit statuses of the LSB. */
#include <config.h>

#include "guest/service.h"

#include <stdio.h>
#include <unistd.h>

#include "util/cleanup.h"

#define SCRIPTS "/etc/init.d"

static bool sysv_present(void)
{
    return access(SCRIPTS, F_OK) == 0;
}

/* Debian's tool where it is there, else Red Hat's. */
static int sysv_boot(const char *service, bool enable, struct strlist *argv)
{
    if (access("/usr/sbin/update-rc.d", X_OK) == 0)
        return service_words(argv, "update-rc.d", service,
                             enable ? "enable" : "disable", NULL);
    return service_words(argv, "chkconfig", service, enable ? "on" : "off",
                         NULL);
}

static int sysv_script(const char *service, const char *verb,
                       struct strlist *argv)
{
    char script[SERVICE_NAME_MAX + 32];

    snprintf(script, sizeof(script), SCRIPTS "/%s", service);
    return service_words(argv, script, verb, NULL);
}

static int sysv_action(enum service_action action, const char *service,
                       struct strlist *argv)
{
    static const char *const verbs[SERVICE_ACTIONS] = {
        [SERVICE_START] = "start",
        [SERVICE_STOP] = "stop",
        [SERVICE_RESTART] = "restart",
        [SERVICE_STATUS] = "status",
    };

    if (action == SERVICE_ENABLE || action == SERVICE_DISABLE)
        return sysv_boot(service, action == SERVICE_ENABLE, argv);
    return sysv_script(service, verbs[action], argv);
}

static int sysv_query(const char *service, struct strlist *argv)
{
    return sysv_script(service, "status", argv);
}

/* LSB 5, "Init Script Actions". */
static void sysv_parse(const char *service, struct child *child,
                       struct service_state *state)
{
    static const struct service_word words[] = {
        { 0, "running" }, { 1, "failed" }, { 2, "failed" }, { 3, "stopped" },
    };

    service_script_state(service, child, words, ARRAY_SIZE(words), state);
    state->enabled = -1;
}

const struct service_manager service_sysv = {
    .name = "sysv",
    .present = sysv_present,
    .action = sysv_action,
    .query = sysv_query,
    .parse = sysv_parse,
};
