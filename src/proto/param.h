/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The one reader of values: of the members of a JSON object, and of the texts
 * of a query.  What is not exactly of the kind that was asked for is refused,
 * in words that have the name, what it may be, and what it is.
 */
#ifndef VSRPC_PROTO_PARAM_H
#define VSRPC_PROTO_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "util/error.h"
#include "util/text.h"

/*
 * Refuses a value: "'NAME' is not WHAT: 'TEXT'".  text NULL: none is shown.
 *
 * Return: STATUS_INVALID_PARAMS.
 */
int param_wrong(const char *name, const char *what, const char *text,
                struct error *err);

/* --- members of a JSON object -------------------------------------------- */

/*
 * Each returns 0 when the member was read or, if optional, is absent or null
 * (the value is left alone); STATUS_MISSING_REQUIRED or STATUS_INVALID_PARAMS
 * with a message that names the member.
 */
enum param_need {
    PARAM_OPTIONAL,
    PARAM_REQUIRED,
};

/* A string without NUL bytes, owned by the parameters. */
int param_string(struct json_object *params, const char *name,
                 enum param_need need, const char **value, struct error *err);

/* As param_string(), but any bytes, with their length. */
int param_bytes(struct json_object *params, const char *name,
                enum param_need need, const char **value, size_t *n,
                struct error *err);

/* One of some words, which end with NULL: which of them. */
int param_word(struct json_object *params, const char *name,
               enum param_need need, const char *const *words, int *value,
               struct error *err);

/* Is NAME_encoding there and says "base64", which is the one word for it? */
int param_encoded(struct json_object *params, const char *name, bool *encoded,
                  struct error *err);

/* An integer from min to max. */
int param_int(struct json_object *params, const char *name,
              enum param_need need, int64_t min, int64_t max, int64_t *value,
              struct error *err);

/* Seconds, whole or with a fraction, as milliseconds from min to max.  What is
 * not 0 does not become 0, which may mean for ever. */
int param_seconds(struct json_object *params, const char *name,
                  enum param_need need, int64_t min_ms, int64_t max_ms,
                  int64_t *value_ms, struct error *err);

int param_bool(struct json_object *params, const char *name,
               enum param_need need, bool *value, struct error *err);

/* An object, owned by the parameters. */
int param_object(struct json_object *params, const char *name,
                 enum param_need need, struct json_object **value,
                 struct error *err);

/* An array of strings without NUL bytes; appends copies. */
int param_strings(struct json_object *params, const char *name,
                  enum param_need need, struct strlist *list,
                  struct error *err);

/* An object of strings, as "NAME=VALUE" entries. */
int param_env(struct json_object *params, const char *name,
              enum param_need need, struct strlist *list, struct error *err);

/* --- texts ---------------------------------------------------------------- */

/* Each returns 0, or STATUS_INVALID_PARAMS with a message that has the name. */

/* true, 1, yes, on; false, 0, no, off; of any case. */
int text_bool(const char *name, const char *text, bool *value,
              struct error *err);

/* Decimal digits, from min to max, which are not negative. */
int text_int(const char *name, const char *text, int64_t min, int64_t max,
             int64_t *value, struct error *err);

/* One of some words, which end with NULL, as they are: which of them. */
int text_word(const char *name, const char *text, const char *const *words,
              int *value, struct error *err);

/* Exactly n lower-case hex digits. */
int text_hex(const char *name, const char *text, size_t n, struct error *err);

#endif
