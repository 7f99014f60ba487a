/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Raw bodies whose content was announced (md5=, X-Content-SHA256). */
#include <config.h>

#include "guest/port/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/status.h"
#include "unit/guest/sessions.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"

const char unit_name[] = "announced";

#define MD5_OLD "149603e6c03516362a8da23f624db945" /* of "old" */
#define MD5_TEN "781e5e245d69b566979b86e28d23f2c7" /* of "0123456789" */
#define SHA256_TEN \
    "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
#define SHA256_NONE \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define SHA256_GOOD /* of "456789" */ \
    "472bbe83616e93d3c09a79103ae47d8f71e3d35a966d6e8b22f743218d04171d"

#define SHA256_BAD /* of "456x89" */ \
    "83b6ab627c3e7ccdc5f9fef74043af18bf7d9120ee56c2dccc10b543a92b1cd2"

static void expect_text(const char *path, const char *want)
{
    AUTO_FREE char *text = unit_read_file(path);

    ck_assert_str_eq(text, want);
}

static bool transfers_gone(void)
{
    const struct transfers *transfers = &rig.agent.transfers;

    for (size_t i = 0; i < TRANSFERS_MAX; i++)
        if (transfers->uploads[i].id[0])
            return false;
    return true;
}

/* Sends "0123456789", or what is given of it, to the file "parts". */
static void put_announced(const char *query, const char *fields,
                          const char *body)
{
    AUTO_FREE char *line = format("PUT /api/v1/file/content?path=%s/parts%s",
                                  rig.dir, query);
    AUTO_FREE char *text = rig_request_with(line, fields, body);

    rig_puts(&rig, text);
}

/* The next answer refuses the content, and says what came (NULL: whatever) as
 * member. */
static void expect_refused(const char *member, const char *came)
{
    struct rig_answer answer;
    struct json_object *value;

    rig_wait(&rig);
    rig_answer(&rig, &answer);
    ck_assert_msg(answer.http == 200
                      && answer.code == STATUS_FILE_OPERATION_FAILED,
                  "HTTP %d: %s", answer.http, answer.body);
    ck_assert_ptr_nonnull(strstr(answer.body, "not the one announced"));
    ck_assert(json_object_object_get_ex(answer.data, member, &value));
    if (came)
        ck_assert_str_eq(json_object_get_string(value), came);
    rig_answer_free(&answer);
    /* no process is at work, and no descriptor waits for one */
    ck_assert(spin_childless(NULL));
}

static char *old_file(void)
{
    char *file = in_dir("parts");

    unit_write_file(file, "old");
    return file;
}

START_TEST(announced)
{
    AUTO_FREE char *file = old_file();

    put_announced("&md5=" MD5_OLD, "", "0123456789");
    expect_refused("md5", MD5_TEN);
    put_announced("", "X-Content-SHA256: " SHA256_NONE "\r\n", "0123456789");
    expect_refused("sha256", SHA256_TEN);
    put_announced("&md5=" MD5_OLD, "X-Content-SHA256: " SHA256_TEN "\r\n",
                  "0123456789");
    expect_refused("md5", MD5_TEN);
    expect_text(file, "old");
    ck_assert_int_eq(files(), 1);
    put_announced("&md5=" MD5_TEN, "X-Content-SHA256: " SHA256_TEN "\r\n",
                  "0123456789");
    rig_expect(&rig, 200, 0);
    expect_text(file, "0123456789");
    ck_assert_int_eq(files(), 1);
}
END_TEST

static const char *const bad_md5[] = {
    "",
    "781e5e245d69b566979b86e28d23f2c",
    MD5_TEN "0",
    "781E5E245D69B566979B86E28D23F2C7",
    "781e5e245d69b566979b86e28d23f2cg",
    SHA256_TEN,
};

START_TEST(announced_badly)
{
    AUTO_FREE char *query = format("&md5=%s", bad_md5[_i]);
    AUTO_FREE char *file = old_file();

    put_announced(query, "", "0123456789");
    rig_expect(&rig, 400, STATUS_INVALID_PARAMS);
    expect_text(file, "old");
    ck_assert_int_eq(files(), 1);
}
END_TEST

static void put_announced_part(const char *range, const char *md5,
                               const char *sha256, const char *body)
{
    AUTO_FREE char *query = format("&transfer=a1%s%s", md5 ? "&md5=" : "",
                                   md5 ? md5 : "");
    AUTO_FREE char *fields = format("Content-Range: bytes %s\r\n%s%s%s", range,
                                    sha256 ? "X-Content-SHA256: " : "",
                                    sha256 ? sha256 : "",
                                    sha256 ? "\r\n" : "");

    put_announced(query, fields, body);
}

