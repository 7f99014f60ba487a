/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* vsrpc-virsh from its command line to its exit status. */
#ifndef VSRPC_HOST_APP_H
#define VSRPC_HOST_APP_H

/* Return: the exit status. */
int app_run(int argc, char **argv);

#endif
