/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/core/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/endpoint.h"
#include "unit/unit.h"
#include "util/buf.h"

const char unit_name[] = "settings";

static char *dir;
static char *file;
static struct settings settings;

static void setup(void)
{
    dir = unit_tmpdir();
    file = unit_path(dir, "guest_config.yaml");
    ck_assert_int_eq(settings_init(&settings), 0);
}

static void teardown(void)
{
    settings_free(&settings);
    free(file);
    unit_rmdir(dir);
}

static int load(const char *text, struct error *err)
{
    unit_write_file(file, text);
    return settings_load(&settings, file, err);
}

static void expect_list(const struct strlist *list, const char *words)
{
    struct buf joined;

    buf_init(&joined, 4096);
    buf_puts(&joined, "");
    for (size_t i = 0; i < list->n; i++)
        buf_printf(&joined, "%s ", list->items[i]);
    ck_assert_str_eq(buf_cstr(&joined), words);
    buf_free(&joined);
}

#define COMMANDS                                                      \
    "ls cat head tail grep df free top ps netstat systemctl service " \
    "journalctl "

/* The chapter on security, and the limits that it names. */
static void expect_defaults(void)
{
    ck_assert_int_eq(settings.buffer_size, 65536);
    ck_assert_int_eq(settings.max_request_size, 10 * 1024 * 1024);
    ck_assert_int_eq(settings.request_timeout, 60000);
    ck_assert_int_eq(settings.max_output_size, 32 * 1024 * 1024);
    ck_assert(!settings.enable_auth);
    expect_list(&settings.allowed_commands, COMMANDS);
    expect_list(&settings.allowed_env, "");
    expect_list(&settings.allowed_paths, "/tmp/ /var/log/ /home/ ");
    expect_list(&settings.readonly_paths, "/etc/ ");
    expect_list(&settings.forbidden_paths,
                "/etc/shadow /etc/passwd /root/ /proc/ /sys/ "
                "/etc/shadow- /etc/shadow+ /etc/nshadow /etc/passwd- "
                "/etc/gshadow /etc/gshadow- /etc/gshadow+ "
                "/etc/security/opasswd ");
    ck_assert_ptr_null(settings.look_as);
    ck_assert_uint_eq(settings.command_rules.n, 0);
    ck_assert_int_eq(settings.per_second, 10);
    ck_assert_int_eq(settings.per_minute, 100);
    ck_assert_int_eq(settings.max_concurrent, 5);
    ck_assert(!settings.shell);
    ck_assert_int_eq(settings.jobs_keep, 3600000);
    ck_assert_int_eq(settings.log_level, LOG_LEVEL_INFO);
    ck_assert_str_eq(settings.log_file, "/var/log/virtio-rpc-guest.log");
    ck_assert_int_eq(settings.log_max_size, 10 * 1024 * 1024);
    ck_assert_int_eq(settings.log_backups, 5);
    ck_assert_str_eq(settings.auth_key_file,
                     SYSCONFDIR "/virtio-rpc/agent.key");
    ck_assert_str_eq(settings.custom_dir, SYSCONFDIR "/virtio-rpc/custom.d");
    ck_assert_uint_eq(settings.handlers.n, 0);
}

START_TEST(defaults)
{
    expect_defaults();
    ck_assert_str_eq(settings.device_path,
                     "/dev/virtio-ports/org.vsrpc.agent.0");
}
END_TEST

/* guest_config.yaml of the specification, to the letter. */
START_TEST(the_specifications)
{
    struct error err = ERROR_INIT;

    ck_assert_msg(
        load("# guest_config.yaml\n"
             "device:\n"
             "  path: /dev/virtio-ports/test.vserial.0\n"
             "  buffer_size: 65536\n"
             "\n"
             "server:\n"
             "  max_request_size: 10MB\n"
             "  request_timeout: 60\n"
             "\n"
             "security:\n"
             "  enable_auth: false\n"
             "  allowed_commands: []  # \xE7\xA9\xBA\xE8\xA1\xA8\xE7\xA4\xBA"
             "\xE4\xBD\xBF\xE7\x94\xA8\xE9\xBB\x98\xE8\xAE\xA4\xE7\x99\xBD"
             "\xE5\x90\x8D\xE5\x8D\x95\n"
             "  allowed_paths:\n"
             "    - /tmp/\n"
             "    - /var/log/\n"
             "    - /home/\n"
             "\n"
             "logging:\n"
             "  level: INFO\n"
             "  file: /var/log/virtio-rpc-guest.log\n"
             "  max_size: 10MB\n"
             "  backup_count: 5\n",
             &err)
            == 0,
        "%s", err.message);
    expect_defaults(); /* they are the same, but for the port */
    ck_assert_str_eq(settings.device_path, "/dev/virtio-ports/test.vserial.0");
}
END_TEST

