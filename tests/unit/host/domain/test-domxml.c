/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/domain/domxml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"
#include "util/buf.h"
#include "util/clock.h"

const char unit_name[] = "domxml";

#define HEAD "<domain type='kvm' id='7'><name>web1</name><devices>"
#define TAIL "</devices></domain>"

#define SOCKETS "/var/lib/libvirt/qemu/channel/target/domain-7-web1/"

/* As libvirt 9.0 prints it for a running guest (shortened). */
static const char running[] =
    "<domain type='kvm' id='7' "
    "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
    "  <name>web1</name>\n"
    "  <uuid>6f9619ff-8b86-d011-b42d-00cf4fc964ff</uuid>\n"
    "  <metadata><a:b xmlns:a='urn:a'><devices><channel type='unix'>"
    "<target type='virtio' name='metadata.0'/></channel></devices></a:b>"
    "</metadata>\n"
    "  <devices>\n"
    "    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n"
    "    <serial type='unix'><source mode='bind' path='/serial'/>"
    "<target type='isa-serial' port='0'/></serial>\n"
    "    <!-- <channel type='unix'><target type='virtio' name='no.0'/>"
    "</channel> -->\n"
    "    <channel type='unix'>\n"
    "      <source mode='bind' path='" SOCKETS "org.qemu.guest_agent.0'/>\n"
    "      <target type='virtio' name='org.qemu.guest_agent.0' "
    "state='disconnected'/>\n"
    "      <alias name='channel0'/>\n"
    "      <address type='virtio-serial' controller='0' bus='0' port='1'/>\n"
    "    </channel>\n"
    "    <channel type='spicevmc'>\n"
    "      <target type='virtio' name='com.redhat.spice.0' "
    "state='connected'/>\n"
    "    </channel>\n"
    "    <channel type='unix'>\n"
    "      <source mode='bind' path='" SOCKETS "org.vsrpc.agent.0'/>\n"
    "      <target type='virtio' name='org.vsrpc.agent.0' "
    "state='connected'/>\n"
    "    </channel>\n"
    "    <channel type='unix'>\n"
    "      <source mode='bind' path='" SOCKETS "other.0'/>\n"
    "      <target type='virtio' name='other.0'/>\n"
    "    </channel>\n"
    "    <channel type='pty'><source path='/dev/pts/2'/>"
    "<target type='virtio' name='pty.0'/></channel>\n"
    "    <channel type='unix'><source mode='bind' path='/tmp/guestfwd'/>"
    "<target type='guestfwd' address='10.0.2.1' port='4600'/></channel>\n"
    "  </devices>\n"
    "  <seclabel type='none'/>\n"
    "</domain>\n";

static void list_text(const struct channel_list *list, char *text, size_t n)
{
    static const char *const states[] = { "?", "up", "down" };
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < list->n; i++)
        used += (size_t) snprintf(
            text + used, n - used, "%s %s %s;", list->items[i].name,
            list->items[i].path ? list->items[i].path : "-",
            states[list->items[i].state]);
}

static void expect(const char *xml, const char *want)
{
    struct guarded copy = guarded_copy(xml, strlen(xml) + 1);
    struct channel_list list;
    struct error err = ERROR_INIT;
    char text[2048];
    int r = domxml_channels((char *) copy.bytes, &list, &err);

    ck_assert_msg(r == 0, "%s: %s", xml, err.message);
    list_text(&list, text, sizeof(text));
    ck_assert_str_eq(text, want);
    channel_list_free(&list);
    ck_assert_uint_eq(list.n, 0);
    guarded_free(&copy);
}

START_TEST(running_guest)
{
    expect(running,
           "org.qemu.guest_agent.0 " SOCKETS "org.qemu.guest_agent.0 down;"
           "org.vsrpc.agent.0 " SOCKETS "org.vsrpc.agent.0 up;"
           "other.0 " SOCKETS "other.0 ?;");
}
END_TEST

static const struct {
    const char *xml, *channels;
} samples[] = {
    { HEAD TAIL, "" },
    { "<domain/>", "" },
    { "<domain><name>x</name></domain>", "" },
    /* not running: no source, or one without a path */
    { HEAD "<channel type='unix'><target type='virtio' name='a.0'/>"
           "</channel>" TAIL,
      "a.0 - ?;" },
    { HEAD "<channel type='unix'><source mode='bind'/>"
           "<target type='virtio' name='a.0'/></channel>" TAIL,
      "a.0 - ?;" },
    /* nothing that could be talked to */
    { HEAD "<channel type='unix'><target type='virtio'/></channel>" TAIL, "" },
    { HEAD "<channel type='unix'/>" TAIL, "" },
    { HEAD "<channel/>" TAIL, "" },
    { HEAD "<channel type='unix'><source path='/p'/>"
           "<target type='xen' name='a.0'/></channel>" TAIL,
      "" },
    { HEAD "<channel><target type='virtio' name='a.0'/></channel>" TAIL, "" },
    { HEAD "<console type='unix'><source path='/p'/>"
           "<target type='virtio' name='a.0'/></console>" TAIL,
      "" },
    { HEAD "<channel type='UNIX'><target type='virtio' name='a.0'/>"
           "</channel>" TAIL,
      "" },
    { HEAD "<x><channel type='unix'><target type='virtio' name='a.0'/>"
           "</channel></x>" TAIL,
      "" },
    /* another order, another state, quotes, characters */
    { HEAD "<channel type=\"unix\"><target name=\"a.0\" type=\"virtio\" "
           "state=\"odd\"/><source path=\"/p\"/></channel>" TAIL,
      "a.0 /p ?;" },
    { HEAD "<channel type='unix'><source path='/a&amp;b&#x20;&lt;c&gt;'/>"
           "<target type='virtio' name='&#xe4;.0'/></channel>" TAIL,
      "\xC3\xA4.0 /a&b <c> ?;" },
    { "<?xml version='1.0' encoding='UTF-8'?>\n" HEAD
      "<channel type='unix'><source path='/p'/>"
      "<target type='virtio' name='a.0'/></channel>" TAIL,
      "a.0 /p ?;" },
};

