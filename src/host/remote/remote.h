/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The guest's files but for their content: a request of the agent each.
 *
 * The guest is not trusted.  A listing is bounded by a budget, its names are
 * names and no paths, and each is there once.
 */
#ifndef VSRPC_HOST_REMOTE_REMOTE_H
#define VSRPC_HOST_REMOTE_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/client/client.h"

/* What is known of a file from a listing; strings are owned. */
struct remote_entry {
    char *name;
    char type[16]; /* "file", "directory", "symlink", … */
    int64_t size;
    unsigned int mode; /* permissions, at most 07777 */
    int64_t mtime;     /* seconds since 1970 */
    long mtime_ns;
    int64_t allocated; /* bytes on its disk; -1: not told */
    char *target;      /* of a symbolic link, else NULL */
    int64_t uid, gid;
    char *owner; /* "" when it has no name; NULL unless asked for */
    char *group;
};

/*
 * How much one copy takes of listings.  The bytes are those of the lists that
 * are held, and come back when one is freed; entries do not.
 */
struct remote_budget {
    int64_t entries;
    int64_t bytes;
};

/* Entries of all listings of one copy, and their memory at one time: a path
 * of 128 folders of 10,000 names each takes a tenth of it. */
#define REMOTE_BUDGET_INIT                            \
    {                                                 \
        .entries = 5000000, .bytes = INT64_C(1) << 30 \
    }

/* Entries of one folder. */
#define REMOTE_FOLDER_MAX 1000000

/* A folder, sorted by name; or what is none, as its only entry. */
struct remote_list {
    struct remote_entry *entries;
    size_t n;
    size_t room;
    bool folder;
    int64_t mtime;    /* of the folder */
    int64_t mtime_ns; /* -1: not told */
    bool owners;      /* set before: owner and group are wanted */
    int64_t bytes;    /* taken from the budget */
    size_t repeated;  /* names that came more than once, and were dropped */
    struct remote_budget *budget;
};

/* The client, and the copy that a request belongs to (NULL: none): the agent
 * counts those of one copy as one operation. */
struct remote {
    struct client *client;
    const char *transfer;
};

/* Tells whether a guest's word for a file is a name and no path: not empty,
 * neither "." nor "..", without '/' and NUL, and not longer than a name can
 * be. */
bool remote_name_fits(const char *name, size_t n);

/*
 * Lists a folder, with all its pages, or tells about one file.  A symbolic
 * link is itself, unless the path ends with a slash.
 *
 * Return: 0; a business code; -EBADMSG when the guest sent what cannot be;
 * -EMSGSIZE when it is more than the budget; as client_send_request().  List
 * freed with remote_list_free() in either case.
 */
int remote_list(const struct remote *remote, const char *path,
                struct remote_list *list, struct error *err);

/* Empty, to be filled from a budget that outlives it. */
void remote_list_init(struct remote_list *list, struct remote_budget *budget);
void remote_list_free(struct remote_list *list);

/*
 * Looks what a path is; of a folder only the type is told.  *entry is freed
 * with remote_entry_free().
 *
 * Return: as remote_list(); STATUS_FILE_NOT_FOUND.
 */
int remote_look(const struct remote *remote, const char *path,
                struct remote_entry *entry, struct error *err);
void remote_entry_free(struct remote_entry *entry);

/*
 * As remote_look(), of what a link leads to; *path, which is owned, becomes
 * the place of that.
 *
 * Return: as remote_look().
 */
int remote_follow(const struct remote *remote, char **path,
                  struct remote_entry *entry, struct error *err);

/*
 * Tells whether a path is a folder, or a link to one, and its mode and time.
 *
 * Return: 1 when it is; 0 when it is not, or may not be seen; negative errno,
 * -EREMOTEIO with the agent's code in err.
 */
int remote_folder(const struct remote *remote, const char *path,
                  struct remote_entry *entry, struct error *err);

/* What else may be asked for with a change.  NULL, false: not. */
struct remote_wish {
    const char *mode; /* octal */
    const char *owner;
    const char *group;
    const char *mtime; /* "SECONDS.NANOSECONDS" */
    bool parents;      /* folders above are made, too */
    bool exist_ok;     /* a folder that is there is fine */
    bool overwrite;    /* a file or link that is there is replaced */
    bool recursive;    /* a folder with everything in it */
    bool missing_ok;   /* that it is not there is fine */
};

/*
 * Each changes one thing in the guest.
 *
 * Return: 0; a business code; negative errno as client_send_request(); all
 * with a message.
 */
int remote_mkdir(const struct remote *remote, const char *path,
                 const struct remote_wish *wish, bool *created,
                 struct error *err);
int remote_symlink(const struct remote *remote, const char *path,
                   const char *target, const struct remote_wish *wish,
                   struct error *err);
int remote_remove(const struct remote *remote, const char *path,
                  const struct remote_wish *wish, int64_t *removed,
                  struct error *err);
/* Mode, owner, group and time; of a link, those of the link. */
int remote_attributes(const struct remote *remote, const char *path,
                      const struct remote_wish *wish, struct error *err);
/* Waits until the file system of path has everything on its disk. */
int remote_sync(const struct remote *remote, const char *path,
                struct error *err);

/* A time for remote_wish.  Return: text. */
#define REMOTE_TIME_MAX 40
const char *remote_time(int64_t seconds, long ns, char text[REMOTE_TIME_MAX]);

#endif
