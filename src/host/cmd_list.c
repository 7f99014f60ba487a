/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* list: the running domains and what their agents say. */
#include <config.h>

#include "host/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/fleet.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* A probe is over by then (ms): an agent that is there answers in one. */
#define PROBE_MS 1500

/* And no longer for another command that has the channel. */
#define LOCK_MS 1000

/* What a worker says is one small JSON object. */
#define SAID_MAX 4096

/* What a probe found out. */
struct probe {
    struct buf said;
    char version[RPC_WORD_MAX];
    int64_t ping_us; /* -1: no answer */
    bool busy;       /* another client has the channel */
};

struct listing {
    struct command_call *call;
    struct config config; /* the user's with the probe's times; a view */
    struct targets targets;
    struct probe *probes;
};

/* Pings and tells the parent.  Silence means: no answer. */
static int work(void *context, size_t i)
{
    const struct listing *listing = context;
    struct target *target = &listing->targets.items[i];
    struct client_setup setup = { .config = &listing->config,
                                  .source = &listing->call->source,
                                  .out = &listing->call->out,
                                  .log = listing->call->log,
                                  .timeout = PROBE_MS,
                                  .lock_wait = LOCK_MS };
    AUTO_JSON struct json_object *said = json_object_new_object();
    struct client client;
    struct answer answer;
    int64_t start;
    int r;

    if (target->err.code < 0 || !said)
        return EXIT_STATUS_TRANSPORT;
    client_init(&client, &setup, target);
    answer_init(&answer);
    r = client_connect(&client, NULL);
    if (r == -EBUSY && json_add_bool(said, "busy", true) == 0)
        out_json(said);
    if (r < 0)
        return EXIT_STATUS_TRANSPORT;
    start = clock_us();
    if (client_ping(&client, &answer, NULL) < 0
        || json_add_string(said, "version", client.rpc.peer.version) < 0
        || json_add_int(said, "ping_us", clock_us() - start) < 0)
        return EXIT_STATUS_TRANSPORT;
    out_json(said);
    return EXIT_STATUS_OK;
}

static int output(void *context, size_t i, int fd, const uint8_t *bytes,
                  size_t n)
{
    const struct listing *listing = context;

    if (fd == STDOUT_FILENO) {
        buf_append(&listing->probes[i].said, bytes, n);
        return 0;
    }
    return out_bytes(fd, bytes, n);
}

static int done(void *context, size_t i, int status)
{
    const struct listing *listing = context;
    struct probe *probe = &listing->probes[i];
    AUTO_JSON struct json_object *said = NULL;
    const char *version = "";

    (void) status;
    if (probe->said.len > 1
        && json_parse((char *) buf_data(&probe->said), probe->said.len - 1,
                      &said, NULL)
               == 0
        && param_bool(said, "busy", PARAM_OPTIONAL, &probe->busy, NULL) == 0
        && param_string(said, "version", PARAM_REQUIRED, &version, NULL) == 0)
        param_int(said, "ping_us", PARAM_REQUIRED, 0, INT64_MAX,
                  &probe->ping_us, NULL);
    snprintf(probe->version, sizeof(probe->version), "%s", version);
    buf_free(&probe->said);
    return 0;
}

static const char *state_word(const struct listing *listing, size_t i)
{
    if (listing->probes[i].ping_us >= 0)
        return "connected";
    if (listing->probes[i].busy)
        return "busy";
    return listing->targets.items[i].state == CHANNEL_CONNECTED ? "no answer"
                                                                : "-";
}

/* One domain as words, in the order of the columns. */
static int row_add(const struct listing *listing, size_t i,
                   struct strlist *cells)
{
    const struct target *target = &listing->targets.items[i];
    const struct probe *probe = &listing->probes[i];
    char id[16];
    char ping[32] = "-";
    const char *row[] = { target->name,
                          id,
                          target->channel ? target->channel : "-",
                          state_word(listing, i),
                          *probe->version ? probe->version : "-",
                          ping };

    snprintf(id, sizeof(id), "%d", target->id);
    if (probe->ping_us >= 0)
        snprintf(ping, sizeof(ping), "%.1f", (double) probe->ping_us / 1000);
    for (size_t k = 0; k < ARRAY_SIZE(row); k++)
        if (strlist_add(cells, row[k]) < 0)
            return -ENOMEM;
    return 0;
}

