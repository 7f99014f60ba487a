/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/client/keyfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/auth.h"
#include "unit/unit.h"

const char unit_name[] = "keyfile";

static char *dir;
static struct config config;
static struct buf key;

static void setup(void)
{
    dir = unit_tmpdir();
    config = (struct config) { .auth_key_dir = dir };
    buf_init(&key, AUTH_KEY_MAX + 2);
}

static void teardown(void)
{
    buf_free(&key);
    unit_rmtree(dir);
}

static char *put(const char *name, const char *text)
{
    char *path = unit_path(dir, name);

    unit_write_file(path, text);
    ck_assert_int_eq(chmod(path, 0600), 0);
    return path;
}

static int load(const char *domain, struct error *err)
{
    buf_clear(&key);
    return keyfile_load(&config, domain, &key, err);
}

static void expect_key(const char *domain, const char *want)
{
    struct error err = ERROR_INIT;

    ck_assert_msg(load(domain, &err) == 0, "%s", err.message);
    ck_assert_str_eq(buf_cstr(&key), want);
}

#define A "aaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbb"
#define C "cccccccccccccccc"

/* One file for all, else one for the domain, else the default. */
START_TEST(which_file)
{
    AUTO_FREE char *all = NULL;
    AUTO_FREE char *web = NULL;
    AUTO_FREE char *other = NULL;

    ck_assert_int_eq(load("web1", NULL), 1);
    ck_assert_int_eq(load(NULL, NULL), 1);
    web = put("web1.key", A "\n");
    expect_key("web1", A);
    ck_assert_int_eq(load("web2", NULL), 1);
    ck_assert_int_eq(load(NULL, NULL), 1);
    ck_assert_int_eq(load("web1.key", NULL), 1);
    other = put("default.key", B "\n");
    expect_key("web1", A);
    expect_key("web2", B);
    expect_key(NULL, B);
    expect_key("", B);
    all = put("all", C);
    config.auth_key_file = all;
    expect_key("web1", C);
    expect_key(NULL, C);
    config = (struct config) { 0 };
    ck_assert_int_eq(load("web1", NULL), 1);
}
END_TEST

/* A domain's name leads nowhere else. */
START_TEST(names_that_lead_out)
{
    AUTO_FREE char *keys = unit_path(dir, "keys");
    AUTO_FREE char *outside = put("outside.key", A);
    AUTO_FREE char *hidden = NULL;

    ck_assert_int_eq(access(outside, R_OK), 0);
    ck_assert_int_eq(mkdir(keys, 0700), 0);
    config.auth_key_dir = keys;
    ck_assert_int_eq(load("../outside", NULL), 1);
    ck_assert_int_eq(load("x/../../outside", NULL), 1);
    hidden = put("keys/...key", B);
    expect_key("..", B); /* a name like any other */
}
END_TEST

/* A configured file must be there, and one that is there must be right. */
START_TEST(no_way_round)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *web = put("web1.key", "short");
    AUTO_FREE char *other = put("default.key", B);
    char missing[] = "/nonexistent/vsrpc.key";

    expect_key("web2", B);
    ck_assert_int_eq(load("web1", &err), -EINVAL);
    ck_assert_ptr_nonnull(strstr(err.message, web));
    ck_assert_ptr_null(strstr(err.message, other));
    config.auth_key_file = missing;
    ck_assert_int_eq(load("web1", &err), -ENOENT);
    ck_assert_ptr_nonnull(strstr(err.message, missing));
}
END_TEST

START_TEST(modes)
{
    static const unsigned int bits[] = { 0600, 0400, 0700, 0640, 0604,
                                         0660, 0620, 0602, 0610, 0601 };
    AUTO_FREE char *path = put("web1.key", A);

    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        struct error err = ERROR_INIT;
        int want = bits[i] & 077 ? -EACCES : 0;

        ck_assert_int_eq(chmod(path, bits[i]), 0);
        ck_assert_msg(load("web1", &err) == want, "%o: %s", bits[i],
                      err.message);
        ck_assert_int_eq(want == 0, err.hint[0] == '\0');
        ck_assert_msg(want == 0 || key.len == 0, "a key of an open file");
    }
}
END_TEST

/* 16 to 4096 bytes; one line feed at the end does not count, and nothing else
 * is taken away: the agent counts alike. */
START_TEST(sizes)
{
    static const struct {
        size_t n;
        const char *end;
        int result;
        size_t length;
    } rows[] = {
        { 0, "", -EINVAL, 0 },      { 0, "\n", -EINVAL, 0 },
        { 15, "", -EINVAL, 0 },     { 15, "\n", -EINVAL, 0 },
        { 16, "", 0, 16 },          { 16, "\n", 0, 16 },
        { 16, "\n\n", 0, 17 },      { 16, "\r\n", 0, 17 },
        { 16, "\r", 0, 17 },        { 15, "\r\n", 0, 16 },
        { 4095, "\n", 0, 4095 },    { 4096, "", 0, 4096 },
        { 4096, "\n", 0, 4096 },    { 4097, "", -EINVAL, 0 },
        { 4097, "\n", -EINVAL, 0 }, { 4096, "\n\n", -EINVAL, 0 },
        { 100000, "", -EINVAL, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *text = calloc(1, rows[i].n + 3);
        AUTO_FREE char *path = NULL;
        int r;

        memset(text, 'k', rows[i].n);
        memcpy(text + rows[i].n, rows[i].end, strlen(rows[i].end));
        path = put("web1.key", text);
        r = load("web1", NULL);
        ck_assert_msg(r == rows[i].result, "row %zu: %d", i, r);
        if (r == 0)
            ck_assert_msg(key.len == rows[i].length, "row %zu: %zu", i,
                          key.len);
    }
}
END_TEST

START_TEST(no_file)
{
    AUTO_FREE char *fifo = unit_path(dir, "web1.key");

    ck_assert_int_eq(mkdir(fifo, 0700), 0);
    ck_assert_int_lt(load("web1", NULL), 0);
    ck_assert_int_eq(rmdir(fifo), 0);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_lt(load("web1", NULL), 0); /* and does not wait */
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, which_file);
    tcase_add_test(tcase, names_that_lead_out);
    tcase_add_test(tcase, no_way_round);
    tcase_add_test(tcase, modes);
    tcase_add_test(tcase, sizes);
    tcase_add_test(tcase, no_file);
}
