/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* How a job is started, and what a command may be: shell/exec and jobs read it
 * in the same way. */
#include <config.h>

#include "guest/job/command.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/agent.h"
#include "guest/proc/environment.h"
#include "proto/status.h"
#include "unit/guest/spin.h"
#include "unit/guest/turns.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "jobs-start";

static void setup(void)
{
    umask(077); /* not the commands' */
    turns_setup();
    rig.agent.settings.shell = true;
}

/* --- the answer ----------------------------------------------------------- */

START_TEST(at_once)
{
    int64_t before = clock_ms();

    start_script("sleep 60", "");
    ck_assert_int_lt(clock_ms() - before, 20000);
    ck_assert_str_eq(status_of("state"), "running");
    ck_assert_int_eq(status_number("output"), 0);
    ck_assert_str_eq(status_of("exit_code"), "");
    ck_assert_str_eq(status_of("detached"), "");
    ck_assert_str_eq(status_of("tty"), "");
    ck_assert_str_eq(status_of("truncated"), "");
}
END_TEST

START_TEST(when_the_wait_is_over)
{
    int64_t before = clock_ms();

    start_script("sleep 60", ",\"wait_ms\":200");
    ck_assert_int_ge(clock_ms() - before, 200);
    ck_assert_str_eq(status_of("state"), "running");
}
END_TEST

START_TEST(when_it_has_ended)
{
    start_script("sleep 0.2; exit 3", ",\"wait_ms\":60000");
    ck_assert_str_eq(status_of("state"), "ended");
    ck_assert_int_eq(status_number("exit_code"), 3);
    ck_assert_int_ge(status_number("duration_ms"), 200);
    ck_assert_str_eq(status_of("signal"), "");
}
END_TEST

START_TEST(when_it_says_something)
{
    start_script("echo x; sleep 60", ",\"wait_ms\":60000");
    ck_assert_str_eq(status_of("state"), "running");
    ck_assert_int_eq(status_number("output"), 2);
}
END_TEST

/* The end of a short command comes with what it said: one answer. */
START_TEST(when_it_has_said_all)
{
    int ended = 0;

    for (int i = 0; i < 20; i++) {
        start_job("{\"argv\":[\"echo\",\"x\"],\"wait_ms\":60000}");
        ended += strcmp(status_of("state"), "ended") == 0;
    }
    ck_assert_int_ge(ended, 10); /* the machine may be busy */
}
END_TEST

/* Where a file system may not answer the agent does not wait for the start. */
START_TEST(slow_start)
{
    start_script("pwd; sleep 60", ",\"working_dir\":\"/proc\"");
    ck_assert_str_eq(status_of("state"), "running");
    take_output("offset=0&wait_ms=10000");
    expect_output(0, "/proc\n", "1:6");
}
END_TEST

/* --- errors --------------------------------------------------------------- */

