/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/policy/auth_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/status.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "auth-check";

#define KEY "0123456789abcdef"
#define BOOT "boot-id"
#define SESSION "session"
#define DIGEST "00ff"

static char *dir;
static char *file;
static struct auth_check auth;

static void setup(void)
{
    dir = unit_tmpdir();
    file = unit_path(dir, "key");
    unit_write_file(file, KEY "\n");
    ck_assert_int_eq(chmod(file, 0600), 0);
    ck_assert_int_eq(auth_check_init(&auth, file, NULL), 0);
}

static void teardown(void)
{
    auth_check_free(&auth);
    free(file);
    unit_rmtree(dir);
}

/* A request as a client signs it; members may be changed before signing, the
 * fields afterwards. */
struct signed_request {
    const char *key;
    struct auth_parts parts;
    char timestamp[32];
    char nonce[AUTH_NONCE_MAX + 2];
    char token[DIGEST_HEX_MAX + 1];
    char session[16];
    struct http_head head;
};

static void prepare(struct signed_request *r, int64_t time, const char *nonce)
{
    *r = (struct signed_request) { .key = KEY };
    snprintf(r->timestamp, sizeof(r->timestamp), "%lld", (long long) time);
    snprintf(r->nonce, sizeof(r->nonce), "%s", nonce);
    snprintf(r->session, sizeof(r->session), SESSION);
    r->parts = (struct auth_parts) {
        .method = "GET",
        .target = "/t",
        .timestamp = r->timestamp,
        .nonce = r->nonce,
        .body_sha256 = DIGEST,
        .boot_id = BOOT,
        .session = SESSION,
    };
}

static void sign(struct signed_request *r)
{
    ck_assert_int_eq(auth_token(r->key, strlen(r->key), &r->parts, r->token),
                     0);
    r->head = (struct http_head) {
        .method = (char[]) { "GET" },
        .target = (char[]) { "/t" },
        .fields = { { "X-Auth-Token", r->token },
                    { "x-timestamp", r->timestamp },
                    { "X-NONCE", r->nonce },
                    { "x-session", r->session } },
        .n_fields = 4,
    };
}

static int check(struct signed_request *r, struct error *err)
{
    char method[] = "GET";
    char target[] = "/t";

    r->head.method = method;
    r->head.target = target;
    return auth_check_request(&auth, &r->head, DIGEST, BOOT, err);
}

static int send_at(int64_t time, const char *nonce)
{
    struct signed_request r;

    prepare(&r, time, nonce);
    sign(&r);
    return check(&r, NULL);
}

START_TEST(good)
{
    ck_assert_int_eq(send_at(clock_wall(), "n1"), 0);
    ck_assert_int_eq(send_at(clock_wall(), "n2"), 0);
}
END_TEST

static void wrong_key(struct signed_request *r)
{
    r->key = "0123456789abcdeF";
}

static void wrong_method(struct signed_request *r)
{
    r->parts.method = "PUT";
}

static void wrong_target(struct signed_request *r)
{
    r->parts.target = "/t?";
}

static void wrong_body(struct signed_request *r)
{
    r->parts.body_sha256 = "00fe";
}

static void wrong_boot(struct signed_request *r)
{
    r->parts.boot_id = "before";
}

/* As recorded before the guest went back to a snapshot. */
static void wrong_session(struct signed_request *r)
{
    r->parts.session = "other";
}

/* Signed as before there were sessions. */
static void no_session(struct signed_request *r)
{
    r->parts.session = "";
}

static void wrong_time(struct signed_request *r)
{
    r->parts.timestamp = "1";
}

static void wrong_nonce(struct signed_request *r)
{
    r->parts.nonce = "other";
}

