/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

const char unit_name[] = "memory";

#define START 1000000

static struct memory memory;

static void setup(void)
{
    memory_init(&memory, START);
}

static void teardown(void)
{
    memory_free(&memory);
    ck_assert_uint_eq(memory.n, 0);
    ck_assert_uint_eq(memory.bytes, 0);
}

static struct memory_entry *add(int number, int64_t now)
{
    char id[16];

    snprintf(id, sizeof(id), "%d", number);
    return memory_add(&memory, id, "f", now);
}

/* An answer of n bytes. */
static void done(struct memory_entry *entry, size_t n, int64_t now)
{
    AUTO_FREE char *text = malloc(n + 1);
    const struct memory_answer answer = {
        .http = 200, .code = 7, .text = text, .n = n, .brief = "{\"a\":1}",
    };

    memset(text, 'x', n);
    memory_done(&memory, entry, &answer, now);
}

static void add_done(int number, size_t n, int64_t now)
{
    struct memory_entry *entry = add(number, now);

    ck_assert_ptr_nonnull(entry);
    done(entry, n, now);
}

static struct memory_entry *find(int number)
{
    char id[16];

    snprintf(id, sizeof(id), "%d", number);
    return memory_find(&memory, id);
}

static enum memory_verdict look(const char *id, const char *fingerprint,
                                int64_t age, int64_t now)
{
    struct memory_entry *entry;

    return memory_look(&memory, id, fingerprint, age, now, &entry);
}

START_TEST(states)
{
    struct memory_entry *entry = memory_add(&memory, "a", "f", START);
    struct memory_entry *found;

    ck_assert_int_eq(entry->state, MEMORY_RUNNING);
    ck_assert_int_eq(memory_look(&memory, "a", "f", AGE_NONE, START, &found),
                     MEMORY_KNOWN);
    ck_assert_ptr_eq(found, entry);
    done(entry, 10, START + 1);
    ck_assert_int_eq(entry->state, MEMORY_DONE);
    ck_assert_int_eq(entry->code, 7);
    ck_assert_int_eq(entry->http, 200);
    ck_assert_str_eq(entry->answer, "xxxxxxxxxx");
    ck_assert_str_eq(entry->brief, "{\"a\":1}");
    ck_assert_uint_eq(memory.bytes, 10);
    entry = memory_add(&memory, "b", "f", START);
    memory_lost(&memory, entry, START);
    ck_assert_int_eq(entry->state, MEMORY_LOST);
    ck_assert_int_eq(look("b", "f", AGE_NONE, START), MEMORY_KNOWN);
}
END_TEST

START_TEST(conflicts)
{
    add_done(1, 10, START);
    ck_assert_int_eq(look("1", "f", AGE_NONE, START), MEMORY_KNOWN);
    ck_assert_int_eq(look("1", "g", AGE_NONE, START), MEMORY_OTHER);
    ck_assert_int_eq(look("1", "", AGE_NONE, START), MEMORY_OTHER);
    ck_assert_int_eq(look("1", NULL, AGE_NONE, START), MEMORY_KNOWN);
    ck_assert_int_eq(look("11", "f", AGE_NONE, START), MEMORY_NEW);
    ck_assert_int_eq(look("", "f", AGE_NONE, START), MEMORY_NEW);
}
END_TEST

START_TEST(forgotten)
{
    memory_forget(&memory, add(1, START));
    ck_assert_ptr_null(find(1));
    ck_assert(!memory_pushed_since(&memory, AGE_NONE, START));
    ck_assert_int_eq(look("1", "f", 5, START + 10), MEMORY_NEW);
}
END_TEST

/* What was refused leaves no mark; what ran does. */
START_TEST(too_many_entries)
{
    for (int i = 0; i < MEMORY_ENTRIES; i++)
        add_done(i, 10, START + i);
    ck_assert_uint_eq(memory.n, MEMORY_ENTRIES);
    ck_assert_ptr_nonnull(find(0));
    add_done(-1, 10, START + 5000);
    ck_assert_uint_eq(memory.n, MEMORY_ENTRIES);
    ck_assert_ptr_null(find(0));
    ck_assert_ptr_nonnull(find(1));
    ck_assert_int_eq(memory.pushed, START);
    add_done(-2, 10, START + 5000);
    ck_assert_ptr_null(find(1));
    ck_assert_int_eq(memory.pushed, START + 1);
}
END_TEST

/* In the order of their ends: what has only just ended is wanted most. */
START_TEST(order_is_that_of_the_ends)
{
    struct memory_entry *slow = add(0, START);
    struct memory_entry *running = add(1, START);

    for (int i = 2; i < MEMORY_ENTRIES; i++)
        add_done(i, 10, START + i);
    done(slow, 10, START + 5000);
    add_done(-1, 10, START + 5000);
    ck_assert_ptr_null(find(2));
    ck_assert_ptr_eq(find(0), slow);
    for (int i = 0; i < 2 * MEMORY_ENTRIES; i++)
        add_done(10000 + i, 10, START + 5000 + i);
    ck_assert_ptr_null(find(0));
    ck_assert_ptr_eq(find(1), running);
    ck_assert_uint_eq(memory.n, MEMORY_ENTRIES);
    /* pushed out late, it is not the newest that was: the watermark never
     * goes back */
    ck_assert_int_gt(memory.pushed, START + 5000);
}
END_TEST

