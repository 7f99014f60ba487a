/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One table: the members of the specification's examples, each with its kind.
 * An implementation that we have never seen is not believed more than it says:
 * "code": 0 alone does not mean that a file is stored, or how a command ended.
 */
#include <config.h>

#include "host/client/specified.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "proto/param.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* --- kinds ---------------------------------------------------------------- */

typedef int reader(struct json_object *data, const char *name,
                   enum param_need need, struct error *err);

static int text(struct json_object *data, const char *name,
                enum param_need need, struct error *err)
{
    const char *value;

    return param_string(data, name, need, &value, err);
}

/* Text that may hold NUL. */
static int bytes(struct json_object *data, const char *name,
                 enum param_need need, struct error *err)
{
    const char *value;
    size_t n;

    return param_bytes(data, name, need, &value, &n, err);
}

static int count(struct json_object *data, const char *name,
                 enum param_need need, struct error *err)
{
    int64_t value;

    return param_int(data, name, need, 0, INT64_MAX, &value, err);
}

static int exit_code(struct json_object *data, const char *name,
                     enum param_need need, struct error *err)
{
    int64_t value;

    return param_int(data, name, need, 0, UINT8_MAX, &value, err);
}

static int flag(struct json_object *data, const char *name,
                enum param_need need, struct error *err)
{
    bool value;

    return param_bool(data, name, need, &value, err);
}

static int object(struct json_object *data, const char *name,
                  enum param_need need, struct error *err)
{
    struct json_object *value;

    return param_object(data, name, need, &value, err);
}

static int of_type(struct json_object *data, const char *name,
                   enum param_need need, const char *what, bool right,
                   struct error *err)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(data, name, &value);
    if (!value && need == PARAM_REQUIRED)
        return error_set(err, STATUS_MISSING_REQUIRED, "'%s' is missing",
                         name);
    return !value || right ? 0 : param_wrong(name, what, NULL, err);
}

static enum json_type type_of(struct json_object *data, const char *name)
{
    return json_object_get_type(json_object_object_get(data, name));
}

/* A time or a load may have a fraction. */
static int number(struct json_object *data, const char *name,
                  enum param_need need, struct error *err)
{
    enum json_type type = type_of(data, name);

    return of_type(data, name, need, "a number",
                   type == json_type_int || type == json_type_double, err);
}

static int list(struct json_object *data, const char *name,
                enum param_need need, struct error *err)
{
    return of_type(data, name, need, "an array",
                   type_of(data, name) == json_type_array, err);
}

static int octal(struct json_object *data, const char *name,
                 enum param_need need, struct error *err)
{
    const char *value = "0";
    int r = param_string(data, name, need, &value, err);

    if (r
        || (*value && strlen(value) < 8 && !value[strspn(value, "01234567")]))
        return r;
    return param_wrong(name, "an octal mode", value, err);
}

/* Of any case. */
static int md5(struct json_object *data, const char *name,
               enum param_need need, struct error *err)
{
    const char *value = NULL;
    int r = param_string(data, name, need, &value, err);

    if (r || !value
        || (strlen(value) == 32
            && strspn(value, "0123456789abcdefABCDEF") == 32))
        return r;
    return param_wrong(name, "an MD5 of 32 hex digits", value, err);
}

/* --- the table ------------------------------------------------------------ */

