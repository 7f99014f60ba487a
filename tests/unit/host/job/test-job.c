/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the agent says of a job, and the names of signals. */
#include <config.h>

#include "host/job/job.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "job";

#define RUNS                                                     \
    "{\"id\":\"ab12cd34\",\"state\":\"running\",\"output\":7,"   \
    "\"output_start\":3,\"stdin_received\":5,\"stdin_room\":11," \
    "\"stdin_open\":true,\"duration_ms\":1234}"
#define ENDED                                                            \
    "{\"id\":\"f\",\"state\":\"ended\",\"output\":0,\"output_start\":0," \
    "\"stdin_received\":0,\"stdin_room\":0,\"stdin_open\":false,"        \
    "\"duration_ms\":0,\"exit_code\":143,\"signal\":\"SIGTERM\","        \
    "\"timed_out\":true,\"truncated\":true,\"orphans\":true,"            \
    "\"ended\":true,\"detached\":true,\"tty\":true}"

static int parse(const char *text, struct job_status *status,
                 struct error *err)
{
    struct guarded copy = guarded_copy(text, strlen(text));
    int r = job_status_parse((const char *) copy.bytes, strlen(text), status,
                             err);

    guarded_free(&copy);
    return r;
}

START_TEST(running)
{
    struct error err = ERROR_INIT;
    struct job_status status;

    ck_assert_int_eq(parse(RUNS, &status, &err), 0);
    ck_assert_str_eq(status.id, "ab12cd34");
    ck_assert(!status.ended && !status.detached && !status.tty);
    ck_assert_int_eq(status.output, 7);
    ck_assert_int_eq(status.output_start, 3);
    ck_assert_int_eq(status.stdin_received, 5);
    ck_assert_int_eq(status.stdin_room, 11);
    ck_assert(status.stdin_open);
    ck_assert_int_eq(status.duration_ms, 1234);
    ck_assert(!status.timed_out && !status.truncated && !status.orphans
              && !status.was_ended);
    ck_assert_str_eq(status.signal, "");
}
END_TEST

START_TEST(ended)
{
    struct error err = ERROR_INIT;
    struct job_status status;

    ck_assert_int_eq(parse(ENDED, &status, &err), 0);
    ck_assert(status.ended && status.detached && status.tty);
    ck_assert_int_eq(status.exit_code, 143);
    ck_assert_str_eq(status.signal, "SIGTERM");
    ck_assert(status.timed_out && status.truncated && status.orphans
              && status.was_ended);
    ck_assert(!status.stdin_open);
}
END_TEST

/* Writes the object with a member set to the JSON text value, or without it
 * (NULL). */
static void with(const char *base, const char *name, const char *value,
                 char text[2048])
{
    AUTO_JSON struct json_object *object = NULL;
    struct json_object *member = NULL;
    size_t n;

    ck_assert_int_eq(json_parse(base, strlen(base), &object, NULL), 0);
    json_object_object_del(object, name);
    if (value) {
        char wrapped[1024];
        AUTO_JSON struct json_object *outer = NULL;

        snprintf(wrapped, sizeof(wrapped), "{\"v\":%s}", value);
        ck_assert_int_eq(json_parse(wrapped, strlen(wrapped), &outer, NULL),
                         0);
        json_object_object_get_ex(outer, "v", &member);
        json_object_object_add(object, name, json_object_get(member));
    }
    snprintf(text, 2048, "%s", json_text(object, &n));
}

/* A member that is not as it has to be: the whole is refused, what was known
 * is left alone, and the message names the member. */
static void refused(const char *base, const char *name, const char *value)
{
    struct job_status status = { .output = 99 };
    struct error err = ERROR_INIT;
    char text[2048];

    with(base, name, value, text);
    ck_assert_msg(parse(text, &status, &err) == -EBADMSG, "%s", text);
    ck_assert_int_eq(err.code, -EBADMSG);
    ck_assert_int_eq(status.output, 99);
    ck_assert_ptr_nonnull(
        strstr(err.message, "the agent's status of a job makes no sense"));
    ck_assert_int_eq(parse(text, &status, NULL), -EBADMSG);
}

