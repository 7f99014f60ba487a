/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The agent's configuration file, as a struct.  virtio-rpc-guest(5) explains
 * every key; the table in settings.c is the only list of them.
 *
 * (The file is not called config.h: that is what configure writes.)
 */
#ifndef VSRPC_GUEST_CORE_SETTINGS_H
#define VSRPC_GUEST_CORE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"
#include "util/log.h"
#include "util/text.h"
#include "util/yaml.h"

#define SETTINGS_FILE SYSCONFDIR "/virtio-rpc/guest_config.yaml"

/* What the configuration says of one program; what it does not say is NULL or
 * empty (see policy/command_rules.h). */
struct command_rule {
    struct yaml_item at;
    char *program; /* a name or an absolute path */
    struct strlist always;
    struct strlist options;
    struct strlist arguments;
    char *user;
};

struct settings {
    char *file; /* that they are in, absolute */
    char *device_path;
    int64_t buffer_size; /* bytes read from the port at a time */

    int64_t max_request_size; /* bytes of a JSON body */
    int64_t request_timeout;  /* ms */
    int64_t max_output_size;  /* bytes of both outputs of a command */
    char *custom_dir;
    struct yaml_items handlers; /* struct endpoint */

    bool enable_auth;
    char *auth_key_file;
    struct strlist allowed_commands; /* never empty once loaded */
    struct strlist allowed_env;      /* names, or what they begin with */
    struct yaml_items command_rules; /* struct command_rule */
    char *look_as; /* who runs programs that look; NULL: see command_rule.c */
    bool shell;    /* a user's shell may be run */
    bool allow_setid;
    struct strlist allowed_paths;
    struct strlist readonly_paths;
    struct strlist forbidden_paths;

    int64_t per_second;
    int64_t per_minute;
    int64_t max_concurrent;

    int64_t jobs_keep; /* ms */

    enum log_level log_level;
    char *log_file;
    int64_t log_max_size;
    int64_t log_backups;
};

/* Fills in the defaults.  Return: 0 or -ENOMEM. */
int settings_init(struct settings *settings);

/*
 * Reads a configuration file over the defaults.
 *
 * Return: 0; negative errno with a message (-ENOENT: no such file).
 */
int settings_load(struct settings *settings, const char *file,
                  struct error *err);

/* May a request have any program run? */
bool settings_any_program(const struct settings *settings);

void settings_free(struct settings *settings);

#endif
