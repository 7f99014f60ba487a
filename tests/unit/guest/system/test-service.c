/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/system/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/unit.h"

const char unit_name[] = "service";

/* What waitpid(2) says of an exit, and of a signal. */
#define EXITED(code) ((code) << 8)
#define SIGNALED(number) (number)

/* A name that no script has. */
#define NOBODY "vsrpc-no-such-service"

/* --- argument vectors ---------------------------------------------------- */

static const struct {
    const struct service_manager *manager;
    enum service_action action;
    const char *words;
} actions[] = {
    { &service_systemd, SERVICE_START,
      "systemctl --no-ask-password start -- web" },
    { &service_systemd, SERVICE_STOP,
      "systemctl --no-ask-password stop -- web" },
    { &service_systemd, SERVICE_RESTART,
      "systemctl --no-ask-password restart -- web" },
    { &service_systemd, SERVICE_RELOAD,
      "systemctl --no-ask-password reload -- web" },
    { &service_systemd, SERVICE_ENABLE,
      "systemctl --no-ask-password enable -- web" },
    { &service_systemd, SERVICE_DISABLE,
      "systemctl --no-ask-password disable -- web" },
    { &service_openrc, SERVICE_START, "rc-service -- web start" },
    { &service_openrc, SERVICE_STOP, "rc-service -- web stop" },
    { &service_openrc, SERVICE_RESTART, "rc-service -- web restart" },
    { &service_openrc, SERVICE_RELOAD, "rc-service -- web reload" },
    { &service_openrc, SERVICE_ENABLE, "rc-update add web default" },
    { &service_openrc, SERVICE_DISABLE, "rc-update delete web default" },
    { &service_sysv, SERVICE_START, "/etc/init.d/web start" },
    { &service_sysv, SERVICE_STOP, "/etc/init.d/web stop" },
    { &service_sysv, SERVICE_RESTART, "/etc/init.d/web restart" },
    { &service_sysv, SERVICE_RELOAD, "/etc/init.d/web reload" },
};

static void expect_words(struct strlist *argv, const char *want)
{
    struct buf joined;

    buf_init(&joined, 1024);
    for (size_t i = 0; i < argv->n; i++)
        buf_printf(&joined, "%s%s", i ? " " : "", argv->items[i]);
    ck_assert_str_eq(buf_cstr(&joined), want);
    ck_assert_ptr_null(argv->items[argv->n]);
    buf_free(&joined);
    strlist_free(argv);
}

START_TEST(action)
{
    struct strlist argv = { 0 };

    ck_assert_int_eq(
        actions[_i].manager->action(actions[_i].action, "web", &argv), 0);
    expect_words(&argv, actions[_i].words);
}
END_TEST

START_TEST(boot_tools_of_sysv)
{
    bool debian = access("/usr/sbin/update-rc.d", X_OK) == 0;
    struct strlist argv = { 0 };

    ck_assert_int_eq(service_sysv.action(SERVICE_ENABLE, "web", &argv), 0);
    expect_words(&argv,
                 debian ? "update-rc.d web enable" : "chkconfig web on");
    ck_assert_int_eq(service_sysv.action(SERVICE_DISABLE, "web", &argv), 0);
    expect_words(&argv,
                 debian ? "update-rc.d web disable" : "chkconfig web off");
}
END_TEST

START_TEST(query)
{
    struct strlist argv = { 0 };

    ck_assert_int_eq(service_systemd.query("web", &argv), 0);
    expect_words(&argv, "systemctl show --property=LoadState,ActiveState,"
                        "MainPID,UnitFileState -- web");
    ck_assert_int_eq(service_openrc.query("web", &argv), 0);
    expect_words(&argv, "rc-service -- web status");
    ck_assert_int_eq(service_sysv.query("web", &argv), 0);
    expect_words(&argv, "/etc/init.d/web status");
}
END_TEST

START_TEST(longest_name)
{
    char name[SERVICE_NAME_MAX + 1] = "";
    struct strlist argv = { 0 };

    memset(name, 'n', SERVICE_NAME_MAX);
    ck_assert_int_eq(service_sysv.query(name, &argv), 0);
    ck_assert_uint_eq(strlen(argv.items[0]),
                      strlen("/etc/init.d/") + SERVICE_NAME_MAX);
    strlist_free(&argv);
}
END_TEST

