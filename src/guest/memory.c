/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void memory_init(struct memory *memory, int64_t now)
{
    *memory = (struct memory) { .started = now, .pushed = NOTHING_PUSHED };
}

static void answer_drop(struct memory *memory, struct memory_entry *entry)
{
    memory->bytes -= entry->answer_len;
    free(entry->answer);
    entry->answer = NULL;
    entry->answer_len = 0;
}

static void entry_unlink(struct memory *memory, struct memory_entry *entry)
{
    struct memory_entry **at = &memory->first;

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    memory->n--;
}

static void entry_append(struct memory *memory, struct memory_entry *entry)
{
    struct memory_entry **at = &memory->first;

    while (*at)
        at = &(*at)->next;
    entry->next = NULL;
    *at = entry;
    memory->n++;
}

static void entry_free(struct memory *memory, struct memory_entry *entry)
{
    answer_drop(memory, entry);
    free(entry->brief);
    free(entry);
}

void memory_forget(struct memory *memory, struct memory_entry *entry)
{
    entry_unlink(memory, entry);
    entry_free(memory, entry);
}

void memory_free(struct memory *memory)
{
    while (memory->first)
        memory_forget(memory, memory->first);
}

static void push_out(struct memory *memory, struct memory_entry *entry)
{
    if (entry->arrived > memory->pushed)
        memory->pushed = entry->arrived;
    memory_forget(memory, entry);
}

/* The entry that ended first.  Those that run stay whatever comes: somebody
 * works on them.  Return: it, or NULL. */
static struct memory_entry *oldest(const struct memory *memory)
{
    struct memory_entry *entry = memory->first;

    while (entry && entry->state == MEMORY_RUNNING)
        entry = entry->next;
    return entry;
}

void memory_expire(struct memory *memory, int64_t now)
{
    struct memory_entry *entry;

    while ((entry = oldest(memory)) && now - entry->ended > MEMORY_MS)
        push_out(memory, entry);
}

struct memory_entry *memory_find(const struct memory *memory, const char *id)
{
    struct memory_entry *entry = memory->first;

    while (entry && strcmp(entry->id, id) != 0)
        entry = entry->next;
    return entry;
}

bool memory_pushed_since(const struct memory *memory, int64_t age,
                         int64_t now)
{
    if (memory->pushed == NOTHING_PUSHED)
        return false;
    return age == AGE_NONE || now - age - MEMORY_SLACK_MS <= memory->pushed;
}

/* Age 0 is the first time that a request is sent: it cannot have come. */
static bool may_have_come(const struct memory *memory, int64_t age,
                          int64_t now)
{
    return age > 0
           && (now - age < memory->started
               || memory_pushed_since(memory, age, now));
}

enum memory_verdict memory_look(struct memory *memory, const char *id,
                                const char *fingerprint, int64_t age,
                                int64_t now, struct memory_entry **entry)
{
    memory_expire(memory, now);
    *entry = memory_find(memory, id);
    if (!*entry)
        return may_have_come(memory, age, now) ? MEMORY_GONE : MEMORY_NEW;
    if (fingerprint && strcmp((*entry)->fingerprint, fingerprint) != 0)
        return MEMORY_OTHER;
    return MEMORY_KNOWN;
}

struct memory_entry *memory_add(struct memory *memory, const char *id,
                                const char *fingerprint, int64_t now)
{
    struct memory_entry *entry;

    memory_expire(memory, now);
    while (memory->n >= MEMORY_ENTRIES && oldest(memory))
        push_out(memory, oldest(memory));
    if (memory->n >= MEMORY_ENTRIES
        || !(entry = calloc(1, sizeof(*entry))))
        return NULL;
    snprintf(entry->id, sizeof(entry->id), "%s", id);
    snprintf(entry->fingerprint, sizeof(entry->fingerprint), "%s",
             fingerprint);
    entry->arrived = now;
    entry_append(memory, entry);
    return entry;
}

/* The oldest answers make room; their entries stay. */
static void answers_shrink(struct memory *memory)
{
    struct memory_entry *entry = memory->first;

    while (entry && memory->bytes > MEMORY_ANSWERS_MAX) {
        answer_drop(memory, entry);
        entry = entry->next;
    }
}

/* From here on it is the one that ended last. */
static void entry_end(struct memory *memory, struct memory_entry *entry,
                      enum memory_state state, int64_t now)
{
    entry_unlink(memory, entry);
    entry_append(memory, entry);
    entry->state = state;
    entry->ended = now;
    entry->runner = NULL;
}

void memory_done(struct memory *memory, struct memory_entry *entry,
                 const struct memory_answer *answer, int64_t now)
{
    entry_end(memory, entry, MEMORY_DONE, now);
    entry->http = answer->http;
    entry->code = answer->code;
    if (answer->brief && strlen(answer->brief) <= MEMORY_BRIEF_MAX)
        entry->brief = strdup(answer->brief);
    if (!answer->text || answer->n > MEMORY_ANSWER_MAX)
        return;
    entry->answer = malloc(answer->n + 1);
    if (!entry->answer)
        return;
    memcpy(entry->answer, answer->text, answer->n);
    entry->answer[answer->n] = '\0';
    entry->answer_len = answer->n;
    memory->bytes += answer->n;
    answers_shrink(memory);
}

void memory_lost(struct memory *memory, struct memory_entry *entry,
                 int64_t now)
{
    entry_end(memory, entry, MEMORY_LOST, now);
}
