/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the files behind libvirt's door (virt*.c) share.  Nobody else includes
 * this. */
#ifndef VSRPC_HOST_DOMAIN_VIRT_PRIV_H
#define VSRPC_HOST_DOMAIN_VIRT_PRIV_H

#include <stdbool.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "util/error.h"

/* Connects, and keeps libvirt from printing by itself.  Return: 0 with
 * *connection; as virt_open(). */
int virt_connect(const char *uri, bool read_only, virConnectPtr *connection,
                 struct error *err);

/* libvirt's last words; never NULL. */
const char *virt_words(void);

/* Is the last error one of rights? */
bool virt_denied(void);

#endif
