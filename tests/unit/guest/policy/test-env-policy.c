/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/policy/env_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/status.h"
#include "unit/unit.h"

const char unit_name[] = "env-policy";

static struct strlist allowed;

static void setup(void)
{
    ck_assert_int_eq(strlist_add(&allowed, "MINE"), 0);
    ck_assert_int_eq(strlist_add(&allowed, "APP_*"), 0);
    ck_assert_int_eq(strlist_add(&allowed, "LD_BIND_NOW"), 0);
    ck_assert_int_eq(strlist_add(&allowed, "LD_D*"), 0);
}

static void teardown(void)
{
    strlist_free(&allowed);
}

enum who {
    NOBODY,  /* the default list refuses it, '*' does not */
    ALL,     /* harmless */
    NEITHER, /* not even '*' */
};

static const struct {
    const char *entry;
    enum who who;
} rows[] = {
    { "LANG=C", ALL },
    { "LANG=de_DE.UTF-8@euro", ALL },
    { "LANG=", ALL },
    { "LANG=/tmp/x", NOBODY }, /* a locale that is a folder */
    { "LANG=../x", NOBODY },
    { "LC_ALL=C.UTF-8", ALL },
    { "LC_ANYTHING=x", ALL },
    { "LC_=x", ALL },
    { "LC=x", NOBODY },
    { "LC_ALL=/tmp/x", NOBODY },
    { "LANGUAGE=de", NOBODY },
    { "TZ=Europe/Berlin", ALL },
    { "TZ=:Europe/Berlin", ALL },
    { "TZ=America/Argentina/Buenos_Aires", ALL },
    { "TZ=CET-1CEST,M3.5.0,M10.5.0/3", ALL },
    { "TZ=<+0330>-3:30", ALL },
    { "TZ=Etc/GMT+5", ALL },
    { "TZ=UTC", ALL },
    { "TZ=", ALL },
    { "TZ=:", ALL },
    { "TZ=/etc/shadow", NOBODY },
    { "TZ=:/etc/shadow", NOBODY },
    { "TZ=../../../etc/shadow", NOBODY },
    { "TZ=:../x", NOBODY },
    { "TZ=Europe/../../x", NOBODY },
    { "TZ=./x", NOBODY },
    { "TZ=::/x", NOBODY },
    { "TZ=a b", NOBODY },
    { "TZ=$(id)", NOBODY },
    { "TZDIR=/tmp", NEITHER },
    { "TERM=xterm-256color", ALL },
    { "TERM=rxvt-unicode+x", ALL },
    { "TERM=/tmp/t", NOBODY },
    { "TERM=..", ALL }, /* no terminal's name: nothing is found */
    { "TERMINFO=/tmp", NOBODY },
    { "TERMCAP=x", NOBODY },
    { "COLUMNS=200", ALL },
    { "COLUMNS=2x", NOBODY },
    { "COLUMNS=-1", NOBODY },
    { "LINES=50", ALL },
    { "LINES= 1", NOBODY },
    { "NO_COLOR=1", ALL },
    { "NO_COLOR=", ALL },
    { "NO_COLORS=1", NOBODY },
    /* The specification's example has it. */
    { "PATH=/usr/bin:/bin", ALL },
    { "PATH=/usr/local/sbin", ALL },
    { "PATH=", NOBODY },
    { "PATH=/usr/sbin:", NOBODY },
    { "PATH=/usr/bin:/bin:", NOBODY },
    { "PATH=:", NOBODY },
    { "PATH=/tmp:/bin", NOBODY },
    { "PATH=/bin:/tmp", NOBODY },
    { "PATH=/bin::/usr/bin", NOBODY }, /* an empty one is the folder here */
    { "PATH=:/bin", NOBODY },
    { "PATH=bin", NOBODY },
    { "PATH=/bin/", NOBODY },
    { "PATH=.", NOBODY },
    { "HOME=/tmp", NOBODY },
    { "USER=x", NOBODY },
    { "SHELL=/tmp/x", NOBODY },
    { "IFS=x", NOBODY },
    { "ENV=/tmp/x", NOBODY },
    { "BASH_ENV=/tmp/x", NOBODY },
    { "BASH_FUNC_x%%=() { id; }", NOBODY },
    { "PAGER=x", NOBODY },
    { "SYSTEMD_PAGER=x", NOBODY },
    { "SYSTEMD_LESS=x", NOBODY },
    { "SYSTEMD_PAGERSECURE=0", NOBODY },
    { "SYSTEMD_EDITOR=x", NOBODY },
    { "LESSOPEN=|id", NOBODY },
    { "LESS=x", NOBODY },
    { "EDITOR=x", NOBODY },
    { "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/x", NOBODY },
    { "GREP_OPTIONS=-r", NOBODY },
    { "TMPDIR=/tmp", NOBODY },
    { "PYTHONPATH=/tmp", NOBODY },
    { "lang=C", NOBODY },
    { "LANG =C", NOBODY },
    { " LANG=C", NOBODY },
    { "X", NOBODY },
    /* what glibc takes from a setuid program */
    { "LD_PRELOAD=/tmp/e.so", NEITHER },
    { "LD_LIBRARY_PATH=/tmp", NEITHER },
    { "LD_AUDIT=/tmp/e.so", NEITHER },
    { "LD_=x", NEITHER },
    { "LD_OF_TOMORROW=x", NEITHER },
    { "LD=ld", NOBODY },
    { "GCONV_PATH=/tmp", NEITHER },
    { "GETCONF_DIR=/tmp", NEITHER },
    { "GLIBC_TUNABLES=x", NEITHER },
    { "HOSTALIASES=/etc/shadow", NEITHER },
    { "LOCALDOMAIN=x", NEITHER },
    { "LOCPATH=/tmp", NEITHER },
    { "MALLOC_TRACE=/etc/passwd", NEITHER },
    { "MALLOC_ARENA_MAX=1", NEITHER },
    { "NIS_PATH=x", NEITHER },
    { "NLSPATH=/tmp/%N", NEITHER },
    { "RESOLV_HOST_CONF=/etc/shadow", NEITHER },
    { "RES_OPTIONS=debug", NEITHER },
    /* what the administrator allows */
    { "MINE=/any/thing at all", ALL },
    { "MINES=x", NOBODY },
    { "MIN=x", NOBODY },
    { "APP_=x", ALL },
    { "APP_MODE=x", ALL },
    { "APP=x", NOBODY },
    { "LD_BIND_NOW=1", ALL },
    { "LD_DEBUG=all", NEITHER }, /* "LD_D*" is not its whole name */
};

