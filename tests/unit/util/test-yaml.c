/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "util/yaml.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"
#include "util/log.h"

const char unit_name[] = "yaml";

/* The keys that the specification's two examples use, and some more. */
struct settings {
    char *socket_path;
    int64_t connect_timeout, read_timeout, write_timeout;
    int64_t max_retries, retry_interval, backoff_factor;
    char *device;
    int64_t buffer_size, max_request_size, request_timeout;
    bool enable_auth;
    struct strlist commands, paths;
    enum log_level level;
    char *file;
    int64_t max_size, backup_count;
    struct yaml_items rules; /* struct rule */
};

struct rule {
    struct yaml_item at;
    char *name;
    struct strlist words;
    int64_t wait;
};

#define RULE(member) offsetof(struct rule, member)

#define SLOT(member) offsetof(struct settings, member)

static const struct yaml_key keys[] = {
    { "connection.socket_path", YAML_KIND_STRING, SLOT(socket_path), 0, 0 },
    { "connection.connect_timeout", YAML_KIND_SECONDS, SLOT(connect_timeout),
      1, 3600000 },
    { "connection.read_timeout", YAML_KIND_SECONDS, SLOT(read_timeout), 0,
      3600000 },
    { "connection.write_timeout", YAML_KIND_SECONDS, SLOT(write_timeout), 0,
      3600000 },
    { "retry.max_retries", YAML_KIND_NUMBER, SLOT(max_retries), 0, 100 },
    { "retry.retry_interval", YAML_KIND_SECONDS, SLOT(retry_interval), 0,
      3600000 },
    { "retry.backoff_factor", YAML_KIND_NUMBER, SLOT(backoff_factor), 1, 10 },
    { "device.path", YAML_KIND_STRING, SLOT(device), 0, 0 },
    { "device.buffer_size", YAML_KIND_SIZE, SLOT(buffer_size), 4096, 1 << 24 },
    { "server.max_request_size", YAML_KIND_SIZE, SLOT(max_request_size), 1024,
      1 << 30 },
    { "server.request_timeout", YAML_KIND_SECONDS, SLOT(request_timeout), 0,
      3600000 },
    { "security.enable_auth", YAML_KIND_BOOL, SLOT(enable_auth), 0, 0 },
    { "security.allowed_commands", YAML_KIND_LIST, SLOT(commands), 0, 0 },
    { "security.allowed_paths", YAML_KIND_LIST, SLOT(paths), 0, 0 },
    { "logging.level", YAML_KIND_LEVEL, SLOT(level), 0, 0 },
    { "logging.file", YAML_KIND_STRING, SLOT(file), 0, 0 },
    { "logging.max_size", YAML_KIND_SIZE, SLOT(max_size), 0, 1LL << 40 },
    { "logging.backup_count", YAML_KIND_NUMBER, SLOT(backup_count), 0, 100 },
    { "server.rules", YAML_KIND_ITEMS, SLOT(rules), sizeof(struct rule), 3 },
    { "server.rules.name", YAML_KIND_STRING, RULE(name), 0, 0 },
    { "server.rules.words", YAML_KIND_LIST, RULE(words), 0, 0 },
    { "server.rules.in.wait", YAML_KIND_SECONDS, RULE(wait), 1000, 5000 },
};

static void settings_free(struct settings *settings)
{
    free(settings->socket_path);
    free(settings->device);
    free(settings->file);
    strlist_free(&settings->commands);
    strlist_free(&settings->paths);
    for (size_t i = 0; i < settings->rules.n; i++) {
        struct rule *rule = (struct rule *) settings->rules.items + i;

        free(rule->name);
        strlist_free(&rule->words);
    }
    free(settings->rules.items);
}

/* Loads a text as file "t.yaml"; the message's folder is cut off. */
static int load(const char *text, struct settings *settings, struct error *err)
{
    char *folder = unit_tmpdir();
    char *path = unit_path(folder, "t.yaml");
    char *base;
    int r;

    unit_write_file(path, text);
    r = yaml_load(path, keys, ARRAY_SIZE(keys), settings, err);
    base = strstr(err->message, "t.yaml");
    if (base)
        memmove(err->message, base, strlen(base) + 1);
    free(path);
    unit_rmdir(folder);
    return r;
}