START_TEST(wrong)
{
    static void (*const spoil[])(struct signed_request *) = {
        wrong_key,  wrong_method, wrong_target,  wrong_body, wrong_boot,
        wrong_time, wrong_nonce,  wrong_session, no_session,
    };

    for (size_t i = 0; i < ARRAY_SIZE(spoil); i++) {
        struct signed_request r;
        struct error err = ERROR_INIT;

        prepare(&r, clock_wall(), "n");
        spoil[i](&r);
        sign(&r);
        ck_assert_msg(check(&r, &err) == STATUS_AUTH_FAILED, "case %zu", i);
        ck_assert_str_ne(err.message, "");
    }
    /* None of them took the nonce. */
    ck_assert_int_eq(send_at(clock_wall(), "n"), 0);
}
END_TEST

/* Any one character of the token. */
START_TEST(wrong_token)
{
    struct signed_request r;

    prepare(&r, clock_wall(), "n");
    sign(&r);
    for (size_t i = 0; i < strlen(r.token); i++) {
        r.token[i] ^= 1;
        ck_assert_int_eq(check(&r, NULL), STATUS_AUTH_FAILED);
        r.token[i] ^= 1;
    }
    r.token[63] = '\0';
    ck_assert_int_eq(check(&r, NULL), STATUS_AUTH_FAILED);
    r.token[0] = '\0';
    ck_assert_int_eq(check(&r, NULL), STATUS_AUTH_FAILED);
    sign(&r);
    memcpy(r.token + 64, "0", 2);
    ck_assert_int_eq(check(&r, NULL), STATUS_AUTH_FAILED);
    r.token[64] = '\0';
    ck_assert_int_eq(check(&r, NULL), 0);
}
END_TEST

START_TEST(missing_field)
{
    for (size_t i = 0; i < 4; i++) {
        struct signed_request r;

        prepare(&r, clock_wall(), "n");
        sign(&r);
        r.head.fields[i].name = "X-Other";
        ck_assert_int_eq(check(&r, NULL), STATUS_AUTH_FAILED);
    }
}
END_TEST

/* A client has to be told what to do, before it hears of its signature. */
START_TEST(session_required)
{
    struct error err = ERROR_INIT;
    struct signed_request r;

    prepare(&r, clock_wall(), "n");
    r.parts.session = "";
    sign(&r);
    r.head.n_fields = 3;
    ck_assert_int_eq(check(&r, &err), STATUS_AUTH_FAILED);
    ck_assert_msg(strstr(err.message, "GET /api/v1/sync"), "%s", err.message);
    r.head.n_fields = 4;
    r.session[0] = '\0';
    ck_assert_int_eq(check(&r, &err), STATUS_AUTH_FAILED);
    ck_assert_msg(strstr(err.message, "GET /api/v1/sync"), "%s", err.message);
    ck_assert_int_eq(send_at(clock_wall(), "n"), 0);
}
END_TEST

START_TEST(replay)
{
    struct signed_request r;
    struct error err = ERROR_INIT;

    prepare(&r, clock_wall(), "n");
    sign(&r);
    ck_assert_int_eq(check(&r, NULL), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(check(&r, &err), STATUS_AUTH_FAILED);
    ck_assert_ptr_nonnull(strstr(err.message, "Nonce"));
    /* also signed anew */
    ck_assert_int_eq(send_at(clock_wall() - 5, "n"), STATUS_AUTH_FAILED);
    ck_assert_int_eq(send_at(clock_wall(), "N"), 0);
}
END_TEST

START_TEST(window)
{
    int64_t now = clock_wall();

    /* Two seconds of room for a slow machine, on the side where it counts. */
    ck_assert_int_eq(send_at(now - AUTH_WINDOW_S + 2, "a"), 0);
    ck_assert_int_eq(send_at(now + AUTH_WINDOW_S, "b"), 0);
    ck_assert_int_eq(send_at(now - AUTH_WINDOW_S - 1, "c"),
                     STATUS_AUTH_FAILED);
    now = clock_wall();
    ck_assert_int_eq(send_at(now + AUTH_WINDOW_S + 3, "d"),
                     STATUS_AUTH_FAILED);
    ck_assert_int_eq(send_at(0, "e"), STATUS_AUTH_FAILED);
    ck_assert_int_eq(send_at(INT64_MAX, "f"), STATUS_AUTH_FAILED);
}
END_TEST

START_TEST(timestamp_form)
{
    static const char *const forms[] = {
        "", "x", "-5", " 1", "1 ", "1.5", "0x10", "99999999999999999999"
    };

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct signed_request r;

        prepare(&r, 0, "n");
        snprintf(r.timestamp, sizeof(r.timestamp), "%s", forms[i]);
        sign(&r);
        ck_assert_int_eq(check(&r, NULL), STATUS_AUTH_FAILED);
    }
}
END_TEST

