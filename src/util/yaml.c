/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Walks libyaml's tree along with the table of keys.  What libyaml lets pass
 * is an error here: a key given twice, a second document, a NUL in a value.
 */
#include <config.h>

#include "util/yaml.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "util/cleanup.h"
#include "util/log.h"
#include "util/num.h"

#define PATH_BYTES 256 /* of a dotted key; longer ones are in no table */
#define DEPTH_MAX 8    /* no table nests deeper; bounds the recursion */
#define KEYS_MAX 128   /* of one table, for the nearest-word search */

/* What every step of the walk needs. */
struct walk {
    const char *file;
    const struct yaml_key *keys;
    size_t n_keys;
    char *target;
    const struct yaml_key *list; /* whose item is the target; NULL: none */
    yaml_document_t *document;
    struct error *err;
};

static size_t node_line(const yaml_node_t *node)
{
    return node->start_mark.line + 1;
}

static int walk_fail(const struct walk *walk, const yaml_node_t *node,
                     const char *key, const char *what)
{
    return error_set(walk->err, -EINVAL, "%s:%zu: '%s': %s", walk->file,
                     node_line(node), key, what);
}

static const char *scalar(const yaml_node_t *node)
{
    return (const char *) node->data.scalar.value;
}

/* A scalar with a NUL inside would be cut silently. */
static bool node_is_scalar(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE
           && strlen(scalar(node)) == node->data.scalar.length;
}

/* "key:" and "key: null" leave the default alone. */
static bool node_is_null(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE
           && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE
           && (!*scalar(node) || strcmp(scalar(node), "~") == 0
               || strcasecmp(scalar(node), "null") == 0);
}

static const char *set_string(const struct yaml_key *key, const char *text,
                              void *slot)
{
    char *copy = strdup(text);

    (void) key;
    if (!copy)
        return "out of memory";
    free(*(char **) slot);
    *(char **) slot = copy;
    return NULL;
}

static const char *set_number(const struct yaml_key *key, const char *text,
                              void *slot)
{
    switch (num_parse(text, key->min, key->max, slot)) {
    case 0:
        return NULL;
    case -ERANGE:
        return "number out of range";
    default:
        return "not a whole number";
    }
}

static const char *set_size(const struct yaml_key *key, const char *text,
                            void *slot)
{
    switch (num_parse_size(text, key->min, key->max, slot)) {
    case 0:
        return NULL;
    case -ERANGE:
        return "size out of range";
    default:
        return "not a size; write bytes or, for example, 64K or 10MB";
    }
}

static const char *set_seconds(const struct yaml_key *key, const char *text,
                               void *slot)
{
    char *end;
    double seconds;

    if (*text < '0' || *text > '9')
        return "not a number of seconds";
    seconds = strtod(text, &end);
    if (*end || strpbrk(text, "xXeE"))
        return "not a number of seconds";
    seconds *= 1000;
    if (seconds < (double) key->min || seconds > (double) key->max)
        return "number of seconds out of range";
    *(int64_t *) slot = (int64_t) (seconds + 0.5);
    return NULL;
}

static const char *set_bool(const struct yaml_key *key, const char *text,
                            void *slot)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = { { "true", true }, { "false", false }, { "yes", true },
                  { "no", false },  { "on", true },     { "off", false } };

    (void) key;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcasecmp(text, words[i].word) == 0) {
            *(bool *) slot = words[i].value;
            return NULL;
        }
    }
    return "neither true nor false";
}

static const char *set_level(const struct yaml_key *key, const char *text,
                             void *slot)
{
    (void) key;
    return log_level_parse(text, slot) < 0
               ? "no such level; ERROR, WARNING, INFO or DEBUG"
               : NULL;
}

/* By kind; each gives what is wrong with the text, or NULL. */
static const char *(*const setters[])(const struct yaml_key *, const char *,
                                      void *) = {
    [YAML_KIND_STRING] = set_string, [YAML_KIND_NUMBER] = set_number,
    [YAML_KIND_SIZE] = set_size,     [YAML_KIND_SECONDS] = set_seconds,
    [YAML_KIND_BOOL] = set_bool,     [YAML_KIND_LEVEL] = set_level,
};

static int set_list(const struct walk *walk, const struct yaml_key *key,
                    const yaml_node_t *node)
{
    struct strlist *list = (struct strlist *) (walk->target + key->offset);

    if (node->type != YAML_SEQUENCE_NODE)
        return walk_fail(walk, node, key->path, "not a list");
    strlist_free(list);
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        yaml_node_t *entry = yaml_document_get_node(walk->document, *item);

        /* An entry left empty would be the prefix of every path. */
        if (!entry || !node_is_scalar(entry) || node_is_null(entry))
            return walk_fail(walk, entry ? entry : node, key->path,
                             "an entry is not a word");
        if (strlist_add(list, scalar(entry)) < 0)
            return walk_fail(walk, node, key->path, "out of memory");
    }
    return 0;
}

