/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "util/opath.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "unit/unit.h"
#include "util/fd.h"

const char unit_name[] = "opath";

static char *top;
static int dir;

/*
 * Each name is a component of the paths that are tried.
 *
 * d/         a folder with all of it again, down to a depth
 * f          a file
 * u          a file that only its owner may read
 * s/         a folder that others may search only
 * p/         a folder that others may not enter
 * fifo, sock
 * lf ld lu ls lp -> f d u s p;  lr -> d/;  lx -> ..;  la -> the top's d;
 * ll -> ld;  loop -> loop;  gone -> none
 */
static const char *const atoms[] = {
    "d",  "f",  "u",  "p",  "fifo", "sock", "lf",   "ld", "lu", "lp",
    "lr", "lx", "la", "ll", "loop", "gone", "none", "..", ".",  "",
};

static void link_in(int at, const char *to, const char *name)
{
    ck_assert_int_eq(symlinkat(to, at, name), 0);
}

static void file_in(int at, const char *name, mode_t mode)
{
    int fd = openat(at, name, O_CREAT | O_EXCL | O_WRONLY, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, name, strlen(name)), (ssize_t) strlen(name));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void socket_in(int at, const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
             at, name);
    ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)),
                     0);
    close(fd);
}

static int folder_in(int at, const char *name)
{
    int fd;

    ck_assert_int_eq(mkdirat(at, name, 0755), 0);
    fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void tree_in(int at, int depth)
{
    static const char *const links[][2] = {
        { "f", "lf" },      { "d", "ld" },     { "u", "lu" },  { "p", "lp" },
        { "d/", "lr" },     { "..", "lx" },    { "ld", "ll" }, { "s", "ls" },
        { "loop", "loop" }, { "none", "gone" }
    };
    AUTO_FREE char *absolute = unit_path(top, "d");
    static const char *const folders[] = { "d", "s", "p" };
    static const mode_t modes[] = { 0755, 0711, 0700 };

    file_in(at, "f", 0644);
    file_in(at, "u", 0600);
    ck_assert_int_eq(mkfifoat(at, "fifo", 0644), 0);
    socket_in(at, "sock");
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        link_in(at, links[i][0], links[i][1]);
    link_in(at, absolute, "la");
    for (size_t i = 0; depth > 0 && i < ARRAY_SIZE(folders); i++) {
        int fd = folder_in(at, folders[i]);

        tree_in(fd, depth - 1);
        ck_assert_int_eq(fchmod(fd, modes[i]), 0);
        close(fd);
    }
}

static void setup(void)
{
    AUTO_FREE char *made = unit_tmpdir();

    top = realpath(made, NULL);
    ck_assert_int_eq(chmod(top, 0755), 0);
    dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(dir, 0);
    tree_in(dir, 2);
}

static void teardown(void)
{
    ck_assert_int_eq(seteuid(getuid()), 0);
    close(dir);
    unit_rmtree(top);
}

/* As somebody else, where there is one to be. */
static void become_another(void)
{
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65533), 0);
}

/* --- the same answer ------------------------------------------------------- */

struct found {
    int r;
    struct stat st;
    char real[PATH_MAX];
    int reopened; /* 0 or negative errno */
};

static void find(struct found *found, enum opath_way way, const char *path,
                 int flags)
{
    struct opath file;
    int fd;

    *found = (struct found) { .r = opath_open(&file, way, dir, path, flags) };
    ck_assert_int_eq(found->r == 0, opath_is_open(&file));
    if (found->r < 0)
        return;
    ck_assert_int_eq(opath_stat(&file, &found->st), 0);
    ck_assert_int_eq(opath_real(&file, found->real), 0);
    if (S_ISREG(found->st.st_mode) || S_ISDIR(found->st.st_mode)) {
        fd = opath_reopen(&file);
        found->reopened = fd < 0 ? fd : 0;
        fd_close(&fd);
    }
    opath_close(&file);
}

static const int flag_sets[] = { 0, O_NOFOLLOW, O_DIRECTORY,
                                 O_NOFOLLOW | O_DIRECTORY };

static void compare(const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(flag_sets); i++) {
        struct found kernel;
        struct found walk;

        find(&kernel, OPATH_KERNEL, path, flag_sets[i]);
        find(&walk, OPATH_WALK, path, flag_sets[i]);
        ck_assert_msg(kernel.r == walk.r, "'%s' %o: %d %d", path, flag_sets[i],
                      kernel.r, walk.r);
        ck_assert_msg(kernel.st.st_ino == walk.st.st_ino
                          && kernel.st.st_dev == walk.st.st_dev
                          && kernel.st.st_mode == walk.st.st_mode
                          && strcmp(kernel.real, walk.real) == 0,
                      "'%s' %o: '%s' '%s'", path, flag_sets[i], kernel.real,
                      walk.real);
        ck_assert_msg(kernel.reopened == walk.reopened, "'%s' %o: %d %d", path,
                      flag_sets[i], kernel.reopened, walk.reopened);
    }
}

