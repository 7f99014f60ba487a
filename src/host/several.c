/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/several.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/fleet.h"
#include "host/prefix.h"
#include "proto/status.h"
#include "util/cleanup.h"

#define SUMMARY_MAX 3000 /* bytes of names; a message is not longer either */

/* What the parent keeps of one target. */
struct member {
    struct prefix streams[2]; /* standard output, standard error */
    int status;
    bool spoke; /* on standard error */
};

struct several {
    struct command_call *call;
    const struct targets *targets;
    struct member *members;
};

static int64_t lock_wait(const struct command_call *call)
{
    return call->options->lock_wait == TIMEOUT_UNSET
               ? call->config->lock_wait
               : call->options->lock_wait;
}

int several_one(struct command_call *call, struct target *target)
{
    struct client_setup setup = { .config = call->config,
                                  .source = &call->source,
                                  .out = &call->out,
                                  .log = call->log,
                                  .timeout = call->options->timeout,
                                  .lock_wait = lock_wait(call),
                                  .lockless_known = call->lockless_known };
    struct client client;
    int status;

    if (target->err.code < 0
        && !(call->command->flags & COMMAND_UNRESOLVED))
        return command_fail(call, &target->err);
    client_init(&client, &setup, target);
    call->client = &client;
    status = call->command->run(call);
    call->client = NULL;
    client_free(&client);
    if (!client.interrupted)
        return status;
    call->interrupted = client.interrupted;
    return EXIT_STATUS_SIGNAL + client.interrupted;
}

static int work(void *context, size_t i)
{
    const struct several *several = context;

    several->call->lockless_known = i > 0; /* the first one tells */
    return several_one(several->call, &several->targets->items[i]);
}

static int output(void *context, size_t i, int fd, const uint8_t *bytes,
                  size_t n)
{
    const struct several *several = context;

    several->members[i].spoke |= fd == STDERR_FILENO;
    return prefix_feed(&several->members[i].streams[fd - 1], fd, bytes, n);
}

/* Nobody leaves without a word. */
static int killed(void *context, size_t i)
{
    static const char words[] = PROGRAM ": interrupted\n";
    const struct several *several = context;
    struct member *member = &several->members[i];

    return member->spoke ? 0
                         : prefix_feed(&member->streams[1], STDERR_FILENO,
                                       (const uint8_t *) words,
                                       sizeof(words) - 1);
}

static int done(void *context, size_t i, int status)
{
    const struct several *several = context;
    struct member *member = &several->members[i];
    int r = 0;

    member->status = status;
    for (int stream = 0; stream < 2; stream++) {
        int ended = prefix_end(&member->streams[stream], stream + 1);

        r = r < 0 ? r : ended;
        prefix_free(&member->streams[stream]);
    }
    return r;
}

static size_t count_failed(const struct several *several)
{
    size_t failed = 0;

    for (size_t i = 0; i < several->targets->n; i++)
        failed += several->members[i].status != 0;
    return failed;
}

/* "3 domains: 2 succeeded, 1 failed (web2: 125)" */
static size_t sum_up(const struct several *several)
{
    size_t failed = count_failed(several);
    struct buf names;
    const char *text;

    buf_init(&names, SUMMARY_MAX);
    for (size_t i = 0; i < several->targets->n; i++) {
        const struct member *member = &several->members[i];

        if (member->status
            && buf_printf(&names, "%s%s: %d", names.len ? ", " : "",
                          several->targets->items[i].name, member->status)
                   < 0)
            break;
    }
    text = names.len ? buf_cstr(&names) : NULL;
    out_message(&several->call->out,
                "%zu domain%s: %zu succeeded, %zu failed%s%s%s",
                several->targets->n, several->targets->n == 1 ? "" : "s",
                several->targets->n - failed, failed, text ? " (" : "",
                text ? text : "", text ? ")" : "");
    buf_free(&names);
    return failed;
}

/* Return: the exit status. */
static int run(struct several *several)
{
    const struct options *options = several->call->options;
    struct fleet fleet = {
        .n = several->targets->n,
        .parallel = options->parallel ? options->parallel
                                      : several->call->config->parallel,
        .context = several,
        .work = work,
        .output = output,
        .done = done,
        .killed = killed,
    };
    struct error err = ERROR_INIT;
    int r;

    for (size_t i = 0; i < fleet.n; i++)
        for (int stream = 0; stream < 2; stream++)
            prefix_init(&several->members[i].streams[stream],
                        several->targets->items[i].name,
                        several->call->out.json && stream == 0);
    r = fleet_run(&fleet, &err);
    for (size_t i = 0; i < fleet.n; i++)
        for (int stream = 0; stream < 2; stream++)
            prefix_free(&several->members[i].streams[stream]);
    if (r < 0 && !err.code)
        return command_output_status(r);
    if (r < 0) {
        out_error(&err);
        return EXIT_STATUS_TRANSPORT;
    }
    if (r > 0) {
        sum_up(several);
        several->call->interrupted = r;
        return EXIT_STATUS_SIGNAL + r;
    }
    return sum_up(several) > 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_OK;
}

int several_run(struct command_call *call, const struct targets *targets)
{
    AUTO_FREE struct member *members
        = calloc(targets->n + 1, sizeof(*members));
    struct several several = { call, targets, members };
    struct error err = ERROR_INIT;

    call->several = true;
    if (!members) {
        error_errno(&err, -ENOMEM, "domains");
        return command_fail(call, &err);
    }
    return run(&several);
}
