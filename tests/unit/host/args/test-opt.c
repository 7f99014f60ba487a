/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/args/opt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/args/options.h"
#include "unit/unit.h"
#include "util/text.h"

const char unit_name[] = "opt";

#define ARGS_MAX 8

/* --- the global options -------------------------------------------------- */

static int parse(const char *const *args, struct options *options,
                 struct error *err)
{
    static char *copies[ARGS_MAX + 2];
    int n = 0;

    copies[n++] = strdup("vsrpc-virsh");
    for (; *args; args++)
        copies[n++] = strdup(*args);
    copies[n] = NULL;
    return options_parse(options, n, copies, err);
}

static const struct {
    const char *args[ARGS_MAX];
    int operand;
    struct options want;
} good[] = {
    { { NULL }, 1, { .timeout = TIMEOUT_UNSET } },
    { { "web1", "ping" }, 1, { .timeout = TIMEOUT_UNSET } },
    { { "--json", "web1", "--quiet" },
      2,
      { .timeout = TIMEOUT_UNSET, .json = true } },
    { { "-q", "-v", "web1" },
      3,
      { .timeout = TIMEOUT_UNSET, .quiet = true, .verbose = true } },
    { { "-qv", "web1" },
      2,
      { .timeout = TIMEOUT_UNSET, .quiet = true, .verbose = true } },
    { { "-c", "test:///default", "web1" },
      3,
      { .timeout = TIMEOUT_UNSET, .uri = "test:///default" } },
    { { "-ctest:///default", "web1" },
      2,
      { .timeout = TIMEOUT_UNSET, .uri = "test:///default" } },
    { { "--connect=test:///default", "web1" },
      2,
      { .timeout = TIMEOUT_UNSET, .uri = "test:///default" } },
    { { "--connect", "", "web1" },
      3,
      { .timeout = TIMEOUT_UNSET, .uri = "" } },
    { { "--channel", "a.0", "--socket", "/s", "--config", "/c" },
      7,
      { .timeout = TIMEOUT_UNSET,
        .channel = "a.0",
        .socket = "/s",
        .config = "/c" } },
    { { "--all", "--parallel", "8", "ping" },
      4,
      { .timeout = TIMEOUT_UNSET, .all = true, .parallel = 8 } },
    { { "--parallel=1024" },
      2,
      { .timeout = TIMEOUT_UNSET, .parallel = 1024 } },
    { { "--timeout", "5" }, 3, { .timeout = 5000 } },
    { { "--timeout", "0" }, 3, { .timeout = 0 } },
    { { "--timeout", "0.25" }, 3, { .timeout = 250 } },
    { { "--timeout", "1000000000" }, 3, { .timeout = 1000000000000 } },
    { { "--timeout", "1", "--timeout", "2" }, 5, { .timeout = 2000 } },
    { { "--log", "none" }, 3, { .timeout = TIMEOUT_UNSET, .log = "none" } },
    { { "-V" }, 2, { .timeout = TIMEOUT_UNSET, .version = true } },
    { { "-h" }, 2, { .timeout = TIMEOUT_UNSET, .help = true } },
    { { "--list-commands" },
      2,
      { .timeout = TIMEOUT_UNSET, .list_commands = true } },
    { { "--list-options" },
      2,
      { .timeout = TIMEOUT_UNSET, .list_options = true } },
    /* shortened, as long as it is one */
    { { "--para", "2" }, 3, { .timeout = TIMEOUT_UNSET, .parallel = 2 } },
    { { "--", "--json" }, 2, { .timeout = TIMEOUT_UNSET } },
    { { "--json", "--", "x" }, 3, { .timeout = TIMEOUT_UNSET, .json = true } },
    { { "-", "--json" }, 1, { .timeout = TIMEOUT_UNSET } },
};

START_TEST(understood)
{
    struct error err = ERROR_INIT;
    const struct options *want = &good[_i].want;
    struct options got;
    int r = parse(good[_i].args, &got, &err);

    ck_assert_msg(r == good[_i].operand, "%d %s", r, err.message);
    ck_assert_pstr_eq(got.uri, want->uri);
    ck_assert_pstr_eq(got.channel, want->channel);
    ck_assert_pstr_eq(got.socket, want->socket);
    ck_assert_pstr_eq(got.config, want->config);
    ck_assert_pstr_eq(got.log, want->log);
    ck_assert_int_eq(got.timeout, want->timeout);
    ck_assert_int_eq(got.parallel, want->parallel);
    ck_assert_int_eq(got.all, want->all);
    ck_assert_int_eq(got.json, want->json);
    ck_assert_int_eq(got.quiet, want->quiet);
    ck_assert_int_eq(got.verbose, want->verbose);
    ck_assert_int_eq(got.version, want->version);
    ck_assert_int_eq(got.help, want->help);
    ck_assert_int_eq(got.list_commands, want->list_commands);
    ck_assert_int_eq(got.list_options, want->list_options);
}
END_TEST

