# man: manuals in mdoc(7).  tests/lint holds them against the tables of the
# code: keys, codes, routes, commands and options.
dist_man_MANS += man/vsrpc-protocol.7
if HOST
dist_man_MANS += man/vsrpc-virsh.1 man/virtio-rpc-host.5
endif
if GUEST
dist_man_MANS += man/vsrpc-agent.8 man/virtio-rpc-guest.5
endif