static int walk_mapping(const struct walk *walk, const yaml_node_t *node,
                        const char *prefix, int depth);

/* Return: one more item, zeroed; NULL without memory. */
static void *items_add(struct yaml_items *list, size_t size)
{
    char *items = realloc(list->items, (list->n + 1) * size);

    if (!items)
        return NULL;
    list->items = items;
    return memset(items + list->n++ * size, 0, size);
}

/* The keys of an item are found by the list's path, and set in the item. */
static int walk_item(const struct walk *walk, const struct yaml_key *key,
                     const yaml_node_t *node)
{
    struct yaml_items *list = (struct yaml_items *) (walk->target
                                                     + key->offset);
    struct walk inner = *walk;
    struct yaml_item *item;

    if (node->type != YAML_MAPPING_NODE)
        return walk_fail(walk, node, key->path,
                         "an entry is not a mapping of keys to values");
    if (list->n == (size_t) key->max)
        return walk_fail(walk, node, key->path, "too many entries");
    item = items_add(list, (size_t) key->min);
    if (!item)
        return walk_fail(walk, node, key->path, "out of memory");
    item->line = node_line(node);
    inner.target = (char *) item;
    inner.list = key;
    return walk_mapping(&inner, node, key->path, 0);
}

static int set_items(const struct walk *walk, const struct yaml_key *key,
                     const yaml_node_t *node)
{
    int r = 0;

    if (node->type != YAML_SEQUENCE_NODE)
        return walk_fail(walk, node, key->path, "not a list");
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         r == 0 && item < node->data.sequence.items.top; item++) {
        yaml_node_t *entry = yaml_document_get_node(walk->document, *item);

        r = entry ? walk_item(walk, key, entry) : 0;
    }
    return r;
}

static int walk_value(const struct walk *walk, const struct yaml_key *key,
                      const yaml_node_t *node)
{
    const char *wrong;

    if (node_is_null(node))
        return 0;
    if (key->kind == YAML_KIND_ITEMS)
        return set_items(walk, key, node);
    if (key->kind == YAML_KIND_LIST)
        return set_list(walk, key, node);
    if (!node_is_scalar(node))
        return walk_fail(walk, node, key->path, "not a single value");
    wrong = setters[key->kind](key, scalar(node), walk->target + key->offset);
    return wrong ? walk_fail(walk, node, key->path, wrong) : 0;
}

/* Return: is the key in the section? */
static bool key_is_below(const struct yaml_key *key, const char *section)
{
    size_t length = strlen(section);

    return strncmp(key->path, section, length) == 0
           && key->path[length] == '.';
}

/* A key has its place in the target: those of an item nowhere else, although
 * somebody may write "list.key" beside the list. */
static bool walk_sees(const struct walk *walk, const struct yaml_key *key)
{
    for (size_t i = 0; i < walk->n_keys; i++)
        if (walk->keys[i].kind == YAML_KIND_ITEMS
            && key_is_below(key, walk->keys[i].path))
            return walk->list == &walk->keys[i];
    return !walk->list;
}

static const struct yaml_key *walk_find(const struct walk *walk,
                                        const char *path)
{
    for (size_t i = 0; i < walk->n_keys; i++)
        if (strcmp(walk->keys[i].path, path) == 0
            && walk_sees(walk, &walk->keys[i]))
            return &walk->keys[i];
    return NULL;
}

/* Is the path the section of some key? */
static bool walk_is_section(const struct walk *walk, const char *path)
{
    for (size_t i = 0; i < walk->n_keys; i++)
        if (key_is_below(&walk->keys[i], path)
            && walk_sees(walk, &walk->keys[i]))
            return true;
    return false;
}

static int walk_unknown(const struct walk *walk, const yaml_node_t *node,
                        const char *path)
{
    const char *names[KEYS_MAX];
    const char *nearest;
    size_t n = 0;

    for (size_t i = 0; i < walk->n_keys && n < KEYS_MAX; i++)
        if (walk_sees(walk, &walk->keys[i]))
            names[n++] = walk->keys[i].path;
    nearest = text_nearest(path, names, n);
    if (!nearest)
        return walk_fail(walk, node, path, "unknown key");
    return error_set(walk->err, -EINVAL,
                     "%s:%zu: unknown key '%s'; did you mean '%s'?",
                     walk->file, node_line(node), path, nearest);
}

