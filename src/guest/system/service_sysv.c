/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* SysV: the scripts in /etc/init.d, with the exit statuses of the LSB. */
#include <config.h>

#include "guest/system/service.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
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
        [SERVICE_RELOAD] = "reload",
    };

    if (action == SERVICE_ENABLE || action == SERVICE_DISABLE)
        return sysv_boot(service, action == SERVICE_ENABLE, argv);
    return sysv_script(service, verbs[action], argv);
}

static int sysv_query(const char *service, struct strlist *argv)
{
    return sysv_script(service, "status", argv);
}

/* Is there a link for it in a folder of a runlevel: "S20NAME"?  -1: there is
 * no such folder. */
static int level_starts(const char *folder, const char *service)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int starts = 0;

    if (!dir)
        return -1;
    while (!starts && (entry = readdir(dir)))
        starts = entry->d_name[0] == 'S'
                 && strspn(entry->d_name + 1, "0123456789") == 2
                 && strcmp(entry->d_name + 3, service) == 0;
    closedir(dir);
    return starts;
}

const char *service_sysv_boot(const char *etc, const char *service)
{
    const char *word = "";

    for (int level = 2; level <= 5; level++) {
        char folder[256];
        int starts;

        snprintf(folder, sizeof(folder), "%s/rc%d.d", etc, level);
        starts = level_starts(folder, service);
        if (starts > 0)
            return "enabled";
        if (starts == 0)
            word = "disabled";
    }
    return word;
}

/* LSB 5, "Init Script Actions". */
static void sysv_parse(const char *service, struct child *child,
                       struct service_state *state)
{
    static const struct service_word words[] = {
        { 0, "running" },
        { 1, "failed" },
        { 2, "failed" },
        { 3, "stopped" },
    };

    service_script_state(service, child, words, ARRAY_SIZE(words), state);
    snprintf(state->boot, sizeof(state->boot), "%s",
             service_sysv_boot("/etc", service));
}

const struct service_manager service_sysv = {
    .name = "sysv",
    .present = sysv_present,
    .action = sysv_action,
    .query = sysv_query,
    .parse = sysv_parse,
};
