/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/policy/command_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/status.h"
#include "unit/unit.h"

const char unit_name[] = "command-rules";

static struct settings settings;

static void setup(void)
{
    ck_assert_int_eq(settings_init(&settings), 0);
}

static void teardown(void)
{
    settings_free(&settings);
}

static struct strlist words_of(const char *text)
{
    struct strlist words = { 0 };

    while (*text) {
        size_t n = strcspn(text, " ");

        ck_assert_int_eq(strlist_add_n(&words, text, n), 0);
        text += n + (text[n] == ' ');
    }
    return words;
}

static int judge(const char *const *options, const char *const *arguments,
                 const char *command, struct error *err)
{
    const struct rule rule = { .program = "prog",
                               .options = options,
                               .arguments = arguments };
    struct strlist words = words_of(command);
    int r = command_rule_check(&rule, words.items, err);

    strlist_free(&words);
    return r;
}

/* --- patterns ------------------------------------------------------------- */

static const struct {
    const char *patterns, *word;
    bool matches;
} patterns[] = {
    { "a", "a", true },
    { "a", "ab", false },
    { "ab", "a", false },
    { "", "", true },
    { "", "a", false },
    { "a|b|cd", "a", true },
    { "a|b|cd", "cd", true },
    { "a|b|cd", "c", false },
    { "a|b|cd", "a|b", false },
    { "a|", "", true },
    { "*!b|c*", "a", true },
    { "*!b|c*", "b", false },
    { "*!b|c*", "bb", true },
    { "*!b|c*", "cc", false },
    { "*!b|c*", "-a", false },
    { "*!b|c*", "a/b", false },
    { "*!b|c*", "[b]", false },
    { "*!b|c*", "?", false },
    { "*!b|c*", "a*", false },
    { "a|d!b", "d", true },
    { "a|d!b", "c", false },
    { "!a", "", true },
    { "!a", "b", false },
    { "*!", "a", true },
    { "*!", "", false },
    { "*", "nginx.service", true },
    { "*", "a@b:c\\x2dd", true },
    { "*", "", true },
    { "*", "a/b", false },
    { "*", "/", false },
    { "*", "a b", false },
    { "*", "a\tb", false },
    { "*", "a\n", false },
    { "*", "-a", false },
    { "*", "-", false },
    { "*", ".", false },
    { "*", "..", false },
    { "*", "\xC3\xBC", true },
    { "a*", "a", true },
    { "a*", "a-b", true },
    { "a*", "a.b", true },
    { "a*", "a/b", false },
    { "*.service", "x.service", true },
    { "*.service", "x.service.d", false },
    { "*.service", "x/y.service", false },
    { "*a*b", "xaybab", true },
    { "*a*b", "xayba", false },
    { "**", "/a b\n", true },
    { "**", "", true },
    { "**", "-x", false },
    { "**", ".x", true },
    { "-**", "-x /y", true },
    { "/tmp/**", "/tmp/a/b", true },
    { "/tmp/**", "/tmp", false },
    { "/tmp/**", "/tmp/../etc/x", false },
    { "/tmp/**", "/tmp/a/..", false },
    { "/tmp/**", "/tmp/..a/b..", true },
    { "/tmp/..", "/tmp/..", true },
    { "--x=**", "--x=a/../b", false },
    { "**", "..", false },
    { "**", "a..b", true },
    { "*=**", "A=/b c", true },
    { "*=**", "/a=b", false },
    { "*=**", "A/b", false },
    { "*.**/x", "a.b/c.d/x", true },
    { "*a**b*c", "xa/ab/bxc", true },
    { "*a**b*c", "xa/ab/bx/c", false },
    { "**a*b**c", "a/ab/c", true },
    { "**a*b**c", "a/b/c", false },
    { "**a*b", "aa/ab", true },
    { "**a*b", "ab/ac", false },
};

START_TEST(matching)
{
    ck_assert_msg(command_rule_match(patterns[_i].patterns, patterns[_i].word)
                      == patterns[_i].matches,
                  "'%s' and '%s'", patterns[_i].patterns, patterns[_i].word);
}
END_TEST

/* --- options and arguments ------------------------------------------------ */

static const char *const options[] = {
    "-a", "-b", "-n", "-n *", "-f **", "--all", "--lines *", "--opt=*", NULL,
};
static const char *const forms[] = { "", "look *...", "act * on|off", NULL };

