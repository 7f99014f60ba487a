/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The programs of server.handlers, before anybody asks for them. */
#ifndef VSRPC_GUEST_HANDLE_CUSTOM_H
#define VSRPC_GUEST_HANDLE_CUSTOM_H

#include "guest/core/settings.h"
#include "util/error.h"

/*
 * Looks whether each can be run: the program, and the user.  What is wrong now
 * need not be when it is asked for, so an agent starts all the same.  file is
 * the configuration's.
 *
 * Return: 0; -EINVAL with a message about the first that cannot, and perhaps a
 * hint.
 */
int custom_check(const struct settings *settings, const char *file,
                 struct error *err);

#endif
