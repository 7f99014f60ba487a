/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Listings and changes by requests.  The guest is not trusted, so that cursors
 * have to move on and repeated names are dropped.  One file is looked at by
 * file/list, because file/info would read all of it for its MD5.
 */
#include <config.h>

#include "host/remote/remote.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/remote/filetarget.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "proto/route.h"
#include "proto/status.h"
#include "proto/uri.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/num.h"

#define LINKS_MAX 40 /* as many as Linux follows */

/* --- requests ------------------------------------------------------------- */

/*
 * Makes a request of the target.  Those that change something are made again
 * as attempts.c does: by the agent's replay cache.
 */
static int ask(const struct remote *remote, const char *method,
               struct buf *target, struct answer *answer, struct error *err)
{
    struct client_request request = {
        .method = method,
        .target = buf_cstr(target),
        .read_ms = TIMEOUT_ALIVE,
        .if_unknown = "outcome unknown: it may have been done",
    };
    int r;

    if (!request.target)
        return error_errno(err, -ENOMEM, "request");
    r = client_send_request(remote->client, &request, answer, err);
    return r == 0 ? answer_error(remote->client, answer, err) : r;
}

/* --- a listing's entries -------------------------------------------------- */

bool remote_name_fits(const char *name, size_t n)
{
    return n > 0 && n <= NAME_MAX && !memchr(name, '/', n)
           && !memchr(name, '\0', n) && !(n == 1 && name[0] == '.')
           && !(n == 2 && name[0] == '.' && name[1] == '.');
}

static int senseless(struct error *err, const char *what)
{
    error_set(err, -EBADMSG, "%s", what);
    return answer_unreadable(err);
}

/*
 * Reads a member that json_add_bytes() wrote.
 *
 * Return: 0 with *bytes a string, of *n bytes, that the caller frees (NULL:
 * it is not there); -EBADMSG, -ENOMEM.
 */
static int take_bytes(struct json_object *from, const char *name, char **bytes,
                      size_t *n, struct error *err)
{
    char marker[32];
    const char *text = NULL;
    const char *encoding = "";
    struct buf raw;
    int r;

    *bytes = NULL;
    *n = 0;
    snprintf(marker, sizeof(marker), "%s_encoding", name);
    if (param_bytes(from, name, PARAM_OPTIONAL, &text, n, err)
        || param_string(from, marker, PARAM_OPTIONAL, &encoding, err))
        return senseless(err, name);
    if (!text)
        return 0;
    buf_init(&raw, *n + 1);
    if (strcmp(encoding, "base64") == 0)
        r = base64_decode(&raw, text, *n);
    else
        r = *encoding ? -EINVAL : buf_append(&raw, text, *n);
    *n = raw.len;
    *bytes = r == 0 && buf_cstr(&raw) ? malloc(raw.len + 1) : NULL;
    if (*bytes)
        memcpy(*bytes, buf_cstr(&raw), raw.len + 1);
    buf_free(&raw);
    if (r == -EINVAL)
        return senseless(err, name);
    return *bytes ? 0 : error_errno(err, -ENOMEM, "listing");
}

/* As take_bytes(); a NUL in it is an error. */
static int take_text(struct json_object *from, const char *name, char **text,
                     struct error *err)
{
    size_t n;
    int r = take_bytes(from, name, text, &n, err);

    if (r == 0 && *text && strlen(*text) != n)
        r = senseless(err, name);
    return r;
}

void remote_entry_free(struct remote_entry *entry)
{
    free(entry->name);
    free(entry->target);
    free(entry->owner);
    free(entry->group);
    *entry = (struct remote_entry) { 0 };
}

static int entry_name(struct json_object *from, struct remote_entry *entry,
                      struct error *err)
{
    size_t n;
    int r = take_bytes(from, "name", &entry->name, &n, err);

    if (r < 0)
        return r;
    if (!entry->name)
        return senseless(err, "an entry without a name");
    if (!remote_name_fits(entry->name, n))
        return error_set(err, -EBADMSG,
                         "refused: the guest lists '%.300s', which is no "
                         "name of a file",
                         entry->name);
    return 0;
}

