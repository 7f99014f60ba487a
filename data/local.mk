# data: units, the udev rule, example configurations, the channel to attach,
# completion.  Paths are filled in when make runs, so "make prefix=…" holds.
#
# "make install" replaces the configuration files and "make uninstall" removes
# them, edited or not: keeping an administrator's version is the package
# manager's work (conffiles, %config(noreplace)).
edit_paths = $(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) \
	-e 's|@sbindir[@]|$(sbindir)|g' \
	-e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	-e 's|@channel[@]|org.vsrpc.agent.0|g'

EXTRA_DIST += \
	data/99-virtio-rpc.rules.in \
	data/guest_config.yaml.in \
	data/host_config.yaml.in \
	data/virtio-rpc.service.in \
	data/vsrpc-agent.conf \
	data/vsrpc-virsh.bash \
	data/vsrpc.conf

vsrpcconf_DATA =

if GUEST
systemdsystemunit_DATA = data/virtio-rpc.service
udevrules_DATA = data/99-virtio-rpc.rules
vsrpcconf_DATA += data/guest_config.yaml
# systemd-sysusers(8) makes the user that looks.
sysusers_DATA = data/vsrpc-agent.conf
CLEANFILES += data/virtio-rpc.service data/99-virtio-rpc.rules \
	data/guest_config.yaml
endif

# Where handlers of custom/NAME are put; only root may.
install-data-local:
if GUEST
	$(MKDIR_P) '$(DESTDIR)$(vsrpcconfdir)/custom.d'
endif
uninstall-local:
	-test ! -d '$(DESTDIR)$(vsrpcconfdir)/custom.d' \
		|| rmdir '$(DESTDIR)$(vsrpcconfdir)/custom.d'

if HOST
vsrpcconf_DATA += data/host_config.yaml
dist_pkgdata_DATA = data/channel.xml
CLEANFILES += data/host_config.yaml data/vsrpc-virsh
# The completion loader looks for a file with the command's own name.
bashcompletion_DATA = data/vsrpc-virsh
# systemd-tmpfiles(8) makes the folder of the locks.
tmpfiles_DATA = data/vsrpc.conf
endif

data/virtio-rpc.service: $(srcdir)/data/virtio-rpc.service.in Makefile
	$(edit_paths) $(srcdir)/data/virtio-rpc.service.in > $@
data/99-virtio-rpc.rules: $(srcdir)/data/99-virtio-rpc.rules.in Makefile
	$(edit_paths) $(srcdir)/data/99-virtio-rpc.rules.in > $@
data/guest_config.yaml: $(srcdir)/data/guest_config.yaml.in Makefile
	$(edit_paths) $(srcdir)/data/guest_config.yaml.in > $@
data/host_config.yaml: $(srcdir)/data/host_config.yaml.in Makefile
	$(edit_paths) $(srcdir)/data/host_config.yaml.in > $@
data/vsrpc-virsh: $(srcdir)/data/vsrpc-virsh.bash Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $(srcdir)/data/vsrpc-virsh.bash $@