static int show_table(const struct listing *listing)
{
    static const char *const head[] = { "NAME",  "ID",    "CHANNEL",
                                        "STATE", "AGENT", "PING(ms)" };
    struct strlist cells = { 0 };
    int r = 0;

    for (size_t k = 0; k < ARRAY_SIZE(head) && r == 0; k++)
        r = strlist_add(&cells, head[k]);
    for (size_t i = 0; i < listing->targets.n && r == 0; i++)
        r = row_add(listing, i, &cells);
    if (r == 0)
        r = out_table(&cells, ARRAY_SIZE(head));
    strlist_free(&cells);
    return r;
}

/* Milliseconds with three digits, not the nearest double's seventeen. */
static int row_ping(struct json_object *row, int64_t us)
{
    char text[32];

    if (us < 0)
        return json_add_string(row, "ping_ms", NULL);
    snprintf(text, sizeof(text), "%.3f", (double) us / 1000);
    return json_add(row, "ping_ms",
                    json_object_new_double_s((double) us / 1000, text));
}

static struct json_object *row_json(const struct listing *listing, size_t i)
{
    const struct target *target = &listing->targets.items[i];
    const struct probe *probe = &listing->probes[i];
    bool there = probe->ping_us >= 0;
    struct json_object *row = json_object_new_object();

    if (row && json_add_string(row, "name", target->name) == 0
        && json_add_int(row, "id", target->id) == 0
        && json_add_string(row, "uuid", target->uuid) == 0
        && json_add_string(row, "channel", target->channel) == 0
        && json_add_bool(row, "connected", there) == 0
        && json_add_string(row, "agent_version",
                           there ? probe->version : NULL)
               == 0
        && json_add_bool(row, "busy", probe->busy) == 0
        && row_ping(row, probe->ping_us) == 0
        && json_add_string(row, "error",
                           target->err.code ? target->err.message : NULL)
               == 0)
        return row;
    json_object_put(row);
    return NULL;
}

static int show_json(const struct listing *listing)
{
    AUTO_JSON struct json_object *list = json_object_new_array();

    for (size_t i = 0; list && i < listing->targets.n; i++) {
        struct json_object *row = row_json(listing, i);

        if (!row || json_object_array_add(list, row) < 0)
            return -ENOMEM;
    }
    return list ? out_json(list) : -ENOMEM;
}

/* The probes have short times and no second tries. */
static void listing_init(struct listing *listing, struct command_call *call)
{
    *listing = (struct listing) { .call = call, .config = *call->config };
    if (listing->config.connect_timeout > PROBE_MS)
        listing->config.connect_timeout = PROBE_MS;
    listing->config.max_retries = 0;
}

static int listing_probe(struct listing *listing, struct error *err)
{
    const struct options *options = listing->call->options;
    struct fleet fleet = {
        .n = listing->targets.n,
        .parallel = options->parallel ? options->parallel
                                      : listing->config.parallel,
        .context = listing,
        .work = work,
        .output = output,
        .done = done,
    };

    listing->probes = calloc(fleet.n + 1, sizeof(*listing->probes));
    if (!listing->probes)
        return error_errno(err, -ENOMEM, "list");
    for (size_t i = 0; i < fleet.n; i++) {
        listing->probes[i].ping_us = -1;
        buf_init(&listing->probes[i].said, SAID_MAX);
    }
    return fleet_run(&fleet, err);
}

int cmd_list(struct command_call *call)
{
    struct listing listing;
    struct error err = ERROR_INIT;
    size_t skipped;
    bool json;
    int r;

    listing_init(&listing, call);
    r = targets_of_all(&call->source, true, &listing.targets, &skipped,
                       &err);
    if (r == 0)
        r = listing_probe(&listing, &err);
    if (r < 0) {
        r = command_fail(call, &err);
    } else if (r > 0) {
        call->interrupted = r;
    } else {
        json = call->out.json || call->values.json;
        r = json ? show_json(&listing) : show_table(&listing);
        r = r < 0 ? command_output_status(r) : EXIT_STATUS_OK;
    }
    free(listing.probes);
    targets_free(&listing.targets);
    return r;
}
