/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A private folder by mkdtemp(3), and the editor through sh -c, because
 * $EDITOR may be several words.  INT and QUIT are ignored meanwhile, as by
 * system(3).
 */
#include <config.h>

#include "host/cmd/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/local/localtree.h"
#include "util/cleanup.h"

int editor_begin(struct editor *editor, const char *name, struct error *err)
{
    const char *temp = getenv("TMPDIR");
    char *folder = NULL;

    *editor = (struct editor) EDITOR_INIT;
    if (!temp || *temp != '/')
        temp = "/tmp";
    if (asprintf(&folder, "%s/vsrpc-edit-XXXXXX", temp) < 0)
        return error_errno(err, -ENOMEM, "editor");
    if (!mkdtemp(folder)) {
        int r = error_errno(err, -errno, "folder '%s'", folder);

        free(folder);
        return r;
    }
    editor->folder = folder;
    if (asprintf(&editor->path, "%s/%s", folder, name) < 0) {
        editor->path = NULL;
        return error_errno(err, -ENOMEM, "editor");
    }
    return 0;
}

static const char *editor_command(void)
{
    static const char *const names[] = { "VISUAL", "EDITOR" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return value;
    }
    return "vi";
}

/* In the child.  The editor may be several words: "emacs -nw". */
static void editor_exec(const char *command, const char *path)
    __attribute__((noreturn));

static void editor_exec(const char *command, const char *path)
{
    char *script = NULL;

    if (asprintf(&script, "exec %s \"$@\"", command) >= 0)
        execl("/bin/sh", "sh", "-c", script, command, path, (char *) NULL);
    _exit(127);
}

static int editor_status(const char *command, int status, struct error *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error_set(err, -ECHILD, "editor '%s' could not be started",
                         command);
    if (WIFEXITED(status))
        return error_set(err, -ECHILD, "editor '%s' ended with status %d",
                         command, WEXITSTATUS(status));
    return error_set(err, -ECHILD, "editor '%s' was ended by signal %d",
                     command, WTERMSIG(status));
}

/* A Ctrl-C on the terminal is the editor's, as with system(3). */
int editor_run(const struct editor *editor, struct error *err)
{
    static const int keys[] = { SIGINT, SIGQUIT };
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct sigaction before[ARRAY_SIZE(keys)];
    const char *command = editor_command();
    int status = 0;
    pid_t pid;
    pid_t ended = 0;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        sigaction(keys[i], &ignore, &before[i]);
    pid = fork();
    if (pid == 0) {
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
            sigaction(keys[i], &before[i], NULL);
        editor_exec(command, editor->path);
    }
    while (pid > 0 && (ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
        ;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        sigaction(keys[i], &before[i], NULL);
    if (pid < 0 || ended < 0)
        return error_errno(err, -errno, "editor '%s'", command);
    return editor_status(command, status, err);
}

/* Backups and swap files are there as well; no folder is entered. */
static void editor_clear(const char *folder)
{
    AUTO_CLOSE int fd = open(folder,
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct strlist names = { 0 };

    if (fd >= 0 && localtree_names(fd, folder, &names, NULL) == 0)
        for (size_t i = 0; i < names.n; i++)
            unlinkat(fd, names.items[i], 0);
    strlist_free(&names);
    rmdir(folder);
}

void editor_end(struct editor *editor)
{
    if (editor->folder)
        editor_clear(editor->folder);
    editor_keep(editor);
}

void editor_keep(struct editor *editor)
{
    free(editor->folder);
    free(editor->path);
    *editor = (struct editor) EDITOR_INIT;
}
