/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Which road leads to a target, without libvirt's daemon. */
#include <config.h>

#include "host/link/dial.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/link/holder.h"
#include "unit/unit.h"
#include "util/clock.h"

const char unit_name[] = "dial";

START_TEST(kinds)
{
    enum target_transport kind = TRANSPORT_STREAM;
    struct error err = ERROR_INIT;

    ck_assert_int_eq(dial_kind_parse(NULL, &kind, &err), 0);
    ck_assert_int_eq(kind, TRANSPORT_AUTO);
    ck_assert_int_eq(dial_kind_parse("socket", &kind, &err), 0);
    ck_assert_int_eq(kind, TRANSPORT_SOCKET);
    ck_assert_int_eq(dial_kind_parse("stream", &kind, &err), 0);
    ck_assert_int_eq(kind, TRANSPORT_STREAM);
    ck_assert_int_eq(dial_kind_parse("auto", &kind, &err), 0);
    ck_assert_int_eq(kind, TRANSPORT_AUTO);
    ck_assert_int_eq(dial_kind_parse("", &kind, &err), -EINVAL);
    ck_assert_int_eq(dial_kind_parse("Socket", &kind, &err), -EINVAL);
    ck_assert_ptr_nonnull(strstr(err.message, "'Socket'"));
}
END_TEST

static const struct {
    const char *uri;
    bool remote;
} uris[] = {
    { "qemu:///system", false },
    { "qemu:///session", false },
    { "qemu:///system?socket=/run/x", false },
    { "qemu+unix:///system", false },
    { "qemu+unix:///system?socket=/x", false },
    { "test:///default", false },
    { "test:///abs/a+ssh.xml", false },
    { "qemu://?x", false },
    { "", false },
    { "qemu", false },
    { "qemu+ssh://host/system", true },
    { "qemu+ssh:///system", true },
    { "qemu+tls://host/system", true },
    { "qemu+tcp://127.0.0.1/system", true },
    { "qemu+ext:///system?command=/x", true },
    { "qemu+libssh2://u@h:22/system", true },
    { "qemu+unixx:///system", true },
    { "qemu://host/system", true },
    { "qemu://[::1]/system", true },
};

START_TEST(remote_uris)
{
    ck_assert_msg(target_uri_is_remote(uris[_i].uri) == uris[_i].remote, "%s",
                  uris[_i].uri);
}
END_TEST

static char name[] = "d";
static char channel[] = "c";
static char missing[] = "/nowhere/s";

/* A URI that no driver takes: the stream fails with words of libvirt's. */
static const struct target_source nowhere = { .uri = "nonsense:///x" };

static int dial(const struct target_source *source, struct target *target,
                struct dialed *dialed, struct error *err)
{
    struct transport *transport = NULL;
    int r = dial_target(source, target, deadline_in(10000), &transport, dialed,
                        err);

    if (r == 0)
        transport->ops->close(transport);
    return r;
}

START_TEST(by_socket)
{
    char *folder = unit_tmpdir();
    AUTO_FREE char *path = unit_path(folder, "s");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct target target = { .name = name,
                             .channel = channel,
                             .socket = path };
    struct target_source source = nowhere;
    struct dialed dialed;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)),
                     0);
    ck_assert_int_eq(listen(fd, 9), 0);
    ck_assert_int_eq(dial(&source, &target, &dialed, NULL), 0);
    ck_assert(!dialed.stream);
    source.transport = TRANSPORT_SOCKET;
    ck_assert_int_eq(dial(&source, &target, &dialed, NULL), 0);
    target.name = NULL; /* a socket by its path has no libvirt */
    source.transport = TRANSPORT_STREAM;
    ck_assert_int_eq(dial(&source, &target, &dialed, NULL), 0);
    close(fd);
    unit_rmdir(folder);
}
END_TEST

