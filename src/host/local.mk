# host: knows util, proto, libvirt (virt.c) and libxml2 (domxml.c); nothing of
# the guest.