/* --- systemd: properties ------------------------------------------------- */

static const struct {
    const char *said;
    bool found;
    const char *status;
    int64_t pid;
    const char *boot;
} shows[] = {
    { "MainPID=712\nLoadState=loaded\nActiveState=active\n"
      "UnitFileState=enabled\n",
      true, "running", 712, "enabled" },
    { "LoadState=loaded\nActiveState=inactive\nMainPID=0\n"
      "UnitFileState=disabled\n",
      true, "stopped", 0, "disabled" },
    { "LoadState=loaded\nActiveState=failed\nMainPID=0\n"
      "UnitFileState=static\n",
      true, "failed", 0, "static" },
    { "LoadState=loaded\nActiveState=activating\nMainPID=9\n"
      "UnitFileState=enabled-runtime\n",
      true, "starting", 9, "enabled-runtime" },
    { "LoadState=loaded\nActiveState=deactivating\n", true, "stopping", 0,
      "" },
    { "LoadState=loaded\nActiveState=reloading\n", true, "running", 0, "" },
    { "LoadState=loaded\nActiveState=maintenance\n", true, "unknown", 0, "" },
    { "LoadState=masked\nActiveState=inactive\nUnitFileState=masked\n", true,
      "stopped", 0, "masked" },
    { "LoadState=not-found\nActiveState=inactive\nMainPID=0\n"
      "UnitFileState=\n",
      false, "stopped", 0, "" },
    /* without a last line feed, and what has another key's end */
    { "XLoadState=loaded\nLoadState=loaded\nActiveState=active\nMainPID=5",
      true, "running", 5, "" },
    { "LoadStateX=loaded\nActiveState=active\n", false, "running", 0, "" },
    { "LoadState=loaded\nActiveState=active\nMainPID=-5\n", true, "running", 0,
      "" },
    { "LoadState=loaded\nActiveState=active\nMainPID=5x\n", true, "running", 0,
      "" },
    { "LoadState=loaded\nActiveState=active\nMainPID=99999999999\n", true,
      "running", 0, "" },
    { "LoadState\nActiveState\n", false, "unknown", 0, "" },
    { "\n\n\n", false, "unknown", 0, "" },
    { "Failed to connect to bus: No such file or directory\n", false,
      "unknown", 0, "" },
    { "", false, "unknown", 0, "" },
};

static void child_says(struct child *child, const char *text, int status)
{
    *child = (struct child) { .status = status };
    buf_init(&child->output[0], 4096);
    buf_init(&child->output[1], 4096);
    ck_assert_int_eq(buf_puts(&child->output[0], text), 0);
}

static void child_forget(struct child *child)
{
    buf_free(&child->output[0]);
    buf_free(&child->output[1]);
}

START_TEST(systemd_says)
{
    struct service_state state = { 0 };
    struct child child;

    child_says(&child, shows[_i].said, 0);
    service_systemd.parse("web", &child, &state);
    ck_assert_int_eq(state.found, shows[_i].found);
    ck_assert_str_eq(state.status, shows[_i].status);
    ck_assert_int_eq(state.pid, shows[_i].pid);
    ck_assert_str_eq(state.boot, shows[_i].boot);
    child_forget(&child);
}
END_TEST

/* A value of any length, and text as large as its ceiling. */
START_TEST(systemd_long)
{
    struct service_state state = { 0 };
    struct child child;

    child_says(&child, "", 0);
    buf_puts(&child.output[0], "ActiveState=");
    while (child.output[0].len < child.output[0].max)
        buf_puts(&child.output[0], "x");
    service_systemd.parse("web", &child, &state);
    ck_assert_str_eq(state.status, "unknown");
    child_forget(&child);
}
END_TEST

/* --- scripts: exit statuses ---------------------------------------------- */