static const char host_example[] =
    "# host_config.yaml\n"
    "connection:\n"
    "  socket_path: /var/lib/libvirt/qemu/channel/target/"
    "domain-26-UCypher-newtest1/test.vserial.0\n"
    "  connect_timeout: 5\n"
    "  read_timeout: 30\n"
    "  write_timeout: 30\n"
    "\n"
    "retry:\n"
    "  max_retries: 3\n"
    "  retry_interval: 1\n"
    "  backoff_factor: 2\n"
    "\n"
    "logging:\n"
    "  level: INFO\n"
    "  file: /var/log/virtio-rpc-host.log\n"
    "  max_size: 10MB\n"
    "  backup_count: 5\n";

static const char guest_example[] =
    "# guest_config.yaml\n"
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
    "  allowed_commands: []  "
    "# \xE7\xA9\xBA\xE8\xA1\xA8\xE7\xA4\xBA\xE4\xBD\xBF\xE7\x94\xA8"
    "\xE9\xBB\x98\xE8\xAE\xA4\xE7\x99\xBD\xE5\x90\x8D\xE5\x8D\x95\n"
    "  allowed_paths:\n"
    "    - /tmp/\n"
    "    - /var/log/\n"
    "    - /home/\n"
    "\n"
    "logging:\n"
    "  level: INFO\n"
    "  file: /var/log/virtio-rpc-guest.log\n"
    "  max_size: 10MB\n"
    "  backup_count: 5\n";

START_TEST(specification_host_example)
{
    struct settings s = { .level = LOG_LEVEL_DEBUG };
    struct error err = ERROR_INIT;

    ck_assert_msg(load(host_example, &s, &err) == 0, "%s", err.message);
    ck_assert_str_eq(s.socket_path, "/var/lib/libvirt/qemu/channel/target/"
                                    "domain-26-UCypher-newtest1/"
                                    "test.vserial.0");
    ck_assert_int_eq(s.connect_timeout, 5000);
    ck_assert_int_eq(s.read_timeout, 30000);
    ck_assert_int_eq(s.write_timeout, 30000);
    ck_assert_int_eq(s.max_retries, 3);
    ck_assert_int_eq(s.retry_interval, 1000);
    ck_assert_int_eq(s.backoff_factor, 2);
    ck_assert_int_eq(s.level, LOG_LEVEL_INFO);
    ck_assert_str_eq(s.file, "/var/log/virtio-rpc-host.log");
    ck_assert_int_eq(s.max_size, 10 * 1024 * 1024);
    ck_assert_int_eq(s.backup_count, 5);
    settings_free(&s);
}
END_TEST

START_TEST(specification_guest_example)
{
    struct settings s = { .enable_auth = true };
    struct error err = ERROR_INIT;

    strlist_add(&s.commands, "default");
    strlist_add(&s.paths, "/default/");
    ck_assert_msg(load(guest_example, &s, &err) == 0, "%s", err.message);
    ck_assert_str_eq(s.device, "/dev/virtio-ports/test.vserial.0");
    ck_assert_int_eq(s.buffer_size, 65536);
    ck_assert_int_eq(s.max_request_size, 10485760);
    ck_assert_int_eq(s.request_timeout, 60000);
    ck_assert(!s.enable_auth);
    ck_assert_uint_eq(s.commands.n, 0); /* a list replaces, also by nothing */
    ck_assert_uint_eq(s.paths.n, 3);
    ck_assert_str_eq(s.paths.items[0], "/tmp/");
    ck_assert_str_eq(s.paths.items[2], "/home/");
    settings_free(&s);
}
END_TEST

/* None of these changes anything. */
static const char *const idle[] = {
    "",
    "# only a comment\n",
    "---\n",
    "---\n...\n",
    "~\n",
    "logging:\n",
    "logging: null\nretry: ~\n",
    "logging: {}\n",
    "logging:\n  file:\n",
    "server:\n  rules:\n",
    "server: {rules: ~}\n",
    "server: {rules: []}\n",
    "logging:\n  file: null\n  level: ~\n  max_size: Null\n",
    "security:\n  allowed_paths: NULL\n",
};

