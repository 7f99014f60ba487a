/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/file/upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/file/etag.h"
#include "proto/status.h"
#include "unit/forbid.h"
#include "unit/guest/spin.h"
#include "unit/unit.h"

const char unit_name[] = "upload";

static struct loop loop;
static struct procs procs;
static struct path_policy policy;
static char *dir;
static char *path; /* of the file that most tests write */

static void setup(void)
{
    AUTO_FREE char *made = unit_tmpdir();
    struct strlist allowed = { 0 };
    struct strlist none = { 0 };

    dir = realpath(made, NULL);
    path = unit_path(dir, "file");
    ck_assert_int_eq(loop_init(&loop), 0);
    ck_assert_int_eq(procs_init(&procs, &loop), 0);
    ck_assert_int_eq(strlist_add(&allowed, dir), 0);
    ck_assert_int_eq(path_policy_init(&policy, &allowed, &none, &none), 0);
    strlist_free(&allowed);
    umask(077); /* no business of an upload */
}

static void teardown(void)
{
    ck_assert(spin_until(&loop, spin_childless, NULL));
    path_policy_free(&policy);
    loop_free(&loop);
    free(path);
    unit_rmtree(dir);
}

static int files(void)
{
    DIR *folder = opendir(dir);
    int n = 0;

    for (struct dirent *entry; (entry = readdir(folder));)
        n += strcmp(entry->d_name, ".") != 0
             && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return n;
}

struct verdict {
    int calls;
    int result;
    char message[256];
};

static void note(void *arg, int result, const struct error *err)
{
    struct verdict *verdict = arg;

    verdict->calls++;
    verdict->result = result;
    snprintf(verdict->message, sizeof(verdict->message), "%.255s",
             err->message);
}

static bool is_done(void *arg)
{
    const struct verdict *verdict = arg;

    return verdict->calls > 0;
}

static const struct upload_options replace = { .overwrite = true,
                                               .digested = true,
                                               .digest = DIGEST_MD5 };

static struct upload *begin(const char *where,
                            const struct upload_options *options)
{
    struct upload *upload = NULL;
    struct error err = ERROR_INIT;

    ck_assert_msg(upload_begin(&policy, where, options, &upload, &err) == 0,
                  "%s", err.message);
    return upload;
}

static void write_text(struct upload *upload, const char *text)
{
    ck_assert_int_eq(upload_write(upload, text, strlen(text), NULL), 0);
}

static struct verdict commit(struct upload *upload)
{
    struct verdict verdict = { 0 };

    ck_assert_int_eq(upload_commit(upload, &procs, note, &verdict, NULL), 0);
    ck_assert(spin_until(&loop, is_done, &verdict));
    ck_assert_int_eq(verdict.calls, 1);
    return verdict;
}

/* A whole upload.  Return: what became of it. */
static int put(const char *where, const char *text,
               const struct upload_options *options)
{
    struct upload *upload = begin(where, options);
    struct verdict verdict;

    write_text(upload, text);
    verdict = commit(upload);
    upload_free(upload);
    return verdict.result;
}

static void expect_file(const char *where, const char *text, unsigned int mode)
{
    AUTO_FREE char *got = unit_read_file(where);
    struct stat st;

    ck_assert_str_eq(got, text);
    ck_assert_int_eq(stat(where, &st), 0);
    ck_assert_msg((st.st_mode & 07777) == mode, "mode %o", st.st_mode & 07777);
}

/* Neither the folder, nor a file in it. */
static void expect_nothing_open(void)
{
    char link[64];
    char there[PATH_MAX];

    for (int fd = 3; fd < 64; fd++) {
        ssize_t n;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, there, sizeof(there) - 1);
        there[n > 0 ? n : 0] = '\0';
        ck_assert_msg(strncmp(there, dir, strlen(dir)) != 0, "%s", there);
    }
}

