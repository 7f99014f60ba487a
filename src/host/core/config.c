/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The table of the host's configuration keys with their bounds (times in ms),
 * and the defaults.  No time can be 0, which elsewhere means for ever, but
 * lock_wait, where it means not to wait.
 */
#include <config.h>

#include "host/core/config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/yaml.h"

#define AT(member) offsetof(struct config, member)
#define HOUR_MS (3600 * 1000)
#define GIB (1024L * 1024 * 1024)

/* No time is 0 here: waiting for ever is what --timeout 0 asks for.  Only
 * with lock_wait it means not to wait. */
static const struct yaml_key keys[] = {
    { "connection.uri", YAML_KIND_STRING, AT(uri), 0, 0 },
    { "connection.channel", YAML_KIND_STRING, AT(channel), 0, 0 },
    { "connection.socket_path", YAML_KIND_STRING, AT(socket_path), 0, 0 },
    { "connection.transport", YAML_KIND_STRING, AT(transport), 0, 0 },
    { "connection.connect_timeout", YAML_KIND_SECONDS, AT(connect_timeout), 1,
      HOUR_MS },
    { "connection.read_timeout", YAML_KIND_SECONDS, AT(read_timeout), 1,
      24 * HOUR_MS },
    { "connection.write_timeout", YAML_KIND_SECONDS, AT(write_timeout), 1,
      24 * HOUR_MS },
    { "connection.lock_wait", YAML_KIND_SECONDS, AT(lock_wait), 0,
      24 * HOUR_MS },
    { "connection.lock_dir", YAML_KIND_STRING, AT(lock_dir), 0, 0 },
    { "retry.max_retries", YAML_KIND_NUMBER, AT(max_retries), 0, 100 },
    { "retry.retry_interval", YAML_KIND_SECONDS, AT(retry_interval), 0,
      HOUR_MS },
    { "retry.backoff_factor", YAML_KIND_NUMBER, AT(backoff_factor), 1, 10 },
    { "retry.timeout_retries", YAML_KIND_NUMBER, AT(timeout_retries), 0, 100 },
    { "retry.timeout_interval", YAML_KIND_SECONDS, AT(timeout_interval), 0,
      HOUR_MS },
    { "retry.internal_retries", YAML_KIND_NUMBER, AT(internal_retries), 0,
      100 },
    { "retry.internal_interval", YAML_KIND_SECONDS, AT(internal_interval), 0,
      HOUR_MS },
    { "security.auth_key_dir", YAML_KIND_STRING, AT(auth_key_dir), 0, 0 },
    { "security.auth_key_file", YAML_KIND_STRING, AT(auth_key_file), 0, 0 },
    { "fleet.parallel", YAML_KIND_NUMBER, AT(parallel), 1, 1024 },
    { "logging.level", YAML_KIND_LEVEL, AT(log_level), 0, 0 },
    { "logging.file", YAML_KIND_STRING, AT(log_file), 0, 0 },
    { "logging.max_size", YAML_KIND_SIZE, AT(log_max_size), 0, 1024 * GIB },
    { "logging.backup_count", YAML_KIND_NUMBER, AT(log_backups), 0, 100 },
};

int config_load(struct config *config, const char *file, struct error *err)
{
    int r;

    *config = (struct config) {
        .file = file,
        .connect_timeout = 5000,
        .read_timeout = 30000,
        .write_timeout = 30000,
        .lock_wait = 5000,
        .max_retries = 3,
        .retry_interval = 1000,
        .backoff_factor = 2,
        .timeout_retries = 2,
        .timeout_interval = 5000,
        .internal_retries = 1,
        .internal_interval = 10000,
        .parallel = 16,
        .log_level = LOG_LEVEL_INFO,
        .log_file = strdup("/var/log/virtio-rpc-host.log"),
        .log_max_size = 10L * 1024 * 1024,
        .log_backups = 5,
    };
    if (!config->log_file)
        return error_errno(err, -ENOMEM, "configuration");
    r = yaml_load(file ? file : CONFIG_FILE, keys, ARRAY_SIZE(keys), config,
                  err);
    if (r == -ENOENT && !file) {
        error_clear(err);
        return 0;
    }
    return r;
}

void config_free(struct config *config)
{
    free(config->uri);
    free(config->channel);
    free(config->socket_path);
    free(config->lock_dir);
    free(config->transport);
    free(config->auth_key_dir);
    free(config->auth_key_file);
    free(config->log_file);
    *config = (struct config) { 0 };
}
