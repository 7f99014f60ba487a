/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Multi: one command for several domains, each in a worker process, with the
 * domain's name in front of its output or, with --json, as a member of its
 * records; in the end a summary that names those that failed.
 */
#include <config.h>

#include "host/multi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/fleet/fleet.h"
#include "host/fleet/prefix.h"
#include "host/fleet/record.h"
#include "host/single.h"
#include "host/term/out.h"
#include "proto/envelope.h"
#include "proto/status.h"
#include "util/cleanup.h"

#define SUMMARY_MAX 3000 /* bytes of names; a message is not longer either */

/* What the parent keeps of one target. */
struct member {
    struct prefix streams[2]; /* standard output, standard error */
    struct record record;     /* with --json, of standard output */
    int status;
    bool spoke; /* on standard error */
    bool ended;
};

struct multi {
    struct command_call *call;
    const struct targets *targets;
    struct member *members;
};

static int work(void *context, size_t i, int records)
{
    const struct multi *multi = context;

    if (records >= 0)
        multi->call->out.records = records;
    multi->call->lockless_known = i > 0; /* the first one tells */
    return single_run(multi->call, &multi->targets->items[i]);
}

static int output(void *context, size_t i, int fd, const uint8_t *bytes,
                  size_t n)
{
    const struct multi *multi = context;

    multi->members[i].spoke |= fd == STDERR_FILENO;
    if (multi->call->out.json && fd != STDERR_FILENO)
        return record_feed(&multi->members[i].record, fd == FLEET_RECORDS,
                           bytes, n);
    return prefix_feed(&multi->members[i].streams[fd - 1], fd, bytes, n);
}

/* Gives a member the record that it would have written itself. */
static int tell(struct member *member, const struct error *err)
{
    AUTO_JSON struct json_object *failure = command_failure(err);

    return failure ? record_add(&member->record, failure) : -ENOMEM;
}

/* Nobody leaves without a word. */
static int killed(void *context, size_t i)
{
    static const char words[] = PROGRAM ": interrupted\n";
    const struct multi *multi = context;
    struct member *member = &multi->members[i];
    struct error err = ERROR_INIT;
    int r = 0;

    error_set(&err, -ECANCELED, "interrupted");
    if (multi->call->out.json)
        r = tell(member, &err);
    return r < 0 || member->spoke
               ? r
               : prefix_feed(&member->streams[1], STDERR_FILENO,
                             (const uint8_t *) words, sizeof(words) - 1);
}

static int done(void *context, size_t i, int status)
{
    const struct multi *multi = context;
    struct member *member = &multi->members[i];
    int r = multi->call->out.json ? record_end(&member->record, status) : 0;

    member->status = status;
    member->ended = true;
    for (int stream = 0; stream < 2; stream++) {
        int ended = prefix_end(&member->streams[stream], stream + 1);

        r = r < 0 ? r : ended;
        prefix_free(&member->streams[stream]);
    }
    return r;
}

static size_t count_failed(const struct multi *multi)
{
    size_t failed = 0;

    for (size_t i = 0; i < multi->targets->n; i++)
        failed += multi->members[i].status != 0;
    return failed;
}

/* "3 domains: 2 succeeded, 1 failed (web2: 125)" */
static void sum_up(const struct multi *multi, size_t failed)
{
    struct buf names;
    const char *text;

    buf_init(&names, SUMMARY_MAX);
    for (size_t i = 0; i < multi->targets->n; i++) {
        const struct member *member = &multi->members[i];

        if (member->status
            && buf_printf(&names, "%s%s: %d", names.len ? ", " : "",
                          multi->targets->items[i].name, member->status)
                   < 0)
            break;
    }
    text = names.len ? buf_cstr(&names) : NULL;
    out_message(&multi->call->out,
                "%zu domain%s: %zu succeeded, %zu failed%s%s%s",
                multi->targets->n, multi->targets->n == 1 ? "" : "s",
                multi->targets->n - failed, failed, text ? " (" : "",
                text ? text : "", text ? ")" : "");
    buf_free(&names);
}