/* All paths of three components, from here and from the root on. */
static void compare_all(void)
{
    size_t n = ARRAY_SIZE(atoms);

    for (size_t i = 0; i < n * n * n; i++) {
        AUTO_FREE char *path = NULL;
        AUTO_FREE char *whole = NULL;

        ck_assert_int_gt(asprintf(&path, "%s/%s/%s", atoms[i / n / n],
                                  atoms[i / n % n], atoms[i % n]),
                         0);
        whole = unit_path(top, path);
        compare(path[0] == '/' ? path + strspn(path, "/") : path);
        compare(whole);
    }
}

START_TEST(same)
{
    compare_all();
}
END_TEST

START_TEST(same_for_another)
{
    become_another();
    compare_all();
}
END_TEST

/* Of a folder that may be searched only, the walk says so. */
START_TEST(search_only)
{
    static const char *const paths[] = { "s/f", "s/none", "ls/lf", "s/." };
    struct found walk;

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        compare(paths[i]);
    become_another();
    for (size_t i = 0;
         geteuid() != 0 && getuid() == 0 && i < ARRAY_SIZE(paths); i++) {
        find(&walk, OPATH_WALK, paths[i], 0);
        ck_assert_int_eq(walk.r, -EACCES);
    }
    compare("s");
    compare("s/d/f");
}
END_TEST

/* How many links in a row are too many. */
START_TEST(chains)
{
    char name[16];

    for (int i = 1; i <= 45; i++) {
        char to[16] = "f";

        if (i > 1)
            snprintf(to, sizeof(to), "c%d", i - 1);
        snprintf(name, sizeof(name), "c%d", i);
        link_in(dir, to, name);
        compare(name);
    }
}
END_TEST

START_TEST(bounds)
{
    char path[PATH_MAX + 2];
    char target[PATH_MAX];

    compare("");
    compare("/");
    compare("//");
    compare("/..");
    compare("/.");
    for (size_t n = NAME_MAX - 1; n <= NAME_MAX + 1; n++) {
        memset(path, 'n', n);
        path[n] = '\0';
        compare(path);
    }
    for (size_t n = PATH_MAX - 2; n <= PATH_MAX + 1; n++) {
        memset(path, '/', n);
        memcpy(path, ".", 1);
        path[n - 1] = 'f';
        path[n] = '\0';
        compare(path);
    }
    memset(target, '/', sizeof(target));
    target[0] = '.';
    target[PATH_MAX - 2] = 'd';
    target[PATH_MAX - 1] = '\0';
    link_in(dir, target, "far");
    compare("far");
}
END_TEST

/* --- what is done to it ---------------------------------------------------- */

static const struct {
    const char *name;
    enum opath_way way;
    int chmod;
} kinds[] = {
    { "f", OPATH_KERNEL, 0 },
    { "f", OPATH_WALK, 0 },
    { "d", OPATH_KERNEL, 0 },
    { "d", OPATH_WALK, 0 },
    { "lf", OPATH_KERNEL, -EOPNOTSUPP },
    { "lf", OPATH_WALK, -EOPNOTSUPP },
    { "fifo", OPATH_KERNEL, 0 },
    { "fifo", OPATH_WALK, -EOPNOTSUPP },
    { "sock", OPATH_KERNEL, 0 },
    { "sock", OPATH_WALK, -EOPNOTSUPP },
};

START_TEST(acts)
{
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                                       { 1234567, 890 } };
    const char *name = kinds[_i].name;
    struct opath file;
    struct stat target;
    struct stat before;
    struct stat st;
    uid_t uid = geteuid() ? geteuid() : 4711;

    ck_assert_int_eq(fstatat(dir, "f", &target, 0), 0);
    ck_assert_int_eq(opath_open(&file, kinds[_i].way, dir, name, O_NOFOLLOW),
                     0);
    ck_assert_int_eq(opath_stat(&file, &before), 0);
    ck_assert_int_eq(opath_chown(&file, uid, (gid_t) -1), 0);
    ck_assert_int_eq(opath_utimens(&file, times), 0);
    ck_assert_int_eq(opath_chmod(&file, 0711), kinds[_i].chmod);
    ck_assert_int_eq(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    ck_assert_uint_eq(st.st_uid, uid);
    ck_assert_int_eq(st.st_mtim.tv_sec, 1234567);
    ck_assert_int_eq(st.st_mtim.tv_nsec, 890);
    ck_assert_uint_eq(st.st_mode & 07777,
                      kinds[_i].chmod == 0 ? 0711 : before.st_mode & 07777);
    opath_close(&file);
    if (strcmp(name, "lf")
        == 0) { /* of which nothing happened to its target */
        ck_assert_int_eq(fstatat(dir, "f", &st, 0), 0);
        ck_assert_uint_eq(st.st_uid, target.st_uid);
        ck_assert_int_eq(st.st_mtim.tv_sec, target.st_mtim.tv_sec);
        ck_assert_uint_eq(st.st_mode, target.st_mode);
    }
}
END_TEST