/* What the stream is taken for, and that both failures are told. */
START_TEST(by_stream)
{
    struct target target = { .name = name,
                             .channel = channel,
                             .socket = missing };
    struct target_source source = nowhere;
    struct error err = ERROR_INIT;
    struct dialed dialed;
    int r;

    source.transport = TRANSPORT_SOCKET;
    ck_assert_int_eq(dial(&source, &target, &dialed, &err), -ENOENT);
    ck_assert(!dialed.stream);
    source.transport = TRANSPORT_STREAM;
    r = dial(&source, &target, &dialed, &err);
    ck_assert_int_lt(r, 0);
    ck_assert(dialed.stream);
    ck_assert_ptr_nonnull(strstr(err.message, "nonsense:///x"));
    source.transport = TRANSPORT_AUTO;
    ck_assert_int_eq(dial(&source, &target, &dialed, &err), -ENOENT);
    ck_assert(dialed.stream);
    ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/s"));
    ck_assert_ptr_nonnull(strstr(err.message, "nonsense:///x"));
    target.remote = true; /* its path says nothing about this machine */
    ck_assert_int_lt(dial(&source, &target, &dialed, &err), 0);
    ck_assert_ptr_null(strstr(err.message, "/nowhere/s"));
    target.remote = false;
    target.socket = NULL;
    ck_assert_int_lt(dial(&source, &target, &dialed, &err), 0);
    ck_assert(dialed.stream);
    source.transport = TRANSPORT_SOCKET;
    ck_assert_int_eq(dial(&source, &target, &dialed, &err), -ENXIO);
    ck_assert_ptr_nonnull(strstr(err.hint, "--transport stream"));
}
END_TEST

/* While somebody has the socket libvirt's daemon is not asked to wait for it:
 * it would hold the domain. */
START_TEST(taken)
{
    char *folder = unit_tmpdir();
    AUTO_FREE char *path = unit_path(folder, "s");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct target target = { .name = name,
                             .channel = channel,
                             .socket = path };
    struct target_source source = nowhere;
    struct error err = ERROR_INIT;
    struct transport *transport = NULL;
    struct dialed dialed;
    struct holder holder;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int accepted;
    int64_t start;

    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)),
                     0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(
        connect(client, (struct sockaddr *) &address, sizeof(address)), 0);
    accepted = accept(fd, NULL, NULL);
    ck_assert_int_ge(accepted, 0);
    source.transport = TRANSPORT_STREAM;
    if (holder_find(path, -1, &holder) == HOLDER_OTHER) {
        start = clock_ms();
        ck_assert_int_eq(dial_target(&source, &target, deadline_in(200),
                                     &transport, &dialed, &err),
                         -ETIMEDOUT);
        ck_assert_int_ge(clock_ms() - start, 200);
        ck_assert_ptr_null(strstr(err.message, "nonsense:///x"));
    }
    close(client);
    close(accepted);
    ck_assert_int_lt(dial(&source, &target, &dialed, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "nonsense:///x"));
    close(fd);
    unit_rmdir(folder);
}
END_TEST

/* A folder that may not be entered. */
START_TEST(closed_folder)
{
    char *folder = unit_tmpdir();
    AUTO_FREE char *path = unit_path(folder, "s");
    struct target target = { .name = name,
                             .channel = channel,
                             .socket = path };
    struct error err = ERROR_INIT;
    struct dialed dialed;

    ck_assert_int_eq(chmod(folder, 0), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    ck_assert_int_eq(dial(&nowhere, &target, &dialed, &err), -EACCES);
    ck_assert(dialed.stream);
    /* libvirt itself refuses to work with two different user ids */
    ck_assert_ptr_nonnull(strstr(err.message, "permission denied; instead: "
                                              "libvirt: "));
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    unit_rmdir(folder);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, kinds);
    tcase_add_loop_test(tcase, remote_uris, 0, ARRAY_SIZE(uris));
    tcase_add_test(tcase, by_socket);
    tcase_add_test(tcase, by_stream);
    tcase_add_test(tcase, taken);
    tcase_add_test(tcase, closed_folder);
}
