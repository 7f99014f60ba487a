/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/route.h"

#include <string.h>

#include "proto/status.h"
#include "unit/unit.h"

const char unit_name[] = "route";

static const struct {
    const char *method, *target;
    int result;
    enum route_id id;  /* when found */
    const char *words; /* the rest when found, else what is allowed */
} cases[] = {
    { "GET", "/api/v1/ping", 0, ROUTE_PING, "" },
    { "GET", "/api/v1/ping?x=1", 0, ROUTE_PING, "?x=1" },
    { "GET", "/api/v1/sync?id=00ff", 0, ROUTE_SYNC, "?id=00ff" },
    { "GET", "/api/v1/capabilities", 0, ROUTE_CAPABILITIES, "" },
    { "GET", "/api/v1/system/info", 0, ROUTE_SYSTEM_INFO, "" },
    { "GET", "/api/v1/system/status", 0, ROUTE_SYSTEM_STATUS, "" },
    { "POST", "/api/v1/shell/exec", 0, ROUTE_SHELL_EXEC, "" },
    { "POST", "/api/v1/file/upload", 0, ROUTE_FILE_UPLOAD, "" },
    { "POST", "/api/v1/file/download", 0, ROUTE_FILE_DOWNLOAD, "" },
    { "GET", "/api/v1/file/info?path=/a", 0, ROUTE_FILE_INFO, "?path=/a" },
    { "GET", "/api/v1/file/content?path=a", 0, ROUTE_CONTENT_GET, "?path=a" },
    { "PUT", "/api/v1/file/content?path=a", 0, ROUTE_CONTENT_PUT, "?path=a" },
    { "GET", "/api/v1/file/list?path=a", 0, ROUTE_FILE_LIST, "?path=a" },
    { "POST", "/api/v1/file/directory", 0, ROUTE_FILE_DIRECTORY, "" },
    { "POST", "/api/v1/file/symlink", 0, ROUTE_FILE_SYMLINK, "" },
    { "POST", "/api/v1/file/remove", 0, ROUTE_FILE_REMOVE, "" },
    { "POST", "/api/v1/file/attributes", 0, ROUTE_FILE_ATTRIBUTES, "" },
    { "POST", "/api/v1/file/sync", 0, ROUTE_FILE_SYNC, "" },
    { "POST", "/api/v1/service/control", 0, ROUTE_SERVICE_CONTROL, "" },
    { "GET", "/api/v1/custom/backup", 0, ROUTE_CUSTOM, "backup" },
    { "BREW", "/api/v1/custom/pot?x", 0, ROUTE_CUSTOM, "pot?x" },
    { "POST", "/api/v1/ping", STATUS_METHOD_NOT_ALLOWED, 0, "GET" },
    { "HEAD", "/api/v1/ping", STATUS_METHOD_NOT_ALLOWED, 0, "GET" },
    { "get", "/api/v1/ping", STATUS_METHOD_NOT_ALLOWED, 0, "GET" },
    { "DELETE", "/api/v1/file/content", STATUS_METHOD_NOT_ALLOWED, 0,
      "GET, HEAD, PUT" },
    { "GET", "/", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
    { "GET", "", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
    { "GET", "/api/v1/pin", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
    { "GET", "/api/v1/ping/", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
    { "GET", "/api/v1/pingx", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
    { "GET", "//api/v1/ping", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
    { "GET", "/api/v2/ping", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
    { "GET", "/api/v1/%70ing", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
    { "GET", "/api/v1/x/../ping", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
    { "GET", "/api/v1/custom", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
    { "GET", "/api/v1/custom/", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
    { "GET", "/api/v1/custom/?x", STATUS_ENDPOINT_NOT_FOUND, 0, "" },
};

START_TEST(match)
{
    const struct route *route = NULL;
    const char *rest = NULL;
    char allow[ROUTE_ALLOW_MAX];
    int r = route_match(cases[_i].method, cases[_i].target, &route, &rest,
                        allow);

    ck_assert_msg(r == cases[_i].result, "%s %s: %d", cases[_i].method,
                  cases[_i].target, r);
    if (r == 0) {
        ck_assert_int_eq(route->id, cases[_i].id);
        ck_assert_str_eq(rest, cases[_i].words);
    } else {
        ck_assert_str_eq(allow, cases[_i].words);
    }
}
END_TEST

static const struct {
    int code;
    const char *method, *target;
    const char *words; /* NULL: no route is meant */
    enum ability_id ability;
} answers[] = {
    { STATUS_ENDPOINT_NOT_FOUND, "GET", "/api/v1/file/list?path=/x",
      "GET /api/v1/file/list", ABILITY_TREES },
    { STATUS_METHOD_NOT_ALLOWED, "POST", "/api/v1/jobs", "POST /api/v1/jobs",
      ABILITY_JOBS },
    { STATUS_ENDPOINT_NOT_FOUND, "GET", "/api/v1/jobs/12ab/output?offset=0",
      "GET /api/v1/jobs/*/output", ABILITY_JOBS },
    { STATUS_SUCCESS, "GET", "/api/v1/ping", NULL, 0 },
    { STATUS_FILE_NOT_FOUND, "GET", "/api/v1/file/list?path=/x", NULL, 0 },
    { STATUS_JOB_NOT_FOUND, "GET", "/api/v1/jobs/12ab", NULL, 0 },
    { STATUS_ENDPOINT_NOT_FOUND, "GET", "/api/v1/custom/backup", NULL, 0 },
    { STATUS_ENDPOINT_NOT_FOUND, "GET", "/api/v1/nothing", NULL, 0 },
    { STATUS_METHOD_NOT_ALLOWED, "BREW", "/api/v1/ping", NULL, 0 },
};

START_TEST(unknown)
{
    char words[ROUTE_WORDS_MAX];
    const struct route *route = route_unknown(
        answers[_i].code, answers[_i].method, answers[_i].target);

    ck_assert((route != NULL) == (answers[_i].words != NULL));
    if (!route)
        return;
    ck_assert_str_eq(route_words(route, words), answers[_i].words);
    ck_assert_uint_eq(route->ability, answers[_i].ability);
}
END_TEST

/* Each ability has a name of its own, words, and a route or is about the
 * values of a parameter. */
START_TEST(abilities_are_sound)
{
    size_t n;
    const struct route *rows = route_table(&n);

    for (int id = 0; id < ABILITY_COUNT; id++) {
        const struct ability *ability = ability_get(id);
        size_t routes = 0;

        ck_assert(*ability->name && *ability->since && *ability->does);
        for (int other = 0; other < id; other++)
            ck_assert_str_ne(ability->name, ability_get(other)->name);
        for (size_t i = 0; i < n; i++)
            routes += rows[i].ability == (enum ability_id) id;
        ck_assert_uint_eq(routes > 0,
                          id != ABILITY_UNITS && id != ABILITY_USERS);
    }
}
END_TEST

START_TEST(table_is_sound)
{
    size_t n;
    const struct route *rows = route_table(&n);
    unsigned int open = 0;

    ck_assert_uint_eq(n, ROUTE_COUNT);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(rows[i].id, i);
        ck_assert_mem_eq(rows[i].path, API_PREFIX "/",
                         sizeof(API_PREFIX "/") - 1);
        open += (rows[i].flags & ROUTE_OPEN) != 0;
        /* A raw body has no JSON, and only POST carries JSON. */
        ck_assert(!(rows[i].flags & ROUTE_RAW)
                  || !(rows[i].flags & ROUTE_JSON));
        if (rows[i].flags & ROUTE_JSON)
            ck_assert_str_eq(rows[i].method, "POST");
    }
    ck_assert_uint_eq(open, 1); /* sync alone is answered without a token */
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, match, 0, ARRAY_SIZE(cases));
    tcase_add_loop_test(tcase, unknown, 0, ARRAY_SIZE(answers));
    tcase_add_test(tcase, abilities_are_sound);
    tcase_add_test(tcase, table_is_sound);
}
