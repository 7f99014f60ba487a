/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* How long jobs live, and what they leave. */
#include <config.h>

#include "guest/job/jobs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "guest/agent.h"
#include "proto/status.h"
#include "unit/guest/spin.h"
#include "unit/guest/turns.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "jobs-life";

/* Long enough for a test to do something meanwhile. */
#define GRACE_MS 300

static void hurry(void)
{
    rig.agent.context.grace_ms = GRACE_MS;
}

static void leave(void)
{
    session_hangup(&rig.agent.session);
}

static void come(void)
{
    session_connected(&rig.agent.session, true);
}

static bool is_forgotten(void *unused)
{
    (void) unused;
    return !the_job();
}

static void expect_forgotten(void)
{
    ck_assert(spin_until(&rig.agent.loop, is_forgotten, NULL));
}

/* It runs now, and goes on for longer than the grace. */
static void expect_goes_on(void)
{
    ck_assert_ptr_nonnull(the_job());
    spin_for(&rig.agent.loop, 2 * GRACE_MS);
    ck_assert_ptr_nonnull(the_job());
    ck_assert_int_eq(the_job()->state, JOB_RUNNING);
}

/* It runs for the rest of the grace. */
static void expect_ends(void)
{
    int64_t before = clock_ms();

    ck_assert_int_eq(the_job()->state, JOB_RUNNING);
    wait_for_end();
    ck_assert_int_ge(clock_ms() - before, GRACE_MS / 2);
    ck_assert_ptr_nonnull(the_job());
    ck_assert(the_job()->ended);
    ck_assert_int_eq(WTERMSIG(the_job()->status), SIGTERM);
}

/* --- attached ------------------------------------------------------------- */

START_TEST(ends_with_its_session)
{
    hurry();
    start_script("sleep 60", "");
    expect_goes_on(); /* as long as its client is there */
    leave();
    expect_ends();
    ck_assert(spin_group_gone(the_job()->pid));
    /* how it ended is there a moment longer */
    come();
    turn_send("GET", "jobs/*", NULL);
    ck_assert_str_eq(status_of("ended"), "true");
    ck_assert_str_eq(status_of("signal"), "SIGTERM");
    expect_forgotten();
}
END_TEST

/* Its leaving was missed, but somebody else introduces himself. */
START_TEST(ends_with_a_sync)
{
    hurry();
    start_script("sleep 60", "");
    turn_send("GET", "sync?id=x", NULL);
    expect_ends();
}
END_TEST

START_TEST(client_comes_back)
{
    hurry();
    start_script("sleep 60", "");
    leave();
    spin_for(&rig.agent.loop, GRACE_MS / 2);
    come();
    take_output("offset=0");
    expect_goes_on();
    leave();
    come();
    give_input("offset=0", "");
    expect_goes_on();
    leave();
    expect_ends();
}
END_TEST

/* Who only looks does not take it over. */
START_TEST(others_look)
{
    hurry();
    start_script("sleep 60", "");
    leave();
    come();
    take_output("offset=0&peek=1");
    turn_send("GET", "jobs/*", NULL);
    turn_send("GET", "jobs", NULL);
    expect_ends();
}
END_TEST

START_TEST(result_is_forgotten)
{
    hurry();
    start_script("echo x", ",\"wait_ms\":10000");
    spin_for(&rig.agent.loop, 2 * GRACE_MS);
    ck_assert_ptr_nonnull(the_job());
    leave();
    spin_for(&rig.agent.loop, GRACE_MS / 2);
    ck_assert_ptr_nonnull(the_job());
    expect_forgotten();
}
END_TEST

/* --- away ----------------------------------------------------------------- */

/* While somebody else has the channel its client cannot come back. */
START_TEST(away)
{
    hurry();
    start_script("sleep 60", "");
    take_output("offset=0&away=1");
    leave();
    come();
    turn_send("GET", "sync?id=other", NULL);
    expect_goes_on();
    leave();
    expect_ends();
}
END_TEST

