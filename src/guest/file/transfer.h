/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Transfers that span several requests: uploads that come in parts, downloads
 * whose bytes are digested on their way.
 *
 * All are found by an id that the client chooses; whoever knows it goes on.
 */
#ifndef VSRPC_GUEST_FILE_TRANSFER_H
#define VSRPC_GUEST_FILE_TRANSFER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest/core/loop.h"
#include "guest/file/digest_cache.h"
#include "guest/file/etag.h"
#include "guest/file/upload.h"
#include "util/crypto.h"

#define TRANSFER_ID_MAX 64
#define TRANSFER_ID_WORDS "1 to 64 hex digits"

/* Uploads that may be open at once; a session has one, more are those of
 * clients that are between two parts, or changed their mind.  Likewise of
 * downloads. */
#define TRANSFERS_MAX 8

struct context;
struct transfers;

enum transfer_state {
    TRANSFER_PARTS,      /* its parts come */
    TRANSFER_COMMITTING, /* it is whole, and gets its name */
    TRANSFER_OVER,       /* it has it, or has failed */
};

/* A file that comes in parts. */
struct transfer {
    char id[TRANSFER_ID_MAX + 1]; /* "": free */
    struct upload *upload;        /* kept when it is over, for its words */
    int64_t total;                /* -1: not known yet */
    int64_t used_at;              /* boot clock, ms */
    int64_t user;    /* with whose rights (request_user()); -1: the agent's */
    int64_t left_at; /* since when nobody can go on with it; 0: somebody can */
    int64_t back_at; /* when its client was told to come back */
    enum transfer_state state;
    struct transfers *transfers; /* from transfer_commit() on */
    int result;                  /* when it is over, as upload_done has it */
    struct error error;
    void (*over)(void *arg); /* told once when it is over; NULL */
    void *arg;
};

/* A file that is read in pieces. */
struct download {
    char id[TRANSFER_ID_MAX + 1]; /* "": free */
    char path[PATH_MAX];
    int64_t used_at;
    bool digested;
    enum digest_kind kind;
    struct digest *digest;      /* of first .. next; NULL: none is made */
    char known[DIGEST_HEX_MAX]; /* of the whole file, instead; "" */
    int64_t first;
    int64_t next;
    int64_t size; /* of the file, as it began */
    char first_etag[ETAG_MAX];
    /* As the piece before began: its client may have missed it. */
    struct digest *marked_digest;
    int64_t marked;
    char etag[ETAG_MAX]; /* as the last piece ended */
};

struct transfers {
    struct context *context;
    struct loop_timer grace;
    struct transfer uploads[TRANSFERS_MAX];
    struct download downloads[TRANSFERS_MAX];
    struct digest_cache digests;
    bool busy; /* a request is served: nobody else could come back now */
};

void transfers_init(struct transfers *transfers, struct context *context);

/* Is it an id?  Return: true for 1 to TRANSFER_ID_MAX hex digits. */
bool transfer_id_valid(const char *id);

/* Finds an upload by its id; whoever knows that goes on with it.  Return: it,
 * or NULL. */
struct transfer *transfer_find(struct transfers *transfers, const char *id);

/* Makes room for a new upload, at the cost of the one unused longest.
 * Return: a slot with this id and no upload. */
struct transfer *transfer_add(struct transfers *transfers, const char *id,
                              int64_t total);

/*
 * All of it is there: commits it.  The transfer tells by its state
 * when that is done, and its over() when there is one.
 *
 * Return: 0, or negative errno with a message.
 */
int transfer_commit(struct transfers *transfers, struct transfer *transfer,
                    struct error *err);

/* Notes the digest of a file that is committed. */
void transfer_note(struct transfers *transfers, struct upload *upload);

/* Ends one: removes the file unless it was handed out by setting upload to
 * NULL before, or is a part that is to stay. */
void transfer_end(struct transfer *transfer);

/*
 * The session is over.  What is half-done stays for the agent's grace, so that
 * its client, or another that knows the id, can go on with it.  While somebody
 * else has the channel the time stands still: nobody could come back then.
 */
void transfers_leave(struct transfers *transfers);

/* A part is refused for so long (ms): its client may stay away until then, and
 * has its grace behind that.  Unknown ids are fine. */
void transfer_put_off(struct transfers *transfers, const char *id, int64_t ms);

/* The session begins to serve a request, or has served it. */
void transfers_busy(struct transfers *transfers, bool busy);

/* The agent ends: nothing half-done stays. */
void transfers_drop(struct transfers *transfers);

/* What a request reads of a file. */
struct download_options {
    const char *id;
    const char *path;
    bool digested;
    enum digest_kind kind;
    int64_t first; /* of the piece */
    int64_t size;  /* of the file */
    const char *etag;
};

/*
 * Begins a piece of a download.  It goes on with the digest of those before
 * when it follows them, or is the last one again; otherwise with a new one.
 *
 * Return: the reading, valid until the next call, or NULL without memory.
 */
struct download *download_begin(struct transfers *transfers,
                                const struct download_options *options);

/* Finds a download by its id.  Return: it, or NULL. */
struct download *download_find(struct transfers *transfers, const char *id);

/* Bytes of the piece are on their way.  NULL reading is allowed. */
void download_take(struct download *download, const void *bytes, size_t n);

/* The piece has been read: notes what the file was then, and the digest of a
 * whole one. */
void download_pause(struct transfers *transfers, struct download *download,
                    int fd);

/*
 * The digest of first .. next.
 *
 * Return: 0; -ENODATA when there is none; -ENOMEM.
 */
int download_digest(const struct download *download, char hex[DIGEST_HEX_MAX]);

#endif