START_TEST(defaults_stay)
{
    struct settings s = { .max_size = 7, .level = LOG_LEVEL_WARNING };
    struct error err = ERROR_INIT;

    s.file = strdup("default");
    strlist_add(&s.paths, "/default/");
    ck_assert_msg(load(idle[_i], &s, &err) == 0, "%s", err.message);
    ck_assert_str_eq(s.file, "default");
    ck_assert_int_eq(s.max_size, 7);
    ck_assert_int_eq(s.level, LOG_LEVEL_WARNING);
    ck_assert_uint_eq(s.paths.n, 1);
    ck_assert_uint_eq(s.rules.n, 0);
    settings_free(&s);
}
END_TEST

/* Each has its own values, and what it does not say is zero. */
START_TEST(items)
{
    struct settings s = { 0 };
    struct error err = ERROR_INIT;
    const struct rule *rules;

    ck_assert_msg(load("server:\n"
                       "  request_timeout: 7\n"
                       "  rules:\n"
                       "    - name: one\n"
                       "      words: [a, b]\n"
                       "      in: {wait: 1.5}\n"
                       "    - {}\n"
                       "    - {words: [c], name: }\n"
                       "  max_request_size: 2K\n",
                       &s, &err)
                      == 0,
                  "%s", err.message);
    rules = s.rules.items;
    ck_assert_uint_eq(s.rules.n, 3);
    ck_assert_uint_eq(rules[0].at.line, 4);
    ck_assert_str_eq(rules[0].name, "one");
    ck_assert_uint_eq(rules[0].words.n, 2);
    ck_assert_int_eq(rules[0].wait, 1500);
    ck_assert_uint_eq(rules[1].at.line, 7);
    ck_assert_ptr_null(rules[1].name);
    ck_assert_uint_eq(rules[1].words.n, 0);
    ck_assert_int_eq(rules[1].wait, 0);
    ck_assert_uint_eq(rules[2].at.line, 8);
    ck_assert_ptr_null(rules[2].name);
    ck_assert_str_eq(rules[2].words.items[0], "c");
    /* what is around them goes where it went */
    ck_assert_int_eq(s.request_timeout, 7000);
    ck_assert_int_eq(s.max_request_size, 2048);
    settings_free(&s);
}
END_TEST

START_TEST(values)
{
    struct settings s = { 0 };
    struct error err = ERROR_INIT;

    ck_assert_msg(load("connection:\n"
                       "  connect_timeout: 0.5\n"
                       "  read_timeout: 1.0015\n"
                       "  socket_path: \"null\"\n"
                       "security: {enable_auth: Yes, allowed_paths: [a, 5]}\n"
                       "logging: {level: warn, file: 'it''s', max_size: 0}\n",
                       &s, &err)
                      == 0,
                  "%s", err.message);
    ck_assert_int_eq(s.connect_timeout, 500);
    ck_assert_int_eq(s.read_timeout, 1002);
    ck_assert_str_eq(s.socket_path, "null"); /* quoted: a word */
    ck_assert(s.enable_auth);
    ck_assert_str_eq(s.paths.items[1], "5");
    ck_assert_int_eq(s.level, LOG_LEVEL_WARNING);
    ck_assert_str_eq(s.file, "it's");
    settings_free(&s);
}
END_TEST