START_TEST(away_with_nobody_there)
{
    hurry();
    start_script("sleep 60", "");
    take_output("offset=0&away=1");
    leave();
    expect_ends();
}
END_TEST

START_TEST(away_and_back)
{
    hurry();
    start_script("sleep 60", "");
    give_input("offset=0&output=0&away=1", "");
    take_output("offset=0&peek=1"); /* this is not it */
    ck_assert(the_job()->away);
    take_output("offset=0");
    leave();
    come();
    expect_ends();
}
END_TEST

/* Not for ever: the time counts from when it left. */
START_TEST(away_too_long)
{
    hurry();
    start_script("sleep 60", "");
    take_output("offset=0&away=1");
    leave();
    the_job()->left_ms -= JOB_AWAY_MS - GRACE_MS;
    come();
    expect_ends();
}
END_TEST

/* Who has been told the end does not come back for more, whatever it announced
 * before it knew. */
START_TEST(away_with_all_it_wanted)
{
    hurry();
    start_script("echo x", "");
    wait_for_end();
    take_output("offset=0&away=1");
    leave();
    come();
    expect_forgotten();
}
END_TEST

/* --- detached ------------------------------------------------------------- */

static void short_keep(void)
{
    rig.agent.settings.jobs_keep = GRACE_MS;
}

START_TEST(detached)
{
    hurry();
    start_script("echo one; sleep 60", ",\"detach\":true");
    ck_assert_str_eq(status_of("detached"), "true");
    take_output("offset=0&wait_ms=10000");
    leave();
    expect_goes_on();
    come();
    turn_send("GET", "sync?id=other", NULL);
    expect_goes_on();
    turn_send("DELETE", "jobs/*", NULL);
    expect_forgotten();
}
END_TEST

/* Its result is kept for jobs.keep, whoever comes and goes. */
START_TEST(result_is_kept)
{
    hurry();
    short_keep();
    start_script("echo result", ",\"detach\":true");
    leave();
    wait_for_end();
    come();
    spin_for(&rig.agent.loop, GRACE_MS / 2);
    /* as often as it is asked for, also when it was taken */
    take_output("offset=0");
    expect_output(0, "result\n", "1:7");
    take_output("offset=7");
    expect_output(7, "", "");
    take_output("offset=0");
    expect_output(0, "result\n", "1:7");
    expect_forgotten();
    take_output("offset=0");
    expect_error(STATUS_JOB_NOT_FOUND, job_id);
}
END_TEST

/* Nobody will ever read what it has left in its pipe. */
START_TEST(unread_for_ever)
{
    short_keep();
    start_script("head -c 1060000 /dev/zero", ",\"detach\":true");
    expect_forgotten();
}
END_TEST

/* What detached jobs keep for nobody is not in the way of others. */
/* Of one log; the first does not count. */
#define BLOCKS (JOB_OUTPUT_MAX / JOB_HOLD_MIN)

START_TEST(room_is_given_back)
{
    rig.agent.jobs.pool.left = BLOCKS - 1;
    start_script("head -c 2097152 /dev/zero", ",\"detach\":true");
    wait_for_end();
    take_output("offset=2097152");
    ck_assert_uint_eq(rig.agent.jobs.pool.left, 0);
    start_script("head -c 2097152 /dev/zero", "");
    wait_for_end();
    ck_assert_int_eq(the_job()->log.end, JOB_OUTPUT_MAX);
    jobs_free(&rig.agent.jobs);
    ck_assert_uint_eq(rig.agent.jobs.pool.left, BLOCKS - 1);
    rig.agent.jobs.pool.left = OUTPOOL_BLOCKS;
}
END_TEST

/* --- all of them ---------------------------------------------------------- */

static bool all_are_held(void *unused)
{
    (void) unused;
    return rig.agent.jobs.pool.left == 0;
}

