/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * ls: folders of the guest as names, as a table (-l) or as JSON.  Names that a
 * terminal would show are quoted first, because the guest chooses them.
 */
#include <config.h>

#include "host/cmd/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/remote/remote.h"
#include "host/term/mode.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/quote.h"

#define TEXT_MAX (1L << 30)   /* of one folder */
#define CELL_MAX (64L * 1024) /* name and target, each byte an escape */
#define COLUMNS 6

struct listing {
    const struct command_call *call;
    struct remote_list list;
    struct remote_budget budget;
    const char *path;
    bool
        escape; /* a terminal shows it, or what stands between does not know */
};

static bool is_wanted(const struct listing *listing,
                      const struct remote_entry *entry)
{
    return listing->call->values.all || !listing->list.folder
           || entry->name[0] != '.';
}

/* A file is shown as it was asked for, as ls does. */
static const char *name_of(const struct listing *listing,
                           const struct remote_entry *entry)
{
    return listing->list.folder ? entry->name : listing->path;
}

/* --- one name per line ---------------------------------------------------- */

static int print_names(const struct listing *listing)
{
    struct buf text;
    int r = 0;

    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < listing->list.n && r == 0; i++) {
        const struct remote_entry *entry = &listing->list.entries[i];

        if (!is_wanted(listing, entry))
            continue;
        r = listing->escape ? quote_name(&text, name_of(listing, entry))
                            : buf_puts(&text, name_of(listing, entry));
        if (r == 0)
            r = buf_puts(&text, "\n");
    }
    if (r == 0)
        r = out_bytes(STDOUT_FILENO, buf_data(&text), text.len);
    buf_free(&text);
    return r;
}

/* --- with -l -------------------------------------------------------------- */

static char letter_of(const char *type)
{
    static const struct {
        const char *type;
        char letter;
    } letters[] = {
        { "file", '-' },   { "directory", 'd' }, { "symlink", 'l' },
        { "block", 'b' },  { "char", 'c' },      { "fifo", 'p' },
        { "socket", 's' },
    };

    for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
        if (strcmp(type, letters[i].type) == 0)
            return letters[i].letter;
    return '?';
}

/* In the time of the host, to the minute. */
static void time_text(int64_t seconds, char text[32])
{
    time_t when = (time_t) seconds;
    struct tm parts;

    if (!localtime_r(&when, &parts)
        || strftime(text, 32, "%Y-%m-%d %H:%M", &parts) == 0)
        snprintf(text, 32, "?");
}

static int size_width(const struct listing *listing)
{
    int width = 1;

    for (size_t i = 0; i < listing->list.n; i++) {
        int own = snprintf(NULL, 0, "%" PRId64, listing->list.entries[i].size);

        if (is_wanted(listing, &listing->list.entries[i]) && own > width)
            width = own;
    }
    return width;
}

/* "NAME" or "NAME -> TARGET", always fit to be shown: the table would spoil
 * it otherwise. */
static int name_text(const struct listing *listing,
                     const struct remote_entry *entry, struct buf *text)
{
    int r;

    buf_clear(text);
    r = quote_name(text, name_of(listing, entry));
    if (r == 0 && entry->target)
        r = buf_puts(text, " -> ");
    if (r == 0 && entry->target)
        r = quote_name(text, entry->target);
    return r == 0 && !buf_cstr(text) ? -ENOMEM : r;
}

static int row_add(const struct listing *listing,
                   const struct remote_entry *entry, int width,
                   struct strlist *cells)
{
    char mode[11];
    char size[32];
    char when[32];
    const char *row[COLUMNS] = { mode,
                                 entry->owner ? entry->owner : "?",
                                 entry->group ? entry->group : "?",
                                 size,
                                 when,
                                 NULL };
    struct buf name;
    int r;

    mode_words(letter_of(entry->type), entry->mode, mode);
    snprintf(size, sizeof(size), "%*" PRId64, width, entry->size);
    time_text(entry->mtime, when);
    buf_init(&name, CELL_MAX);
    r = name_text(listing, entry, &name);
    if (r == 0)
        row[COLUMNS - 1] = (const char *) buf_data(&name);
    for (size_t i = 0; i < COLUMNS && r == 0; i++)
        r = strlist_add(cells, row[i]);
    buf_free(&name);
    return r;
}

