/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/app.h"

int main(int argc, char **argv)
{
    return app_run(argc, argv);
}