static const struct {
    const char *params;
    int code;
    const char *words;
} errors[] = {
    { "{}", STATUS_MISSING_REQUIRED, "'command' is missing" },
    { "{\"argv\":[]}", STATUS_MISSING_REQUIRED, "'command' is missing" },
    { "{\"argv\":\"true\"}", STATUS_INVALID_PARAMS, "'argv' is not" },
    { "{\"command\":\"true; true\"}", STATUS_PERMISSION_DENIED, "';'" },
    { "{\"command\":\"'\"}", STATUS_INVALID_PARAMS, "quotation" },
    { "{\"argv\":[\"no-such-program\"]}", STATUS_CMD_NOT_FOUND,
      "\"exit_code\":127" },
    { "{\"argv\":[\"/no/such/program\"]}", STATUS_CMD_NOT_FOUND,
      "\"exit_code\":127" },
    { "{\"argv\":[\"./no-such-program\"]}", STATUS_CMD_NOT_FOUND,
      "\"exit_code\":127" },
    { "{\"argv\":[\"/etc/passwd\"]}", STATUS_CMD_EXEC_FAILED,
      "/etc/passwd: Permission denied" },
    { "{\"argv\":[\"/etc/passwd\"]}", STATUS_CMD_EXEC_FAILED,
      "\"exit_code\":126" },
    { "{\"argv\":[\"/etc/passwd\"],\"working_dir\":\"/\"}",
      STATUS_CMD_EXEC_FAILED, "/etc/passwd: Permission denied" },
    { "{\"argv\":[\"true\"],\"working_dir\":\"/no/such/folder\"}",
      STATUS_CMD_EXEC_FAILED,
      "working_dir '/no/such/folder': No such file or directory" },
    { "{\"argv\":[\"true\"],\"working_dir\":\"/etc/passwd\"}",
      STATUS_CMD_EXEC_FAILED, "Not a directory" },
    { "{\"argv\":[\"true\"],\"working_dir\":\"tmp\"}", STATUS_INVALID_PARAMS,
      "'working_dir' is not an absolute path" },
    { "{\"argv\":[\"true\"],\"timeout\":-1}", STATUS_INVALID_PARAMS,
      "'timeout'" },
    { "{\"argv\":[\"true\"],\"user\":\"no-such-user\"}", STATUS_INVALID_PARAMS,
      "no such user" },
    { "{\"argv\":[\"true\"],\"user\":\"daemon\",\"group\":\"no-such\"}",
      STATUS_INVALID_PARAMS, "no such group" },
    { "{\"argv\":[\"true\"],\"user\":1}", STATUS_INVALID_PARAMS, "'user'" },
    { "{\"argv\":[\"true\"],\"umask\":\"8\"}", STATUS_INVALID_PARAMS,
      "'umask'" },
    { "{\"argv\":[\"true\"],\"umask\":\"1000\"}", STATUS_INVALID_PARAMS,
      "'umask'" },
    { "{\"argv\":[\"true\"],\"umask\":22}", STATUS_INVALID_PARAMS, "'umask'" },
    { "{\"argv\":[\"dHJ1ZQ\"],\"argv_encoding\":\"base64\"}",
      STATUS_INVALID_PARAMS, "'argv' is not base64" },
    { "{\"argv\":[\"dHJ1ZQ==\",\"AA==\"],\"argv_encoding\":\"base64\"}",
      STATUS_INVALID_PARAMS, "without NUL" },
    { "{\"argv\":[\"true\"],\"argv_encoding\":\"utf-8\"}",
      STATUS_INVALID_PARAMS, "'argv_encoding' is not base64: 'utf-8'" },
    { "{\"argv\":[\"true\"],\"env\":{\"A\":\"?\"},"
      "\"env_encoding\":\"base64\"}",
      STATUS_INVALID_PARAMS, "'env' is not base64" },
    { "{\"argv\":[\"true\"],\"shell\":true}", STATUS_INVALID_PARAMS,
      "'shell' takes 'command'" },
    { "{\"command\":\"true\",\"shell\":1}", STATUS_INVALID_PARAMS, "'shell'" },
};

/* Each in the same words from both; nothing is left. */
START_TEST(error)
{
    turn_send("POST", "jobs", errors[_i].params);
    expect_error(errors[_i].code, errors[_i].words);
    ck_assert_uint_eq(rig.agent.jobs.n, 0);
    turn_send("POST", "shell/exec", errors[_i].params);
    expect_error(errors[_i].code, errors[_i].words);
    ck_assert_ptr_null(rig.agent.procs.list);
}
END_TEST

/* Of jobs alone. */
static const char *const wrong[] = {
    "\"wait_ms\":-1",
    "\"wait_ms\":60001",
    "\"wait_ms\":\"1\"",
    "\"stdin\":\"text\"",
    "\"detach\":1",
    "\"output_limit\":-1",
    "\"tty\":true",
    "\"tty\":{\"rows\":0}",
    "\"tty\":{\"columns\":65536}",
    "\"tty\":{\"term\":1}",
};

