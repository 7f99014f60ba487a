/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Command lines of virsh(1) that a user can paste into a shell. */
#ifndef VSRPC_HOST_DOMAIN_VIRSHLINE_H
#define VSRPC_HOST_DOMAIN_VIRSHLINE_H

#define VIRSH_WORD_MAX 300 /* of a domain's name, quoted */
#define VIRSH_LINE_MAX 1200

/* A word as a shell takes it: as it is where nothing in it is special.
 * Return: text. */
const char *virsh_word(const char *word, char text[VIRSH_WORD_MAX]);

/*
 * "virsh VERB DOMAIN", with -c for the libvirt that was asked for (uri, NULL:
 * none was).
 *
 * Return: line.
 */
const char *virsh_line(const char *uri, const char *verb, const char *domain,
                       char line[VIRSH_LINE_MAX]);

/*
 * The command that gives a domain a channel: with the file that is installed,
 * or, for a channel of another name, with its XML in a pipe.  flags are
 * attach-device's, "--live" say.
 *
 * Return: line.
 */
const char *virsh_attach(const char *uri, const char *domain,
                         const char *channel, const char *flags,
                         char line[VIRSH_LINE_MAX]);

#endif
