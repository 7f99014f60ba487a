/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Quotes words for a shell and puts virsh's lines together.  A channel's name
 * that is not safe in XML and shell is replaced by NAME.
 */
#include <config.h>

#include "host/domain/virshline.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"

#define CHANNEL_FILE PKGDATADIR "/channel.xml"

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+@";

    return *word && strspn(word, plain) == strlen(word);
}

const char *virsh_word(const char *word, char text[VIRSH_WORD_MAX])
{
    size_t n = 0;

    if (is_plain(word)) {
        snprintf(text, VIRSH_WORD_MAX, "%s", word);
        return text;
    }
    text[n++] = '\'';
    for (; *word && n + 6 < VIRSH_WORD_MAX; word++) {
        if (*word == '\'')
            n += (size_t) sprintf(text + n, "'\\''");
        else
            text[n++] = *word;
    }
    text[n++] = '\'';
    text[n] = '\0';
    return text;
}

const char *virsh_line(const char *uri, const char *verb, const char *domain,
                       char line[VIRSH_LINE_MAX])
{
    char place[VIRSH_WORD_MAX] = "";
    char name[VIRSH_WORD_MAX];

    snprintf(line, VIRSH_LINE_MAX, "virsh%s%s %s %s", uri ? " -c " : "",
             uri ? virsh_word(uri, place) : "", verb,
             virsh_word(domain, name));
    return line;
}

/* A name that was typed may hold anything; what neither XML nor the shell
 * would take as it is, is left for the user to fill in. */
const char *virsh_attach(const char *uri, const char *domain,
                         const char *channel, const char *flags,
                         char line[VIRSH_LINE_MAX])
{
    bool ours = strcmp(channel, CHANNEL_DEFAULT) == 0;
    char file[VIRSH_WORD_MAX] = "/dev/stdin";
    char head[VIRSH_WORD_MAX] = "";
    char verb[VIRSH_LINE_MAX];
    size_t used;

    if (ours)
        virsh_word(CHANNEL_FILE, file);
    else
        snprintf(head, sizeof(head),
                 "echo \"<channel type='unix'><target type='virtio' "
                 "name='%.150s'/></channel>\" | ",
                 is_plain(channel) ? channel : "NAME");
    virsh_line(uri, "attach-device", domain, verb);
    used = (size_t) snprintf(line, VIRSH_LINE_MAX, "%s", head);
    snprintf(line + used, VIRSH_LINE_MAX - used, "%.700s %s %s", verb, file,
             flags);
    return line;
}
