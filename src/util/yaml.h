/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * YAML to struct: a table says which keys there are, of which kind, and where
 * in the caller's struct the value goes.  The only door to libyaml.
 *
 * A key is written with its sections joined by dots: "logging.max_size".
 * Whatever stands in the file and not in the table is an error that names
 * file, line and the nearest valid key; so is a value of the wrong kind, a
 * key given twice, and a second document.
 */
#ifndef VSRPC_UTIL_YAML_H
#define VSRPC_UTIL_YAML_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/text.h"

enum yaml_kind {
    YAML_KIND_STRING,  /* char *: a copy, the old value is freed */
    YAML_KIND_NUMBER,  /* int64_t: decimal digits */
    YAML_KIND_SIZE,    /* int64_t: bytes, "64K", "10MB" */
    YAML_KIND_SECONDS, /* int64_t, milliseconds: "5", "0.5" */
    YAML_KIND_BOOL,    /* bool: true, false, yes, no, on, off */
    YAML_KIND_LIST,    /* struct strlist: a sequence of scalars; replaces */
    YAML_KIND_LEVEL,   /* enum log_level */
    YAML_KIND_ITEMS,   /* struct yaml_items: a sequence of mappings; min is
                        * the size of one as a struct, max how many there may
                        * be.  Their keys are rows below it, "section.key.name",
                        * with offsets in that struct */
};

/* What every item of YAML_KIND_ITEMS begins with. */
struct yaml_item {
    size_t line; /* where it begins */
};

/* To be all zeros before.  Items are zeroed and then filled, those that were
 * not finished as well; whoever owns them frees what they have, and items. */
struct yaml_items {
    void *items; /* an array of such structs */
    size_t n;
};

struct yaml_key {
    const char *path;
    enum yaml_kind kind;
    size_t offset;    /* offsetof() in the target struct */
    int64_t min, max; /* for numbers, sizes (bytes) and seconds (ms) */
};

/*
 * Reads a file into target.  Keys that the file does not have leave their
 * values alone, so the caller fills in the defaults first.
 *
 * Return: 0; -ENOENT when there is no such file; other negative errno with a
 * message "FILE:LINE: …" ("FILE: at byte N: …" for bytes that are no text).
 * Values read before an error stay set.
 */
int yaml_load(const char *file, const struct yaml_key *keys, size_t n_keys,
              void *target, struct error *err);

#endif