static const struct {
    const char *name;
    bool is_int;
    bool required;
    int64_t max;
} members[] = {
    { "output", true, true, INT64_MAX / 2 },
    { "output_start", true, true, 7 },
    { "stdin_received", true, true, INT64_MAX / 2 },
    { "stdin_room", true, true, 256 * 1024 },
    { "duration_ms", true, true, INT64_MAX },
    { "exit_code", true, false, 255 },
    { "stdin_open", false, true, 0 },
    { "stdout_closed", false, false, 0 },
    { "stderr_closed", false, false, 0 },
    { "detached", false, false, 0 },
    { "tty", false, false, 0 },
    { "timed_out", false, false, 0 },
    { "truncated", false, false, 0 },
    { "orphans", false, false, 0 },
    { "ended", false, false, 0 },
};

START_TEST(each_member)
{
    static const char *const others[] = { "\"1\"", "\"\"", "[]", "{}", "1.5" };
    const char *name = members[_i].name;
    struct error err = ERROR_INIT;
    struct job_status status;
    char text[2048];

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        refused(RUNS, name, others[i]);
    refused(RUNS, name, members[_i].is_int ? "true" : "1");
    if (members[_i].required) {
        refused(RUNS, name, NULL);
        refused(RUNS, name, "null");
    } else {
        with(RUNS, name, NULL, text);
        ck_assert_int_eq(parse(text, &status, &err), 0);
    }
}
END_TEST

START_TEST(each_range)
{
    const char *name = members[_i].name;
    int64_t max = members[_i].max;
    struct error err = ERROR_INIT;
    struct job_status status;
    char base[2048];
    char text[2048];
    char number[32];

    if (!members[_i].is_int)
        return;
    /* What runs has no exit code. */
    with(strcmp(name, "exit_code") == 0 ? ENDED : RUNS, "signal", NULL, base);
    refused(base, name, "-1");
    refused(base, name, "-9223372036854775808");
    snprintf(number, sizeof(number), "%" PRId64, max);
    with(base, name, number, text);
    ck_assert_msg(parse(text, &status, &err) == 0, "%s: %s", text,
                  err.message);
    if (max == INT64_MAX)
        return;
    snprintf(number, sizeof(number), "%" PRId64, max + 1);
    refused(base, name, number);
    refused(base, name, "9223372036854775807");
}
END_TEST

#define LONG8 "abcdefgh"
#define LONG32 LONG8 LONG8 LONG8 LONG8

/* They go into a path and to a terminal. */
static const char *const hostile[] = {
    "1",
    "null",
    "[]",
    "{}",
    "true",
    "\"a/b\"",
    "\"..\"",
    "\"a?b\"",
    "\"a b\"",
    "\"a%2F\"",
    "\"\\u001b[2J\"",
    "\"a\\nb\"",
    "\"a\\u0000b\"",
    "\"\xC3\xA9\"",
    "\"a;b\"",
    "\"" LONG32 "x\"",
};

START_TEST(hostile_words)
{
    refused(RUNS, "id", hostile[_i]);
    if (strcmp(hostile[_i], "null") != 0)
        refused(ENDED, "signal", hostile[_i]);
}
END_TEST

START_TEST(words)
{
    struct error err = ERROR_INIT;
    struct job_status status;
    char text[2048];

    refused(RUNS, "id", NULL);
    refused(RUNS, "id", "\"\"");
    refused(RUNS, "state", NULL);
    refused(RUNS, "state", "1");
    refused(ENDED, "signal", "\"SIGABCDEFGHIJKLM\"");
    with(RUNS, "id", "\"" LONG32 "\"", text);
    ck_assert_int_eq(parse(text, &status, &err), 0);
    ck_assert_str_eq(status.id, LONG32);
    with(ENDED, "signal", "\"SIGRTMIN+12\"", text);
    ck_assert_int_eq(parse(text, &status, &err), 0);
    ck_assert_str_eq(status.signal, "SIGRTMIN+12");
}
END_TEST