/* What is wrong, and the start of the message about it. */
static const struct {
    const char *text;
    const char *message;
} wrong[] = {
    { "logging:\n  max_sise: 5\n",
      "t.yaml:2: unknown key 'logging.max_sise'; did you mean "
      "'logging.max_size'?" },
    { "\n\nlogin: 5\n", "t.yaml:3: 'login': unknown key" },
    { "loging:\n  level: INFO\n", "t.yaml:1: " },
    { "zzz:\n  level: INFO\n", "t.yaml:1: 'zzz': unknown key" },
    { "retry:\n  max_retries: 3\n  extra: {a: b}\n",
      "t.yaml:3: 'retry.extra': unknown key" },
    { "retry: 3\n", "t.yaml:1: 'retry': a section, not a value" },
    { "retry: [3]\n", "t.yaml:1: 'retry': a section, not a value" },
    { "retry:\n  max_retries: {a: 3}\n",
      "t.yaml:2: 'retry.max_retries': not a single value" },
    { "retry:\n  max_retries: [3]\n",
      "t.yaml:2: 'retry.max_retries': not a single value" },
    { "retry:\n  max_retries: three\n",
      "t.yaml:2: 'retry.max_retries': not a whole number" },
    { "retry:\n  max_retries: -1\n",
      "t.yaml:2: 'retry.max_retries': not a whole number" },
    { "retry:\n  max_retries: 101\n",
      "t.yaml:2: 'retry.max_retries': number out of range" },
    { "retry:\n  retry_interval: 1s\n",
      "t.yaml:2: 'retry.retry_interval': not a number of seconds" },
    { "retry:\n  retry_interval: -1\n",
      "t.yaml:2: 'retry.retry_interval': not a number of seconds" },
    { "retry:\n  retry_interval: 1e3\n",
      "t.yaml:2: 'retry.retry_interval': not a number of seconds" },
    { "retry:\n  retry_interval: 0x10\n",
      "t.yaml:2: 'retry.retry_interval': not a number of seconds" },
    { "retry:\n  retry_interval: .inf\n",
      "t.yaml:2: 'retry.retry_interval': not a number of seconds" },
    { "retry:\n  retry_interval: 3601\n",
      "t.yaml:2: 'retry.retry_interval': number of seconds out of range" },
    { "connection:\n  connect_timeout: 0\n",
      "t.yaml:2: 'connection.connect_timeout': number of seconds out" },
    { "logging:\n  max_size: big\n", "t.yaml:2: 'logging.max_size': not a" },
    { "device:\n  buffer_size: 4095\n",
      "t.yaml:2: 'device.buffer_size': size out of range" },
    { "logging:\n  level: LOUD\n",
      "t.yaml:2: 'logging.level': no such level" },
    { "security:\n  enable_auth: 1\n",
      "t.yaml:2: 'security.enable_auth': neither true nor false" },
    { "security:\n  allowed_paths: /tmp/\n",
      "t.yaml:2: 'security.allowed_paths': not a list" },
    { "security:\n  allowed_paths:\n    - /tmp/\n    - {a: b}\n",
      "t.yaml:4: 'security.allowed_paths': an entry is not a word" },
    { "security:\n  allowed_paths:\n    - /tmp/\n    -\n",
      "t.yaml:4: 'security.allowed_paths': an entry is not a word" },
    { "security:\n  allowed_paths: [~]\n",
      "t.yaml:2: 'security.allowed_paths': an entry is not a word" },
    { "logging:\n  file: \"a\\0b\"\n",
      "t.yaml:2: 'logging.file': not a single value" },
    { "? [a]\n: b\n", "t.yaml:1: " },
    { "- a\n- b\n", "t.yaml:1: '': not a mapping of keys to values" },
    { "just words\n", "t.yaml:1: '': not a mapping of keys to values" },
    { "logging:\n  level: INFO\n  level: DEBUG\n",
      "t.yaml:3: 'logging.level': given twice" },
    { "logging:\n  level: INFO\nretry:\nlogging:\n  max_size: 5\n",
      "t.yaml:4: 'logging': given twice" },
    { "logging:\n  level: INFO\n---\nlogging:\n  level: DEBUG\n",
      "t.yaml:3: more than one document" },
    { "logging:\n  level: [\n", "t.yaml:3: " },
    { "logging:\n\tlevel: INFO\n", "t.yaml:2: " },
    { "logging:\n  level: INFO\n  file: \"open\n", "t.yaml:" },
    { "logging:\n  level: INFO\n...\n}}}\n", "t.yaml:4: " },
    { "logging:\n  level: INFO\n  file: \xFF\n", "t.yaml: at byte 31: " },
    { "logging: *nowhere\n", "t.yaml:1: " },
    { "server:\n  rules: x\n", "t.yaml:2: 'server.rules': not a list" },
    { "server:\n  rules: {name: x}\n",
      "t.yaml:2: 'server.rules': not a list" },
    { "server:\n  rules:\n    - x\n",
      "t.yaml:3: 'server.rules': an entry is not a mapping" },
    { "server:\n  rules:\n    - name: x\n    -\n",
      "t.yaml:4: 'server.rules': an entry is not a mapping" },
    { "server:\n  rules:\n    - [{name: x}]\n",
      "t.yaml:3: 'server.rules': an entry is not a mapping" },
    { "server:\n  rules: [{}, {}, {},\n  {}]\n",
      "t.yaml:3: 'server.rules': too many entries" },
    { "server:\n  rules:\n    - nam: x\n",
      "t.yaml:3: unknown key 'server.rules.nam'; did you mean "
      "'server.rules.name'?" },
    { "server:\n  rules:\n    - name: x\n      name: y\n",
      "t.yaml:4: 'server.rules.name': given twice" },
    { "server:\n  rules:\n    - name: [x]\n",
      "t.yaml:3: 'server.rules.name': not a single value" },
    { "server:\n  rules:\n    - words: x\n",
      "t.yaml:3: 'server.rules.words': not a list" },
    { "server:\n  rules:\n    - in: {wait: 6}\n",
      "t.yaml:3: 'server.rules.in.wait': number of seconds out of range" },
    /* an item's keys are nowhere else, however they are written */
    { "server:\n  rules.name: x\n",
      "t.yaml:2: unknown key 'server.rules.name'; did you mean "
      "'server.rules'?" },
    { "server.rules.name: x\n", "t.yaml:1: " },
    { "server:\n  rules.in: {wait: 2}\n", "t.yaml:2: " },
    { "server.rules.in:\n  wait: 2\n", "t.yaml:1: " },
    { "server:\n  rules:\n    - {max_request_size: 2K}\n",
      "t.yaml:3: 'server.rules.max_request_size': unknown key" },
    { "server:\n  rules: &a [*a]\n",
      "t.yaml:2: 'server.rules': an entry is not a mapping" },
};

