/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Asks the kernel for UNIX sockets by netlink (sock_diag(7)) and /proc for
 * their processes.  A client in the listener's queue is not accepted yet and
 * does not appear, which tells a busy channel from a dead agent.
 */
#include <config.h>

#include "host/link/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

/* The kernel answers while we ask; this is for a kernel that does not (ms). */
#define ANSWER_MS 1000

/* One read of a dump; the kernel makes pieces of at most 32 KiB. */
#define PIECE_MAX (64 * 1024)

/* Pieces of a dump that we look at: some hundred thousand sockets. */
#define PIECES_MAX 4096

/* Clients of one listener that we keep: QEMU has one, others may have more. */
#define PEERS_MAX 64

/* What is looked for and what was found. */
struct search {
    const char *path;
    uint32_t peers[PEERS_MAX]; /* inodes of accepted clients' sockets */
    size_t n;
    bool done;
};

static int search_ask(int fd)
{
    const struct {
        struct nlmsghdr head;
        struct unix_diag_req body;
    } request = {
        .head = { .nlmsg_len = sizeof(request),
                  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
        /* A listener's accepted sockets have its name and are connected. */
        .body = { .sdiag_family = AF_UNIX,
                  .udiag_states = 1U << TCP_ESTABLISHED,
                  .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER },
    };
    const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

    return sendto(fd, &request, sizeof(request), 0,
                  (const struct sockaddr *) &kernel, sizeof(kernel))
                   < 0
               ? -errno
               : 0;
}

/* One socket: a message with its attributes.  (Nothing is changed; but the
 * macros of <linux/netlink.h> know no const.) */
static void search_socket(struct search *search, struct nlmsghdr *head)
{
    struct unix_diag_msg *socket = NLMSG_DATA(head);
    struct rtattr *field = (struct rtattr *) (socket + 1);
    size_t wanted = strlen(search->path);
    int left = (int) head->nlmsg_len - (int) NLMSG_LENGTH(sizeof(*socket));
    bool named = false;
    uint32_t peer = 0;

    for (; RTA_OK(field, left); field = RTA_NEXT(field, left)) {
        size_t n = RTA_PAYLOAD(field);

        /* The name may or may not have its NUL. */
        if (field->rta_type == UNIX_DIAG_NAME)
            named = n >= wanted
                    && memcmp(RTA_DATA(field), search->path, wanted) == 0
                    && strnlen(RTA_DATA(field), n) == wanted;
        else if (field->rta_type == UNIX_DIAG_PEER && n >= sizeof(peer))
            memcpy(&peer, RTA_DATA(field), sizeof(peer));
    }
    if (named && peer && search->n < PEERS_MAX)
        search->peers[search->n++] = peer;
}

static int search_piece(struct search *search, void *piece, size_t n)
{
    struct nlmsghdr *head = piece;

    for (; NLMSG_OK(head, n) && !search->done; head = NLMSG_NEXT(head, n)) {
        if (head->nlmsg_type == NLMSG_DONE) {
            search->done = true;
        } else if (head->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *failed = NLMSG_DATA(head);

            return head->nlmsg_len >= NLMSG_LENGTH(sizeof(*failed))
                           && failed->error < 0
                       ? failed->error
                       : -EPROTO;
        } else if (head->nlmsg_type == SOCK_DIAG_BY_FAMILY
                   && head->nlmsg_len
                          >= NLMSG_LENGTH(sizeof(struct unix_diag_msg))) {
            search_socket(search, head);
        }
    }
    return 0;
}

static int search_run(struct search *search)
{
    AUTO_FREE void *piece = malloc(PIECE_MAX);
    AUTO_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
                               NETLINK_SOCK_DIAG);
    int64_t deadline = deadline_in(ANSWER_MS);
    int r;

    if (!piece)
        return -ENOMEM;
    r = fd < 0 ? -errno : search_ask(fd);
    for (int i = 0; r == 0 && !search->done && i < PIECES_MAX; i++) {
        ssize_t got;

        r = fd_wait(fd, POLLIN, deadline);
        if (r < 0)
            return r;
        got = recv(fd, piece, PIECE_MAX, MSG_DONTWAIT);
        if (got > 0)
            r = search_piece(search, piece, (size_t) got);
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            return got == 0 ? -EPROTO : -errno;
    }
    return r;
}

