/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The table of configuration keys with their bounds (sizes in bytes, times in
 * ms), and the defaults, among them the lists of the specification.
 */
#include <config.h>

#include "guest/core/settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/endpoint.h"
#include "proto/limits.h"
#include "util/cleanup.h"

#define KIB ((int64_t) 1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define SECOND ((int64_t) 1000)
#define DAY (86400 * SECOND)

#define AT(member) offsetof(struct settings, member)
#define OF(member) offsetof(struct endpoint, member)
#define IN_RULE(member) offsetof(struct command_rule, member)
#define RULES_MAX 256

static const struct yaml_key keys[] = {
    { "device.path", YAML_KIND_STRING, AT(device_path), 0, 0 },
    { "device.buffer_size", YAML_KIND_SIZE, AT(buffer_size), 4 * KIB, MIB },
    { "server.max_request_size", YAML_KIND_SIZE, AT(max_request_size), 4 * KIB,
      GIB },
    { "server.request_timeout", YAML_KIND_SECONDS, AT(request_timeout), SECOND,
      DAY },
    { "server.max_output_size", YAML_KIND_SIZE, AT(max_output_size), 4 * KIB,
      RESPONSE_MAX / 4 },
    { "server.custom_dir", YAML_KIND_STRING, AT(custom_dir), 0, 0 },
    { "server.handlers", YAML_KIND_ITEMS, AT(handlers),
      sizeof(struct endpoint), ENDPOINTS_MAX },
    { "server.handlers.method", YAML_KIND_STRING, OF(method), 0, 0 },
    { "server.handlers.path", YAML_KIND_STRING, OF(path), 0, 0 },
    { "server.handlers.command", YAML_KIND_LIST, OF(command), 0, 0 },
    { "server.handlers.timeout", YAML_KIND_SECONDS, OF(timeout), SECOND, DAY },
    { "server.handlers.user", YAML_KIND_STRING, OF(user), 0, 0 },
    { "security.enable_auth", YAML_KIND_BOOL, AT(enable_auth), 0, 0 },
    { "security.auth_key_file", YAML_KIND_STRING, AT(auth_key_file), 0, 0 },
    { "security.allowed_commands", YAML_KIND_LIST, AT(allowed_commands), 0,
      0 },
    { "security.allowed_env", YAML_KIND_LIST, AT(allowed_env), 0, 0 },
    { "security.look_as", YAML_KIND_STRING, AT(look_as), 0, 0 },
    { "security.command_rules", YAML_KIND_ITEMS, AT(command_rules),
      sizeof(struct command_rule), RULES_MAX },
    { "security.command_rules.program", YAML_KIND_STRING, IN_RULE(program), 0,
      0 },
    { "security.command_rules.always", YAML_KIND_LIST, IN_RULE(always), 0, 0 },
    { "security.command_rules.options", YAML_KIND_LIST, IN_RULE(options), 0,
      0 },
    { "security.command_rules.arguments", YAML_KIND_LIST, IN_RULE(arguments),
      0, 0 },
    { "security.command_rules.user", YAML_KIND_STRING, IN_RULE(user), 0, 0 },
    { "security.shell", YAML_KIND_BOOL, AT(shell), 0, 0 },
    { "security.allow_setid", YAML_KIND_BOOL, AT(allow_setid), 0, 0 },
    { "security.allowed_paths", YAML_KIND_LIST, AT(allowed_paths), 0, 0 },
    { "security.readonly_paths", YAML_KIND_LIST, AT(readonly_paths), 0, 0 },
    { "security.forbidden_paths", YAML_KIND_LIST, AT(forbidden_paths), 0, 0 },
    { "rate_limit.requests_per_second", YAML_KIND_NUMBER, AT(per_second), 0,
      100000 },
    { "rate_limit.requests_per_minute", YAML_KIND_NUMBER, AT(per_minute), 0,
      100000 },
    { "rate_limit.max_concurrent", YAML_KIND_NUMBER, AT(max_concurrent), 0,
      1000 },
    { "jobs.keep", YAML_KIND_SECONDS, AT(jobs_keep), 0, 30 * DAY },
    { "logging.level", YAML_KIND_LEVEL, AT(log_level), 0, 0 },
    { "logging.file", YAML_KIND_STRING, AT(log_file), 0, 0 },
    { "logging.max_size", YAML_KIND_SIZE, AT(log_max_size), 0, GIB },
    { "logging.backup_count", YAML_KIND_NUMBER, AT(log_backups), 0, 100 },
};

/* The lists of the specification (its chapter on security). */
static const char *const default_commands[] = {
    "ls",  "cat", "head",    "tail",      "grep",    "df",         "free",
    "top", "ps",  "netstat", "systemctl", "service", "journalctl",
};
static const char *const default_allowed[] = { "/tmp/", "/var/log/",
                                               "/home/" };
static const char *const default_readonly[] = { "/etc/" };
static const char *const default_forbidden[] = {
    "/etc/shadow",
    "/etc/passwd",
    "/root/",
    "/proc/",
    "/sys/",
    /* the same in backups and while it is written, and what is like it */
    "/etc/shadow-",
    "/etc/shadow+",
    "/etc/nshadow",
    "/etc/passwd-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/gshadow+",
    "/etc/security/opasswd",
};

static int list_fill(struct strlist *list, const char *const *items, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = strlist_add(list, items[i]);
    return r;
}

#define FILL(list, items) list_fill(list, items, ARRAY_SIZE(items))

