/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/policy/path_policy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/status.h"
#include "unit/unit.h"
#include "util/fd.h"

/* test-path-walk.c has the other one. */
#ifndef WAY
#define WAY opath_way()
#define UNIT_NAME "path-policy"
#endif

const char unit_name[] = UNIT_NAME;

#define DENIED STATUS_PERMISSION_DENIED

/* --- with files ---------------------------------------------------------- */

/*
 * in/            allowed
 *   file         "in"
 *   out          -> ../out/file
 *   outdir       -> ../out
 *   dangling     -> ../out/missing
 *   inside       -> file
 *   loop         -> loop
 *   fifo
 *   ro/file      read-only
 *   no/file      forbidden
 *   tono         -> no/file
 *   secret       forbidden, and not there
 *   kept         read-only, and not there
 * out/file       "out"
 * infoo/file     "infoo"
 * ro2/file       read-only, not allowed
 * link           -> in
 */
struct tree {
    char *top;
    struct path_policy policy;
};

static struct tree tree;

static char *at(const char *name)
{
    return unit_path(tree.top, name);
}

static void make_dir(const char *name)
{
    AUTO_FREE char *path = at(name);

    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void make_file(const char *name, const char *text)
{
    AUTO_FREE char *path = at(name);

    unit_write_file(path, text);
}

static void make_link(const char *name, const char *to)
{
    AUTO_FREE char *path = at(name);

    ck_assert_int_eq(symlink(to, path), 0);
}

static void list_at(struct strlist *list, const char *name)
{
    AUTO_FREE char *path = at(name);

    ck_assert_int_eq(strlist_add(list, path), 0);
}

static void tree_make(void)
{
    AUTO_FREE char *made = unit_tmpdir();

    /* Where it really is, whatever TMPDIR says. */
    tree.top = realpath(made, NULL);
    make_dir("in");
    make_dir("in/ro");
    make_dir("in/no");
    make_dir("out");
    make_dir("infoo");
    make_dir("ro2");
    make_file("in/file", "in");
    make_file("in/ro/file", "ro");
    make_file("in/no/file", "no");
    make_file("out/file", "out");
    make_file("infoo/file", "infoo");
    make_file("ro2/file", "ro2");
    make_link("in/out", "../out/file");
    make_link("in/outdir", "../out");
    make_link("in/dangling", "../out/missing");
    make_link("in/inside", "file");
    make_link("in/loop", "loop");
    make_link("in/tono", "no/file");
    make_link("link", "in");
}

static void setup(void)
{
    struct strlist allowed = { 0 };
    struct strlist readonly = { 0 };
    struct strlist forbidden = { 0 };
    AUTO_FREE char *fifo = NULL;

    tree_make();
    fifo = at("in/fifo");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    list_at(&allowed, "in/");
    list_at(&readonly, "in/ro");
    list_at(&readonly, "in/kept");
    list_at(&readonly, "ro2/");
    list_at(&forbidden, "in/no/");
    list_at(&forbidden, "in/secret");
    ck_assert_int_eq(
        path_policy_init(&tree.policy, &allowed, &readonly, &forbidden), 0);
    tree.policy.way = WAY;
    strlist_free(&allowed);
    strlist_free(&readonly);
    strlist_free(&forbidden);
}

static void teardown(void)
{
    path_policy_free(&tree.policy);
    unit_rmtree(tree.top);
}

#define NOT_THERE 1 /* found->fd is -1, and that is all */

static const struct {
    const char *name;
    int look, read;
} finds[] = {
    { "in", 0, 0 },
    { "in/", 0, 0 },
    { "in/file", 0, 0 },
    { "in//file", 0, 0 },
    { "in/./file", 0, 0 },
    { "in/ro/../file", 0, 0 },
    { "in/inside", 0, 0 },
    { "link/file", 0, 0 },
    { "out/../in/file", 0, 0 },
    { "in/fifo", 0, 0 },
    { "in/ro/file", 0, 0 },
    { "ro2/file", 0, 0 },
    { "in/no/file", 0, DENIED },
    { "in/no", 0, DENIED },
    { "in/tono", 0, DENIED },
    { "in/ro/../no/file", 0, DENIED },
    /* ways out */
    { "", DENIED, DENIED },
    { "out/file", DENIED, DENIED },
    { "infoo/file", DENIED, DENIED },
    { "infoo", DENIED, DENIED },
    { "in/../out/file", DENIED, DENIED },
    { "in/../infoo/file", DENIED, DENIED },
    { "in/..", DENIED, DENIED },
    { "in/out", DENIED, DENIED },
    { "in/outdir", DENIED, DENIED },
    { "in/outdir/file", DENIED, DENIED },
    { "in/outdir/../in/../out/file", DENIED, DENIED },
    { "link/../out/file", DENIED, DENIED },
    { "link", 0, 0 },
    /* nothing there: known only where one may look */
    { "in/missing", NOT_THERE, NOT_THERE },
    { "in/missing/deeper/still", NOT_THERE, NOT_THERE },
    { "in/file/below", NOT_THERE, NOT_THERE },
    { "in/ro/missing", NOT_THERE, NOT_THERE },
    { "in/no/missing", NOT_THERE, DENIED },
    { "out/missing", DENIED, DENIED },
    { "out/missing/deeper", DENIED, DENIED },
    { "in/outdir/missing", DENIED, DENIED },
    { "infoo/missing", DENIED, DENIED },
    { "missing", DENIED, DENIED },
    { "in/../missing", DENIED, DENIED },
    { "in/loop", -ELOOP, -ELOOP },
};

START_TEST(find)
{
    AUTO_FREE char *path = at(finds[_i].name);

    for (int i = 0; i < 2; i++) {
        int want = i ? finds[_i].read : finds[_i].look;
        struct error err = ERROR_INIT;
        struct path_found found;
        int r = path_find(&tree.policy, path, i ? PATH_READ : PATH_LOOK,
                          &found, &err);

        if (r == 0 && !opath_is_open(&found.file))
            r = NOT_THERE;
        ck_assert_msg(r == want, "'%s', %d: %d %s", finds[_i].name, i, r,
                      err.message);
        if (r)
            ck_assert(!opath_is_open(&found.file));
        opath_close(&found.file);
    }
}
END_TEST

/* Another process renames a new file over "in/NAME", again and again.  Return: the
 * process. */
static pid_t replace_for_ever(const char *name)
{
    AUTO_FREE char *old = at(name);
    AUTO_FREE char *new = at("out/new");
    pid_t pid;

    unit_write_file(old, "one");
    pid = fork();
    while (pid == 0) {
        int fd = open(new, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0 || close(fd) < 0 || rename(new, old) < 0)
            _exit(1);
    }
    ck_assert_int_gt(pid, 0);
    return pid;
}

static void end(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
}

/* In one of some hundred the kernel's name of what was opened is another one. */
#define RACES 20000

START_TEST(replaced_and_forbidden)
{
    AUTO_FREE char *path = at("in/secret");
    pid_t pid = replace_for_ever("in/secret");

    for (int i = 0; i < RACES; i++) {
        struct path_found found;
        int r = path_find(&tree.policy, path, PATH_READ, &found, NULL);

        opath_close(&found.file);
        if (r != DENIED)
            end(pid);
        ck_assert_int_eq(r, DENIED);
    }
    end(pid);
}
END_TEST

START_TEST(replaced_and_written)
{
    AUTO_FREE char *path = at("in/file");
    pid_t pid = replace_for_ever("in/file");

    for (int i = 0; i < RACES; i++) {
        struct path_target target;
        int r = path_target(&tree.policy, path, &target, NULL);

        fd_close(&target.dir);
        if (r || strcmp(target.name, "file") != 0)
            end(pid);
        ck_assert_int_eq(r, 0);
        ck_assert_str_eq(target.name, "file");
    }
    end(pid);
}
END_TEST

/* Another process gives "in/prey" to a file and to a link that leads out in
 * turn, and "in/den" to a folder and such a link.  Return: the process. */
static pid_t swap_for_ever(void)
{
    AUTO_FREE char *folder = at("in");
    AUTO_CLOSE int in = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pid_t pid;

    make_dir("in/den");
    make_file("in/den/file", "in");
    make_file("in/prey", "in");
    make_link("in/denlink", "../out");
    pid = fork();
    while (pid == 0)
        if (linkat(in, "file", in, "new", 0) < 0
            || symlinkat("../out/file", in, "newlink") < 0
            || renameat(in, "newlink", in, "prey") < 0
            || renameat(in, "new", in, "prey") < 0
            || renameat(in, "den", in, "was") < 0
            || renameat(in, "denlink", in, "den") < 0
            || renameat(in, "den", in, "denlink") < 0
            || renameat(in, "was", in, "den") < 0)
            _exit(1);
    ck_assert_int_gt(pid, 0);
    return pid;
}

/* What is read is what was judged. */
START_TEST(swapped_for_links)
{
    static const char *const names[] = { "in/prey", "in/den/file" };
    AUTO_FREE char *path = at(names[_i]);
    pid_t pid = swap_for_ever();
    bool wrong = false;
    unsigned int got = 0;
    unsigned int denied = 0;

    for (unsigned int i = 0; !wrong && (i < RACES || !got || !denied); i++) {
        struct path_found found;
        char text[8] = "";
        int fd = -1;
        int r = path_open(&tree.policy, path, &found, &fd, NULL);

        if (r == 0)
            wrong = read(fd, text, sizeof(text) - 1) != 2
                    || strcmp(text, "in") != 0;
        else
            wrong = r != DENIED && r != -ENOENT;
        got += r == 0;
        denied += r == DENIED;
        fd_close(&fd);
    }
    end(pid);
    ck_assert(!wrong);
}
END_TEST

/* A name may end as the kernel's word for what is not there any more. */
START_TEST(called_deleted)
{
    AUTO_FREE char *path = at("in/file (deleted)");
    struct path_found found;

    unit_write_file(path, "here");
    ck_assert_int_eq(path_find(&tree.policy, path, PATH_READ, &found, NULL),
                     0);
    ck_assert_str_eq(found.real, path);
    opath_close(&found.file);
}
END_TEST

/* A dangling link says nothing about the place it points to. */
START_TEST(find_dangling)
{
    AUTO_FREE char *path = at("in/dangling");
    AUTO_FREE char *missing = at("in/missing");
    struct path_found found;
    struct path_found other;

    ck_assert_int_eq(
        path_find(&tree.policy, path, PATH_READ, &found, NULL),
        path_find(&tree.policy, missing, PATH_READ, &other, NULL));
    ck_assert(!opath_is_open(&found.file));
}
END_TEST

START_TEST(find_tells_where)
{
    AUTO_FREE char *path = at("link/ro/../inside");
    AUTO_FREE char *real = at("in/file");
    struct path_found found;

    ck_assert_int_eq(path_find(&tree.policy, path, PATH_READ, &found, NULL),
                     0);
    ck_assert_str_eq(found.real, real);
    ck_assert_int_eq(found.st.st_size, 2);
    opath_close(&found.file);
}
END_TEST

/* What is judged is what is read, also when the name is given to another
 * file in between. */
START_TEST(reopen_keeps_the_file)
{
    AUTO_FREE char *path = at("in/file");
    AUTO_FREE char *secret = at("out/file");
    struct path_found found;
    char text[8] = "";
    int fd;

    ck_assert_int_eq(path_find(&tree.policy, path, PATH_READ, &found, NULL),
                     0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink(secret, path), 0);
    fd = opath_reopen(&found.file);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(read(fd, text, sizeof(text) - 1), 2);
    ck_assert_str_eq(text, "in");
    close(fd);
    opath_close(&found.file);
}
END_TEST

static const struct {
    const char *name;
    int result;
} opens[] = {
    { "in/file", 0 },
    { "in/inside", 0 },
    { "ro2/file", 0 },
    { "in", -EISDIR },
    { "in/fifo", STATUS_FILE_OPERATION_FAILED },
    { "in/missing", -ENOENT },
    { "in/dangling", -ENOENT },
    { "in/no/file", DENIED },
    { "in/out", DENIED },
    { "out/file", DENIED },
    { "out/missing", DENIED },
};

START_TEST(open_content)
{
    AUTO_FREE char *path = at(opens[_i].name);
    struct error err = ERROR_INIT;
    struct path_found found;
    int fd = -1;
    int r = path_open(&tree.policy, path, &found, &fd, &err);

    ck_assert_msg(r == opens[_i].result, "%s: %d %s", opens[_i].name, r,
                  err.message);
    ck_assert_int_eq(r == 0, fd >= 0);
    ck_assert(!opath_is_open(&found.file));
    fd_close(&fd);
}
END_TEST

static const struct {
    const char *name;
    int result;
    const char *real; /* of the target; NULL: it is refused */
    bool exists;
} targets[] = {
    { "in/new", 0, "in/new", false },
    { "in/new/", 0, "in/new", false },
    { "in//new", 0, "in/new", false },
    { "link/new", 0, "in/new", false },
    { "in/file", 0, "in/file", true },
    { "in/inside", 0, "in/file", true },
    { "out/../in/new", 0, "in/new", false },
    /* a dangling link is what will be replaced, not where it points to */
    { "in/dangling", 0, "in/dangling", true },
    { "in/loop", 0, "in/loop", true },
    { "in", 0, "in", true },
    { "in/fifo", 0, "in/fifo", true },
    { "in/no/new", DENIED, NULL, false },
    { "in/no/file", DENIED, NULL, false },
    { "in/tono", DENIED, NULL, false },
    { "in/ro/new", DENIED, NULL, false },
    { "in/ro/file", DENIED, NULL, false },
    { "ro2/new", DENIED, NULL, false },
    { "in/out", DENIED, NULL, false },
    { "in/outdir/new", DENIED, NULL, false },
    { "in/outdir/", DENIED, NULL, false },
    { "in/../out/new", DENIED, NULL, false },
    { "infoo/new", DENIED, NULL, false },
    { "out/new", DENIED, NULL, false },
    { "out/missing/new", DENIED, NULL, false },
    { "in/missing/new", -ENOENT, NULL, false },
    { "in/file/new", -ENOTDIR, NULL, false },
    { "in/missing/..", STATUS_INVALID_PARAMS, NULL, false },
    { "in/missing/.", STATUS_INVALID_PARAMS, NULL, false },
    { "in/no/..", 0, "in", true }, /* a folder: the upload refuses it */
};

START_TEST(target)
{
    AUTO_FREE char *path = at(targets[_i].name);
    struct error err = ERROR_INIT;
    struct path_target got;
    int r = path_target(&tree.policy, path, &got, &err);

    ck_assert_msg(r == targets[_i].result, "%s: %d %s", targets[_i].name, r,
                  err.message);
    ck_assert_int_eq(r == 0, got.dir >= 0);
    if (r == 0) {
        AUTO_FREE char *real = at(targets[_i].real);

        ck_assert_str_eq(got.real, real);
        ck_assert_str_eq(got.name, strrchr(real, '/') + 1);
        ck_assert_int_eq(got.exists, targets[_i].exists);
        close(got.dir);
    }
}
END_TEST

static const char *const odd_names[] = {
    " ",    "a b",      "\n",           "a\nb", "\t",      "*",
    "$(x)", "'",        "\"",           "\\",   "-rf",     "\x01",
    "\x7F", "\xFF\xFE", "\xE4\xB8\xAD", "...",  ".hidden", "a (deleted)",
};

START_TEST(odd_bytes)
{
    AUTO_FREE char *folder = at("in");
    AUTO_FREE char *path = unit_path(folder, odd_names[_i]);
    struct path_found found;
    struct path_target place;

    ck_assert_int_eq(path_find(&tree.policy, path, PATH_READ, &found, NULL),
                     0);
    ck_assert(!opath_is_open(&found.file));
    unit_write_file(path, "odd");
    ck_assert_int_eq(path_find(&tree.policy, path, PATH_READ, &found, NULL),
                     0);
    ck_assert(opath_is_open(&found.file));
    ck_assert_str_eq(found.real, path);
    opath_close(&found.file);
    ck_assert_int_eq(path_target(&tree.policy, path, &place, NULL), 0);
    ck_assert_str_eq(place.name, odd_names[_i]);
    ck_assert(place.exists);
    close(place.dir);
}
END_TEST

static const char *const bad_forms[] = { "", "in/file", "./in", "~", "-" };

START_TEST(not_absolute)
{
    struct path_found found;
    struct path_target place;
    int fd = -1;

    ck_assert_int_eq(
        path_find(&tree.policy, bad_forms[_i], PATH_LOOK, &found, NULL),
        STATUS_INVALID_PARAMS);
    ck_assert_int_eq(path_open(&tree.policy, bad_forms[_i], &found, &fd, NULL),
                     STATUS_INVALID_PARAMS);
    ck_assert_int_eq(path_target(&tree.policy, bad_forms[_i], &place, NULL),
                     STATUS_INVALID_PARAMS);
    ck_assert_int_eq(place.dir, -1);
}
END_TEST

/* "/TOP/in/" and n bytes of 'x', with a slash after each piece. */
static char *long_path(size_t total, size_t piece)
{
    AUTO_FREE char *folder = at("in/");
    char *path = calloc(1, total + 1);
    size_t n = strlen(folder);

    memcpy(path, folder, n);
    for (size_t i = 0; n < total; n++, i++)
        path[n] = i % (piece + 1) == piece ? '/' : 'x';
    return path;
}

START_TEST(bounds)
{
    static const struct {
        size_t total, piece;
        int find, write;
    } sizes[] = {
        { PATH_MAX - 1, 200, NOT_THERE, -ENOENT },
        { PATH_MAX, 200, STATUS_INVALID_PARAMS, STATUS_INVALID_PARAMS },
        { PATH_MAX + 1, 200, STATUS_INVALID_PARAMS, STATUS_INVALID_PARAMS },
        { 100000, 200, STATUS_INVALID_PARAMS, STATUS_INVALID_PARAMS },
        { PATH_MAX - 1, 1, NOT_THERE, -ENOENT },
        { 1000, NAME_MAX, NOT_THERE, -ENOENT },
        { 1000, NAME_MAX + 1, -ENAMETOOLONG, -ENAMETOOLONG },
    };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        AUTO_FREE char *path = long_path(sizes[i].total, sizes[i].piece);
        struct error err = ERROR_INIT;
        struct path_found found;
        struct path_target place;
        int r = path_find(&tree.policy, path, PATH_READ, &found, &err);

        if (r == 0 && !opath_is_open(&found.file))
            r = NOT_THERE;
        ck_assert_msg(r == sizes[i].find, "%zu: %d %s", i, r, err.message);
        r = path_target(&tree.policy, path, &place, &err);
        ck_assert_msg(r == sizes[i].write, "%zu: %d %s", i, r, err.message);
        ck_assert_int_eq(place.dir, -1);
    }
}
END_TEST

