#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Domains of libvirt's test driver: finding them, picking the channel, the fleet.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

start_peer fake good
# shellcheck disable=SC2016 # quotes of XML
channel() { # NAME [PATH]
	printf "<channel type='unix'>%s<target type='virtio' name='%s' state='connected'/></channel>" "${2:+<source mode='bind' path='$2'/>}" "$1"
}
domain() { # NAME UUID-END [CHANNEL…]
	printf "<domain type='test'><name>%s</name><uuid>11111111-2222-3333-4444-%012d</uuid><memory>1024</memory><os><type>hvm</type></os><devices>" "$1" "$2"
	shift 2
	printf '%s' "$@"
	printf '</devices></domain>\n'
}
node() { printf '<node>\n%s\n</node>\n' "$(cat)" >"$1.xml"; }
our=$(channel org.vsrpc.agent.0 "$SOCKET")
ga=$(channel org.qemu.guest_agent.0 /no/ga)
spice="<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>"
{
	domain web1 1 "$our"
	domain web2 2 "$ga" "$spice" "$(channel test.vserial.0 "$SOCKET")"
	domain db1 3 "$ga" "$spice"
	domain two 4 "$(channel a.b.0 "$SOCKET")" "$(channel c.d.0 /nowhere)"
	domain both 5 "$(channel a.b.0 /nowhere)" "$our"
	domain gone 6 "$(channel org.vsrpc.agent.0 /no/such/socket)"
	domain nosource 7 "$(channel org.vsrpc.agent.0)"
	domain ping 8 "$our"
	domain 77 9 "$our"
} | node node
sut() { quick -c "test://$WORK/node.xml" "$@"; }
if ! sut list >/dev/null 2>&1; then
	sut list 2>&1 | sed 's/^/# /'
	skip_all "this libvirt has no test driver"
fi

t "by name" sut web1 ping
t "by UUID" sut 11111111-2222-3333-4444-000000000001 ping
t "by id" sut 1 ping
t "a name that is a number" sut 77 ping
t "a domain called like a command" sut ping ping
t_status "an unknown name" 125 sut web3 ping
t_like "… with the nearest one" "did you mean 'web[12]'" "$ERR"
t "the only channel that is not reserved is taken" sut web2 ping
t_status "no channel but reserved ones" 125 sut db1 ping
t_like "… says so, with the command that adds one" "has no channel.*try: virsh -c test://$WORK/node.xml attach-device db1 /[^ ,]*/channel\.xml --live --config$" "${ERR//$'\n'/ }"
t_status "several that could be meant" 125 sut two ping
t_like "… are listed" "a\.b\.0, c\.d\.0" "$ERR"
t "--channel takes one" sut --channel a.b.0 two ping
printf 'connection: {channel: a.b.0}\nlogging: {file: none}\n' >channel.yaml
t "the configuration takes one" "$VSRPC" --config channel.yaml -c "test://$WORK/node.xml" two ping
t "our own name wins where it is there" sut both ping
t_status "--channel that is not there" 125 sut --channel x.y.0 two ping
t_like "… lists those that are" "a\.b\.0, c\.d\.0" "$ERR"
t_status "--channel that is libvirt's" 125 sut --channel org.qemu.guest_agent.0 db1 ping
t_status "a socket that has gone" 125 sut gone ping
t_like "… names domain and socket" "domain 'gone'.*/no/such/socket" "$ERR"
t_status "a channel without a socket" 125 sut nosource ping
t_like "… says so" "has no socket|does not" "$ERR"
t "LIBVIRT_DEFAULT_URI" env LIBVIRT_DEFAULT_URI="test://$WORK/node.xml" "$VSRPC" --config quick.yaml web1 ping
printf 'connection: {uri: "test://%s"}\nlogging: {file: none}\n' "$WORK/node.xml" >uri.yaml
t "connection.uri" "$VSRPC" --config uri.yaml web1 ping
t "VIRTIO_SOCKET does not outvote a domain" env VIRTIO_SOCKET=/nowhere "$VSRPC" --config uri.yaml web1 ping

# --- several
t "a glob" sut 'web*' ping
t_is "… is one line for each, by name" "web1: web2: " "$(cut -c1-6 <<<"$OUT" | sort | tr -d '\n')"
t_like "… and a summary" "2 domains: 2 succeeded, 0 failed" "$ERR"
t "a list" sut 'web2,web1' exec -- echo ran
t_is "… with output per domain" "web1: ran web2: ran" "$(sort <<<"$OUT" | tr '\n' ' ' | sed 's/ $//')"
t "a list with a glob; nobody twice" sut 'web1,web?' ping
t_is "… two lines" 2 "$(wc -l <<<"$OUT")"
t_status "one of them fails" 1 sut 'web1,gone' ping
t_like "… named with its status" "2 domains: 1 succeeded, 1 failed \(gone: 125\)" "$ERR"
t_status "--all" 1 sut --all ping
t_is "--all takes those with a channel" "77 both ping web1 web2" "$(cut -d: -f1 <<<"$OUT" | sort | tr '\n' ' ' | sed 's/ $//')"
t_status "--quiet has no summary" 1 sut -q 'web1,gone' ping
t_is "… indeed" 0 "$(grep -c succeeded <<<"$ERR")"

# --- many: each connects to the one fake agent, which takes them in turn
i=0
while [ $i -lt 200 ]; do
	domain "vm$i" $((1000 + i)) "$our"
	i=$((i + 1))
done | node many
begin=$EPOCHREALTIME
t "list of 200 domains" quick --parallel 4 -c "test://$WORK/many.xml" list
took=$(since "$begin")
t_is "… shows all of them and a head" 201 "$(wc -l <<<"$OUT")"
t_is "… all answered" 200 "$(grep -c ' connected .*9\.9' <<<"$OUT")"
t "… in less than 20 s ($took)" below "$took" 20
t "list --json" quick -c "test://$WORK/many.xml" --json list
t_json "… is an array of 200" "len(d) == 200 and d[0]['uuid'].startswith('11111111')" "$OUT"
t "200 domains with --parallel 5" quick -c "test://$WORK/many.xml" --parallel 5 --all ping
t_like "… all succeed" "200 domains: 200 succeeded, 0 failed" "$ERR"

done_testing