static int entry_numbers(struct json_object *from, struct remote_entry *entry,
                         struct error *err)
{
    const char *mode = "0";
    const char *type = NULL;
    int64_t ns = 0;

    entry->allocated = -1;
    if (param_string(from, "type", PARAM_REQUIRED, &type, err)
        || param_string(from, "mode", PARAM_OPTIONAL, &mode, err)
        || param_int(from, "size", PARAM_OPTIONAL, 0, INT64_MAX, &entry->size,
                     err)
        || param_int(from, "uid", PARAM_OPTIONAL, 0, UINT32_MAX, &entry->uid,
                     err)
        || param_int(from, "gid", PARAM_OPTIONAL, 0, UINT32_MAX, &entry->gid,
                     err)
        || param_int(from, "mtime", PARAM_OPTIONAL, INT64_MIN, INT64_MAX,
                     &entry->mtime, err)
        || param_int(from, "mtime_ns", PARAM_OPTIONAL, 0, 999999999, &ns, err)
        || param_int(from, "allocated", PARAM_OPTIONAL, 0, INT64_MAX,
                     &entry->allocated, err)) {
        return answer_unreadable(err);
    }
    if (num_parse_mode(mode, &entry->mode) < 0)
        return senseless(err, "mode");
    entry->mtime_ns = (long) ns;
    snprintf(entry->type, sizeof(entry->type), "%s", type);
    return 0;
}

static int entry_read(struct json_object *from, bool owners,
                      struct remote_entry *entry, struct error *err)
{
    int r;

    *entry = (struct remote_entry) { 0 };
    if (!json_object_is_type(from, json_type_object))
        return senseless(err, "an entry is not an object");
    r = entry_name(from, entry, err);
    if (r == 0)
        r = entry_numbers(from, entry, err);
    if (r == 0)
        r = take_text(from, "target", &entry->target, err);
    if (r == 0 && owners)
        r = take_text(from, "owner", &entry->owner, err);
    if (r == 0 && owners)
        r = take_text(from, "group", &entry->group, err);
    if (r == 0 && strcmp(entry->type, "symlink") == 0
        && (!entry->target || strlen(entry->target) >= PATH_MAX))
        r = senseless(err, "a symbolic link without a target");
    return r;
}

static int64_t text_cost(const char *text)
{
    return text ? (int64_t) strlen(text) + 1 + (int64_t) sizeof(void *) : 0;
}

static int64_t entry_cost(const struct remote_entry *entry)
{
    return (int64_t) sizeof(*entry) + text_cost(entry->name)
           + text_cost(entry->target) + text_cost(entry->owner)
           + text_cost(entry->group);
}

/* --- a listing ------------------------------------------------------------ */

void remote_list_init(struct remote_list *list, struct remote_budget *budget)
{
    *list = (struct remote_list) { .budget = budget, .mtime_ns = -1 };
}

void remote_list_free(struct remote_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        remote_entry_free(&list->entries[i]);
    free(list->entries);
    if (list->budget)
        list->budget->bytes += list->bytes;
    *list = (struct remote_list) { .budget = list->budget,
                                   .owners = list->owners };
}

/* Takes an entry over, in either case. */
static int list_add(struct remote_list *list, struct remote_entry *entry,
                    struct error *err)
{
    int64_t cost = entry_cost(entry);

    if (list->n >= REMOTE_FOLDER_MAX || list->budget->entries <= 0
        || list->budget->bytes < cost) {
        remote_entry_free(entry);
        return error_set(err, -EMSGSIZE,
                         "the guest lists more than is taken: %zu entries",
                         list->n);
    }
    if (list->n == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        struct remote_entry *grown = realloc(list->entries,
                                             room * sizeof(*grown));

        if (!grown) {
            remote_entry_free(entry);
            return error_errno(err, -ENOMEM, "listing");
        }
        list->entries = grown;
        list->room = room;
    }
    list->entries[list->n++] = *entry;
    list->budget->entries--;
    list->budget->bytes -= cost;
    list->bytes += cost;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct remote_entry *left = a;
    const struct remote_entry *right = b;

