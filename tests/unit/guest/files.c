/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/guest/files.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/envelope.h"
#include "unit/unit.h"
#include "util/crypto.h"

static void add_entry(struct strlist *list, const char *dir, const char *name)
{
    AUTO_FREE char *path = unit_path(dir, name);

    ck_assert_int_eq(strlist_add(list, path), 0);
}

static void with_policy(struct settings *settings)
{
    const char *dir = settings->allowed_paths.items[0];

    add_entry(&settings->forbidden_paths, dir, "no");
    add_entry(&settings->readonly_paths, dir, "ro");
}

void files_setup(void)
{
    rig_start(&rig, with_policy);
}

void make_file(const char *name, const char *text)
{
    AUTO_FREE char *path = in_dir(name);

    unit_write_file(path, text);
}

void make_folder(const char *name)
{
    AUTO_FREE char *path = in_dir(name);

    ck_assert_int_eq(mkdir(path, 0755), 0);
}

void make_link(const char *name, const char *target)
{
    AUTO_FREE char *path = in_dir(name);

    ck_assert_int_eq(symlink(target, path), 0);
}

bool is_there(const char *name)
{
    AUTO_FREE char *path = in_dir(name);
    struct stat st;

    return lstat(path, &st) == 0;
}

void ask_file(const char *method, const char *route, const char *path,
              const char *more, struct rig_answer *answer)
{
    AUTO_FREE char *full = with_dir(path);
    AUTO_FREE char *line = format("%s /api/v1/file/%s?path=%s%s", method,
                                  route, full, more);
    AUTO_FREE char *text = rig_request(line, NULL);

    rig_puts(&rig, text);
    rig_wait(&rig);
    rig_answer(&rig, answer);
}

void expect_file(const char *method, const char *route, const char *path,
                 const char *more, int code)
{
    struct rig_answer answer;

    ask_file(method, route, path, more, &answer);
    ck_assert_msg(answer.code == code, "%s %s%s: %d %s", route, path, more,
                  answer.code, answer.body);
    rig_answer_free(&answer);
}

struct json_object *member(struct json_object *of, const char *name)
{
    struct json_object *value = NULL;

    ck_assert_msg(json_object_object_get_ex(of, name, &value), "no '%s'",
                  name);
    return value;
}

const char *string(struct json_object *of, const char *name)
{
    return json_object_get_string(member(of, name));
}

int64_t number(struct json_object *of, const char *name)
{
    struct json_object *value = member(of, name);

    ck_assert(json_object_is_type(value, json_type_int));
    return json_object_get_int64(value);
}

char *bytes_of(struct json_object *of, const char *name)
{
    AUTO_FREE char *marker = format("%s_encoding", name);
    const char *text = string(of, name);
    struct buf bytes;
    char *copy;

    if (!json_object_object_get_ex(of, marker, NULL))
        return strdup(text);
    ck_assert_str_eq(string(of, marker), "base64");
    buf_init(&bytes, 2 * PATH_MAX);
    ck_assert_int_eq(base64_decode(&bytes, text, strlen(text)), 0);
    copy = strdup(buf_cstr(&bytes));
    buf_free(&bytes);
    return copy;
}