static const struct {
    const char *command;
    bool passes;
} vectors[] = {
    { "prog", true },
    { "prog look", true },
    { "prog look a b c", true },
    { "prog look a /b", false },
    { "prog look a/b", false },
    { "prog act x on", true },
    { "prog act x off", true },
    { "prog act x", false },
    { "prog act x on y", false },
    { "prog act x over", false },
    { "prog act", false },
    { "prog other", false },
    { "prog loo", false },
    { "prog look|act", false },
    /* options, wherever they stand */
    { "prog -a look x", true },
    { "prog look -a x --all", true },
    { "prog -A look", false },
    { "prog -ab", true },
    { "prog -aA", false },
    { "prog -Aa", false },
    { "prog --all", true },
    { "prog --al", false }, /* getopt_long(3) would take it */
    { "prog --all=x", false },
    { "prog --allx", false },
    { "prog -all", false },
    { "prog --a", false },
    { "prog ---all", false },
    /* with values */
    { "prog -n5", true },
    { "prog -n 5", true },
    { "prog -n", true }, /* as it may be without */
    { "prog -n -a", true },
    { "prog -n -A", false },
    { "prog -abn5", true },
    { "prog -abn 5", true },
    { "prog -n /x", false },
    { "prog -n/x", false },
    { "prog -f /x", true },
    { "prog -f/x", true },
    { "prog -af /x", true },
    { "prog -f", false },
    { "prog -af", false },
    { "prog -f -A", false },
    { "prog -f-A", true }, /* attached it is no option */
    { "prog -f -- -A", false },
    { "prog --lines 5", true },
    { "prog --lines=5", true },
    { "prog --lines=", true },
    { "prog --lines", false },
    { "prog --lines -A", false },
    { "prog --lines=/x", false },
    { "prog --lin=5", false },
    { "prog -lines=5", false },
    { "prog --opt=x", true },
    { "prog --opt x", false }, /* that would be an argument */
    { "prog --opt", false },
    { "prog --opt=/x", false },
    /* a value takes no argument's place, nor the other way */
    { "prog -n look x", false },
    { "prog -a look x", true },
    { "prog --lines 5 look x", true },
    { "prog --lines look x", false },
    /* the end of options */
    { "prog --", true },
    { "prog -- look x", true },
    { "prog look -- x", true },
    { "prog -- -a", false },
    { "prog look -- -a", false },
    { "prog look -- --all", false },
    { "prog look --", true },
    { "prog look -- --", false },
    { "prog -- act x on", true },
    { "prog -", false },
    { "prog look -", false },
};

START_TEST(vector)
{
    struct error err = ERROR_INIT;
    int r = judge(options, forms, vectors[_i].command, &err);

    ck_assert_msg(r == (vectors[_i].passes ? 0 : STATUS_PERMISSION_DENIED),
                  "%s: %d", vectors[_i].command, r);
    ck_assert((r == 0) == !err.message[0]);
    if (r)
        ck_assert_ptr_nonnull(strstr(err.message, "security.command_rules"));
}
END_TEST

/* Who lists options only allows no arguments, and the other way round. */
START_TEST(one_of_both)
{
    ck_assert_int_eq(judge(options, NULL, "prog -a", NULL), 0);
    ck_assert_int_eq(judge(options, NULL, "prog x", NULL),
                     STATUS_PERMISSION_DENIED);
    ck_assert_int_eq(judge(NULL, forms, "prog look x", NULL), 0);
    ck_assert_int_eq(judge(NULL, forms, "prog -a", NULL),
                     STATUS_PERMISSION_DENIED);
    ck_assert_int_eq(judge(NULL, NULL, "prog -a /x", NULL), 0);
}
END_TEST

/* --- the default, and what is put over it --------------------------------- */

/* A word more must not turn a refusal of systemctl into a pass: no verb that
 * is not listed, and no option, whatever stands around it. */