    return strcmp(left->name, right->name);
}

/* A folder that changes while it is read may give a name twice, and a guest
 * that lies any number of times: one of them is enough. */
static void list_sort(struct remote_list *list)
{
    size_t kept = 0;

    if (list->n == 0)
        return;
    qsort(list->entries, list->n, sizeof(*list->entries), compare);
    for (size_t i = 1; i < list->n; i++) {
        if (compare(&list->entries[kept], &list->entries[i]) == 0) {
            remote_entry_free(&list->entries[i]);
            list->repeated++;
        } else {
            list->entries[++kept] = list->entries[i];
        }
    }
    list->n = kept + 1;
}

/* The cursor for the next page.  Return: 0 with *cursor owned, NULL at the
 * end. */
static int page_cursor(struct json_object *data, size_t came, char **cursor,
                       struct error *err)
{
    AUTO_FREE char *before = *cursor;
    const char *next = NULL;

    *cursor = NULL;
    if (param_string(data, "cursor", PARAM_OPTIONAL, &next, err))
        return senseless(err, "cursor");
    if (!next)
        return 0;
    if (came == 0 || (before && strcmp(before, next) == 0))
        return senseless(err, "a listing that does not end");
    *cursor = strdup(next);
    return *cursor ? 0 : error_errno(err, -ENOMEM, "listing");
}

static int page_entries(struct remote_list *list, struct json_object *data,
                        size_t *came, struct error *err)
{
    struct json_object *entries = NULL;
    int r = 0;

    if (!data || !json_object_object_get_ex(data, "entries", &entries)
        || !json_object_is_type(entries, json_type_array))
        return senseless(err, "no list of entries");
    *came = json_object_array_length(entries);
    for (size_t i = 0; r == 0 && i < *came; i++) {
        struct remote_entry entry;

        r = entry_read(json_object_array_get_idx(entries, i), list->owners,
                       &entry, err);
        if (r == 0)
            r = list_add(list, &entry, err);
        else
            remote_entry_free(&entry);
    }
    return r;
}

static int page_read(struct remote_list *list, struct json_object *data,
                     char **cursor, struct error *err)
{
    bool folder = true;
    size_t came = 0;
    int r = page_entries(list, data, &came, err);

    if (r == 0
        && (param_bool(data, "folder", PARAM_OPTIONAL, &folder, err)
            || param_int(data, "mtime", PARAM_OPTIONAL, INT64_MIN, INT64_MAX,
                         &list->mtime, err)
            || param_int(data, "mtime_ns", PARAM_OPTIONAL, 0, 999999999,
                         &list->mtime_ns, err)))
        r = senseless(err, "folder");
    if (r == 0)
        r = page_cursor(data, came, cursor, err);
    list->folder = folder;
    if (r == 0 && !folder && (list->n != 1 || *cursor))
        r = senseless(err, "one file that is not one");
    return r;
}

static int page(const struct remote *remote, const char *path,
                struct remote_list *list, char **cursor, struct error *err)
{
    struct answer answer;
    struct buf target;
    int r;

    answer_init(&answer);
    buf_init(&target, HTTP_TARGET_MAX);
    r = filetarget_begin(&target, "list", path, remote->transfer, err);
    if (r == 0 && filetarget_add(&target, "cursor", *cursor) < 0)
        r = senseless(err, "cursor");
    if (r == 0)
        r = ask(remote, "GET", &target, &answer, err);
    if (r == 0)
        r = page_read(list, answer.envelope.data, cursor, err);
    buf_free(&target);
    answer_free(&answer);
    return r;
}

int remote_list(const struct remote *remote, const char *path,
                struct remote_list *list, struct error *err)
{
    AUTO_FREE char *cursor = NULL;
    struct error why = ERROR_INIT;
    int r;

    do {
        r = page(remote, path, list, &cursor, &why);
        if (cursor)
            client_give_way(remote->client);
    } while (r == 0 && cursor);
    if (r == -EBADMSG || r == -EMSGSIZE)
        error_prefix(&why, "guest's folder '%.300s'", path);
    if (r != 0 && err)
        *err = why;
    list_sort(list);
    return r;
}

