/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The replay cache: one list, in which those that ended are in order of that.
 * Past the limits the oldest answers go first, because an entry without one
 * still prevents a second run.
 */
#include <config.h>

#include "guest/request/replay_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void replay_cache_init(struct replay_cache *cache, int64_t now)
{
    *cache = (struct replay_cache) { .started = now,
                                     .pushed = NOTHING_PUSHED };
}

static void answer_drop(struct replay_cache *cache, struct replay_entry *entry)
{
    cache->bytes -= entry->answer_len;
    free(entry->answer);
    entry->answer = NULL;
    entry->answer_len = 0;
}

static void entry_unlink(struct replay_cache *cache,
                         struct replay_entry *entry)
{
    struct replay_entry **at = &cache->first;

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    cache->n--;
}

static void entry_append(struct replay_cache *cache,
                         struct replay_entry *entry)
{
    struct replay_entry **at = &cache->first;

    while (*at)
        at = &(*at)->next;
    entry->next = NULL;
    *at = entry;
    cache->n++;
}

static void entry_free(struct replay_cache *cache, struct replay_entry *entry)
{
    answer_drop(cache, entry);
    free(entry->brief);
    free(entry);
}

void replay_cache_forget(struct replay_cache *cache,
                         struct replay_entry *entry)
{
    entry_unlink(cache, entry);
    entry_free(cache, entry);
}

void replay_cache_free(struct replay_cache *cache)
{
    while (cache->first)
        replay_cache_forget(cache, cache->first);
}

static void push_out(struct replay_cache *cache, struct replay_entry *entry)
{
    if (entry->arrived > cache->pushed)
        cache->pushed = entry->arrived;
    replay_cache_forget(cache, entry);
}

/* The entry that ended first.  Those that run stay whatever comes: somebody
 * works on them.  Return: it, or NULL. */
static struct replay_entry *oldest(const struct replay_cache *cache)
{
    struct replay_entry *entry = cache->first;

    while (entry && entry->state == REPLAY_RUNNING)
        entry = entry->next;
    return entry;
}

void replay_cache_expire(struct replay_cache *cache, int64_t now)
{
    struct replay_entry *entry;

    while ((entry = oldest(cache)) && now - entry->ended > REPLAY_MS)
        push_out(cache, entry);
}

struct replay_entry *replay_cache_find(const struct replay_cache *cache,
                                       const char *id)
{
    struct replay_entry *entry = cache->first;

    while (entry && strcmp(entry->id, id) != 0)
        entry = entry->next;
    return entry;
}

bool replay_cache_pushed_since(const struct replay_cache *cache, int64_t age,
                               int64_t now)
{
    if (cache->pushed == NOTHING_PUSHED)
        return false;
    return age == AGE_NONE || now - age - REPLAY_SLACK_MS <= cache->pushed;
}

/* Age 0 is the first time that a request is sent: it cannot have come. */
static bool may_have_come(const struct replay_cache *cache, int64_t age,
                          int64_t now)
{
    return age > 0
           && (now - age < cache->started
               || replay_cache_pushed_since(cache, age, now));
}

enum replay_verdict replay_cache_look(struct replay_cache *cache,
                                      const char *id, const char *fingerprint,
                                      int64_t age, int64_t now,
                                      struct replay_entry **entry)
{
    replay_cache_expire(cache, now);
    *entry = replay_cache_find(cache, id);
    if (!*entry)
        return may_have_come(cache, age, now) ? REPLAY_GONE : REPLAY_NEW;
    if (fingerprint && strcmp((*entry)->fingerprint, fingerprint) != 0)
        return REPLAY_OTHER;
    return REPLAY_KNOWN;
}

struct replay_entry *replay_cache_add(struct replay_cache *cache,
                                      const char *id, const char *fingerprint,
                                      int64_t now)
{
    struct replay_entry *entry;

    replay_cache_expire(cache, now);
    while (cache->n >= REPLAY_ENTRIES && (entry = oldest(cache)))
        push_out(cache, entry);
    if (cache->n >= REPLAY_ENTRIES || !(entry = calloc(1, sizeof(*entry))))
        return NULL;
    snprintf(entry->id, sizeof(entry->id), "%s", id);
    snprintf(entry->fingerprint, sizeof(entry->fingerprint), "%s",
             fingerprint);
    entry->arrived = now;
    entry_append(cache, entry);
    return entry;
}

/* The oldest answers make room; their entries stay. */
static void answers_shrink(struct replay_cache *cache)
{
    struct replay_entry *entry = cache->first;

    while (entry && cache->bytes > REPLAY_ANSWERS_MAX) {
        answer_drop(cache, entry);
        entry = entry->next;
    }
}

/* From here on it is the one that ended last. */
static void entry_end(struct replay_cache *cache, struct replay_entry *entry,
                      enum replay_state state, int64_t now)
{
    entry_unlink(cache, entry);
    entry_append(cache, entry);
    entry->state = state;
    entry->ended = now;
    entry->runner = NULL;
}

void replay_cache_done(struct replay_cache *cache, struct replay_entry *entry,
                       const struct replay_answer *answer, int64_t now)
{
    entry_end(cache, entry, REPLAY_DONE, now);
    entry->http = answer->http;
    entry->code = answer->code;
    if (answer->brief && strlen(answer->brief) <= REPLAY_BRIEF_MAX)
        entry->brief = strdup(answer->brief);
    if (!answer->text || answer->n > REPLAY_ANSWER_MAX)
        return;
    entry->answer = malloc(answer->n + 1);
    if (!entry->answer)
        return;
    memcpy(entry->answer, answer->text, answer->n);
    entry->answer[answer->n] = '\0';
    entry->answer_len = answer->n;
    cache->bytes += answer->n;
    answers_shrink(cache);
}

void replay_cache_lost(struct replay_cache *cache, struct replay_entry *entry,
                       int64_t now)
{
    entry_end(cache, entry, REPLAY_LOST, now);
}
