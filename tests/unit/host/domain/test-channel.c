/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/domain/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "unit/unit.h"

const char unit_name[] = "channel";

#define OURS CHANNEL_DEFAULT
#define QGA "org.qemu.guest_agent.0"
#define SPICE "com.redhat.spice.0"
#define MAX 4

/* A name in brackets has no socket: the stream needs none. */
static const struct {
    const char *has[MAX + 1];
    const char *wanted;
    const char *picked; /* NULL: refused, … */
    const char *hint;   /* … with this in message or hint */
} rows[] = {
    /* without a wish */
    { { OURS }, NULL, OURS, NULL },
    { { QGA, OURS, "b.0" }, NULL, OURS, NULL },
    { { "b.0" }, NULL, "b.0", NULL },
    { { QGA, "b.0", SPICE }, NULL, "b.0", NULL },
    { { NULL }, NULL, NULL, "virsh attach-device web1 " PKGDATADIR },
    { { QGA }, NULL, NULL, "virsh attach-device web1 " PKGDATADIR },
    { { QGA, SPICE, "org.spice-space.webdav.0", "org.libguestfs.channel.0" },
      NULL,
      NULL,
      "virsh attach-device web1 " PKGDATADIR },
    { { "b.0", "c.0" }, NULL, NULL, "b.0, c.0" },
    { { QGA, "b.0", "c.0" }, NULL, NULL, "b.0, c.0" },
    { { "[" OURS "]" }, NULL, OURS, NULL },
    { { "[" OURS "]", "b.0" }, NULL, OURS, NULL },
    { { "[b.0]" }, NULL, "b.0", NULL },
    { { "org.qemu.guest_agentx" }, NULL, "org.qemu.guest_agentx", NULL },
    { { "ORG.QEMU.GUEST_AGENT.0" }, NULL, "ORG.QEMU.GUEST_AGENT.0", NULL },
    /* with one */
    { { OURS, "b.0" }, "b.0", "b.0", NULL },
    { { OURS, "b.0" }, OURS, OURS, NULL },
    { { "b.0", "c.0" }, "c.0", "c.0", NULL },
    { { OURS }, "b.0", NULL, OURS },
    { { OURS, "b.0" }, "B.0", NULL, "b.0" },
    { { OURS }, "", NULL, OURS },
    { { OURS }, "*", NULL, OURS },
    { { NULL }, "b.0", NULL, "'b.0'" },
    { { QGA }, "b.0", NULL, "'b.0'" },
    { { QGA, OURS }, QGA, NULL, "belongs to another" },
    { { OURS }, QGA, NULL, "belongs to another" },
    { { SPICE }, SPICE, NULL, "belongs to another" },
    { { "[b.0]", OURS }, "b.0", "b.0", NULL },
};

static struct channel_list list_of(const char *const *names)
{
    struct channel_list list = { calloc(MAX, sizeof(struct channel)), 0 };

    for (; *names; names++) {
        struct channel *channel = &list.items[list.n++];
        size_t n = strlen(*names);

        if (**names == '[') {
            channel->name = strndup(*names + 1, n - 2);
        } else {
            channel->name = strdup(*names);
            channel->path = strdup("/socket");
        }
    }
    return list;
}

START_TEST(matrix)
{
    struct channel_list list = list_of(rows[_i].has);
    const struct channel *picked = NULL;
    struct error err = ERROR_INIT;
    int r = channel_pick(&list, rows[_i].wanted, NULL, "web1", &picked, &err);

    if (rows[_i].picked) {
        ck_assert_msg(r == 0, "%s", err.message);
        ck_assert(picked >= list.items && picked < list.items + list.n);
        ck_assert_str_eq(picked->name, rows[_i].picked);
    } else {
        ck_assert_int_eq(r, -ENXIO);
        ck_assert_msg(strstr(err.message, rows[_i].hint)
                          || strstr(err.hint, rows[_i].hint),
                      "'%s' '%s'", err.message, err.hint);
    }
    channel_list_free(&list);
}
END_TEST

/* A hint that a shell takes as it is. */
START_TEST(attach_line)
{
    struct channel_list list = { NULL, 0 };
    const struct channel *picked = NULL;
    struct error err = ERROR_INIT;

    channel_pick(&list, NULL, "test:///a b", "it's", &picked, &err);
    ck_assert_str_eq(err.hint,
                     "virsh -c 'test:///a b' attach-device "
                     "'it'\\''s' " PKGDATADIR "/channel.xml --live --config");
    channel_pick(&list, "x.0", NULL, "web1", &picked, &err);
    ck_assert_str_eq(err.hint,
                     "echo \"<channel type='unix'><target type='virtio' "
                     "name='x.0'/></channel>\" | virsh attach-device web1 "
                     "/dev/stdin --live --config");
    channel_pick(&list, "$(x)", NULL, "web1", &picked, &err);
    ck_assert_ptr_nonnull(strstr(err.hint, "name='NAME'/>"));
}
END_TEST

/* More names, and longer ones, than a message holds. */
START_TEST(long_names)
{
    struct channel_list list = { calloc(50, sizeof(struct channel)), 50 };
    const struct channel *picked = NULL;
    struct error err = ERROR_INIT;

    for (int i = 0; i < 50; i++) {
        list.items[i].name = calloc(1, 2001);
        memset(list.items[i].name, 'a' + i % 26, 2000);
    }
    ck_assert_int_eq(channel_pick(&list, NULL, NULL, "web1", &picked, &err),
                     -ENXIO);
    ck_assert_int_eq(channel_pick(&list, "x", NULL, "web1", &picked, &err),
                     -ENXIO);
    channel_list_free(&list);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, matrix, 0, ARRAY_SIZE(rows));
    tcase_add_test(tcase, attach_line);
    tcase_add_test(tcase, long_names);
}
