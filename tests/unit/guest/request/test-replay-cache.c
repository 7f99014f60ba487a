/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/request/replay_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "replay cache";

#define START 1000000

static struct replay_cache cache;

static void setup(void)
{
    replay_cache_init(&cache, START);
}

static void teardown(void)
{
    replay_cache_free(&cache);
    ck_assert_uint_eq(cache.n, 0);
    ck_assert_uint_eq(cache.bytes, 0);
}

static struct replay_entry *add(int number, int64_t now)
{
    char id[16];

    snprintf(id, sizeof(id), "%d", number);
    return replay_cache_add(&cache, id, "f", now);
}

/* An answer of n bytes. */
static void done(struct replay_entry *entry, size_t n, int64_t now)
{
    AUTO_FREE char *text = malloc(n + 1);
    const struct replay_answer answer = {
        .http = 200,
        .code = 7,
        .text = text,
        .n = n,
        .brief = "{\"a\":1}",
    };

    memset(text, 'x', n);
    replay_cache_done(&cache, entry, &answer, now);
}

static void add_done(int number, size_t n, int64_t now)
{
    struct replay_entry *entry = add(number, now);

    ck_assert_ptr_nonnull(entry);
    done(entry, n, now);
}

static struct replay_entry *find(int number)
{
    char id[16];

    snprintf(id, sizeof(id), "%d", number);
    return replay_cache_find(&cache, id);
}

static enum replay_verdict look(const char *id, const char *fingerprint,
                                int64_t age, int64_t now)
{
    struct replay_entry *entry;

    return replay_cache_look(&cache, id, fingerprint, age, now, &entry);
}

START_TEST(states)
{
    struct replay_entry *entry = replay_cache_add(&cache, "a", "f", START);
    struct replay_entry *found;

    ck_assert_int_eq(entry->state, REPLAY_RUNNING);
    ck_assert_int_eq(
        replay_cache_look(&cache, "a", "f", AGE_NONE, START, &found),
        REPLAY_KNOWN);
    ck_assert_ptr_eq(found, entry);
    done(entry, 10, START + 1);
    ck_assert_int_eq(entry->state, REPLAY_DONE);
    ck_assert_int_eq(entry->code, 7);
    ck_assert_int_eq(entry->http, 200);
    ck_assert_str_eq(entry->answer, "xxxxxxxxxx");
    ck_assert_str_eq(entry->brief, "{\"a\":1}");
    ck_assert_uint_eq(cache.bytes, 10);
    entry = replay_cache_add(&cache, "b", "f", START);
    replay_cache_lost(&cache, entry, START);
    ck_assert_int_eq(entry->state, REPLAY_LOST);
    ck_assert_int_eq(look("b", "f", AGE_NONE, START), REPLAY_KNOWN);
}
END_TEST

START_TEST(conflicts)
{
    add_done(1, 10, START);
    ck_assert_int_eq(look("1", "f", AGE_NONE, START), REPLAY_KNOWN);
    ck_assert_int_eq(look("1", "g", AGE_NONE, START), REPLAY_OTHER);
    ck_assert_int_eq(look("1", "", AGE_NONE, START), REPLAY_OTHER);
    ck_assert_int_eq(look("1", NULL, AGE_NONE, START), REPLAY_KNOWN);
    ck_assert_int_eq(look("11", "f", AGE_NONE, START), REPLAY_NEW);
    ck_assert_int_eq(look("", "f", AGE_NONE, START), REPLAY_NEW);
}
END_TEST

START_TEST(forgotten)
{
    replay_cache_forget(&cache, add(1, START));
    ck_assert_ptr_null(find(1));
    ck_assert(!replay_cache_pushed_since(&cache, AGE_NONE, START));
    ck_assert_int_eq(look("1", "f", 5, START + 10), REPLAY_NEW);
}
END_TEST

