/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * main() of vsrpc-virsh, in a file of its own, because the tests link all the
 * others.
 */
#include <config.h>

#include "host/app.h"
#include "proto/status.h"
#include "util/fd.h"

int main(int argc, char **argv)
{
    return fd_standard() < 0 ? EXIT_STATUS_TRANSPORT : app_run(argc, argv);
}