START_TEST(systemctl)
{
    static const char *const bad[] = {
        "link",
        "switch-root",
        "daemon-reexec",
        "import-environment",
        "edit",
        "mask",
        "poweroff",
        "kill",
        "set-property",
        "revert",
        "-H",
        "-Hx",
        "--host=x",
        "--root=/x",
        "-f",
        "--force",
        "--user",
        "--global",
        "--image=x",
        "-Mx",
        "--ro=x",
        "--machine=x",
        "/x",
        "a/b",
        "..",
        "-aHx",
        "-qf",
        "--runtime",
    };
    static const char *const around[] = {
        "systemctl %",         "systemctl % x",
        "systemctl -a % x",    "systemctl -- % x",
        "systemctl start %",   "systemctl status %",
        "systemctl start x %", "systemctl enable --now %",
        "systemctl -n 5 % x",  "systemctl --lines % start x",
    };
    struct rule rule;

    ck_assert(command_rule_find(&settings, "systemctl", &rule));
    for (size_t i = 0; i < ARRAY_SIZE(bad) * ARRAY_SIZE(around); i++) {
        const char *form = around[i % ARRAY_SIZE(around)];
        const char *word = bad[i / ARRAY_SIZE(around)];
        size_t n = strcspn(form, "%");
        char text[128];
        struct strlist words;
        int r;

        /* a name may be any word; it is a unit's then */
        if (word[0] >= 'a' && !strchr(word, '/')
            && (strstr(form, "start ") || strstr(form, "status ")
                || strstr(form, "enable ") || strstr(form, "--lines")))
            continue;
        snprintf(text, sizeof(text), "%.*s%s%s", (int) n, form, word,
                 form + n + 1);
        words = words_of(text);
        r = command_rule_check(&rule, words.items, NULL);
        ck_assert_msg(r == STATUS_PERMISSION_DENIED, "%s: %d", text, r);
        strlist_free(&words);
    }
}
END_TEST

/* Who judges a word takes no more time than who reads it: nothing else is
 * answered meanwhile. */
START_TEST(long_word)
{
    const size_t n = 1000000;
    char *word = malloc(n + 1);

    ck_assert_ptr_nonnull(word);
    memset(word, '@', n);
    word[n] = '\0';
    ck_assert(!command_rule_match("**@**@**..**", word));
    ck_assert(!command_rule_match("*@*@*.*", word));
    free(word);
}
END_TEST

/* What becomes of a name: the manager makes a path of an instance, loads a
 * module of its name, and the shell of service(8) expands it. */
static const struct {
    const char *name;
    bool passes;
} units[] = {
    { "nginx", true },
    { "nginx.service", true },
    { "getty@tty1", true },
    { "getty@tty1.service", true },
    { "wg-quick@wg0", true },
    { "postgresql@15-main.service", true },
    { "systemd-fsck@dev-sda1.service", true },
    { "dev-disk-by\\x2dlabel-swap.swap", true },
    { "a..b", true },
    { "getty@", true },
    { "getty@..-..-tmp-brkx", false },
    { "getty@..-..-tmp-brkx.service", false },
    { "getty@tmp-..-brkx", false },
    { "getty@..", false },
    { "getty@-tmp-brkx", false },
    { "getty@-", false },
    { "getty@\\x2e\\x2e-tmp", false },
    { "getty@\\x2ftmp", false },
    { "getty@a\\x2db", false },
    { "a@b@..-x", false },
    { "modprobe@dummy", false },
    { "modprobe@dummy.service", false },
    { "modprobe@", false },
    { "user@1000", false },
    { "debug-shell", false },
    { "reboot.target", false },
    { "rescue.target", false },
    { "runlevel6.target", false },
    { "multi-user.target", false },
    { "rescue", false },
    { "emergency.service", false },
    { "systemd-reboot", false },
    { "systemd-poweroff.service", false },
    { "systemd-suspend-then-hibernate.service", false },
    { "reboot", false },
    { "halt", false },
    { "rebooter", true },
    { "target", true },
    { "systemd-timesyncd", true },
    { "ngin*", false },
    { "ngin?", false },
    { "[n]ginx", false },
};