/* What was refused leaves no mark; what ran does. */
START_TEST(too_many_entries)
{
    for (int i = 0; i < REPLAY_ENTRIES; i++)
        add_done(i, 10, START + i);
    ck_assert_uint_eq(cache.n, REPLAY_ENTRIES);
    ck_assert_ptr_nonnull(find(0));
    add_done(-1, 10, START + 5000);
    ck_assert_uint_eq(cache.n, REPLAY_ENTRIES);
    ck_assert_ptr_null(find(0));
    ck_assert_ptr_nonnull(find(1));
    ck_assert_int_eq(cache.pushed, START);
    add_done(-2, 10, START + 5000);
    ck_assert_ptr_null(find(1));
    ck_assert_int_eq(cache.pushed, START + 1);
}
END_TEST

/* In the order of their ends: what has only just ended is wanted most. */
START_TEST(order_is_that_of_the_ends)
{
    struct replay_entry *slow = add(0, START);
    struct replay_entry *running = add(1, START);

    for (int i = 2; i < REPLAY_ENTRIES; i++)
        add_done(i, 10, START + i);
    done(slow, 10, START + 5000);
    add_done(-1, 10, START + 5000);
    ck_assert_ptr_null(find(2));
    ck_assert_ptr_eq(find(0), slow);
    for (int i = 0; i < 2 * REPLAY_ENTRIES; i++)
        add_done(10000 + i, 10, START + 5000 + i);
    ck_assert_ptr_null(find(0));
    ck_assert_ptr_eq(find(1), running);
    ck_assert_uint_eq(cache.n, REPLAY_ENTRIES);
}
END_TEST

/* What came first is pushed out last when it took long. */
START_TEST(watermark_never_goes_back)
{
    struct replay_entry *slow = add(1, START);

    add_done(2, 10, START + 100);
    done(slow, 10, START + 200);
    replay_cache_expire(&cache, START + REPLAY_MS + 101);
    ck_assert_ptr_null(find(2));
    ck_assert_ptr_eq(find(1), slow);
    ck_assert_int_eq(cache.pushed, START + 100);
    replay_cache_expire(&cache, START + REPLAY_MS + 201);
    ck_assert_ptr_null(find(1));
    ck_assert_int_eq(cache.pushed, START + 100);
}
END_TEST

START_TEST(all_are_running)
{
    for (int i = 0; i < REPLAY_ENTRIES; i++)
        ck_assert_ptr_nonnull(add(i, START));
    ck_assert_ptr_null(add(-1, START));
    replay_cache_forget(&cache, find(5));
    ck_assert_ptr_nonnull(add(-1, START));
}
END_TEST

START_TEST(too_old)
{
    struct replay_entry *slow = add(1, START);

    add_done(2, 10, START);
    replay_cache_expire(&cache, START + REPLAY_MS);
    ck_assert_ptr_nonnull(find(2));
    replay_cache_expire(&cache, START + REPLAY_MS + 1);
    ck_assert_ptr_null(find(2));
    ck_assert_ptr_eq(find(1), slow); /* running */
    done(slow, 10, START + 2 * REPLAY_MS);
    replay_cache_expire(&cache, START + 3 * REPLAY_MS);
    ck_assert_ptr_eq(find(1), slow);
    ck_assert_int_eq(look("1", "f", 4 * REPLAY_MS, START + 3 * REPLAY_MS + 1),
                     REPLAY_GONE);
}
END_TEST

