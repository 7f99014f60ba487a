/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Who has a socket: a listener as QEMU is one, with clients that it has
 * accepted and others that wait. */
#include <config.h>

#include "host/link/holder.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

const char unit_name[] = "holder";

static char *folder;
static char *path;
static int listener;

static struct sockaddr_un address_of(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    ck_assert_uint_lt(strlen(name), sizeof(address.sun_path));
    memcpy(address.sun_path, name, strlen(name) + 1);
    return address;
}

static int listen_at(const char *name)
{
    struct sockaddr_un address = address_of(name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)),
                     0);
    ck_assert_int_eq(listen(fd, 5), 0);
    return fd;
}

static int client_of(const char *name)
{
    struct sockaddr_un address = address_of(name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(
        connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
    return fd;
}

static void setup(void)
{
    folder = unit_tmpdir();
    path = unit_path(folder, "port");
    listener = listen_at(path);
}

static void teardown(void)
{
    close(listener);
    free(path);
    unit_rmdir(folder);
}

/* The verdict; where the kernel does not tell, there is nothing to test. */
static int find(int fd, struct holder *holder)
{
    int r = holder_find(path, fd, holder);

    if (r == -EPROTONOSUPPORT || r == -EAFNOSUPPORT || r == -EPERM
        || r == -EACCES || r == -ENOENT) {
        fprintf(stderr, "# no unix_diag here: %s\n", strerror(-r));
        exit(0);
    }
    return r;
}

START_TEST(accepted_and_queued)
{
    struct holder holder;
    char program[64] = "";
    int first;
    int second;
    int served;

    ck_assert_int_eq(find(-1, &holder), HOLDER_NOBODY);
    first = client_of(path);
    second = client_of(path);
    /* connected, and nobody has taken them */
    ck_assert_int_eq(find(first, &holder), HOLDER_NOBODY);
    served = accept(listener, NULL, NULL);
    ck_assert_int_eq(find(first, &holder), HOLDER_US);
    ck_assert_int_eq(find(second, &holder), HOLDER_OTHER);
    ck_assert_int_eq(holder.pid, getpid());
    ck_assert_uint_eq(holder.uid, geteuid());
    prctl(PR_GET_NAME, program);
    ck_assert_str_eq(holder.program, program);
    ck_assert_int_eq(find(-1, &holder), HOLDER_OTHER);
    /* the first leaves; the listener has not seen it yet */
    close(first);
    ck_assert_int_eq(find(second, &holder), HOLDER_NOBODY);
    close(served);
    served = accept(listener, NULL, NULL);
    ck_assert_int_eq(find(second, &holder), HOLDER_US);
    close(served);
    close(second);
}
END_TEST

/* Only the very path counts. */
START_TEST(other_paths)
{
    static const char *const names[] = { "por", "port2", "Port" };
    AUTO_FREE char *name = unit_path(folder, names[_i]);
    int other = listen_at(name);
    int client = client_of(name);
    int served = accept(other, NULL, NULL);
    struct holder holder;

    ck_assert_int_eq(find(-1, &holder), HOLDER_NOBODY);
    ck_assert_int_eq(find(client, &holder), HOLDER_NOBODY);
    close(client);
    close(served);
    close(other);
}
END_TEST

/* Another process, called something that a terminal would act upon. */
START_TEST(hostile_name)
{
    struct holder holder;
    char words[HOLDER_WORDS_MAX];
    char expected[HOLDER_WORDS_MAX];
    int ready[2];
    int served;
    pid_t pid;
    char c;

    ck_assert_int_eq(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "x\033[2J\177\377y");
        client_of(path);
        _exit(write(ready[1], "x", 1) == 1 ? pause() : 1);
    }
    ck_assert_int_eq(read(ready[0], &c, 1), 1);
    served = accept(listener, NULL, NULL);
    ck_assert_int_eq(find(-1, &holder), HOLDER_OTHER);
    ck_assert_int_eq(holder.pid, pid);
    ck_assert_str_eq(holder.program, "x?[2J??y");
    snprintf(expected, sizeof(expected), "'x?[2J??y' (pid %ld)", (long) pid);
    ck_assert_str_eq(holder_words(&holder, words), expected);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(served);
    close(ready[0]);
    close(ready[1]);
}
END_TEST

/* Nothing can be asked: an error, not "nobody". */
START_TEST(cannot_ask)
{
    struct rlimit limit;
    struct rlimit none;
    struct holder holder;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit) { 0, limit.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_int_eq(holder_find(path, -1, &holder), -EMFILE);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
END_TEST

START_TEST(words_without_a_process)
{
    const struct holder unknown = { .pid = 0 };
    char words[HOLDER_WORDS_MAX];

    ck_assert_str_eq(holder_words(&unknown, words), "another client");
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, accepted_and_queued);
    tcase_add_loop_test(tcase, other_paths, 0, 3);
    tcase_add_test(tcase, hostile_name);
    tcase_add_test(tcase, cannot_ask);
    tcase_add_test(tcase, words_without_a_process);
}
