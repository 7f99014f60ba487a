/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What tests/cli/patterns.py cannot see: limits, rights, and what is left as
 * it is because something fails.
 */
#include <config.h>

#include "guest/proc/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/limits.h"
#include "unit/unit.h"
#include "util/buf.h"
#include "util/clock.h"

const char unit_name[] = "expand";

static char *folder;
static int64_t ms; /* to look for so long; -1: for ever */

static void touch(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT, 0600);

    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void setup(void)
{
    static const char *const names[] = { "b",  "a",   "ab", ".x",
                                         "-n", "d/y", "d/x" };

    ms = -1;
    folder = unit_tmpdir();
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(mkdir("d", 0755), 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        touch(names[i]);
}

static void teardown(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    unit_rmtree(folder);
}

/* The words of patterns, each with a blank behind it; to be freed. */
static char *expanded(const char *const *patterns, const char *home, int *r)
{
    struct strlist list = { 0 };
    struct strlist words = { 0 };
    struct buf text;
    char *copy;

    buf_init(&text, 2L * EXPAND_MAX);
    for (; *patterns; patterns++)
        ck_assert_int_eq(strlist_add(&list, *patterns), 0);
    *r = expand(&list, list.items, home, deadline_in(ms), &words);
    for (size_t i = 0; i < words.n; i++)
        ck_assert_int_eq(buf_printf(&text, "%s ", words.items[i]), 0);
    copy = strdup(buf_cstr(&text));
    buf_free(&text);
    strlist_free(&words);
    strlist_free(&list);
    return copy;
}

static const struct {
    const char *patterns[4];
    const char *home;
    const char *words;
} cases[] = {
    { { "*" }, NULL, "-n a ab b d " },
    { { "?", "a*" }, NULL, "a b d a ab " },
    { { ".*" }, NULL, ". .. .x " },
    { { "*/*" }, NULL, "d/x d/y " },
    { { "*/" }, NULL, "d/ " },
    { { "*//x" }, NULL, "d//x " },
    { { "*/none" }, NULL, "*/none " },
    { { "none*", "\\a\\*" }, NULL, "none* a* " },
    { { "[!a]" }, NULL, "b d " },
    { { "[" }, NULL, "[ " },
    { { "a/*" }, NULL, "a/* " },
    { { "~" }, NULL, "~ " },
    { { "~", "~/x" }, "/h*me", "/h*me /h*me/x " },
    { { "~" }, "", " " },
    { { "~no-such-user/x" }, "/home", "~no-such-user/x " },
    { { "~/*" }, "d", "d/x d/y " },
    { { "~/n*" }, "d", "d/n* " },
};

START_TEST(words)
{
    int r;
    AUTO_FREE char *text = expanded(cases[_i].patterns, cases[_i].home, &r);

    ck_assert_int_eq(r, 0);
    ck_assert_str_eq(text, cases[_i].words);
}
END_TEST

/* A dot in front of a name needs one in the pattern, any other dot does not. */
static const struct {
    const char *pattern;
    const char *words;
} dots[] = {
    { "*", "1.2 1.log 12.log a.c abc " },
    { "*c", "a.c abc " },
    { "?.c", "a.c " },
    { "?[.]c", "a.c " },
    { "*?[.]c", "a.c " },
    { "*?[!a]c", "a.c abc " },
    { "**?[!a]c", "a.c abc " },
    { "*??[!a]*", "1.2 1.log 12.log a.c abc " },
    { "*?[[:punct:]]c", "a.c " },
    { "*?[-.]c", "a.c " },
    { "*?[.-]*", "1.2 1.log 12.log a.c " },
    { "*?[.]log", "1.log 12.log " },
    { "./*?[!a]c", "./a.c ./abc " },
    { "../dots/*?[.]c", "../dots/a.c " },
    { "1?[0-9.]*", "1.2 12.log " },
    { "[!a]*", "1.2 1.log 12.log " },
    { "[.]*", "[.]* " },
    { "[.a]a", "[.a]a " },
    { "?a", "?a " },
    { "*?a", "*?a " },
    { ".*", ". .. ..a .a .c " },
    { "\\.*", ". .. ..a .a .c " },
    { ".?", ".. .a .c " },
    { ".[!a]", ".. .c " },
    { ".[.]a", "..a " },
    { "\\.[.a]*", ".. ..a .a " },
    { ".*?[!x]", "..a " },
    { "..?*", "..a " },
};

START_TEST(leading_dots)
{
    static const char *const names[] = { "1.2", "1.log", "12.log", "a.c",
                                         "abc", ".a",    ".c",     "..a" };
    const char *patterns[] = { dots[_i].pattern, NULL };
    AUTO_FREE char *text = NULL;
    int r;

    ck_assert_int_eq(mkdir("dots", 0755), 0);
    ck_assert_int_eq(chdir("dots"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        touch(names[i]);
    text = expanded(patterns, NULL, &r);
    ck_assert_int_eq(r, 0);
    ck_assert_str_eq(text, dots[_i].words);
}
END_TEST

START_TEST(others_stay)
{
    AUTO_FREE char *one = strdup("");
    AUTO_FREE char *two = strdup("d/*");
    char *items[] = { one, two, NULL };
    const struct strlist patterns = { .items = items, .n = 2 };
    char program[] = "*";
    char *argv[] = { program, program, NULL };
    struct strlist made = { 0 };

    ck_assert_int_eq(expand(&patterns, argv, NULL, DEADLINE_NEVER, &made), 0);
    ck_assert_uint_eq(made.n, 3);
    ck_assert_str_eq(made.items[0], "*");
    ck_assert_str_eq(made.items[2], "d/y");
    ck_assert_ptr_null(made.items[3]);
    strlist_free(&made);
}
END_TEST

/* A word of many bytes, and many of them. */
START_TEST(too_large)
{
    static const size_t lengths[] = { EXPAND_MAX, 1000 };

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        size_t n = EXPAND_MAX / lengths[i] + 1;
        AUTO_FREE char *home = calloc(1, lengths[i] + 1);
        AUTO_FREE const char **many = calloc(n + 1, sizeof(*many));
        int r;

        memset(home, 'h', lengths[i]);
        for (size_t k = 0; k < n; k++)
            many[k] = "~";
        free(expanded(many, home, &r));
        ck_assert_int_eq(r, -E2BIG);
    }
}
END_TEST

/* Many names take a pattern or two. */
START_TEST(too_many)
{
    const char *patterns[300] = { NULL };
    char name[200];
    int r;

    ck_assert_int_eq(chdir("d"), 0);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "%0180d", i);
        touch(name);
    }
    for (size_t i = 0; i + 1 < ARRAY_SIZE(patterns); i++)
        patterns[i] = "*";
    free(expanded(patterns, NULL, &r));
    ck_assert_int_eq(r, -E2BIG);
    patterns[90] = NULL; /* 9000 of 189 bytes and a pointer */
    free(expanded(patterns, NULL, &r));
    ck_assert_int_eq(r, 0);
}
END_TEST