static const struct member {
    enum route_id route;
    const char *name;
    reader *read;
    enum {
        ALWAYS,
        MAYBE, /* or null: a service that is stopped has no process, … */
        THERE, /* … and a file that does not exist no size */
    } when;
} members[] = {
    { ROUTE_COUNT, "version", text, MAYBE }, /* of the whole, of any route */
    { ROUTE_COUNT, "timestamp", number, MAYBE },
    { ROUTE_PING, "timestamp", number, ALWAYS },
    { ROUTE_PING, "uptime", number, ALWAYS },
    { ROUTE_SYSTEM_INFO, "hostname", text, ALWAYS },
    { ROUTE_SYSTEM_INFO, "os", text, ALWAYS },
    { ROUTE_SYSTEM_INFO, "os_version", text, ALWAYS },
    { ROUTE_SYSTEM_INFO, "kernel", text, ALWAYS },
    { ROUTE_SYSTEM_INFO, "arch", text, ALWAYS },
    { ROUTE_SYSTEM_INFO, "cpu_count", count, ALWAYS },
    { ROUTE_SYSTEM_INFO, "memory_total", count, ALWAYS },
    { ROUTE_SYSTEM_INFO, "memory_available", count, ALWAYS },
    { ROUTE_SYSTEM_STATUS, "cpu_usage", number, ALWAYS },
    { ROUTE_SYSTEM_STATUS, "memory_usage", number, ALWAYS },
    { ROUTE_SYSTEM_STATUS, "disk_usage", object, ALWAYS },
    { ROUTE_SYSTEM_STATUS, "load_average", list, ALWAYS },
    { ROUTE_SYSTEM_STATUS, "process_count", count, ALWAYS },
    { ROUTE_SHELL_EXEC, "exit_code", exit_code, ALWAYS },
    { ROUTE_SHELL_EXEC, "stdout", bytes, ALWAYS },
    { ROUTE_SHELL_EXEC, "stderr", bytes, ALWAYS },
    { ROUTE_SHELL_EXEC, "duration_ms", number, ALWAYS },
    { ROUTE_FILE_UPLOAD, "path", text, ALWAYS },
    { ROUTE_FILE_UPLOAD, "size", count, ALWAYS },
    { ROUTE_FILE_UPLOAD, "md5", md5, MAYBE },
    { ROUTE_FILE_DOWNLOAD, "path", text, ALWAYS },
    { ROUTE_FILE_DOWNLOAD, "content", text, ALWAYS },
    { ROUTE_FILE_DOWNLOAD, "size", count, ALWAYS },
    { ROUTE_FILE_DOWNLOAD, "total_size", count, ALWAYS },
    { ROUTE_FILE_DOWNLOAD, "md5", md5, MAYBE },
    { ROUTE_FILE_INFO, "path", text, ALWAYS },
    { ROUTE_FILE_INFO, "exists", flag, ALWAYS },
    { ROUTE_FILE_INFO, "type", text, THERE },
    { ROUTE_FILE_INFO, "size", count, THERE },
    { ROUTE_FILE_INFO, "mode", octal, THERE },
    { ROUTE_FILE_INFO, "owner", text, THERE },
    { ROUTE_FILE_INFO, "group", text, THERE },
    { ROUTE_FILE_INFO, "mtime", number, THERE },
    { ROUTE_FILE_INFO, "md5", md5, MAYBE },
    { ROUTE_SERVICE_CONTROL, "name", text, ALWAYS },
    { ROUTE_SERVICE_CONTROL, "action", text, ALWAYS },
    { ROUTE_SERVICE_CONTROL, "status", text, ALWAYS },
    { ROUTE_SERVICE_CONTROL, "pid", count, MAYBE },
};

/* Does a member have to be there? */
static enum param_need need_of(const struct member *member,
                               struct json_object *data)
{
    bool exists = true;

    if (member->when == THERE)
        param_bool(data, "exists", PARAM_OPTIONAL, &exists, NULL);
    return member->when == MAYBE || !exists ? PARAM_OPTIONAL : PARAM_REQUIRED;
}

int specified_check(const char *method, const char *target,
                    const struct answer *answer, struct error *err)
{
    struct json_object *data = answer->envelope.data;
    char allow[ROUTE_ALLOW_MAX];
    const struct route *route;
    const char *rest;

    if (!answer->envelope.root || answer->envelope.code != STATUS_SUCCESS
        || route_match(method, target, &route, &rest, allow) != 0)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const struct member *member = &members[i];
        bool outer = member->route == ROUTE_COUNT;

        if ((outer || member->route == route->id)
            && member->read(outer ? answer->envelope.root : data, member->name,
                            need_of(member, data), err))
            return answer_unreadable(err);
    }
    return 0;
}
