/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What the agent remembers of requests, so that none is carried out twice: a
 * bounded table by X-Request-ID.  It does no I/O and has no clock: times are
 * milliseconds on the boot clock that the caller gives.
 *
 * What was pushed out cannot be told from what never came, but by age: no
 * entry younger than the newest one that was pushed out is missing.  That is
 * the watermark.
 *
 * Old entries go when the next request comes and not by a timer: an idle
 * agent sleeps.
 */
#ifndef VSRPC_GUEST_REQUEST_REPLAY_CACHE_H
#define VSRPC_GUEST_REQUEST_REPLAY_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"
#include "util/crypto.h"

/* What is kept of an answer when the whole is not: some numbers and a path of
 * usual length. */
#define REPLAY_BRIEF_MAX 512

/* An age reaches back this much further (ms), because it was true when the
 * request was sent and not when it came. */
#define REPLAY_SLACK_MS 1000

/* No age was given. */
#define AGE_NONE INT64_C(-1)

/* The age that lies before every start. */
#define AGE_MAX (INT64_MAX / 4)

enum replay_state {
    REPLAY_RUNNING,
    REPLAY_DONE,
    REPLAY_LOST, /* it ended, and nobody knows how */
};

struct request;

struct replay_entry {
    struct replay_entry *next;
    char id[REQUEST_ID_MAX + 1];
    char fingerprint[DIGEST_HEX_MAX];
    int64_t arrived;
    int64_t ended; /* once it is not running */
    enum replay_state state;
    int http; /* of the answer, REPLAY_DONE only */
    int code;
    char *answer; /* the whole body; NULL: not kept */
    size_t answer_len;
    char *brief;            /* what is small of its data, as JSON text; NULL:
                             * nothing, or not kept */
    struct request *runner; /* the caller's, while it runs: who does it */
    struct request *waiter; /* the caller's: who wants to know */
};

struct replay_cache {
    struct replay_entry *first; /* those that ended are in order of that */
    size_t n;
    size_t bytes;    /* of all kept answers */
    int64_t started; /* nothing is known of before */
    int64_t pushed;  /* the watermark; NOTHING_PUSHED: all are here */
};

#define NOTHING_PUSHED INT64_MIN

/* What an id is to the cache. */
enum replay_verdict {
    REPLAY_NEW,   /* it never came, or may run again for all that is known */
    REPLAY_KNOWN, /* here it is */
    REPLAY_OTHER, /* here it is, and it was another request */
    REPLAY_GONE,  /* it may have come, but that was pushed out */
};

/* The answer to a request. */
struct replay_answer {
    int http;
    int code;
    const char *text; /* the body, n bytes; NULL: there was no memory for it */
    size_t n;
    const char *brief; /* NULL: none */
};

/* Starts an empty cache at a time. */
void replay_cache_init(struct replay_cache *cache, int64_t now);

/* Frees all entries; usable again after replay_cache_init(). */
void replay_cache_free(struct replay_cache *cache);

/* Pushes out what is too old. */
void replay_cache_expire(struct replay_cache *cache, int64_t now);

/* Return: the entry with this id, or NULL. */
struct replay_entry *replay_cache_find(const struct replay_cache *cache,
                                       const char *id);

/*
 * Was an entry pushed out that a request first sent age ms ago can have had?
 * With AGE_NONE: was any?
 */
bool replay_cache_pushed_since(const struct replay_cache *cache, int64_t age,
                               int64_t now);

/*
 * Judges an id.  fingerprint NULL: the caller does not know it yet, and then
 * the verdict is never REPLAY_OTHER.
 *
 * Return: the verdict, with *entry set for REPLAY_KNOWN and REPLAY_OTHER.
 */
enum replay_verdict replay_cache_look(struct replay_cache *cache,
                                      const char *id, const char *fingerprint,
                                      int64_t age, int64_t now,
                                      struct replay_entry **entry);

/*
 * Notes that a request with a new id begins.
 *
 * Return: its entry, owned by the cache and there as long as it runs; NULL
 * without memory, or when everything in it runs.
 */
struct replay_entry *replay_cache_add(struct replay_cache *cache,
                                      const char *id, const char *fingerprint,
                                      int64_t now);

/* Notes the answer, copying what is kept.  The entry may be gone the next
 * time that something is added. */
void replay_cache_done(struct replay_cache *cache, struct replay_entry *entry,
                       const struct replay_answer *answer, int64_t now);

/* Notes that a request ended without an answer. */
void replay_cache_lost(struct replay_cache *cache, struct replay_entry *entry,
                       int64_t now);

/* Takes an entry out as if the request had never come: it was refused. */
void replay_cache_forget(struct replay_cache *cache,
                         struct replay_entry *entry);

#endif