static const struct {
    const struct service_manager *manager;
    int status;
    const char *word;
} exits[] = {
    /* LSB 5 */
    { &service_sysv, EXITED(0), "running" },
    { &service_sysv, EXITED(1), "failed" },
    { &service_sysv, EXITED(2), "failed" },
    { &service_sysv, EXITED(3), "stopped" },
    { &service_sysv, EXITED(4), "unknown" },
    { &service_sysv, EXITED(127), "unknown" },
    { &service_sysv, SIGNALED(9), "unknown" },
    { &service_sysv, SIGNALED(15), "unknown" },
    /* openrc-run(8) */
    { &service_openrc, EXITED(0), "running" },
    { &service_openrc, EXITED(1), "unknown" },
    { &service_openrc, EXITED(3), "stopped" },
    { &service_openrc, EXITED(4), "stopping" },
    { &service_openrc, EXITED(8), "starting" },
    { &service_openrc, EXITED(16), "stopped" },
    { &service_openrc, EXITED(32), "failed" },
    { &service_openrc, SIGNALED(9), "unknown" },
};

START_TEST(script_says)
{
    struct service_state state = { 0 };
    struct child child;

    child_says(&child, "said for people", exits[_i].status);
    exits[_i].manager->parse(NOBODY, &child, &state);
    ck_assert_str_eq(state.status, exits[_i].word);
    ck_assert_int_eq(state.pid, 0);
    ck_assert(!state.found);
    if (exits[_i].manager == &service_openrc)
        ck_assert_str_eq(state.boot, "disabled");
    child_forget(&child);
}
END_TEST

/* A script that did not even start has no status, though it reads as 0. */
START_TEST(script_did_not_start)
{
    struct service_state state = { 0 };
    struct child child;

    child_says(&child, "", 0);
    child.start_errno = ENOENT;
    service_sysv.parse(NOBODY, &child, &state);
    ck_assert_str_eq(state.status, "unknown");
    child_forget(&child);
}
END_TEST

/* --- SysV: links of runlevels -------------------------------------------- */

static const struct {
    const char *links; /* folders and links, in an etc that is empty */
    const char *boot;
} levels[] = {
    { "", "" },
    { "rc2.d", "disabled" },
    { "rc3.d rc3.d/S20web", "enabled" },
    { "rc2.d rc3.d rc4.d rc5.d rc5.d/S01web", "enabled" },
    { "rc3.d rc3.d/K20web", "disabled" },
    { "rc3.d rc3.d/S20web2 rc3.d/S20we rc3.d/S2web rc3.d/S020web",
      "disabled" },
    { "rc3.d rc3.d/s20web rc3.d/S20 rc3.d/S rc3.d/20web", "disabled" },
    /* for one user, to halt, and where there are no levels */
    { "rcS.d rcS.d/S20web rc1.d rc1.d/S20web rc6.d rc6.d/S20web", "" },
    { "rc3.d rc1.d rc1.d/S20web rc0.d rc0.d/S20web", "disabled" },
};

START_TEST(sysv_levels)
{
    char etc[] = "/tmp/vsrpc-levels-XXXXXX";
    AUTO_FREE char *links = strdup(levels[_i].links);
    char command[64];
    char *rest = links;
    char *word;

    ck_assert_ptr_nonnull(mkdtemp(etc));
    while ((word = strsep(&rest, " ")) && *word) {
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", etc, word);
        ck_assert_int_eq(strchr(word, '/') ? symlink("../init.d/web", path)
                                           : mkdir(path, 0755),
                         0);
    }
    ck_assert_str_eq(service_sysv_boot(etc, "web"), levels[_i].boot);
    snprintf(command, sizeof(command), "rm -r %s", etc);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(words)
{
    struct strlist argv = { 0 };

    ck_assert_int_eq(service_words(&argv, "a", NULL), 0);
    ck_assert_int_eq(service_words(&argv, "", "c", NULL), 0);
    expect_words(&argv, "a  c");
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, action, 0, ARRAY_SIZE(actions));
    tcase_add_test(tcase, boot_tools_of_sysv);
    tcase_add_test(tcase, query);
    tcase_add_test(tcase, longest_name);
    tcase_add_loop_test(tcase, systemd_says, 0, ARRAY_SIZE(shows));
    tcase_add_test(tcase, systemd_long);
    tcase_add_loop_test(tcase, script_says, 0, ARRAY_SIZE(exits));
    tcase_add_test(tcase, script_did_not_start);
    tcase_add_loop_test(tcase, sysv_levels, 0, ARRAY_SIZE(levels));
    tcase_add_test(tcase, words);
}