START_TEST(tells_of_a_link)
{
    enum opath_way way = _i ? OPATH_WALK : OPATH_KERNEL;
    struct opath file;
    char target[8] = "";

    ck_assert_int_eq(opath_open(&file, way, dir, "lf", O_NOFOLLOW), 0);
    ck_assert_int_eq(opath_readlink(&file, target, sizeof(target) - 1), 1);
    ck_assert_str_eq(target, "f");
    opath_close(&file);
    ck_assert_int_eq(opath_open(&file, way, dir, "f", 0), 0);
    ck_assert_int_lt(opath_readlink(&file, target, sizeof(target)), 0);
    opath_close(&file);
}
END_TEST

/* Also of what may not be read, which a walk knows by its place: the labels
 * that some system may have given it aside. */
START_TEST(attributes)
{
    enum opath_way way = _i & 1 ? OPATH_WALK : OPATH_KERNEL;
    const char *name = _i & 2 ? "u" : "f";
    AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    char value[64];
    char names[4096];
    struct opath file;
    ssize_t listed;
    ssize_t n = fsetxattr(fd, "user.vsrpc", "here", 4, 0);
    int refused = n < 0 ? -errno : 0;

    listed = flistxattr(fd, names, sizeof(names));
    if (_i & 2)
        become_another();
    ck_assert_int_eq(opath_open(&file, way, dir, name, O_NOFOLLOW), 0);
    n = opath_getxattr(&file, "user.vsrpc", value, sizeof(value));
    if (refused)
        ck_assert(n == refused || n == -ENODATA || n == -EACCES);
    else if ((_i & 2) && getuid() == 0)
        ck_assert_int_eq(n, -EACCES);
    else
        ck_assert_int_eq(n, 4);
    ck_assert_int_eq(opath_listxattr(&file, names, sizeof(names)), listed);
    opath_close(&file);
}
END_TEST

/* --- races ----------------------------------------------------------------- */

#define RACES 20000

/* Another process gives "prey" to a file and to a link to "u" in turn.  Return:
 * the process. */
static pid_t swap_for_ever(void)
{
    pid_t pid = fork();

    while (pid == 0)
        if (linkat(dir, "f", dir, "new", 0) < 0
            || symlinkat("u", dir, "new-link") < 0
            || renameat(dir, "new", dir, "prey") < 0
            || renameat(dir, "new-link", dir, "prey") < 0)
            _exit(1);
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

/* What a link leads to is out of reach, whenever it comes. */
START_TEST(swapped)
{
    enum opath_way way = _i ? OPATH_WALK : OPATH_KERNEL;
    const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
    unsigned int links = 0;
    unsigned int files = 0;
    struct stat before;
    struct stat after;
    pid_t pid;

    ck_assert_int_eq(fstatat(dir, "u", &before, 0), 0);
    pid = swap_for_ever();
    for (unsigned int i = 0; i < RACES || !links || !files; i++) {
        struct opath file;
        struct stat st = { .st_mode = 0 };
        int r = opath_open(&file, way, dir, "prey", O_NOFOLLOW);

        if (r == 0)
            r = opath_stat(&file, &st);
        if (r == 0)
            r = opath_chmod(&file, 0777);
        if (r == 0)
            r = opath_chown(&file, (uid_t) -1, getegid());
        if (r == 0)
            r = opath_utimens(&file, times);
        links += S_ISLNK(st.st_mode);
        files += S_ISREG(st.st_mode);
        opath_close(&file);
    }
    end(pid);
    ck_assert_int_eq(fstatat(dir, "u", &after, 0), 0);
    ck_assert_uint_eq(after.st_mode, before.st_mode);
    ck_assert_int_eq(after.st_ctim.tv_sec, before.st_ctim.tv_sec);
    ck_assert_int_eq(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, same);
    tcase_add_test(tcase, same_for_another);
    tcase_add_test(tcase, search_only);
    tcase_add_test(tcase, chains);
    tcase_add_test(tcase, bounds);
    tcase_add_loop_test(tcase, acts, 0, ARRAY_SIZE(kinds));
    tcase_add_loop_test(tcase, tells_of_a_link, 0, 2);
    tcase_add_loop_test(tcase, attributes, 0, 4);
    tcase_add_loop_test(tcase, swapped, 0, 2);
}
