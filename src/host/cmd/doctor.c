/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * doctor: runs the checks in a process of its own, which can be ended when a
 * call of libvirt hangs, and shows the rows that come through its pipe.  The
 * rows that do not come are made here.
 */
#include <config.h>

#include "host/cmd/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/doctor/doctor.h"
#include "host/fleet/fleet.h"
#include "proto/param.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* What the layers may take that are not connecting (ms). */
#define REST_MS 4000

#define ROW_LONGEST (16 * 1024)
#define REPORT_LONGEST (64 * 1024) /* a pipe takes it in one piece */
#define INDENT "                "  /* a mend stands under the words */

/* What the parent has of a walk. */
struct visit {
    struct command_call *call;
    struct buf line;          /* a row that has not arrived whole */
    struct buf text;          /* what people are still to be shown */
    struct json_object *rows; /* array; owned */
    struct target target;     /* what was typed, for the walk */
    int64_t connect_ms;       /* for the connection */
    int64_t limit_ms;         /* for all of it */
    int status;
};

static const struct {
    const char *state;
    const char *word;
} words[] = {
    { "ok", "ok" },
    { "warn", "warn" },
    { "fail", "FAIL" },
    { "skipped", "-" },
};

static const char *word_of(const char *state)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(words[i].state, state) == 0)
            return words[i].word;
    return "?";
}

static const char *member(struct json_object *row, const char *name)
{
    const char *value = NULL;

    param_string(row, name, PARAM_OPTIONAL, &value, NULL);
    return value ? value : "";
}

/* What is ready for people, in one write. */
static int visit_flush(struct visit *visit)
{
    int r = visit->text.len ? out_bytes(STDOUT_FILENO, buf_data(&visit->text),
                                        visit->text.len)
                            : 0;

    buf_clear(&visit->text);
    return r;
}

/* A row for people.  Of several domains, each is one block. */
static int row_show(struct visit *visit, struct json_object *row)
{
    const char *mend = member(row, "mend");
    int r = out_format(&visit->text, "%-5s %-9s %s",
                       word_of(member(row, "state")), member(row, "check"),
                       member(row, "message"));

    while (r == 0 && *mend) {
        size_t n = strcspn(mend, "\n");

        r = out_format(&visit->text, INDENT "%.*s", (int) n, mend);
        mend += n + (mend[n] == '\n');
    }
    return r == 0 && !visit->call->multi ? visit_flush(visit) : r;
}

static bool is_behind(struct json_object *row)
{
    return strcmp(member(row, "message"), DOCTOR_BEHIND) == 0;
}

/* What is behind a failure is one line, and the last. */
static int visit_show_behind(struct visit *visit)
{
    size_t n = json_object_array_length(visit->rows);
    const char *head = "-               " DOCTOR_BEHIND ": ";
    struct buf line;
    int r = 0;

    buf_init(&line, ROW_LONGEST);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct json_object *row = json_object_array_get_idx(visit->rows, i);

        if (!is_behind(row))
            continue;
        r = buf_printf(&line, "%s%s", head, member(row, "check"));
        head = ", ";
    }
    if (r == 0 && line.len)
        r = out_format(&visit->text, "%s", buf_cstr(&line));
    buf_free(&line);
    return r == 0 ? visit_flush(visit) : r;
}

/* Takes a row over. */
static int row_take(struct visit *visit, struct json_object *row)
{
    if (json_object_array_add(visit->rows, row) < 0) {
        json_object_put(row);
        return -ENOMEM;
    }
    return visit->call->out.json || is_behind(row) ? 0 : row_show(visit, row);
}

static int work(void *context, size_t i, int records)
{
    struct visit *visit = context;

    (void) i;
    (void) records;
    return doctor_walk(&visit->call->client->setup, &visit->target,
                       visit->connect_ms);
}

