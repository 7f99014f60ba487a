/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/file/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "transfer";

static struct transfers transfers;

START_TEST(found_by_its_id)
{
    struct transfer *a = transfer_add(&transfers, "a", 10);
    struct transfer *b = transfer_add(&transfers, "b", 20);

    ck_assert_ptr_ne(a, b);
    ck_assert_ptr_eq(transfer_find(&transfers, "a"), a);
    ck_assert_ptr_eq(transfer_find(&transfers, "b"), b);
    ck_assert_int_eq(b->total, 20);
    ck_assert_ptr_null(b->upload);
    ck_assert_ptr_null(transfer_find(&transfers, "c"));
    ck_assert_ptr_null(transfer_find(&transfers, "ab"));
    ck_assert_ptr_null(transfer_find(&transfers, "A"));
    transfer_end(a);
    ck_assert_ptr_null(transfer_find(&transfers, "a"));
    ck_assert_ptr_eq(transfer_find(&transfers, "b"), b);
}
END_TEST

/* A free slot has no id: "" finds none. */
START_TEST(empty_id)
{
    ck_assert_ptr_null(transfer_find(&transfers, ""));
    transfer_add(&transfers, "a", 1);
    ck_assert_ptr_null(transfer_find(&transfers, ""));
}
END_TEST

START_TEST(longest_id)
{
    char id[TRANSFER_ID_MAX + 1] = "";
    struct transfer *transfer;

    memset(id, 'x', TRANSFER_ID_MAX);
    transfer = transfer_add(&transfers, id, 1);
    ck_assert_ptr_eq(transfer_find(&transfers, id), transfer);
    id[TRANSFER_ID_MAX - 1] = '\0';
    ck_assert_ptr_null(transfer_find(&transfers, id));
}
END_TEST

static struct upload *make_upload(const char *dir, int i)
{
    const struct upload_options options = { .overwrite = true };
    struct strlist allowed = { 0 };
    struct strlist none = { 0 };
    struct path_policy policy;
    AUTO_FREE char *path = NULL;
    struct upload *upload = NULL;

    ck_assert_int_eq(strlist_add(&allowed, dir), 0);
    ck_assert_int_eq(path_policy_init(&policy, &allowed, &none, &none), 0);
    ck_assert_int_gt(asprintf(&path, "%s/%d", dir, i), 0);
    ck_assert_int_eq(upload_begin(&policy, path, &options, &upload, NULL), 0);
    path_policy_free(&policy);
    strlist_free(&allowed);
    return upload;
}

/* Later than now, by the clock that use is noted with. */
static void later(void)
{
    int64_t now = clock_ms();

    while (clock_ms() == now)
        usleep(100); /* the step of a poll */
}

/* When all are taken, the one that was unused longest goes, with its file;
 * being looked for is use. */
START_TEST(oldest_goes)
{
    char *dir = unit_tmpdir();
    char id[8];

    for (int i = 0; i < TRANSFERS_MAX; i++) {
        snprintf(id, sizeof(id), "%d", i);
        transfer_add(&transfers, id, i)->upload = make_upload(dir, i);
        later();
    }
    ck_assert_ptr_nonnull(transfer_find(&transfers, "0"));
    later();
    transfer_add(&transfers, "new", 1);
    ck_assert_ptr_nonnull(transfer_find(&transfers, "new"));
    ck_assert_ptr_nonnull(transfer_find(&transfers, "0"));
    ck_assert_ptr_null(transfer_find(&transfers, "1"));
    for (int i = 2; i < TRANSFERS_MAX; i++) {
        snprintf(id, sizeof(id), "%d", i);
        ck_assert_ptr_nonnull(transfer_find(&transfers, id));
    }
    transfers_drop(&transfers); /* frees the uploads: the sanitizer looks */
    unit_rmdir(dir);
}
END_TEST

START_TEST(dropped)
{
    char *dir = unit_tmpdir();

    transfer_add(&transfers, "a", 1)->upload = make_upload(dir, 1);
    transfer_add(&transfers, "b", 1)->upload = make_upload(dir, 2);
    transfers_drop(&transfers);
    ck_assert_ptr_null(transfer_find(&transfers, "a"));
    ck_assert_ptr_null(transfer_find(&transfers, "b"));
    transfers_drop(&transfers);
    unit_rmdir(dir);
}
END_TEST