/* --- one file ------------------------------------------------------------- */

/* Not by file/info, which would read the whole file for its MD5. */
int remote_look(const struct remote *remote, const char *path,
                struct remote_entry *entry, struct error *err)
{
    struct remote_budget budget = { .entries = 2, .bytes = 64 * 1024 };
    struct remote_list list;
    int r;

    remote_list_init(&list, &budget);
    *entry = (struct remote_entry) { .allocated = -1 };
    r = remote_list(remote, path, &list, err);
    if (r == -EMSGSIZE || (r == 0 && list.folder)) {
        snprintf(entry->type, sizeof(entry->type), "directory");
        r = 0;
    } else if (r == 0) {
        *entry = list.entries[0];
        list.n = 0;
    }
    remote_list_free(&list);
    return r;
}

/* What a link at path leads to.  Return: owned; NULL without memory. */
static char *link_target(const char *path, const char *target)
{
    const char *slash = strrchr(path, '/');
    char *resolved = NULL;

    if (*target == '/' || !slash)
        return strdup(target);
    return asprintf(&resolved, "%.*s/%s", (int) (slash - path), path, target)
                   < 0
               ? NULL
               : resolved;
}

int remote_follow(const struct remote *remote, char **path,
                  struct remote_entry *entry, struct error *err)
{
    *entry = (struct remote_entry) { .allocated = -1 };
    for (int i = 0; i < LINKS_MAX; i++) {
        char *next;
        int r;

        remote_entry_free(entry);
        r = remote_look(remote, *path, entry, err);
        if (r || strcmp(entry->type, "symlink") != 0)
            return r;
        next = link_target(*path, entry->target);
        if (!next)
            return error_errno(err, -ENOMEM, "path");
        free(*path);
        *path = next;
    }
    return error_set(err, STATUS_FILE_OPERATION_FAILED,
                     "'%.300s': too many symbolic links", *path);
}

/* Codes by which the agent says that there is no such folder, or none for us:
 * what is done next will be refused with better words. */
static bool is_none(int code)
{
    return code == STATUS_FILE_OPERATION_FAILED
           || code == STATUS_FILE_NOT_FOUND
           || code == STATUS_PERMISSION_DENIED;
}

static int folder_read(struct json_object *data, struct remote_entry *entry,
                       struct error *err)
{
    bool exists = true;
    int r;

    if (param_bool(data, "exists", PARAM_OPTIONAL, &exists, err))
        return senseless(err, "exists");
    if (!exists)
        return 0;
    r = entry_numbers(data, entry, err);
    return r < 0 ? r : strcmp(entry->type, "directory") == 0;
}

int remote_folder(const struct remote *remote, const char *path,
                  struct remote_entry *entry, struct error *err)
{
    AUTO_FREE char *inside = NULL;
    struct answer answer;
    struct buf target;
    int r;

    *entry = (struct remote_entry) { 0 };
    /* What a link leads to is asked for, and no digest of a file. */
    if (asprintf(&inside, "%s/.", path) < 0)
        return error_errno(err, -ENOMEM, "path '%.200s'", path);
    answer_init(&answer);
    buf_init(&target, HTTP_TARGET_MAX);
    r = filetarget_begin(&target, "info", inside, remote->transfer, err);
    if (r == 0)
        r = ask(remote, "GET", &target, &answer, err);
    if (r == 0)
        r = folder_read(answer.envelope.data, entry, err);
    else if (is_none(r))
        r = 0;
    else if (r > 0)
        r = -EREMOTEIO;
    buf_free(&target);
    answer_free(&answer);
    return r;
}

/* --- changes -------------------------------------------------------------- */

/* What was changed is what was to be changed. */
static int about(struct json_object *data, const char *path, struct error *err)
{
    AUTO_FREE char *theirs = NULL;
    size_t n;
    int r = take_bytes(data, "path", &theirs, &n, err);

    if (r < 0 || !theirs || (n == strlen(path) && strcmp(theirs, path) == 0))
        return r;
    return error_set(err, -EBADMSG,
                     ANSWER_DISAGREES "it is about '%.200s', where '%.200s' "
                                      "was asked",
                     theirs, path);
}