START_TEST(mistakes)
{
    struct settings s = { 0 };
    struct error err = ERROR_INIT;
    int r = load(wrong[_i].text, &s, &err);

    ck_assert_int_eq(r, -EINVAL);
    ck_assert_int_eq(err.code, r);
    ck_assert_msg(
        strncmp(err.message, wrong[_i].message, strlen(wrong[_i].message))
            == 0,
        "\n got: %s\nwant: %s", err.message, wrong[_i].message);
    settings_free(&s);
}
END_TEST

START_TEST(no_file)
{
    struct settings s = { 0 };
    struct error err = ERROR_INIT;

    ck_assert_int_eq(
        yaml_load("/nonexistent/x.yaml", keys, ARRAY_SIZE(keys), &s, &err),
        -ENOENT);
    ck_assert_str_eq(err.message, "configuration file '/nonexistent/x.yaml': "
                                  "No such file or directory");
    ck_assert_int_lt(yaml_load("/", keys, ARRAY_SIZE(keys), &s, &err), 0);
}
END_TEST

/* Aliases that contain themselves must end. */
START_TEST(cycles_end)
{
    struct settings s = { 0 };
    struct error err = ERROR_INIT;

    ck_assert_int_lt(load("logging: &a\n  level: *a\n", &s, &err), 0);
    ck_assert_int_lt(load("logging: &a\n  logging: *a\n", &s, &err), 0);
    settings_free(&s);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, specification_host_example);
    tcase_add_test(tcase, specification_guest_example);
    tcase_add_loop_test(tcase, defaults_stay, 0, ARRAY_SIZE(idle));
    tcase_add_test(tcase, items);
    tcase_add_test(tcase, values);
    tcase_add_loop_test(tcase, mistakes, 0, ARRAY_SIZE(wrong));
    tcase_add_test(tcase, no_file);
    tcase_add_test(tcase, cycles_end);
}
