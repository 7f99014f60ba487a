/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * main() of a harness without a fuzzer: fuzz-NAME is fed each file of
 * tests/fuzz/corpus/NAME, and an empty input, which libFuzzer begins with, too.
 * Prints TAP; an input that crashes it ends it before the plan is met.
 */
#include <config.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "util/cleanup.h"

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In memory that ends where the file does.  Return: was it read? */
static int feed_file(const char *folder, const char *name)
{
    AUTO_FREE char *path = NULL;
    AUTO_FREE uint8_t *bytes = NULL;
    FILE *stream;
    long n = -1;

    if (asprintf(&path, "%s/%s", folder, name) < 0)
        abort();
    stream = fopen(path, "re");
    if (stream && fseek(stream, 0, SEEK_END) == 0)
        n = ftell(stream);
    bytes = n < 0 ? NULL : malloc((size_t) n + !n);
    if (!bytes)
        return 0;
    rewind(stream);
    n = fread(bytes, 1, (size_t) n, stream) == (size_t) n ? n : -1;
    fclose(stream);
    return n >= 0 && LLVMFuzzerTestOneInput(bytes, (size_t) n) == 0;
}

/* The folder of what is behind "fuzz-" in the program's name; to be freed. */
static char *corpus(const char *program)
{
    const char *top = getenv("top_srcdir");
    const char *name = strstr(program, "fuzz-");
    char *folder = NULL;

    if (!name
        || asprintf(&folder, "%s/tests/fuzz/corpus/%s", top ? top : ".",
                    name + strlen("fuzz-"))
               < 0)
        abort();
    return folder;
}

static int report(int ok, int number, const char *what)
{
    printf("%sok %d - %s\n", ok ? "" : "not ", number, what);
    fflush(stdout);
    return !ok;
}

int main(int argc, char **argv)
{
    AUTO_FREE char *folder = corpus(argc > 0 ? argv[0] : "");
    struct dirent **files = NULL;
    int n = scandir(folder, &files, is_file, alphasort);
    int failed;

    printf("1..%d\n", 2 + (n > 0 ? n : 0));
    failed = report(n > 0, 1, "there is a corpus");
    failed += report(LLVMFuzzerTestOneInput((const uint8_t *) "", 0) == 0, 2,
                     "nothing");
    for (int i = 0; i < n; i++) {
        failed += report(feed_file(folder, files[i]->d_name), i + 3,
                         files[i]->d_name);
        free(files[i]);
    }
    free(files);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