START_TEST(announced_in_parts)
{
    AUTO_FREE char *file = old_file();

    /* nobody knows the whole before its end */
    put_announced_part("0-3/10", MD5_TEN, NULL, "0123");
    rig_expect(&rig, 400, STATUS_INVALID_PARAMS);
    ck_assert(transfers_gone());
    put_announced_part("0-3/10", NULL, NULL, "0123");
    rig_expect(&rig, 200, 0);
    put_announced_part("4-5/10", MD5_TEN, NULL, "45");
    rig_expect(&rig, 400, STATUS_INVALID_PARAMS);
    put_announced_part("4-9/10", MD5_TEN, NULL, "456789");
    rig_expect(&rig, 200, 0);
    expect_text(file, "0123456789");
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* Which of the parts was wrong nobody knows. */
START_TEST(wrong_whole_ends_the_transfer)
{
    AUTO_FREE char *file = old_file();

    put_announced_part("0-3/10", NULL, NULL, "0x23");
    rig_expect(&rig, 200, 0);
    put_announced_part("4-9/10", MD5_TEN, NULL, "456789");
    expect_refused("md5", "b59b3c78d2dc0d31263e73ce72cecee3");
    ck_assert(transfers_gone());
    put_announced_part("4-9/10", MD5_TEN, NULL, "456789");
    rig_expect(&rig, 400, STATUS_INVALID_PARAMS);
    expect_text(file, "old");
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* It has not come, like one that was cut short. */
START_TEST(wrong_part_comes_again)
{
    AUTO_FREE char *file = old_file();

    put_announced_part("0-3/10", NULL, NULL, "0123");
    rig_expect(&rig, 200, 0);
    put_announced_part("4-9/10", MD5_TEN, SHA256_GOOD, "456x89");
    expect_refused("sha256", SHA256_BAD);
    expect_text(file, "old");
    put_announced_part("4-9/10", MD5_TEN, SHA256_GOOD, "456789");
    rig_expect(&rig, 200, 0);
    expect_text(file, "0123456789");
    ck_assert_int_eq(files(), 1);
}
END_TEST

/*
 * A client is killed in its body, its leaving is missed, and what the next one
 * sends completes it: whatever that is, and wherever the first one died.
 */
START_TEST(completed_by_the_next_client)
{
    static const char *const fields[] = { "", "",
                                          "X-Content-SHA256: " SHA256_TEN
                                          "\r\n" };
    static const char *const queries[] = { "&md5=" MD5_TEN,
                                           "&transfer=a9&md5=" MD5_TEN, "" };
    static const char next[] = MARK SYNC "PUT /api/v1/file/content?path=/x "
                                         "HTTP/1.1\r\nHost: v\r\n";
    AUTO_FREE char *file = old_file();

    for (size_t missing = 1; missing <= 10; missing++) {
        AUTO_FREE char *all = format("%sContent-Range: bytes 0-9/10\r\n",
                                     fields[_i]);
        AUTO_FREE char *line = format("PUT /api/v1/file/content?path=%s%s",
                                      file, queries[_i]);
        AUTO_FREE char *text = rig_request_with(
            line, _i == 1 ? all : fields[_i], "0123456789");

        rig_feed(&rig, text, strlen(text) - missing);
        rig_feed(&rig, next, missing);
        expect_refused(_i == 2 ? "sha256" : "md5", NULL);
        expect_text(file, "old");
        rig_feed(&rig, next + missing, sizeof(next) - 1 - missing);
        session_hangup(&rig.agent.session);
        session_connected(&rig.agent.session, true);
        rig_collect(&rig);
        buf_clear(&rig.got);
        rig_puts(&rig, MARK SYNC);
        rig_expect(&rig, 200, 0);
        expect_text(file, "old");
        ck_assert_int_eq(files(), 1);
        ck_assert(transfers_gone());
    }
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, session_setup, session_teardown);
    tcase_add_test(tcase, announced);
    tcase_add_loop_test(tcase, announced_badly, 0, ARRAY_SIZE(bad_md5));
    tcase_add_test(tcase, announced_in_parts);
    tcase_add_test(tcase, wrong_whole_ends_the_transfer);
    tcase_add_test(tcase, wrong_part_comes_again);
    tcase_add_loop_test(tcase, completed_by_the_next_client, 0, 3);
}
