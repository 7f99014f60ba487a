/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Sets up and frees the parts of the agent in the order in which they need
 * each other.  Also its signals: TERM and INT end it, HUP opens the log file
 * anew, for logrotate(8).
 */
#include <config.h>

#include "guest/agent.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "guest/handle/custom.h"
#include "guest/handle/handlers.h"
#include "guest/job/command_rule.h"
#include "guest/proc/environment.h"
#include "util/clock.h"
#include "util/fd.h"

static void stop(void *arg)
{
    struct agent *agent = arg;

    agent->loop.stop = true;
}

/* Nobody is without an agent because it cannot log. */
static void open_log(struct agent *agent)
{
    const struct settings *settings = &agent->settings;
    struct error err = ERROR_INIT;

    if (log_open(&agent->log, PACKAGE_NAME "-agent", settings->log_file,
                 settings->log_level, settings->log_max_size,
                 (int) settings->log_backups, &err)
        < 0)
        log_warning(&agent->log,
                    "%s; the log goes to standard error until it can be "
                    "opened",
                    err.message);
}

/* A new log file after logrotate(8) moved the old one. */
static void reopen_log(void *arg)
{
    struct agent *agent = arg;

    log_close(&agent->log);
    open_log(agent);
}

/* The kernel's name of this boot (random(4)); a random one of our own where
 * there is none. */
static int boot_id_read(char *id, size_t size)
{
    struct buf text;
    char *line;

    buf_init(&text, size - 1);
    if (fd_slurp("/proc/sys/kernel/random/boot_id", &text) == 0
        && (line = buf_cstr(&text))) {
        line[strcspn(line, "\n")] = '\0';
        memcpy(id, line, strlen(line) + 1);
        buf_free(&text);
        return 0;
    }
    buf_free(&text);
    return crypto_random_hex(id, 16);
}

static int agent_signals(struct agent *agent)
{
    static const int ending[] = { SIGTERM, SIGINT };
    int r = procs_init(&agent->procs, &agent->loop);

    for (size_t i = 0; r == 0 && i < sizeof(ending) / sizeof(int); i++)
        r = loop_signal_add(&agent->loop, ending[i], stop, agent);
    if (r == 0)
        r = loop_signal_add(&agent->loop, SIGHUP, reopen_log, agent);
    return r;
}

/* Everything works, and something is worse. */
static void agent_kernel(struct agent *agent)
{
    kernel_look(&agent->kernel);
    for (size_t i = 0; i < kernel_parts(); i++) {
        const struct kernel_part *part = kernel_missing(&agent->kernel, i);

        if (part)
            log_info(&agent->log, "kernel %s is without %s (Linux %s): %s",
                     agent->kernel.release, part->name, part->since,
                     part->without);
    }
}

static int agent_policies(struct agent *agent, struct error *err)
{
    const struct settings *settings = &agent->settings;
    int r = rate_init(&agent->rate, settings->per_second,
                      settings->per_minute);

    if (r == 0)
        r = path_policy_init(&agent->paths, &settings->allowed_paths,
                             &settings->readonly_paths,
                             &settings->forbidden_paths);
    if (r < 0)
        return error_errno(err, r, "policy");
    agent->paths.guarded = settings;
    if (!settings->enable_auth)
        return 0;
    return auth_check_init(&agent->auth, settings->auth_key_file, err);
}

static void warn(void *log, const struct error *err)
{
    log_warning(log, "%s", err->message);
}

/* What cannot be run now may be there when somebody asks: an administrator's
 * only way in does not end for it. */
static void agent_ready(struct agent *agent)
{
    struct error err = ERROR_INIT;

    custom_check(&agent->settings, "configuration", warn, &agent->log);
    if (command_rules_ready(&agent->settings, "configuration", &err))
        log_warning(&agent->log, "%s", err.message);
}

static int agent_port(struct agent *agent, const struct agent_source *source,
                      struct error *err)
{
    struct port *port = &agent->port;
    size_t step = (size_t) agent->settings.buffer_size;
    int r = port_init(port, &agent->loop, &agent->session, &agent->log, step);

    if (r < 0)
        return error_errno(err, r, "port");
    if (source->fd >= 0)
        return port_use_fd(port, source->fd, err);
    if (source->listen)
        return port_listen(port, source->listen, err);
    return port_device(
        port, source->device ? source->device : agent->settings.device_path,
        err);
}

/* Nobody looks into what is not set up yet. */
static struct context agent_context(struct agent *agent)
{
    return (struct context) {
        .settings = &agent->settings,
        .log = &agent->log,
        .loop = &agent->loop,
        .procs = &agent->procs,
        .session = &agent->session,
        .server = &agent->session.server,
        .handlers = handlers,
        .rate = &agent->rate,
        .copies = &agent->copies,
        .auth = &agent->auth,
        .paths = &agent->paths,
        .transfers = &agent->transfers,
        .replay_cache = &agent->replay_cache,
        .detached = &agent->detached,
        .jobs = &agent->jobs,
        .outpool = &agent->jobs.pool,
        .cgroups = &agent->cgroups,
        .kernel = &agent->kernel,
        .environment = &agent->environment,
        .grace_ms = SESSION_GRACE_MS,
    };
}

int agent_init(struct agent *agent, struct settings *settings,
               const struct agent_source *source, struct error *err)
{
    struct context *context = &agent->context;
    int r;

    *agent = (struct agent) { .settings = *settings };
    *settings = (struct settings) { 0 };
    agent->context = agent_context(agent);
    replay_cache_init(&agent->replay_cache, clock_ms());
    transfers_init(&agent->transfers, context);
    jobs_init(&agent->jobs, context);
    cgroups_init(&agent->cgroups);
    r = loop_init(&agent->loop);
    if (r < 0)
        return error_errno(err, r, "event loop");
    open_log(agent);
    agent_kernel(agent);
    r = agent_signals(agent);
    if (r < 0)
        return error_errno(err, r, "signals");
    r = environment_base(&agent->environment);
    if (r < 0)
        return error_errno(err, r, "environment");
    r = boot_id_read(context->boot_id, sizeof(context->boot_id));
    if (r < 0)
        return error_errno(err, r, "boot id");
    r = crypto_random_hex(context->instance, INSTANCE_LEN / 2);
    if (r < 0)
        return error_errno(err, r, "random bytes");
    r = agent_policies(agent, err);
    if (r < 0)
        return r;
    agent_ready(agent);
    session_init(&agent->session, context);
    return agent_port(agent, source, err);
}

int agent_run(struct agent *agent)
{
    int r;

    log_info(&agent->log, "VirtioRPC Server started on %s",
             port_name(&agent->port));
    r = loop_run(&agent->loop);
    log_info(&agent->log, "VirtioRPC Server stopped");
    return r;
}

void agent_free(struct agent *agent)
{
    session_free(&agent->session);
    detached_free(&agent->detached);
    jobs_free(&agent->jobs);
    cgroups_free(&agent->cgroups);
    replay_cache_free(&agent->replay_cache);
    transfers_drop(&agent->transfers);
    port_free(&agent->port);
    rate_free(&agent->rate);
    auth_check_free(&agent->auth);
    path_policy_free(&agent->paths);
    strlist_free(&agent->environment);
    settings_free(&agent->settings);
    log_close(&agent->log);
    loop_free(&agent->loop);
}
