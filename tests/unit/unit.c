/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/unit.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *unit_tmpdir(void)
{
    const char *base = getenv("TMPDIR");
    char *path = unit_path(base ? base : "/tmp", "vsrpc-unit-XXXXXX");

    ck_assert_ptr_nonnull(mkdtemp(path));
    return path;
}

void unit_rmdir(char *path)
{
    DIR *folder = opendir(path);

    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    ck_assert_int_eq(rmdir(path), 0);
    free(path);
}

static int remove_entry(const char *path, const struct stat *st, int kind,
                        struct FTW *where)
{
    (void) st;
    (void) kind;
    (void) where;
    return remove(path);
}

void unit_rmtree(char *path)
{
    ck_assert_int_eq(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(path);
}

char *unit_path(const char *folder, const char *name)
{
    char *path = NULL;

    ck_assert_int_gt(asprintf(&path, "%s/%s", folder, name), 0);
    return path;
}

void unit_write_file(const char *path, const char *text)
{
    FILE *stream = fopen(path, "we");

    ck_assert_msg(stream != NULL, "%s", path);
    ck_assert_uint_eq(fwrite(text, 1, strlen(text), stream), strlen(text));
    ck_assert_int_eq(fclose(stream), 0);
}

char *unit_read_file(const char *path)
{
    FILE *stream = fopen(path, "re");
    char *text = calloc(1, 65536);

    ck_assert_msg(stream != NULL, "%s", path);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_lt(fread(text, 1, 65535, stream), 65535);
    fclose(stream);
    return text;
}

int main(void)
{
    Suite *suite = suite_create(unit_name);
    TCase *tcase = tcase_create(unit_name);
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 300); /* against hanging, not for measuring */
    unit_cases(tcase);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