/* Makes one that changes something; the wish in the query. */
static int change(const struct remote *remote, const char *what,
                  const char *path, const struct remote_wish *wish,
                  const char *link, struct answer *answer, struct error *err)
{
    struct buf target;
    int r;

    buf_init(&target, HTTP_TARGET_MAX);
    r = filetarget_begin(&target, what, path, remote->transfer, err);
    if (r < 0) {
        buf_free(&target);
        return r;
    }
    if (filetarget_add(&target, "target", link) < 0
        || filetarget_add(&target, "mode", wish->mode) < 0
        || filetarget_add(&target, "owner", wish->owner) < 0
        || filetarget_add(&target, "group", wish->group) < 0
        || filetarget_add(&target, "mtime", wish->mtime) < 0
        || filetarget_add_flag(&target, "parents", wish->parents) < 0
        || filetarget_add_flag(&target, "exist_ok", wish->exist_ok) < 0
        || filetarget_add_flag(&target, "overwrite", wish->overwrite) < 0
        || filetarget_add_flag(&target, "recursive", wish->recursive) < 0
        || filetarget_add_flag(&target, "missing_ok", wish->missing_ok) < 0)
        r = error_errno(err, -ENAMETOOLONG, "path '%.200s'", path);
    if (r == 0)
        r = ask(remote, "POST", &target, answer, err);
    if (r == 0)
        r = about(answer->envelope.data, path, err);
    buf_free(&target);
    return r;
}

int remote_mkdir(const struct remote *remote, const char *path,
                 const struct remote_wish *wish, bool *created,
                 struct error *err)
{
    struct answer answer;
    int r;

    *created = true;
    answer_init(&answer);
    r = change(remote, "directory", path, wish, NULL, &answer, err);
    if (r == 0
        && param_bool(answer.envelope.data, "created", PARAM_REQUIRED, created,
                      err))
        r = senseless(err, "created");
    answer_free(&answer);
    return r;
}

int remote_remove(const struct remote *remote, const char *path,
                  const struct remote_wish *wish, int64_t *removed,
                  struct error *err)
{
    struct answer answer;
    int r;

    *removed = 0;
    answer_init(&answer);
    r = change(remote, "remove", path, wish, NULL, &answer, err);
    if (r == 0
        && param_int(answer.envelope.data, "removed", PARAM_REQUIRED, 0,
                     INT64_MAX, removed, err))
        r = senseless(err, "removed");
    if (r == 0 && !wish->recursive && *removed > 1)
        r = error_set(err, -EBADMSG,
                      ANSWER_DISAGREES "%" PRId64 " removed, of one",
                      *removed);
    answer_free(&answer);
    return r;
}

/* One whose answer says nothing but that it was done. */
static int simply(const struct remote *remote, const char *what,
                  const char *path, const struct remote_wish *wish,
                  const char *link, struct error *err)
{
    struct answer answer;
    int r;

    answer_init(&answer);
    r = change(remote, what, path, wish, link, &answer, err);
    answer_free(&answer);
    return r;
}

int remote_symlink(const struct remote *remote, const char *path,
                   const char *target, const struct remote_wish *wish,
                   struct error *err)
{
    return simply(remote, "symlink", path, wish, target, err);
}

int remote_attributes(const struct remote *remote, const char *path,
                      const struct remote_wish *wish, struct error *err)
{
    return simply(remote, "attributes", path, wish, NULL, err);
}

int remote_sync(const struct remote *remote, const char *path,
                struct error *err)
{
    static const struct remote_wish nothing = { .mode = NULL };

    return simply(remote, "sync", path, &nothing, NULL, err);
}

const char *remote_time(int64_t seconds, long ns, char text[REMOTE_TIME_MAX])
{
    snprintf(text, REMOTE_TIME_MAX, "%" PRId64 ".%09ld", seconds, ns);
    return text;
}