static const struct {
    const char *name;
    int result;       /* of path_look() */
    const char *real; /* what was found (NULL: it is refused) */
    bool link;
} looks[] = {
    { "in/file", 0, "in/file", false },
    { "in/inside", 0, "in/inside", true },
    { "in/dangling", 0, "in/dangling", true },
    { "in/loop", 0, "in/loop", true },
    { "in/out", 0, "in/out", true },
    { "in/outdir", 0, "in/outdir", true },
    { "in/tono", 0, "in/tono", true },
    { "in/no/file", 0, "in/no/file", false },
    /* on the way, and with a '/' behind it, a link is followed */
    { "link/inside", 0, "in/inside", true },
    { "link/", 0, "in", false },
    { "link", DENIED, NULL, false },
    { "in/outdir/", DENIED, NULL, false },
    { "in/outdir/file", DENIED, NULL, false },
    { "in/outdir/.", DENIED, NULL, false },
    { "in/loop/", -ELOOP, NULL, false },
};

START_TEST(look)
{
    AUTO_FREE char *path = at(looks[_i].name);
    struct path_found found;
    int r = path_look(&tree.policy, path, &found, NULL);

    ck_assert_int_eq(r, looks[_i].result);
    ck_assert_int_eq(opath_is_open(&found.file), r == 0);
    if (r == 0) {
        AUTO_FREE char *real = at(looks[_i].real);

        ck_assert_str_eq(found.real, real);
        ck_assert_int_eq(S_ISLNK(found.st.st_mode), looks[_i].link);
    }
    opath_close(&found.file);
}
END_TEST