static void expect_handlers(void)
{
    const struct endpoint *one = endpoint_get(&settings.handlers, 0);
    const struct endpoint *two = endpoint_get(&settings.handlers, 1);

    ck_assert_uint_eq(settings.handlers.n, 2);
    ck_assert_str_eq(one->method, "GET");
    ck_assert_str_eq(one->path, "/api/v1/custom");
    expect_list(&one->command, "/p a ");
    ck_assert_int_eq(one->timeout, 2500);
    ck_assert_str_eq(one->user, "nobody");
    ck_assert_str_eq(two->path, "/api/v1/b");
    expect_list(&two->command, "/q ");
    ck_assert_int_eq(two->timeout, 0);
    ck_assert_ptr_null(two->user);
}

START_TEST(everything_else)
{
    const struct command_rule *rule;
    struct error err = ERROR_INIT;

    ck_assert_msg(load("device: {path: /p, buffer_size: 4KB}\n"
                       "server: {max_request_size: 1M, request_timeout: 1.5,"
                       " max_output_size: 8K, custom_dir: /c,\n"
                       " handlers: [{method: GET, path: /api/v1/custom,"
                       " command: [/p, a], timeout: 2.5, user: nobody},\n"
                       " {method: PUT, path: /api/v1/b, command: [/q]}]}\n"
                       "security:\n"
                       "  enable_auth: true\n"
                       "  auth_key_file: /k\n"
                       "  allowed_commands: ['*']\n"
                       "  allowed_env: [MINE, 'APP_*']\n"
                       "  look_as: bin\n"
                       "  command_rules:\n"
                       "    - {program: cat, user: root, always: [-b],"
                       " options: [-c], arguments: [d, e]}\n"
                       "  shell: yes\n"
                       "  allowed_paths: [/a]\n"
                       "  readonly_paths: []\n"
                       "  forbidden_paths: [/f, /g]\n"
                       "rate_limit: {requests_per_second: 0,"
                       " requests_per_minute: 7, max_concurrent: 0}\n"
                       "jobs: {keep: 0.5}\n"
                       "logging: {level: debug, file: none, max_size: 0,"
                       " backup_count: 0}\n",
                       &err)
                      == 0,
                  "%s", err.message);
    ck_assert_str_eq(settings.device_path, "/p");
    ck_assert_int_eq(settings.buffer_size, 4096);
    ck_assert_int_eq(settings.max_request_size, 1048576);
    ck_assert_int_eq(settings.request_timeout, 1500);
    ck_assert_int_eq(settings.max_output_size, 8192);
    ck_assert_str_eq(settings.custom_dir, "/c");
    expect_handlers();
    ck_assert(settings.enable_auth);
    ck_assert_str_eq(settings.auth_key_file, "/k");
    expect_list(&settings.allowed_commands, "* ");
    expect_list(&settings.allowed_env, "MINE APP_* ");
    ck_assert_str_eq(settings.look_as, "bin");
    ck_assert_uint_eq(settings.command_rules.n, 1);
    rule = settings.command_rules.items;
    ck_assert_str_eq(rule->program, "cat");
    ck_assert_str_eq(rule->user, "root");
    expect_list(&rule->always, "-b ");
    expect_list(&rule->options, "-c ");
    expect_list(&rule->arguments, "d e ");
    expect_list(&settings.allowed_paths, "/a ");
    expect_list(&settings.readonly_paths, "");
    expect_list(&settings.forbidden_paths, "/f /g ");
    ck_assert_int_eq(settings.per_second, 0);
    ck_assert_int_eq(settings.per_minute, 7);
    ck_assert_int_eq(settings.max_concurrent, 0);
    ck_assert(settings.shell);
    ck_assert_int_eq(settings.jobs_keep, 500);
    ck_assert_int_eq(settings.log_level, LOG_LEVEL_DEBUG);
    ck_assert_str_eq(settings.log_file, "none");
    ck_assert_int_eq(settings.log_max_size, 0);
    ck_assert_int_eq(settings.log_backups, 0);
}
END_TEST