START_TEST(contradictions)
{
    refused(ENDED, "exit_code", NULL);
    refused(RUNS, "state", "\"ended\"");
    refused(RUNS, "output", "2"); /* and the first is byte 3 */
    refused(ENDED, "output_start", "1");
    refused(RUNS, "exit_code", "0");
    refused(RUNS, "signal", "\"SIGTERM\"");
    refused(ENDED, "exit_code", "0"); /* and SIGTERM killed it */
    refused(ENDED, "signal", "\"SIGKILL\"");
}
END_TEST

START_TEST(no_object)
{
    static const char *const texts[] = {
        "",       "null", "[]",       "1",         "\"x\"", "{",
        RUNS "x", "{}",   "nonsense", "{\"id\":}", "\xFF",
    };
    struct error err = ERROR_INIT;
    struct job_status status;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        ck_assert_msg(parse(texts[i], &status, &err) == -EBADMSG, "%s",
                      texts[i]);
        ck_assert_ptr_nonnull(strstr(err.message, "status of a job"));
    }
    /* what an envelope without data has */
    ck_assert_int_eq(job_status_read(NULL, &status, &err), -EBADMSG);
    ck_assert_int_eq(job_status_read(NULL, &status, NULL), -EBADMSG);
}
END_TEST

/* A member that we do not know is for others, and so is a state: whatever it
 * is, the job has not ended. */
START_TEST(more_members)
{
    struct error err = ERROR_INIT;
    struct job_status status;
    char text[2048];

    with(RUNS, "colour", "\"blue\"", text);
    ck_assert_int_eq(parse(text, &status, &err), 0);
    with(RUNS, "state", "\"paused\"", text);
    ck_assert_int_eq(parse(text, &status, &err), 0);
    ck_assert(!status.ended);
}
END_TEST

START_TEST(signals)
{
    static const struct {
        const char *text;
        int number;
    } names[] = {
        { "TERM", SIGTERM },
        { "SIGTERM", SIGTERM },
        { "term", SIGTERM },
        { "sigInt", SIGINT },
        { "HUP", SIGHUP },
        { "QUIT", SIGQUIT },
        { "KILL", SIGKILL },
        { "USR1", SIGUSR1 },
        { "SIGUSR2", SIGUSR2 },
        { "WINCH", SIGWINCH },
        { "STOP", SIGSTOP },
        { "CONT", SIGCONT },
        { "VTALRM", SIGVTALRM },
        { "9", 9 },
        { "1", 1 },
        { "64", 64 },
        { "0", -EINVAL },
        { "65", -EINVAL },
        { "-9", -EINVAL },
        { "", -EINVAL },
        { "SIG", -EINVAL },
        { "SIGSIGTERM", -EINVAL },
        { "TERMX", -EINVAL },
        { "TER", -EINVAL },
        { "9x", -EINVAL },
        { " 9", -EINVAL },
        { "SIG9", -EINVAL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        ck_assert_msg(job_signal_number(names[i].text) == names[i].number,
                      "'%s'", names[i].text);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, running);
    tcase_add_test(tcase, ended);
    tcase_add_loop_test(tcase, each_member, 0, ARRAY_SIZE(members));
    tcase_add_loop_test(tcase, each_range, 0, ARRAY_SIZE(members));
    tcase_add_loop_test(tcase, hostile_words, 0, ARRAY_SIZE(hostile));
    tcase_add_test(tcase, words);
    tcase_add_test(tcase, contradictions);
    tcase_add_test(tcase, no_object);
    tcase_add_test(tcase, more_members);
    tcase_add_test(tcase, signals);
}