static const struct {
    const char *name;
    int result;
    const char *real; /* NULL: it is refused */
    bool exists;
} places[] = {
    { "in/new", 0, "in/new", false },
    { "in/file", 0, "in/file", true },
    { "in/inside", 0, "in/inside", true },
    { "in/dangling", 0, "in/dangling", true },
    { "in/loop", 0, "in/loop", true },
    { "in/out", 0, "in/out", true },
    { "in/outdir", 0, "in/outdir", true },
    { "in/outdir/", 0, "in/outdir", true },
    { "in/tono", 0, "in/tono", true },
    { "link/inside", 0, "in/inside", true },
    { "in/ro/../inside", 0, "in/inside", true },
    { "link", DENIED, NULL, false },
    { "in/outdir/file", DENIED, NULL, false },
    { "in/outdir/new", DENIED, NULL, false },
    { "in/../out/file", DENIED, NULL, false },
    { "in/no", DENIED, NULL, false },
    { "in/no/file", DENIED, NULL, false },
    { "in/ro/file", DENIED, NULL, false },
    { "in/ro", DENIED, NULL, false },
    { "in/missing/new", -ENOENT, NULL, false },
    { "in/no/missing/new", DENIED, NULL, false },
    { "in/file/new", -ENOTDIR, NULL, false },
    { "in/.", STATUS_INVALID_PARAMS, NULL, false },
    { "in/..", STATUS_INVALID_PARAMS, NULL, false },
};

