/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/guest/again.h"

#include <string.h>
#include <sys/stat.h>

#include "unit/guest/spin.h"
#include "unit/unit.h"
#include "util/clock.h"

/* Longer than a test takes: an orphan that ends did not end by this. */
#define GRACE_NEVER (10 * SPIN_MAX_MS)

void again_setup(void)
{
    session_setup();
    rig.agent.context.grace_ms = GRACE_NEVER;
}

char *exec_with(const char *id, const char *fields, const char *command)
{
    AUTO_FREE char *body = format("{\"argv\":[\"/bin/sh\",\"-c\",\"%s\"]}",
                                  command);
    AUTO_FREE char *all = format("X-Request-ID: %s\r\n%s", id, fields);

    return rig_request_with("POST /api/v1/shell/exec", all, body);
}

void send_exec(const char *id, const char *command)
{
    AUTO_FREE char *text = exec_with(id, "", command);

    rig_puts(&rig, text);
}

char *counting(void)
{
    return with_dir("cd @; echo run >> runs; "
                    "until test -e go; do sleep 0.01; done; echo result");
}

void let_go(void)
{
    AUTO_FREE char *file = in_dir("go");

    unit_write_file(file, "");
}

bool has_run(void *unused)
{
    AUTO_FREE char *file = in_dir("runs");
    struct stat st;

    (void) unused;
    return stat(file, &st) == 0 && st.st_size > 0;
}

void expect_one_run(void)
{
    AUTO_FREE char *file = in_dir("runs");
    AUTO_FREE char *text = unit_read_file(file);

    ck_assert_str_eq(text, "run\n");
}

void reconnect(void)
{
    session_hangup(&rig.agent.session);
    session_connected(&rig.agent.session, true);
}

const char *data_string(const struct rig_answer *answer, const char *name)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(answer->data, name, &value);
    return value ? json_object_get_string(value) : "";
}

void expect_data(const struct rig_answer *answer, const char *name,
                 const char *value)
{
    const char *is = data_string(answer, name);

    ck_assert_msg(strcmp(is, value) == 0, "%s is '%s', not '%s' in %.500s",
                  name, is, value, answer->body);
}

void take_answer(struct rig_answer *answer)
{
    rig_wait(&rig);
    rig_answer(&rig, answer);
    ck_assert_uint_eq(rig.got.len, 0);
}

void expect_result(bool replayed)
{
    struct rig_answer answer;

    take_answer(&answer);
    ck_assert_msg(answer.http == 200 && answer.code == 0, "%s", answer.body);
    expect_data(&answer, "stdout", "result\n");
    expect_data(&answer, "exit_code", "0");
    ck_assert_str_eq(answer.id, "one");
    ck_assert_int_eq(answer.replayed, replayed);
    rig_answer_free(&answer);
    expect_one_run();
}

void ask_state(const char *method, const char *id, struct rig_answer *answer)
{
    AUTO_FREE char *line = format("%s /api/v1/requests/%s", method, id);
    AUTO_FREE char *text = rig_request(line, NULL);

    rig_puts(&rig, text);
    take_answer(answer);
    ck_assert_msg(answer->code == 0, "%s", answer->body);
    expect_data(answer, "id", id);
}

void expect_state(const char *id, const char *state)
{
    struct rig_answer answer;

    ask_state("GET", id, &answer);
    expect_data(&answer, "state", state);
    rig_answer_free(&answer);
}

static bool no_orphans(void *unused)
{
    (void) unused;
    return !rig.agent.detached.first;
}

void expect_none_detached(void)
{
    ck_assert(spin_until(&rig.agent.loop, no_orphans, NULL));
    ck_assert(spin_until(&rig.agent.loop, spin_childless, NULL));
    ck_assert_int_eq(rig.agent.context.running, 0);
}

void start_counting(void)
{
    AUTO_FREE char *command = counting();

    send_exec("one", command);
    ck_assert(spin_until(&rig.agent.loop, has_run, NULL));
}

void push_out(void)
{
    struct replay_cache *memory = &rig.agent.replay_cache;

    for (int i = 0; i < 2 * REPLAY_ENTRIES; i++) {
        AUTO_FREE char *id = format("other-%d", i);

        replay_cache_lost(
            memory, replay_cache_add(memory, id, "f", clock_ms()), clock_ms());
    }
}

char *put_request(const char *id, const char *range, const char *body)
{
    AUTO_FREE char *line = format("PUT /api/v1/file/content?path=%s/file%s",
                                  rig.dir, range ? "&transfer=ab" : "");
    AUTO_FREE char *fields =
        range ? format("X-Request-ID: %s\r\nContent-Range: bytes %s\r\n", id,
                       range)
              : format("X-Request-ID: %s\r\n", id);

    return rig_request_with(line, fields, body);
}