/* Without a descriptor nothing is known of what matches. */
START_TEST(no_descriptors)
{
    const char *patterns[] = { "*", NULL };
    struct rlimit limit;
    struct rlimit few;
    int r;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = (struct rlimit) { 3, limit.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    free(expanded(patterns, NULL, &r));
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(r, -EMFILE);
}
END_TEST

/* Each name of ten is the folder itself. */
START_TEST(too_long)
{
    const char *patterns[] = { "*/*/*/*/*/*/*/*/*/*/*/*/none", NULL };
    char name[] = "l0";
    int r;

    for (; name[1] <= '9'; name[1]++)
        ck_assert_int_eq(symlink(".", name), 0);
    ms = 50;
    free(expanded(patterns, NULL, &r));
    ck_assert_int_eq(r, -ETIMEDOUT);
}
END_TEST

/* Loops of links: the kernel ends them. */
START_TEST(deep)
{
    AUTO_FREE char *pattern = calloc(1, 4001);
    const char *patterns[] = { pattern, NULL };
    AUTO_FREE char *text = NULL;
    int r;

    ck_assert_int_eq(chdir("d"), 0);
    ck_assert_int_eq(unlink("x") | unlink("y"), 0);
    ck_assert_int_eq(symlink(".", "l"), 0);
    for (size_t i = 0; i < 4000; i += 2)
        memcpy(pattern + i, "*/", 2);
    text = expanded(patterns, NULL, &r);
    ck_assert_msg(r == 0 || r == -EMFILE, "%d", r);
    if (r == 0)
        ck_assert_int_eq(text[0], '*');
}
END_TEST

static const struct {
    const char *pattern;
    bool glob;
} globs[] = {
    { "", false },    { "a", false },     { "*", true },  { "a?", true },
    { "[", false },   { "[a", false },    { "]", false }, { "[a]", true },
    { "\\*", false }, { "\\[a]", false }, { "~", false }, { "~/*", true },
};

START_TEST(is_glob)
{
    ck_assert_msg(pattern_is_glob(globs[_i].pattern) == globs[_i].glob, "%s",
                  globs[_i].pattern);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, words, 0, ARRAY_SIZE(cases));
    tcase_add_loop_test(tcase, leading_dots, 0, ARRAY_SIZE(dots));
    tcase_add_test(tcase, others_stay);
    tcase_add_test(tcase, too_large);
    tcase_add_test(tcase, too_many);
    tcase_add_test(tcase, no_descriptors);
    tcase_add_test(tcase, too_long);
    tcase_add_test(tcase, deep);
    tcase_add_loop_test(tcase, is_glob, 0, ARRAY_SIZE(globs));
}