START_TEST(all_are_running)
{
    for (int i = 0; i < MEMORY_ENTRIES; i++)
        ck_assert_ptr_nonnull(add(i, START));
    ck_assert_ptr_null(add(-1, START));
    memory_forget(&memory, find(5));
    ck_assert_ptr_nonnull(add(-1, START));
}
END_TEST

START_TEST(too_old)
{
    struct memory_entry *slow = add(1, START);

    add_done(2, 10, START);
    memory_expire(&memory, START + MEMORY_MS);
    ck_assert_ptr_nonnull(find(2));
    memory_expire(&memory, START + MEMORY_MS + 1);
    ck_assert_ptr_null(find(2));
    ck_assert_ptr_eq(find(1), slow); /* running */
    done(slow, 10, START + 2 * MEMORY_MS);
    memory_expire(&memory, START + 3 * MEMORY_MS);
    ck_assert_ptr_eq(find(1), slow);
    ck_assert_int_eq(look("1", "f", 4 * MEMORY_MS,
                          START + 3 * MEMORY_MS + 1),
                     MEMORY_GONE);
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
        ck_assert_msg((look("a", "f", ages[i].age, now) == MEMORY_GONE)
                          == (ages[i].age > 100000),
                      "nothing pushed out, age %lld",
                      (long long) ages[i].age);
    add_done(1, 10, mark);
    memory_expire(&memory, mark + MEMORY_MS + 1);
    ck_assert_int_eq(memory.pushed, mark);
    for (size_t i = 0; i < ARRAY_SIZE(ages); i++)
        ck_assert_msg((look("a", "f", ages[i].age, now) == MEMORY_GONE)
                          == ages[i].gone,
                      "age %lld", (long long) ages[i].age);
    ck_assert(memory_pushed_since(&memory, AGE_NONE, now));
    ck_assert(memory_pushed_since(&memory, 50000, now));
    ck_assert(!memory_pushed_since(&memory, 40000, now));
}
END_TEST

/* Nothing is known of the time before the agent. */
START_TEST(start)
{
    ck_assert_int_eq(look("a", "f", 10, START + 10), MEMORY_NEW);
    ck_assert_int_eq(look("a", "f", 11, START + 10), MEMORY_GONE);
    ck_assert_int_eq(look("a", "f", 0, START), MEMORY_NEW);
    ck_assert(!memory_pushed_since(&memory, 11, START + 10));
}
END_TEST

START_TEST(answer_sizes)
{
    add_done(1, MEMORY_ANSWER_MAX, START);
    ck_assert_uint_eq(find(1)->answer_len, MEMORY_ANSWER_MAX);
    add_done(2, MEMORY_ANSWER_MAX + 1, START);
    ck_assert_ptr_null(find(2)->answer);
    ck_assert_ptr_nonnull(find(2)->brief);
    for (int i = 3; i < 6; i++)
        add_done(i, MEMORY_ANSWER_MAX, START);
    ck_assert_uint_eq(memory.bytes, MEMORY_ANSWERS_MAX);
    ck_assert_ptr_nonnull(find(1)->answer);
    /* one byte more: the oldest answer goes, its entry stays */
    add_done(6, 1, START);
    ck_assert_ptr_null(find(1)->answer);
    ck_assert_uint_eq(find(1)->answer_len, 0);
    ck_assert_ptr_nonnull(find(1)->brief);
    ck_assert_ptr_nonnull(find(3)->answer);
    ck_assert_ptr_nonnull(find(6)->answer);
    ck_assert(!memory_pushed_since(&memory, AGE_NONE, START));
}
END_TEST

START_TEST(brief_sizes)
{
    char text[MEMORY_BRIEF_MAX + 2] = "";
    struct memory_answer answer = { .brief = text };

    memset(text, 'x', MEMORY_BRIEF_MAX);
    memory_done(&memory, add(1, START), &answer, START);
    ck_assert_str_eq(find(1)->brief, text);
    text[MEMORY_BRIEF_MAX] = 'x';
    memory_done(&memory, add(2, START), &answer, START);
    ck_assert_ptr_null(find(2)->brief);
    ck_assert_ptr_null(find(2)->answer);
}
END_TEST

/* Counts again what the memory says that it has. */
static void check_accounts(void)
{
    const struct memory_entry *entry = memory.first;
    size_t n = 0;
    size_t bytes = 0;

    for (; entry; entry = entry->next) {
        n++;
        bytes += entry->answer ? strlen(entry->answer) : 0;
    }
    ck_assert_uint_eq(memory.n, n);
    ck_assert_uint_eq(memory.bytes, bytes);
    ck_assert_uint_le(n, MEMORY_ENTRIES);
    ck_assert_uint_le(bytes, MEMORY_ANSWERS_MAX);
}

START_TEST(bounds)
{
    for (int i = 0; i < 5000; i++) {
        add_done(i, 200 * 1024, START + i);
        if (i % 100 == 0)
            check_accounts();
    }
    check_accounts();
    ck_assert_uint_eq(memory.n, MEMORY_ENTRIES);
    ck_assert_uint_eq(memory.bytes, (size_t) 20 * 200 * 1024);
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
    tcase_add_test(tcase, all_are_running);
    tcase_add_test(tcase, too_old);
    tcase_add_test(tcase, watermark);
    tcase_add_test(tcase, start);
    tcase_add_test(tcase, answer_sizes);
    tcase_add_test(tcase, brief_sizes);
    tcase_add_test(tcase, bounds);
}
