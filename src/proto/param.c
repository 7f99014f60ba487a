/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A function for each kind of value.  json-c would make something of any type
 * (a string's number, the largest integer of what is larger still), so the
 * type is asked for first.
 */
#include <config.h>

#include "proto/param.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "proto/envelope.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/num.h"

/* Of a value that is refused, in the words for that. */
#define SHOWN 64

int param_wrong(const char *name, const char *what, const char *text,
                struct error *err)
{
    size_t n = text ? strlen(text) : 0;
    bool cut = n > SHOWN;

    if (!text)
        return error_set(err, STATUS_INVALID_PARAMS, "'%s' is not %s", name,
                         what);
    if (cut) /* between two characters */
        for (n = SHOWN; n > 0 && (text[n] & 0xC0) == 0x80; n--)
            ;
    return error_set(err, STATUS_INVALID_PARAMS, "'%s' is not %s: '%.*s%s'",
                     name, what, (int) n, text, cut ? "..." : "");
}

static void number_words(int64_t min, int64_t max, char words[80])
{
    snprintf(words, 80, "a whole number from %lld to %lld", (long long) min,
             (long long) max);
}

/* --- texts ---------------------------------------------------------------- */

/* Behind one another no and yes. */
static const char *const booleans[] = { "false", "true", "0",   "1",
                                        "no",    "yes",  "off", "on" };

int text_bool(const char *name, const char *text, bool *value,
              struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(booleans); i++)
        if (strcasecmp(text, booleans[i]) == 0) {
            *value = i % 2;
            return 0;
        }
    return param_wrong(name, "true (1, yes, on) or false (0, no, off)", text,
                       err);
}

int text_int(const char *name, const char *text, int64_t min, int64_t max,
             int64_t *value, struct error *err)
{
    char words[80];

    if (num_parse(text, min, max, value) == 0)
        return 0;
    number_words(min, max, words);
    return param_wrong(name, words, text, err);
}

int text_word(const char *name, const char *text, const char *const *words,
              int *value, struct error *err)
{
    char what[128] = "";
    size_t used = 0;

    for (int i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *value = i;
            return 0;
        }
        used += (size_t) snprintf(what + used, sizeof(what) - used, "%s%s",
                                  i == 0         ? ""
                                  : words[i + 1] ? ", "
                                                 : " or ",
                                  words[i]);
        if (used >= sizeof(what))
            used = sizeof(what) - 1;
    }
    return param_wrong(name, what, text, err);
}

int text_hex(const char *name, const char *text, size_t n, struct error *err)
{
    char what[48];

    if (strlen(text) == n && strspn(text, "0123456789abcdef") == n)
        return 0;
    snprintf(what, sizeof(what), "%zu lower-case hex digits", n);
    return param_wrong(name, what, text, err);
}

/* --- members -------------------------------------------------------------- */

/*
 * Looks a member up.
 *
 * Return: 0 with *value the member, or NULL when it is optional and not
 * there; STATUS_MISSING_REQUIRED.
 */
static int param_find(struct json_object *params, const char *name,
                      enum param_need need, struct json_object **value,
                      struct error *err)
{
    *value = NULL;
    if (params)
        json_object_object_get_ex(params, name, value);
    if (!*value && need == PARAM_REQUIRED)
        return error_set(err, STATUS_MISSING_REQUIRED, "'%s' is missing",
                         name);
    return 0;
}

/* Refuses a member that was found.  What is in a container (an environment,
 * say) is for nobody's log. */
static int member_wrong(const char *name, const char *what,
                        struct json_object *found, struct error *err)
{
    bool container = json_object_is_type(found, json_type_object)
                     || json_object_is_type(found, json_type_array);
    size_t n;

    return param_wrong(name, what, container ? NULL : json_text(found, &n),
                       err);
}

int param_bytes(struct json_object *params, const char *name,
                enum param_need need, const char **value, size_t *n,
                struct error *err)
{
    struct json_object *found;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    if (!json_object_is_type(found, json_type_string))
        return member_wrong(name, "a string", found, err);
    *value = json_object_get_string(found);
    *n = (size_t) json_object_get_string_len(found);
    return 0;
}

int param_string(struct json_object *params, const char *name,
                 enum param_need need, const char **value, struct error *err)
{
    const char *text = NULL;
    size_t n = 0;
    int r = param_bytes(params, name, need, &text, &n, err);

    if (r || !text)
        return r;
    if (strlen(text) != n)
        return param_wrong(name, "free of NUL characters", NULL, err);
    *value = text;
    return 0;
}

