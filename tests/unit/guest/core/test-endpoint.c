/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Endpoints of the configuration: which may be there, and whose a request is. */
#include <config.h>

#include "guest/core/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/settings.h"
#include "proto/route.h"
#include "proto/status.h"
#include "unit/unit.h"
#include "util/buf.h"
#include "util/cleanup.h"

const char unit_name[] = "endpoint";

static char *dir;
static char *file;
static struct settings settings;

static void setup(void)
{
    dir = unit_tmpdir();
    file = unit_path(dir, "guest_config.yaml");
    ck_assert_int_eq(settings_init(&settings), 0);
}

static void teardown(void)
{
    settings_free(&settings);
    free(file);
    unit_rmdir(dir);
}

static int load(const char *items, struct error *err)
{
    AUTO_FREE char *text = NULL;

    ck_assert_int_gt(asprintf(&text, "server: {handlers: [%s]}\n", items), 0);
    unit_write_file(file, text);
    return settings_load(&settings, file, err);
}

/* What stands in the list, and what is wrong with it; NULL: nothing. */
#define ONE(path) "{method: GET, path: " path ", command: [/p]}"
#define ONE_WITH(what) \
    "{method: GET, path: /api/v1/a, command: [/p], " what "}"
#define TEN(x) x x x x x x x x x x
#define PATH_OF_256 \
    "/api/v1/" TEN("0123456789/123456789.12") "012345678901234567"

static const struct {
    const char *items, *wrong;
} lists[] = {
    { "", NULL },
    { ONE("/api/v1/custom"), NULL },
    { ONE("/api/v1/custom/a"), NULL },
    { ONE("/api/v1/custom/a/b"), NULL },
    { ONE("/api/v1/backup"), NULL },
    { ONE("/api/v1/a/b/c"), NULL },
    { ONE("/api/v1/a-b_c.d~e"), NULL },
    { ONE("/api/v1/pings"), NULL },
    { ONE("/api/v1/files"), NULL },
    { ONE("/api/v1/a/ping"), NULL },
    { ONE(PATH_OF_256), NULL },
    { ONE("/api/v1/a") ", " ONE("/api/v1/b"), NULL },
    { ONE("/api/v1/a") ", " ONE("/api/v1/a/b"), NULL },
    { ONE("/api/v1/a") ", {method: POST, path: /api/v1/a, command: [/p]}",
      NULL },
    { ONE_WITH("timeout: 1"), NULL },
    { ONE_WITH("timeout: 86400"), NULL },
    { ONE_WITH("user: 0"), NULL },
    { ONE_WITH("timeout: , user: ~"), NULL },
    /* paths */
    { ONE("/api/v1/a") ", " ONE("/api/v1/a"),
      "'server.handlers.path': '/api/v1/a' is there twice for this method" },
    { ONE("/api/v1/"), "is no path below /api/v1/" },
    { ONE("/api/v1"), "is no path below /api/v1/" },
    { ONE("/"), "is no path below /api/v1/" },
    { ONE("/custom"), "is no path below /api/v1/" },
    { ONE("api/v1/a"), "is no path below /api/v1/" },
    { ONE("/api/v2/a"), "is no path below /api/v1/" },
    { ONE("/api/v1/a/"), "is no path below /api/v1/" },
    { ONE("/api/v1//a"), "is no path below /api/v1/" },
    { ONE("/api/v1/."), "is no path below /api/v1/" },
    { ONE("/api/v1/..."), "is no path below /api/v1/" },
    { ONE("/api/v1/a/.."), "is no path below /api/v1/" },
    { ONE("/api/v1/a/../b"), "is no path below /api/v1/" },
    { ONE("/api/v1/a%20b"), "is no path below /api/v1/" },
    { ONE("'/api/v1/a b'"), "is no path below /api/v1/" },
    { ONE("/api/v1/a?b"), "is no path below /api/v1/" },
    { ONE("/api/v1/*"), "is no path below /api/v1/" },
    { ONE("/api/v1/\xC3\xA4"), "is no path below /api/v1/" },
    { ONE(PATH_OF_256 "x"), "of at most 256 bytes" },
    { ONE("/api/v1/ping"), "'/api/v1/ping' is the agent's own" },
    { ONE("/api/v1/ping/x"), "is the agent's own" },
    { ONE("/api/v1/sync"), "is the agent's own" },
    { ONE("/api/v1/capabilities"), "is the agent's own" },
    { ONE("/api/v1/system"), "is the agent's own" },
    { ONE("/api/v1/system/info"), "is the agent's own" },
    { ONE("/api/v1/shell/exec/x"), "is the agent's own" },
    { ONE("/api/v1/file"), "is the agent's own" },
    { ONE("/api/v1/file/new"), "is the agent's own" },
    { ONE("/api/v1/service/control"), "is the agent's own" },
    { ONE("/api/v1/requests"), "is the agent's own" },
    { ONE("/api/v1/requests/x"), "is the agent's own" },
    { ONE("/api/v1/jobs"), "is the agent's own" },
    { ONE("/api/v1/jobs/x/y"), "is the agent's own" },
    /* what is missing, and the rest */
    { "{}", "'server.handlers.method' is missing" },
    { "{path: /api/v1/a, command: [/p]}",
      "'server.handlers.method' is missing" },
    { "{method: GET, command: [/p]}", "'server.handlers.path' is missing" },
    { "{method: GET, path: /api/v1/a}",
      "'server.handlers.command' is missing" },
    { "{method: GET, path: /api/v1/a, command: []}",
      "'server.handlers.command' is missing" },
    { "{method: get, path: /api/v1/a, command: [/p]}",
      "'server.handlers.method': 'get' is none of GET" },
    { "{method: BREW, path: /api/v1/a, command: [/p]}", "is none of GET" },
    { "{method: '*', path: /api/v1/a, command: [/p]}", "is none of GET" },
    { "{method: GET, path: /api/v1/a, command: [p]}",
      "'server.handlers.command': 'p' is not an absolute path" },
    { "{method: GET, path: /api/v1/a, command: ['', /p]}",
      "'' is not an absolute path" },
    { "{method: GET, path: /api/v1/a, command: /p}",
      "'server.handlers.command': not a list" },
    { ONE_WITH("timeout: 0"), "'server.handlers.timeout': number of seconds" },
    { ONE_WITH("timeout: 86401"), "'server.handlers.timeout': number" },
    { ONE_WITH("timeout: soon"), "'server.handlers.timeout': not a number" },
    { ONE_WITH("user: ''"), "'server.handlers.user': '' is empty" },
    { ONE_WITH("usr: x"), "did you mean 'server.handlers.user'?" },
    { "x", "'server.handlers': an entry is not a mapping" },
};

