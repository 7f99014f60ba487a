/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What goes on with an operation that was counted, and what has to be counted
 * itself. */
#include <config.h>

#include "guest/policy/copies.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

const char unit_name[] = "copies";

static struct copies copies;

static void setup(void)
{
    memset(&copies, 0, sizeof(copies));
}

/* As admission has it.  Return: it was counted. */
static bool ask(const struct copy_step *step)
{
    if (copies_go_on(&copies, step))
        return false;
    copies_note(&copies, step);
    return true;
}

enum { READ, WRITE, LIST };

struct row {
    struct copy_step step;
    bool counted;
};

static void run(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(ask(&rows[i].step) == rows[i].counted,
                      "row %zu: '%s' %s %d %d", i, rows[i].step.id,
                      rows[i].step.path, rows[i].step.what,
                      (int) rows[i].step.offset);
}

START_TEST(with_id)
{
    static const struct row rows[] = {
        /* a folder: it, and all that is in it */
        { { "a", "/d", LIST, 0 }, true },
        { { "a", "/d/x", READ, 0 }, false },
        { { "a", "/d/x", READ, 10 }, false },
        { { "a", "/d/x", READ, 20 }, false },
        { { "a", "/d/e", LIST, 0 }, false },
        { { "a", "/d/e/..x", READ, 0 }, false },
        { { "a", "/d/e/...", READ, 0 }, false },
        { { "a", "/d", WRITE, 0 }, false },
        /* the same once more */
        { { "a", "/d", WRITE, 0 }, true },
        { { "a", "/d", WRITE, 0 }, true },
        { { "a", "/d", READ, 0 }, false },
        /* not what is beside it, or above */
        { { "a", "/dd", READ, 0 }, true },
        { { "a", "/d", READ, 0 }, true },
        { { "a", "/", LIST, 0 }, true },
        /* … and then all below that */
        { { "a", "/etc/x", READ, 0 }, false },
        { { "a", "/etc/../x", READ, 0 }, true },
        { { "a", "/etc/..", READ, 0 }, true },
        { { "a", "..", READ, 0 }, true },
        { { "a", "", READ, 0 }, true },
        /* a file: nothing else, whatever is done with it */
        { { "b", "/f", READ, 0 }, true },
        { { "b", "/f", READ, 5 }, false },
        { { "b", "/f", READ, 5 }, true },
        { { "b", "/f", WRITE, 5 }, false },
        { { "b", "/g", READ, 6 }, true },
        { { "c", "/g", READ, 7 }, true },
        { { "a", "/g", READ, 7 }, true },
        /* as it is written */
        { { "d", "/d//", LIST, 0 }, true },
        { { "d", "/d/x", READ, 0 }, false },
        { { "d", "/d", READ, 0 }, false },
        { { "D", "/d", READ, 0 }, true },
    };

    run(rows, ARRAY_SIZE(rows));
}
END_TEST

/* One operation from its first byte on; another file is another one. */
START_TEST(without_id)
{
    static const struct row rows[] = {
        { { "", "/a", READ, 0 }, true },    { { "", "/a", READ, 10 }, false },
        { { "", "/a", READ, 20 }, false },  { { "", "/a", READ, 5 }, false },
        { { "", "/a", READ, 5 }, true },    { { "", "/a", READ, 0 }, true },
        { { "", "/a", READ, 1 }, false },   { { "", "/b", READ, 10 }, true },
        { { "", "/b", READ, 20 }, false },  { { "", "/a", READ, 20 }, true },
        { { "", "/A", READ, 20 }, true },   { { "", "/A/", READ, 20 }, true },
        { { "", "/A/b", READ, 20 }, true }, { { "", "", READ, 1 }, true },
    };

    run(rows, ARRAY_SIZE(rows));
}
END_TEST

/* An id that somebody made up is counted again and again. */
START_TEST(again_and_again)
{
    char path[32];
    int counted = 0;

    for (int i = 0; i < 10 * COPY_REQUESTS; i++) {
        const struct copy_step step = { "a", path, READ, 0 };

        snprintf(path, sizeof(path), i ? "/d/%d" : "/d", i);
        counted += ask(&step);
        ck_assert_int_eq(counted, i / COPY_REQUESTS + 1);
    }
    for (int i = 0; i < 10 * COPY_REQUESTS; i++) {
        const struct copy_step step = { "", "/f", READ, i + 1 };

        counted += ask(&step);
    }
    ck_assert_int_eq(counted, 20);
}
END_TEST

/* While it may not go on nothing is taken from it. */
START_TEST(refused)
{
    struct copy_step step = { "a", "/f", READ, 0 };

    ask(&step);
    for (step.offset = 1; step.offset < COPY_REQUESTS; step.offset++)
        ck_assert(copies_go_on(&copies, &step));
    for (int i = 0; i < 3; i++)
        ck_assert(!copies_go_on(&copies, &step));
    copies_note(&copies, &step);
    for (step.offset++; step.offset < 2 * COPY_REQUESTS; step.offset++)
        ck_assert(copies_go_on(&copies, &step));
    ck_assert(!copies_go_on(&copies, &step));
}
END_TEST

START_TEST(forgotten)
{
    char id[8];

    ask(&(struct copy_step) { "a", "/", READ, 0 });
    for (int i = 0; i < COPIES_MAX - 1; i++) {
        snprintf(id, sizeof(id), "%d", i);
        ck_assert(ask(&(struct copy_step) { id, "/", READ, 0 }));
    }
    ck_assert(!ask(&(struct copy_step) { "0", "/", READ, 1 }));
    ck_assert(!ask(&(struct copy_step) { "a", "/", READ, 1 }));
    ck_assert(ask(&(struct copy_step) { "b", "/", READ, 0 }));
    ck_assert(ask(&(struct copy_step) { "c", "/", READ, 0 }));
    ck_assert(!ask(&(struct copy_step) { "a", "/", READ, 2 }));
    ck_assert(!ask(&(struct copy_step) { "0", "/", READ, 2 }));
    ck_assert(!ask(&(struct copy_step) { "3", "/", READ, 1 }));
    ck_assert(ask(&(struct copy_step) { "1", "/", READ, 1 }));
}
END_TEST

/* What does not fit into a row is counted each time. */
START_TEST(too_long)
{
    char text[PATH_MAX + 1];
    struct copy_step step = { "a", text, READ, 0 };

    memset(text, 'x', PATH_MAX);
    text[PATH_MAX] = '\0';
    for (int i = 0; i < 3; i++, step.offset++)
        ck_assert(ask(&step));
    text[0] = '/';
    text[PATH_MAX - 1] = '\0';
    ck_assert(ask(&step));
    step.offset++;
    ck_assert(!ask(&step));
    text[COPY_ID_MAX + 1] = '\0';
    step.id = text;
    for (int i = 0; i < 3; i++, step.offset++)
        ck_assert(ask(&step));
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, with_id);
    tcase_add_test(tcase, without_id);
    tcase_add_test(tcase, again_and_again);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, forgotten);
    tcase_add_test(tcase, too_long);
}