static const struct {
    const char *args[ARGS_MAX];
    const char *message, *hint;
} bad[] = {
    { { "--jsn" }, "unknown option '--jsn'", "--json" },
    { { "--jsn=1" }, "unknown option '--jsn'", "--json" },
    { { "--frobnicate" }, "unknown option '--frobnicate'", "" },
    { { "-x" }, "unknown option '-x'", "" },
    { { "-qx" }, "unknown option", "" },
    { { "--list" }, "unknown option '--list'", NULL }, /* ambiguous */
    { { "--json=1" }, "option '--json' takes no argument", "" },
    { { "--timeout" }, "option '--timeout' needs an argument", "" },
    { { "-q", "-c" }, "option '-c' needs an argument", "" },
    { { "--timeout", "" }, "--timeout", "" },
    { { "--timeout", "-1" }, "--timeout", "" },
    { { "--timeout", "+1" }, "--timeout", "" },
    { { "--timeout", " 1" }, "--timeout", "" },
    { { "--timeout", "1s" }, "--timeout", "" },
    { { "--timeout", "1e3" }, "--timeout", "" },
    { { "--timeout", "0x10" }, "--timeout", "" },
    { { "--timeout", "nan" }, "--timeout", "" },
    { { "--timeout", "inf" }, "--timeout", "" },
    { { "--timeout", ".5" }, "--timeout", "" },
    { { "--timeout", "1,5" }, "--timeout", "" },
    { { "--timeout", "1000000001" }, "--timeout", "" },
    { { "--parallel", "0" }, "--parallel", "" },
    { { "--parallel", "1025" }, "--parallel", "" },
    { { "--parallel", "many" }, "--parallel", "" },
    { { "--parallel", "-3" }, "--parallel", "" },
};

START_TEST(refused)
{
    struct error err = ERROR_INIT;
    struct options got;

    ck_assert_int_eq(parse(bad[_i].args, &got, &err), -EINVAL);
    ck_assert_msg(strstr(err.message, bad[_i].message) != NULL, "%s",
                  err.message);
    if (bad[_i].hint)
        ck_assert_str_eq(err.hint, bad[_i].hint);
}
END_TEST

/* --- every kind of value ------------------------------------------------- */

struct values {
    bool flag;
    const char *mode;
    const char *user;
    struct strlist env;
};

static const struct opt opts[] = {
    { 'f', "flag", NULL, OPT_FLAG, offsetof(struct values, flag), "a flag" },
    { 'm', "mode", "MODE", OPT_MODE, offsetof(struct values, mode), "a mode" },
    { 0, "env", "NAME=VALUE", OPT_ENV, offsetof(struct values, env),
      "a variable" },
    { 'u', "user", "USER", OPT_USER, offsetof(struct values, user), "a user" },
};

/* The words stay where they are, as main()'s do. */
static int parse_values(const char *const *words, struct values *values)
{
    static char store[ARGS_MAX][32];
    char *argv[ARGS_MAX];
    int n = 0;

    *values = (struct values) { 0 };
    for (; words[n]; n++) {
        snprintf(store[n], sizeof(store[n]), "%s", words[n]);
        argv[n] = store[n];
    }
    argv[n] = NULL;
    return opt_parse(opts, ARRAY_SIZE(opts), n, argv, values, NULL);
}

#define WORDS(...) ((const char *const[]) { __VA_ARGS__, NULL })

START_TEST(modes_and_variables)
{
    struct values values;

    ck_assert_int_eq(
        parse_values(WORDS("x", "-m", "0644", "--env", "A=1", "--env=B="),
                     &values),
        6);
    ck_assert_str_eq(values.mode, "0644");
    ck_assert_uint_eq(values.env.n, 2);
    ck_assert_str_eq(values.env.items[1], "B=");
    strlist_free(&values.env);
    ck_assert_int_eq(parse_values(WORDS("x", "-m", "0888"), &values), -EINVAL);
    ck_assert_int_eq(parse_values(WORDS("x", "--env", "A"), &values), -EINVAL);
    ck_assert_int_eq(parse_values(WORDS("x", "--env", "=1"), &values),
                     -EINVAL);
    strlist_free(&values.env);
}
END_TEST

/* Nobody is no user, and least of all root. */
START_TEST(users)
{
    static const struct {
        const char *text;
        bool right;
    } rows[] = {
        { "user", true },  { "1000", true },   { "user:adm", true },
        { "0:0", true },   { "", false },      { ":", false },
        { ":adm", false }, { "user:", false }, { "a:b:c", false },
        { "::", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct values values;

        ck_assert_int_eq(parse_values(WORDS("x", "-u", rows[i].text), &values),
                         rows[i].right ? 3 : -EINVAL);
        if (rows[i].right)
            ck_assert_str_eq(values.user, rows[i].text);
    }
}
END_TEST

/* One after the other, as a command follows the global options. */
START_TEST(again)
{
    for (int i = 0; i < 3; i++) {
        struct values values;

        ck_assert_int_eq(parse_values(WORDS("cmd", "-f", "a", "-m"), &values),
                         2);
        ck_assert(values.flag);
        ck_assert_ptr_null(values.mode);
    }
}
END_TEST

START_TEST(help)
{
    struct buf text;

    buf_init(&text, 4096);
    ck_assert_int_eq(opt_help(opts, ARRAY_SIZE(opts), &text), 0);
    ck_assert_str_eq(buf_cstr(&text),
                     "  -f, --flag                 a flag\n"
                     "  -m, --mode MODE            a mode\n"
                     "      --env NAME=VALUE       a variable\n"
                     "  -u, --user USER            a user\n");
    buf_free(&text);
}
END_TEST

START_TEST(hidden_rows)
{
    size_t n;
    const struct opt *table = options_table(&n);

    for (size_t i = 0; i < n; i++) {
        ck_assert_str_ne(table[i].help, "");
        ck_assert_msg(strncmp(table[i].name, "list-", 5) != 0, "%s",
                      table[i].name);
    }
    ck_assert_str_eq(table[n].help, "");
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, understood, 0, ARRAY_SIZE(good));
    tcase_add_loop_test(tcase, refused, 0, ARRAY_SIZE(bad));
    tcase_add_test(tcase, modes_and_variables);
    tcase_add_test(tcase, users);
    tcase_add_test(tcase, again);
    tcase_add_test(tcase, help);
    tcase_add_test(tcase, hidden_rows);
}