START_TEST(wrong_parameter)
{
    AUTO_FREE char *params = format("{\"argv\":[\"true\"],%s}", wrong[_i]);

    turn_send("POST", "jobs", params);
    expect_error(STATUS_INVALID_PARAMS, "INVALID_PARAMS");
    ck_assert_uint_eq(rig.agent.jobs.n, 0);
}
END_TEST

START_TEST(not_allowed)
{
    strlist_free(&rig.agent.settings.allowed_commands);
    ck_assert_int_eq(strlist_add(&rig.agent.settings.allowed_commands, "cat"),
                     0);
    turn_send("POST", "jobs", "{\"argv\":[\"true\"]}");
    expect_error(STATUS_PERMISSION_DENIED, "security.allowed_commands");
}
END_TEST

/* Its variables are judged before anything runs; the terminal's is one. */
static const char *const variables[] = {
    "\"env\":{\"LD_PRELOAD\":\"/tmp/e.so\"}",
    "\"env\":{\"LANG\":\"C\",\"PAGER\":\"sh\"}",
    "\"env\":{\"LANG\":\"L3RtcC94\"},\"env_encoding\":\"base64\"", /* /tmp/x */
    "\"tty\":{\"term\":\"/tmp/x\"}",
};

START_TEST(variable_not_allowed)
{
    AUTO_FREE char *params = format("{\"argv\":[\"cat\"],%s}", variables[_i]);

    strlist_free(&rig.agent.settings.allowed_commands);
    ck_assert_int_eq(strlist_add(&rig.agent.settings.allowed_commands, "cat"),
                     0);
    turn_send("POST", "jobs", params);
    expect_error(STATUS_PERMISSION_DENIED, "security.allowed_env");
    ck_assert_uint_eq(rig.agent.jobs.n, 0);
}
END_TEST

/* --- what a command may be ------------------------------------------------ */

/* Runs one to its end.  Its output becomes the last answer's. */
static void run(const char *params)
{
    start_job(params);
    wait_for_end();
    take_output("offset=0");
}

static const struct {
    const char *params, *output;
} commands[] = {
    { "{\"command\":\"echo 'a  b' \\\"c\\\"\"}", "a  b c\n" },
    { "{\"argv\":[\"printf\",\"%s.\",\"a b\",\"\",\"$x\\n'\"]}",
      "a b..$x\n'." },
    { "{\"params\":{\"argv\":[\"echo\",\"x\"]}}", "x\n" },
    { "{\"argv\":[\"cHJpbnRm\",\"JXMu\",\"YSBi\",\"\"],"
      "\"argv_encoding\":\"base64\"}",
      "a b.." },
    { "{\"argv\":[\"sh\",\"-c\",\"echo $A:$B\"],"
      "\"env\":{\"A\":\"1\",\"B\":\"x=y\"}}",
      "1:x=y\n" },
    { "{\"argv\":[\"sh\",\"-c\",\"echo $A:$B\"],\"env\":{\"A\":\"MQ==\","
      "\"B\":\"eD15\"},\"env_encoding\":\"base64\"}",
      "1:x=y\n" },
    { "{\"argv\":[\"sh\",\"-c\",\"umask\"]}", "0022\n" },
    { "{\"argv\":[\"sh\",\"-c\",\"umask\"],\"umask\":\"0\"}", "0000\n" },
    { "{\"argv\":[\"sh\",\"-c\",\"umask\"],\"umask\":\"0027\"}", "0027\n" },
    { "{\"argv\":[\"cat\"]}", "" },
};

START_TEST(command)
{
    const char *output = commands[_i].output;

    run(commands[_i].params);
    ck_assert_str_eq(turn.answer.body, output);
    turn_send("POST", "shell/exec", commands[_i].params);
    ck_assert_str_eq(status_of("stdout"), output);
}
END_TEST

/* Bytes that JSON has no way to write. */
START_TEST(any_bytes)
{
    run("{\"argv\":[\"cHJpbnRm\",\"JXM=\",\"//4KgA==\"],"
        "\"argv_encoding\":\"base64\"}");
    ck_assert_str_eq(turn.answer.body, "\xff\xfe\n\x80");
    turn_send("GET", "jobs/*", NULL);
    ck_assert_str_eq(status_of("argv"), "[ \"printf\", \"%s\", \"??\\n?\" ]");
}
END_TEST