/* Takes the rows that are complete. */
static int output(void *context, size_t i, int fd, const uint8_t *bytes,
                  size_t n)
{
    struct visit *visit = context;
    int r = 0;

    (void) i;
    if (fd != STDOUT_FILENO)
        return out_bytes(fd, bytes, n);
    for (size_t k = 0; k < n && r == 0; k++) {
        struct json_object *row = NULL;

        if (bytes[k] != '\n') {
            r = buf_append(&visit->line, &bytes[k], 1);
            continue;
        }
        if (json_parse((char *) buf_data(&visit->line), visit->line.len, &row,
                       NULL)
            == 0)
            r = row_take(visit, row);
        buf_clear(&visit->line);
    }
    return r;
}

static int done(void *context, size_t i, int status)
{
    struct visit *visit = context;

    (void) i;
    visit->status = status;
    return 0;
}

static struct json_object *row_new(const char *name, const char *state,
                                   const char *message, const char *mend)
{
    struct json_object *row = json_object_new_object();

    if (row && json_add_string(row, "check", name) == 0
        && json_add_string(row, "state", state) == 0
        && json_add_string(row, "message", message) == 0
        && json_add_string(row, "mend", mend) == 0)
        return row;
    json_object_put(row);
    return NULL;
}

/* The rows that a walk has not come to: it was stuck in the first of them, or
 * died there. */
static int visit_finish(struct visit *visit, bool expired)
{
    size_t n;
    const struct doctor_check *checks = doctor_table(&n);
    bool stuck = true;
    char message[128];
    int r = 0;

    snprintf(message, sizeof(message),
             expired ? "no answer within %g s" : "the check ended by itself",
             (double) visit->limit_ms / 1000);
    for (size_t i = 0, row = 0; i < n && r == 0; i++) {
        struct json_object *made;

        if (checks[i].needs == DOCTOR_LIBVIRT && !visit->target.name)
            continue;
        if (row++ < json_object_array_length(visit->rows))
            continue;
        made = row_new(checks[i].name, stuck ? "fail" : "skipped",
                       stuck ? message : DOCTOR_BEHIND,
                       stuck ? checks[i].hung : NULL);
        r = made ? row_take(visit, made) : -ENOMEM;
        stuck = false;
        visit->status = EXIT_STATUS_FAILED;
    }
    return r;
}

/* Several targets' lines are objects, so that each gets its domain's name. */
static int visit_json(const struct visit *visit)
{
    AUTO_JSON struct json_object *object = NULL;

    if (!visit->call->multi)
        return out_json(visit->call->out.records, visit->rows);
    object = json_object_new_object();
    if (!object
        || json_add(object, "checks", json_object_get(visit->rows)) < 0)
        return -ENOMEM;
    return out_json(visit->call->out.records, object);
}

static int visit_run(struct visit *visit, struct error *err)
{
    struct fleet fleet = { .n = 1,
                           .parallel = 1,
                           .limit_ms = visit->limit_ms,
                           .input = -1,
                           .context = visit,
                           .work = work,
                           .output = output,
                           .done = done };
    int r = visit->rows ? fleet_run(&fleet, err) : -ENOMEM;

    if (r > 0) {
        visit->call->interrupted = r;
        visit->status = EXIT_STATUS_SIGNAL + r;
        return 0;
    }
    if (r == 0 || (r == -ETIMEDOUT && !err->code))
        r = visit_finish(visit, r < 0);
    if (r == 0)
        r = visit->call->out.json ? visit_json(visit)
                                  : visit_show_behind(visit);
    return r;
}

int cmd_doctor(struct command_call *call)
{
    struct visit visit = {
        .call = call,
        .rows = json_object_new_array(),
        .target = *call->client->target,
        .connect_ms = call->config->connect_timeout,
        .status = EXIT_STATUS_FAILED,
    };
    struct error err = ERROR_INIT;
    int r;

    if (call->options->timeout > 0
        && call->options->timeout < visit.connect_ms)
        visit.connect_ms = call->options->timeout;
    visit.limit_ms = visit.connect_ms + REST_MS;
    buf_init(&visit.line, ROW_LONGEST);
    buf_init(&visit.text, REPORT_LONGEST);
    r = visit_run(&visit, &err);
    if (r < 0)
        visit.status = err.code ? command_fail(call, &err)
                                : command_output_status(r);
    buf_free(&visit.line);
    buf_free(&visit.text);
    json_object_put(visit.rows);
    return visit.status;
}