/* One "key: value" of a mapping. */
static int walk_pair(const struct walk *walk, const yaml_node_pair_t *pair,
                     const char *prefix, int depth)
{
    yaml_node_t *name = yaml_document_get_node(walk->document, pair->key);
    yaml_node_t *value = yaml_document_get_node(walk->document, pair->value);
    const struct yaml_key *key;
    char path[PATH_BYTES];

    if (!node_is_scalar(name))
        return walk_fail(walk, name, prefix, "a key is not a word");
    snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "",
             scalar(name));
    key = walk_find(walk, path);
    if (key)
        return walk_value(walk, key, value);
    if (!walk_is_section(walk, path))
        return walk_unknown(walk, name, path);
    if (node_is_null(value))
        return 0;
    if (value->type != YAML_MAPPING_NODE)
        return walk_fail(walk, value, path, "a section, not a value");
    return walk_mapping(walk, value, path, depth + 1);
}

/* libyaml takes a key twice, and the last one would win silently. */
static bool pair_is_again(const struct walk *walk, const yaml_node_t *node,
                          const yaml_node_pair_t *pair)
{
    yaml_node_t *name = yaml_document_get_node(walk->document, pair->key);

    for (yaml_node_pair_t *old = node->data.mapping.pairs.start;
         node_is_scalar(name) && old < pair; old++) {
        yaml_node_t *other = yaml_document_get_node(walk->document, old->key);

        if (node_is_scalar(other) && strcmp(scalar(other), scalar(name)) == 0)
            return true;
    }
    return false;
}

static int walk_again(const struct walk *walk, const yaml_node_pair_t *pair,
                      const char *prefix)
{
    yaml_node_t *name = yaml_document_get_node(walk->document, pair->key);

    return error_set(walk->err, -EINVAL, "%s:%zu: '%s%s%s': given twice",
                     walk->file, node_line(name), prefix, *prefix ? "." : "",
                     scalar(name));
}

static int walk_mapping(const struct walk *walk, const yaml_node_t *node,
                        const char *prefix, int depth)
{
    if (depth > DEPTH_MAX)
        return walk_fail(walk, node, prefix, "nested too deeply");
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        int r = pair_is_again(walk, node, pair)
                    ? walk_again(walk, pair, prefix)
                    : walk_pair(walk, pair, prefix, depth);

        if (r < 0)
            return r;
    }
    return 0;
}

static int walk_document(struct walk *walk)
{
    yaml_node_t *root = yaml_document_get_root_node(walk->document);

    if (!root || node_is_null(root)) /* an empty file is a valid one */
        return 0;
    if (root->type != YAML_MAPPING_NODE)
        return walk_fail(walk, root, "", "not a mapping of keys to values");
    return walk_mapping(walk, root, "", 0);
}

static int load_problem(const yaml_parser_t *parser, const struct walk *walk)
{
    const char *words = parser->problem ? parser->problem : "not YAML";

    /* Wrong bytes are found ahead of the lines; there is only an offset. */
    if (parser->error == YAML_READER_ERROR)
        return error_set(walk->err, -EINVAL, "%s: at byte %zu: %s", walk->file,
                         parser->problem_offset, words);
    return error_set(walk->err, -EINVAL, "%s:%zu: %s", walk->file,
                     parser->problem_mark.line + 1, words);
}

/* What stands behind the document would be ignored silently. */
static int load_end(yaml_parser_t *parser, const struct walk *walk)
{
    yaml_document_t document;
    yaml_node_t *root;
    int r = 0;

    if (!yaml_parser_load(parser, &document))
        return load_problem(parser, walk);
    root = yaml_document_get_root_node(&document);
    if (root)
        r = error_set(walk->err, -EINVAL, "%s:%zu: more than one document",
                      walk->file, document.start_mark.line + 1);
    yaml_document_delete(&document);
    return r;
}

static int load_stream(yaml_parser_t *parser, struct walk *walk)
{
    yaml_document_t document;
    int r;

    if (!yaml_parser_load(parser, &document))
        return load_problem(parser, walk);
    walk->document = &document;
    r = walk_document(walk);
    /* At the end of the stream there is no document, and no more to load. */
    if (r == 0 && yaml_document_get_root_node(&document))
        r = load_end(parser, walk);
    yaml_document_delete(&document);
    return r;
}

int yaml_load(const char *file, const struct yaml_key *keys, size_t n_keys,
              void *target, struct error *err)
{
    struct walk walk = { .file = file,
                         .keys = keys,
                         .n_keys = n_keys,
                         .target = target,
                         .err = err };
    FILE *stream = fopen(file, "re");
    yaml_parser_t parser;
    int r;

    if (!stream)
        return error_errno(err, -errno, "configuration file '%s'", file);
    if (yaml_parser_initialize(&parser)) {
        yaml_parser_set_input_file(&parser, stream);
        r = load_stream(&parser, &walk);
        yaml_parser_delete(&parser);
    } else {
        r = error_errno(err, -ENOMEM, "configuration file '%s'", file);
    }
    fclose(stream);
    return r;
}