/* --- another user --------------------------------------------------------- */

#define NAME "daemon"

START_TEST(other_user)
{
    const struct passwd *user = getpwnam(NAME);
    AUTO_FREE char *want = format("%u:%u:%s:%s:%s:%s\n", user->pw_uid,
                                  user->pw_gid, NAME, NAME, user->pw_dir,
                                  user->pw_shell);

    run("{\"argv\":[\"sh\",\"-c\",\"echo $(id -u):$(id -g):$USER:$LOGNAME:"
        "$HOME:$SHELL\"],\"user\":\"" NAME "\"}");
    ck_assert_str_eq(turn.answer.body, want);
    turn_send("GET", "jobs/*", NULL);
    ck_assert_str_eq(status_of("user"), NAME);
    run("{\"argv\":[\"pwd\"],\"user\":\"" NAME "\"}");
    ck_assert_int_eq(
        strncmp(turn.answer.body, user->pw_dir, strlen(user->pw_dir)), 0);
    run("{\"argv\":[\"sh\",\"-c\",\"echo $HOME\"],\"user\":\"" NAME "\","
        "\"env\":{\"HOME\":\"/other\"}}");
    ck_assert_str_eq(turn.answer.body, "/other\n");
}
END_TEST

/* On a terminal, too, which is forked for. */
START_TEST(other_user_on_a_terminal)
{
    run("{\"argv\":[\"sh\",\"-c\",\"stat -c %U $(tty); id -un > /dev/tty\"],"
        "\"user\":\"" NAME "\",\"tty\":{}}");
    ck_assert_str_eq(turn.answer.body, NAME "\r\n" NAME "\r\n");
}
END_TEST

START_TEST(other_group)
{
    AUTO_FREE char *want = format("%u %u\n", geteuid(),
                                  getgrnam("games")->gr_gid);

    run("{\"argv\":[\"sh\",\"-c\",\"echo $(id -u) $(id -g)\"],"
        "\"group\":\"games\"}");
    ck_assert_str_eq(turn.answer.body, want);
    turn_send("POST", "shell/exec",
              "{\"argv\":[\"sh\",\"-c\",\"echo $(id -u) $(id -g)\"],"
              "\"group\":\"games\"}");
    ck_assert_str_eq(status_of("stdout"), want);
}
END_TEST

/* --- a shell -------------------------------------------------------------- */

static void set_shell(const char *shell)
{
    ck_assert_int_eq(environment_add(&rig.agent.environment, "SHELL", shell),
                     0);
    environment_merge(&rig.agent.environment);
}

/* What no command string may have, and what no list allows. */
START_TEST(shell)
{
    strlist_free(&rig.agent.settings.allowed_commands);
    ck_assert_int_eq(strlist_add(&rig.agent.settings.allowed_commands, "cat"),
                     0);
    set_shell("/bin/sh");
    run("{\"shell\":true,\"command\":\"echo a | tr a b; echo $0 >&2\"}");
    ck_assert_uint_eq(turn.answer.body_len, 5);
    ck_assert_ptr_nonnull(strstr(turn.answer.body, "b\n"));
    ck_assert_ptr_nonnull(strstr(turn.answer.body, "sh\n"));
    turn_send("GET", "jobs/*", NULL);
    ck_assert_str_eq(status_of("argv"),
                     "[ \"sh\", \"-c\", \"echo a | tr a b; echo $0 >&2\" ]");
}
END_TEST

START_TEST(login_shell)
{
    set_shell("/bin/sh");
    start_job("{\"shell\":true,\"stdin\":true}");
    give_input("offset=0&eof=1", "echo $0\nexit 4\n");
    wait_for_end();
    take_output("offset=0");
    ck_assert_ptr_nonnull(strstr(turn.answer.body, "-sh\n"));
    ck_assert_int_eq(status_number("exit_code"), 4);
}
END_TEST

