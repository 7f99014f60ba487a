/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * list: the running domains.  Their agents are pinged by processes that run at
 * the same time with a short limit, so that one that hangs does not delay the
 * rest.
 */
#include <config.h>

#include "host/cmd/command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/client/connect.h"
#include "host/fleet/fleet.h"
#include "host/link/holder.h"
#include "proto/param.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* A probe is over by then (ms): an agent that is there answers in one. */
#define PROBE_MS 1500

/* And no longer for another command that has the channel. */
#define LOCK_MS 1000

/* The domains that are named. */
#define NAMES_MAX (64 * 1024)

/* What a worker says is one small JSON object. */
#define SAID_MAX 4096

/* What a probe found out. */
struct probe {
    struct buf said;
    char version[RPC_WORD_MAX];
    int64_t ping_us;               /* -1: no answer */
    int condition;                 /* why there is none: an enum status_code */
    struct error err;              /* the words for that */
    char holder[HOLDER_WORDS_MAX]; /* who has the channel, if that is known */
};

struct listing {
    struct command_call *call;
    struct config config; /* the user's with the probe's times; a view */
    struct targets targets;
    struct probe *probes;
};

/* Tells the parent what is wrong, and who it is that has the channel. */
static int say_wrong(const struct target *target, const struct error *err)
{
    AUTO_JSON struct json_object *said = json_object_new_object();
    char words[HOLDER_WORDS_MAX] = "";
    struct holder holder;

    if (err->code == -EBUSY && target->socket && !target->remote
        && holder_find(target->socket, -1, &holder) == HOLDER_OTHER
        && holder.pid)
        snprintf(words, sizeof(words), "%s, pid %ld", holder.program,
                 (long) holder.pid);
    json_add_int(said, "condition", command_condition(err));
    json_add_string(said, "message", err->message);
    json_add_string(said, "hint", err->hint);
    json_add_string(said, "holder", words);
    if (json_whole(said))
        out_json(STDOUT_FILENO, said);
    return EXIT_STATUS_TRANSPORT;
}

static int say_there(struct client *client, int64_t ping_us)
{
    AUTO_JSON struct json_object *said = json_object_new_object();

    json_add_string(said, "version", client->rpc.peer.version);
    json_add_int(said, "ping_us", ping_us);
    if (json_whole(said))
        out_json(STDOUT_FILENO, said);
    client_free(client); /* gives a stream's channel back */
    return EXIT_STATUS_OK;
}

/* Pings and tells the parent. */
static int work(void *context, size_t i, int records)
{
    const struct listing *listing = context;
    struct target *target = &listing->targets.items[i];
    struct client_setup setup = { .config = &listing->config,
                                  .source = &listing->call->source,
                                  .out = &listing->call->out,
                                  .log = listing->call->log,
                                  .timeout = PROBE_MS,
                                  .lock_wait = LOCK_MS };
    struct error err = ERROR_INIT;
    struct client client;
    struct answer answer;
    int64_t start;

    (void) records;
    if (target->err.code < 0)
        return say_wrong(target, &target->err);
    client_init(&client, &setup, target);
    answer_init(&answer);
    if (client_connect(&client, &err) < 0)
        return say_wrong(target, &err);
    start = clock_us();
    if (client_ping(&client, &answer, &err) < 0)
        return say_wrong(target, &err);
    return say_there(&client, clock_us() - start);
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
    const char *message = "";
    const char *hint = "";
    const char *holder = "";
    int64_t condition = STATUS_AGENT_SILENT;

    (void) status;
    if (probe->said.len > 1
        && json_parse((char *) buf_data(&probe->said), probe->said.len - 1,
                      &said, NULL)
               == 0) {
        param_string(said, "version", PARAM_OPTIONAL, &version, NULL);
        param_string(said, "message", PARAM_OPTIONAL, &message, NULL);
        param_string(said, "hint", PARAM_OPTIONAL, &hint, NULL);
        param_string(said, "holder", PARAM_OPTIONAL, &holder, NULL);
        param_int(said, "ping_us", PARAM_OPTIONAL, 0, INT64_MAX,
                  &probe->ping_us, NULL);
        param_int(said, "condition", PARAM_OPTIONAL, 0, INT_MAX, &condition,
                  NULL);
    }
    snprintf(probe->version, sizeof(probe->version), "%s", version);
    snprintf(probe->holder, sizeof(probe->holder), "%s", holder);
    error_set(&probe->err, -EIO, "%s", message);
    error_hint(&probe->err, "%s", hint);
    probe->condition = (int) condition;
    buf_free(&probe->said);
    return 0;
}