int settings_init(struct settings *settings)
{
    *settings = (struct settings) {
        .file = strdup(SETTINGS_FILE),
        .device_path = strdup("/dev/virtio-ports/" CHANNEL_DEFAULT),
        .buffer_size = 64 * KIB,
        .max_request_size = 10 * MIB,
        .request_timeout = 60 * SECOND,
        .max_output_size = 32 * MIB,
        .custom_dir = strdup(SYSCONFDIR "/virtio-rpc/custom.d"),
        .auth_key_file = strdup(SYSCONFDIR "/virtio-rpc/agent.key"),
        .per_second = 10,
        .per_minute = 100,
        .max_concurrent = 5,
        .jobs_keep = 3600 * SECOND,
        .log_level = LOG_LEVEL_INFO,
        .log_file = strdup("/var/log/virtio-rpc-guest.log"),
        .log_max_size = 10 * MIB,
        .log_backups = 5,
    };
    if (!settings->file || !settings->device_path || !settings->custom_dir
        || !settings->auth_key_file || !settings->log_file
        || FILL(&settings->allowed_commands, default_commands) < 0
        || FILL(&settings->allowed_paths, default_allowed) < 0
        || FILL(&settings->readonly_paths, default_readonly) < 0
        || FILL(&settings->forbidden_paths, default_forbidden) < 0)
        return -ENOMEM;
    return 0;
}

/* A relative path in a policy would match nothing, silently. */
static int check_paths(const struct strlist *list, const char *key,
                       const char *file, struct error *err)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i][0] != '/')
            return error_set(err, -EINVAL,
                             "%s: '%s': '%s' is not an absolute path", file,
                             key, list->items[i]);
    return 0;
}

/* Names of variables; a '*' elsewhere than at the end would match nothing. */
static int check_names(const struct strlist *list, const char *key,
                       const char *file, struct error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const char *item = list->items[i];
        size_t n = strcspn(item, "=*");

        if (!*item || (item[n] && strcmp(item + n, "*") != 0))
            return error_set(err, -EINVAL,
                             "%s: '%s': '%s' is not the name of a variable, "
                             "nor a beginning and a '*'",
                             file, key, item);
    }
    return 0;
}

/* A rule that can be for no program, or not alone, holds nothing, silently. */
static int check_rules(const struct yaml_items *list, const char *file,
                       struct error *err)
{
    const struct command_rule *rules = list->items;

    for (size_t i = 0; i < list->n; i++) {
        const char *program = rules[i].program;

        if (!program || !*program || (*program != '/' && strchr(program, '/')))
            return error_set(err, -EINVAL,
                             "%s:%zu: 'security.command_rules.program' is "
                             "neither a name nor an absolute path",
                             file, rules[i].at.line);
        for (size_t k = 0; k < i; k++)
            if (strcmp(rules[k].program, program) == 0)
                return error_set(err, -EINVAL,
                                 "%s:%zu: 'security.command_rules': a second "
                                 "rule for '%s'",
                                 file, rules[i].at.line, program);
    }
    return 0;
}

/* Links in an absolute one stay, for whoever replaces one replaces the file. */
static int remember_file(struct settings *settings, const char *file,
                         struct error *err)
{
    char *name = *file == '/' ? strdup(file) : realpath(file, NULL);

    if (!name)
        return error_errno(err, -errno, "%s", file);
    free(settings->file);
    settings->file = name;
    return 0;
}

int settings_load(struct settings *settings, const char *file,
                  struct error *err)
{
    int r = yaml_load(file, keys, ARRAY_SIZE(keys), settings, err);

    if (r == 0)
        r = check_paths(&settings->allowed_paths, "security.allowed_paths",
                        file, err);
    if (r == 0)
        r = check_paths(&settings->readonly_paths, "security.readonly_paths",
                        file, err);
    if (r == 0)
        r = check_paths(&settings->forbidden_paths, "security.forbidden_paths",
                        file, err);
    if (r == 0)
        r = endpoints_check(&settings->handlers, file, err);
    if (r == 0)
        r = check_names(&settings->allowed_env, "security.allowed_env", file,
                        err);
    if (r == 0)
        r = check_rules(&settings->command_rules, file, err);
    /* "[]" means the default list, says the specification. */
    if (r == 0 && settings->allowed_commands.n == 0)
        r = FILL(&settings->allowed_commands, default_commands);
    return r ? r : remember_file(settings, file, err);
}

bool settings_any_program(const struct settings *settings)
{
    return settings->shell || strlist_has(&settings->allowed_commands, "*");
}

static void free_rules(const struct yaml_items *list)
{
    struct command_rule *rules = list->items;

    for (size_t i = 0; i < list->n; i++) {
        free(rules[i].program);
        free(rules[i].user);
        strlist_free(&rules[i].always);
        strlist_free(&rules[i].options);
        strlist_free(&rules[i].arguments);
    }
    free(rules);
}

void settings_free(struct settings *settings)
{
    free(settings->file);
    free(settings->device_path);
    free(settings->custom_dir);
    free(settings->auth_key_file);
    free(settings->log_file);
    endpoints_free(&settings->handlers);
    strlist_free(&settings->allowed_commands);
    strlist_free(&settings->allowed_env);
    free_rules(&settings->command_rules);
    free(settings->look_as);
    strlist_free(&settings->allowed_paths);
    strlist_free(&settings->readonly_paths);
    strlist_free(&settings->forbidden_paths);
    *settings = (struct settings) { 0 };
}