START_TEST(place_of)
{
    AUTO_FREE char *path = at(places[_i].name);
    bool exists = places[_i].exists;
    struct path_target spot;
    struct path_found found;
    int r = path_place(&tree.policy, path, &spot, NULL);

    ck_assert_msg(r == places[_i].result, "%s: %d", places[_i].name, r);
    ck_assert_int_eq(spot.dir >= 0, r == 0);
    if (r == 0) {
        AUTO_FREE char *real = at(places[_i].real);

        ck_assert_str_eq(spot.real, real);
        ck_assert_int_eq(spot.exists, exists);
    }
    fd_close(&spot.dir);
    /* what is held is what is there */
    r = path_hold(&tree.policy, path, &found, NULL);
    ck_assert_int_eq(r, places[_i].result || exists ? places[_i].result
                                                    : -ENOENT);
    ck_assert_int_eq(opath_is_open(&found.file), r == 0);
    if (r == 0)
        ck_assert_str_eq(found.real, spot.real);
    opath_close(&found.file);
}
END_TEST

/* A name that is as long as a name can be, and one byte more. */
START_TEST(longest_name)
{
    char name[NAME_MAX + 2] = "";
    AUTO_FREE char *folder = at("in");
    struct path_target place;

    memset(name, 'n', NAME_MAX);
    for (int more = 0; more < 2; more++) {
        AUTO_FREE char *path = NULL;

        name[NAME_MAX] = more ? 'n' : '\0';
        path = unit_path(folder, name);
        ck_assert_int_eq(path_target(&tree.policy, path, &place, NULL),
                         more ? -ENAMETOOLONG : 0);
        if (!more)
            ck_assert_uint_eq(strlen(place.name), NAME_MAX);
        fd_close(&place.dir);
    }
}
END_TEST

