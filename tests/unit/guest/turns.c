/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/guest/turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/guest/spin.h"
#include "unit/unit.h"

/* Longer than a test takes. */
#define GRACE_NEVER (10 * SPIN_MAX_MS)

struct turn turn;
char job_id[16];

void turns_setup(void)
{
    turn = (struct turn) { .segments = "" };
    session_setup();
    rig.agent.context.grace_ms = GRACE_NEVER;
}

static void turn_free(void)
{
    rig_answer_free(&turn.answer);
    json_object_put(turn.status);
    turn = (struct turn) { .segments = "" };
}

void turns_teardown(void)
{
    turn_free();
    jobs_free(&rig.agent.jobs);
    ck_assert_uint_eq(rig.agent.jobs.n, 0);
    ck_assert_uint_eq(rig.agent.jobs.pool.left, OUTPOOL_BLOCKS);
    ck_assert_int_eq(rig.agent.context.running, 0);
    session_teardown();
}

static struct json_object *status_parse(const char *text)
{
    struct json_object *status = NULL;

    ck_assert_int_eq(json_parse(text, strlen(text), &status, NULL), 0);
    return status;
}

void turn_take(void)
{
    const char *status;
    const char *text;

    turn_free();
    if (rig.got.len == 0) /* two may come at once */
        rig_wait(&rig);
    rig_answer(&rig, &turn.answer);
    status = http_field_get(turn.answer.head, "X-Job-Status");
    turn.status = status ? status_parse(status)
                         : json_object_get(turn.answer.data);
    text = http_field_get(turn.answer.head, "X-Output-Offset");
    turn.offset = text ? atoll(text) : -1;
    text = http_field_get(turn.answer.head, "X-Output-Segments");
    turn.segments = text ? text : "";
}

void turn_begin(const char *method, const char *target, const char *fields,
                const char *body)
{
    const char *star = strchr(target, '*');
    AUTO_FREE char *line = star ? format("%s /api/v1/%.*s%s%s", method,
                                         (int) (star - target), target, job_id,
                                         star + 1)
                                : format("%s /api/v1/%s", method, target);
    AUTO_FREE char *text = rig_request_with(line, fields, body);

    rig_puts(&rig, text);
}

void turn_send(const char *method, const char *target, const char *body)
{
    turn_begin(method, target, "", body);
    turn_take();
    ck_assert_uint_eq(rig.got.len, 0);
}

void start_job(const char *params)
{
    turn_send("POST", "jobs", params);
    ck_assert_msg(turn.answer.code == 0, "%s", turn.answer.body);
    snprintf(job_id, sizeof(job_id), "%s", status_of("id"));
    ck_assert_uint_eq(strlen(job_id), 8);
}

void start_script(const char *script, const char *more)
{
    AUTO_JSON struct json_object *text = json_object_new_string(script);
    AUTO_FREE char *params = format("{\"argv\":[\"/bin/sh\",\"-c\",%s]%s}",
                                    json_object_to_json_string(text), more);

    start_job(params);
}

void take_output(const char *query)
{
    AUTO_FREE char *target = format("jobs/*/output?%s", query);

    turn_send("GET", target, NULL);
}

void give_input(const char *query, const char *bytes)
{
    AUTO_FREE char *target = format("jobs/*/stdin?%s", query);

    turn_send("POST", target, bytes);
}

void expect_error(int code, const char *words)
{
    ck_assert_msg(turn.answer.code == code && strstr(turn.answer.body, words),
                  "%s", turn.answer.body);
}

void expect_output(int64_t offset, const char *bytes, const char *segments)
{
    ck_assert_msg(turn.answer.http == 200 && turn.status, "%s",
                  turn.answer.body);
    ck_assert_str_eq(turn.answer.body, bytes);
    ck_assert_str_eq(turn.segments, segments);
    ck_assert_int_eq(turn.offset, offset);
}

const char *status_of(const char *name)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(turn.status, name, &value);
    return value ? json_object_get_string(value) : "";
}

int64_t status_number(const char *name)
{
    const char *text = status_of(name);

    ck_assert_msg(*text, "no '%s'", name);
    return atoll(text);
}

struct job *the_job(void)
{
    return jobs_find(&rig.agent.jobs, job_id, strlen(job_id));
}

static bool has_ended(void *unused)
{
    const struct job *job = the_job();

    (void) unused;
    return !job || job->state == JOB_ENDED;
}

void wait_for_end(void)
{
    ck_assert_msg(spin_until(&rig.agent.loop, has_ended, NULL), "runs on");
}