START_TEST(empty_file)
{
    ck_assert_int_eq(load("", NULL), 0);
    expect_defaults();
}
END_TEST

/* The error names the file and what is wrong in it. */
static const struct {
    const char *text, *names;
} broken[] = {
    { "device: {buffer_size: 1}\n", "buffer_size" },
    { "device: {buffer_size: 2MB}\n", "buffer_size" },
    { "server: {max_request_size: 0}\n", "max_request_size" },
    { "server: {max_request_size: 2GB}\n", "max_request_size" },
    { "server: {request_timeout: 0}\n", "request_timeout" },
    { "server: {request_timeout: 0.5}\n", "request_timeout" },
    { "server: {request_timeout: soon}\n", "request_timeout" },
    { "server: {max_output_size: 65MB}\n", "max_output_size" },
    { "security: {enable_auth: perhaps}\n", "enable_auth" },
    { "security: {allowed_paths: [tmp]}\n", "tmp" },
    { "security: {allowed_paths: ['']}\n", "allowed_paths" },
    { "security: {readonly_paths: [/etc, ./x]}\n", "./x" },
    { "security: {forbidden_paths: [root/]}\n", "root/" },
    { "security: {allowed_commands: ls}\n", "allowed_commands" },
    { "security: {allowed_env: [A=1]}\n", "A=1" },
    { "security: {allowed_env: ['*_X']}\n", "*_X" },
    { "security: {allowed_env: ['X**']}\n", "X**" },
    { "security: {allowed_env: ['']}\n", "allowed_env" },
    { "security: {command_rules: [{user: x}]}\n", "rules.program" },
    { "security: {command_rules: [{program: a}, {program: b/c}]}\n",
      "rules.program" },
    { "security: {command_rules: [{program: a}, {program: a}]}\n",
      "second rule for 'a'" },
    { "security: {command_rules: [{program: a, args: x}]}\n", "args" },
    { "security: {allowed_cmds: [ls]}\n", "allowed_cmds" },
    { "rate_limit: {requests_per_second: -1}\n", "requests_per_second" },
    { "rate_limit: {requests_per_minute: 100001}\n", "requests_per_minute" },
    { "rate_limit: {max_concurrent: 1001}\n", "max_concurrent" },
    { "security: {shell: /bin/sh}\n", "shell" },
    { "jobs: {keep: 2592001}\n", "keep" },
    { "jobs: {keep: ever}\n", "keep" },
    { "logging: {level: LOUD}\n", "level" },
    { "logging: {backup_count: 101}\n", "backup_count" },
    { "unknown: 1\n", "unknown" },
    { "device: [\n", "" },
    { "- a\n", "" },
};

START_TEST(errors)
{
    struct error err = ERROR_INIT;
    int r = load(broken[_i].text, &err);

    ck_assert_msg(r < 0, "'%s': %d", broken[_i].text, r);
    ck_assert_msg(strstr(err.message, file) != NULL, "%s", err.message);
    ck_assert_msg(strstr(err.message, broken[_i].names) != NULL, "%s",
                  err.message);
}
END_TEST

START_TEST(missing_file)
{
    struct error err = ERROR_INIT;

    ck_assert_int_eq(settings_load(&settings, file, &err), -ENOENT);
    ck_assert_ptr_nonnull(strstr(err.message, file));
    expect_defaults();
    unit_write_file(file, "");
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, defaults);
    tcase_add_test(tcase, the_specifications);
    tcase_add_test(tcase, everything_else);
    tcase_add_test(tcase, empty_file);
    tcase_add_loop_test(tcase, errors, 0, ARRAY_SIZE(broken));
    tcase_add_test(tcase, missing_file);
}
