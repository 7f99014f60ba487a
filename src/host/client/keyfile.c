/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Finds the key file and reads it.  Its mode is asked of the open descriptor,
 * so that it is the mode of the file that is read.
 */
#include <config.h>

#include "host/client/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/auth.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/quote.h"

static int key_trim_check(struct buf *key, const char *path, struct error *err)
{
    const uint8_t *bytes = buf_data(key);

    if (key->len > 0 && bytes[key->len - 1] == '\n')
        key->len--;
    if (key->len >= AUTH_KEY_MIN && key->len <= AUTH_KEY_MAX)
        return 0;
    return error_set(err, -EINVAL, "key file '%s': a key has %d to %d bytes",
                     path, AUTH_KEY_MIN, AUTH_KEY_MAX);
}

/* The mode is asked of the open file, so that it is the file we read. */
static int key_read(const char *path, struct buf *key, struct error *err)
{
    AUTO_CLOSE int fd = open(path,
                             O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    uint8_t bytes[AUTH_KEY_MAX + 2];
    struct stat st;
    int64_t got;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, -errno, "key file '%s'", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, -EINVAL, "key file '%s': not a regular file",
                         path);
    if (st.st_mode & 077) {
        error_set(err, -EACCES, "key file '%s': mode %04o lets others use it",
                  path, (unsigned int) st.st_mode & 07777);
        quote_hint(err, "chmod 600 %s", path);
        return -EACCES;
    }
    got = fd_read_full(fd, bytes, sizeof(bytes));
    if (got < 0)
        return error_errno(err, (int) got, "key file '%s'", path);
    r = buf_append(key, bytes, (size_t) got);
    if (r < 0)
        return error_errno(err, r, "key file '%s'", path);
    return key_trim_check(key, path, err);
}

int keyfile_load(const struct config *config, const char *domain,
                 struct buf *key, struct error *err)
{
    AUTO_FREE char *path = NULL;

    if (config->auth_key_file)
        return key_read(config->auth_key_file, key, err);
    if (!config->auth_key_dir)
        return 1;
    /* A domain's name is a file's name unless it has a slash in it. */
    if (domain && !strchr(domain, '/')) {
        if (asprintf(&path, "%s/%s.key", config->auth_key_dir, domain) < 0)
            return error_errno(err, -ENOMEM, "key file");
        if (access(path, F_OK) == 0)
            return key_read(path, key, err);
        free(path);
    }
    if (asprintf(&path, "%s/default.key", config->auth_key_dir) < 0) {
        path = NULL;
        return error_errno(err, -ENOMEM, "key file");
    }
    return access(path, F_OK) == 0 ? key_read(path, key, err) : 1;
}