/* However many are not read: one more runs, and when one goes the others get
 * its room. */
START_TEST(nobody_starves)
{
    int64_t before = 0;

    rig.agent.settings.max_concurrent = 0;
    for (int i = 0; i < 6; i++)
        start_script("exec yes", "");
    ck_assert(spin_until(&rig.agent.loop, all_are_held, NULL));
    spin_for(&rig.agent.loop, 100);
    for (const struct job *job = rig.agent.jobs.first; job; job = job->next)
        before += job->log.end;
    ck_assert_int_le(before, JOBS_POOL + 6 * JOB_HOLD_MIN);
    start_script("head -c 200000 /dev/zero; exit 3", "");
    for (int64_t at = 0; at < 200000;) {
        AUTO_FREE char *query = format("offset=%lld&wait_ms=10000",
                                       (long long) at);

        take_output(query);
        at += (int64_t) turn.answer.body_len;
    }
    wait_for_end();
    ck_assert_int_eq(WEXITSTATUS(the_job()->status), 3);
    jobs_forget(&rig.agent.jobs, rig.agent.jobs.first);
    ck_assert_uint_gt(rig.agent.jobs.pool.left, 0);
    ck_assert(spin_until(&rig.agent.loop, all_are_held, NULL));
}
END_TEST

/* How a result is read, when all of the table is taken, and whether it goes
 * then; it ended before its neighbours of the rows above. */
static const struct {
    const char *script, *more;
    const char *read; /* query of its output; NULL: nobody does */
    bool missed;      /* its client is away for long */
    int goes;         /* as the first, …; 0: never */
} results[] = {
    { "echo x; exit 0", "", NULL, false, 0 },
    { "exit 0", ",\"detach\":true", NULL, false, 0 },
    { "echo x; exit 0", "", "offset=0&peek=1", false, 0 },
    { "echo xyz", "", "offset=0&max=2", false, 0 },
    { "echo x", "", NULL, true, 5 },
    { "echo x", ",\"detach\":true", "offset=0", false, 3 },
    { "exit 0", ",\"detach\":true", "offset=0", false, 4 },
    { "exit 0", ",\"wait_ms\":10000", NULL, false, 1 }, /* the start tells */
    { "echo x", "", "offset=0", false, 2 },
};

static bool is_there(const char *id)
{
    return jobs_find(&rig.agent.jobs, id, strlen(id)) != NULL;
}

static void make_result(size_t i, char id[16])
{
    start_script(results[i].script, results[i].more);
    snprintf(id, 16, "%s", job_id);
    wait_for_end();
    if (results[i].read)
        take_output(results[i].read);
    the_job()->ended_ms = clock_ms() + (int64_t) i; /* in this order */
}

/* A result that its client may still come for never goes. */
START_TEST(table_is_full)
{
    char ids[ARRAY_SIZE(results)][16];
    int may_go = 0;

    rig.agent.settings.max_concurrent = 0;
    for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
        make_result(i, ids[i]);
        may_go += results[i].goes > 0;
    }
    while (rig.agent.jobs.n < JOBS_MAX)
        start_script("sleep 60", "");
    for (struct job *job = rig.agent.jobs.first; job; job = job->next)
        for (size_t i = 0; i < ARRAY_SIZE(results); i++)
            if (results[i].missed && strcmp(job->id, ids[i]) == 0) {
                job->left = true;
                job->left_ms = clock_ms() - JOB_MISSED_MS - 1;
            }
    for (int n = 1; n <= may_go; n++) {
        start_script("sleep 60", "");
        ck_assert_uint_eq(rig.agent.jobs.n, JOBS_MAX);
        for (size_t i = 0; i < ARRAY_SIZE(results); i++)
            ck_assert_msg(is_there(ids[i])
                              == (!results[i].goes || results[i].goes > n),
                          "%d: row %zu", n, i);
    }
    turn_send("POST", "jobs", "{\"argv\":[\"/bin/true\"]}");
    ck_assert_int_eq(turn.answer.http, 503);
    expect_error(STATUS_SERVICE_UNAVAILABLE, "too many jobs");
    ck_assert_ptr_nonnull(http_field_get(turn.answer.head, "Retry-After"));
    for (size_t i = 0; i < ARRAY_SIZE(results); i++)
        ck_assert(is_there(ids[i]) == !results[i].goes);
}
END_TEST

