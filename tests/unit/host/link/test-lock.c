/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* One lock and two processes. */
#include <config.h>

#include "host/link/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

const char unit_name[] = "lock";

#define NAME "/no/such/socket"
#define FOREVER (20 * 1000) /* ms; what must not happen takes as long */

static char *dir;
static struct lock_terms terms;
static struct lock lock;
static struct error err;

static void setup(void)
{
    dir = unit_tmpdir();
    terms = (struct lock_terms) { .dir = dir, .wake_fd = -1 };
    lock = (struct lock) LOCK_INIT;
    error_clear(&err);
}

static void teardown(void)
{
    lock_release(&lock);
    unit_rmtree(dir);
}

/* The one file in the folder. */
static void lock_file(const char *name, char path[512])
{
    struct lock other = LOCK_INIT;
    FILE *find;
    char command[512];

    ck_assert_int_eq(lock_take(&other, name, &terms, NULL), 0);
    lock_release(&other);
    snprintf(command, sizeof(command), "ls %s/*.lock", dir);
    find = popen(command, "r");
    ck_assert_ptr_nonnull(find);
    ck_assert_ptr_nonnull(fgets(path, 512, find));
    path[strcspn(path, "\n")] = '\0';
    pclose(find);
}

/* A process that holds the lock until it is killed, or, with a wish, until
 * somebody wants it, and then yields. */
struct holder {
    pid_t pid;
    int said; /* a byte for each step */
};

static void hold(int say, bool yields)
{
    struct lock own = LOCK_INIT;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (lock_take(&own, NAME, &terms, NULL) != 0 || write(say, "h", 1) != 1)
        _exit(1);
    if (!yields)
        for (;;)
            pause();
    while (!lock_wanted(&own))
        clock_sleep_ms(1); /* the step of a poll */
    lock_yield(&own);
    terms.wait_ms = FOREVER;
    if (lock_take(&own, NAME, &terms, NULL) != 0 || write(say, "a", 1) != 1)
        _exit(1);
    _exit(0);
}

static struct holder holder_start(bool yields)
{
    struct holder holder;
    int ends[2];
    char c;

    ck_assert_int_eq(pipe(ends), 0);
    holder.pid = fork();
    ck_assert_int_ge(holder.pid, 0);
    if (holder.pid == 0)
        hold(ends[1], yields);
    close(ends[1]);
    holder.said = ends[0];
    ck_assert_int_eq(read(holder.said, &c, 1), 1);
    return holder;
}

static void holder_end(const struct holder *holder)
{
    kill(holder->pid, SIGKILL);
    waitpid(holder->pid, NULL, 0);
    close(holder->said);
}

START_TEST(second_is_told_who)
{
    struct holder holder = holder_start(false);
    char pid[32];
    int64_t before = clock_ms();

    snprintf(pid, sizeof(pid), "(pid %d, user ", (int) holder.pid);
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), -EBUSY);
    ck_assert_int_lt(clock_ms() - before, 5000);
    ck_assert_msg(strstr(err.message, pid) != NULL, "%s", err.message);
    ck_assert_ptr_nonnull(strstr(err.message, "busy: 'test-lock"));
    ck_assert_ptr_nonnull(strstr(err.message, "has had the channel for 0 s"));
    ck_assert_ptr_nonnull(strstr(err.hint, "--wait-lock"));
    terms.wait_ms = 100;
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), -EBUSY);
    ck_assert_int_ge(clock_ms() - before, 100);
    /* another channel is free */
    ck_assert_int_eq(lock_take(&lock, "/other", &terms, &err), 0);
    /* whoever is killed leaves nothing but words */
    holder_end(&holder);
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
}
END_TEST

START_TEST(waiter_gets_it)
{
    struct holder holder = holder_start(true);
    int64_t before = clock_ms();
    char c;

    terms.wait_ms = FOREVER;
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
    ck_assert_int_lt(clock_ms() - before, FOREVER);
    /* the holder has not had it again in between */
    ck_assert_int_eq(fd_wait(holder.said, POLLIN, 0), -ETIMEDOUT);
    lock_release(&lock);
    ck_assert_int_eq(read(holder.said, &c, 1), 1);
    ck_assert_int_eq(c, 'a');
    holder_end(&holder);
}
END_TEST

START_TEST(wait_ends_by_wake_fd)
{
    struct holder holder = holder_start(false);
    int wake[2];

    ck_assert_int_eq(pipe(wake), 0);
    ck_assert_int_eq(write(wake[1], "x", 1), 1);
    terms.wake_fd = wake[0];
    terms.wait_ms = DEADLINE_NEVER;
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), -ECANCELED);
    close(wake[0]);
    close(wake[1]);
    holder_end(&holder);
}
END_TEST

START_TEST(held_is_kept)
{
    int fd;

    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
    fd = lock.fd;
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
    ck_assert_int_eq(lock.fd, fd);
    ck_assert(!lock_wanted(&lock));
    lock_yield(&lock); /* to nobody: at once */
    ck_assert_int_eq(lock.fd, -1);
    ck_assert(!lock_wanted(&lock));
}
END_TEST