/* A member's name is a text as any other. */
static void add_failure(struct json_object *names, const struct target *target,
                        int status)
{
    AUTO_JSON struct json_object *name = json_name(target->name,
                                                   strlen(target->name));

    if (name)
        json_add_int(names, json_object_get_string(name), status);
    else
        json_add(names, "", NULL); /* it lacks something then */
}

/* The same as the last record, with each that failed. */
static int sum_up_json(const struct multi *multi, size_t failed)
{
    AUTO_JSON struct json_object *root = json_object_new_object();
    struct json_object *summary = json_object_new_object();
    struct json_object *names = json_object_new_object();

    for (size_t i = 0; i < multi->targets->n; i++)
        if (multi->members[i].status)
            add_failure(names, &multi->targets->items[i],
                        multi->members[i].status);
    json_add_int(summary, "domains", (int64_t) multi->targets->n);
    json_add_int(summary, "succeeded", (int64_t) (multi->targets->n - failed));
    json_add_int(summary, "failed", (int64_t) failed);
    json_add(summary, "failures", names);
    json_add(root, "summary", summary);
    return json_whole(root) ? out_json(STDOUT_FILENO, root) : -ENOMEM;
}

static void members_init(struct multi *multi)
{
    for (size_t i = 0; i < multi->targets->n; i++) {
        struct member *member = &multi->members[i];
        const char *name = multi->targets->items[i].name;

        prefix_init(&member->streams[0], name);
        prefix_init(&member->streams[1], name);
        record_init(&member->record, name);
    }
}

static void members_free(struct multi *multi)
{
    for (size_t i = 0; i < multi->targets->n; i++) {
        struct member *member = &multi->members[i];

        prefix_free(&member->streams[0]);
        prefix_free(&member->streams[1]);
        record_free(&member->record);
    }
}

/* They have ended, r as of fleet_run().  Return: the exit status; negative errno
 * when the summary cannot be written. */
static int ended(struct multi *multi, int r)
{
    size_t failed = count_failed(multi);
    int written = multi->call->out.json ? sum_up_json(multi, failed) : 0;

    sum_up(multi, failed);
    if (written < 0)
        return written;
    if (r == 0)
        return failed > 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_OK;
    multi->call->interrupted = r;
    return EXIT_STATUS_SIGNAL + r;
}

/* What went wrong here ended those that had not ended.  Return: the exit status;
 * negative errno when that cannot be written. */
static int failed_all(struct multi *multi, const struct error *err)
{
    bool json = multi->call->out.json;
    int r = 0;

    for (size_t i = 0; json && r == 0 && i < multi->targets->n; i++) {
        struct member *member = &multi->members[i];

        if (member->ended)
            continue;
        member->status = EXIT_STATUS_TRANSPORT;
        r = tell(member, err);
        if (r == 0)
            r = record_end(&member->record, member->status);
    }
    if (json && r == 0)
        r = sum_up_json(multi, count_failed(multi));
    out_error(err);
    return r < 0 ? r : EXIT_STATUS_TRANSPORT;
}

/* Return: the exit status; negative errno when output cannot be written. */
static int run_all(struct multi *multi)
{
    const struct options *options = multi->call->options;
    struct fleet fleet = {
        .n = multi->targets->n,
        .parallel = options->parallel ? options->parallel
                                      : multi->call->config->parallel,
        .input = multi->call->reads_input ? STDIN_FILENO : -1,
        .records = multi->call->out.json,
        .context = multi,
        .work = work,
        .output = output,
        .done = done,
        .killed = killed,
    };
    struct error err = ERROR_INIT;
    int r;

    members_init(multi);
    r = fleet_run(&fleet, &err);
    if (r < 0 && err.code)
        r = failed_all(multi, &err);
    else if (r >= 0)
        r = ended(multi, r);
    members_free(multi);
    return r;
}

int multi_run(struct command_call *call, const struct targets *targets)
{
    AUTO_FREE struct member *members = calloc(targets->n + 1,
                                              sizeof(*members));
    struct multi multi = { call, targets, members };
    struct error err = ERROR_INIT;
    int r;

    call->multi = true;
    if (!members) {
        error_errno(&err, -ENOMEM, "domains");
        return command_fail(call, &err);
    }
    r = run_all(&multi);
    return r < 0 ? command_output_status(r) : r;
}