START_TEST(configured)
{
    struct error err = ERROR_INIT;
    int r = load(lists[_i].items, &err);

    ck_assert_msg((r == 0) == !lists[_i].wrong, "%s: %d %s", lists[_i].items,
                  r, err.message);
    if (!lists[_i].wrong)
        return;
    ck_assert_int_eq(r, -EINVAL);
    ck_assert_msg(strstr(err.message, lists[_i].wrong) != NULL, "%s\n%s",
                  err.message, lists[_i].wrong);
    ck_assert_msg(strncmp(err.message, file, strlen(file)) == 0
                      && strncmp(err.message + strlen(file), ":1: ", 4) == 0,
                  "%s", err.message);
}
END_TEST

/* No row of the route table can be taken, nor anything below it. */
START_TEST(all_of_ours)
{
    size_t n;
    const struct route *routes = route_table(&n);

    for (size_t i = 0; i < n; i++) {
        for (int below = 0; below < 2; below++) {
            struct endpoint endpoint = { .method = strdup("GET") };
            struct yaml_items list = { &endpoint, 1 };
            char *at;

            ck_assert_int_gt(asprintf(&endpoint.path, "%s%s", routes[i].path,
                                      below ? "/x" : ""),
                             0);
            while ((at = strchr(endpoint.path, '*')))
                *at = 'x';
            strlist_add(&endpoint.command, "/p");
            ck_assert_msg(routes[i].id == ROUTE_CUSTOM
                              || endpoints_check(&list, "f", NULL) < 0,
                          "%s", endpoint.path);
            free(endpoint.method);
            free(endpoint.path);
            strlist_free(&endpoint.command);
        }
    }
}
END_TEST

static const char *const table[][2] = {
    { "GET", "/api/v1/custom" }, { "GET", "/api/v1/a" },
    { "POST", "/api/v1/a/b" },   { "PUT", "/api/v1/a/b" },
    { "GET", "/api/v1/a/b/c" },  { "POST", "/api/v1/a" },
};