/* A socket has one lock, whatever it is called. */
START_TEST(one_lock_for_all_names)
{
    char *link = unit_path(dir, "link");
    struct lock other = LOCK_INIT;

    ck_assert_int_eq(symlink(dir, link), 0);
    ck_assert_int_eq(lock_take(&lock, dir, &terms, &err), 0);
    ck_assert_int_eq(lock_take(&other, link, &terms, &err), -EBUSY);
    free(link);
}
END_TEST

/* What is in the file counts for nothing while nobody holds it, and for
 * words only while somebody does. */
START_TEST(content_is_only_words)
{
    static const char *const lines[] = {
        "999999999 0 1 gone",
        "",
        "nonsense",
        "-1 -1 -1 x",
        "1",
        "99999999999999999999 1 1 x",
        "1 0 99999999999999999999 x",
    };
    char path[512];

    lock_file(NAME, path);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct lock other = LOCK_INIT;
        int fd;

        ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
        fd = open(path, O_WRONLY | O_TRUNC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, lines[i], strlen(lines[i])),
                         (ssize_t) strlen(lines[i]));
        ck_assert_int_eq(lock_take(&other, NAME, &terms, &err), -EBUSY);
        if (i < 6)
            ck_assert_str_eq(err.message,
                             "busy: another client has the channel");
        lock_release(&lock);
        ck_assert_int_eq(pwrite(fd, "1 0 1 stale\n", 12, 0), 12);
        close(fd);
    }
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
}
END_TEST

/* What stands in the way is not touched, and we go on without. */
START_TEST(in_the_way)
{
    char path[512];
    char *victim = unit_path(dir, "victim");
    struct stat st;
    int fd = open(victim, O_WRONLY | O_CREAT, 0600);

    ck_assert_int_eq(write(fd, "precious", 8), 8);
    close(fd);
    lock_file(NAME, path);
    for (int way = 0; way < 4; way++) {
        ck_assert_int_eq(way == 3 ? rmdir(path) : unlink(path), 0);
        if (way == 0)
            ck_assert_int_eq(symlink(victim, path), 0);
        else if (way == 1)
            ck_assert_int_eq(link(victim, path), 0);
        else if (way == 2)
            ck_assert_int_eq(mkdir(path, 0700), 0);
        else
            ck_assert_int_eq(mkfifo(path, 0600), 0);
        ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 1);
        ck_assert_ptr_nonnull(strstr(err.message, path));
        ck_assert_int_eq(lock.fd, -1);
        ck_assert_int_eq(stat(victim, &st), 0);
        ck_assert_int_eq(st.st_size, 8);
        ck_assert_int_eq(st.st_mode & 0777, 0600);
    }
    free(victim);
}
END_TEST

START_TEST(no_folder)
{
    terms.dir = "/no/such/folder";
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 1);
    ck_assert_ptr_nonnull(strstr(err.message, "/no/such/folder"));
}
END_TEST

/* Another user: cannot make a file, can use one that is there. */
static int as_nobody(void)
{
    struct lock own = LOCK_INIT;

    if (setgid(65534) < 0 || setuid(65534) < 0)
        return 77;
    return lock_take(&own, NAME, &terms, NULL);
}

