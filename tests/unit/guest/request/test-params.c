/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Every parameter of every route with every wrong value of its kind: it is
 * refused by its name, and nothing happens.  Those of queries are the agent's
 * own tables; for those of JSON tests/lint/params.sh compares the table here
 * with the sources.
 */
#include <config.h>

#include "guest/request/query.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/file/transfer.h"
#include "guest/handle/handlers.h"
#include "proto/status.h"
#include "unit/guest/files.h"
#include "unit/guest/turns.h"
#include "unit/unit.h"

const char unit_name[] = "params";

/* --- what there is -------------------------------------------------------- */

static void setup(void)
{
    turns_setup();
    start_job("{\"argv\":[\"/bin/cat\"],\"stdin\":true}");
    make_file("file", "old");
}

static void add_file(struct buf *out, const char *name)
{
    AUTO_FREE char *path = in_dir(name);
    AUTO_FREE char *text = NULL;
    struct stat st;

    ck_assert_int_eq(lstat(path, &st), 0);
    if (S_ISREG(st.st_mode))
        text = unit_read_file(path);
    buf_printf(out, "%s %o %lld %lld.%09ld '%s'\n", name, st.st_mode,
               (long long) st.st_size, (long long) st.st_mtim.tv_sec,
               st.st_mtim.tv_nsec, text ? text : "");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static void add_files(struct buf *out)
{
    DIR *folder = opendir(rig.dir);
    char *names[16];
    size_t n = 0;

    for (struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0
            && strcmp(entry->d_name, "..") != 0) {
            ck_assert_uint_lt(n, ARRAY_SIZE(names));
            names[n++] = strdup(entry->d_name);
        }
    closedir(folder);
    qsort(names, n, sizeof(names[0]), by_name);
    for (size_t i = 0; i < n; i++) {
        add_file(out, names[i]);
        free(names[i]);
    }
}

/* All that a request could have changed, to be freed. */
static char *everything(void)
{
    struct transfer *transfer = transfer_find(rig.agent.context.transfers,
                                              "be9");
    struct buf out;
    char *text;

    buf_init(&out, 64 * 1024);
    add_files(&out);
    for (const struct job *job = rig.agent.jobs.first; job; job = job->next)
        buf_printf(&out, "job %lld %lld %d\n", (long long) job->received,
                   (long long) job->log.taken, job->away);
    if (transfer)
        buf_printf(&out, "transfer %d %lld\n", transfer->state,
                   (long long) upload_size(transfer->upload));
    text = strdup(buf_cstr(&out));
    buf_free(&out);
    return text;
}

/* --- answers -------------------------------------------------------------- */

struct asked {
    const char *method;
    const char *target; /* behind /api/v1/; '@' is the folder, '*' the job */
    const char *body;   /* NULL: none */
};

static void ask(const struct asked *asked)
{
    AUTO_FREE char *target = with_dir(asked->target);
    AUTO_FREE char *body = asked->body ? with_dir(asked->body) : NULL;

    turn_begin(asked->method, target, "", body);
    turn_take();
}

/* Asks, and has it refused with this code and the name in the words
 * (NULL: any); everything is as before. */
static void expect_refusal(const struct asked *asked, int code,
                           const char *name)
{
    AUTO_FREE char *before = everything();
    AUTO_FREE char *after = NULL;
    AUTO_FREE char *quoted = name ? format("'%s'", name) : NULL;
    const char *body = asked->body ? asked->body : "";

    ask(asked);
    after = everything();
    ck_assert_msg(turn.answer.http == 400, "%s %s %s: HTTP %d, %s",
                  asked->method, asked->target, body, turn.answer.http,
                  turn.answer.body);
    ck_assert_msg(turn.answer.code == code, "%s %s: %s", asked->target, body,
                  turn.answer.body);
    ck_assert_msg(!quoted || strstr(turn.answer.body, quoted), "%s %s: %s",
                  asked->target, body, turn.answer.body);
    ck_assert_msg(strcmp(before, after) == 0, "%s %s: %s\nwas\n%s",
                  asked->target, body, after, before);
}

/* Asks, and nothing is said against this name. */
static void expect_taken(const struct asked *asked, const char *name)
{
    AUTO_FREE char *quoted = format("'%s'", name);

    ask(asked);
    ck_assert_msg(
        turn.answer.http < 400
            || (*turn.answer.body && !strstr(turn.answer.body, quoted)),
        "%s %s: HTTP %d, %s", asked->target, asked->body ? asked->body : "",
        turn.answer.http, turn.answer.body);
}

/* Asks, and everything is no longer as before. */
static void expect_effect(const struct asked *asked)
{
    AUTO_FREE char *before = everything();
    AUTO_FREE char *after = NULL;

    ask(asked);
    after = everything();
    ck_assert_msg(strcmp(before, after) != 0, "%s: %s", asked->target,
                  turn.answer.body);
}

/* --- queries -------------------------------------------------------------- */

/* A request of each route that has a query, which is carried out. */
static const struct query_base {
    enum route_id id;
    const char *path;
    const char *query;
    bool acts; /* it changes something */
} query_bases[] = {
    { ROUTE_SYNC, "sync", "id=x", false },
    { ROUTE_FILE_INFO, "file/info", "path=@/file", false },
    { ROUTE_CONTENT_GET, "file/content", "path=@/file", false },
    { ROUTE_CONTENT_PUT, "file/content", "path=@/file", true },
    { ROUTE_FILE_DIGEST, "file/digest", "path=@/file&length=3", false },
    { ROUTE_TRANSFER_FINISH, "file/transfers/be9", "size=3", true },
    { ROUTE_FILE_LIST, "file/list", "path=@/", false },
    { ROUTE_FILE_DIRECTORY, "file/directory", "path=@/new", true },
    { ROUTE_FILE_SYMLINK, "file/symlink", "path=@/new&target=x", true },
    { ROUTE_FILE_REMOVE, "file/remove", "path=@/file", true },
    { ROUTE_FILE_ATTRIBUTES, "file/attributes", "path=@/file&mode=0600",
      true },
    { ROUTE_FILE_SYNC, "file/sync", "path=@/file", false },
    { ROUTE_JOB_OUTPUT, "jobs/*/output", "offset=0", false },
    { ROUTE_JOB_STDIN, "jobs/*/stdin", "offset=0", true },
};

/* The n-th row of all of these; the name is NULL behind the last. */
static struct query_row query_row_of(int n, const struct query_base **base)
{
    for (size_t i = 0; i < ARRAY_SIZE(query_bases); i++) {
        const struct query_form *form = handlers[query_bases[i].id].query;

        *base = &query_bases[i];
        if ((size_t) n < form->n)
            return form->rows[n];
        n -= (int) form->n;
    }
    return (struct query_row) { 0 };
}

static int query_rows(void)
{
    const struct query_base *base;
    int n = 0;

    while (query_row_of(n, &base).name)
        n++;
    return n;
}

static const char *method_of(const struct query_base *base)
{
    size_t n;
    const struct route *routes = route_table(&n);

    while (routes->id != base->id)
        routes++;
    return routes->method;
}

/* The base's value of a member, to be freed; NULL: it has none. */
static char *base_value(const struct query_base *base, const char *name)
{
    AUTO_FREE char *target = format("?%s", base->query);
    char *value = NULL;

    uri_query(target, name, &value);
    return value;
}

/* Asks with items in the place of a member, all encoded. */
static void with_items(const struct query_base *base, const char *name,
                       const char *items,
                       void (*then)(const struct asked *asked,
                                    const char *name))
{
    AUTO_FREE char *words = strdup(base->query);
    bool writes = base->id == ROUTE_CONTENT_PUT || base->id == ROUTE_JOB_STDIN;
    char target[8192];
    const struct asked asked = { method_of(base), target,
                                 writes ? "new" : NULL };
    char *rest = words;
    int used = snprintf(target, sizeof(target), "%s?", base->path);

    for (char *word; (word = strsep(&rest, "&"));)
        if (strncmp(word, name, strlen(name)) != 0
            || word[strlen(name)] != '=')
            used += snprintf(target + used, sizeof(target) - (size_t) used,
                             "%s&", word);
    snprintf(target + used, sizeof(target) - (size_t) used, "%s", items);
    then(&asked, name);
}

static void is_refused(const struct asked *asked, const char *name)
{
    expect_refusal(asked, STATUS_INVALID_PARAMS, name);
}

static void is_refused_somehow(const struct asked *asked, const char *name)
{
    (void) name;
    expect_refusal(asked, STATUS_INVALID_PARAMS, NULL);
}

static void is_missing(const struct asked *asked, const char *name)
{
    expect_refusal(asked, STATUS_MISSING_REQUIRED, name);
}

#define HEX32 "0123456789abcdef0123456789abcdef"
#define MANY \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* What is refused and what is taken, both encoded. */
static const struct {
    const char *wrong[24];
    const char *right[24];
} query_kinds[QUERY_KINDS] = {
    [QUERY_TEXT] = { { "", "no-such", "%ED%A0%80" }, { "0" } },
    [QUERY_USER] = { { "", "no-such", "%3A", "%3Aroot", "root%3A",
                       "root%3A%3A", "-1", "4294967295", "root%3Ano-such" },
                     { "0", "root", "root%3Aroot", "0%3A0" } },
    [QUERY_ID] = { { "" }, { "x", "%C3%A9" } },
    [QUERY_HEX] = { { "", "x", "d41d8", HEX32 HEX32 HEX32, HEX32 "g",
                      "0123456789ABCDEF0123456789ABCDEF",
                      "0x23456789abcdef0123456789abcdef" },
                    { NULL } },
    [QUERY_MODE] = { { "", "8", "17777", "-1", "0x1", "u+x", "644%20",
                       "00000644", "0o644" },
                     { "0", "644", "0644", "7777" } },
    [QUERY_TIME] = { { "", "x", "1.", ".5", "-", "--1", "+1", "1.1234567891",
                       "1e3", "1.-1", "1.5.5", "99999999999999999999",
                       "1%20" },
                     { "0", "1.5", "-1.5", "1.123456789" } },
    [QUERY_NUMBER] = { { "", "x", "-1", "+1", "%201", "1%20", "1.0", "1e1",
                         "0x1", "1_0", "99999999999999999999",
                         "9223372036854775808", "18446744073709551616",
                         "%EF%BC%91", "true" },
                       { "0", "1", "01" } },
    [QUERY_BOOL] = { { "", "2", "-1", "00", "ja", "t", "y", "true%20", "truee",
                       "fals", "null", "true,false", "%E2%9C%93" },
                     { "true", "false", "1", "0", "yes", "no", "on", "off",
                       "True", "FALSE", "Off" } },
    [QUERY_WORD] = { { "", "x", "1", "TRUE", "MD5", "md5%20", "none,md5" },
                     { NULL } },
};

START_TEST(query_wrong)
{
    static const char *const escapes[] = { "%zz", "%", "%2", "%00", "a%0" };
    const struct query_base *base;
    const struct query_row row = query_row_of(_i, &base);
    AUTO_FREE char *value = base_value(base, row.name);
    AUTO_FREE char *twice = format("%s=%s&%s=%s", row.name,
                                   value ? value : "1", row.name,
                                   value ? value : "1");

    for (size_t i = 0; i < ARRAY_SIZE(escapes); i++) {
        AUTO_FREE char *item = format("%s=%s", row.name, escapes[i]);

        with_items(base, row.name, item, is_refused);
    }
    with_items(base, row.name, twice, is_refused);
    with_items(base, row.name, row.name, is_refused);
    for (const char *const *wrong = query_kinds[row.kind].wrong; *wrong;
         wrong++) {
        AUTO_FREE char *item = format("%s=%s", row.name, *wrong);

        with_items(base, row.name, item,
                   row.kind == QUERY_TEXT || row.kind == QUERY_USER
                       ? is_refused_somehow
                       : is_refused);
    }
    if (row.kind == QUERY_ID && row.max < (int64_t) sizeof(MANY)) {
        AUTO_FREE char *item = format("%s=%s", row.name, MANY);

        with_items(base, row.name, item, is_refused);
    }
    if (row.kind == QUERY_NUMBER && row.max < INT64_MAX) {
        AUTO_FREE char *item = format("%s=%lld", row.name,
                                      (long long) row.max + 1);

        with_items(base, row.name, item, is_refused);
    }
    if (row.required)
        with_items(base, row.name, "", is_missing);
}
END_TEST

/* The kinds would be of no use if they refused all. */
START_TEST(query_right)
{
    const struct query_base *base;
    const struct query_row row = query_row_of(_i, &base);
    AUTO_FREE char *value = base_value(base, row.name);
    const char *const *right = row.words ? row.words
                                         : query_kinds[row.kind].right;
    AUTO_FREE char *item = format("%s=%s", row.name,
                                  value      ? value
                                  : right[0] ? right[0]
                                             : "");

    if (value)
        with_items(base, row.name, item, expect_taken);
    if (row.kind == QUERY_HEX) {
        AUTO_FREE char *hex = format("%s=%.*s", row.name, (int) row.max,
                                     HEX32 HEX32);

        with_items(base, row.name, hex, expect_taken);
    }
    for (; !value && *right; right++) {
        AUTO_FREE char *other = format("%s=%s", row.name, *right);

        with_items(base, row.name, other, expect_taken);
    }
}
END_TEST

static void begin_transfer(void)
{
    AUTO_FREE char *target = format("file/content?path=%s/part&transfer=be9",
                                    rig.dir);

    turn_begin("PUT", target, "Content-Range: bytes 0-2/*\r\n", "abc");
    turn_take();
    ck_assert_int_eq(turn.answer.code, 0);
}

static void query_setup(void)
{
    setup();
    begin_transfer();
}

static void has_effect(const struct asked *asked, const char *name)
{
    (void) name;
    expect_effect(asked);
}

static void has_none(const struct asked *asked, const char *name)
{
    AUTO_FREE char *before = everything();
    AUTO_FREE char *after = NULL;

    ask(asked);
    after = everything();
    ck_assert_msg(turn.answer.http < 400, "%s: HTTP %d, %s", asked->target,
                  turn.answer.http, turn.answer.body);
    ck_assert_msg(strcmp(before, after) == 0 || strcmp(name, "sync") == 0,
                  "%s: %s", asked->target, after);
}

/* What the bases do without a wrong word; and words that nobody knows. */
START_TEST(query_base)
{
    const struct query_base *base = &query_bases[_i];

    with_items(base, base->path, "zzz=%zz&zzz&",
               base->acts ? has_effect : has_none);
}
END_TEST

/* The words that say that nothing is to be replaced. */
START_TEST(overwrite)
{
    static const char *const words[] = { "false", "no", "0",  "off",
                                         "False", "No", "OFF" };
    AUTO_FREE char *path = in_dir("file");
    AUTO_FREE char *target = format("file/content?path=%s&overwrite=%s", path,
                                    words[_i]);
    AUTO_FREE char *text = NULL;

    turn_send("PUT", target, "new");
    ck_assert_int_eq(turn.answer.code, STATUS_FILE_OPERATION_FAILED);
    text = unit_read_file(path);
    ck_assert_str_eq(text, "old");
}
END_TEST

/* Nobody has a query that is not here, and what belongs to a copy says so in
 * all routes that may. */
START_TEST(queries_are_complete)
{
    size_t n;
    const struct route *routes = route_table(&n);

    for (size_t i = 0; i < n; i++) {
        const struct query_form *form = handlers[routes[i].id].query;
        bool here = false;
        bool copy = false;

        for (size_t k = 0; k < ARRAY_SIZE(query_bases); k++)
            here |= form && handlers[query_bases[k].id].query == form;
        for (size_t k = 0; form && k < form->n; k++)
            copy |= strcmp(form->rows[k].name, "transfer") == 0;
        ck_assert_msg(here == (form != NULL), "%s", routes[i].path);
        ck_assert_msg(copy == !!(routes[i].flags & ROUTE_COPY), "%s",
                      routes[i].path);
    }
}
END_TEST

/* A user is obeyed by every route that opens, makes or looks for a file, and
 * those of JSON have it in the table below. */
START_TEST(users_are_complete)
{
    static const char files[] = "/file/";
    size_t n;
    const struct route *routes = route_table(&n);

    for (size_t i = 0; i < n; i++) {
        const struct query_form *form = handlers[routes[i].id].query;
        bool file = strstr(routes[i].path, files)
                    && routes[i].id != ROUTE_TRANSFER_GET
                    && routes[i].id != ROUTE_TRANSFER_DELETE;
        bool row = false;

        for (size_t k = 0; form && k < form->n; k++)
            row |= form->rows[k].kind == QUERY_USER;
        ck_assert_msg(handlers[routes[i].id].as_user == file, "%s",
                      routes[i].path);
        ck_assert_msg(row == (file && !(routes[i].flags & ROUTE_JSON)), "%s",
                      routes[i].path);
    }
}
END_TEST

/* --- JSON ----------------------------------------------------------------- */

enum json_kind {
    JSON_STRING, /* a string's content that is refused late, or never */
    JSON_BYTES,  /* … and it may have NUL characters */
    JSON_BASE64,
    JSON_PATH,
    JSON_WORD,
    JSON_MODE,
    JSON_OWNER,
    JSON_SERVICE,
    JSON_SIGNAL,
    JSON_INT,
    JSON_SECONDS,
    JSON_BOOL,
    JSON_STRINGS,
    JSON_ENV,
    JSON_OBJECT,
    JSON_KINDS,
};

/* A value of each type, by the letter that the table below has for it. */
static const char *const json_types[][2] = {
    { "s", "\"no such\"" }, { "i", "5" },  { "d", "1.5" },
    { "b", "true" },        { "a", "[]" }, { "o", "{}" },
};

#define TOO_MUCH "99999999999999999999"

static const struct {
    const char *types;    /* that may be right */
    const char *wrong[8]; /* of these types */
} json_kinds[JSON_KINDS] = {
    [JSON_STRING] = { "s", { "\"\\u0000\"", "\"a\\u0000\"" } },
    [JSON_BYTES] = { "s", { NULL } },
    [JSON_BASE64] = { "s", { "\"=\"", "\"a\"", "\"!!!!\"" } },
    [JSON_PATH] = { "s", { "\"\"", "\"relative\"", "\"/\\u0000\"" } },
    [JSON_WORD] = { "s", { "\"\"", "\"x\"", "\"BASE64\"", "\"Start\"" } },
    [JSON_MODE] = { "s", { "\"\"", "\"8\"", "\"0x1\"", "\"17777\"" } },
    [JSON_OWNER] = { "s",
                     { "\"\"", "\"no such\"", "\"-1\"", "\"" TOO_MUCH "\"" } },
    [JSON_SERVICE] = { "s", { "\"\"", "\"-x\"", "\"a b\"", "\"a/b\"" } },
    [JSON_SIGNAL] = { "si",
                      { "0", "-1", TOO_MUCH, "\"\"", "\"NOPE\"", "\"15\"" } },
    [JSON_INT] = { "i",
                   { "-1", TOO_MUCH, "-" TOO_MUCH, "9223372036854775808",
                     "1e3", "1.0" } },
    [JSON_SECONDS] = { "id", { "-1", "-0.001", "1e999", "1e300", TOO_MUCH } },
    [JSON_BOOL] = { "b", { NULL } },
    [JSON_STRINGS] = { "a",
                       { "[5]", "[null]", "[\"a\",{}]", "[\"\\u0000\"]" } },
    [JSON_ENV] = { "o",
                   { "{\"A\":1}", "{\"A=\":\"1\"}", "{\"\":\"1\"}",
                     "{\"A\":null}", "{\"A\":\"\\u0000\"}" } },
    [JSON_OBJECT] = { "o", { NULL } },
};

/* What is no JSON. */
static const char *const not_json[] = {
    "1.",
    "01",
    "-",
    "+1",
    ".5",
    "1e",
    "0x10",
    "NaN",
    "Infinity",
    "-Infinity",
    "True",
    "tru",
    "undefined",
    "'a'",
    "/**/1",
    "1//",
    "[1,]",
    "{\"a\":1,}",
    "{a:1}",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\x\"",
    "\"\t\"",
    "\"",
    "",
    "\"\\ud800x\"",
    "1 2",
    "\"\xED\xA0\x80\"",
    "\"\xFF\"",
    "\"\\udc00\\ud800\"",
    "\"\\ud800\\u0041\"",
};

/* Every parameter of every route with a JSON body. */
static const struct json_param {
    const char *target;
    const char *name;
    enum json_kind kind;
    const char *right;
    bool base;      /* it is in the request to begin with */
    const char *in; /* of another parameter; NULL: it is not */
} json_params[] = {
#define COMMAND(target)                                                         \
    {                                                                           \
        target, "argv", JSON_STRINGS, "[\"/bin/touch\",\"@/made\"]", true, NULL \
    },                                                                          \
        { target, "command", JSON_STRING, "\"true\"", false, NULL },            \
        { target, "timeout", JSON_SECONDS, "0.5", false, NULL },                \
        { target, "working_dir", JSON_PATH, "\"/\"", false, NULL },             \
        { target, "env", JSON_ENV, "{\"A\":\"1\"}", false, NULL },              \
        { target, "user", JSON_OWNER, "\"0\"", false, NULL },                   \
        { target, "group", JSON_OWNER, "\"0\"", false, NULL },                  \
        { target, "umask", JSON_MODE, "\"022\"", false, NULL },                 \
        { target, "shell", JSON_BOOL, "false", false, NULL },                   \
        { target, "argv_encoding", JSON_WORD, "\"base64\"", false, NULL },      \
    {                                                                           \
        target, "env_encoding", JSON_WORD, "\"base64\"", false, NULL            \
    }
    COMMAND("shell/exec"),
    { "shell/exec", "stdin", JSON_BYTES, "\"a\"", false, NULL },
    { "shell/exec", "stdin_encoding", JSON_WORD, "\"base64\"", false, NULL },
    COMMAND("jobs"),
    { "jobs", "stdin", JSON_BOOL, "true", false, NULL },
    { "jobs", "tty", JSON_OBJECT, "{}", false, NULL },
    { "jobs", "rows", JSON_INT, "24", false, "tty" },
    { "jobs", "columns", JSON_INT, "80", false, "tty" },
    { "jobs", "term", JSON_STRING, "\"vt100\"", false, "tty" },
    { "jobs", "detach", JSON_BOOL, "false", false, NULL },
    { "jobs", "output_limit", JSON_INT, "1", false, NULL },
    { "jobs", "wait_ms", JSON_INT, "1", false, NULL },
    { "jobs/*/signal", "signal", JSON_SIGNAL, "\"WINCH\"", true, NULL },
    { "jobs/*/resize", "rows", JSON_INT, "1", true, NULL },
    { "jobs/*/resize", "columns", JSON_INT, "1", true, NULL },
    { "file/upload", "path", JSON_PATH, "\"@/file\"", true, NULL },
    { "file/upload", "content", JSON_BASE64, "\"bmV3\"", true, NULL },
    { "file/upload", "mode", JSON_MODE, "\"0644\"", false, NULL },
    { "file/upload", "owner", JSON_OWNER, "\"0\"", false, NULL },
    { "file/upload", "group", JSON_OWNER, "\"0\"", false, NULL },
    { "file/upload", "user", JSON_OWNER, "\"0\"", false, NULL },
    { "file/upload", "overwrite", JSON_BOOL, "true", false, NULL },
    { "file/download", "path", JSON_PATH, "\"@/file\"", true, NULL },
    { "file/download", "user", JSON_OWNER, "\"0\"", false, NULL },
    { "file/download", "offset", JSON_INT, "1", false, NULL },
    { "file/download", "length", JSON_INT, "9223372036854775807", false,
      NULL },
    { "service/control", "name", JSON_SERVICE, "\"no-such\"", true, NULL },
    { "service/control", "action", JSON_WORD, "\"status\"", true, NULL },
};

/* The body of a parameter's request with members in its place. */
static char *json_body(const struct json_param *param, const char *members,
                       bool wrapped)
{
    struct buf body;
    char *text;

    buf_init(&body, 64 * 1024);
    buf_puts(&body, wrapped ? "{\"version\":\"1.0\",\"params\":{" : "{");
    for (size_t i = 0; i < ARRAY_SIZE(json_params); i++) {
        const struct json_param *other = &json_params[i];

        if (strcmp(other->target, param->target) == 0 && other->base
            && (strcmp(other->name, param->name) != 0 || param->in))
            buf_printf(&body, "\"%s\":%s,", other->name, other->right);
    }
    if (param->in)
        buf_printf(&body, "\"%s\":{%s}", param->in, members);
    else
        buf_puts(&body, members);
    buf_puts(&body, wrapped ? "}}" : "}");
    text = strdup(buf_cstr(&body));
    buf_free(&body);
    return text;
}

static void json_wrong(const struct json_param *param, const char *members,
                       int code, const char *name)
{
    for (int wrapped = 0; wrapped < 2; wrapped++) {
        AUTO_FREE char *body = json_body(param, members, wrapped);

        expect_refusal(&(struct asked) { "POST", param->target, body }, code,
                       name);
    }
}

static void json_wrong_value(const struct json_param *param, const char *value,
                             int code)
{
    AUTO_FREE char *members = format("\"%s\":%s", param->name, value);
    bool named = code == STATUS_INVALID_PARAMS && param->kind != JSON_OWNER
                 && param->kind != JSON_PATH;

    json_wrong(param, members, code, named ? param->name : NULL);
}

START_TEST(json_refused)
{
    const struct json_param *param = &json_params[_i];
    AUTO_FREE char *twice = format("\"%s\":%s,\"%s\":%s", param->name,
                                   param->right, param->name, param->right);

    for (size_t i = 0; i < ARRAY_SIZE(json_types); i++)
        if (!strstr(json_kinds[param->kind].types, json_types[i][0]))
            json_wrong_value(param, json_types[i][1], STATUS_INVALID_PARAMS);
    for (const char *const *wrong = json_kinds[param->kind].wrong; *wrong;
         wrong++)
        json_wrong_value(param, *wrong, STATUS_INVALID_PARAMS);
    for (size_t i = 0; i < ARRAY_SIZE(not_json); i++)
        json_wrong_value(param, not_json[i], STATUS_JSON_PARSE_ERROR);
    json_wrong(param, twice, STATUS_INVALID_PARAMS, NULL);
}
END_TEST

START_TEST(json_taken)
{
    const struct json_param *param = &json_params[_i];
    AUTO_FREE char *members = format("\"%s\":%s", param->name, param->right);

    for (int wrapped = 0; wrapped < 2; wrapped++) {
        AUTO_FREE char *body = json_body(param, members, wrapped);

        expect_taken(&(struct asked) { "POST", param->target, body },
                     param->name);
    }
}
END_TEST

/* What would have happened. */
START_TEST(json_acts)
{
    static const char *const acting[] = { "shell/exec", "jobs",
                                          "file/upload" };
    const struct json_param *param = json_params;
    AUTO_FREE char *members = NULL;
    AUTO_FREE char *body = NULL;

    while (strcmp(param->target, acting[_i]) != 0)
        param++;
    members = format("\"%s\":%s", param->name, param->right);
    body = json_body(param, members, false);
    expect_effect(&(struct asked) { "POST", param->target, body });
}
END_TEST

/* All routes with a JSON body are here. */
START_TEST(json_is_complete)
{
    size_t n;
    const struct route *routes = route_table(&n);

    for (size_t i = 0; i < n; i++) {
        bool here = false;

        for (size_t k = 0; k < ARRAY_SIZE(json_params); k++)
            here |= strcmp(json_params[k].target,
                           routes[i].path + strlen(API_PREFIX "/"))
                        == 0
                    && routes[i].method
                    && strcmp(routes[i].method, "POST") == 0;
        ck_assert_msg(here == !!(routes[i].flags & ROUTE_JSON), "%s",
                      routes[i].path);
    }
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, query_setup, turns_teardown);
    tcase_add_loop_test(tcase, query_wrong, 0, query_rows());
    tcase_add_loop_test(tcase, query_right, 0, query_rows());
    tcase_add_loop_test(tcase, query_base, 0, ARRAY_SIZE(query_bases));
    tcase_add_loop_test(tcase, overwrite, 0, 7);
    tcase_add_test(tcase, queries_are_complete);
    tcase_add_test(tcase, users_are_complete);
    tcase_add_loop_test(tcase, json_refused, 0, ARRAY_SIZE(json_params));
    tcase_add_loop_test(tcase, json_taken, 0, ARRAY_SIZE(json_params));
    tcase_add_loop_test(tcase, json_acts, 0, 3);
    tcase_add_test(tcase, json_is_complete);
}