static const struct {
    const char *method, *target;
    int result;
    const char *words; /* whose it is, or what is allowed */
} requests[] = {
    { "GET", "/api/v1/custom", 0, "GET /api/v1/custom" },
    { "GET", "/api/v1/custom?x=1", 0, "GET /api/v1/custom" },
    { "GET", "/api/v1/custom/a/b", 0, "GET /api/v1/custom" },
    { "POST", "/api/v1/custom", STATUS_METHOD_NOT_ALLOWED, "GET" },
    { "GET", "/api/v1/a", 0, "GET /api/v1/a" },
    { "POST", "/api/v1/a", 0, "POST /api/v1/a" },
    { "GET", "/api/v1/a/", 0, "GET /api/v1/a" },
    { "GET", "/api/v1/a/bc", 0, "GET /api/v1/a" },
    { "GET", "/api/v1/a?/b", 0, "GET /api/v1/a" },
    { "PUT", "/api/v1/a/bc", STATUS_METHOD_NOT_ALLOWED, "GET, POST" },
    { "HEAD", "/api/v1/a", STATUS_METHOD_NOT_ALLOWED, "GET, POST" },
    { "POST", "/api/v1/a/b", 0, "POST /api/v1/a/b" },
    { "PUT", "/api/v1/a/b/x", 0, "PUT /api/v1/a/b" },
    /* the longest path decides, then the method */
    { "GET", "/api/v1/a/b", STATUS_METHOD_NOT_ALLOWED, "POST, PUT" },
    { "GET", "/api/v1/a/b/x", STATUS_METHOD_NOT_ALLOWED, "POST, PUT" },
    { "GET", "/api/v1/a/b/c", 0, "GET /api/v1/a/b/c" },
    { "GET", "/api/v1/a/b/c/d?e", 0, "GET /api/v1/a/b/c" },
    { "POST", "/api/v1/a/b/c", STATUS_METHOD_NOT_ALLOWED, "GET" },
    { "get", "/api/v1/a", STATUS_METHOD_NOT_ALLOWED, "GET, POST" },
    { "GET", "/api/v1/customs", STATUS_ENDPOINT_NOT_FOUND, "" },
    { "GET", "/api/v1/ab", STATUS_ENDPOINT_NOT_FOUND, "" },
    { "GET", "/api/v1/%61", STATUS_ENDPOINT_NOT_FOUND, "" },
    { "GET", "/api/v1/b/a", STATUS_ENDPOINT_NOT_FOUND, "" },
    { "GET", "/api/v1/?/api/v1/a", STATUS_ENDPOINT_NOT_FOUND, "" },
    { "GET", "/api/v1", STATUS_ENDPOINT_NOT_FOUND, "" },
    { "GET", "/", STATUS_ENDPOINT_NOT_FOUND, "" },
    { "GET", "", STATUS_ENDPOINT_NOT_FOUND, "" },
};

START_TEST(matched)
{
    const struct endpoint *endpoint = NULL;
    char allow[ROUTE_ALLOW_MAX];
    char words[ENDPOINT_WORDS_MAX];
    struct buf items;
    int r;

    buf_init(&items, 4096);
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        buf_printf(&items, "{method: %s, path: %s, command: [/p]},",
                   table[i][0], table[i][1]);
    ck_assert_int_eq(load(buf_cstr(&items), NULL), 0);
    buf_free(&items);
    r = endpoint_match(&settings.handlers, requests[_i].method,
                       requests[_i].target, &endpoint, allow);
    ck_assert_msg(r == requests[_i].result, "%s %s: %d", requests[_i].method,
                  requests[_i].target, r);
    ck_assert((endpoint != NULL) == (r != STATUS_ENDPOINT_NOT_FOUND));
    ck_assert_str_eq(r == 0 ? endpoint_words(endpoint, words) : allow,
                     requests[_i].words);
}
END_TEST

/* All methods that there may be are listed, and none is cut. */
START_TEST(allow_is_whole)
{
    static const char *const all[] = { "GET",   "HEAD",   "POST",   "PUT",
                                       "PATCH", "DELETE", "OPTIONS" };
    const struct endpoint *endpoint;
    char allow[ROUTE_ALLOW_MAX];
    struct buf items;

    buf_init(&items, 4096);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        buf_printf(&items, "{method: %s, path: /api/v1/a, command: [/p]},",
                   all[i]);
    ck_assert_int_eq(load(buf_cstr(&items), NULL), 0);
    buf_free(&items);
    ck_assert_int_eq(endpoint_match(&settings.handlers, "BREW", "/api/v1/a",
                                    &endpoint, allow),
                     STATUS_METHOD_NOT_ALLOWED);
    ck_assert_str_eq(allow, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}
END_TEST

START_TEST(no_more_than)
{
    struct error err = ERROR_INIT;
    struct buf items;

    buf_init(&items, 65536);
    for (int i = 0; i < ENDPOINTS_MAX; i++)
        buf_printf(&items, "{method: GET, path: /api/v1/a%d, command: [/p]},",
                   i);
    ck_assert_int_eq(load(buf_cstr(&items), NULL), 0);
    settings_free(&settings);
    ck_assert_int_eq(settings_init(&settings), 0);
    buf_puts(&items, ONE("/api/v1/b"));
    ck_assert_int_eq(load(buf_cstr(&items), &err), -EINVAL);
    ck_assert_ptr_nonnull(strstr(err.message, "too many entries"));
    buf_free(&items);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, configured, 0, ARRAY_SIZE(lists));
    tcase_add_test(tcase, all_of_ours);
    tcase_add_loop_test(tcase, matched, 0, ARRAY_SIZE(requests));
    tcase_add_test(tcase, allow_is_whole);
    tcase_add_test(tcase, no_more_than);
}
