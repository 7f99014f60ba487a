/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "util/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/unit.h"

const char unit_name[] = "log";

/* A folder and a log file in it, for each test. */
struct place {
    char *folder;
    char *path;
    struct log log;
};

static void place_open(struct place *place, int64_t max_size, int backups)
{
    place->folder = unit_tmpdir();
    place->path = unit_path(place->folder, "test.log");
    ck_assert_int_eq(log_open(&place->log, "test", place->path, LOG_LEVEL_INFO,
                              max_size, backups, NULL),
                     0);
}

static void place_close(struct place *place)
{
    log_close(&place->log);
    free(place->path);
    unit_rmdir(place->folder);
}

/* Does FILE or FILE.i exist? */
static bool place_has(const struct place *place, const char *name)
{
    AUTO_FREE char *path = unit_path(place->folder, name);

    return access(path, F_OK) == 0;
}

START_TEST(lines_have_time_and_level)
{
    struct place place;
    struct stat st;
    char *text;

    place_open(&place, 0, 0);
    log_info(&place.log, "hello %d", 7);
    log_debug(&place.log, "not shown");
    log_error(&place.log, "bad");
    text = unit_read_file(place.path);
    /* 2026-01-02T03:04:05+0000 [INFO] hello 7 */
    ck_assert_mem_eq(text + 24, " [INFO] hello 7\n", 16);
    ck_assert_mem_eq(text + 24 + 16 + 24, " [ERROR] bad\n\0", 14);
    free(text);
    ck_assert_int_eq(stat(place.path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777 & ~0640U, 0);
    ck_assert_int_eq(place.log.size, st.st_size);
    place_close(&place);
}
END_TEST

/* A peer's bytes cannot start a line or drive a terminal: C0, DEL, and the
 * C1 set as UTF-8 (U+009B is an escape sequence's start). */
START_TEST(control_characters_are_replaced)
{
    struct place place;
    char *text;

    place_open(&place, 0, 0);
    log_info(&place.log, "%s",
             "a\nb\rc\x1B[2Jd\te\x7F"
             "f\xC2\x9B"
             "g"
             "\xC3\xA9");
    text = unit_read_file(place.path);
    ck_assert_str_eq(strstr(text, "[INFO]"),
                     "[INFO] a?b?c?[2Jd?e?f??g\xC3\xA9\n");
    free(text);
    place_close(&place);
}
END_TEST

START_TEST(long_lines_are_cut_and_ended)
{
    struct place place;
    char word[5000];
    char *text;

    memset(word, 'w', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    place_open(&place, 0, 0);
    log_info(&place.log, "%s", word);
    log_info(&place.log, "next");
    text = unit_read_file(place.path);
    ck_assert_uint_lt(strlen(text), 2200);
    ck_assert_ptr_nonnull(strstr(text, "w\n"));
    ck_assert_ptr_nonnull(strstr(text, "[INFO] next\n"));
    free(text);
    place_close(&place);
}
END_TEST

/* 32 bytes of time and level, 66 of text and a line feed: 99 a line. */
static void write_lines(struct log *log, int n)
{
    for (int i = 0; i < n; i++)
        log_info(log, "%066d", i);
}

START_TEST(rotates_at_the_size)
{
    struct place place;
    struct stat st;

    place_open(&place, 297, 2); /* three lines, exactly */
    write_lines(&place.log, 1);
    ck_assert_int_eq(place.log.size, 99);
    write_lines(&place.log, 2);
    ck_assert_int_eq(stat(place.path, &st), 0);
    ck_assert_int_eq(st.st_size, 297);
    ck_assert(!place_has(&place, "test.log.1"));
    write_lines(&place.log, 1);
    ck_assert_int_eq(stat(place.path, &st), 0);
    ck_assert_int_eq(st.st_size, 99);
    ck_assert(place_has(&place, "test.log.1"));
    ck_assert(!place_has(&place, "test.log.2"));
    place_close(&place);
}
END_TEST

START_TEST(keeps_just_the_backups)
{
    struct place place;
    char *text;
    char *path;

    place_open(&place, 100, 2);
    write_lines(&place.log, 6);
    ck_assert(place_has(&place, "test.log"));
    ck_assert(place_has(&place, "test.log.1"));
    ck_assert(place_has(&place, "test.log.2"));
    ck_assert(!place_has(&place, "test.log.3"));
    path = unit_path(place.folder, "test.log.2");
    text = unit_read_file(path); /* the oldest kept: 3 of 0…5 */
    ck_assert_str_eq(text + strlen(text) - 3, "03\n");
    free(text);
    free(path);
    place_close(&place);
}
END_TEST

START_TEST(no_backups_starts_anew)
{
    struct place place;

    place_open(&place, 100, 0);
    write_lines(&place.log, 5);
    ck_assert_int_eq(place.log.size, 99);
    ck_assert(!place_has(&place, "test.log.1"));
    place_close(&place);
}
END_TEST

START_TEST(size_counts_on_after_reopening)
{
    struct place place;

    place_open(&place, 200, 1);
    write_lines(&place.log, 2);
    log_close(&place.log);
    ck_assert_int_eq(
        log_open(&place.log, "test", place.path, LOG_LEVEL_INFO, 200, 1, NULL),
        0);
    ck_assert_int_eq(place.log.size, 198);
    write_lines(&place.log, 1);
    ck_assert(place_has(&place, "test.log.1"));
    place_close(&place);
}
END_TEST

START_TEST(refuses_links_and_missing_folders)
{
    struct error err = ERROR_INIT;
    struct place place;
    struct log log;
    char *link;

    place_open(&place, 0, 0);
    link = unit_path(place.folder, "link");
    ck_assert_int_eq(symlink(place.path, link), 0);
    ck_assert_int_eq(log_open(&log, "test", link, LOG_LEVEL_INFO, 0, 0, &err),
                     -ELOOP);
    ck_assert_ptr_nonnull(strstr(err.message, link));
    log_error(&log, "told on standard error");
    log_close(&log);
    free(link);
    ck_assert_int_eq(
        log_open(&log, "test", "/nonexistent/x", LOG_LEVEL_INFO, 0, 0, &err),
        -ENOENT);
    log_close(&log);
    place_close(&place);
}
END_TEST

START_TEST(words_for_other_sinks)
{
    struct log log;

    ck_assert_int_eq(log_open(&log, "t", "none", LOG_LEVEL_DEBUG, 0, 0, NULL),
                     0);
    ck_assert_int_eq(log.sink, LOG_SINK_NONE);
    log_error(&log, "nowhere");
    log_open(&log, "t", "stderr", LOG_LEVEL_DEBUG, 0, 0, NULL);
    ck_assert_int_eq(log.sink, LOG_SINK_STDERR);
    log_open(&log, "t", "journal", LOG_LEVEL_DEBUG, 0, 0, NULL);
    ck_assert_int_eq(log.sink, LOG_SINK_JOURNAL);
    log_close(&log);
}
END_TEST

START_TEST(level_names)
{
    enum log_level level;

    ck_assert_int_eq(log_level_parse("debug", &level), 0);
    ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
    ck_assert_int_eq(log_level_parse("Warn", &level), 0);
    ck_assert_int_eq(level, LOG_LEVEL_WARNING);
    ck_assert_int_eq(log_level_parse("WARNING", &level), 0);
    ck_assert_int_eq(log_level_parse("INFO", &level), 0);
    ck_assert_int_eq(log_level_parse("ERROR", &level), 0);
    ck_assert_int_eq(level, LOG_LEVEL_ERROR);
    ck_assert_int_eq(log_level_parse("", &level), -EINVAL);
    ck_assert_int_eq(log_level_parse("INFO ", &level), -EINVAL);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, lines_have_time_and_level);
    tcase_add_test(tcase, control_characters_are_replaced);
    tcase_add_test(tcase, long_lines_are_cut_and_ended);
    tcase_add_test(tcase, rotates_at_the_size);
    tcase_add_test(tcase, keeps_just_the_backups);
    tcase_add_test(tcase, no_backups_starts_anew);
    tcase_add_test(tcase, size_counts_on_after_reopening);
    tcase_add_test(tcase, refuses_links_and_missing_folders);
    tcase_add_test(tcase, words_for_other_sinks);
    tcase_add_test(tcase, level_names);
}