START_TEST(nonce_length)
{
    char nonce[AUTH_NONCE_MAX + 2] = "";

    ck_assert_int_eq(send_at(clock_wall(), ""), STATUS_AUTH_FAILED);
    memset(nonce, 'n', AUTH_NONCE_MAX + 1);
    ck_assert_int_eq(send_at(clock_wall(), nonce), STATUS_AUTH_FAILED);
    nonce[AUTH_NONCE_MAX] = '\0';
    ck_assert_int_eq(send_at(clock_wall(), nonce), 0);
    ck_assert_int_eq(send_at(clock_wall(), nonce), STATUS_AUTH_FAILED);
}
END_TEST

/* A nonce is remembered for as long as its request could be repeated: until
 * the last moment of the last second of its window. */
START_TEST(nonce_outlives_the_window)
{
    int64_t before = clock_ms();
    const struct auth_nonce *slot = NULL;

    ck_assert_int_eq(send_at(clock_wall() + AUTH_WINDOW_S, "n"), 0);
    for (size_t i = 0; i < AUTH_NONCES; i++)
        if (auth.nonces[i].expires)
            slot = &auth.nonces[i];
    ck_assert_ptr_nonnull(slot);
    ck_assert_int_ge(slot->expires,
                     before + (2 * AUTH_WINDOW_S + 1) * INT64_C(1000));
}
END_TEST

/* Forgetting one early would let its request be repeated. */
START_TEST(full_memory_ends_the_session)
{
    struct error err = ERROR_INIT;
    struct signed_request r;

    ck_assert_int_eq(send_at(clock_wall(), "first"), 0);
    for (int i = 0; i < AUTH_NONCES; i++) {
        char nonce[16];

        snprintf(nonce, sizeof(nonce), "n%d", i);
        memcpy(auth.nonces[i].value, nonce, sizeof(nonce));
        auth.nonces[i].expires = clock_ms() + 100000;
    }
    prepare(&r, clock_wall(), "new");
    sign(&r);
    ck_assert_int_eq(check(&r, &err), STATUS_SESSION_EXPIRED);
    ck_assert_int_eq(send_at(clock_wall(), "n0"), STATUS_AUTH_FAILED);
    auth.nonces[471].expires = clock_ms() - 1; /* one may be forgotten */
    ck_assert_int_eq(check(&r, NULL), 0);
    ck_assert_str_eq(auth.nonces[471].value, "new");
    ck_assert_int_eq(send_at(clock_wall(), "another"), STATUS_SESSION_EXPIRED);
}
END_TEST

/* The token of a session is part of what is signed. */
START_TEST(a_session_has_its_own_nonces)
{
    struct signed_request r;

    for (int i = 0; i < AUTH_NONCES; i++) {
        char nonce[16];

        snprintf(nonce, sizeof(nonce), "n%d", i);
        ck_assert_int_eq(send_at(clock_wall(), nonce), 0);
    }
    prepare(&r, clock_wall(), "n0");
    r.parts.session = "another";
    snprintf(r.session, sizeof(r.session), "another");
    sign(&r);
    ck_assert_int_eq(check(&r, NULL), 0);
    ck_assert_int_eq(check(&r, NULL), STATUS_AUTH_FAILED);
}
END_TEST

/* --- key files ----------------------------------------------------------- */

static int load(const char *path, struct auth_check *into)
{
    struct error err = ERROR_INIT;
    int r;

    *into = (struct auth_check) { 0 };
    r = auth_check_init(into, path, &err);
    ck_assert_int_eq(r == 0, err.message[0] == '\0');
    if (r)
        ck_assert_uint_eq(into->key_len, 0);
    return r;
}