/* It is the user's own, and no real one. It need not be installed. */
START_TEST(shell_of_a_user)
{
    const char *job = "{\"shell\":true,\"command\":\"id\",\"user\":\"" NAME
                      "\"}";
    const struct passwd *user = getpwnam(NAME);

    ck_assert_ptr_nonnull(user);
    if (access(user->pw_shell, X_OK) < 0) {
        turn_send("POST", "jobs", job);
        expect_error(STATUS_CMD_NOT_FOUND, user->pw_shell);
        return;
    }
    start_job(job);
    wait_for_end();
    take_output("offset=0");
    ck_assert_int_ne(status_number("exit_code"), 0);
    turn_send("GET", "jobs/*", NULL);
    ck_assert_ptr_nonnull(
        strstr(status_of("argv"), strrchr(user->pw_shell, '/') + 1));
}
END_TEST

START_TEST(shell_not_allowed)
{
    rig.agent.settings.shell = false;
    turn_send("POST", "jobs", "{\"shell\":true,\"command\":\"id\"}");
    expect_error(STATUS_PERMISSION_DENIED, "security.shell");
    turn_send("POST", "shell/exec", "{\"shell\":true,\"command\":\"id\"}");
    expect_error(STATUS_PERMISSION_DENIED, "security.shell");
    /* '*' allows every program, but a string is still for no shell */
    turn_send("POST", "jobs", "{\"shell\":false,\"command\":\"id | id\"}");
    expect_error(STATUS_PERMISSION_DENIED, "'|'");
}
END_TEST

/* --- what is told of it --------------------------------------------------- */

START_TEST(capabilities)
{
    struct json_object *part = NULL;
    struct json_object *value = NULL;

    turn_send("GET", "capabilities", NULL);
    json_object_object_get_ex(turn.status, "policy", &part);
    json_object_object_get_ex(part, "shell", &value);
    ck_assert(json_object_get_boolean(value));
    json_object_object_get_ex(turn.status, "limits", &part);
    json_object_object_get_ex(part, "jobs", &value);
    ck_assert_int_eq(json_object_get_int(value), JOBS_MAX);
    json_object_object_get_ex(part, "job_output", &value);
    ck_assert_int_eq(json_object_get_int(value), JOB_OUTPUT_MAX);
    json_object_object_get_ex(part, "job_input", &value);
    ck_assert_int_eq(json_object_get_int(value), JOB_INPUT_MAX);
    json_object_object_get_ex(part, "jobs_keep", &value);
    ck_assert_int_eq(json_object_get_int(value), 3600);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, turns_teardown);
    tcase_add_test(tcase, at_once);
    tcase_add_test(tcase, when_the_wait_is_over);
    tcase_add_test(tcase, when_it_has_ended);
    tcase_add_test(tcase, when_it_says_something);
    tcase_add_test(tcase, when_it_has_said_all);
    tcase_add_test(tcase, slow_start);
    tcase_add_loop_test(tcase, error, 0, ARRAY_SIZE(errors));
    tcase_add_loop_test(tcase, wrong_parameter, 0, ARRAY_SIZE(wrong));
    tcase_add_test(tcase, not_allowed);
    tcase_add_loop_test(tcase, variable_not_allowed, 0, ARRAY_SIZE(variables));
    tcase_add_loop_test(tcase, command, 0, ARRAY_SIZE(commands));
    tcase_add_test(tcase, any_bytes);
    tcase_add_test(tcase, shell);
    tcase_add_test(tcase, login_shell);
    tcase_add_test(tcase, shell_not_allowed);
    tcase_add_test(tcase, capabilities);
    if (geteuid() != 0)
        return;
    tcase_add_test(tcase, other_user);
    tcase_add_test(tcase, other_user_on_a_terminal);
    tcase_add_test(tcase, other_group);
    tcase_add_test(tcase, shell_of_a_user);
}