/* When a request that is not here may have run. */
START_TEST(watermark)
{
    static const int64_t now = START + 100000;
    static const int64_t mark = START + 50000;
    static const struct {
        int64_t age;
        bool gone;
    } ages[] = {
        { AGE_NONE, false }, { 0, false },     { 1, false },
        { 40000, false },    { 48999, false }, { 49000, true },
        { 50000, true },     { 60000, true },  { 200000, true },
        { AGE_MAX, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(ages); i++)
        ck_assert_msg((look("a", "f", ages[i].age, now) == REPLAY_GONE)
                          == (ages[i].age > 100000),
                      "nothing pushed out, age %lld", (long long) ages[i].age);
    add_done(1, 10, mark);
    replay_cache_expire(&cache, mark + REPLAY_MS + 1);
    ck_assert_int_eq(cache.pushed, mark);
    for (size_t i = 0; i < ARRAY_SIZE(ages); i++)
        ck_assert_msg((look("a", "f", ages[i].age, now) == REPLAY_GONE)
                          == ages[i].gone,
                      "age %lld", (long long) ages[i].age);
    ck_assert(replay_cache_pushed_since(&cache, AGE_NONE, now));
    ck_assert(replay_cache_pushed_since(&cache, 50000, now));
    ck_assert(!replay_cache_pushed_since(&cache, 40000, now));
}
END_TEST

/* Nothing is known of the time before the agent. */
START_TEST(start)
{
    ck_assert_int_eq(look("a", "f", 10, START + 10), REPLAY_NEW);
    ck_assert_int_eq(look("a", "f", 11, START + 10), REPLAY_GONE);
    ck_assert_int_eq(look("a", "f", 0, START), REPLAY_NEW);
    ck_assert(!replay_cache_pushed_since(&cache, 11, START + 10));
}
END_TEST

START_TEST(answer_sizes)
{
    add_done(1, REPLAY_ANSWER_MAX, START);
    ck_assert_uint_eq(find(1)->answer_len, REPLAY_ANSWER_MAX);
    add_done(2, REPLAY_ANSWER_MAX + 1, START);
    ck_assert_ptr_null(find(2)->answer);
    ck_assert_ptr_nonnull(find(2)->brief);
    for (int i = 3; i < 6; i++)
        add_done(i, REPLAY_ANSWER_MAX, START);
    ck_assert_uint_eq(cache.bytes, REPLAY_ANSWERS_MAX);
    ck_assert_ptr_nonnull(find(1)->answer);
    /* one byte more: the oldest answer goes, its entry stays */
    add_done(6, 1, START);
    ck_assert_ptr_null(find(1)->answer);
    ck_assert_uint_eq(find(1)->answer_len, 0);
    ck_assert_ptr_nonnull(find(1)->brief);
    ck_assert_ptr_nonnull(find(3)->answer);
    ck_assert_ptr_nonnull(find(6)->answer);
    ck_assert(!replay_cache_pushed_since(&cache, AGE_NONE, START));
}
END_TEST

START_TEST(brief_sizes)
{
    char text[REPLAY_BRIEF_MAX + 2] = "";
    struct replay_answer answer = { .brief = text };

    memset(text, 'x', REPLAY_BRIEF_MAX);
    replay_cache_done(&cache, add(1, START), &answer, START);
    ck_assert_str_eq(find(1)->brief, text);
    text[REPLAY_BRIEF_MAX] = 'x';
    replay_cache_done(&cache, add(2, START), &answer, START);
    ck_assert_ptr_null(find(2)->brief);
    ck_assert_ptr_null(find(2)->answer);
}
END_TEST

/* Counts again what the memory says that it has. */
static void check_accounts(void)
{
    const struct replay_entry *entry = cache.first;
    size_t n = 0;
    size_t bytes = 0;

    for (; entry; entry = entry->next) {
        n++;
        bytes += entry->answer ? strlen(entry->answer) : 0;
    }
    ck_assert_uint_eq(cache.n, n);
    ck_assert_uint_eq(cache.bytes, bytes);
    ck_assert_uint_le(n, REPLAY_ENTRIES);
    ck_assert_uint_le(bytes, REPLAY_ANSWERS_MAX);
}

START_TEST(bounds)
{
    for (int i = 0; i < 5000; i++) {
        add_done(i, 200 * 1024, START + i);
        if (i % 100 == 0)
            check_accounts();
    }
    check_accounts();
    ck_assert_uint_eq(cache.n, REPLAY_ENTRIES);
    ck_assert_uint_eq(cache.bytes, (size_t) 20 * 200 * 1024);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, states);
    tcase_add_test(tcase, conflicts);
    tcase_add_test(tcase, forgotten);
    tcase_add_test(tcase, too_many_entries);
    tcase_add_test(tcase, order_is_that_of_the_ends);
    tcase_add_test(tcase, watermark_never_goes_back);
    tcase_add_test(tcase, all_are_running);
    tcase_add_test(tcase, too_old);
    tcase_add_test(tcase, watermark);
    tcase_add_test(tcase, start);
    tcase_add_test(tcase, answer_sizes);
    tcase_add_test(tcase, brief_sizes);
    tcase_add_test(tcase, bounds);
}
