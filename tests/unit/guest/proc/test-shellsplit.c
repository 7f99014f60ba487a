/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/proc/shellsplit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "proto/limits.h"
#include "proto/status.h"
#include "unit/unit.h"
#include "util/fd.h"

const char unit_name[] = "shellsplit";

#define WORDS_MAX 8

/* POSIX, XCU 2.2 and 2.6.5.  "shell": a real one gives the same, because the
 * text has nothing that it would expand. */
static const struct {
    const char *text;
    const char *words[WORDS_MAX + 1];
    bool shell;
} splits[] = {
    { "ls", { "ls" }, true },
    { "ls -l /tmp", { "ls", "-l", "/tmp" }, true },
    { "  ls\t-l  ", { "ls", "-l" }, true },
    { "a \t b", { "a", "b" }, true },
    { "'a b'", { "a b" }, true },
    { "\"a b\"", { "a b" }, true },
    { "''", { "" }, true },
    { "\"\"", { "" }, true },
    { "a '' b", { "a", "", "b" }, true },
    { "a \"\" b", { "a", "", "b" }, true },
    { "a''b", { "ab" }, true },
    { "a'b'c\"d\"e", { "abcde" }, true },
    { "a' 'b", { "a b" }, true },
    { "--x='y z'", { "--x=y z" }, true },
    { "'it'\\''s'", { "it's" }, true },
    { "\"it's\"", { "it's" }, true },
    { "'say \"hi\"'", { "say \"hi\"" }, true },
    { "'\\'", { "\\" }, true },
    { "'a\\nb'", { "a\\nb" }, true },
    { "'$HOME `x` \\\"'", { "$HOME `x` \\\"" }, true },
    { "\"\\$HOME\"", { "$HOME" }, true },
    { "\"\\`x\\`\"", { "`x`" }, true },
    { "\"a\\\"b\"", { "a\"b" }, true },
    { "\"a\\\\b\"", { "a\\b" }, true },
    { "\"a\\nb\"", { "a\\nb" }, true },
    { "\"a\\ b\"", { "a\\ b" }, true },
    { "\"a\\'b\"", { "a\\'b" }, true },
    { "\"\\\\\\\\\"", { "\\\\" }, true },
    { "a\\ b", { "a b" }, true },
    { "\\a\\b", { "ab" }, true },
    { "\\\\", { "\\" }, true },
    { "\\'", { "'" }, true },
    { "\\\"", { "\"" }, true },
    { "\\$HOME", { "$HOME" }, true },
    { "\\\ta", { "\ta" }, true },
    { "a\\\nb", { "ab" }, true },
    { "a \\\n b", { "a", "b" }, true },
    { "\\", { "\\" }, true },
    { "a\\", { "a\\" }, true },
    { "a \\", { "a", "\\" }, true },
    { "a\\\\\\", { "a\\\\" }, true },
    { "''\\", { "\\" }, true },
    { "'a'\"b\"\\", { "ab\\" }, true },
    { "a\\\n\\", { "a\\" }, true },
    { "\"a\\\nb\"", { "ab" }, true },
    { "'a\\\nb'", { "a\\\nb" }, true },
    { "'a\nb'", { "a\nb" }, true },
    { "\"a\nb\"", { "a\nb" }, true },
    { "\"a\tb\"", { "a\tb" }, true },
    { "a=b c", { "a=b", "c" }, true },
    { "a#b", { "a#b" }, true },
    { "%s %d", { "%s", "%d" }, true },
    { "\xE4\xB8\xAD '\xE6 \x96'", { "\xE4\xB8\xAD", "\xE6 \x96" }, true },
    { "-n -e \\-", { "-n", "-e", "-" }, true },
    /* Where a shell would do more than split: here nothing happens, or only
     * later. */
    { "a\nb", { "a", "b" }, false },
    { "*.c", { "*.c" }, false },
    { "~/x", { "~/x" }, false },
    { "$HOME", { "$HOME" }, false },
    { "\"$HOME\"", { "$HOME" }, false },
    { "{a,b}", { "{a,b}" }, false },
    { "a|b", { "a|b" }, false },
    { "# a", { "#", "a" }, false },
    { "a\rb\vc\fd", { "a\rb\vc\fd" }, false },
};