/* Reads a piece.  Return: the digest of what was read since first. */
static const char *read_piece(const char *id, int64_t first, const char *text,
                              int64_t *since)
{
    static char hex[DIGEST_HEX_MAX];
    const struct download_options options = { .id = id,
                                              .path = "/f",
                                              .digested = true,
                                              .kind = DIGEST_MD5,
                                              .first = first,
                                              .size = 6,
                                              .etag = "e" };
    struct download *download = download_begin(&transfers, &options);

    ck_assert_ptr_nonnull(download);
    download_take(download, text, strlen(text));
    ck_assert_ptr_eq(download_find(&transfers, id), download);
    *since = download->first;
    ck_assert_int_eq(download_digest(download, hex), 0);
    return hex;
}

/* The digest goes on from piece to piece, and back by one; anything else is a
 * new one. */
START_TEST(digest_goes_on)
{
    static const char hello[] = "b1946ac92492d2347c6235b4d2611184";
    int64_t since;

    read_piece("a", 0, "hel", &since);
    read_piece("b", 0, "other", &since);
    ck_assert_str_eq(read_piece("a", 3, "lo\n", &since), hello);
    ck_assert_int_eq(since, 0);
    read_piece("a", 3, "p", &since); /* again, and broken off */
    ck_assert_str_eq(read_piece("a", 3, "lo\n", &since), hello);
    ck_assert_int_eq(since, 0);
    ck_assert_str_eq(read_piece("a", 6, "", &since), hello);
    ck_assert_str_eq(read_piece("a", 100, "hello\n", &since), hello);
    ck_assert_int_eq(since, 100);
    transfers_drop(&transfers);
    ck_assert_ptr_null(download_find(&transfers, "a"));
}
END_TEST

/* What is known of the file is said, and not made again, when all of it has
 * been read. */
START_TEST(digest_is_known)
{
    const struct download_options options = { .id = "k",
                                              .path = "/f",
                                              .digested = true,
                                              .kind = DIGEST_MD5,
                                              .size = 6,
                                              .etag = "e" };
    char hex[DIGEST_HEX_MAX];
    struct download *download;

    digest_cache_add(&transfers.digests, "other", DIGEST_MD5, "wrong");
    digest_cache_add(&transfers.digests, "e", DIGEST_SHA256, "wrong");
    digest_cache_add(&transfers.digests, "e", DIGEST_MD5, "right");
    download = download_begin(&transfers, &options);
    ck_assert_ptr_null(download->digest);
    download_take(download, "hello", 5);
    ck_assert_int_eq(download_digest(download, hex), -ENODATA);
    download_take(download, "\n", 1);
    ck_assert_int_eq(download_digest(download, hex), 0);
    ck_assert_str_eq(hex, "right");
    transfers_drop(&transfers);
}
END_TEST

START_TEST(digests_are_kept)
{
    static struct digest_cache cache;
    char etag[8];

    for (int i = 0; i < DIGEST_CACHE_MAX; i++) {
        snprintf(etag, sizeof(etag), "%d", i);
        digest_cache_add(&cache, etag, DIGEST_MD5, etag);
    }
    ck_assert_str_eq(digest_cache_find(&cache, "0", DIGEST_MD5), "0");
    ck_assert_ptr_null(digest_cache_find(&cache, "0", DIGEST_SHA256));
    ck_assert_ptr_null(digest_cache_find(&cache, "", DIGEST_MD5));
    digest_cache_add(&cache, "new", DIGEST_MD5, "n");
    ck_assert_ptr_null(digest_cache_find(&cache, "1", DIGEST_MD5));
    ck_assert_str_eq(digest_cache_find(&cache, "0", DIGEST_MD5), "0");
    digest_cache_add(&cache, "0", DIGEST_MD5, "again");
    ck_assert_str_eq(digest_cache_find(&cache, "0", DIGEST_MD5), "again");
    ck_assert_str_eq(digest_cache_find(&cache, "2", DIGEST_MD5), "2");
}
END_TEST

START_TEST(ids)
{
    static const struct {
        const char *id;
        bool valid;
    } rows[] = {
        { "0", true },
        { "aF09", true },
        { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
          true },
        { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
          false },
        { "", false },
        { "g", false },
        { "t1", false },
        { "0x1", false },
        { "a ", false },
        { "-1", false },
        { "a\n", false },
        { "\xc3\xa4", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        ck_assert_msg(transfer_id_valid(rows[i].id) == rows[i].valid, "%s",
                      rows[i].id);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, digest_goes_on);
    tcase_add_test(tcase, digest_is_known);
    tcase_add_test(tcase, digests_are_kept);
    tcase_add_test(tcase, found_by_its_id);
    tcase_add_test(tcase, ids);
    tcase_add_test(tcase, empty_id);
    tcase_add_test(tcase, longest_id);
    tcase_add_test(tcase, oldest_goes);
    tcase_add_test(tcase, dropped);
}