/* A folder so deep that its real name fits no buffer. */
START_TEST(deeper_than_path_max)
{
    AUTO_FREE char *in = at("in");
    char name[201] = "";
    int dir = open(in, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char link[32];
    AUTO_FREE char *path = NULL;
    struct path_target place;
    struct path_found found;

    memset(name, 'd', sizeof(name) - 1);
    for (size_t i = 0; i < PATH_MAX / 200 + 1; i++) {
        int next;

        ck_assert_int_eq(mkdirat(dir, name, 0755), 0);
        next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(next, 0);
        close(dir);
        dir = next;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
    path = unit_path(link, "file");
    ck_assert_int_ne(path_find(&tree.policy, link, PATH_LOOK, &found, NULL),
                     0);
    ck_assert_int_ne(path_find(&tree.policy, path, PATH_LOOK, &found, NULL),
                     0);
    ck_assert_int_ne(path_target(&tree.policy, path, &place, NULL), 0);
    ck_assert_int_eq(place.dir, -1);
    close(dir);
    /* nftw() cannot either: take it down from the top. */
    ck_assert_int_eq(chdir(in), 0);
    for (size_t i = 0; i < PATH_MAX / 200; i++)
        ck_assert_int_eq(chdir(name), 0);
    for (size_t i = 0; i < PATH_MAX / 200 + 1; i++) {
        ck_assert_int_eq(rmdir(name), 0);
        ck_assert_int_eq(chdir(".."), 0);
    }
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

/* Of a file that an entry names, another name is a hard link (in/again). */
static const struct {
    const char *file;
    int read, write;
} hard[] = {
    { "in/secret", DENIED, DENIED },
    { "in/kept", 0, DENIED },
    { "in/program", 0, DENIED }, /* of a handler */
    { "in/file", 0, 0 },
};

/* A program of the list is guarded, and nothing else. */
static void guard_program(struct settings *settings)
{
    AUTO_FREE char *program = at("in/program");

    ck_assert_int_eq(settings_init(settings), 0);
    strlist_free(&settings->allowed_commands);
    ck_assert_int_eq(strlist_add(&settings->allowed_commands, program), 0);
    tree.policy.guarded = settings;
}

START_TEST(hard_link)
{
    AUTO_FREE char *file = at(hard[_i].file);
    AUTO_FREE char *path = at("in/again");
    struct path_target spot;
    struct settings settings;
    struct path_found found;
    int fd = -1;

    guard_program(&settings);
    unit_write_file(file, "text");
    ck_assert_int_eq(link(file, path), 0);
    ck_assert_int_eq(path_find(&tree.policy, path, PATH_LOOK, &found, NULL),
                     0);
    opath_close(&found.file);
    ck_assert_int_eq(path_open(&tree.policy, path, &found, &fd, NULL),
                     hard[_i].read);
    fd_close(&fd);
    ck_assert_int_eq(path_hold(&tree.policy, path, &found, NULL),
                     hard[_i].write);
    opath_close(&found.file);
    ck_assert_int_eq(path_target(&tree.policy, path, &spot, NULL),
                     hard[_i].write);
    ck_assert_int_eq(spot.dir >= 0, hard[_i].write == 0);
    fd_close(&spot.dir);
    /* the name may be removed */
    ck_assert_int_eq(path_place(&tree.policy, path, &spot, NULL), 0);
    fd_close(&spot.dir);
    settings_free(&settings);
}
END_TEST

/* --- entries of the lists ------------------------------------------------ */

static void policy_of(struct path_policy *policy, const char *allowed,
                      const char *forbidden)
{
    struct strlist lists[3] = { { 0 }, { 0 }, { 0 } };

    list_at(&lists[0], allowed);
    if (forbidden)
        list_at(&lists[2], forbidden);
    ck_assert_int_eq(path_policy_init(policy, &lists[0], &lists[1], &lists[2]),
                     0);
    policy->way = WAY;
    for (size_t i = 0; i < 3; i++)
        strlist_free(&lists[i]);
}

/* An entry that is a link, or goes through one, means where that leads. */
START_TEST(entry_is_a_link)
{
    AUTO_FREE char *path = at("in/file");
    struct path_policy policy;
    struct path_found found;

    policy_of(&policy, "link", NULL);
    ck_assert_int_eq(path_find(&policy, path, PATH_READ, &found, NULL), 0);
    opath_close(&found.file);
    path_policy_free(&policy);
    policy_of(&policy, "in", "link/no/file");
    path_policy_free(&policy);
    policy_of(&policy, "in", "link/file");
    ck_assert_int_eq(path_find(&policy, path, PATH_READ, &found, NULL),
                     DENIED);
    path_policy_free(&policy);
}
END_TEST

/* Forbidden is forbidden, also when it appears only later. */
START_TEST(forbidden_before_it_is_there)
{
    static const char *const entries[] = {
        "link/later",     "link/later/", "link/./later",
        "in/ro/../later", "in//later",   "link/later/secret",
    };

    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        AUTO_FREE char *folder = at("in/later");
        AUTO_FREE char *path = at("in/later/secret");
        struct path_policy policy;
        struct path_found found;
        int r;

        policy_of(&policy, "in", entries[i]);
        make_dir("in/later");
        make_file("in/later/secret", "secret");
        r = path_find(&policy, path, PATH_READ, &found, NULL);
        ck_assert_msg(r == DENIED, "%s: %d", entries[i], r);
        path_policy_free(&policy);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(rmdir(folder), 0);
    }
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, find, 0, ARRAY_SIZE(finds));
    tcase_add_test(tcase, find_dangling);
    tcase_add_test(tcase, replaced_and_forbidden);
    tcase_add_test(tcase, replaced_and_written);
    tcase_add_loop_test(tcase, swapped_for_links, 0, 2);
    tcase_add_test(tcase, called_deleted);
    tcase_add_test(tcase, find_tells_where);
    tcase_add_test(tcase, reopen_keeps_the_file);
    tcase_add_loop_test(tcase, open_content, 0, ARRAY_SIZE(opens));
    tcase_add_loop_test(tcase, target, 0, ARRAY_SIZE(targets));
    tcase_add_loop_test(tcase, look, 0, ARRAY_SIZE(looks));
    tcase_add_loop_test(tcase, place_of, 0, ARRAY_SIZE(places));
    tcase_add_loop_test(tcase, hard_link, 0, ARRAY_SIZE(hard));
    tcase_add_loop_test(tcase, odd_bytes, 0, ARRAY_SIZE(odd_names));
    tcase_add_loop_test(tcase, not_absolute, 0, ARRAY_SIZE(bad_forms));
    tcase_add_test(tcase, bounds);
    tcase_add_test(tcase, longest_name);
    tcase_add_test(tcase, deeper_than_path_max);
    tcase_add_test(tcase, entry_is_a_link);
    tcase_add_test(tcase, forbidden_before_it_is_there);
}