static void free_list(struct strlist *list)
{
    strlist_free(list);
}

#define AUTO_LIST __attribute__((cleanup(free_list)))

START_TEST(split)
{
    struct guarded copy = guarded_copy(splits[_i].text,
                                       strlen(splits[_i].text) + 1);
    AUTO_LIST struct strlist words = { 0 };
    struct error err = ERROR_INIT;
    AUTO_LIST struct strlist patterns = { 0 };
    int r = shell_split((char *) copy.bytes, &words, &patterns, &err);
    size_t n = 0;

    ck_assert_msg(r == 0, "'%s': %d %s", splits[_i].text, r, err.message);
    while (splits[_i].words[n])
        n++;
    ck_assert_msg(words.n == n, "'%s': %zu words", splits[_i].text, words.n);
    for (size_t i = 0; i < n; i++)
        ck_assert_str_eq(words.items[i], splits[_i].words[i]);
    ck_assert_ptr_null(words.items[n]);
    ck_assert_uint_eq(patterns.n, n);
    guarded_free(&copy);
}
END_TEST

/* What a real shell makes of it: each word between ^A and ^B. */
static char *ask_shell(const char *text)
{
    AUTO_FREE char *script = NULL;
    char *output = calloc(1, 4096);
    int ends[2];
    pid_t pid;
    int status;

    ck_assert_int_gt(asprintf(&script, "printf '\\001%%s\\002' %s", text), 0);
    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        execl("/bin/sh", "sh", "-c", script, (char *) NULL);
        _exit(127);
    }
    close(ends[1]);
    ck_assert_int_ge(fd_read_full(ends[0], output, 4095), 0);
    close(ends[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == 0, "sh: %s", script);
    return output;
}

START_TEST(as_a_shell_does)
{
    AUTO_LIST struct strlist words = { 0 };
    AUTO_LIST struct strlist patterns = { 0 };
    AUTO_FREE char *theirs = NULL;
    struct buf ours;

    if (!splits[_i].shell)
        return;
    theirs = ask_shell(splits[_i].text);
    buf_init(&ours, 4096);
    ck_assert_int_eq(shell_split(splits[_i].text, &words, &patterns, NULL), 0);
    for (size_t i = 0; i < words.n; i++)
        buf_printf(&ours, "\001%s\002", words.items[i]);
    ck_assert_str_eq(buf_cstr(&ours), theirs);
    buf_free(&ours);
}
END_TEST

/* What is left to expand of the only word; "": nothing. */
static const struct {
    const char *text;
    const char *pattern;
} patterns_of[] = {
    { "a", "" },
    { "'*'", "" },
    { "\\*", "" },
    { "\"?\"", "" },
    { "'~'", "" },
    { "\\~", "" },
    { "a~", "" },
    { "''~", "" },
    { "~''", "" },
    { "~'/x'", "" },
    { "~ro'o't/x", "" },
    { "~r\\oot", "" },
    { "~\\", "" },
    { "~root\\", "" },
    { "a\\", "" },
    { "]", "" },
    { "*", "*" },
    { "a?c", "a?c" },
    { "[", "[" },
    { "'a'*", "\\a*" },
    { "\"*\"*", "\\**" },
    { "[a'-'c]", "[a\\-c]" },
    { "\"a/b\"/*", "\\a/\\b/*" },
    { "\\\\*", "\\\\*" },
    { "*\\", "*\\\\" },
    { "[a\\", "[a\\\\" },
    { "~/\\", "~/\\\\" },
    { "~", "~" },
    { "~root", "~root" },
    { "~/x", "~/x" },
    { "~/'a b'", "~/\\a\\ \\b" },
    { "~/'x'*", "~/\\x*" },
    { "a~*", "a\\~*" },
    { "~a~", "~a\\~" },
    { "~'a'*", "\\~\\a*" },
};