/* What nobody has read of detached commands keeps no other one out. */
START_TEST(detached_ones_leave_room)
{
    rig.agent.settings.max_concurrent = 0;
    for (int i = 0; i < JOBS_DETACHED_MAX; i++)
        start_script("exit 0", ",\"detach\":true");
    wait_for_end();
    turn_send("POST", "jobs", "{\"argv\":[\"/bin/true\"],\"detach\":true}");
    expect_error(STATUS_SERVICE_UNAVAILABLE, "detached");
    ck_assert_uint_eq(rig.agent.jobs.n, JOBS_DETACHED_MAX);
    take_output("offset=0"); /* of the last one */
    start_script("exit 0", ",\"detach\":true");
    wait_for_end();
    while (rig.agent.jobs.n < JOBS_MAX)
        start_script("sleep 60", "");
}
END_TEST

START_TEST(places)
{
    rig.agent.settings.max_concurrent = 2;
    start_script("sleep 60", "");
    start_script("sleep 60", ",\"detach\":true");
    turn_send("POST", "jobs", "{\"argv\":[\"/bin/true\"]}");
    expect_error(STATUS_SERVICE_UNAVAILABLE, "max_concurrent");
    turn_send("POST", "shell/exec", "{\"argv\":[\"/bin/true\"]}");
    expect_error(STATUS_SERVICE_UNAVAILABLE, "max_concurrent");
    turn_send("POST", "jobs/*/signal", "{\"signal\":\"KILL\"}");
    wait_for_end();
    start_script("exit 0", ",\"wait_ms\":10000");
    ck_assert_int_eq(rig.agent.context.running, 1);
    /* one that cannot be started has none either */
    turn_send("POST", "jobs", "{\"argv\":[\"/etc/passwd\"]}");
    ck_assert_int_eq(rig.agent.context.running, 1);
    turn_send("POST", "jobs",
              "{\"argv\":[\"/bin/true\"],"
              "\"working_dir\":\"/nonexistent/vsrpc\"}");
    ck_assert_int_eq(rig.agent.context.running, 1);
    ck_assert_uint_eq(rig.agent.jobs.n, 3);
}
END_TEST

/* --- ending --------------------------------------------------------------- */

START_TEST(deleted)
{
    start_script("trap 'exit 0' TERM; echo x; while :; do sleep 0.05; done",
                 ",\"wait_ms\":10000");
    turn_send("DELETE", "jobs/*", NULL);
    ck_assert_int_eq(turn.answer.code, 0);
    ck_assert_str_eq(status_of("state"), "running");
    ck_assert_ptr_nonnull(the_job());
    expect_forgotten();
    turn_send("DELETE", "jobs/*", NULL);
    expect_error(STATUS_JOB_NOT_FOUND, job_id);
}
END_TEST

START_TEST(deleted_by_force)
{
    int64_t before = clock_ms();
    pid_t group;

    start_script("trap '' TERM; echo x; sleep 60; sleep 60",
                 ",\"wait_ms\":10000");
    group = the_job()->pid;
    turn_send("DELETE", "jobs/*", NULL);
    expect_forgotten();
    ck_assert_int_ge(clock_ms() - before, 2000);
    ck_assert(spin_group_gone(group));
}
END_TEST

START_TEST(deleted_after_its_end)
{
    start_script("exit 3", ",\"wait_ms\":10000");
    turn_send("DELETE", "jobs/*", NULL);
    ck_assert_int_eq(status_number("exit_code"), 3);
    ck_assert_ptr_null(the_job());
}
END_TEST

