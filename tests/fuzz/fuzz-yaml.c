/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A configuration file: whatever stands in it, values are what the table allows,
 * and an error has words.
 */
#include <config.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/yaml.h"

struct values {
    char *word;
    int64_t number, size, seconds;
    bool flag;
    struct strlist list;
    enum log_level level;
    struct yaml_items items; /* struct item */
};

struct item {
    struct yaml_item at;
    char *word;
    int64_t number;
    struct strlist list;
};

#define AT(member) offsetof(struct values, member)
#define OF(member) offsetof(struct item, member)

static const struct yaml_key keys[] = {
    { "a.word", YAML_KIND_STRING, AT(word), 0, 0 },
    { "a.number", YAML_KIND_NUMBER, AT(number), 1, 100 },
    { "a.b.size", YAML_KIND_SIZE, AT(size), 1, 1 << 30 },
    { "a.b.seconds", YAML_KIND_SECONDS, AT(seconds), 1, 3600000 },
    { "flag", YAML_KIND_BOOL, AT(flag), 0, 0 },
    { "c.list", YAML_KIND_LIST, AT(list), 0, 0 },
    { "level", YAML_KIND_LEVEL, AT(level), 0, 0 },
    { "c.items", YAML_KIND_ITEMS, AT(items), sizeof(struct item), 8 },
    { "c.items.word", YAML_KIND_STRING, OF(word), 0, 0 },
    { "c.items.number", YAML_KIND_NUMBER, OF(number), 1, 100 },
    { "c.items.list", YAML_KIND_LIST, OF(list), 0, 0 },
};

static void check(const struct values *values)
{
    ck_assert(values->number >= 1 && values->number <= 100);
    ck_assert(values->size >= 1 && values->size <= 1 << 30);
    ck_assert(values->seconds >= 1 && values->seconds <= 3600000);
    for (size_t i = 0; i < values->list.n; i++)
        ck_assert_ptr_nonnull(values->list.items[i]);
    ck_assert(values->items.n <= 8);
}

static void items_free(struct yaml_items *list)
{
    struct item *items = list->items;

    for (size_t i = 0; i < list->n; i++) {
        ck_assert(items[i].at.line > 0);
        ck_assert(items[i].number >= 0 && items[i].number <= 100);
        free(items[i].word);
        strlist_free(&items[i].list);
    }
    free(items);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO_CLOSE int fd = memfd_create("yaml", MFD_CLOEXEC);
    struct values values = { .number = 1, .size = 1, .seconds = 1 };
    struct error err = ERROR_INIT;
    char path[64];

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t) n);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (yaml_load(path, keys, ARRAY_SIZE(keys), &values, &err) < 0)
        ck_assert(err.code < 0 && err.message[0]);
    check(&values);
    free(values.word);
    strlist_free(&values.list);
    items_free(&values.items);
    return 0;
}