START_TEST(key_modes)
{
    static const unsigned int modes[] = { 0600, 0400, 0700, 0640, 0604,
                                          0660, 0644, 0601, 0610, 0602 };

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        struct auth_check got;

        ck_assert_int_eq(chmod(file, modes[i]), 0);
        ck_assert_msg(load(file, &got) == (modes[i] & 077 ? -EPERM : 0),
                      "mode %o", modes[i]);
        auth_check_free(&got);
    }
}
END_TEST

START_TEST(key_owner)
{
    struct auth_check got;

    if (geteuid() != 0)
        return;
    ck_assert_int_eq(chown(file, 1234, 0), 0);
    ck_assert_int_eq(load(file, &got), -EPERM);
}
END_TEST

START_TEST(key_is_no_file)
{
    AUTO_FREE char *link = unit_path(dir, "link");
    AUTO_FREE char *missing = unit_path(dir, "missing");
    AUTO_FREE char *fifo = unit_path(dir, "fifo");
    struct auth_check got;

    ck_assert_int_eq(symlink(file, link), 0);
    ck_assert_int_eq(load(link, &got), -ELOOP);
    ck_assert_int_eq(load(missing, &got), -ENOENT);
    ck_assert_int_eq(load(dir, &got), -EPERM);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(load(fifo, &got), -EPERM); /* and does not wait */
}
END_TEST

/* 16 to 4096 bytes, one line feed at the end does not count. */
START_TEST(key_sizes)
{
    static const struct {
        size_t n;
        const char *end;
        int result;
        size_t length;
    } sizes[] = {
        { 0, "", -EINVAL, 0 },        { 15, "", -EINVAL, 0 },
        { 15, "\n", -EINVAL, 0 },     { 16, "", 0, 16 },
        { 16, "\n", 0, 16 },          { 16, "\n\n", 0, 17 },
        { 16, "\r\n", 0, 17 },        { 4095, "\n", 0, 4095 },
        { 4096, "", 0, 4096 },        { 4096, "\n", 0, 4096 },
        { 4097, "", -EINVAL, 0 },     { 4097, "\n", -EINVAL, 0 },
        { 4096, "\n\n", -EINVAL, 0 }, { 100000, "", -EINVAL, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        AUTO_FREE char *text = calloc(1, sizes[i].n + 3);
        struct auth_check got;
        int r;

        memset(text, 'k', sizes[i].n);
        memcpy(text + sizes[i].n, sizes[i].end, strlen(sizes[i].end));
        unit_write_file(file, text);
        r = load(file, &got);
        ck_assert_msg(r == sizes[i].result, "case %zu: %d", i, r);
        ck_assert_uint_eq(got.key_len, sizes[i].length);
        auth_check_free(&got);
    }
}
END_TEST

START_TEST(freed_key_is_gone)
{
    uint8_t zeros[AUTH_KEY_MAX] = { 0 };

    auth_check_free(&auth);
    ck_assert_mem_eq(auth.key, zeros, AUTH_KEY_MAX);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, good);
    tcase_add_test(tcase, wrong);
    tcase_add_test(tcase, wrong_token);
    tcase_add_test(tcase, missing_field);
    tcase_add_test(tcase, session_required);
    tcase_add_test(tcase, replay);
    tcase_add_test(tcase, window);
    tcase_add_test(tcase, timestamp_form);
    tcase_add_test(tcase, nonce_length);
    tcase_add_test(tcase, nonce_outlives_the_window);
    tcase_add_test(tcase, full_memory_ends_the_session);
    tcase_add_test(tcase, a_session_has_its_own_nonces);
    tcase_add_test(tcase, key_modes);
    tcase_add_test(tcase, key_owner);
    tcase_add_test(tcase, key_is_no_file);
    tcase_add_test(tcase, key_sizes);
    tcase_add_test(tcase, freed_key_is_gone);
}