/* Nobody reads what it says. */
START_TEST(deleted_while_held_back)
{
    start_script("yes", "");
    spin_for(&rig.agent.loop, 100);
    turn_send("DELETE", "jobs/*", NULL);
    expect_forgotten();
}
END_TEST

START_TEST(timed_out)
{
    start_script("echo x; sleep 60", ",\"timeout\":0.2");
    wait_for_end();
    take_output("offset=0");
    expect_output(0, "x\n", "1:2");
    ck_assert_str_eq(status_of("timed_out"), "true");
    ck_assert_str_eq(status_of("ended"), "");
    ck_assert_str_eq(status_of("signal"), "SIGTERM");
}
END_TEST

START_TEST(orphans)
{
    start_script("sleep 60 & echo $!; exit 3", ",\"wait_ms\":10000");
    wait_for_end();
    take_output("offset=0");
    ck_assert_str_eq(status_of("orphans"), "true");
    ck_assert_int_eq(status_number("exit_code"), 3);
    kill(atoi(turn.answer.body), SIGKILL);
}
END_TEST

/* --- the agent ends ------------------------------------------------------- */

static pid_t group;

static bool group_is_gone(void *unused)
{
    (void) unused;
    return spin_group_gone(group);
}

START_TEST(agent_ends)
{
    start_script("sleep 60", "");
    group = the_job()->pid;
    jobs_free(&rig.agent.jobs);
    ck_assert(spin_until(&rig.agent.loop, group_is_gone, NULL));
}
END_TEST

START_TEST(agent_ends_without_the_detached)
{
    start_script("sleep 60", ",\"detach\":true");
    group = the_job()->pid;
    jobs_free(&rig.agent.jobs);
    spin_for(&rig.agent.loop, 50);
    ck_assert(!spin_group_gone(group));
    ck_assert_int_eq(kill(-group, SIGKILL), 0);
    ck_assert_int_eq(waitpid(group, NULL, 0), group);
}
END_TEST

/* --- again ---------------------------------------------------------------- */

/* A script that counts its runs, as the parameters of a job; to be freed. */
static char *counting(const char *more)
{
    AUTO_FREE char *script = with_dir("echo run >> @/runs; sleep 60");

    return format("{\"argv\":[\"/bin/sh\",\"-c\",\"%s\"]%s}", script, more);
}

static void start_as(const char *id, const char *params)
{
    AUTO_FREE char *field = format("X-Request-ID: %s\r\n", id);

    turn_begin("POST", "jobs", field, params);
}

/* The shell makes the file before it writes to it. */
static bool has_run(void *unused)
{
    AUTO_FREE char *file = in_dir("runs");
    struct stat st;

    (void) unused;
    return stat(file, &st) == 0 && st.st_size > 0;
}

static void expect_one_run(void)
{
    AUTO_FREE char *file = in_dir("runs");
    AUTO_FREE char *text = unit_read_file(file);

    ck_assert_str_eq(text, "run\n");
}

START_TEST(start_again)
{
    AUTO_FREE char *params = counting("");
    char id[16];

    start_as("one", params);
    turn_take();
    snprintf(id, sizeof(id), "%s", status_of("id"));
    ck_assert(spin_until(&rig.agent.loop, has_run, NULL));
    start_as("one", params);
    turn_take();
    ck_assert_str_eq(status_of("id"), id);
    ck_assert(turn.answer.replayed);
    ck_assert_uint_eq(rig.agent.jobs.n, 1);
    expect_one_run();
}
END_TEST