START_TEST(table)
{
    for (int trusted = 0; trusted < 2; trusted++) {
        struct error err = ERROR_INIT;
        const char *entry = rows[_i].entry;
        bool passes = rows[_i].who == ALL
                      || (trusted && rows[_i].who == NOBODY);
        int r = env_check(entry, trusted, &allowed, &err);
        char name[80];

        ck_assert_msg(r == (passes ? 0 : STATUS_PERMISSION_DENIED),
                      "%s, trusted %d: %d", entry, trusted, r);
        if (passes)
            continue;
        snprintf(name, sizeof(name), "'%.*s'", (int) strcspn(entry, "="),
                 entry);
        ck_assert_msg(strstr(err.message, name)
                          && strstr(err.message, "security.allowed_env"),
                      "%s", err.message);
    }
}
END_TEST

/* What is harmless is not long, and a long name makes no long message. */
START_TEST(bounds)
{
    char entry[4096] = "NO_COLOR=";
    struct error err = ERROR_INIT;
    size_t n = strlen(entry);

    memset(entry + n, 'x', ENV_VALUE_MAX);
    ck_assert_int_eq(env_check(entry, false, &allowed, NULL), 0);
    entry[n + ENV_VALUE_MAX] = 'x';
    ck_assert_int_eq(env_check(entry, false, &allowed, NULL),
                     STATUS_PERMISSION_DENIED);
    ck_assert_int_eq(env_check(entry, true, &allowed, NULL), 0);
    memset(entry, 'N', sizeof(entry) - 1);
    ck_assert_int_eq(env_check(entry, false, &allowed, &err),
                     STATUS_PERMISSION_DENIED);
    ck_assert_uint_lt(strlen(err.message), 256);
}
END_TEST

/* "*" is a beginning, too: of every name. */
START_TEST(everything)
{
    struct strlist any = { 0 };

    ck_assert_int_eq(strlist_add(&any, "*"), 0);
    ck_assert_int_eq(env_check("HOME=/tmp", false, &any, NULL), 0);
    ck_assert_int_eq(env_check("LD_PRELOAD=x", false, &any, NULL),
                     STATUS_PERMISSION_DENIED);
    ck_assert_int_eq(strlist_add(&any, "LD_PRELOAD"), 0);
    ck_assert_int_eq(env_check("LD_PRELOAD=x", false, &any, NULL), 0);
    strlist_free(&any);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, table, 0, ARRAY_SIZE(rows));
    tcase_add_test(tcase, bounds);
    tcase_add_test(tcase, everything);
}