static int print_table(const struct listing *listing)
{
    int width = size_width(listing);
    struct strlist cells = { 0 };
    int r = 0;

    for (size_t i = 0; i < listing->list.n && r == 0; i++)
        if (is_wanted(listing, &listing->list.entries[i]))
            r = row_add(listing, &listing->list.entries[i], width, &cells);
    if (r == 0)
        r = out_table(&cells, COLUMNS);
    strlist_free(&cells);
    return r;
}

/* --- with --json ---------------------------------------------------------- */

static struct json_object *entry_json(const struct listing *listing,
                                      const struct remote_entry *entry)
{
    AUTO_JSON struct json_object *row = json_object_new_object();
    const char *name = name_of(listing, entry);
    char mode[8];

    snprintf(mode, sizeof(mode), "%04o", entry->mode);
    if (!row || json_add_bytes(row, "name", name, strlen(name)) < 0
        || json_add_string(row, "type", entry->type) < 0
        || json_add_int(row, "size", entry->size) < 0
        || json_add_string(row, "mode", mode) < 0
        || json_add_int(row, "uid", entry->uid) < 0
        || json_add_int(row, "gid", entry->gid) < 0
        || json_add_string(row, "owner", entry->owner) < 0
        || json_add_string(row, "group", entry->group) < 0
        || json_add_int(row, "mtime", entry->mtime) < 0
        || json_add_int(row, "mtime_ns", entry->mtime_ns) < 0
        || (entry->target
            && json_add_bytes(row, "target", entry->target,
                              strlen(entry->target))
                   < 0))
        return NULL;
    return steal_ptr(&row);
}

static int print_json(const struct listing *listing)
{
    AUTO_JSON struct json_object *data = json_object_new_object();
    AUTO_JSON struct json_object *rows = json_object_new_array();
    int r = data && rows ? 0 : -ENOMEM;

    for (size_t i = 0; i < listing->list.n && r == 0; i++)
        if (is_wanted(listing, &listing->list.entries[i]))
            r = json_append(rows,
                            entry_json(listing, &listing->list.entries[i]));
    if (r == 0
        && (json_add_bytes(data, "path", listing->path, strlen(listing->path))
                < 0
            || json_add_bool(data, "folder", listing->list.folder) < 0
            || json_add(data, "entries", steal_ptr(&rows)) < 0))
        r = -ENOMEM;
    return r == 0 ? command_json(listing->call, STATUS_SUCCESS, data) : r;
}

/* --- the command ---------------------------------------------------------- */

/* Which folder it is, where there are several. */
static int print_head(const struct listing *listing, bool first)
{
    struct buf text;
    int r = 0;

    if (!listing->list.folder)
        return 0;
    buf_init(&text, CELL_MAX);
    if (!first)
        r = buf_puts(&text, "\n");
    if (r == 0)
        r = quote_name(&text, listing->path);
    if (r == 0)
        r = buf_puts(&text, ":\n");
    if (r == 0)
        r = out_bytes(STDOUT_FILENO, buf_data(&text), text.len);
    buf_free(&text);
    return r;
}

static int print(const struct listing *listing, bool head, bool first)
{
    const struct command_call *call = listing->call;
    int r = 0;

    if (call->out.json)
        return print_json(listing);
    if (head)
        r = print_head(listing, first);
    if (r == 0)
        r = call->values.details ? print_table(listing) : print_names(listing);
    return r;
}

/* Return: the exit status. */
static int list(const struct command_call *call, const char *path, bool head,
                bool first)
{
    struct listing listing = { .call = call,
                               .budget = REMOTE_BUDGET_INIT,
                               .path = path,
                               .escape = call->multi
                                         || isatty(STDOUT_FILENO) };
    const struct remote remote = { call->client, NULL };
    struct error err = ERROR_INIT;
    int status = EXIT_STATUS_OK;
    int r;

    remote_list_init(&listing.list, &listing.budget);
    listing.list.owners = true;
    r = remote_list(&remote, path, &listing.list, &err);
    if (r) {
        status = command_fail(call, &err);
    } else {
        client_give_way(call->client); /* our reader may be slow */
        r = print(&listing, head, first);
        if (r < 0)
            status = command_output_status(r);
    }
    remote_list_free(&listing.list);
    return status;
}

int cmd_ls(struct command_call *call)
{
    int status = EXIT_STATUS_OK;

    if (call->n_args == 0)
        return list(call, "/", false, true);
    for (int i = 0; i < call->n_args && !call->client->interrupted; i++) {
        int own = list(call, call->args[i], call->n_args > 1, i == 0);

        if (status == EXIT_STATUS_OK)
            status = own;
    }
    return status;
}