/* Its client was lost while it waited for the answer, and asks again. */
START_TEST(start_was_lost)
{
    AUTO_FREE char *params = counting(",\"wait_ms\":60000");

    start_as("one", params);
    ck_assert(spin_until(&rig.agent.loop, has_run, NULL));
    leave();
    ck_assert_uint_eq(rig.agent.jobs.n, 1);
    ck_assert(rig.agent.jobs.first->left);
    come();
    start_as("one", params);
    turn_take();
    ck_assert_int_eq(turn.answer.code, 0);
    ck_assert(turn.answer.replayed);
    ck_assert_str_eq(status_of("id"), rig.agent.jobs.first->id);
    ck_assert_str_eq(status_of("state"), "running");
    expect_one_run();
}
END_TEST

/* Without an id nobody comes back for it. */
START_TEST(start_was_lost_for_good)
{
    AUTO_FREE char *params = counting(",\"wait_ms\":60000");

    hurry();
    turn_begin("POST", "jobs", "", params);
    ck_assert(spin_until(&rig.agent.loop, has_run, NULL));
    snprintf(job_id, sizeof(job_id), "%s", rig.agent.jobs.first->id);
    leave();
    expect_ends();
    expect_forgotten();
}
END_TEST

/* Taking a request back takes back what it has started. */
START_TEST(start_is_taken_back)
{
    AUTO_FREE char *params = counting("");

    start_as("one", params);
    turn_take();
    snprintf(job_id, sizeof(job_id), "%s", status_of("id"));
    turn_send("DELETE", "requests/two", NULL);
    ck_assert_str_eq(status_of("state"), "none");
    turn_send("DELETE", "requests/one", NULL);
    ck_assert_str_eq(status_of("state"), "done");
    wait_for_end();
    turn_send("GET", "jobs/*", NULL);
    ck_assert_str_eq(status_of("ended"), "true");
}
END_TEST

/* … also when its answer is not remembered any more. */
START_TEST(start_is_taken_back_late)
{
    AUTO_FREE char *params = counting("");

    start_as("one", params);
    turn_take();
    snprintf(job_id, sizeof(job_id), "%s", status_of("id"));
    replay_cache_free(&rig.agent.replay_cache);
    replay_cache_init(&rig.agent.replay_cache, clock_ms());
    turn_send("DELETE", "requests/one", NULL);
    ck_assert_str_eq(status_of("state"), "none");
    wait_for_end();
    ck_assert(the_job()->ended);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, turns_setup, turns_teardown);
    tcase_add_test(tcase, ends_with_its_session);
    tcase_add_test(tcase, ends_with_a_sync);
    tcase_add_test(tcase, client_comes_back);
    tcase_add_test(tcase, others_look);
    tcase_add_test(tcase, result_is_forgotten);
    tcase_add_test(tcase, away);
    tcase_add_test(tcase, away_with_nobody_there);
    tcase_add_test(tcase, away_and_back);
    tcase_add_test(tcase, away_too_long);
    tcase_add_test(tcase, away_with_all_it_wanted);
    tcase_add_test(tcase, detached);
    tcase_add_test(tcase, result_is_kept);
    tcase_add_test(tcase, unread_for_ever);
    tcase_add_test(tcase, room_is_given_back);
    tcase_add_test(tcase, nobody_starves);
    tcase_add_test(tcase, table_is_full);
    tcase_add_test(tcase, detached_ones_leave_room);
    tcase_add_test(tcase, places);
    tcase_add_test(tcase, deleted);
    tcase_add_test(tcase, deleted_by_force);
    tcase_add_test(tcase, deleted_after_its_end);
    tcase_add_test(tcase, deleted_while_held_back);
    tcase_add_test(tcase, timed_out);
    tcase_add_test(tcase, orphans);
    tcase_add_test(tcase, agent_ends);
    tcase_add_test(tcase, agent_ends_without_the_detached);
    tcase_add_test(tcase, start_again);
    tcase_add_test(tcase, start_was_lost);
    tcase_add_test(tcase, start_was_lost_for_good);
    tcase_add_test(tcase, start_is_taken_back);
    tcase_add_test(tcase, start_is_taken_back_late);
}
