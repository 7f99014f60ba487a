/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * file/list: the entries of a folder, a page at a time.  A page goes on at the
 * kernel's offset of the last entry (d_off), so that nothing has to be kept
 * between two requests.
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest/core/context.h"
#include "guest/file/fileinfo.h"
#include "guest/file/transfer.h"
#include "guest/policy/path_policy.h"
#include "guest/request/query.h"
#include "proto/jsonraw.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/peek.h"

/* The names at their worst (six bytes for a control character), and some
 * hundred bytes for each entry. */
#define TEXT_MAX (8 * 1024 * 1024)

/* A page in the making. */
struct page {
    int dir;
    struct buf text; /* of the array */
    unsigned int n;
    int64_t names;  /* bytes of them */
    int64_t behind; /* the cursor behind the last entry taken */
    bool more;
    struct stat st; /* of the folder */
    struct owner_cache owners;
    char target[PATH_MAX];
};

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

#define AUTO_FOLDER CLEANUP(close_folder)

/* Where a link points to: n bytes of page->target, or negative errno.  One that
 * was replaced meanwhile points nowhere.  Return: false when it has vanished. */
static bool page_link(struct page *page, struct file_entry *entry, ssize_t n)
{
    if (n == -ENOENT)
        return false;
    page->target[n < 0 ? 0 : n] = '\0';
    entry->target = page->target;
    return true;
}

static int page_add(struct page *page, const struct file_entry *entry)
{
    int r = page->n > 0 ? buf_puts(&page->text, ",") : 0;

    page->n++;
    page->names += (int64_t) strlen(entry->name);
    if (entry->target)
        page->names += (int64_t) strlen(entry->target);
    return r < 0 ? r : file_entry_write(&page->text, entry, &page->owners);
}

/* One that vanished meanwhile is none; one that cannot be looked at (on a file
 * system in user space, say) has nothing but a name. */
static int page_take(struct page *page, const char *name)
{
    struct file_entry entry = { .name = name };
    int r = peek(page->dir, name, &entry.st);
    ssize_t n;

    if (r == -ENOENT)
        return 0;
    if (r < 0)
        entry.st = (struct stat) { 0 };
    if (!S_ISLNK(entry.st.st_mode))
        return page_add(page, &entry);
    n = readlinkat(page->dir, name, page->target, sizeof(page->target) - 1);
    if (!page_link(page, &entry, n < 0 ? -errno : n))
        return 0;
    return page_add(page, &entry);
}

static bool page_is_full(const struct page *page)
{
    return page->n >= LIST_PAGE || page->names >= LIST_NAMES_MAX;
}

/* The cursor is told only when something comes behind it. */
static int page_read(struct page *page, DIR *folder)
{
    for (;;) {
        const struct dirent *entry;
        int r;

        errno = 0;
        entry = readdir(folder);
        if (!entry)
            return -errno;
        if (strcmp(entry->d_name, ".") == 0
            || strcmp(entry->d_name, "..") == 0)
            continue;
        if (page_is_full(page)) {
            page->more = true;
            return 0;
        }
        r = page_take(page, entry->d_name);
        if (r < 0)
            return r;
        page->behind = entry->d_off;
    }
}

/* telldir(3) cannot tell all offsets where long has 32 bits: they are the
 * kernel's here, of a folder that nothing was read of yet. */
static int page_fill(struct page *page, const struct path_found *found,
                     int64_t cursor)
{
    AUTO_CLOSE int fd = opath_reopen(&found->file);
    AUTO_FOLDER DIR *folder = NULL;

    if (fd < 0)
        return fd;
    if (cursor != 0 && lseek(fd, cursor, SEEK_SET) < 0)
        return -errno;
    folder = fdopendir(fd);
    if (!folder)
        return -errno;
    page->dir = steal_fd(&fd);
    return page_read(page, folder);
}

/* A file that is no folder is its own only entry. */
static int page_alone(struct page *page, const struct path_found *found)
{
    struct file_entry entry = { .name = strrchr(found->real, '/') + 1,
                                .st = found->st };

    if (S_ISLNK(found->st.st_mode)
        && !page_link(page, &entry,
                      opath_readlink(&found->file, page->target,
                                     sizeof(page->target) - 1)))
        return -ENOENT;
    return page_add(page, &entry);
}

static struct json_object *page_json(struct page *page, const char *path,
                                     bool folder)
{
    struct json_object *data = json_object_new_object();
    char cursor[24];

    snprintf(cursor, sizeof(cursor), "%lld", (long long) page->behind);
    if (data) {
        json_add_bytes(data, "path", path, strlen(path));
        json_add_bool(data, "folder", folder);
        if (folder) {
            json_add_int(data, "mtime", page->st.st_mtim.tv_sec);
            json_add_int(data, "mtime_ns", page->st.st_mtim.tv_nsec);
        }
        json_add_string(data, "cursor", page->more ? cursor : NULL);
        json_add(data, "entries", jsonraw_value(&page->text));
    }
    return data;
}

static int list_make(struct page *page, const struct context *context,
                     const char *path, int64_t cursor, bool *folder,
                     struct error *err)
{
    struct path_found found;
    int r = path_look(context->paths, path, &found, err);

    if (r)
        return r;
    if (!opath_is_open(&found.file))
        return error_errno(err, -ENOENT, "'%s'", path);
    *folder = S_ISDIR(found.st.st_mode);
    page->st = found.st;
    if (*folder)
        r = path_policy_check(context->paths, found.real, PATH_READ, err);
    if (r == 0) {
        r = buf_puts(&page->text, "[");
        if (r == 0)
            r = *folder ? page_fill(page, &found, cursor)
                        : page_alone(page, &found);
        if (r == 0)
            r = buf_puts(&page->text, "]");
        if (r < 0)
            error_errno(err, r, "'%s'", path);
    }
    opath_close(&found.file);
    return r;
}

static void list_answer(struct request *request, const char *path,
                        int64_t cursor)
{
    struct page page = { .dir = -1 };
    struct error err = ERROR_INIT;
    bool folder = false;
    int r;

    buf_init(&page.text, TEXT_MAX);
    r = list_make(&page, request->context, path, cursor, &folder, &err);
    if (r)
        request_error(request, r, &err);
    else
        request_ok(request, page_json(&page, path, folder));
    buf_free(&page.text);
}

struct list_query {
    char *path;
    char *user;
    char *transfer; /* for the rate limit alone */
    int64_t cursor;
};

static const struct query_row rows[] = {
    QUERY_ROW(struct list_query, path, QUERY_TEXT, .required = true),
    QUERY_ROW_USER(struct list_query),
    QUERY_ROW(struct list_query, transfer, QUERY_TRANSFER),
    QUERY_ROW(struct list_query, cursor, QUERY_NUMBER, .max = INT64_MAX),
};

const struct query_form file_list_query = QUERY_FORM(rows, struct list_query,
                                                     NULL);

void file_list_run(struct request *request)
{
    const struct list_query *q = request->query;

    list_answer(request, q->path, q->cursor);
}
