/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Opens libvirt, reads the XML of a domain, ends: what a process that finds a
 * domain's socket cannot do without. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <libvirt/libvirt.h>

int main(int argc, char **argv)
{
    virConnectPtr connection;
    virDomainPtr domain;
    char *xml;

    if (argc != 3) {
        fprintf(stderr, "usage: readxml URI DOMAIN\n");
        return 2;
    }
    connection = virConnectOpenReadOnly(argv[1]);
    domain = connection ? virDomainLookupByName(connection, argv[2]) : NULL;
    xml = domain ? virDomainGetXMLDesc(domain, 0) : NULL;
    if (!xml)
        return 1;
    free(xml);
    virDomainFree(domain);
    virConnectClose(connection);
    return 0;
}
