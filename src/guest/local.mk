# guest: knows util and proto; no libvirt, no libxml2, nothing of the host.
