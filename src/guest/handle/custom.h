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
 * the configuration's.  tell hears of each that cannot, with a message and
 * perhaps a hint.
 *
 * Return: 0; -EINVAL when there was one.
 */
int custom_check(const struct settings *settings, const char *file,
                 void (*tell)(void *arg, const struct error *err), void *arg);

#endif