int param_word(struct json_object *params, const char *name,
               enum param_need need, const char *const *words, int *value,
               struct error *err)
{
    const char *text = NULL;
    int r = param_string(params, name, need, &text, err);

    return r || !text ? r : text_word(name, text, words, value, err);
}

int param_encoded(struct json_object *params, const char *name, bool *encoded,
                  struct error *err)
{
    static const char *const words[] = { "base64", NULL };
    char member[64];
    int word = -1;
    int r;

    snprintf(member, sizeof(member), "%s_encoding", name);
    r = param_word(params, member, PARAM_OPTIONAL, words, &word, err);
    *encoded = word == 0;
    return r;
}

/* json-c keeps what is larger apart, and then says that it is the largest. */
static bool fits_int64(struct json_object *number)
{
    return json_object_get_int64(number) < INT64_MAX
           || json_object_get_uint64(number) == INT64_MAX;
}

int param_int(struct json_object *params, const char *name,
              enum param_need need, int64_t min, int64_t max, int64_t *value,
              struct error *err)
{
    struct json_object *found;
    char words[80];
    int64_t number;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    number = json_object_get_int64(found);
    if (json_object_is_type(found, json_type_int) && number >= min
        && number <= max && fits_int64(found)) {
        *value = number;
        return 0;
    }
    number_words(min, max, words);
    return member_wrong(name, words, found, err);
}

int param_seconds(struct json_object *params, const char *name,
                  enum param_need need, int64_t min_ms, int64_t max_ms,
                  int64_t *value_ms, struct error *err)
{
    struct json_object *found;
    char words[80];
    double ms;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    ms = json_object_get_double(found) * 1000;
    if ((!json_object_is_type(found, json_type_int)
         && !json_object_is_type(found, json_type_double))
        || !isfinite(ms) || ms < (double) min_ms || ms > (double) max_ms) {
        snprintf(words, sizeof(words),
                 "a number of seconds from %.3g to %.10g",
                 (double) min_ms / 1000, (double) max_ms / 1000);
        return member_wrong(name, words, found, err);
    }
    *value_ms = (int64_t) (ms + 0.5); /* 1.001 * 1000 is 1000.999… */
    if (*value_ms == 0 && ms > 0)
        *value_ms = 1;
    return 0;
}

int param_bool(struct json_object *params, const char *name,
               enum param_need need, bool *value, struct error *err)
{
    struct json_object *found;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    if (!json_object_is_type(found, json_type_boolean))
        return member_wrong(name, "true or false", found, err);
    *value = json_object_get_boolean(found);
    return 0;
}

int param_object(struct json_object *params, const char *name,
                 enum param_need need, struct json_object **value,
                 struct error *err)
{
    struct json_object *found;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    if (!json_object_is_type(found, json_type_object))
        return member_wrong(name, "an object", found, err);
    *value = found;
    return 0;
}

/* A string member of a container, without NUL. */
static const char *plain_string(struct json_object *value)
{
    const char *text;

    if (!json_object_is_type(value, json_type_string))
        return NULL;
    text = json_object_get_string(value);
    return strlen(text) == (size_t) json_object_get_string_len(value) ? text
                                                                      : NULL;
}

int param_strings(struct json_object *params, const char *name,
                  enum param_need need, struct strlist *list,
                  struct error *err)
{
    struct json_object *found;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    if (!json_object_is_type(found, json_type_array))
        return member_wrong(name, "an array of strings", found, err);
    for (size_t i = 0; i < json_object_array_length(found); i++) {
        const char *text = plain_string(json_object_array_get_idx(found, i));

        if (!text)
            return member_wrong(name, "an array of strings", found, err);
        if (strlist_add(list, text) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int env_add(struct strlist *list, const char *name, const char *value)
{
    AUTO_FREE char *entry = NULL;

    if (asprintf(&entry, "%s=%s", name, value) < 0) {
        entry = NULL;
        return -ENOMEM;
    }
    return strlist_add(list, entry);
}

int param_env(struct json_object *params, const char *name,
              enum param_need need, struct strlist *list, struct error *err)
{
    struct json_object *found;
    int r = param_find(params, name, need, &found, err);

    if (r || !found)
        return r;
    if (!json_object_is_type(found, json_type_object))
        return member_wrong(name, "an object of strings", found, err);
    json_object_object_foreach(found, key, item)
    {
        const char *text = plain_string(item);

        if (!text || !*key || strchr(key, '='))
            return member_wrong(name, "an object of strings", found, err);
        if (env_add(list, key, text) < 0)
            return -ENOMEM;
    }
    return 0;
}