START_TEST(unit)
{
    static const struct {
        const char *program, *form;
        bool holds; /* the names, too, and not only patterns */
    } lines[] = {
        { "systemctl", "systemctl start %s", true },
        { "systemctl", "systemctl restart x %s", true },
        { "systemctl", "systemctl enable %s", true },
        { "service", "service %s start", true },
        { "service", "service %s reload", true },
        { "service", "service %s status", false },
    };
    const char *name = units[_i].name;

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        bool passes = units[_i].passes
                      || (!lines[i].holds && !strpbrk(name, "*?["));
        struct strlist words;
        struct rule rule;
        char text[128];
        int r;

        snprintf(text, sizeof(text), "%.*s%s%s",
                 (int) strcspn(lines[i].form, "%"), lines[i].form, name,
                 strchr(lines[i].form, '%') + 2);
        words = words_of(text);
        ck_assert(command_rule_find(&settings, lines[i].program, &rule));
        r = command_rule_check(&rule, words.items, NULL);
        ck_assert_msg(r == (passes ? 0 : STATUS_PERMISSION_DENIED), "%s: %d",
                      text, r);
        strlist_free(&words);
    }
}
END_TEST

/* Each program of the default list either looks or is held. */
START_TEST(whole_list)
{
    struct rule rule;

    for (size_t i = 0; i < settings.allowed_commands.n; i++) {
        const char *program = settings.allowed_commands.items[i];

        ck_assert_msg(command_rule_find(&settings, program, &rule), "%s",
                      program);
        ck_assert_msg(rule.looks || command_rule_restricts(&rule), "%s",
                      program);
        ck_assert_str_eq(rule.program, program);
        ck_assert_ptr_null(rule.user);
    }
    ck_assert(!command_rule_find(&settings, "true", &rule));
}
END_TEST

START_TEST(by_path)
{
    struct rule rule;

    ck_assert(command_rule_find(&settings, "/usr/bin/cat", &rule));
    ck_assert(rule.looks);
    ck_assert(command_rule_find(&settings, "/opt/own/systemctl", &rule));
    ck_assert(command_rule_restricts(&rule));
    ck_assert_int_eq(strlist_add(&settings.allowed_commands, "*"), 0);
    ck_assert(!command_rule_find(&settings, "cat", &rule));
    ck_assert(!command_rule_find(&settings, "systemctl", &rule));
}
END_TEST

/* Member by member; a rule with a path is nearer than one with a name. */
START_TEST(put_over)
{
    char *dir = unit_tmpdir();
    char *file = unit_path(dir, "c.yaml");
    struct error err = ERROR_INIT;
    struct rule rule;

    unit_write_file(file,
                    "security:\n"
                    "  command_rules:\n"
                    "    - {program: journalctl, user: root}\n"
                    "    - {program: cat, arguments: [/tmp/x]}\n"
                    "    - {program: /opt/cat, user: bin}\n"
                    "    - {program: top, always: [-b, -n1], options: []}\n"
                    "    - {program: mine, options: [-x]}\n");
    ck_assert_msg(settings_load(&settings, file, &err) == 0, "%s",
                  err.message);
    ck_assert(command_rule_find(&settings, "journalctl", &rule));
    ck_assert(!rule.looks && strcmp(rule.user, "root") == 0);
    ck_assert_str_eq(rule.always[0], "--no-pager");
    ck_assert(command_rule_restricts(&rule));
    ck_assert(command_rule_find(&settings, "/bin/cat", &rule));
    ck_assert(rule.looks);
    ck_assert_str_eq(rule.arguments[0], "/tmp/x");
    ck_assert(command_rule_find(&settings, "/opt/cat", &rule));
    ck_assert(!rule.looks && !command_rule_restricts(&rule));
    ck_assert_str_eq(rule.user, "bin");
    ck_assert(command_rule_find(&settings, "top", &rule));
    ck_assert_str_eq(rule.always[1], "-n1");
    ck_assert(rule.looks && !command_rule_restricts(&rule));
    ck_assert(command_rule_find(&settings, "mine", &rule));
    ck_assert(!rule.looks && !rule.user && command_rule_restricts(&rule));
    free(file);
    unit_rmdir(dir);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, matching, 0, ARRAY_SIZE(patterns));
    tcase_add_loop_test(tcase, vector, 0, ARRAY_SIZE(vectors));
    tcase_add_test(tcase, one_of_both);
    tcase_add_test(tcase, systemctl);
    tcase_add_test(tcase, long_word);
    tcase_add_loop_test(tcase, unit, 0, ARRAY_SIZE(units));
    tcase_add_test(tcase, whole_list);
    tcase_add_test(tcase, by_path);
    tcase_add_test(tcase, put_over);
}