static int in_child(int (*function)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(function());
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

START_TEST(other_users)
{
    int r;

    ck_assert_int_eq(chmod(dir, 0755), 0);
    r = in_child(as_nobody);
    if (r == 77) /* not root: cannot be tried */
        return;
    ck_assert_int_eq(r, 1);
    umask(077);
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
    lock_release(&lock);
    ck_assert_int_eq(in_child(as_nobody), 0);
    ck_assert_int_eq(chmod(dir, 01777), 0);
    ck_assert_int_eq(in_child(as_nobody), 0);
}
END_TEST

/* Waits for a lock.  Return: 0 when others would find what it has locked. */
static int wait_for_it(void)
{
    struct lock own = LOCK_INIT;
    struct stat st;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    terms.wait_ms = FOREVER;
    return lock_take(&own, NAME, &terms, NULL) != 0 || fstat(own.fd, &st) < 0
           || st.st_nlink != 1;
}

START_TEST(removed_meanwhile)
{
    char path[512];
    int status = -1;
    pid_t pid;

    lock_file(NAME, path);
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(wait_for_it());
    while (!lock_wanted(&lock))
        clock_sleep_ms(1); /* the step of a poll */
    ck_assert_int_eq(unlink(path), 0);
    lock_release(&lock);
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* --- a holder that is woken up ------------------------------------------- */

/* A process that waits for the lock until it is killed. */
static pid_t waiter_start(void)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(wait_for_it());
    return pid;
}

static void waiter_end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static bool is_readable(int fd, int ms)
{
    return fd_wait(fd, POLLIN, deadline_in(ms)) == 0;
}

/* Whoever is woken up finds the wish, and each new one wakes up again. */
START_TEST(waiter_wakes)
{
    int watch;

    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
    watch = lock_watch(&lock);
    ck_assert_int_ge(watch, 0);
    ck_assert_int_eq(lock_watch(&lock), watch);
    ck_assert(!is_readable(watch, 0));
    for (int i = 0; i < 3; i++) {
        pid_t pid = waiter_start();

        ck_assert(is_readable(watch, FOREVER));
        ck_assert(lock_wanted(&lock));
        lock_watched(&lock);
        waiter_end(pid);
        ck_assert(!lock_wanted(&lock));
        lock_watched(&lock);
        ck_assert(!is_readable(watch, 0));
    }
}
END_TEST

/* A poke changes the time of the file. */
static struct timespec poked_at(void)
{
    struct stat st;

    ck_assert_int_eq(fstat(lock.fd, &st), 0);
    return st.st_ctim;
}

/* Who began to wait before anybody watched has poked, and does it only once. */
START_TEST(waiter_was_there)
{
    struct timespec before;
    struct timespec now;
    pid_t pid;
    int watch;

    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
    before = poked_at();
    pid = waiter_start();
    do {
        clock_sleep_ms(1); /* the step of a poll */
        now = poked_at();
    } while (memcmp(&now, &before, sizeof(now)) == 0);
    watch = lock_watch(&lock);
    ck_assert(is_readable(watch, 0));
    waiter_end(pid);
}
END_TEST

/* Nor by one who waits on: it has said so. */
START_TEST(woken_once)
{
    pid_t pid;
    int watch;

    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
    watch = lock_watch(&lock);
    pid = waiter_start();
    ck_assert(is_readable(watch, FOREVER));
    lock_watched(&lock);
    ck_assert(!is_readable(watch, 100)); /* ten looks of the waiter's */
    ck_assert(lock_wanted(&lock));
    waiter_end(pid);
}
END_TEST

/* Others who look, and do not wait, are none of the holder's business. */
START_TEST(not_woken)
{
    struct lock other = LOCK_INIT;
    struct lock again = LOCK_INIT;
    char path[512];
    int watch;
    int fd;

    lock_file(NAME, path);
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
    watch = lock_watch(&lock);
    ck_assert_int_eq(lock_take(&other, NAME, &terms, &err), -EBUSY);
    ck_assert_int_eq(lock_take(&other, "/other", &terms, &err), 0);
    lock_release(&other);
    ck_assert_int_eq(lock_take(&again, "/other", &terms, &err), 0);
    ck_assert_int_ge(lock_watch(&again), 0);
    lock_yield(&again);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert(!is_readable(watch, 50));
    ck_assert(!lock_wanted(&lock));
}
END_TEST

/* What is no wish is known to be none. */
START_TEST(woken_for_nothing)
{
    char path[512];
    int watch;

    lock_file(NAME, path);
    ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
    watch = lock_watch(&lock);
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert(is_readable(watch, FOREVER));
    ck_assert(!lock_wanted(&lock));
    lock_watched(&lock);
    ck_assert(!is_readable(watch, 0));
}
END_TEST

/* It goes with the lock, and the next one has its own. */
START_TEST(watch_ends_with_the_lock)
{
    int first;

    ck_assert_int_eq(lock_watch(&lock), -1);
    lock_watched(&lock); /* allowed */
    for (int i = 0; i < 2; i++) {
        pid_t pid;

        ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
        first = lock_watch(&lock);
        ck_assert_int_ge(first, 0);
        if (i)
            lock_release(&lock);
        else
            lock_yield(&lock);
        ck_assert_int_eq(fcntl(first, F_GETFD), -1);
        ck_assert_int_eq(lock_watch(&lock), -1);
        ck_assert_int_eq(lock_take(&lock, NAME, &terms, &err), 0);
        ck_assert_int_ge(lock_watch(&lock), 0);
        pid = waiter_start();
        ck_assert(is_readable(lock_watch(&lock), FOREVER));
        waiter_end(pid);
        lock_release(&lock);
    }
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, second_is_told_who);
    tcase_add_test(tcase, waiter_gets_it);
    tcase_add_test(tcase, wait_ends_by_wake_fd);
    tcase_add_test(tcase, held_is_kept);
    tcase_add_test(tcase, one_lock_for_all_names);
    tcase_add_test(tcase, content_is_only_words);
    tcase_add_test(tcase, in_the_way);
    tcase_add_test(tcase, no_folder);
    tcase_add_test(tcase, other_users);
    tcase_add_test(tcase, removed_meanwhile);
    tcase_add_test(tcase, waiter_wakes);
    tcase_add_test(tcase, waiter_was_there);
    tcase_add_test(tcase, woken_once);
    tcase_add_test(tcase, not_woken);
    tcase_add_test(tcase, woken_for_nothing);
    tcase_add_test(tcase, watch_ends_with_the_lock);
}