START_TEST(left_to_expand)
{
    AUTO_LIST struct strlist words = { 0 };
    AUTO_LIST struct strlist patterns = { 0 };

    ck_assert_int_eq(
        shell_split(patterns_of[_i].text, &words, &patterns, NULL), 0);
    ck_assert_uint_eq(patterns.n, 1);
    ck_assert_str_eq(patterns.items[0], patterns_of[_i].pattern);
}
END_TEST

static const char *const broken[] = {
    "",         " ",   "\t\n ", "'",       "\"",    "a'",         "a\"",
    "'a",       "\"a", "a 'b",  "\"a\\\"", "\"a\\", "\\\n",       " \\\n ",
    "'a' \"b'", "\"'", "'\"",   "\"\\",    "'\\",   "'a'\\'' \\",
};

START_TEST(refused)
{
    struct guarded copy = guarded_copy(broken[_i], strlen(broken[_i]) + 1);
    AUTO_LIST struct strlist words = { 0 };
    AUTO_LIST struct strlist patterns = { 0 };
    struct error err = ERROR_INIT;

    ck_assert_msg(shell_split((char *) copy.bytes, &words, &patterns, &err)
                      == STATUS_INVALID_PARAMS,
                  "'%s'", broken[_i]);
    ck_assert_str_ne(err.message, "");
    guarded_free(&copy);
}
END_TEST

START_TEST(appends)
{
    AUTO_LIST struct strlist words = { 0 };
    AUTO_LIST struct strlist patterns = { 0 };

    ck_assert_int_eq(strlist_add(&words, "first"), 0);
    ck_assert_int_eq(shell_split(" ", &words, &patterns, NULL),
                     STATUS_INVALID_PARAMS);
    ck_assert_int_eq(shell_split("a b", &words, &patterns, NULL), 0);
    ck_assert_uint_eq(words.n, 3);
    ck_assert_str_eq(words.items[0], "first");
    ck_assert_str_eq(words.items[2], "b");
}
END_TEST

START_TEST(long_text)
{
    AUTO_LIST struct strlist words = { 0 };
    AUTO_LIST struct strlist patterns = { 0 };
    AUTO_FREE char *text = malloc(200001);

    for (size_t i = 0; i < 200000; i += 2)
        memcpy(text + i, "x ", 2);
    text[200000] = '\0';
    ck_assert_int_eq(shell_split(text, &words, &patterns, NULL), 0);
    ck_assert_uint_eq(words.n, 100000);
}
END_TEST

START_TEST(too_many_words)
{
    AUTO_LIST struct strlist words = { 0 };
    AUTO_LIST struct strlist patterns = { 0 };
    AUTO_FREE char *text = malloc(2 * (ARGV_MAX + 1) + 1);
    struct error err = ERROR_INIT;

    for (size_t i = 0; i <= ARGV_MAX; i++)
        memcpy(text + 2 * i, "x ", 3);
    ck_assert_int_eq(shell_split(text, &words, &patterns, &err),
                     STATUS_PAYLOAD_TOO_LARGE);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, split, 0, ARRAY_SIZE(splits));
    tcase_add_loop_test(tcase, as_a_shell_does, 0, ARRAY_SIZE(splits));
    tcase_add_loop_test(tcase, left_to_expand, 0, ARRAY_SIZE(patterns_of));
    tcase_add_loop_test(tcase, refused, 0, ARRAY_SIZE(broken));
    tcase_add_test(tcase, appends);
    tcase_add_test(tcase, long_text);
    tcase_add_test(tcase, too_many_words);
}