/* In one column, and in as few words as say which layer it is. */
static const struct {
    enum status_code condition;
    const char *words;
} conditions[] = {
    { STATUS_DOMAIN_NOT_FOUND, "no such domain" },
    { STATUS_DOMAIN_NOT_RUNNING, "not running" },
    { STATUS_DOMAIN_PAUSED, "paused" },
    { STATUS_NO_CHANNEL, "no channel" },
    { STATUS_SEVERAL_CHANNELS, "several channels" },
    { STATUS_NO_SOCKET, "no socket" },
    { STATUS_NO_PERMISSION, "no permission" },
    { STATUS_AGENT_NOT_RUNNING, "agent not running" },
    { STATUS_AGENT_SILENT, "agent silent" },
    { STATUS_READ_TIMEOUT, "agent silent" },
    { STATUS_CHANNEL_BUSY, "busy" },
    { STATUS_AUTH_FAILED, "wrong key" },
};

/* The words, and who has the channel.  Return: in words, or from the table. */
static const char *state_words(const struct probe *probe,
                               char words[HOLDER_WORDS_MAX + 16])
{
    const char *state = "failed";

    if (probe->ping_us >= 0)
        return "connected";
    for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
        if ((int) conditions[i].condition == probe->condition)
            state = conditions[i].words;
    snprintf(words, HOLDER_WORDS_MAX + 16, *probe->holder ? "%s (%s)" : "%s",
             state, probe->holder);
    return words;
}

/* One domain as words, in the order of the columns. */
static int row_add(const struct listing *listing, size_t i,
                   struct strlist *cells)
{
    const struct target *target = &listing->targets.items[i];
    const struct probe *probe = &listing->probes[i];
    char state[HOLDER_WORDS_MAX + 16];
    char id[16];
    char ping[32] = "-";
    const char *row[] = { target->name,
                          id,
                          target->channel ? target->channel : "-",
                          state_words(probe, state),
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

/* What is wrong, as in the envelope of any other command; or nothing. */
static int row_wrong(struct json_object *row, const struct probe *probe)
{
    const char *const hint = probe->err.hint;

    if (probe->ping_us >= 0)
        return json_add_string(row, "error", NULL);
    json_add_int(row, "code", probe->condition);
    json_add_string(row, "error_type", status_get(probe->condition)->name);
    json_add_string(row, "hint", *hint ? hint : NULL);
    return json_add_string(row, "error", probe->err.message);
}

static struct json_object *row_json(const struct listing *listing, size_t i)
{
    const struct target *target = &listing->targets.items[i];
    const struct probe *probe = &listing->probes[i];
    bool there = probe->ping_us >= 0;
    struct json_object *row = json_object_new_object();
    char state[HOLDER_WORDS_MAX + 16];

    if (row && json_add_string(row, "name", target->name) == 0
        && json_add_int(row, "id", target->id) == 0
        && json_add_string(row, "uuid", target->uuid) == 0
        && json_add_string(row, "channel", target->channel) == 0
        && json_add_bool(row, "connected", there) == 0
        && json_add_string(row, "agent_version", there ? probe->version : NULL)
               == 0
        && row_ping(row, probe->ping_us) == 0
        && json_add_string(row, "state", state_words(probe, state)) == 0
        && row_wrong(row, probe) == 0)
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
    return list ? out_json(listing->call->out.records, list) : -ENOMEM;
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
        .input = -1,
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

/* Those that are named, in front of the command or behind it; or all.  They are
 * always a list, in which what is wrong with one is its own. */
static int listing_find(struct listing *listing, struct error *err)
{
    struct command_call *call = listing->call;
    struct buf names;
    size_t skipped;
    int r = 0;

    buf_init(&names, NAMES_MAX);
    if (call->domain)
        r = buf_printf(&names, "%s,", call->domain);
    for (int i = 0; r == 0 && i < call->n_args; i++)
        r = buf_printf(&names, "%s,", call->args[i]);
    if (r < 0)
        error_errno(err, r, "list");
    else if (names.len > 0)
        r = targets_of_operand(&call->source, buf_cstr(&names),
                               &listing->targets, err);
    else
        r = targets_of_all(&call->source, true, &listing->targets, &skipped,
                           err);
    buf_free(&names);
    return r;
}

/* Return: the exit status; a name that is none is an error, with its words. */
static int listing_show(const struct listing *listing)
{
    int r = listing->call->out.json ? show_json(listing) : show_table(listing);

    if (r < 0)
        return command_output_status(r);
    r = EXIT_STATUS_OK;
    for (size_t i = 0; i < listing->targets.n; i++) {
        if (listing->probes[i].condition != STATUS_DOMAIN_NOT_FOUND)
            continue;
        command_show(listing->call, &listing->probes[i].err);
        r = EXIT_STATUS_TRANSPORT;
    }
    return r;
}

int cmd_list(struct command_call *call)
{
    struct listing listing;
    struct error err = ERROR_INIT;
    int r;

    listing_init(&listing, call);
    r = listing_find(&listing, &err);
    if (r == 0)
        r = listing_probe(&listing, &err);
    if (r < 0) {
        r = command_fail(call, &err);
    } else if (r > 0) {
        call->interrupted = r;
    } else {
        r = listing_show(&listing);
    }
    free(listing.probes);
    targets_free(&listing.targets);
    return r;
}