/* Does a process, by its folder in /proc, have the socket open? */
static bool process_has(int proc, const char *pid, uint32_t inode)
{
    char wanted[40];
    char name[64];
    DIR *folder;
    bool found = false;
    int fd;

    snprintf(wanted, sizeof(wanted), "socket:[%" PRIu32 "]", inode);
    snprintf(name, sizeof(name), "%.20s/fd", pid);
    fd = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        fd_close(&fd);
        return false;
    }
    for (const struct dirent *entry; !found && (entry = readdir(folder));) {
        char link[40] = "";

        if (readlinkat(fd, entry->d_name, link, sizeof(link) - 1) > 0)
            found = strcmp(link, wanted) == 0;
    }
    closedir(folder);
    return found;
}

/* Anybody may call a process anything. */
static void process_name(int proc, const char *pid, struct holder *holder)
{
    char name[64];
    AUTO_CLOSE int fd = -1;
    ssize_t got;

    snprintf(name, sizeof(name), "%.20s/comm", pid);
    fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
    got = fd < 0 ? -1 : read(fd, holder->program, sizeof(holder->program) - 1);
    holder->program[got > 0 ? got : 0] = '\0';
    holder->program[strcspn(holder->program, "\n")] = '\0';
    for (char *p = holder->program; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
}

static void holder_process(uint32_t inode, struct holder *holder)
{
    DIR *proc = opendir("/proc");
    struct stat st;

    if (!proc)
        return;
    for (const struct dirent *entry; (entry = readdir(proc));) {
        if (!isdigit((unsigned char) entry->d_name[0])
            || !process_has(dirfd(proc), entry->d_name, inode))
            continue;
        holder->pid = (pid_t) strtol(entry->d_name, NULL, 10);
        process_name(dirfd(proc), entry->d_name, holder);
        if (fstatat(dirfd(proc), entry->d_name, &st, 0) == 0)
            holder->uid = st.st_uid;
        break;
    }
    closedir(proc);
}

int holder_find(const char *path, int fd, struct holder *holder)
{
    struct search search = { .path = path };
    struct stat st = { 0 };
    int r = search_run(&search);

    *holder = (struct holder) { 0 };
    if (r < 0)
        return r;
    if (search.n == 0)
        return HOLDER_NOBODY;
    if (fd >= 0 && fstat(fd, &st) == 0)
        for (size_t i = 0; i < search.n; i++)
            if (search.peers[i] == (uint32_t) st.st_ino)
                return HOLDER_US;
    holder_process(search.peers[0], holder);
    return HOLDER_OTHER;
}

bool holder_is_libvirt(const struct holder *holder)
{
    return strcmp(holder->program, "libvirtd") == 0
           || strcmp(holder->program, "virtqemud") == 0;
}

const char *holder_words(const struct holder *holder,
                         char words[HOLDER_WORDS_MAX])
{
    if (holder->pid)
        snprintf(words, HOLDER_WORDS_MAX, "'%s' (pid %ld)", holder->program,
                 (long) holder->pid);
    else
        snprintf(words, HOLDER_WORDS_MAX, "another client");
    return words;
}

void holder_advise(const struct holder *holder, const char *path,
                   struct error *err)
{
    if (holder->pid)
        error_hint(err, "ps -fp %ld, then end it or wait for it",
                   (long) holder->pid);
    else
        error_hint(err,
                   "sudo ss -xp (the client is the peer of the row with "
                   "'%s')",
                   path);
}