START_TEST(sample)
{
    expect(samples[_i].xml, samples[_i].channels);
}
END_TEST

static const char *const broken[] = {
    "",
    " ",
    "text",
    "<domain>",
    "<domain></domains>",
    "<domain/><domain/>",
    "<network/>",
    "<domainsnapshot/>",
    HEAD "<channel type='unix'><target type='virtio' name='a.0'/></channel>",
    "<domain><devices><channel type=unix/></devices></domain>",
    "<domain>&unknown;</domain>",
    "<domain a='\xFF'/>",
    "\xFF\xFE<domain/>",
};

static void expect_refused(const char *xml)
{
    struct channel_list list;
    struct error err = ERROR_INIT;

    ck_assert_msg(domxml_channels(xml, &list, &err) == -EBADMSG, "%.100s",
                  xml);
    ck_assert_uint_eq(list.n, 0);
    ck_assert_ptr_null(list.items);
    ck_assert_str_ne(err.message, "");
}

START_TEST(refused)
{
    expect_refused(broken[_i]);
}
END_TEST

/* --- entities ------------------------------------------------------------ */

#define CHANNEL_OF(value)                                  \
    HEAD "<channel type='unix'><source path='" value "'/>" \
         "<target type='virtio' name='a.0'/></channel>" TAIL

/* libvirt never writes a DOCTYPE; nothing that one declares means anything. */
static const char *const doctypes[] = {
    "<!DOCTYPE domain [<!ENTITY e 'expanded'>]>" CHANNEL_OF("/&e;"),
    "<!DOCTYPE domain [<!ENTITY a 'aaaaaaaaaa'>"
    "<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
    "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>"
    "<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>"
    "<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'>"
    "<!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;'>"
    "<!ENTITY g '&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;'>"
    "<!ENTITY h '&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;'>"
    "<!ENTITY i '&h;&h;&h;&h;&h;&h;&h;&h;&h;&h;'>]>" CHANNEL_OF("/&i;"),
    "<!DOCTYPE domain [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>" CHANNEL_OF(
        "/&a;"),
    "<!DOCTYPE domain [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" HEAD
    "&e;" TAIL,
    "<!DOCTYPE domain [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" CHANNEL_OF(
        "&e;"),
    "<!DOCTYPE domain SYSTEM 'http://127.0.0.1:1/x.dtd'>" CHANNEL_OF("/p"),
    "<!DOCTYPE domain [<!ENTITY % p SYSTEM 'file:///etc/passwd'> "
    "%p;]>" CHANNEL_OF("/p"),
    "<!DOCTYPE domain [<!ATTLIST source path CDATA '/default'>]>" HEAD
    "<channel type='unix'><source/><target type='virtio' name='a.0'/>"
    "</channel>" TAIL,
};

START_TEST(doctype)
{
    int64_t before = clock_ms();

    expect_refused(doctypes[_i]);
    ck_assert_int_lt(clock_ms() - before, 5000);
}
END_TEST

/* --- sizes --------------------------------------------------------------- */

START_TEST(many_channels)
{
    struct buf xml;
    struct channel_list list;

    buf_init(&xml, 1 << 24);
    buf_puts(&xml, HEAD);
    for (int i = 0; i < 2000; i++)
        buf_printf(&xml,
                   "<channel type='unix'><source path='/p%d'/>"
                   "<target type='virtio' name='n%d'/></channel>",
                   i, i);
    buf_puts(&xml, TAIL);
    ck_assert_int_eq(domxml_channels(buf_cstr(&xml), &list, NULL), 0);
    ck_assert_uint_eq(list.n, 2000);
    ck_assert_str_eq(list.items[1999].name, "n1999");
    ck_assert_str_eq(list.items[1999].path, "/p1999");
    channel_list_free(&list);
    buf_free(&xml);
}
END_TEST

/* Too deep, or an attribute too long: refused, in no time. */
START_TEST(monsters)
{
    struct channel_list list;
    struct buf xml;
    int64_t before = clock_ms();

    buf_init(&xml, 1 << 26);
    for (int i = 0; i < 100000; i++)
        buf_puts(&xml, "<domain>");
    expect_refused(buf_cstr(&xml));
    buf_clear(&xml);
    buf_puts(&xml, "<domain a='");
    for (int i = 0; i < 12 * 1024 * 16; i++)
        buf_puts(&xml, "0123456789012345678901234567890123456789"
                       "012345678901234567890123");
    buf_puts(&xml, "'/>");
    expect_refused(buf_cstr(&xml));
    ck_assert_int_lt(clock_ms() - before, 20000);
    buf_free(&xml);
    ck_assert_int_eq(domxml_channels(running, &list, NULL), 0);
    channel_list_free(&list);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_test(tcase, running_guest);
    tcase_add_loop_test(tcase, sample, 0, ARRAY_SIZE(samples));
    tcase_add_loop_test(tcase, refused, 0, ARRAY_SIZE(broken));
    tcase_add_loop_test(tcase, doctype, 0, ARRAY_SIZE(doctypes));
    tcase_add_test(tcase, many_channels);
    tcase_add_test(tcase, monsters);
}
