/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Which files may be read, written or only be looked at.
 *
 * A path is opened first, without effect (util/opath.h), and judged by where the
 * kernel says that it really is; everything afterwards goes through what was
 * opened.  So links and ".." cannot lead out, and nothing can be swapped
 * between the judgement and the use.
 *
 * Comparison is by component: "/tmp/" covers "/tmp" and all below it, not
 * "/tmpfoo".  Forbidden beats everything; read-only paths may be read even
 * when no allowed path covers them.
 */
#ifndef VSRPC_GUEST_POLICY_PATH_POLICY_H
#define VSRPC_GUEST_POLICY_PATH_POLICY_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "guest/core/settings.h"
#include "util/error.h"
#include "util/opath.h"
#include "util/text.h"

struct path_policy {
    struct strlist allowed;
    struct strlist readonly;
    struct strlist forbidden;
    const struct settings *guarded; /* whose programs no transfer may replace
                                     * (guard.h); NULL: nobody's */
    enum opath_way way;             /* how files are found */
};

/*
 * Copies the lists.  An entry that is a link is entered under its real name
 * too.
 *
 * Return: 0 or -ENOMEM.
 */
int path_policy_init(struct path_policy *policy, const struct strlist *allowed,
                     const struct strlist *readonly,
                     const struct strlist *forbidden);

void path_policy_free(struct path_policy *policy);

/* Access to a real, absolute path. */
enum path_access {
    PATH_LOOK, /* metadata; also of a forbidden path inside an allowed one */
    PATH_READ,
    PATH_WRITE,
};

/*
 * Judges an absolute path without "." and "..".
 *
 * Return: 0, or STATUS_PERMISSION_DENIED with a message.
 */
int path_policy_check(const struct path_policy *policy, const char *real,
                      enum path_access access, struct error *err);

/*
 * The same for a file that is there, which may have more names than that one:
 * by none of them a request comes at a file that an entry names, or at a program
 * that is guarded.  (A folder that an entry names is not searched for it.)
 *
 * Return: as path_policy_check().
 */
int path_policy_check_file(const struct path_policy *policy, const char *real,
                           const struct stat *st, enum path_access access,
                           struct error *err);

/*
 * Judges a real path for removing it with all that is in it: no entry of the
 * policy may be it or in it, whether something is there or not.
 *
 * Return: as path_policy_check().
 */
int path_policy_check_tree(const struct path_policy *policy, const char *real,
                           struct error *err);

/*
 * Judges what a link at a real path would lead to, for whoever follows it later
 * may write there with more rights than a client has: a daemon its log.  It is
 * where the client may write himself, whether it is there or not.  A ".." may
 * be at the beginning alone, for a name in front of it may become a link, and
 * is elsewhere then.  Where the root may be written to, or every program run,
 * there is nothing to judge.
 *
 * Return: as path_policy_check(); negative errno, with a message.
 */
int path_policy_check_link(const struct path_policy *policy, const char *link,
                           const char *target, struct error *err);

/* A file that was found and judged. */
struct path_found {
    struct opath file;   /* to be closed; not open: there is no such file */
    struct stat st;      /* when it is open */
    char real[PATH_MAX]; /* where it really is */
};

/*
 * Finds a file for looking or reading.  When there is none, the place where
 * it would be is judged, and file is not open.
 *
 * Return: 0; STATUS_INVALID_PARAMS (not absolute, too long),
 * STATUS_PERMISSION_DENIED; negative errno.  All with a message.
 */
int path_find(const struct path_policy *policy, const char *path,
              enum path_access access, struct path_found *found,
              struct error *err);

/*
 * As path_find() for looking, but a link is found itself, not what it points
 * to, unless a '/' stands behind it.
 */
int path_look(const struct path_policy *policy, const char *path,
              struct path_found *found, struct error *err);

/*
 * Finds a regular file and opens it for reading its content; found tells of
 * it, its own file is closed.
 *
 * Return: 0 with *fd to be closed; -ENOENT when there is none; as path_find()
 * otherwise.
 */
int path_open(const struct path_policy *policy, const char *path,
              struct path_found *found, int *fd, struct error *err);

/* Where a file is to be written: its folder and its name. */
struct path_target {
    int dir; /* to be closed */
    char name[NAME_MAX + 1];
    char real[PATH_MAX]; /* folder and name */
    bool exists;
    struct stat st; /* of what is there, when it exists */
};

/*
 * Finds the place to write a file at.  A link that is there is followed, as
 * cp(1) does; a dangling one is what will be replaced.
 *
 * Return: as path_find().
 */
int path_target(const struct path_policy *policy, const char *path,
                struct path_target *target, struct error *err);

/* As path_target(), but a link that is there is the place itself, also with a
 * '/' behind it. */
int path_place(const struct path_policy *policy, const char *path,
               struct path_target *target, struct error *err);

/*
 * Finds what is at the place of path_place() and judges it for changing it
 * where it is.  What else has to be asked of it (what it is, a guard) is asked of
 * found: under the name there may be another one by then.
 *
 * Return: 0 with found->file to be closed; -ENOENT when there is none; as
 * path_find() otherwise.
 */
int path_hold(const struct path_policy *policy, const char *path,
              struct path_found *found, struct error *err);

#endif