START_TEST(new_file)
{
    struct upload *upload;
    struct verdict verdict;

    if (!forbid_unnamed(_i))
        return;
    upload = begin(path, &replace);
    write_text(upload, "hel");
    write_text(upload, "");
    write_text(upload, "lo\n");
    ck_assert_int_eq(upload_size(upload), 6);
    ck_assert_str_eq(upload_path(upload), path);
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_int_eq(files(), _i); /* hidden, or not even that */
    verdict = commit(upload);
    ck_assert_int_eq(verdict.result, 0);
    ck_assert_str_eq(upload_sum(upload), "b1946ac92492d2347c6235b4d2611184");
    upload_free(upload);
    expect_file(path, "hello\n", 0644);
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* What came since the mark has not come. */
START_TEST(rewound)
{
    struct upload *upload;
    struct verdict verdict;

    if (!forbid_unnamed(_i))
        return;
    upload = begin(path, &replace);
    ck_assert_int_lt(upload_rewind(upload), 0); /* no mark */
    ck_assert_int_eq(upload_mark(upload, NULL), 0);
    write_text(upload, "wrong");
    ck_assert_int_eq(upload_rewind(upload), 0);
    ck_assert_int_eq(upload_size(upload), 0);
    write_text(upload, "hel");
    ck_assert_int_eq(upload_mark(upload, NULL), 0);
    ck_assert_int_eq(upload_mark(upload, NULL), 0);
    write_text(upload, "p, this is wrong as well");
    ck_assert_str_eq(upload_sum(upload), "141a9c9f30555612bbad097d7c00051f");
    ck_assert_int_eq(upload_rewind(upload), 0);
    write_text(upload, "lo\n");
    ck_assert_str_eq(upload_sum(upload), "b1946ac92492d2347c6235b4d2611184");
    verdict = commit(upload);
    ck_assert_int_eq(verdict.result, 0);
    ck_assert_str_eq(upload_sum(upload), "b1946ac92492d2347c6235b4d2611184");
    upload_free(upload);
    expect_file(path, "hello\n", 0644);
}
END_TEST

START_TEST(empty_file)
{
    if (!forbid_unnamed(_i))
        return;
    ck_assert_int_eq(put(path, "", &replace), 0);
    expect_file(path, "", 0644);
}
END_TEST

/* The old file is there until the new one is. */
START_TEST(replaces)
{
    struct upload *upload;
    AUTO_FREE char *other = unit_path(dir, "other");

    if (!forbid_unnamed(_i))
        return;
    unit_write_file(path, "old");
    ck_assert_int_eq(link(path, other), 0);
    upload = begin(path, &replace);
    write_text(upload, "new and longer");
    expect_file(path, "old", 0600);
    ck_assert_int_eq(commit(upload).result, 0);
    expect_file(path, "new and longer", 0600);
    expect_file(other, "old", 0600); /* never written into */
    upload_free(upload);
    ck_assert_int_eq(files(), 2);
}
END_TEST

/* A process that reads the whole time sees one of the two. */
START_TEST(replaces_at_once)
{
    if (!forbid_unnamed(_i))
        return;
    unit_write_file(path, "aaaa");
    for (int i = 0; i < 20; i++) {
        const char *text = i % 2 ? "aaaa" : "bbbb";
        struct upload *upload = begin(path, &replace);
        struct verdict verdict = { 0 };

        write_text(upload, text);
        ck_assert_int_eq(upload_commit(upload, &procs, note, &verdict, NULL),
                         0);
        while (!verdict.calls) {
            AUTO_FREE char *got = unit_read_file(path);

            ck_assert(strcmp(got, "aaaa") == 0 || strcmp(got, "bbbb") == 0);
            spin_for(&loop, 1);
        }
        upload_free(upload);
    }
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(no_overwrite)
{
    static const struct upload_options keep = { .overwrite = false };
    struct upload *upload = NULL;
    struct error err = ERROR_INIT;

    if (!forbid_unnamed(_i))
        return;
    unit_write_file(path, "old");
    ck_assert_int_eq(upload_begin(&policy, path, &keep, &upload, &err),
                     -EEXIST);
    ck_assert_ptr_nonnull(strstr(err.message, path));
    ck_assert_ptr_null(upload);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(put(path, "new", &keep), 0);
    expect_file(path, "new", 0644);
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* It came after the upload began: still nothing is overwritten, and what has
 * failed holds no room, though its words are kept. */
START_TEST(no_overwrite_of_what_came)
{
    static const struct upload_options keep = { .overwrite = false };
    struct upload *upload;

    if (!forbid_unnamed(_i))
        return;
    upload = begin(path, &keep);
    write_text(upload, "new");
    unit_write_file(path, "came");
    ck_assert_int_eq(commit(upload).result, -EEXIST);
    expect_nothing_open();
    upload_free(upload);
    expect_file(path, "came", 0600);
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(gone_before_commit)
{
    struct upload *upload;

    if (!forbid_unnamed(_i))
        return;
    unit_write_file(path, "old");
    upload = begin(path, &replace);
    write_text(upload, "new");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(commit(upload).result, 0);
    upload_free(upload);
    expect_file(path, "new", 0600);
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(freed_half_way)
{
    struct upload *upload;

    if (!forbid_unnamed(_i))
        return;
    upload_free(NULL);
    upload_free(begin(path, &replace));
    upload = begin(path, &replace);
    write_text(upload, "half");
    upload_free(upload);
    ck_assert_int_eq(files(), 0);
    unit_write_file(path, "old");
    upload = begin(path, &replace);
    write_text(upload, "half");
    upload_free(upload);
    expect_file(path, "old", 0600);
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* While the worker puts it in place: the old file or the new one, and nothing
 * hidden beside it. */
START_TEST(freed_while_committed)
{
    if (!forbid_unnamed(_i))
        return;
    for (int i = 0; i < 60; i++) {
        struct verdict verdict = { 0 };
        struct upload *upload;
        AUTO_FREE char *got = NULL;

        unit_write_file(path, "old");
        upload = begin(path, &replace);
        write_text(upload, "new");
        ck_assert_int_eq(upload_commit(upload, &procs, note, &verdict, NULL),
                         0);
        usleep((useconds_t) (i * 40)); /* a later moment each time */
        upload_free(upload);
        ck_assert(spin_until(&loop, spin_childless, NULL));
        ck_assert_int_eq(verdict.calls, 0);
        got = unit_read_file(path);
        ck_assert(strcmp(got, "old") == 0 || strcmp(got, "new") == 0);
        ck_assert_msg(files() == 1, "%d files after %d", files(), i);
    }
}
END_TEST

/* An upload that is over does not hold its file: that may be replaced. */
START_TEST(lets_go)
{
    struct upload *upload;

    if (!forbid_unnamed(_i))
        return;
    upload = begin(path, &replace);
    write_text(upload, "new");
    ck_assert_int_eq(commit(upload).result, 0);
    ck_assert_ptr_nonnull(strchr(upload_etag(upload), '"'));
    expect_nothing_open();
    upload_free(upload);
}
END_TEST

/* A part of one that has failed stays, until it is known to be of no use. */
START_TEST(part_of_what_failed)
{
    struct upload_options options = { .part = true };
    struct upload *upload = begin(path, &options);

    write_text(upload, "new");
    unit_write_file(path, "came");
    ck_assert_int_eq(commit(upload).result, -EEXIST);
    ck_assert_int_eq(files(), 2);
    upload_discard(upload);
    ck_assert_int_eq(files(), 1);
    expect_nothing_open();
}
END_TEST

/* --- parts, holes, conditions -------------------------------------------- */

#define HANDSHAKE_MD5 "b1946ac92492d2347c6235b4d2611184"

static struct upload_options part_from(int64_t from)
{
    return (struct upload_options) { .overwrite = true,
                                     .part = true,
                                     .from = from,
                                     .digested = true,
                                     .digest = DIGEST_MD5 };
}

/* A part stays, is cut to what the client knows, and is gone in the end. */
START_TEST(part_is_gone_on_with)
{
    struct upload_options options = part_from(0);
    AUTO_FREE char *hidden = unit_path(dir, ".file.vsrpc-part");
    struct upload *upload = begin(path, &options);

    write_text(upload, "help");
    upload_free(upload);
    expect_file(hidden, "help", 0600);
    options = part_from(3);
    upload = begin(path, &options);
    ck_assert_int_eq(upload_size(upload), 3);
    write_text(upload, "lo\n");
    ck_assert_int_eq(upload_expect(upload, HANDSHAKE_MD5, NULL), 0);
    ck_assert_int_eq(commit(upload).result, 0);
    ck_assert_str_eq(upload_sum(upload), HANDSHAKE_MD5);
    upload_free(upload);
    expect_file(path, "hello\n", 0644);
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* What is wrong in it is seen when all of it is there. */
START_TEST(part_is_digested)
{
    struct upload_options options = part_from(0);
    struct upload *upload = begin(path, &options);
    struct verdict verdict;

    write_text(upload, "heX");
    upload_free(upload);
    unit_write_file(path, "old");
    options = part_from(3);
    upload = begin(path, &options);
    write_text(upload, "lo\n");
    ck_assert_int_eq(upload_expect(upload, HANDSHAKE_MD5, NULL), 0);
    ck_assert(!upload_differs(upload)); /* nobody knows yet */
    verdict = commit(upload);
    ck_assert_int_eq(verdict.result, STATUS_FILE_OPERATION_FAILED);
    ck_assert(upload_differs(upload));
    upload_discard(upload);
    expect_file(path, "old", 0600);
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(part_is_too_short)
{
    struct upload_options options = part_from(3);
    struct upload *upload = NULL;
    struct error err = ERROR_INIT;

    ck_assert_int_eq(upload_begin(&policy, path, &options, &upload, &err),
                     STATUS_INVALID_PARAMS);
    ck_assert_ptr_nonnull(strstr(err.message, "only 0 bytes"));
}
END_TEST

/* Somebody else's file under the part's name is not written to. */
START_TEST(part_is_ours)
{
    struct upload_options options = part_from(0);
    AUTO_FREE char *hidden = unit_path(dir, ".file.vsrpc-part");
    AUTO_FREE char *other = unit_path(dir, "other");
    struct upload *upload = NULL;

    unit_write_file(other, "precious");
    ck_assert_int_eq(symlink(other, hidden), 0);
    ck_assert_int_lt(upload_begin(&policy, path, &options, &upload, NULL), 0);
    ck_assert_int_eq(unlink(hidden), 0);
    ck_assert_int_eq(link(other, hidden), 0);
    ck_assert_int_lt(upload_begin(&policy, path, &options, &upload, NULL), 0);
    expect_file(other, "precious", 0600);
}
END_TEST

/* The first bytes of the old file, and then others. */
START_TEST(rest_of_an_old_file)
{
    struct upload_options options = replace;
    struct upload *upload = NULL;

    unit_write_file(path, "help me");
    options.from = 3;
    upload = begin(path, &options);
    write_text(upload, "lo\n");
    ck_assert_int_eq(commit(upload).result, 0);
    ck_assert_str_eq(upload_sum(upload), HANDSHAKE_MD5);
    upload_free(upload);
    expect_file(path, "hello\n", 0600);
    options.from = 7;
    upload = NULL;
    ck_assert_int_eq(upload_begin(&policy, path, &options, &upload, NULL),
                     STATUS_INVALID_PARAMS);
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* In its place when upload_commit() returns, with its time. */
START_TEST(short_timeout)
{
    const struct upload_options options = { .overwrite = true,
                                            .durable_later = true,
                                            .mtime = "1234567890.25" };
    struct upload *upload = begin(path, &options);
    struct verdict verdict = { 0 };
    struct stat st;

    write_text(upload, "now");
    ck_assert_int_eq(upload_commit(upload, &procs, note, &verdict, NULL), 0);
    ck_assert_int_eq(verdict.calls, 1);
    ck_assert_int_eq(verdict.result, 0);
    ck_assert_str_eq(upload_sum(upload), "");
    upload_free(upload);
    expect_file(path, "now", 0644);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mtim.tv_sec, 1234567890);
    ck_assert_int_eq(st.st_mtim.tv_nsec, 250000000);
}
END_TEST

#define HOLE (1024 * 1024)

/* Zeros take no room, wherever the pieces are cut; also at the end. */
START_TEST(sparse)
{
    const struct upload_options options = { .overwrite = true,
                                            .sparse = true,
                                            .digested = true };
    struct upload *upload = begin(path, &options);
    AUTO_FREE char *zeros = calloc(1, HOLE);
    struct stat st;
    char sum[DIGEST_HEX_MAX];
    int fd;

    write_text(upload, "begin");
    ck_assert_int_eq(upload_write(upload, zeros, HOLE, NULL), 0);
    write_text(upload, "middle");
    for (size_t n = 0; n < HOLE; n += 8191)
        ck_assert_int_eq(upload_write(upload, zeros,
                                      HOLE - n < 8191 ? HOLE - n : 8191, NULL),
                         0);
    ck_assert_int_eq(commit(upload).result, 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 2 * HOLE + 11);
    ck_assert_int_le(st.st_blocks * 512, HOLE / 4);
    fd = open(path, O_RDONLY);
    ck_assert_int_eq(digest_file(DIGEST_MD5, fd, st.st_size, sum), st.st_size);
    close(fd);
    ck_assert_str_eq(sum, upload_sum(upload));
    upload_free(upload);
}
END_TEST

START_TEST(conditions)
{
    struct upload_options options = replace;
    struct upload *upload = NULL;
    char etag[ETAG_MAX];
    struct stat st;

    options.if_none_match = "*";
    ck_assert_int_eq(put(path, "first", &options), 0);
    ck_assert_int_eq(upload_begin(&policy, path, &options, &upload, NULL),
                     STATUS_PRECONDITION_FAILED);
    ck_assert_int_eq(stat(path, &st), 0);
    etag_make(&st, etag);
    options = replace;
    options.if_match = etag;
    upload = begin(path, &options);
    write_text(upload, "second");
    ck_assert_int_eq(chmod(path, 0600), 0); /* another ctime: another tag */
    ck_assert_int_eq(commit(upload).result, STATUS_PRECONDITION_FAILED);
    upload_free(upload);
    expect_file(path, "first", 0600);
    options.if_match = "*";
    ck_assert_int_eq(put(path, "third", &options), 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(upload_begin(&policy, path, &options, &upload, NULL),
                     STATUS_PRECONDITION_FAILED);
}
END_TEST

START_TEST(expectations)
{
    struct upload *upload = begin(path, &replace);

    ck_assert_int_eq(upload_expect(upload, "b1946", NULL),
                     STATUS_INVALID_PARAMS);
    ck_assert_int_eq(
        upload_expect(upload, "B1946ac92492d2347c6235b4d2611184", NULL),
        STATUS_INVALID_PARAMS);
    ck_assert_int_eq(upload_expect(upload, HANDSHAKE_MD5, NULL), 0);
    write_text(upload, "hello");
    ck_assert(upload_differs(upload));
    upload_free(upload);
}
END_TEST

/* --- mode and owner ------------------------------------------------------ */

static const struct {
    const char *mode;
    int result;
    unsigned int want;
} modes[] = {
    { "0600", 0, 0600 },
    { "755", 0, 0755 },
    { "0", 0, 0 },
    { "4755", 0, 04755 },
    { "7777", 0, 07777 },
    { "0777", 0, 0777 },
    { "", STATUS_INVALID_PARAMS, 0 },
    { "8", STATUS_INVALID_PARAMS, 0 },
    { "10000", STATUS_INVALID_PARAMS, 0 },
    { "u+x", STATUS_INVALID_PARAMS, 0 },
    { "-1", STATUS_INVALID_PARAMS, 0 },
};

START_TEST(mode)
{
    const struct upload_options options = { .mode = modes[_i].mode,
                                            .overwrite = true };
    struct upload *upload = NULL;
    struct stat st;
    int r = upload_begin(&policy, path, &options, &upload, NULL);

    ck_assert_msg(r == modes[_i].result, "'%s': %d", modes[_i].mode, r);
    if (r) {
        ck_assert_int_eq(files(), 0);
        return;
    }
    ck_assert_int_eq(commit(upload).result, 0);
    upload_free(upload);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, modes[_i].want);
}
END_TEST

START_TEST(mode_is_kept)
{
    static const unsigned int kept[][2] = {
        { 0600, 0600 }, { 0640, 0640 },  { 0755, 0755 },
        { 0444, 0444 }, { 04755, 0755 }, { 02755, 0755 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
        unlink(path);
        unit_write_file(path, "old");
        ck_assert_int_eq(chmod(path, kept[i][0]), 0);
        ck_assert_int_eq(put(path, "new", &replace), 0);
        expect_file(path, "new", kept[i][1]);
    }
}
END_TEST

/* What a mode is for, when the file is there and when it is not. */
START_TEST(mode_of_a_new_file)
{
    const struct upload_options options = { .mode = "0755",
                                            .keep = true,
                                            .overwrite = true };

    ck_assert_int_eq(put(path, "new", &options), 0);
    expect_file(path, "new", 0755);
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_int_eq(put(path, "newer", &options), 0);
    expect_file(path, "newer", 0600);
}
END_TEST

START_TEST(owner_is_kept)
{
    struct stat st;

    if (geteuid() != 0)
        return;
    unit_write_file(path, "old");
    ck_assert_int_eq(chown(path, 1234, 5678), 0);
    ck_assert_int_eq(chmod(path, 06755), 0);
    ck_assert_int_eq(put(path, "new", &replace), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_uid, 1234);
    ck_assert_uint_eq(st.st_gid, 5678);
    ck_assert_uint_eq(st.st_mode & 07777, 0755);
}
END_TEST

START_TEST(owner_is_set)
{
    static const struct {
        const char *owner, *group;
        int result;
        uid_t uid;
        gid_t gid;
    } cases[] = {
        { "1234", NULL, 0, 1234, 0 },
        { NULL, "4321", 0, 0, 4321 },
        { "1234", "4321", 0, 1234, 4321 },
        { "root", "root", 0, 0, 0 },
        { "vsrpc-nobody-has-this", NULL, -EINVAL, 0, 0 },
        { NULL, "vsrpc-nobody-has-this", -EINVAL, 0, 0 },
        { "", NULL, -EINVAL, 0, 0 },
        { "-1", NULL, -EINVAL, 0, 0 },
        { "4294967295", NULL, -EINVAL, 0, 0 }, /* chown(2)'s "keep" */
        { "4294967296", NULL, -EINVAL, 0, 0 },
    };

    if (geteuid() != 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct upload_options options = { .owner = cases[i].owner,
                                                .group = cases[i].group,
                                                .overwrite = true };
        struct stat st;
        int r = put(path, "x", &options);

        ck_assert_msg(r == cases[i].result, "case %zu: %d", i, r);
        if (r) {
            ck_assert_int_eq(files(), 0);
            continue;
        }
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_uid, cases[i].uid);
        ck_assert_uint_eq(st.st_gid, cases[i].gid);
        ck_assert_int_eq(unlink(path), 0);
    }
}
END_TEST

/* --- what is in the way -------------------------------------------------- */

START_TEST(links)
{
    AUTO_FREE char *link = unit_path(dir, "link");
    struct upload *upload = NULL;
    struct stat st;

    /* followed, as cp does */
    unit_write_file(path, "old");
    ck_assert_int_eq(symlink("file", link), 0);
    ck_assert_int_eq(put(link, "new", &replace), 0);
    expect_file(path, "new", 0600);
    ck_assert_int_eq(lstat(link, &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    /* a dangling one is neither replaced nor written through, as with cp */
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(upload_begin(&policy, link, &replace, &upload, NULL),
                     STATUS_FILE_OPERATION_FAILED);
    ck_assert_int_eq(lstat(link, &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(no_regular_file)
{
    struct upload *upload = NULL;

    ck_assert_int_eq(mkdir(path, 0755), 0);
    ck_assert_int_eq(upload_begin(&policy, path, &replace, &upload, NULL),
                     -EISDIR);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(upload_begin(&policy, path, &replace, &upload, NULL),
                     STATUS_FILE_OPERATION_FAILED);
    ck_assert_int_eq(upload_begin(&policy, "/vsrpc", &replace, &upload, NULL),
                     STATUS_PERMISSION_DENIED);
    ck_assert_ptr_null(upload);
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* A folder came where the file belongs. */
START_TEST(folder_came)
{
    struct upload *upload;
    struct verdict verdict;

    if (!forbid_unnamed(_i))
        return;
    upload = begin(path, &replace);
    write_text(upload, "new");
    ck_assert_int_eq(mkdir(path, 0755), 0);
    verdict = commit(upload);
    ck_assert_int_eq(verdict.result, -EISDIR);
    ck_assert_ptr_nonnull(strstr(verdict.message, path));
    upload_free(upload);
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* --- file systems that can less ------------------------------------------ */

/* No nameless files and no links, as FAT has it. */
START_TEST(without_links)
{
    static const struct upload_options keep = { .overwrite = false };
    struct upload *upload;

    if (!forbid_unnamed(1)
        || !forbid(SYS_linkat, 0, 0, SECCOMP_RET_ERRNO | EPERM))
        return;
    ck_assert_int_eq(put(path, "new", &replace), 0);
    expect_file(path, "new", 0644);
    ck_assert_int_eq(put(path, "newer", &replace), 0);
    expect_file(path, "newer", 0644);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(put(path, "kept", &keep), 0);
    expect_file(path, "kept", 0644);
    ck_assert_int_eq(unlink(path), 0);
    upload = begin(path, &keep);
    write_text(upload, "new");
    unit_write_file(path, "came");
    ck_assert_int_eq(commit(upload).result, -EEXIST);
    upload_free(upload);
    expect_file(path, "came", 0600);
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* The worker dies at its last step, when the hidden name is there. */
START_TEST(worker_dies)
{
    struct upload *upload;
    struct verdict verdict;

    unit_write_file(path, "old");
    if (!forbid_unnamed(_i) || !forbid(SYS_renameat, 0, 0, SECCOMP_RET_KILL))
        return;
    upload = begin(path, &replace);
    write_text(upload, "new");
    verdict = commit(upload);
    ck_assert_int_eq(verdict.result, -EIO);
    upload_free(upload);
    expect_file(path, "old", 0600);
    ck_assert_int_eq(files(), 1);
}
END_TEST

static void add_both_ways(TCase *tcase)
{
    tcase_add_loop_test(tcase, new_file, 0, 2);
    tcase_add_loop_test(tcase, rewound, 0, 2);
    tcase_add_loop_test(tcase, empty_file, 0, 2);
    tcase_add_loop_test(tcase, replaces, 0, 2);
    tcase_add_loop_test(tcase, replaces_at_once, 0, 2);
    tcase_add_loop_test(tcase, no_overwrite, 0, 2);
    tcase_add_loop_test(tcase, no_overwrite_of_what_came, 0, 2);
    tcase_add_loop_test(tcase, gone_before_commit, 0, 2);
    tcase_add_loop_test(tcase, freed_half_way, 0, 2);
    tcase_add_loop_test(tcase, freed_while_committed, 0, 2);
    tcase_add_loop_test(tcase, folder_came, 0, 2);
    tcase_add_loop_test(tcase, worker_dies, 0, 2);
}

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    add_both_ways(tcase);
    tcase_add_loop_test(tcase, lets_go, 0, 2);
    tcase_add_test(tcase, part_of_what_failed);
    tcase_add_test(tcase, part_is_gone_on_with);
    tcase_add_test(tcase, part_is_digested);
    tcase_add_test(tcase, part_is_too_short);
    tcase_add_test(tcase, part_is_ours);
    tcase_add_test(tcase, rest_of_an_old_file);
    tcase_add_test(tcase, short_timeout);
    tcase_add_test(tcase, sparse);
    tcase_add_test(tcase, conditions);
    tcase_add_test(tcase, expectations);
    tcase_add_loop_test(tcase, mode, 0, ARRAY_SIZE(modes));
    tcase_add_test(tcase, mode_is_kept);
    tcase_add_test(tcase, mode_of_a_new_file);
    tcase_add_test(tcase, owner_is_kept);
    tcase_add_test(tcase, owner_is_set);
    tcase_add_test(tcase, links);
    tcase_add_test(tcase, no_regular_file);
    tcase_add_test(tcase, without_links);
}
