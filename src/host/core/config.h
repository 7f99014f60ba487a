/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The host's configuration file.  Not to be confused with the generated
 * <config.h>: this one is always included as "host/core/config.h".
 */
#ifndef VSRPC_HOST_CORE_CONFIG_H
#define VSRPC_HOST_CORE_CONFIG_H

#include <stdint.h>

#include "util/error.h"
#include "util/log.h"

#define CONFIG_FILE SYSCONFDIR "/virtio-rpc/host_config.yaml"

/* All strings are owned; NULL where nothing was configured. */
struct config {
    const char *file; /* that was named; not owned; NULL: CONFIG_FILE */
    char *uri;
    char *channel;
    char *socket_path;
    char *transport;         /* auto, socket or stream */
    int64_t connect_timeout; /* ms, as all times here */
    int64_t read_timeout;
    int64_t write_timeout;
    int64_t lock_wait;
    char *lock_dir;
    int64_t max_retries;
    int64_t retry_interval;
    int64_t backoff_factor;
    int64_t timeout_retries;
    int64_t timeout_interval;
    int64_t internal_retries;
    int64_t internal_interval;
    char *auth_key_dir;
    char *auth_key_file;
    int64_t parallel;
    enum log_level log_level;
    char *log_file;
    int64_t log_max_size;
    int64_t log_backups;
};

/*
 * Fills in the defaults and reads a file over them; file NULL is CONFIG_FILE,
 * which need not exist.
 *
 * Return: 0, negative errno with a message.  config_free() in either case.
 */
int config_load(struct config *config, const char *file, struct error *err);

void config_free(struct config *config);

#endif
